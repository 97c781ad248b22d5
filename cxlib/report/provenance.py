"""Where a report comes from: its data, its versions, and the key that equal runs share."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import math
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import cxlib
from cxlib.report.places import without_places

__all__ = [
    "file_sha256",
    "first_manifest",
    "input_hashes",
    "inputs",
    "key",
    "renew_times",
    "versions",
    "without_nan",
]

JOB_FIELDS = ("for_each", "schedule", "alert", "stale_after_days", "formats")
_PACKAGE_NAMES = (
    "numpy pandas scipy duckdb pyarrow matplotlib seaborn statsmodels papermill nbconvert"
)
_ROOT = Path(cxlib.__file__).parents[1]
_LOCK = _ROOT / "requirements.lock"


def first_manifest(request: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest as far as it is known before the run, in the order in which it is written."""
    return {
        "status": "failed",
        "key": None,
        "job": request["job"],
        "notebook": request["notebook_name"],
        "title": request["job"],
        "question": "",
        **{name: request.get(name) for name in JOB_FIELDS},
        "parameters": without_places(
            request["parameters"], request.get("places", ()), request.get("input_files", ())
        ),
        "inputs": [],
        "values": {},
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": 0.0,
        "attempts": 1,
        "versions": versions(),
        "outputs": [],
        "error": None,
    }


def file_sha256(path: Path) -> str:
    """The hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inputs(
    cells: Iterable[Mapping[str, Any]],
    files: Iterable[str],
    counted: Iterable[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Describe the input files and the shipped files that the code names by ``data_path("...")``.

    Parameters
    ----------
    cells : iterable of mapping
        As `cxlib.report.params.read_cells` gives them.
    files : iterable of str
    counted : iterable of mapping
        What this gave for other runs: files of the same content are not counted again.

    Returns
    -------
    list of dict
        ``name``, ``sha256``, ``rows`` (None where the format has none that can be counted), and
        ``modified_at`` (None for what ships with cxlib, which does not age).
    """
    given = {Path(file) for file in files}
    shipped = _shipped_files(cells) - given
    known = {(entry["sha256"], Path(entry["name"]).suffix): entry["rows"] for entry in counted}
    found = []
    for path in sorted(given | shipped):
        if path.is_file():  # else the cell itself will say so, with its number
            content = file_sha256(path), path.suffix
            found.append(
                {
                    "name": path.name,
                    "sha256": content[0],
                    "rows": known[content] if content in known else _rows(path),
                    "modified_at": None if path in shipped else _modified_at(path),
                }
            )
    return found


def renew_times(entries: Iterable[dict[str, Any]], files: Iterable[str]) -> list[dict[str, Any]]:
    """The inputs of an unchanged report, with the times at which its files were written last."""
    times = {Path(file).name: _modified_at(Path(file)) for file in files}
    return [
        entry | {"modified_at": times.get(entry["name"])} if entry.get("modified_at") else entry
        for entry in entries
    ]


def _modified_at(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")


def _shipped_files(cells: Iterable[Mapping[str, Any]]) -> set[Path]:
    folders = (_ROOT / "data", _ROOT / "benchmarks" / "out")
    sources = (cell["source"] for cell in cells if cell["cell_type"] == "code")
    return {folder / name for s in sources for name in _shipped_names(s) for folder in folders}


def _shipped_names(source: str):
    if "data_path" not in source:
        return
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic, or a mistake that the run will report
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            if called == "data_path" and isinstance(node.args[0].value, str):
                yield node.args[0].value


def _rows(path: Path) -> int | None:
    import duckdb

    reader = {
        ".csv": "read_csv(?, all_varchar=true)",
        ".tsv": "read_csv(?, all_varchar=true)",
        ".parquet": "read_parquet(?)",
    }.get(path.suffix.lower())
    if reader is None:
        return None
    try:
        with duckdb.connect() as own:
            return own.execute(f"SELECT count(*) FROM {reader}", [str(path)]).fetchone()[0]
    except duckdb.Error:
        return None


def input_hashes(cells: Iterable[Mapping[str, Any]], files: Iterable[str]) -> list[str]:
    """The hashes that `inputs` would give, without opening the files as tables."""
    paths = {Path(file) for file in files} | _shipped_files(cells)
    return [file_sha256(path) for path in sorted(paths) if path.is_file()]


def key(
    cells: Iterable[Mapping[str, Any]], parameters: Mapping[str, Any], hashes: Iterable[str]
) -> str:
    """Hash what decides a report: its cells, parameters, data, the code of cxlib, and the lock.

    Input files count by content, not by path. What a notebook reads beside its input files and
    `cxlib.data_path` does not count.

    Parameters
    ----------
    cells : iterable of mapping
        As `cxlib.report.params.read_cells` gives them.
    parameters : mapping
    hashes : iterable of str
        Of its input files.
    """
    values = {
        name: file_sha256(Path(value))
        if isinstance(value, str) and Path(value).is_absolute() and Path(value).is_file()
        else value
        for name, value in parameters.items()
    }
    lock = file_sha256(_LOCK) if _LOCK.is_file() else versions()
    sources = [[c["cell_type"], c["source"], sorted(c["tags"])] for c in cells]
    whole = [sources, values, sorted(hashes), cxlib.__version__, _code(), lock]
    text = json.dumps(without_nan(whole), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _code() -> str:
    """The hash of cxlib's own files: an edited library does not count as unchanged."""
    package = Path(cxlib.__file__).parent
    files = sorted(p for p in package.rglob("*") if p.is_file() and p.suffix != ".pyc")
    parts = (f"{p.relative_to(package).as_posix()} {file_sha256(p)}" for p in files)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def versions() -> dict[str, str]:
    """The versions of Python, cxlib and the packages whose change can change a number."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "cxlib": cxlib.__version__}
    for package in _PACKAGE_NAMES.split():
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def without_nan(value: Any) -> Any:
    """Write what is not finite as None, at any depth.

    Examples
    --------
    >>> without_nan({"a": [1.5, float("nan")]})
    {'a': [1.5, None]}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: without_nan(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(entry) for entry in value]
    return value
