"""What the models read of a summary: histories checked, and collapsed to distinct rows."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem

__all__ = ["Collapsed", "collapse", "columns_of", "read_histories", "require_columns"]


@dataclass(frozen=True)
class Collapsed:
    """Distinct histories with counts, and tables over the distinct x, t_x and T.

    Attributes
    ----------
    x, t_x, T : ndarray
        The distinct values, each of its own length.
    x_at, t_x_at, T_at : ndarray of int
        Where the value of each distinct history of a repeat buyer stands in them.
    n : ndarray
        How many customers share it.
    n_by_x, n_by_T, purchases_by_T : ndarray
        All customers by x; all customers and their repeat purchases by T.
    """

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    x_at: np.ndarray
    t_x_at: np.ndarray
    T_at: np.ndarray
    n: np.ndarray
    n_by_x: np.ndarray
    n_by_T: np.ndarray
    purchases_by_T: np.ndarray

    @property
    def customers(self) -> int:
        return int(self.n_by_x.sum())

    @property
    def purchases(self) -> float:
        return float(self.n_by_x @ self.x)

    @property
    def mean_T(self) -> float:
        return float(self.n_by_T @ self.T) / self.customers


def collapse(x, t_x, T, n=None) -> Collapsed:
    """Merge equal histories; the result does not depend on the order of rows.

    Examples
    --------
    >>> rows = collapse([2, 0, 2], [3.0, 0.0, 3.0], [4.0, 4.0, 4.0])
    >>> rows.n, rows.customers, rows.purchases
    (array([2.]), 3, 4.0)
    """
    n = np.ones(len(x)) if n is None else np.asarray(n, float)
    (x_at, xs), (t_x_at, t_xs), (T_at, Ts) = (
        pd.factorize(np.asarray(values, float), sort=True) for values in (x, t_x, T)
    )
    n_by_x = np.bincount(x_at, n, len(xs))
    n_by_T = np.bincount(T_at, n, len(Ts))
    purchases_by_T = np.bincount(T_at, n * xs[x_at], len(Ts))
    repeat = (xs[x_at] > 0) & (n > 0)
    key = (x_at[repeat] * len(t_xs) + t_x_at[repeat]) * len(Ts) + T_at[repeat]
    row, keys = pd.factorize(key, sort=True)
    counts = np.bincount(row, n[repeat], len(keys))
    rest, T_key = np.divmod(keys, len(Ts))
    x_key, t_x_key = np.divmod(rest, len(t_xs))
    return Collapsed(xs, t_xs, Ts, x_key, t_x_key, T_key, counts, n_by_x, n_by_T, purchases_by_T)


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
    x, t_x, T = columns_of(summary, ("frequency", "recency", "T"))
    n = columns_of(summary, ("n",))[0] if "n" in summary else np.ones(len(summary))
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
        try:
            arrays.append(frame[name].to_numpy(dtype=float, na_value=np.nan))
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
