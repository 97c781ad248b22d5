"""Groups too small to be shown: few answers can tell who gave them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning

__all__ = ["MIN_CELL", "count_columns", "leave_out_small", "small_groups"]

MIN_CELL = 5
_COUNTS = re.compile(r"n|n_\w+|answers|customers")


def count_columns(frame: pd.DataFrame, declared: str | Sequence[str] | None = None) -> list:
    """The columns that say how many people stand behind a row.

    Parameters
    ----------
    frame : DataFrame
    declared : str or list of str, optional
        Their names; by default ``n``, and those called ``n_...``, ``answers`` or ``customers``
        that hold whole numbers; of headings of several levels the lowest is meant.

    Returns
    -------
    list of str

    Raises
    ------
    CxError
        A declared column is missing or holds something else than numbers.

    Examples
    --------
    >>> frame = pd.DataFrame({"team": ["a"], "n": [3], "customers": [0.2], "calls": [4]})
    >>> count_columns(frame), count_columns(frame, "calls")
    (['n'], ['calls'])
    """
    numeric = [name for name, kind in frame.dtypes.items() if pd.api.types.is_numeric_dtype(kind)]
    if declared is None:
        lowest = {c: c[-1] if isinstance(c, tuple) else c for c in numeric}
        named = [c for c, n in lowest.items() if isinstance(n, str) and _COUNTS.fullmatch(n)]
        return [c for c in named if lowest[c] == "n" or (frame[c].dropna() % 1 == 0).all()]
    names = [declared] if isinstance(declared, str) else list(declared)
    if wrong := [name for name in names if name not in numeric]:
        raise CxError(
            f"n_col names {', '.join(map(repr, wrong))}, which is no column of numbers here. "
            f"Allowed: {', '.join(map(str, numeric)) or 'none: the table has no numbers'}."
        )
    return names


def small_groups(sizes, min_cell: int = MIN_CELL) -> np.ndarray:
    """Which groups have at least one member and fewer than `min_cell`.

    Parameters
    ----------
    sizes : array_like of numbers
    min_cell : int
        1 shows every group.

    Returns
    -------
    ndarray of bool

    Raises
    ------
    CxError
        `min_cell` is no whole number of at least 1.

    Examples
    --------
    >>> small_groups([0, 1, 4, 5]).tolist()
    [False, True, True, False]
    """
    if isinstance(min_cell, bool) or not isinstance(min_cell, int | np.integer) or min_cell < 1:
        raise CxError(f"min_cell must be a whole number of at least 1, not {min_cell!r}.")
    sizes = np.asarray(pd.to_numeric(pd.Series(np.asarray(sizes).ravel())), dtype=float)
    return (sizes > 0) & (sizes < min_cell)


def leave_out_small(
    frame: pd.DataFrame, sizes, min_cell: int = MIN_CELL, *, noun: str = "groups"
) -> pd.DataFrame:
    """The rows whose group is large enough, with a warning that says how many were left out.

    Parameters
    ----------
    frame : DataFrame
        One row a group.
    sizes : array_like
        Answers or customers of each.
    min_cell : int
    noun : str
        What a row is, in the plural.

    Returns
    -------
    DataFrame
        ``attrs["suppressed"]`` is the number of rows left out.

    Warns
    -----
    CxWarning
        Rows were left out.

    Examples
    --------
    >>> frame = pd.DataFrame({"country": ["DE", "FR"], "n": [40, 3]})
    >>> shown = leave_out_small(frame, frame["n"], min_cell=1)
    >>> len(shown), shown.attrs["suppressed"]
    (2, 0)
    """
    small = small_groups(sizes, min_cell)
    shown = frame[~small]
    shown.attrs = {**frame.attrs, "suppressed": int(small.sum())}
    if small.any():
        verb = "is" if small.sum() == 1 else "are"
        text = (
            f"{int(small.sum()):,} of {len(frame):,} {noun} {verb} not shown: fewer than "
            f"{min_cell} answers or customers could tell who they are. min_cell=1 shows them."
        )
        warnings.warn(CxWarning(text), stacklevel=3)
    return shown
