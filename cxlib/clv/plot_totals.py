"""Totals to come, group by group, with their prediction intervals."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

from cxlib.clv.interval import percent
from cxlib.figures.style import COLOURS, INK

__all__ = ["plot_forecast"]


def plot_forecast(forecast, *, ax=None):
    """Expected purchases of each group with the prediction interval of its total.

    Parameters
    ----------
    forecast : Forecast
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    table = forecast.groups.iloc[::-1]
    at = np.arange(len(table))
    ax = plt.gca() if ax is None else ax
    ax.hlines(
        at,
        table["low"],
        table["high"],
        color=COLOURS[0],
        linewidth=4,
        alpha=0.6,
        label=f"{percent(forecast.level)} prediction interval",
    )
    ax.plot(table["expected"], at, "o", color=INK, label="expected")
    ax.set_yticks(at, [f"{name} ({n:,})" for name, n in table["customers"].items()])
    ax.set_ylim(-0.6, len(table) - 0.4)
    ax.set_xlim(left=0)
    ax.set(
        xlabel=f"purchases in the next {forecast.horizon:g} units of time",
        ylabel="group (customers)",
        title="What is to come, and how sure",
    )
    ax.legend()
    return ax
