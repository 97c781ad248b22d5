"""Customers as codes and dates as days, so that histories are searched as sorted whole numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError

__all__ = ["NEVER", "STEP", "History", "code_of", "customer_index", "days_of", "flags_of"]

STEP = 1_000_000  # days a customer's keys are apart
NEVER = -400_000  # a day before every history


def days_of(column) -> np.ndarray:
    """Whole days since 1970 of dates or times; `NEVER` where missing.

    Examples
    --------
    >>> days_of(pd.Series(pd.to_datetime(["1970-01-03", None]))).tolist()
    [2, -400000]
    """
    times = pd.Series(column)
    if not pd.api.types.is_datetime64_any_dtype(times):
        try:
            times = pd.to_datetime(times)
        except (ValueError, TypeError) as error:
            raise CxError(f"{times.name}: these are no dates: {error}.") from error
    if getattr(times.dtype, "tz", None) is not None:
        times = times.dt.tz_localize(None)
    days = times.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), NEVER, days.astype(np.int64))


def flags_of(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A yes-or-no column as bool; missing or absent is no."""
    if name not in frame:
        return np.zeros(len(frame), bool)
    return frame[name].astype("boolean").fillna(False).to_numpy(bool)


def customer_index(*columns) -> pd.Index:
    """All customers of several columns, each once."""
    parts = [
        pd.Index(c.cat.categories if isinstance(c.dtype, pd.CategoricalDtype) else c.unique())
        for c in columns
    ]
    first = parts[0]
    if all(part.equals(first) for part in parts[1:]):
        return first.astype(str) if pd.api.types.is_numeric_dtype(first) else first
    return pd.Index(pd.unique(np.concatenate([p.dropna().astype(str).to_numpy() for p in parts])))


def code_of(column: pd.Series, index: pd.Index) -> np.ndarray:
    """Place of each customer in the index."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories
        codes = column.cat.codes.to_numpy()
        if categories.equals(index):
            return codes.astype(np.int64)
        return index.get_indexer(categories.astype(str))[codes]
    return index.get_indexer(column.astype(str))


@dataclass(frozen=True)
class History:
    """Dated rows of customers, sorted: what happened between two days is a difference of places.

    Attributes
    ----------
    keys : ndarray of int, shape (rows,)
        ``customer * STEP + day``, sorted.
    order : ndarray of int, shape (rows,)
        The rows' places in the table they came from.
    """

    keys: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, customer: np.ndarray, day: np.ndarray) -> History:
        keys = customer * STEP + day
        if (np.diff(keys) >= 0).all():
            return cls(keys, np.arange(keys.size))
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], order)

    def before(self, customer: np.ndarray, day: np.ndarray) -> np.ndarray:
        """How many rows of all have a smaller key: the place of the first row on or after a day."""
        return np.searchsorted(self.keys, customer * STEP + day, side="left")

    def count(self, customer, first, last) -> np.ndarray:
        """Rows of each customer on days first <= day < last."""
        return self.before(customer, last) - self.before(customer, first)

    def total(self, values: np.ndarray, customer, first, last) -> np.ndarray:
        """Sum of a column over the rows of each customer on days first <= day < last."""
        running = np.concatenate([[0.0], np.cumsum(values[self.order], dtype=float)])
        return running[self.before(customer, last)] - running[self.before(customer, first)]

    def latest(self, customer, day) -> tuple[np.ndarray, np.ndarray]:
        """Row of each customer's last entry before a day, and its day; -1 and `NEVER` if none."""
        place = self.before(customer, day) - 1
        found = place >= 0
        found[found] = self.keys[place[found]] // STEP == customer[found]
        row = np.where(found, self.order[place] if self.order.size else -1, -1)
        when = np.where(found, self.keys[place] - customer * STEP if self.keys.size else 0, NEVER)
        return row, when

    def following(self, customer, day) -> tuple[np.ndarray, np.ndarray]:
        """Row of each customer's first entry on or after a day, and its day; -1 and `NEVER`."""
        place = self.before(customer, day)
        found = place < self.keys.size
        found[found] = self.keys[place[found]] // STEP == customer[found]
        place = np.minimum(place, max(self.keys.size - 1, 0))
        row = np.where(found, self.order[place] if self.order.size else -1, -1)
        when = np.where(found, self.keys[place] - customer * STEP if self.keys.size else 0, NEVER)
        return row, when
