"""Recovery drawn: the ladder of levels, effects beside what is too small to matter, balance."""

from __future__ import annotations

from numbers import Real
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cxlib.errors import CxError, Problem
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_break_even", "plot_effects", "plot_love", "plot_recovery_ladder"]

BALANCED = 0.1
ABOVE = {"loc": "lower right", "bbox_to_anchor": (1, 1), "ncols": 2}  # a legend that hides nothing
WIDE = 5.6  # inches: narrower than the house style, so that labels stay readable on a phone

PALE_IN_DOUBT = ListedColormap(plt.get_cmap("PuOr")(np.linspace(0.12, 0.86, 256)))


def _axes(ax, high: float):
    return plt.subplots(figsize=(WIDE, high))[1] if ax is None else ax


def _in_two_lines(labels) -> list[str]:
    """Long labels broken once, near the middle."""
    return [fill(str(n), max(16, len(str(n)) // 2 + 4), break_long_words=False) for n in labels]


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
    ax = _axes(ax, 4.0)
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
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)
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
    ax = _axes(ax, max(1.6, 0.46 * len(frame) + 1.2))
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
        ax.legend(**ABOVE)
    if "verdict" in frame:
        for row, place in zip(frame.itertuples(), y, strict=True):
            ax.annotate(
                row.verdict,
                (1.01, place),
                xycoords=("axes fraction", "data"),
                va="center",
                fontsize=10,
            )
    ax.set_yticks(y, _in_two_lines(frame["label"]))
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
    ax = _axes(ax, max(2.0, 0.27 * len(table) + 1.2))
    rows = np.arange(len(table))
    ax.axvspan(-BALANCED, BALANCED, color=MUTED, alpha=0.15, linewidth=0)
    ax.axvline(0, color=INK, linewidth=0.9)
    ax.hlines(rows, table["before"], table["after"], color=MUTED, linewidth=0.8)
    ax.plot(table["before"], rows, "o", color=COLOURS[1], label="before weighting")
    ax.plot(table["after"], rows, "D", color=COLOURS[0], markersize=5, label="after")
    ax.set_yticks(rows, list(table.index))
    ax.set_xlabel("exposed less control [SD]; shaded: within 0.1")
    ax.legend(**ABOVE)
    return ax


def plot_break_even(chance, x: np.ndarray | None = None, y: np.ndarray | None = None, *,
                    xlabel: str = "cost of one failure less [EUR]",
                    ylabel: str = "cost of one excellent recovery [EUR]",
                    point: tuple[float, float] | None = None, level: float = 0.95,
                    ax=None):  # fmt: skip
    """Where prevention or recovery buys more, how likely, and where the data decide.

    Thick lines: chances of one half (both buy the same) and of the tails that `level` leaves,
    beyond which the data decide. Where they decide nowhere, thin lines in round steps.

    Parameters
    ----------
    chance : ndarray, shape (y, x), or a result of `prevention_or_recovery`
        Probability in [0, 1] that prevention buys more. A result brings x, y, point and level.
    x, y : ndarray
        Costs above 0, in rising order, two or more of each.
    xlabel, ylabel : str
    point : tuple of float, optional
        Today's costs.
    level : float
        In (0, 1): at which the data decide.
    ax : Axes, optional

    Returns
    -------
    Axes
        The title says on how much of the map the data decide.

    Raises
    ------
    CxError
        `level`, costs or chances are out of their range, or their shapes do not fit.

    Examples
    --------
    >>> costs = np.array([1.0, 9.0])
    >>> plot_break_even(np.array([[0.9, 0.1], [1.0, 0.5]]), costs, costs).get_title(loc="left")
    'The data decide on 25 % of the map'
    >>> plot_break_even(np.array([[0.7, 0.8], [0.9, 0.7]]), costs, costs).get_title(loc="left")
    'The data decide nowhere: chances of 70 to 90 %'
    """
    if hasattr(chance, "costs"):
        point, level = chance.costs, chance.level
        wide = chance.map.pivot(
            index="cost_recovery", columns="cost_prevention", values="p_prevention"
        )
        x, y, chance = wide.columns, wide.index, wide
    x, y, chance = _map(x, y, chance)
    if not (isinstance(level, Real) and 0 < level < 1):
        raise CxError(f"level must lie strictly between 0 and 1: found {level!r}.")
    ax = _axes(ax, 4.4)
    seen_everywhere = [withStroke(linewidth=3, foreground="white")]
    filled = ax.pcolormesh(x, y, chance, vmin=0, vmax=1, cmap=PALE_IN_DOUBT, shading="gouraud")
    bar = ax.figure.colorbar(filled, ax=ax, label="chance that prevention buys more",
                             format=PercentFormatter(1, symbol=" %"))  # fmt: skip
    bar.outline.set_visible(False)
    tail = (1 - level) / 2
    low, high = float(chance.min()), float(chance.max())
    decided = 1 - float(((chance > tail) & (chance < 1 - tail)).mean())
    steps = MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(low, high) if decided == 0 else ()
    for levels, width in (([s for s in steps if s != 0.5], 0.8), ((tail, 0.5, 1 - tail), 2.0)):
        levels = [one for one in levels if low < one < high]
        if levels:
            lines = ax.contour(x, y, chance, levels=levels, colors=INK, linewidths=width)
            places = [_far_from_edges(path.vertices, x, y) for path in lines.get_paths()]
            if places := [place for place in places if place is not None]:
                names = ax.clabel(lines, fmt=lambda c: f"{100 * c:.4g} %", fontsize=9,
                                  manual=places)  # fmt: skip
                plt.setp(names, path_effects=seen_everywhere)
    if point is not None:
        ax.plot(*point, "X", color=COLOURS[2], markersize=12, markeredgecolor="white", zorder=5)
        ax.annotate("your costs", point, xytext=(9, 9), textcoords="offset points", weight="bold",
                    path_effects=seen_everywhere, zorder=5)  # fmt: skip
    ax.grid(False)
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    where = "everywhere" if decided == 1 else f"on {_percent(decided)} of the map"
    if decided == 0:
        where = f"nowhere: chances of {100 * low:.0f} to {100 * high:.0f} %"
    ax.set_title(f"The data decide {where}", loc="left", fontsize=11)
    return ax


def _map(x, y, chance) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Costs and chances that can be drawn as a map, or all that is wrong with them."""
    try:
        x, y, chance = (np.asarray(v, float) for v in (x, y, chance))
    except (TypeError, ValueError):
        raise CxError("A break-even map needs numbers: costs x and y, and chances.") from None
    problems = [
        Problem(f"{name} are no costs", allowed="two or more finite numbers above 0, rising")
        for name, v in (("x", x), ("y", y))
        if v.ndim != 1 or v.size < 2 or not (np.isfinite(v).all() and v[0] > 0 < np.diff(v).min())
    ]
    bad = ~((chance >= 0) & (chance <= 1))
    if bad.any():
        what = f"{bad.sum():,} of {bad.size:,} chances are missing or no probabilities"
        problems.append(Problem(what, allowed="0 to 1", count=int(bad.sum())))
    if chance.shape != (y.size, x.size):
        what = f"chances have the shape {chance.shape}"
        problems.append(Problem(what, allowed=f"(y, x), here {(y.size, x.size)}"))
    if problems:
        raise CxError("This break-even map cannot be drawn.", problems)
    return x, y, chance


def _far_from_edges(line: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """The point of a line where a name has most room; None where it has too little."""
    at = (line - [x[0], y[0]]) / [np.ptp(x), np.ptp(y)]
    room = np.minimum(at, 1 - at).min(axis=1)
    return line[room.argmax()] if room.size and room.max() > 0.04 else None


def _percent(share: float) -> str:
    """Never told as none or all of it."""
    if not 0.005 <= share <= 0.995:
        return "less than 1 %" if share < 0.5 else "more than 99 %"
    return f"{100 * share:.0f} %"
