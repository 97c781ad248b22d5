"""A report goes further than the machine that made it: its texts name files, not folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cxlib

__all__ = ["beside", "known_places", "without_places"]

_FEWEST_PARTS = 3  # "/" or "/srv" may stand in any text


def known_places(*folders: str | Path) -> list[str]:
    """The folders whose names are taken out: those given, this library's, Python's and the user's.

    Parameters
    ----------
    *folders : str or Path
    """
    ours = Path(cxlib.__file__).parents[1]
    known = {str(Path(folder)) for folder in (*folders, ours, sys.prefix, Path.home())}
    return sorted(p for p in known if len(Path(p).parts) >= _FEWEST_PARTS)


def without_places(value: Any, places: Iterable[str], files: Iterable[str] = ()) -> Any:
    """Write files by name and places below a known folder as seen from there, at any depth.

    Parameters
    ----------
    value : text, mapping or sequence
        Pictures (keys that begin with ``image/``) stay as they are.
    places : iterable of str
        Absolute folders, as `known_places` gives them.
    files : iterable of str
        Absolute paths of input files: all that is left of them is their name.

    Examples
    --------
    >>> text = {"error": "/home/a/cx/data/x.csv is not there: /home/a/cx/data does not exist."}
    >>> without_places(text, ["/home/a/cx"], ["/home/a/cx/data/x.csv"])
    {'error': 'x.csv is not there: data does not exist.'}
    """
    names = {file: Path(file).name for file in files}
    folders = sorted(places, key=len, reverse=True)

    def shortened(text: str) -> str:
        for file in sorted(names, key=len, reverse=True):
            text = text.replace(file, names[file])
        for folder in folders:
            text = text.replace(folder.rstrip(os.sep) + os.sep, "")
        return text

    def walk(entry: Any) -> Any:
        if isinstance(entry, str):
            return shortened(entry)
        if isinstance(entry, Mapping):
            return {
                key: part if str(key).startswith("image/") else walk(part)
                for key, part in entry.items()
            }
        if isinstance(entry, list | tuple):
            return [walk(part) for part in entry]
        return entry

    return walk(value)


def beside(path: Path, folder: Path) -> str:
    """A path as seen from a folder, or its name alone where it lies far from it.

    Examples
    --------
    >>> beside(Path("/srv/cx/notebooks/a.ipynb"), Path("/srv/cx/reports"))
    '../notebooks/a.ipynb'
    >>> beside(Path("/srv/cx/notebooks/a.ipynb"), Path("/var/www"))
    'a.ipynb'
    """
    seen = Path(os.path.relpath(path, folder))
    return path.name if seen.parts.count("..") > 1 else seen.as_posix()
