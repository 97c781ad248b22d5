"""The shelf: one page over all reports, failures and news first, and the same as JSON."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import cxlib
from cxlib.report.alerts import fired
from cxlib.report.cards import drawings, history_rows, summary
from cxlib.report.news import changes, earlier_runs, read_index
from cxlib.report.publish import read_manifest, verify, write_atomically
from cxlib.report.stale import stale
from cxlib.report.words import WORDS

__all__ = ["build_shelf"]

_TEMPLATES = Path(__file__).parent / "templates" / "cxlib"


def build_shelf(
    out: Path, *, unchanged: Collection[str] = (), interrupted: Collection[str] = ()
) -> Path:
    """Write index.json, index.html and each report's history page from the manifests of a folder.

    Parameters
    ----------
    out : Path
    unchanged : collection of str
        Folders of reports that were checked now and needed no new run.
    interrupted : collection of str
        Folders of reports that were to be made now, and the run was stopped before.

    Returns
    -------
    Path
        The page.
    """
    out.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    failed = [_entry(folder, out, None) for folder in _folders(out / "failed")]
    manifests = {folder: read_manifest(folder) for folder in _folders(out)}
    reports = [_entry(folder, out, manifest) for folder, manifest in manifests.items()]
    runs = [earlier_runs(folder) for folder in manifests]
    _mark_checked(reports, unchanged, read_index(out), now)
    compared = changes(
        [{"values": r["values"], "earlier": past} for r, past in zip(reports, runs, strict=True)]
    )
    for report, manifest, found in zip(reports, manifests.values(), compared, strict=True):
        report["changes"] = found
        if manifest is not None:
            report["alerts"] = fired(manifest, found)
            report["stale"] = stale(manifest, now)
    told = summary(reports)
    shelf = {
        "written_at": now.isoformat(timespec="seconds"),
        "news": {
            "rate": told["rate"],
            "method": "Benjamini-Hochberg",
            "compared": told["compared"],
            "news": len(told["news"]),
        },
        "interrupted": sorted(interrupted),
        "failed": failed,
        "reports": reports,
    }
    drawn = [drawings(report["values"], past) for report, past in zip(reports, runs, strict=True)]
    for report, past, pictures in zip(reports, runs, drawn, strict=True):
        if report["history"]:
            _write_history(out / report["history"], report, past, pictures)
    text = json.dumps(shelf, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(out / "index.json", text)
    script, allowed = _script()
    found = [{change["name"]: change for change in report["changes"]} for report in reports]
    parts = {"told": told, "found": found, "drawn": drawn, "script": script, "allowed": allowed}
    page = _page("shelf.html.j2", **shelf, **parts)
    write_atomically(out / "index.html", page)
    return out / "index.html"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(WORDS)
    return environment


def _page(template: str, **content: Any) -> str:
    return _environment().get_template(template).render(**content)


@cache
def _script() -> tuple[Markup, str]:
    """The one script of the shelf, and the source that the page's policy allows."""
    script = (_TEMPLATES / "filter.js").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Markup(script), f"sha256-{digest}"


@cache
def _look() -> list[str]:
    """Whatever decides how a page looks: cxlib's version and its templates."""
    files = sorted(path for path in _TEMPLATES.iterdir() if path.is_file())
    return [cxlib.__version__, *(path.read_text(encoding="utf-8") for path in files)]


def _write_history(path: Path, report: Mapping, past: list[dict], drawn: Mapping) -> None:
    """Write a page of the history where what it shows, or the look of pages, is another."""
    shown = [*(report[name] for name in ("title", "folder", "report", "values")), past]
    content = hashlib.sha256(json.dumps([_look(), *shown]).encode()).hexdigest()
    end = f"<!-- {content} -->\n"
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace").endswith(end):
        return
    rows = history_rows(report["values"], past)
    page = _page("history.html.j2", report=report, tables=rows, drawn=drawn)
    write_atomically(path, f"{page}\n{end}", durable=False)


def _mark_checked(
    reports: list[dict], unchanged: Collection[str], index: Mapping[str, Any], now: datetime
) -> None:
    """Say of each report when it was last found unchanged since its run, if it was."""
    known = {(e["folder"], e["started_at"]): e.get("checked_at") for e in index.get("reports", ())}
    for report in reports:
        seen = known.get((report["folder"], report["started_at"]))
        fresh = report["folder"] in unchanged
        report["checked_at"] = now.isoformat(timespec="seconds") if fresh else seen


def _folders(parent: Path) -> list[Path]:
    return sorted(path.parent for path in parent.glob("*/manifest.json"))


def _entry(folder: Path, out: Path, manifest: Mapping[str, Any] | None) -> dict[str, Any]:
    manifest = manifest or read_manifest(folder)
    address = folder.relative_to(out).as_posix()
    if manifest is None:
        manifest = _unreadable(folder)
    present = [entry["name"] for entry in manifest["outputs"]]

    def link(name: str) -> str | None:
        return f"{address}/{name}" if name in present else None

    kept = any((folder / "history").glob("*.json"))
    return {
        "job": manifest["job"],
        "folder": address,
        "title": manifest.get("title") or manifest["job"],
        "question": manifest.get("question", ""),
        "schedule": manifest.get("schedule"),
        "values": manifest["values"],
        "started_at": manifest["started_at"],
        "seconds": manifest["seconds"],
        "error": manifest["error"],
        "report": link("report.html"),
        "pdf": link("report.pdf"),
        "notebook": link("report.ipynb"),
        "tables": [f"{address}/{name}" for name in present if name.startswith("tables/")],
        "history": f"{address}/history/index.html" if kept else None,
        "changes": [],
        "alerts": [],
        "stale": None,
        "checked_at": None,
        "broken": verify(folder),
    }


def _unreadable(folder: Path) -> dict[str, Any]:
    changed = datetime.fromtimestamp((folder / "manifest.json").stat().st_mtime, UTC)
    page = folder / "report.html"
    return {
        "job": folder.name,
        "values": {},
        "started_at": changed.isoformat(timespec="seconds"),
        "seconds": 0.0,
        "error": None,
        "outputs": [{"name": page.name}] if page.is_file() else [],
    }
