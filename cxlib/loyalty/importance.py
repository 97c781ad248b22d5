"""The result of a driver analysis: shares of R2, signs and ranks, each with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["DriverImportance"]


@dataclass(frozen=True)
class DriverImportance:
    """How much of the outcome's variance goes with each driver.

    Attributes
    ----------
    outcome, method : str
    table : DataFrame
        One row a driver, in the order given: ``driver``; ``share`` of the explained variance with
        ``share_low``, ``share_high``, ``share_error``; ``contribution`` to R2 (it sums to R2) with
        ``contribution_low``, ``contribution_high``, ``contribution_error``; ``coefficient`` (SD of
        the outcome per SD of the driver, the others held) with its limits and error;
        ``correlation`` with the outcome; ``sign`` (+, -, or ? where the coefficient's interval
        holds 0); ``flipped`` (coefficient and correlation point opposite ways); ``vif`` (variance
        inflation, 1 = unrelated to the other drivers); ``rank``, ``first`` (share of replicates in
        which it is the largest), ``rank_low``, ``rank_high`` (best and worst rank, simultaneous
        over all drivers); ``missing_share`` (of its variance due to missing items; 0 unless items
        were imputed).
    r2, r2_low, r2_high : float
    n, units : int
        Answers, and what was resampled: answers or clusters.
    dropped, incomplete, imputations : int
        Rows left out; rows with a missing item; how often those were filled (0: left out).
    level : float
    bootstrap : int
    monte_carlo_error : float
        Largest standard error of a share from sampling orders of drivers; 0 where all were used.
    draws : ndarray, (replicates, p)
        Contributions in each replicate.
    """

    outcome: str
    method: str
    table: pd.DataFrame = field(repr=False)
    r2: float
    r2_low: float
    r2_high: float
    n: int
    units: int
    dropped: int
    incomplete: int
    imputations: int
    level: float
    bootstrap: int
    monte_carlo_error: float
    draws: np.ndarray = field(repr=False)

    @property
    def share_draws(self) -> np.ndarray:
        """Shares of the explained variance in each replicate, (replicates, p)."""
        return self.draws / self.draws.sum(axis=1, keepdims=True)

    def to_frame(self) -> pd.DataFrame:
        """One row a driver, the largest share first."""
        return self.table.sort_values("rank", kind="stable", ignore_index=True)

    def plot(self, ax=None):
        """Shares with their intervals, the largest on top; returns the Axes."""
        from cxlib.figures.drivers import plot_importance

        return plot_importance(self.to_frame(), ax=ax)

    def plot_ranks(self, ax=None):
        """Simultaneous intervals of the ranks; returns the Axes."""
        from cxlib.figures.drivers import plot_ranks

        return plot_ranks(self.to_frame(), ax=ax)

    def summary(self) -> str:
        """The leading driver, how sure its rank is, and signs that turned."""
        shown = self.to_frame()
        top = shown.iloc[0]
        percent = f"{100 * self.level:g} %"
        able = shown.loc[shown["rank_low"] == 1, "driver"].tolist()
        others = [name for name in able if name != top["driver"]]
        who = (
            "no other driver may hold rank 1"
            if not others
            else f"rank 1 may as well belong to {' or '.join(others)}"
        )
        sure = shown["flipped"] & (shown["sign"] != "?")
        flips = shown.loc[sure, "driver"].tolist()
        turned = (
            f" The regression turns the sign of {', '.join(flips)} against the plain correlation."
            if flips
            else ""
        )
        kind = {"shapley": "Shapley (LMG)", "johnson": "Johnson"}[self.method]
        return (
            f"Of the explained variance of {self.outcome} (R2 {self.r2:.2f}, {percent} interval "
            f"{self.r2_low:.2f} to {self.r2_high:.2f}) {100 * top['share']:.0f} % "
            f"[{100 * top['share_low']:.0f}, {100 * top['share_high']:.0f}] goes with "
            f"{top['driver']}, first in {100 * top['first']:.0f} % of the replicates; at {percent} "
            f"for all ranks together {who} ({kind}, n = {self.n:,}).{turned}"
        )
