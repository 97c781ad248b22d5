"""Shares of answers as one bar, from the worst to the best."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import PercentFormatter

from cxlib.figures.style import COLOURS, MUTED

__all__ = ["plot_net_bar"]

SHADES = (COLOURS[3], "#d5dade", COLOURS[0])


def plot_net_bar(sizes: Sequence[float], labels: Sequence[str], *, title: str = "", ax=None):
    """Three groups of answers, worst to best, as shares of one bar with direct labels.

    Parameters
    ----------
    sizes : three numbers of 0 or more
        Counts or sums of weights.
    labels : three texts
    title : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> [round(float(p.get_width()), 2) for p in plot_net_bar([2, 3, 5], list("abc")).patches]
    [0.2, 0.3, 0.5]
    """
    ax = plt.gca() if ax is None else ax
    shares = np.asarray(sizes, dtype=float) / np.sum(sizes)
    starts = np.concatenate([[0.0], shares.cumsum()[:-1]])
    ax.barh([0] * 3, shares, left=starts, color=SHADES, height=0.5)
    for place, start, share, label in zip((0, 0.5, 1), starts, shares, labels, strict=True):
        ax.text(
            place,
            0.42,
            f"{label}: {100 * share:.0f} %",
            ha=["left", "center", "right"][int(2 * place)],
        )
        ax.axvline(start, ymin=0.22, ymax=0.6, color="white", linewidth=1)
    ax.set(xlim=(0, 1), ylim=(-0.5, 0.7), yticks=[], xlabel="share of answers")
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.spines["left"].set_visible(False)
    ax.spines["bottom"].set_color(MUTED)
    ax.grid(visible=False)
    ax.set_title(title, fontsize=11)
    return ax
