"""Time from left to right: a measure with its interval and dated marks, or one customer's story."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_story", "plot_timeline"]


def plot_timeline(
    measured: pd.DataFrame,
    *,
    events: Mapping | None = None,
    truth: pd.Series | None = None,
    unit: str = "points",
    title: str = "",
    min_cell: int = MIN_CELL,
    ax=None,
):
    """A measure over time with its interval, dated events, and the truth where it is known.

    Parameters
    ----------
    measured : DataFrame
        Index: dates. Columns estimate, low, high; of a column n the rows below `min_cell` are left
        out with a warning.
    events : mapping of date to text, optional
        Drawn as numbered marks, explained in the legend.
    truth : Series, optional
        Index: dates.
    unit, title : str
    min_cell : int
        Fewest answers or customers behind a point that is shown.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        A column is missing.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-03-31", "2024-06-30"])
    >>> frame = pd.DataFrame({"estimate": [20, 24], "low": [12, 17], "high": [28, 31]}, index=days)
    >>> plot_timeline(frame, events={pd.Timestamp("2024-05-20"): "new carrier"}).get_ylabel()
    'points'
    """
    missing = [name for name in ("estimate", "low", "high") if name not in measured]
    if missing:
        raise CxError(f"A timeline needs the columns {', '.join(missing)}.")
    if "n" in measured:
        measured = leave_out_small(measured, measured["n"], min_cell, noun="points")
    ax = plt.gca() if ax is None else ax
    if truth is not None:
        ax.plot(truth.index, truth, color=COLOURS[1], linewidth=2, label="truth")
    half = [measured["estimate"] - measured["low"], measured["high"] - measured["estimate"]]
    ax.errorbar(
        measured.index,
        measured["estimate"],
        yerr=half,
        fmt="o",
        color=COLOURS[0],
        capsize=4,
        linewidth=1.6,
        label="measured, with interval",
    )
    for number, (day, text) in enumerate((events or {}).items(), start=1):
        ax.axvline(day, color=MUTED, linewidth=1, linestyle=":", zorder=0)
        ax.annotate(
            str(number),
            (day, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontsize=9,
        )
        ax.plot([], [], linestyle="none", label=f"{number}  {text}")
    _dates(ax)
    ax.set_ylabel(unit)
    if title:
        ax.set_title(title, pad=18)
    handles, labels = ax.get_legend_handles_labels()
    first = [label.startswith(("measured", "truth")) for label in labels]
    order = sorted(range(len(labels)), key=lambda at: (not first[at], at))
    ax.legend(
        [handles[at] for at in order],
        [labels[at] for at in order],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.02),
        handlelength=1.2,
    )
    return ax


def plot_story(tables: Mapping[str, tuple], customer_id: str, *, title: str = "", ax=None):
    """What happened to one customer: a line for each kind of record, a dot for each date.

    Parameters
    ----------
    tables : mapping of text to (DataFrame, column)
        Drawn from the top: the rows of this customer in a table with a column customer_id, dated
        by the column named. Empty dates are left out; kinds without a date keep their empty line.
    customer_id : str
    title : str
        The customer's id where empty.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        A table lacks customer_id or its column of dates.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-03", "2024-02-07"])
    >>> orders = pd.DataFrame({"customer_id": ["anna", "ben"], "ordered_at": days})
    >>> ax = plot_story({"orders": (orders, "ordered_at")}, "anna")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['orders (1)']
    """
    for name, (table, column) in tables.items():
        if missing := [c for c in ("customer_id", column) if c not in table]:
            raise CxError(f"The table {name!r} of a story lacks {', '.join(missing)}.")
    marks = {
        name: pd.to_datetime(table.loc[table["customer_id"] == customer_id, column].dropna())
        for name, (table, column) in tables.items()
    }
    ax = plt.gca() if ax is None else ax
    for row, dates in enumerate(marks.values()):
        ax.axhline(row, color=MUTED, linewidth=0.6, zorder=0)
        ax.plot(
            dates,
            np.full(len(dates), row),
            "o",
            color=COLOURS[row % len(COLOURS)],
            markersize=7,
            markeredgecolor="white",
        )
    ax.set_yticks(range(len(marks)), [f"{name} ({len(dates)})" for name, dates in marks.items()])
    ax.set_ylim(len(marks) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    _dates(ax)
    ax.set_title(title or f"Customer {customer_id}")
    return ax


def _dates(ax):
    locator = mdates.AutoDateLocator(maxticks=8)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
