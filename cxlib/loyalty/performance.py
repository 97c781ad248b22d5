"""Importance against performance: where a share is large and the rating low, both with luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from cxlib.errors import CxError
from cxlib.loyalty.driver_input import read_ratings
from cxlib.loyalty.drivers import METHODS, MOST_EXACT, expanded_quantiles
from cxlib.loyalty.moments import moments
from cxlib.loyalty.shares import johnson, lmg
from cxlib.stats.checks import check_choice, check_level

__all__ = ["QUADRANTS", "ImportancePerformance", "importance_performance"]

# by (important, rated well)
QUADRANTS = {
    (True, False): "improve",
    (True, True): "keep up",
    (False, True): "spare",
    (False, False): "leave",
}


@dataclass(frozen=True)
class ImportancePerformance:
    """Each driver's share and mean rating, with the quadrant they fall into.

    Attributes
    ----------
    outcome : str
    table : DataFrame
        driver; importance (share of explained variance), importance_low, importance_high;
        performance (mean rating), performance_low, performance_high; quadrant; quadrant_share
        (replicates that agree on it).
    importance_line, performance_line : float
        Where the quadrants meet: the mean share 1 / p, and the mean of the mean ratings.
    n : int
    level : float
    """

    outcome: str
    table: pd.DataFrame = field(repr=False)
    importance_line: float
    performance_line: float
    n: int
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a driver."""
        return self.table.copy()

    def plot(self, ax=None):
        """The map, with intervals on both axes; returns the Axes."""
        from cxlib.figures.drivers import plot_performance

        return plot_performance(self.table, self.importance_line, self.performance_line, ax=ax)

    def summary(self) -> str:
        """Which drivers fall into "improve", and how many replicates agree."""
        chosen = self.table[self.table["quadrant"] == "improve"]
        if chosen.empty:
            return (
                "No driver is both more important than the mean and rated below it "
                f"(n = {self.n:,})."
            )
        told = " and ".join(
            f"{row.driver} ({100 * row.quadrant_share:.0f} % of the replicates agree)"
            for row in chosen.itertuples()
        )
        return f"More important than the mean driver and rated below it: {told}; n = {self.n:,}."


def importance_performance(
    frame: pd.DataFrame,
    outcome: str,
    drivers: Sequence[str],
    method: str = "shapley",
    weights=None,
    cluster=None,
    bootstrap: int = 2000,
    *,
    mapping=None,
    level: float = 0.95,
    seed: int = 0,
) -> ImportancePerformance:
    """Importance-performance map: share of each driver against its mean rating.

    The lines that part the quadrants are means over the drivers, drawn anew in each replicate, so
    that ``quadrant_share`` counts their luck too. Importance is a share of variance, not the
    effect of a better rating (see `driver_importance`), so "improve" is a place to ask, not a
    promise.

    Parameters
    ----------
    frame, outcome, drivers, method, weights, cluster, bootstrap, mapping, level, seed
        As in `driver_importance`; drivers rated on one scale; at most 15.

    Returns
    -------
    ImportancePerformance

    Raises
    ------
    CxError
        As `driver_importance`.

    References
    ----------
    Martilla & James 1977, Journal of Marketing 41(1), doi:10.2307/1250495.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal([4, 5], 1, (300, 2)), columns=["quality", "service"])
    >>> frame["csat"] = frame["quality"] + 0.3 * frame["service"] + rng.normal(size=300)
    >>> importance_performance(frame, "csat", ["quality", "service"]).table["quadrant"].tolist()
    ['improve', 'spare']
    """
    check_level(level)
    check_choice("method", method, METHODS)
    if len(drivers) > MOST_EXACT:
        raise CxError(f"{len(drivers)} drivers on one map: at most {MOST_EXACT}.")
    rows = read_ratings(frame, outcome, drivers, weights=weights, cluster=cluster, mapping=mapping)
    found = moments(
        rows.values, rows.weights, cluster=rows.cluster, replicates=bootstrap, seed=seed
    )
    given = (johnson if method == "johnson" else lmg)(found.covariance)
    shares, means = given / given.sum(axis=1, keepdims=True), found.mean[:, :-1]
    line = means.mean(axis=1, keepdims=True)
    important, well = shares > 1 / shares.shape[1], means > line
    agree = (important[1:] == important[0]) & (well[1:] == well[0])
    table = pd.DataFrame({"driver": rows.names[:-1]})
    for name, values, columns in (
        ("importance", shares, len(rows.names)),
        ("performance", means, 1),
    ):
        low, high = expanded_quantiles(values[1:], level, rows.units, columns)
        table[name], table[f"{name}_low"], table[f"{name}_high"] = values[0], low, high
    table["quadrant"] = [
        QUADRANTS[bool(i), bool(w)] for i, w in zip(important[0], well[0], strict=True)
    ]
    table["quadrant_share"] = agree.mean(axis=0)
    return ImportancePerformance(
        rows.names[-1], table, 1 / shares.shape[1], float(line[0, 0]), len(rows.values), level
    )
