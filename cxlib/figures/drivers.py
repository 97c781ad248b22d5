"""Charts of driver analysis: shares, ranks, maps, segments, profiles, proofs."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = [
    "plot_correlations",
    "plot_halo",
    "plot_importance",
    "plot_performance",
    "plot_profiles",
    "plot_promises",
    "plot_ranks",
    "plot_segments",
]

APART = 0.16
ABOVE = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "ncols": 3, "borderaxespad": 0.2}


def _rows(ax, labels):
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)


def _need(frame, *columns):
    absent = [c for c in columns if c not in frame]
    if absent:
        raise CxError(f"The plot needs the columns {', '.join(absent)}.")


def _beside(ax, rows, low, middle, high, colour, marker="o", label=None):
    ax.hlines(rows, low, high, color=colour, linewidth=2.4)
    ax.plot(middle, rows, marker, color=colour, markersize=7, label=label)


def plot_correlations(correlations: pd.DataFrame, ax=None):
    """A correlation matrix, lower triangle, with its numbers.

    Examples
    --------
    >>> frame = pd.DataFrame([[1, 0.5], [0.5, 1]], list("ab"), list("ab"))
    >>> [text.get_text() for text in plot_correlations(frame).texts]
    ['0.50']
    """
    ax = plt.gca() if ax is None else ax
    values = correlations.to_numpy(dtype=float)
    shown = np.where(np.tri(len(values), k=-1, dtype=bool), values, np.nan)[1:, :-1]
    ax.imshow(shown, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    for (i, j), value in np.ndenumerate(shown):
        if np.isfinite(value):
            ax.text(j, i, f"{value:.2f}", ha="center", va="center",
                    color="white" if abs(value) > 0.6 else INK)  # fmt: skip
    ax.set_xticks(range(len(values) - 1), correlations.columns[:-1])
    ax.set_yticks(range(len(values) - 1), correlations.index[1:])
    ax.grid(visible=False)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def plot_importance(table: pd.DataFrame, *, other=None, labels=("", ""), truth=None, ax=None):
    """Shares of explained variance with intervals, one row a driver.

    Parameters
    ----------
    table : DataFrame
        driver, share, share_low, share_high, and sign, which stands behind the name.
    other : DataFrame, optional
        A second analysis of the same drivers, drawn below the first.
    labels : (str, str)
        Names of both.
    truth : mapping, optional
        Share to mark with a cross, by driver.
    ax : Axes, optional

    Examples
    --------
    >>> table = pd.DataFrame({"driver": ["quality"], "share": [0.6], "share_low": [0.5],
    ...                       "share_high": [0.7], "sign": ["+"]})
    >>> plot_importance(table).get_yticklabels()[0].get_text()
    'quality (+)'
    """
    _need(table, "driver", "share", "share_low", "share_high")
    ax = plt.gca() if ax is None else ax
    rows = np.arange(len(table))
    sign = table["sign"] if "sign" in table else [""] * len(table)
    names = [f"{d} ({s})" if s else d for d, s in zip(table["driver"], sign, strict=True)]
    shift = 0 if other is None else APART
    ends = ("share_low", "share", "share_high")
    _beside(ax, rows - shift, *(100 * table[e] for e in ends), COLOURS[0], label=labels[0] or None)
    if other is not None:
        same = other.set_index("driver").loc[table["driver"]]
        _beside(
            ax, rows + shift, *(100 * same[e] for e in ends), COLOURS[1], "s", labels[1] or None
        )
    if truth is not None:
        known = [100 * truth.get(d, np.nan) for d in table["driver"]]
        ax.plot(known, rows, "x", color=INK, markersize=9, markeredgewidth=2, label="truth")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(**ABOVE)
    _rows(ax, names)
    ax.set_xlim(left=min(0, ax.get_xlim()[0]))
    ax.set_xlabel("share of the explained variance [%]")
    return ax


def plot_ranks(table: pd.DataFrame, ax=None):
    """Simultaneous rank intervals, one row a driver; text: replicates in which it is first.

    Examples
    --------
    >>> table = pd.DataFrame({"driver": ["quality", "service"], "rank": [1, 2], "rank_low": [1, 2],
    ...                       "rank_high": [1, 2], "first": [1.0, 0.0]})
    >>> [text.get_text() for text in plot_ranks(table).texts]
    ['first in 100 %', 'first in 0 %']
    """
    _need(table, "driver", "rank", "rank_low", "rank_high", "first")
    ax = plt.gca() if ax is None else ax
    rows = np.arange(len(table))
    _beside(ax, rows, table["rank_low"], table["rank"], table["rank_high"], COLOURS[0])
    for row, share in zip(rows, table["first"], strict=True):
        text = f"first in {100 * share:.0f} %" if share in (0, 1) or 0.01 <= share <= 0.99 else (
            "first in < 1 %" if share < 0.5 else "first in > 99 %"
        )  # fmt: skip
        ax.annotate(text, (1.01, row), xycoords=("axes fraction", "data"), va="center", color=MUTED)
    _rows(ax, table["driver"])
    ax.set_xticks(range(1, len(table) + 1))
    ax.set_xlim(0.7, len(table) + 0.3)
    ax.set_xlabel("rank (1 = largest share); bar: ranks it may hold")
    return ax


def plot_performance(table: pd.DataFrame, importance_line, performance_line, ax=None):
    """Importance-performance map with intervals on both axes and names of the quadrants.

    Examples
    --------
    >>> from cxlib.loyalty.performance import importance_performance
    >>> rng = np.random.default_rng(3)
    >>> frame = pd.DataFrame(rng.normal([4, 5], 1, (300, 2)), columns=["quality", "service"])
    >>> frame["csat"] = frame["quality"] + rng.normal(size=300)
    >>> ax = importance_performance(frame, "csat", ["quality", "service"]).plot()
    >>> ax.get_xlabel()
    'performance: mean rating'
    """
    ax = plt.gca() if ax is None else ax
    x, y = table["performance"], 100 * table["importance"]
    spread = {
        "xerr": np.array([x - table["performance_low"], table["performance_high"] - x]),
        "yerr": 100
        * np.array([
            table["importance"] - table["importance_low"],
            table["importance_high"] - table["importance"],
        ]),
    }  # fmt: skip
    ax.errorbar(x, y, **spread, fmt="o", color=COLOURS[0], ecolor=COLOURS[0], elinewidth=1.8)
    ax.axvline(performance_line, color=MUTED, linestyle="--", linewidth=1.1)
    ax.axhline(100 * importance_line, color=MUTED, linestyle="--", linewidth=1.1)
    for driver, at_x, at_y in zip(table["driver"], x, y, strict=True):
        ax.annotate(driver, (at_x, at_y), xytext=(6, 6), textcoords="offset points", color=INK)
    left, right = ax.get_xlim()
    reach = 1.08 * max(performance_line - left, right - performance_line)
    ax.set_xlim(performance_line - reach, performance_line + reach)
    ax.set_ylim(0, 1.18 * ax.get_ylim()[1])
    for (across, up), word in {
        (0.02, 0.97): "improve",
        (0.98, 0.97): "keep up",
        (0.02, 0.03): "leave",
        (0.98, 0.03): "spare",
    }.items():
        ax.text(
            across, up, word, transform=ax.transAxes, color=MUTED, style="italic",
            ha="left" if across < 0.5 else "right", va="top" if up > 0.5 else "bottom",
        )  # fmt: skip
    ax.set_xlabel("performance: mean rating")
    ax.set_ylabel("importance: share of the\nexplained variance [%]")
    return ax


def plot_segments(table: pd.DataFrame, ax=None):
    """Differences of shares, each segment against all others, one row a pair; filled = told apart.

    Examples
    --------
    >>> table = pd.DataFrame({"segment": ["DE"], "driver": ["quality"], "difference": [0.1],
    ...                       "difference_low": [0.0], "difference_high": [0.2],
    ...                       "verdict": ["cannot tell"]})
    >>> plot_segments(table).get_yticklabels()[0].get_text()
    'quality, DE'
    """
    _need(table, "segment", "driver", "difference", "difference_low", "difference_high", "verdict")
    ax = plt.gca() if ax is None else ax
    drivers = list(dict.fromkeys(table["driver"]))
    table = table.sort_values("driver", key=lambda c: c.map(drivers.index), kind="stable")
    rows = np.arange(len(table))
    told = (table["verdict"] != "cannot tell").to_numpy()
    low, middle, high = (
        100 * table[c].to_numpy() for c in ("difference_low", "difference", "difference_high")
    )
    for chosen, colour in ((~told, MUTED), (told, COLOURS[3])):
        ax.hlines(rows[chosen], low[chosen], high[chosen], color=colour, linewidth=2)
        ax.plot(middle[chosen], rows[chosen], "o", color=colour, markersize=5)
    ax.axvline(0, color=INK, linewidth=1)
    for edge in range(1, len(rows)):
        if table["driver"].iloc[edge] != table["driver"].iloc[edge - 1]:
            ax.axhline(edge - 0.5, color=MUTED, linewidth=0.5)
    _rows(ax, [f"{d}, {s}" for d, s in zip(table["driver"], table["segment"], strict=True)])
    ax.tick_params(axis="y", labelsize=8)
    ax.set_xlabel("share in the segment minus share elsewhere [points]")
    return ax


def plot_halo(table: pd.DataFrame, general: float, ax=None):
    """Shares before and after the general factor; text: what the factor itself takes.

    Examples
    --------
    >>> columns = ["before", "before_low", "before_high", "after", "after_low", "after_high"]
    >>> table = pd.DataFrame([[0.5, 0.4, 0.6, 0.1, 0.0, 0.2]], columns=columns).assign(driver="a")
    >>> plot_halo(table, 0.8).get_legend().get_texts()[1].get_text()
    'after the general factor, which takes 80 %'
    """
    _need(table, "driver", "before", "after")
    ax = plt.gca() if ax is None else ax
    rows = np.arange(len(table))
    rest = f"after the general factor, which takes {100 * general:.0f} %"
    for name, shift, colour, marker, label in (
        ("before", -APART, COLOURS[0], "o", "as they are"),
        ("after", APART, COLOURS[1], "s", rest),
    ):
        ends = (100 * table[f"{name}{end}"] for end in ("_low", "", "_high"))
        _beside(ax, rows + shift, *ends, colour, marker, label)
    ax.legend(**ABOVE)
    _rows(ax, table["driver"])
    ax.set_xlim(left=0)
    ax.set_xlabel("share of the explained variance [%]")
    return ax


def plot_profiles(groups: pd.DataFrame, items: list, ax=None):
    """Mean rating of each item, one line a group, its size at the end of the line.

    Examples
    --------
    >>> groups = pd.DataFrame({"group": [1, 2], "n": [5, 6], "a": [6, 4], "b": [5, 3]})
    >>> [text.get_text() for text in plot_profiles(groups, ["a", "b"]).texts]
    ['group 1, n = 5', 'group 2, n = 6']
    """
    _need(groups, "group", "n", *items)
    ax = plt.gca() if ax is None else ax
    places = np.arange(len(items))
    for i, row in enumerate(groups.itertuples(index=False)):
        means = groups.loc[groups.index[i], items].to_numpy(dtype=float)
        colour = COLOURS[i % len(COLOURS)]
        ax.plot(places, means, "o-", color=colour, linewidth=2)
        ax.annotate(
            f"group {row.group}, n = {row.n:,}", (places[-1], means[-1]), xytext=(8, 0),
            textcoords="offset points", va="center", color=colour,
        )  # fmt: skip
    ax.set_xticks(places, [str(i) for i in items])
    ax.set_xlim(-0.2, len(items) - 0.2 + 0.12 * len(items))
    ax.set_ylabel("mean rating")
    return ax


def plot_promises(table: pd.DataFrame, *, label: str = "change of the mean [points]", ax=None):
    """What was promised, with interval, and what came, one row an initiative.

    Parameters
    ----------
    table : DataFrame
        initiative, promised, promised_low, promised_high, came.

    Examples
    --------
    >>> columns = ["initiative", "promised", "promised_low", "promised_high", "came"]
    >>> table = pd.DataFrame([["quality", 0.2, 0.1, 0.3, 0.26]], columns=columns)
    >>> plot_promises(table).get_xlabel()
    'change of the mean [points]'
    """
    _need(table, "initiative", "promised", "promised_low", "promised_high", "came")
    ax = plt.gca() if ax is None else ax
    rows = np.arange(len(table))
    ends = (table[f"promised{end}"] for end in ("_low", "", "_high"))
    _beside(ax, rows, *ends, COLOURS[0], label="promised by the regression")
    ax.plot(table["came"], rows, "x", color=COLOURS[3], markersize=10, markeredgewidth=2.5,
            label="came when the dial was turned")  # fmt: skip
    ax.axvline(0, color=INK, linewidth=1)
    ax.legend(**ABOVE)
    _rows(ax, table["initiative"])
    ax.set_xlabel(label)
    return ax
