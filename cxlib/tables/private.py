"""Pseudonyms for customer ids: keyed, the same in every table and run, undone only in memory.

Whoever has the key and a list of ids can undo a pseudonym; so the key stays out of git and out of
every report, and pseudonyms remain personal data.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.errors import CxError, RefusedError

__all__ = ["in_kernel", "is_shipped", "pseudonymise", "real_ids", "to_pseudonyms"]

KEY_VARIABLE = "CXLIB_ID_KEY"
FEWEST_CHARACTERS = 16
_ROOT = Path(__file__).resolve().parents[2]
_SHAPE = "c_[0-9a-f]{16}"
_known: list[pd.Series] = []  # real ids by pseudonym, one Series for each read


def in_kernel() -> bool:
    """Whether this is a Jupyter kernel, so that what is shown may end in a report."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython() if ipython else None, "kernel")


def is_shipped(source: object) -> bool:
    """Whether a source is a sample that ships with cxlib and concerns nobody."""
    if not isinstance(source, str | os.PathLike):
        return False
    return Path(source).resolve().is_relative_to(_ROOT / "data" / "sample")


def to_pseudonyms(ids: Iterable[str], key: bytes | None = None) -> list[str]:
    """Keyed hashes (BLAKE2b, 64 bits) of ids; what has the shape of a pseudonym stays.

    Parameters
    ----------
    ids : iterable of str
    key : bytes, optional
        At most 64; from the environment or the checkout by default.

    Returns
    -------
    list of str

    Examples
    --------
    >>> once = to_pseudonyms(["4711", "4712"], b"k")
    >>> once
    ['c_05fcf1b7c3331289', 'c_08d9df3f1b4a5b0a']
    >>> to_pseudonyms(once, b"k") == once
    True
    """
    keyed, shaped = hashlib.blake2b(key=key or _key(), digest_size=8), re.compile(_SHAPE).fullmatch
    names = []
    for name in ids:
        if name[:2] == "c_" and shaped(name):
            names.append(name)
            continue
        digest = keyed.copy()
        digest.update(name.encode())
        names.append(f"c_{digest.hexdigest()}")
    return names


def pseudonymise(ids: pd.Series) -> pd.Series:
    """Replace a column's ids by pseudonyms and remember them in this process alone.

    Parameters
    ----------
    ids : Series of the readers' text type

    Returns
    -------
    Series
    """
    cells = pa.array(ids, from_pandas=True)
    cells = cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])
    cells = cells.cast(pa.large_string()).dictionary_encode().combine_chunks()
    cells = cells if isinstance(cells, pa.DictionaryArray) else cells.chunk(0)
    real = cells.dictionary
    names = pa.array(to_pseudonyms(real.to_pylist()), pa.large_string())
    from_arrow = ids.dtype.__from_arrow__
    made = pd.Index(names.to_pandas(), dtype=object)
    fresh = pd.Series(from_arrow(pa.chunked_array([real])), index=made)
    if not any(known.index.equals(fresh.index) for known in _known):
        _known.append(fresh)
    taken = pa.chunked_array([pc.take(names, cells.indices)])
    return pd.Series(from_arrow(taken), index=ids.index, name=ids.name)


def real_ids(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the real ids in place of the pseudonyms that this process has made.

    Parameters
    ----------
    frame : DataFrame
        Pseudonyms are found in whatever text column or index they stand.

    Returns
    -------
    DataFrame
        A copy; index levels stay in the index.

    Raises
    ------
    CxError
        Some pseudonyms were made elsewhere, so that nobody here knows who they are.
    """
    names = list(frame.index.names)
    levels = [f"level {i} of the index" for i in range(len(names))]
    columns = frame.columns
    flat = frame.set_axis(range(len(columns)), axis=1).rename_axis(levels).reset_index()
    for column in flat.columns:
        if not pd.api.types.is_numeric_dtype(flat[column]):
            flat[column] = _undone(flat[column], column)
    back = flat.set_index(levels).rename_axis(names)
    return back.set_axis(columns, axis=1)


def _undone(column: pd.Series, name: object) -> pd.Series:
    texts = column.astype(object)
    distinct = pd.Series(texts.dropna().unique(), dtype=object)
    distinct = distinct[
        distinct.map(lambda t: isinstance(t, str) and bool(re.fullmatch(_SHAPE, t)))
    ]
    if distinct.empty:
        return column
    known = pd.concat(_known) if _known else pd.Series(dtype=object)
    known = known[~known.index.duplicated()]
    strange = distinct[~distinct.isin(known.index)]
    if len(strange):
        raise CxError(
            f"{len(strange):,} of {len(distinct):,} pseudonyms were not made by a reader in this "
            f"kernel (the first: {strange.iloc[0]}), so that their real ids are not known here. "
            "Read the table with its customers first."
        )
    real = texts.map(known.reindex(distinct).astype(object))
    return real.where(texts.isin(distinct), texts)


def _key() -> bytes:
    text = os.environ.get(KEY_VARIABLE)
    if text is None:
        text = _kept_key(_ROOT if (_ROOT / "pyproject.toml").is_file() else Path.home())
    elif len(text) < FEWEST_CHARACTERS:
        raise RefusedError(
            f"{KEY_VARIABLE} is too short to be a key: it has {len(text)} characters. "
            f"Allowed: at least {FEWEST_CHARACTERS}, chosen at random."
        )
    return hashlib.sha256(text.encode()).digest()


def _kept_key(home: Path) -> str:
    """The key of this checkout, made on first use; kernels that meet here agree on one."""
    path = home / ".cxlib" / "id_key"
    try:
        if not path.is_file():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=path.parent) as fresh:  # its mode is 600
                fresh.write(os.urandom(32).hex())
                fresh.flush()
                with suppress(FileExistsError):
                    os.link(fresh.name, path)
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise RefusedError(
            f"Customer ids cannot be made private: the key {path} cannot be kept "
            f"({error.strerror}). Set {KEY_VARIABLE}, or pass private=False where that is allowed."
        ) from error
