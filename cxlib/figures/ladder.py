"""Recovery drawn: the ladder of levels, effects beside what is too small to matter, balance."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patheffects import withStroke

from cxlib.errors import CxError
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_break_even", "plot_effects", "plot_love", "plot_recovery_ladder"]

BALANCED = 0.1


def _need(frame: pd.DataFrame, what: str, *columns: str) -> None:
    absent = [c for c in columns if not isinstance(frame, pd.DataFrame) or c not in frame]
    if absent:
        raise CxError(f"{what} needs the columns {', '.join(absent)}.")


def plot_recovery_ladder(frame: pd.DataFrame, *, before: pd.DataFrame | None = None, ylabel="mean",
                         title: str = "", ax=None):  # fmt: skip
    """Mean outcome without failure and after failures with each level of recovery.

    Parameters
    ----------
    frame : DataFrame or a ladder
        One row a rung: level, estimate, low, high; optionally n, and truth (drawn as a cross).
        The first row is the control; its interval is the band.
    before : DataFrame or a ladder, optional
        The ladder before the last correction, drawn in grey.
    ylabel, title : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> rungs = pd.DataFrame({"level": ["no failure", "poor"], "estimate": [5.2, 4.8],
    ...                       "low": [5.1, 4.5], "high": [5.3, 5.1]})
    >>> [t.get_text() for t in plot_recovery_ladder(rungs).get_xticklabels()]
    ['no failure', 'poor']
    """
    frame, before = (getattr(given, "rungs", given) for given in (frame, before))
    for rungs in (frame, before):
        if rungs is not None:
            _need(rungs, "A ladder", "level", "estimate", "low", "high")
    ax = plt.subplots()[1] if ax is None else ax
    x = np.arange(len(frame))
    control = frame.iloc[0]
    ax.axhspan(control["low"], control["high"], color=COLOURS[0], alpha=0.15, linewidth=0)
    ax.axhline(control["estimate"], color=COLOURS[0], linewidth=1)
    if before is not None:
        place = before["level"].map({name: k for k, name in enumerate(frame["level"])})
        ax.plot(place - 0.15, before["estimate"], "o", color=MUTED, alpha=0.6, zorder=2)
        ax.vlines(place - 0.15, before["low"], before["high"], color=MUTED, alpha=0.6, zorder=2)
        ax.plot([], [], "o-", color=MUTED, alpha=0.6, label="before this correction")
    colours = [COLOURS[0]] + [COLOURS[1]] * (len(frame) - 1)
    ax.vlines(x, frame["low"], frame["high"], colors=colours, linewidth=2.2, zorder=3)
    ax.scatter(x, frame["estimate"], c=colours, s=46, zorder=4)
    if "truth" in frame:
        ax.plot(x + 0.15, frame["truth"], "X", color=INK, markersize=8, label="truth", zorder=5)
    names = frame["level"].astype(str)
    if "n" in frame:
        names = [f"{name}\nn = {int(n):,}" for name, n in zip(names, frame["n"], strict=True)]
    ax.set_xticks(x, list(names))
    ax.set_xlim(-0.5, len(frame) - 0.5)
    ax.set_ylabel(ylabel)
    ax.set_title(title)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="best")
    return ax


def plot_effects(frame: pd.DataFrame, *, xlabel: str | None = None, ax=None):
    """Effects with intervals, one row each, beside the range that is too small to matter.

    Parameters
    ----------
    frame : DataFrame
        label, estimate, low, high; optionally unit, smallest_effect (one value: shaded; several:
        a grey bar a row), verdict (written beside), truth (a cross).
    xlabel : str, optional
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> rows = pd.DataFrame({"label": ["a"], "estimate": [0.2], "low": [0.1], "high": [0.3]})
    >>> plot_effects(rows, xlabel="effect").get_xlabel()
    'effect'
    """
    _need(frame, "A plot of effects", "label", "estimate", "low", "high")
    if ax is None:
        _, ax = plt.subplots(figsize=(7.2, max(1.6, 0.46 * len(frame) + 1.2)))
    y = np.arange(len(frame))[::-1]
    if "smallest_effect" in frame:
        small = frame["smallest_effect"].to_numpy(float)
        if np.allclose(small, small[0]):
            ax.axvspan(-small[0], small[0], color=MUTED, alpha=0.15, linewidth=0)
        else:
            ax.hlines(y, -small, small, color=MUTED, alpha=0.25, linewidth=9)
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.hlines(y, frame["low"], frame["high"], color=COLOURS[0], linewidth=2.2)
    ax.plot(frame["estimate"], y, "o", color=COLOURS[0])
    if "truth" in frame:
        ax.plot(frame["truth"], y - 0.22, "X", color=INK, markersize=7, label="truth")
        ax.legend(loc="best")
    if "verdict" in frame:
        for row, place in zip(frame.itertuples(), y, strict=True):
            ax.annotate(
                row.verdict,
                (1.01, place),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=9,
            )
    ax.set_yticks(y, list(frame["label"]))
    ax.set_ylim(-0.7, len(frame) - 0.3)
    unit = frame["unit"].iloc[0] if "unit" in frame else ""
    ax.set_xlabel(xlabel or f"effect against no failure{f' [{unit}]' if unit else ''}")
    return ax


def plot_love(balance: pd.DataFrame, *, ax=None):
    """Standardised differences of the covariates before and after weighting (a love plot).

    Parameters
    ----------
    balance : DataFrame or a result with one
        before and after, one row a covariate, its name in the index.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> table = pd.DataFrame({"before": [0.4], "after": [0.02]}, index=["tenure"])
    >>> [t.get_text() for t in plot_love(table).get_yticklabels()]
    ['tenure']
    """
    balance = getattr(balance, "balance", balance)
    _need(balance, "A love plot", "before", "after")
    table = balance.reindex(balance["before"].abs().sort_values().index)
    if ax is None:
        _, ax = plt.subplots(figsize=(7.2, max(2.0, 0.27 * len(table) + 1.2)))
    rows = np.arange(len(table))
    ax.axvspan(-BALANCED, BALANCED, color=MUTED, alpha=0.15, linewidth=0)
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.hlines(rows, table["before"], table["after"], color=MUTED, linewidth=0.8)
    ax.plot(table["before"], rows, "o", color=COLOURS[1], label="before weighting")
    ax.plot(table["after"], rows, "D", color=COLOURS[0], markersize=5, label="after")
    ax.set_yticks(rows, list(table.index))
    ax.set_xlabel("exposed less control [SD]; shaded: within 0.1")
    ax.legend(loc="lower right")
    return ax


def plot_break_even(chance: np.ndarray, x: np.ndarray, y: np.ndarray, *, xlabel: str, ylabel: str,
                    point: tuple[float, float] | None = None, ax=None):  # fmt: skip
    """Where one use of money beats another, and where that is not sure.

    Parameters
    ----------
    chance : ndarray, shape (y, x)
        Probability that the first use is the better one.
    x, y : ndarray
        Costs, both above 0.
    xlabel, ylabel : str
    point : tuple of float, optional
        Today's costs.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> axes = plot_break_even(np.array([[0.9, 0.1], [1.0, 0.5]]), np.array([1.0, 9.0]),
    ...                        np.array([1.0, 9.0]), xlabel="a", ylabel="b")
    >>> axes.get_xlabel()
    'a'
    """
    ax = plt.subplots()[1] if ax is None else ax
    seen_everywhere = [withStroke(linewidth=3, foreground=INK)]
    filled = ax.contourf(x, y, chance, levels=np.linspace(0, 1, 11), cmap="cividis")
    ax.figure.colorbar(filled, ax=ax, label="chance that prevention buys more")
    if chance.min() < 0.5 < chance.max():
        ax.contour(
            x, y, chance, levels=[0.05, 0.5, 0.95], colors="white", linestyles=["--", "-", "--"]
        ).set_path_effects(seen_everywhere)
    if point is not None:
        ax.plot(*point, "X", color=COLOURS[3], markersize=11, markeredgecolor="white")
        ax.annotate("your costs", point, xytext=(8, 8), textcoords="offset points", color="white",
                    path_effects=seen_everywhere)  # fmt: skip
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    return ax
