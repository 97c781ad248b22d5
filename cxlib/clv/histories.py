"""What the models read of a summary: histories checked, and collapsed to distinct rows."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem

__all__ = [
    "Collapsed",
    "coded",
    "collapse",
    "columns_of",
    "distinct_rows",
    "read_histories",
    "require_columns",
]

RUN = 8192
LONGEST_TABLE = 16_384
SHRINK = 20
WORTH_SAMPLING = 20_000


@dataclass(frozen=True)
class Collapsed:
    """Distinct histories with counts, sorted, over tables of the distinct x, t_x and T.

    Attributes
    ----------
    x, t_x, T : ndarray
        Values, ascending, each table of its own length; some may occur in no history.
    x_at, t_x_at, T_at : ndarray of int
        Where the value of each distinct history stands in them.
    n : ndarray
        How many customers share it.
    """

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    x_at: np.ndarray
    t_x_at: np.ndarray
    T_at: np.ndarray
    n: np.ndarray

    @cached_property
    def n_by_x(self) -> np.ndarray:
        return np.bincount(self.x_at, self.n, len(self.x))

    @cached_property
    def above(self) -> np.ndarray:
        """How many customers have more than 0, 1, 2, ... repeat purchases, while there are any."""
        x = self.x.astype(int)
        n = np.bincount(x, self.n_by_x, x[-1] + 1)
        return n[::-1].cumsum()[::-1][1:]

    @cached_property
    def n_by_T(self) -> np.ndarray:
        return np.bincount(self.T_at, self.n, len(self.T))

    @cached_property
    def purchases_by_T(self) -> np.ndarray:
        return np.bincount(self.T_at, self.n * self.x[self.x_at], len(self.T))

    @cached_property
    def one_time(self) -> int:
        """How many of the distinct histories, the first ones, are of one-time buyers."""
        return int(np.searchsorted(self.x_at, np.searchsorted(self.x, 0.0, "right")))

    @cached_property
    def customers(self) -> int:
        return int(self.n.sum())

    @cached_property
    def purchases(self) -> float:
        return float(self.n_by_x @ self.x)

    @cached_property
    def mean_T(self) -> float:
        return float(self.n_by_T @ self.T) / self.customers

    def parts(self, first: int = 0):
        """x_at, t_x_at, T_at, n of the histories from ``first`` on, in runs that fit the cache."""
        columns = (self.x_at, self.t_x_at, self.T_at, self.n)
        for start in range(first, len(self.n), RUN):
            yield [column[start : start + RUN] for column in columns]

    def sample(self) -> Collapsed | None:
        """Every ``SHRINK``-th customer in the order of histories; None where they are too few."""
        if self.customers < WORTH_SAMPLING:
            return None
        n = np.diff(np.cumsum(self.n) // SHRINK, prepend=0.0)
        kept = n > 0
        columns = (column[kept] for column in (self.x_at, self.t_x_at, self.T_at, n))
        return Collapsed(self.x, self.t_x, self.T, *columns)


def collapse(x, t_x, T, n=None) -> Collapsed:
    """Merge equal histories; the result does not depend on the order of rows.

    Examples
    --------
    >>> rows = collapse([2, 0, 2], [3.0, 0.0, 3.0], [4.0, 4.0, 4.0])
    >>> rows.n, rows.customers, rows.purchases
    (array([1., 2.]), 3, 4.0)
    """
    (x_at, xs), (t_x_at, t_xs), (T_at, Ts) = (
        coded(np.asarray(values, float)) for values in (x, t_x, T)
    )
    bits_t, bits_T = (int(len(table) - 1).bit_length() for table in (t_xs, Ts))
    key = ((x_at << bits_t) | t_x_at) << bits_T
    key |= T_at
    cells = len(xs) << bits_t + bits_T
    if cells <= 4 * len(key) + RUN:
        counts = np.bincount(key, n, cells)
        keys = np.flatnonzero(counts)
        counts = counts[keys].astype(float)
    elif n is None or (n == 1).all():
        key.sort()
        starts = np.append(0, np.flatnonzero(key[1:] != key[:-1]) + 1)
        keys, counts = key[starts], np.empty(len(starts))
        counts[:-1] = starts[1:] - starts[:-1]
        counts[-1] = len(key) - starts[-1]
    else:
        row, keys = pd.factorize(key, sort=True)
        counts = np.bincount(row, n, len(keys))
        keys, counts = keys[counts > 0], counts[counts > 0]
    return Collapsed(
        xs,
        t_xs,
        Ts,
        keys >> bits_t + bits_T,
        (keys >> bits_T) & ((1 << bits_t) - 1),
        keys & ((1 << bits_T) - 1),
        counts,
    )


def coded(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes and the ascending table they point into; whole numbers and sevenths need no sorting.

    Examples
    --------
    >>> coded(np.array([3.5, 1.25, 3.5]))
    (array([1, 0, 1]), array([1.25, 3.5 ]))
    """
    largest = float(values.max())
    for steps in (1, 7):
        if largest * steps > LONGEST_TABLE:
            break
        if round(largest * steps) / steps != largest:
            continue
        codes = np.rint(values * steps).astype(np.intp)
        table = np.arange(codes.max() + 1) / steps
        if (table[codes] == values).all():
            return codes, table
    return pd.factorize(values, sort=True)


def distinct_rows(*columns: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Distinct rows of some columns of values >= 0, and where each given row stands in them.

    Examples
    --------
    >>> distinct_rows(np.array([2.0, 0.0, 2.0]), np.array([4.0, 4.0, 4.0]))
    ([array([0., 2.]), array([4., 4.])], array([1, 0, 1]))
    """
    key, tables = np.zeros(len(columns[0]), np.intp), []
    for column in columns:
        codes, table = coded(column)
        key = key * len(table) + codes
        tables.append(table)
    cells = int(np.prod([float(len(table)) for table in tables]))
    if cells <= 4 * len(key) + RUN:
        keys = np.flatnonzero(np.bincount(key, minlength=cells))
        place = np.empty(cells, np.intp)
        place[keys] = np.arange(len(keys))
        row = place[key]
    else:
        row, keys = pd.factorize(key, sort=True)
    values = []
    for table in reversed(tables):
        keys, codes = np.divmod(keys, len(table))
        values.insert(0, table[codes])
    return values, row


def read_histories(summary: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Arrays x, t_x, T, n of a summary; all its problems at once.

    Raises
    ------
    CxError
        Missing columns or values, counts that are not whole, recency beyond T, and the like.
    """
    require_columns(summary, ("frequency", "recency", "T"))
    if summary.empty:
        raise CxError("The summary has no rows: there is no customer to learn from.")
    counts = ("n",) if "n" in summary else ()
    x, t_x, T, *n = columns_of(summary, ("frequency", "recency", "T", *counts))
    n = n[0] if n else np.ones(len(summary))
    sound = (x > 0) == (t_x > 0)
    sound &= t_x <= T
    sound &= np.rint(x) == x
    smallest, largest = min(x.min(), t_x.min()), max(x.max(), T.max())
    if sound.all() and smallest >= 0 and largest < np.inf and not counts:
        return x, t_x, T, n
    slack = 1e-9 * np.maximum(T, 1)
    rules = (
        (
            "frequency, recency, T and n must be finite numbers",
            ~np.isfinite(np.stack([x, t_x, T, n])).all(axis=0),
            "",
        ),
        (
            "frequency must be a whole number >= 0",
            (x < 0) | (x % 1 != 0),
            "It counts repeat purchases: the first does not count.",
        ),
        ("recency must be >= 0", t_x < 0, ""),
        (
            "recency must not exceed T",
            t_x > T + slack,
            "Recency is the time from the first to the last purchase, not the time since the last: "
            "was it taken from an RFM table, or the columns swapped?",
        ),
        (
            "recency must be 0 where frequency is 0",
            (x == 0) & (t_x > 0),
            "Was the first purchase counted elsewhere?",
        ),
        (
            "recency must be > 0 where frequency is > 0",
            (x > 0) & (t_x == 0),
            "Purchases of one day or week must be merged into one.",
        ),
        ("n must be a whole number >= 0", (n < 0) | (n % 1 != 0), ""),
    )
    problems = []
    for rule, broken, cause in rules:
        if count := int(np.count_nonzero(broken)):
            first = summary.index[int(np.argmax(broken))]
            problems.append(
                Problem(
                    f"{rule}: {count:,} of {len(summary):,} rows are not",
                    where=f"first customer {first!r}",
                    cause=cause,
                    count=count,
                )
            )
    if problems:
        raise CxError("The summary cannot be used.", problems)
    return x, t_x, T, n


def require_columns(frame: pd.DataFrame, names) -> None:
    """Raise a CxError for columns that are not there, near names suggested."""
    missing = [name for name in names if name not in frame]
    if not missing:
        return
    problems = []
    for name in missing:
        near = difflib.get_close_matches(name, map(str, frame.columns), 1, 0.5)
        problems.append(
            Problem(
                f"column {name} is missing",
                where=f"there are {', '.join(map(str, frame.columns)) or 'none'}",
                cause=f"Did you mean {near[0]}?" if near else "",
            )
        )
    raise CxError("The summary lacks columns; cxlib.clv.summarize makes them.", problems)


def columns_of(frame: pd.DataFrame, names) -> list[np.ndarray]:
    """Columns as float arrays; a column that holds no numbers is a CxError.

    Examples
    --------
    >>> columns_of(pd.DataFrame({"T": [1, None]}), ("T",))
    [array([ 1., nan])]
    """
    arrays, problems = [], []
    for name in names:
        column = frame[name]
        try:
            if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fiu":
                arrays.append(column.to_numpy().astype(float, copy=False))
            else:
                arrays.append(column.to_numpy(dtype=float, na_value=np.nan))
        except (ValueError, TypeError):
            problems.append(
                Problem(
                    f"column {name} must hold numbers, not {frame[name].dtype}",
                    where=f"first value {frame[name].iloc[0]!r}",
                )
            )
    if problems:
        raise CxError("The summary cannot be used.", problems)
    return arrays
