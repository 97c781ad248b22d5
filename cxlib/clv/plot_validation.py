"""Figures of cohorts and of what the validation of a model found."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cxlib.clv.interval import percent
from cxlib.figures.style import COLOURS

__all__ = ["plot_cohorts"]

PREDICTED, ACTUAL = COLOURS[0], COLOURS[1]


def plot_cohorts(cohorts, *, ax=None):
    """Share of each cohort that buys, by age; oldest cohort dark, newest light, with intervals.

    Parameters
    ----------
    cohorts : Cohorts
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    table = cohorts.table[cohorts.table["age"] > 0]
    names = sorted(table["cohort"].unique())
    shades = plt.get_cmap("cividis")(np.linspace(0.05, 0.85, max(len(names), 1)))
    for name, shade in zip(names, shades, strict=True):
        mine = table[table["cohort"] == name]
        ax.fill_between(
            mine["age"], mine["low"], mine["high"], color=shade, alpha=0.15, linewidth=0
        )
        label = f"{name:%Y-%m}" if name in (names[0], names[-1]) else None
        ax.plot(mine["age"], mine["share"], "o-", color=shade, markersize=3.5, label=label)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylim(bottom=0)
    ax.set(
        xlabel=f"age ({cohorts.by}s after the {cohorts.by} of the first purchase)",
        ylabel=f"share who buy in the {cohorts.by}",
        title=f"Each cohort by age, {percent(cohorts.level)} intervals",
    )
    ax.legend(title="cohort (oldest, newest)")
    return ax
