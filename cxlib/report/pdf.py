"""The page as PDF: by weasyprint or an installed Chromium, in a process of its own, in time."""

from __future__ import annotations

import base64
import importlib.util
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bs4 import BeautifulSoup

from cxlib.errors import CxError
from cxlib.report.formulas import FormulaError, to_svg
from cxlib.report.worker import kill_tree

__all__ = ["engines", "write_pdf"]

_BROWSER_NAMES = "chromium chromium-browser google-chrome google-chrome-stable chrome"
# The page runs no script and fetches nothing; Chromium's own sandbox fails in most containers.
_BROWSER_OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking"
    " --disable-component-update --disable-sync --disable-extensions --no-first-run"
    " --no-default-browser-check --no-pdf-header-footer --generate-pdf-document-outline"
)
_COLUMNS = 9  # as many fit on a sheet in ordinary type
_WANTED = (
    'Install one of: pip install "cxlib[pdf]" (weasyprint, which needs Pango: apt-get install '
    "libpango-1.0-0 libpangoft2-1.0-0), or Chromium: apt-get install chromium."
)


def engines() -> list[str]:
    """What is installed of weasyprint and Chromium, in the order in which it is tried."""
    found = ["weasyprint"] if importlib.util.find_spec("weasyprint") else []
    return [*found, "chromium"] if _browser() else found


def write_pdf(
    html_path: str | Path, pdf_path: str | Path, *, timeout_seconds: float, engine: str = ""
) -> None:
    """Print a report's page to PDF: A4 with page numbers, solutions open, code left out.

    Parameters
    ----------
    html_path, pdf_path : str or Path
    timeout_seconds : float
        For all that is tried together; then it is killed.
    engine : {"", "weasyprint", "chromium"}
        The one to use; by default weasyprint, and Chromium where that is missing or cannot draw a
        formula.

    Raises
    ------
    CxError
        Where neither is installed, time runs out, or a formula cannot be drawn. Nothing is written
        then.
    """
    html_path, pdf_path = Path(html_path), Path(pdf_path)
    present, reasons = engines(), []
    deadline = time.monotonic() + timeout_seconds
    for name in [engine] if engine else present:
        if name not in present:
            reasons.append(f"{name} is not installed")
            continue
        with tempfile.TemporaryDirectory(prefix="cxlib-pdf-") as scratch:
            folder = Path(scratch)
            try:
                page = _for_paper(html_path.read_text(encoding="utf-8"), name == "chromium")
                (folder / "page.html").write_text(page, encoding="utf-8")
                _print(name, folder, deadline, timeout_seconds)
            except (FormulaError, _CannotPrint) as error:
                reasons.append(f"{name}: {error}")
                continue
            handle = pdf_path.with_name(f".part-{os.getpid()}-{pdf_path.name}")
            shutil.copyfile(folder / "page.pdf", handle)
            os.replace(handle, pdf_path)
            return
    why = "; ".join(reason.rstrip(".") for reason in reasons)
    raise CxError(f"The PDF cannot be written{f': {why}' if why else ''}. {_WANTED}")


class _CannotPrint(Exception):
    """This engine failed; the next may not."""


def _browser() -> str | None:
    return next((path for name in _BROWSER_NAMES.split() if (path := shutil.which(name))), None)


def _for_paper(page: str, knows_mathml: bool) -> str:
    """The page as it is to be printed: solutions open, no code, no link to a file beside it.

    Formulas become pictures, which need no font for mathematics to be there.
    """
    soup = BeautifulSoup(page, "html.parser")
    for node in soup.find_all("details"):
        if "code" in node.get("class", ()):
            node.decompose()
        else:
            node["open"] = ""
    for node in soup.find_all("a", href=True):
        if not node["href"].startswith(("https:", "http:", "mailto:", "#")):
            node.unwrap()
    for node in soup.find_all("table"):
        columns = max((len(row.find_all(["td", "th"])) for row in node.find_all("tr")), default=0)
        if columns > _COLUMNS:
            size = f"font-size:{8.5 * _COLUMNS / columns:.1f}pt!important"
            node["style"] = f"{node.get('style', '')};{size}"
    for node in soup.find_all("math"):
        try:
            node.replace_with(_drawn(soup, node["alttext"], node.get("display") == "block"))
        except FormulaError:
            if not knows_mathml:
                raise
    return str(soup)


def _drawn(soup: BeautifulSoup, latex: str, block: bool):
    svg, height, depth = to_svg(latex, block=block)
    picture = soup.new_tag("img", alt=latex)
    picture["class"] = "formula block" if block else "formula"
    picture["src"] = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
    picture["style"] = f"height:{height:.3f}em;vertical-align:{-depth:.3f}em"
    return picture


def _print(engine: str, folder: Path, deadline: float, timeout_seconds: float) -> None:
    if engine == "weasyprint":
        command = [sys.executable, "-m", "cxlib.report.pdf", str(folder)]
    else:
        command = [_browser(), *_BROWSER_OPTIONS.split(), f"--user-data-dir={folder / 'profile'}"]
        command += [f"--print-to-pdf={folder / 'page.pdf'}", (folder / "page.html").as_uri()]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {"HOME": str(folder)},
        )
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise CxError(
                f"The PDF was not finished within {timeout_seconds:g} seconds and was given up. "
                "Is the page very large, or the machine very busy?"
            ) from None
        finally:
            kill_tree(process.pid)
            process.wait()
    if process.returncode or not (folder / "page.pdf").is_file():
        lines = (folder / "log").read_text(errors="replace").strip().splitlines()
        raise _CannotPrint(lines[-1] if lines else f"it ended with code {process.returncode}")


def _weasyprint(folder: Path) -> None:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)  # rules that only browsers know
    page = (folder / "page.html").read_text(encoding="utf-8")
    fetcher = URLFetcher(allowed_protocols=("data",))
    HTML(string=page, url_fetcher=fetcher).write_pdf(folder / "page.pdf")


if __name__ == "__main__":
    _weasyprint(Path(sys.argv[1]))
