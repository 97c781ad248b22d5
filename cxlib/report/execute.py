"""One run in one process of its own: the notebook through papermill, then its page and its facts.

The pool starts it as ``python -m cxlib.report.execute FOLDER``; FOLDER holds request.json and
gets result.json and, in ``report/``, what is to be published.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    # jsonschema would build the grammar of web addresses, which no notebook's schema asks for and
    # which takes longer than all other imports together.
    sys.modules.setdefault("rfc3987_syntax", None)

import nbformat

from cxlib import errors
from cxlib.errors import CxError
from cxlib.report import provenance
from cxlib.report.news import page_changes
from cxlib.report.params import read_cells
from cxlib.report.places import without_places
from cxlib.report.record import RECORD_TYPE, TABLES_VARIABLE
from cxlib.report.render import check_formulas, render_prose, render_report, source_cells
from cxlib.report.worker import adopt_orphans, kill_tree

if TYPE_CHECKING:
    from cxlib.report.kernels import ReadyKernel

__all__ = ["cell_error", "finish_failed", "recorded_values", "run", "serve"]

_PDF_SECONDS = 120
_STARTS = 3  # of a kernel that ends before any cell
_DISK_PROBLEMS = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EROFS: "The disk is read-only",
    errno.EACCES: "Writing is not permitted",
    errno.EPERM: "Writing is not permitted",
}

_RECORD_FIELDS = (
    *("value", "low", "high", "unit", "n", "level", "period", "target", "better"),
    *("segments", "events"),
)


def recorded_values(nb: nbformat.NotebookNode) -> dict[str, dict[str, Any]]:
    """Collect what `cxlib.notebook.record` left in the outputs.

    Raises
    ------
    CxError
        Where a name was recorded twice; its attribute ``cell`` is the second place.
    """
    values: dict[str, dict[str, Any]] = {}
    for number, cell in source_cells(nb):
        for output in cell.get("outputs", ()):
            entry = output.get("data", {}).get(RECORD_TYPE)
            if entry is None:
                continue
            if entry["name"] in values:
                error = CxError(f"record: {entry['name']!r} is recorded twice in this notebook.")
                error.cell = number
                raise error
            values[entry["name"]] = {f: entry[f] for f in _RECORD_FIELDS if f in entry}
    return values


def cell_error(nb: nbformat.NotebookNode) -> dict[str, Any] | None:
    """The first error in the outputs: cell and message, a `CxError` by its message alone."""
    for number, output in _errors(nb):
        spoken = _is_ours(output.ename)
        message = output.evalue if spoken else f"{output.ename}: {output.evalue}"
        return {"cell": number, "message": message.strip()}
    return None


def _errors(nb: nbformat.NotebookNode):
    for number, cell in source_cells(nb):
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                yield number, output


def _is_ours(name: str) -> bool:
    ours = getattr(errors, name, None)
    return isinstance(ours, type) and issubclass(ours, CxError)


def _is_spoken(nb: nbformat.NotebookNode | None) -> bool:
    return nb is not None and any(_is_ours(output.ename) for _, output in _errors(nb))


def _running_cell(nb: nbformat.NotebookNode, error: Exception) -> int | None:
    """The cell papermill was at, or the one to which a dead kernel gave no reply."""
    dead = type(error).__name__ == "DeadKernelError"
    for number, cell in source_cells(nb):
        unanswered = "shell.execute_reply" not in cell.metadata.get("execution", {})
        if cell.metadata.get("papermill", {}).get("status") in ("running", "failed") or (
            dead and unanswered and cell.cell_type == "code" and cell.source.strip()
        ):
            return number
    return None


def _execute(
    request: Mapping[str, Any], nb: nbformat.NotebookNode, folder: Path, ready: ReadyKernel | None
) -> None:
    from nbclient.exceptions import DeadKernelError
    from papermill import execute_notebook

    from cxlib.report import engine
    from cxlib.report.kernels import kernel_manager

    total, begun = sum(cell.cell_type == "code" for cell in nb.cells), []

    def tell(cell, cell_index):
        begun.append(cell_index)
        done = sum(c.cell_type == "code" for c in nb.cells[:cell_index])
        print(json.dumps({"cell": min(done + 1, total), "of": total}), flush=True)

    executed = str(folder / "report.ipynb")
    os.environ[TABLES_VARIABLE] = str(folder / "tables")
    for start in range(1, _STARTS + 1):
        manager, exit_codes = kernel_manager(folder.parent, ready, sockets=start < _STARTS)
        ready = None
        try:
            execute_notebook(
                nb,
                executed.replace("{", "{{").replace("}", "}}"),  # papermill formats the path
                {name: request["parameters"][name] for name in request["changed"]} or None,
                engine_name=engine.NAME,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=str(Path(request["notebook"]).parent),
                kernel_manager_class=manager,
                shutdown_kernel="immediate",
                on_cell_start=tell,
            )
            return
        except DeadKernelError as error:
            raise DeadKernelError(_death(exit_codes[0] if exit_codes else None)) from error
        except RuntimeError:  # it never answered: no socket could be made, or a port was taken
            if begun or start == _STARTS:
                raise


def _death(exit_code: int | None) -> str:
    if exit_code in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGILL):
        name = signal.Signals(-exit_code).name
        return f"The kernel died: it crashed in compiled code ({name})."
    if exit_code == -signal.SIGKILL:
        return "The kernel died: the system ended it, perhaps for want of memory (SIGKILL)."
    told = "" if exit_code is None else f" (exit code {exit_code})"
    return f"The kernel died: the notebook's own code ended it{told}."


def run(
    request: Mapping[str, Any], folder: Path, ready: ReadyKernel | None = None
) -> dict[str, Any]:
    """Execute, collect and render one run; the manifest that comes back says how it went.

    Parameters
    ----------
    request : mapping
        What the pool wrote.
    folder : Path
        Where report.html, report.ipynb and tables/ are written.
    ready : ReadyKernel, optional
        Used instead of starting a kernel.

    Returns
    -------
    dict
        With ``"final": True`` where another attempt would fail alike.
    """
    manifest, clock = provenance.first_manifest(request), time.monotonic()
    nb = None
    try:
        nb = nbformat.v4.upgrade(nbformat.read(request["notebook"], as_version=4))
        nb.metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3"})
        nb.metadata.setdefault("language_info", {"name": "python"})
        prose = render_prose(nb, fallback=request["job"])
        manifest |= {"title": prose.title, "question": prose.question}
        cells = read_cells(request["notebook"])
        counted = request.get("counted", ())
        manifest["inputs"] = provenance.inputs(cells, request["input_files"], counted)
        hashes = [entry["sha256"] for entry in manifest["inputs"]]
        manifest["key"] = provenance.key(cells, request["parameters"], hashes)
        check_formulas(nb)
        _execute(request, nb, folder, ready)
        nb = _read_executed(folder, request)
        manifest["values"] = recorded_values(nb)
        manifest |= {"status": "ok", "seconds": round(time.monotonic() - clock, 2)}
        _write_page(nb, manifest, request, folder)
        if "pdf" in (request.get("formats") or ()):
            from cxlib.report.pdf import write_pdf

            pages = (folder / "report.html", folder / "report.pdf")
            write_pdf(*pages, timeout_seconds=_PDF_SECONDS)
    except Exception as error:
        manifest["seconds"] = round(time.monotonic() - clock, 2)
        finish_failed(nb, manifest, request, folder, error)
    return manifest


def finish_failed(
    nb: nbformat.NotebookNode | None,
    manifest: dict[str, Any],
    request: Mapping[str, Any],
    folder: Path,
    error: Exception,
) -> None:
    """Complete the manifest of a failed run and write the page of what there is."""
    if (folder / "report.ipynb").is_file():
        try:
            nb = _read_executed(folder, request)
        except Exception:  # killed while it was written
            (folder / "report.ipynb").unlink()
    manifest["status"] = "failed"
    manifest["final"] = isinstance(error, CxError) or _is_spoken(nb)
    manifest["error"] = (cell_error(nb) if nb is not None else None) or {
        "cell": getattr(error, "cell", None)
        or (_running_cell(nb, error) if nb is not None else None),
        "message": str(error) if isinstance(error, CxError) else told(error),
    }
    places = [str(folder), str(folder.parent), *request["places"]]
    manifest["error"] = without_places(manifest["error"], places, request["input_files"])
    if nb is None:
        return
    prose = render_prose(nb, fallback=request["job"])
    manifest |= {"title": prose.title, "question": prose.question}
    nbformat.write(nb, folder / "report.ipynb")
    try:
        _write_page(nb, manifest, request, folder)
    except Exception as flaw:  # the page itself may be what failed; its error must still be told
        (folder / "report.html").unlink(missing_ok=True)
        if str(flaw) not in manifest["error"]["message"]:
            manifest["error"]["message"] += f"\nIts page cannot be drawn: {told(flaw)}"


def told(error: Exception) -> str:
    """An error as the shelf says it: deaths and full disks in plain words."""
    if type(error).__name__ == "DeadKernelError":
        return str(error)
    if isinstance(error, OSError) and error.errno in _DISK_PROBLEMS:
        where = f": {error.filename}" if error.filename else ""
        return f"{_DISK_PROBLEMS[error.errno]}{where}."
    return f"{type(error).__name__}: {error}"


def _read_executed(folder: Path, request: Mapping[str, Any]) -> nbformat.NotebookNode:
    """The notebook papermill left, without its markers and the folders of this machine."""
    path = folder / "report.ipynb"
    nb = nbformat.read(path, as_version=4)
    places = [str(folder), str(folder.parent), *request["places"]]
    nb = nbformat.from_dict(without_places(nb, places, request["input_files"]))
    nb.cells = [c for c in nb.cells if "papermill-error-cell-tag" not in c.metadata.get("tags", ())]
    for name in ("input_path", "output_path"):
        nb.metadata.get("papermill", {}).pop(name, None)
    nbformat.write(nb, path)
    return nb


def _write_page(nb, manifest, request, folder: Path) -> None:
    failed, values = manifest["status"] == "failed", manifest["parameters"]
    page = render_report(
        nb,
        manifest,
        folder=str(Path(request["notebook"]).parent),
        shelf_address="../../index.html" if failed else "../index.html",
        changes=page_changes(manifest["values"], request.get("before")),
        parameters=[
            {**declared, "value": values[declared["name"]]} for declared in request["declared"]
        ],
        tables=sorted(p.relative_to(folder).as_posix() for p in folder.glob("tables/*.csv")),
    )
    (folder / "report.html").write_text(page, encoding="utf-8")


def serve(work: Path, ready: ReadyKernel | None = None) -> None:
    """Do the run that a working folder asks for, and end this process."""
    adopt_orphans()
    request = json.loads((work / "request.json").read_text(encoding="utf-8"))
    manifest = run(request, work / "report", ready)
    text = json.dumps(provenance.without_nan(manifest), allow_nan=False)
    (work / "result.part").write_text(text, encoding="utf-8")
    (work / "result.part").replace(work / "result.json")
    sys.stdout.flush()
    kill_tree(os.getpid(), itself=False)
    os._exit(0)


def _die_with_parent() -> None:
    """End this process and all below it when the runner is gone: its end of our stdin closes."""
    sys.stdin.buffer.read()
    kill_tree(os.getpid())


if __name__ == "__main__":
    threading.Thread(target=_die_with_parent, daemon=True).start()
    serve(Path(sys.argv[1]))
