"""From a finished run to its folder on the shelf: files one by one, the manifest last."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxlib.report.provenance import file_sha256, without_nan

__all__ = [
    "as_text",
    "home",
    "publish",
    "read_manifest",
    "resume",
    "verify",
    "withdraw",
    "write_atomically",
]

KEPT_RUNS = 52
SCRATCH_PREFIX = ".part-"


def publish(source: Path | None, target: Path, manifest: dict[str, Any]) -> None:
    """Move a run's files into its folder and write its manifest.

    Each file is replaced in one step; until the manifest is written, which is the last thing to
    happen, the folder does not match it, and `verify` says so. The finished manifest is first laid
    into `source`: from there on `resume` can complete what was interrupted.

    Parameters
    ----------
    source : Path or None
        The run's own folder on the same file system; None where there is nothing but the manifest.
    target : Path
    manifest : dict
        Gets its ``outputs``; a copy goes to ``history/`` when the run went well.
    """
    names = sorted(_names(source)) if source else []
    manifest["outputs"] = [{"name": name, "sha256": file_sha256(source / name)} for name in names]
    target.mkdir(parents=True, exist_ok=True)
    if source:
        write_atomically(source / "manifest.json", as_text(manifest), durable=False)
    _complete(source, target, manifest)


def resume(source: Path, out: Path) -> str | None:
    """Complete a publication that was interrupted; the job's name, or None where none had begun.

    Parameters
    ----------
    source : Path
        The run's own folder, as `publish` had it.
    out : Path
        The shelf's folder.
    """
    manifest = read_manifest(source)
    if manifest is None:
        return None
    _complete(source, home(out, manifest), manifest)
    return manifest["job"]


def home(out: Path, manifest: Mapping[str, Any]) -> Path:
    """Where a run belongs on the shelf: the job's folder, or its folder among the failed."""
    return out / manifest["job"] if manifest["status"] == "ok" else out / "failed" / manifest["job"]


def _complete(source: Path | None, target: Path, manifest: Mapping[str, Any]) -> None:
    names = {entry["name"] for entry in manifest["outputs"]}
    for name in sorted(names):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).exists():  # else it was moved before the interruption
            os.replace(source / name, target / name)
    for name in _names(target) - names:
        (target / name).unlink()
    for folder in sorted((p for p in target.rglob("*") if p.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    text = as_text(manifest)
    if manifest["status"] == "ok":
        _remember(target / "history", manifest["started_at"], text)
    write_atomically(target / "manifest.json", text)
    if manifest["status"] == "ok":
        withdraw(target.parent / "failed" / target.name)


def as_text(manifest: Mapping[str, Any]) -> str:
    """The manifest as its file has it."""
    return json.dumps(without_nan(manifest), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _names(folder: Path) -> set[str]:
    """The outputs in a report's folder: everything but the manifest and the history."""
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    return {n for n in names if n != "manifest.json" and not n.startswith("history/")}


def _remember(history: Path, stamp: str, text: str) -> None:
    history.mkdir(exist_ok=True)
    stem = stamp.replace(":", "").replace("+0000", "Z")
    taken = list(history.glob(f"{stem}*.json"))
    if not any(path.read_text(encoding="utf-8") == text for path in taken):
        name = f"{stem}-{len(taken)}.json" if taken else f"{stem}.json"
        write_atomically(history / name, text, durable=False)
    for old in sorted(history.glob("*.json"))[:-KEPT_RUNS]:
        old.unlink()


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a report's folder; None where there is none that can be read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and "status" in manifest else None


def verify(folder: Path) -> list[str]:
    """Say where a report's folder and its manifest differ; nothing where they agree.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of str
        One sentence a difference: a file missing, changed or not named.
    """
    manifest: Mapping[str, Any] | None = read_manifest(folder)
    if manifest is None:
        return ["manifest.json is missing or cannot be read"]
    named = {entry["name"]: entry["sha256"] for entry in manifest["outputs"]}
    present = _names(folder)
    differences = [f"{name} is missing" for name in named if name not in present]
    differences += [f"{name} is not in the manifest" for name in sorted(present - set(named))]
    return differences + [
        f"{name} was changed after the run"
        for name in sorted(present & set(named))
        if file_sha256(folder / name) != named[name]
    ]


def write_atomically(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace a text file in one step; a reader sees the old one or the new one, whole.

    Parameters
    ----------
    path : Path
    text : str
    durable : bool
        Whether to wait until the disk has it, so that it also outlives a loss of power.
    """
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=SCRATCH_PREFIX, suffix=path.suffix)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(scratch, 0o644)
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise


def withdraw(folder: Path) -> None:
    """Remove a folder, such as that of a failure that has been overcome."""
    shutil.rmtree(folder, ignore_errors=True)
