"""Who comes back how often, and who brings the money."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter
from statsmodels.stats.proportion import proportion_confint

from cxlib.clv.histories import columns_of, require_columns
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.figures.style import COLOURS, INK

__all__ = ["plot_repeat_purchases"]

LAST_BAR = 10


def plot_repeat_purchases(
    summary: pd.DataFrame, *, level: float = 0.95, min_cell: int = MIN_CELL, ax=None
):
    """Share of customers by repeat purchases, with the share of the repeat spend they brought.

    Whiskers on the bars: Wilson interval of each share at ``level``. The dots are shares of a
    total and carry no interval: they describe what was, and estimate nothing.

    Parameters
    ----------
    summary : DataFrame
        Columns frequency and monetary.
    level : float
    min_cell : int
        Bars of fewer customers are left out with a warning; 1 shows all.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    require_columns(summary, ("frequency", "monetary"))
    frequency, monetary = columns_of(summary, ("frequency", "monetary"))
    bar = np.minimum(frequency, LAST_BAR).astype(int)
    counts = np.bincount(bar, minlength=bar.max() + 1)
    spend = np.bincount(bar, weights=frequency * monetary, minlength=bar.max() + 1)
    low, high = proportion_confint(counts, counts.sum(), alpha=1 - level, method="wilson")
    share = counts / counts.sum()
    brought = spend / max(spend.sum(), 1e-300)
    bars = pd.DataFrame({"share": share, "low": low, "high": high, "brought": brought})
    bars = leave_out_small(bars.set_index(np.arange(len(counts))), counts, min_cell, noun="bars")
    at, share, low, high, brought = bars.index, *bars.to_numpy().T
    ax = plt.gca() if ax is None else ax
    ax.bar(at, share, color=COLOURS[0], alpha=0.85, label="share of customers")
    ax.errorbar(at, share, yerr=[share - low, high - share], fmt="none", ecolor=INK, capsize=3)
    ax.plot(
        at,
        brought,
        "D",
        color=COLOURS[1],
        markersize=7,
        markeredgecolor="white",
        label="share of the repeat spend",
    )
    ax.set_xticks(at, [str(k) if k < LAST_BAR else f"{k}+" for k in at])
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.set_ylim(0)
    ax.grid(axis="x", visible=False)
    ax.set(
        xlabel="repeat purchases", ylabel="share", title="Who comes back, and who brings the money"
    )
    ax.legend()
    return ax
