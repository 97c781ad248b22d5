"""Whose variance is it? Shares between units, between kinds, and within both (crossed effects)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, groups, numbers

__all__ = ["VarianceShares", "variance_shares"]

FEWEST_UNITS = 10


@dataclass(frozen=True)
class VarianceShares:
    """Shares of the variance of one answer.

    Attributes
    ----------
    table : DataFrame
        Rows between units, between kinds, within: estimate, low, high (shares of the total).
    variance : float
        Total, in squared units of the values.
    n, units, kinds : int
    repeated : int
        Units with two values or more: all that is known of the variance within units.
    level : float
    """

    table: pd.DataFrame
    variance: float
    n: int
    units: int
    kinds: int
    repeated: int
    level: float

    def to_frame(self) -> pd.DataFrame:
        """The table of shares."""
        return self.table.copy()

    def plot(self, ax=None):
        """Shares as points with intervals; returns the Axes."""
        from cxlib.figures.prediction import plot_contest

        table = self.table.reset_index(names="predictor")
        return plot_contest(table, label="share of the variance", ax=ax)

    def summary(self) -> str:
        """One sentence with the shares and their uncertainty."""
        told = "; ".join(
            f"{name} {100 * r.estimate:.0f} % [{100 * r.low:.0f}, {100 * r.high:.0f}]"
            for name, r in self.table.iterrows()
        )
        return (
            f"Of the variance of {self.n:,} answers by {self.units:,} units on {self.kinds} kinds, "
            f"{told} ({100 * self.level:g} % intervals)."
        )


def _moments(weight, unit_sums, cell_sums):
    """Between units, between kinds and within, for each row of weights over units.

    unit_sums: per unit n, sum y, sum y^2, SS within, sum_j n_j^2 / n. cell_sums: per unit and kind
    n, sum y, sum y^2, n^2.
    """
    size, _, _, within_ss, same_kind = (weight @ column for column in unit_sums.T)
    cell_n, cell_y, cell_yy, cell_nn = (weight @ part for part in cell_sums)
    kinds = (cell_n > 0).sum(axis=1)
    safe = np.where(cell_n > 0, cell_n, 1.0)
    kind_ss = (cell_yy - cell_y**2 / safe).sum(axis=1)
    same_unit = (cell_nn / safe).sum(axis=1)
    units = weight.sum(axis=1)
    total, squares = cell_y.sum(axis=1), cell_yy.sum(axis=1)
    whole_ss = size * squares - total**2
    pairs_unit = weight @ unit_sums[:, 0] ** 2
    pairs_kind = (cell_n**2).sum(axis=1)
    zero = np.zeros_like(size)
    left = np.array(
        [
            [zero, size - same_kind, size - units],
            [size - same_unit, zero, size - kinds],
            [size**2 - pairs_unit, size**2 - pairs_kind, size**2 - size],
        ]
    ).transpose(2, 0, 1)
    right = np.array([within_ss, kind_ss, whole_ss]).T
    found = np.full((len(size), 3), np.nan)
    usable = np.abs(np.linalg.det(left / np.abs(left).max(axis=(1, 2), keepdims=True))) > 1e-12
    found[usable] = np.linalg.solve(left[usable], right[usable][:, :, None])[:, :, 0]
    return found


def variance_shares(
    values, units, kinds, *, level: float = 0.95, replicates: int = 2000, seed: int = 0
) -> VarianceShares:
    """Shares of the variance between units (customers), between kinds (touchpoints), and within.

    Crossed random effects ``y = mu + a_unit + b_kind + e`` by moments: sums of squares within
    units, within kinds and over all pairs, each with its expectation in the three variances, give
    three linear equations. Estimates below 0 count as 0. Units are drawn, kinds are the ones there
    are: ``var b`` is half the mean square of ``b_j - b_k`` over pairs of answers of two kinds.

    Parameters
    ----------
    values : array_like of shape (n,)
    units, kinds : array_like of shape (n,)
        Labels; some units have several values, there are two kinds or more.
    level : float, optional
    replicates, seed : int, optional
        Of the percentile bootstrap over units.

    Returns
    -------
    VarianceShares
        A share that is truly 0 lies on the border and is covered more often than `level`.

    Raises
    ------
    CxError
        Missing values, a single kind, fewer than ten units with several values, or no variance.

    References
    ----------
    Gao & Owen 2017, Electronic Journal of Statistics 11(1), doi:10.1214/17-EJS1236 (moments in one
    pass). Field & Welsh 2007, JRSS B 69(3), doi:10.1111/j.1467-9868.2007.00593.x (the bootstrap of
    clusters).

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> who = np.repeat(np.arange(300), 4)
    >>> y = rng.normal(size=300)[who] + rng.normal(size=1200)
    >>> found = variance_shares(y, who, np.tile([0, 1], 600), replicates=200)
    >>> row = found.table.loc["between units"]
    >>> bool(row["low"] < 0.5 < row["high"])
    True
    """
    check_level(level)
    values = numbers("values", values, least=3)
    unit, count = groups("units", units, len(values))
    kind, width = groups("kinds", kinds, len(values))
    repeated = int((np.bincount(unit) > 1).sum())
    if width < 2 or repeated < FEWEST_UNITS or np.ptp(values) == 0:
        raise CxError(
            f"Shares of variance need two kinds, {FEWEST_UNITS} units with several values, and "
            f"values that differ: found {width} kind(s), {repeated} such units of {count:,}, and "
            f"values from {values.min():g} to {values.max():g}."
        )
    y = values - values.mean()
    place, cells = unit * width + kind, count * width
    cell_n, cell_y, cell_yy = (
        np.bincount(place, column, cells).reshape(count, width)
        for column in (np.ones(len(y)), y, y**2)
    )
    n, sums, squares = cell_n.sum(axis=1), cell_y.sum(axis=1), cell_yy.sum(axis=1)
    per_unit = np.column_stack(
        [n, sums, squares, squares - sums**2 / n, (cell_n**2).sum(axis=1) / n]
    )
    per_cell = (cell_n, cell_y, cell_yy, cell_n**2)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), replicates).astype(float)
    found = _moments(np.ones((1, count)), per_unit, per_cell)
    if np.isnan(found).any():
        raise CxError(
            "Units and kinds cannot be told apart: the values of each kind are one unit's."
        )
    again = _moments(drawn, per_unit, per_cell)
    found, again = (np.maximum(part, 0.0) for part in (found, again))
    shares = found[0] / found[0].sum()
    totals = again.sum(axis=1, keepdims=True)
    spread = np.divide(again, totals, out=np.full_like(again, np.nan), where=totals > 0)
    low, high = np.nanquantile(spread, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    table = pd.DataFrame(
        {"estimate": shares, "low": low, "high": high},
        ["between units", "between kinds", "within"],
    )
    return VarianceShares(table, float(found.sum()), len(y), count, width, repeated, float(level))
