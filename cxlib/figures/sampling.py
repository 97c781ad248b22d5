"""What another sample would have said: spread of estimates, and intervals that catch or miss."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from cxlib.errors import CxError
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_catches", "plot_spread"]


def plot_spread(
    draws: Mapping[str, np.ndarray],
    *,
    truth: float | None = None,
    level: float = 0.95,
    unit: str = "points",
    ax=None,
):
    """Histograms of estimates, one below the other on the same scale.

    Parameters
    ----------
    draws : mapping of text to array
        Estimates of many samples or resamples.
    truth : float, optional
        A vertical line.
    level : float, optional
        Share of the estimates that the bar under each histogram spans, the middle ones.
    unit : str
    ax : Axes, optional
        The histograms are drawn as ridges in one Axes.

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        No draws, or a level outside (0, 1).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> ax = plot_spread({"surveys": rng.normal(30, 4, 500)}, truth=30)
    >>> ax.get_xlabel()
    'points'
    """
    if not draws or any(np.size(values) == 0 for values in draws.values()):
        raise CxError("A spread needs at least one draw of each kind.")
    if not 0 < level < 1:
        raise CxError(f"level must lie strictly between 0 and 1: found {level!r}.")
    ax = plt.gca() if ax is None else ax
    every = np.concatenate([np.asarray(values, dtype=float) for values in draws.values()])
    edges = np.linspace(every.min(), every.max() + 1e-9, 41)
    for row, (name, values) in enumerate(draws.items()):
        share = np.histogram(values, edges)[0] / len(values)
        base = -1.25 * row
        ax.bar(
            edges[:-1],
            share / share.max(),
            np.diff(edges),
            bottom=base,
            align="edge",
            color=COLOURS[row % len(COLOURS)],
            alpha=0.75,
        )
        low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
        ax.plot([low, high], [base - 0.07] * 2, color=INK, linewidth=3, solid_capstyle="butt")
        ax.text(
            edges[0],
            base + 0.95,
            f"{name}\nmiddle {100 * level:g} %: {low:.1f} to {high:.1f}",
            va="top",
        )
    if truth is not None:
        ax.axvline(truth, color=INK, linestyle="--", linewidth=1.4)
        ax.annotate(
            f"truth {truth:.1f}",
            (truth, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, -2),
            textcoords="offset points",
            va="top",
            color=INK,
        )
    ax.set_yticks([])
    ax.grid(axis="y", visible=False)
    ax.set(xlabel=unit, ylabel="how often")
    return ax


def plot_catches(low, high, truth: float, *, unit: str = "points", ax=None):
    """Many intervals, one a sample: those that miss the truth stand out.

    Parameters
    ----------
    low, high : array_like of the same length
    truth : float
    unit : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        Lengths differ.

    Examples
    --------
    >>> plot_catches([1, 2, 5], [4, 6, 9], truth=3).get_title(loc="left")
    '1 of 3 intervals miss the truth'
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    if low.shape != high.shape or low.ndim != 1:
        raise CxError(f"low and high must have the same length: {low.shape} and {high.shape}.")
    missed = (low > truth) | (high < truth)
    order = np.arange(len(low))
    ax = plt.gca() if ax is None else ax
    ax.vlines(
        order[~missed],
        low[~missed],
        high[~missed],
        color=MUTED,
        linewidth=1.6,
        label="holds the truth",
    )
    ax.vlines(
        order[missed], low[missed], high[missed], color=COLOURS[3], linewidth=2.6, label="misses it"
    )
    ax.plot(order[missed], ((low + high) / 2)[missed], "X", color=COLOURS[3], markersize=7)
    ax.axhline(truth, color=INK, linestyle="--", linewidth=1.2)
    ax.grid(axis="x", visible=False)
    ax.set(xlabel="survey number", ylabel=unit)
    ax.set_title(f"{missed.sum()} of {len(low)} intervals miss the truth", loc="left")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    return ax
