"""The shelf: one page over all reports, failures first, and the same as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2

from cxlib.report.publish import read_manifest, verify, write_atomically
from cxlib.report.words import WORDS

__all__ = ["build_shelf"]

_TEMPLATES = Path(__file__).parent / "templates" / "cxlib"


def build_shelf(out: Path) -> Path:
    """Write index.json and index.html from the manifests below a folder.

    Parameters
    ----------
    out : Path

    Returns
    -------
    Path
        The page.
    """
    out.mkdir(parents=True, exist_ok=True)
    shelf = {
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "failed": [_entry(folder, out) for folder in _folders(out / "failed")],
        "reports": [_entry(folder, out) for folder in _folders(out)],
    }
    text = json.dumps(shelf, indent=1, ensure_ascii=False, allow_nan=False)
    write_atomically(out / "index.json", text)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(WORDS)
    page = environment.get_template("shelf.html.j2").render(**shelf)
    write_atomically(out / "index.html", page)
    return out / "index.html"


def _folders(parent: Path) -> list[Path]:
    return sorted(path.parent for path in parent.glob("*/manifest.json"))


def _entry(folder: Path, out: Path) -> dict[str, Any]:
    manifest = read_manifest(folder)
    address = folder.relative_to(out).as_posix()
    if manifest is None:
        return _unreadable(folder, address)
    present = [entry["name"] for entry in manifest["outputs"]]
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
        "report": f"{address}/report.html" if "report.html" in present else None,
        "notebook": f"{address}/report.ipynb" if "report.ipynb" in present else None,
        "tables": [f"{address}/{name}" for name in present if name.startswith("tables/")],
        "broken": verify(folder),
    }


def _unreadable(folder: Path, address: str) -> dict[str, Any]:
    changed = datetime.fromtimestamp((folder / "manifest.json").stat().st_mtime, UTC)
    return {
        "job": folder.name,
        "folder": address,
        "title": folder.name,
        "question": "",
        "schedule": None,
        "values": {},
        "started_at": changed.isoformat(timespec="seconds"),
        "seconds": 0.0,
        "error": None,
        "report": f"{address}/report.html" if (folder / "report.html").is_file() else None,
        "notebook": None,
        "tables": [],
        "broken": verify(folder),
    }
