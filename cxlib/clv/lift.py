"""Does the ranking work? What customers brought who were ranked highest beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.interval import percent
from cxlib.errors import CxError
from cxlib.stats.interval import Interval
from cxlib.stats.ratios import ratio

__all__ = ["Lift", "decile_lift"]


@dataclass(frozen=True, eq=False)
class Lift:
    """Actual means of equal groups, highest prediction first.

    Attributes
    ----------
    table : DataFrame
        Index group, 1 = predicted highest: customers, predicted, actual (means), lift = actual
        mean / mean of all, low, high.
    level : float
    """

    table: pd.DataFrame = field(repr=False)
    level: float

    @property
    def top(self) -> Interval:
        """Lift of the first group."""
        row, n = self.table.iloc[0], round(self.table["customers"].sum())
        ends = (float(row[name]) for name in ("lift", "low", "high"))
        return Interval(*ends, self.level, n, "fieller", "lift of the first group", "ratio")

    def to_frame(self) -> pd.DataFrame:
        """One row a group, as in ``table``."""
        return self.table.copy()

    def summary(self) -> str:
        """Lift of the first group with its interval, and whether the order holds throughout."""
        top, rows = self.top, self.table["lift"].to_numpy()
        rises = int((np.diff(rows) > 0).sum())
        order = (
            "each group brought less than the one before"
            if rises == 0
            else (f"{rises} of {len(rows) - 1} steps down the ranking went up instead")
        )
        return (
            f"The {percent(1 / len(rows))} ranked highest brought {top.estimate:.2f} times the "
            f"mean of all [{top.low:.2f}, {top.high:.2f}] ({percent(self.level)} interval); "
            f"{order}."
        )

    def plot(self, ax=None):
        """Lift by group; see ``plot_lift``."""
        from cxlib.clv.plot_validation import plot_lift

        return plot_lift(self, ax=ax)


def decile_lift(predicted, actual, *, groups: int = 10, level: float = 0.95) -> Lift:
    """Cut customers into equal groups by prediction and look at what each brought.

    Customers with equal predictions share their places: each belongs to the groups that their
    places reach into, in proportion, so that no order of rows decides anything.

    Parameters
    ----------
    predicted, actual : array_like of shape (customers,)
        Actual: purchases or spend, >= 0.
    groups : int
        10 makes deciles.
    level : float
        Of Fieller's interval of the ratio of means, customers being the unit.

    Returns
    -------
    Lift

    Raises
    ------
    CxError
        Lengths differ, values are missing, nothing came, or fewer customers than groups.

    Examples
    --------
    >>> decile_lift([3, 2, 1, 0] * 20, [4, 2, 2, 0] * 20, groups=4).table["lift"].tolist()
    [2.0, 1.0, 1.0, 0.0]
    """
    predicted, actual = np.asarray(predicted, float), np.asarray(actual, float)
    if predicted.ndim != 1 or predicted.shape != actual.shape:
        raise CxError(
            f"One actual value a prediction: found shapes {predicted.shape} and {actual.shape}."
        )
    if not (np.isfinite(predicted).all() and np.isfinite(actual).all()):
        raise CxError("Predictions and actual values must be finite numbers: some are missing.")
    if (actual < 0).any() or actual.sum() == 0:
        raise CxError("Actual values must be >= 0 with at least one above 0: there is no lift.")
    if not 2 <= groups <= len(actual):
        raise CxError(f"groups must lie between 2 and {len(actual):,} customers, not {groups!r}")
    _, block, size = np.unique(-predicted, return_inverse=True, return_counts=True)
    begins = np.concatenate([[0], np.cumsum(size)])[block]
    ends = begins + size[block]
    rows = []
    for group in range(groups):
        low, high = len(actual) * group / groups, len(actual) * (group + 1) / groups
        inside = np.maximum(np.minimum(ends, high) - np.maximum(begins, low), 0) / size[block]
        found = ratio(inside * actual * groups, actual, level=level)
        count = len(actual) / groups
        rows.append(
            (
                count,
                inside @ predicted / count,
                inside @ actual / count,
                found.estimate,
                max(0.0, found.low),
                found.high,
            )
        )
    names = ["customers", "predicted", "actual", "lift", "low", "high"]
    index = pd.RangeIndex(1, groups + 1, name="group")
    return Lift(pd.DataFrame(rows, columns=names, index=index), level)
