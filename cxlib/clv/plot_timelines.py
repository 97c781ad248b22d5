"""When a few customers bought: what one may know, and what came."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd

from cxlib.clv.plots import ACTUAL, PREDICTED, dates_on_x, known_customers, mark_split
from cxlib.clv.sources import check_columns
from cxlib.clv.units import to_day
from cxlib.errors import CxError
from cxlib.figures.style import MUTED

__all__ = ["plot_customer_timelines"]


def plot_customer_timelines(transactions, customers, *, until, reveal=False, labels=None, ax=None):
    """Purchases of a few customers as dots on lines, up to ``until``.

    Parameters
    ----------
    transactions : DataFrame
        Columns customer_id, ordered_at, amount.
    customers : list of id
        In the order to draw, the first on top.
    until : date
        End of what the reader may know.
    reveal : bool
        Show the purchases after ``until`` as diamonds, too.
    labels : list of str, optional
        Names to show instead of the ids.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    check_columns(transactions.columns)
    customers = known_customers(customers, pd.Index(transactions["customer_id"].unique()))
    labels = [str(c) for c in customers] if labels is None else list(labels)
    if len(labels) != len(customers):
        raise CxError(f"{len(labels)} labels for {len(customers)} customers")
    end = pd.Timestamp(to_day(until, "until"))
    mine = transactions[transactions["customer_id"].isin(customers)]
    days = mine["ordered_at"].dt.tz_localize(None).dt.normalize()
    ax = plt.gca() if ax is None else ax
    for at, customer in enumerate(customers):
        bought = days[mine["customer_id"] == customer]
        past, later = bought[bought <= end], bought[bought > end]
        ax.hlines(at, bought.min(), end, color=MUTED, linewidth=1, zorder=1)
        ax.plot(
            past,
            [at] * len(past),
            "o",
            color=PREDICTED,
            markersize=8,
            markeredgecolor="white",
            zorder=2,
        )
        if reveal:
            ax.hlines(at, end, days.max(), color=MUTED, linewidth=1, linestyle=":", zorder=1)
            ax.plot(
                later,
                [at] * len(later),
                "D",
                color=ACTUAL,
                markersize=7,
                markeredgecolor="white",
                zorder=2,
            )
    mark_split(ax, end, "today" if not reveal else "what we knew")
    ax.set_yticks(range(len(customers)), labels)
    ax.set_ylim(len(customers) - 0.4, -0.9)
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="day of purchase", ylabel="customer", title="Purchases of each customer")
    dates_on_x(ax)
    return ax
