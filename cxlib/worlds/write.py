"""A world on disk: six tables and truth.json, written beside and moved in one by one."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib import __version__
from cxlib.errors import CxError
from cxlib.worlds.company import START
from cxlib.worlds.world import World

__all__ = ["FORMATS", "write_world"]

FORMATS = ("parquet", "csv")
TRUTH = "truth.json"


def write_world(world: World, folder, format: str = "parquet") -> list[Path]:
    """Write the six tables and ``truth.json`` into a folder.

    Parameters
    ----------
    world : World
        A sealed world writes no truth: ``truth.json`` then says only that it is sealed, and not
        with which seed, as whoever has the seed can unseal the world.
    folder : path
        Made if missing. A folder that holds anything but an earlier world is refused.
    format : {"parquet", "csv"}
        CSV is UTF-8 with commas, ISO dates and empty cells for what is missing.

    Returns
    -------
    list of Path
        What was written, ``truth.json`` last.

    Raises
    ------
    CxError
        Unknown format, or foreign files in the folder; nothing is written then.
    """
    folder = Path(folder)
    if format not in FORMATS:
        raise CxError(f"format must be one of {', '.join(FORMATS)}, not {format!r}.")
    if folder.exists() and not folder.is_dir():
        raise CxError(f"{folder} is a file, not a folder.")
    own = {f"{name}.{ending}" for name in world.tables for ending in FORMATS} | {TRUTH}
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    foreign = sorted(present - own)
    if foreign or (present and TRUTH not in present):
        listed = ", ".join((foreign or sorted(present))[:5])
        raise CxError(f"{folder} holds files that are no earlier world: {listed}. Nothing written.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise CxError(f"{folder} cannot be written: {error}.") from error
    try:
        names = [_write(frame, beside, name, format) for name, frame in world.tables.items()]
        (beside / TRUTH).write_text(json.dumps(_truth(world), indent=1, allow_nan=False) + "\n")
        folder.mkdir(exist_ok=True)
        for stale in present - {*names}:
            (folder / stale).unlink()
        for name in [*names, TRUTH]:
            os.replace(beside / name, folder / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return [folder / name for name in [*names, TRUTH]]


def _write(frame: pd.DataFrame, folder: Path, name: str, format: str) -> str:
    file = f"{name}.{format}"
    if format == "parquet":
        frame.to_parquet(folder / file, index=False)
    else:
        frame.to_csv(folder / file, index=False, lineterminator="\n")
    return file


def _truth(world: World) -> dict:
    head = {
        "cxlib": __version__,
        "customers": world.size,
        "weeks": world.weeks,
        "start": str(START),
        "sealed": world.is_sealed,
    }
    if world.is_sealed:
        return head
    calendar = [vars(event) for event in world.calendar]
    told = {"seed": world.seed, "dials": dict(world.dials), "events": calendar}
    return _plain({**head, **told, **world.truth.to_dict()})


def _plain(value):
    """Numbers as JSON knows them: NaN becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
