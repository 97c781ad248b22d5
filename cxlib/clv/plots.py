"""Figures of this room: each takes a result, draws on ``ax`` or the current axes, returns Axes."""

from __future__ import annotations

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cxlib.clv.histories import read_histories
from cxlib.clv.interval import percent
from cxlib.clv.summary import unit_of
from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = [
    "plot_concentration",
    "plot_expected_purchases_map",
    "plot_holdout_by_frequency",
    "plot_p_alive_map",
    "plot_tracking",
    "plot_value",
]

PREDICTED, ACTUAL = COLOURS[0], COLOURS[1]
MAP_ROWS = 80
SHOWN_CUSTOMERS = 12


def plot_expected_purchases_map(model, summary, horizon, *, unit=None, ax=None):
    """Expected purchases in the next ``horizon``, by frequency and recency, at the longest T.

    White dots are the customers of the summary who bought again: far from them the map is the
    model's word alone.

    Parameters
    ----------
    model : BetaGeo
    summary : DataFrame
        Columns frequency, recency, T; sets the ranges.
    horizon : float
        In the unit of the summary.
    unit : {"W", "week", "D", "M"}, optional
        Where the summary does not carry it.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    time = unit_of(summary, unit).plural
    return history_map(
        summary,
        lambda grid: model.expected_purchases(grid, horizon),
        label=f"expected purchases in the next {horizon:g} {time}",
        title="Who will buy how often",
        unit=time,
        ax=ax,
    )


def plot_p_alive_map(model, summary, *, unit=None, ax=None):
    """Probability of still being active, by frequency and recency, at the longest T.

    Parameters as ``plot_expected_purchases_map``.

    Returns
    -------
    Axes
    """
    return history_map(
        summary,
        model.p_alive,
        label="probability of still being active",
        title="Who is still there",
        unit=unit_of(summary, unit).plural,
        limits=(0, 1),
        ax=ax,
    )


def history_map(summary, quantity, *, label, title, unit, ax, limits=(0, None)):
    x, t_x, T, _ = read_histories(summary)
    if not (x > 0).any():
        raise CxError("A map needs at least one customer who bought again.")
    longest, most = T.max(), int(x.max())
    frequency = np.arange(1, most + 1)
    edges = np.linspace(0, longest, MAP_ROWS + 1)
    recency = (edges[:-1] + edges[1:]) / 2
    grid = pd.DataFrame(
        {
            "frequency": np.tile(frequency, MAP_ROWS),
            "recency": np.repeat(recency, most),
            "T": longest,
        }
    )
    values = quantity(grid).to_numpy().reshape(MAP_ROWS, most)
    ax = plt.gca() if ax is None else ax
    mesh = ax.pcolormesh(
        np.arange(most + 1) + 0.5,
        edges,
        values,
        cmap="cividis",
        vmin=limits[0],
        vmax=limits[1],
        rasterized=True,
    )
    bar = ax.figure.colorbar(mesh, ax=ax)
    bar.set_label(label)
    bar.outline.set_visible(False)
    ax.plot(x[x > 0], t_x[x > 0], "o", color="white", markersize=2.2, alpha=0.6, markeredgewidth=0)
    ax.grid(False)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(
        xlabel="frequency (repeat purchases)",
        title=title,
        ylabel=f"recency (first to last purchase, {unit})",
    )
    return ax


def plot_tracking(tracking, *, cumulative=False, ax=None):
    """Expected and actual repeat purchases over time, with the prediction interval.

    Parameters
    ----------
    tracking : Tracking
    cumulative : bool
        Since the start instead of by step.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    steps = tracking.steps
    prefix = "cumulative_" if cumulative else ""
    when = steps["ends_on"]
    ax.fill_between(
        when,
        steps[f"{prefix}low"],
        steps[f"{prefix}high"],
        color=PREDICTED,
        alpha=0.18,
        linewidth=0,
    )
    ax.plot(
        when,
        steps[f"{prefix}predicted"],
        color=PREDICTED,
        linewidth=2,
        label=f"expected, {percent(tracking.level)} prediction interval",
    )
    ax.plot(when, steps[f"{prefix}actual"], color=ACTUAL, linewidth=1.6, label="actual")
    if steps["calibration"].any():
        mark_split(ax, when[steps["calibration"]].iloc[-1])
    length = "week" if tracking.step_days == 7 else f"{tracking.step_days} days"
    ax.set(
        ylabel=f"repeat purchases {'since the start' if cumulative else f'per {length}'}",
        xlabel=f"end of the {'week' if length == 'week' else 'step'}",
        title="Expected and actual repeat purchases",
    )
    ax.set_ylim(bottom=0)
    dates_on_x(ax)
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.17), ncols=2)
    return ax


def plot_holdout_by_frequency(holdout, *, min_cell: int = MIN_CELL, ax=None):
    """Mean purchases in the holdout by calibration frequency, predicted and actual.

    Whiskers: prediction interval of the group's mean.

    Parameters
    ----------
    holdout : Holdout
    min_cell : int
        Groups of fewer customers are left out with a warning; 1 shows all.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    table = holdout.by_frequency
    table = leave_out_small(table, table["customers"], min_cell)
    at = np.arange(len(table))
    predicted = table["predicted"].to_numpy()
    whiskers = [predicted - table["low"], table["high"] - predicted]
    ax.errorbar(
        at - 0.08,
        predicted,
        yerr=np.maximum(whiskers, 0),
        fmt="o",
        color=PREDICTED,
        capsize=4,
        label=f"predicted, {percent(holdout.level)} prediction interval",
    )
    ax.plot(at + 0.08, table["actual"], "D", color=ACTUAL, label="actual")
    ax.set_xticks(
        at,
        [f"{label}\nn={n:,}" for label, n in zip(table["label"], table["customers"], strict=True)],
    )
    ax.set(
        xlabel="repeat purchases in the calibration (n = customers)",
        ylabel="mean purchases in the holdout",
        title="Predicted and actual by history",
    )
    ax.set_ylim(bottom=0)
    ax.legend(loc="upper left")
    return ax


def plot_value(value, customers=None, *, currency="", ax=None):
    """Value and prediction interval of chosen customers.

    Parameters
    ----------
    value : LifetimeValue
    customers : list of id, optional
        Default: up to twelve from the highest value to the lowest, denser among the high.
    currency : str
        For the axis, such as "EUR".
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    frame = value.customers.sort_values("value", ascending=False, kind="stable")
    if customers is None:
        ranks = np.geomspace(1, len(frame), min(SHOWN_CUSTOMERS, len(frame)))
        frame = frame.iloc[np.unique(ranks.astype(int)) - 1]
    else:
        frame = frame.loc[known_customers(customers, frame.index)]
    ax = plt.gca() if ax is None else ax
    at = np.arange(len(frame))
    ax.hlines(at, frame["low"], frame["high"], color=PREDICTED, alpha=0.45, linewidth=5)
    ax.plot(
        frame["value"], at, "o", color=PREDICTED, markeredgecolor="white", zorder=3, clip_on=False
    )
    ax.set_yticks(at, [str(name) for name in frame.index])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set(
        xlabel=f"value over the next {value.horizon:g} {value.unit}"
        f"{f' ({currency})' if currency else ' (currency of the amounts)'}",
        ylabel="customer",
        title=f"Value (dot) and {percent(value.level)} prediction interval (bar)",
    )
    ax.set_xlim(left=min(0, ax.get_xlim()[0]) if (frame["low"] < 0).any() else 0)
    return ax


def plot_concentration(top, *, ax=None):
    """Cumulative share of what came, customers sorted by predicted value, with its interval.

    Parameters
    ----------
    top : TopShare
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    curve, found = top.curve, top.realised
    ax.plot(
        [0, 1],
        [0, curve["realised"].iloc[-1]],
        color=MUTED,
        linewidth=1,
        linestyle=":",
        label="all customers alike",
    )
    ax.plot(
        curve.index,
        curve["hindsight"],
        color=MUTED,
        linewidth=1.6,
        linestyle="--",
        label="best customers, known afterwards",
    )
    ax.plot(
        curve.index,
        curve["predicted"],
        color=PREDICTED,
        linewidth=1.8,
        linestyle="-.",
        label=f"what the model expected{' of known customers' if top.newcomers else ''}",
    )
    ax.fill_between(curve.index, curve["low"], curve["high"], color=ACTUAL, alpha=0.2, linewidth=0)
    ax.plot(
        curve.index,
        curve["realised"],
        color=ACTUAL,
        linewidth=2.2,
        label=f"what the named really brought, {percent(found.level)} interval",
    )
    ax.vlines(top.share, found.low, found.high, color=INK, linewidth=2)
    ax.plot(top.share, found.estimate, "o", color=INK)
    ax.annotate(
        f"{percent(top.share)} named: {percent(found.estimate)} "
        f"[{percent(found.low)}, {percent(found.high)}]",
        (top.share, found.low if found.low > 0.15 else found.high),
        xytext=(10, -18 if found.low > 0.15 else 12),
        textcoords="offset points",
        color=INK,
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
    )
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.set(
        xlim=(0, 1),
        ylim=(0, 1.02),
        xlabel="share of customers, highest predicted value first",
        ylabel="cumulative share of what came",
        title="How much the best customers bring",
    )
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.17), ncols=2)
    return ax


def known_customers(customers, index):
    customers = list(customers)
    unknown = [c for c in customers if c not in index]
    if unknown or not customers:
        shown = ", ".join(map(repr, unknown[:5])) or "none named"
        raise CxError(
            f"{len(unknown)} of {len(customers)} customers are not in the data: {shown}. "
            f"Ids are text such as {index[0]!r}."
        )
    return customers


def mark_split(ax, when, label="end of calibration"):
    ax.axvline(when, color=INK, linewidth=1, linestyle="--")
    ax.annotate(
        label,
        (when, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-5, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        color=INK,
        fontsize=9,
    )


def dates_on_x(ax):
    locator = mdates.AutoDateLocator(maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
