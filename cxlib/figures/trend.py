"""A net promoter score over time, with what luck alone may do."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_nps_trend"]


def plot_nps_trend(
    periods: pd.DataFrame,
    *,
    changes: pd.DataFrame | None = None,
    events: Mapping | None = None,
    min_cell: int = MIN_CELL,
    ax=None,
):
    """Scores by period with intervals, the control limits behind them, supported levels as lines.

    Parameters
    ----------
    periods : DataFrame
        period, start, estimate, low, high, n, centre, control_low, control_high, signal, as
        `nps_trend` gives them.
    changes : DataFrame, optional
        period, before, after of supported changes.
    events : mapping of date to text, optional
        Drawn as numbered marks where the periods have dates, explained below the plot.
    min_cell : int
        Periods with fewer answers are left out with a warning.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    CxError
        A column is missing, or no period has enough answers to be shown.

    Examples
    --------
    >>> frame = pd.DataFrame({"period": ["2024Q1", "2024Q2"], "start": [0, 1], "n": [90, 80]})
    >>> frame = frame.assign(estimate=[20, 30], low=[5, 14], high=[35, 46], centre=25.0)
    >>> plot_nps_trend(frame.assign(control_low=0, control_high=50, signal=False)).get_ylabel()
    'NPS [points]'
    """
    wanted = ("period", "start", "estimate", "low", "high", "n", "centre", "control_low")
    if absent := [c for c in (*wanted, "control_high", "signal") if c not in periods]:
        raise CxError(f"The periods lack the columns {', '.join(absent)}.")
    shown = leave_out_small(periods, periods["n"], min_cell, noun="periods").reset_index(drop=True)
    if shown.empty:
        raise CxError(
            f"None of {len(periods):,} periods has {min_cell} answers. Take longer periods."
        )
    ax = plt.gca() if ax is None else ax
    place = np.arange(len(shown))
    edges = np.concatenate([place - 0.5, place[-1:] + 0.5])
    for side in ("control_low", "control_high"):
        ax.stairs(shown[side], edges, baseline=None, color=MUTED, linewidth=1, linestyle="--")
    ax.fill_between(
        edges, *(np.append(shown[s], shown[s].iloc[-1:]) for s in ("control_low", "control_high")),
        step="post", color=MUTED, alpha=0.12, label="what luck alone may do",
    )  # fmt: skip
    half = [shown["estimate"] - shown["low"], shown["high"] - shown["estimate"]]
    ax.errorbar(
        place, shown["estimate"], yerr=half, fmt="o-", color=COLOURS[0], capsize=4, linewidth=1.4,
        label="measured, with interval",
    )  # fmt: skip
    signal = shown["signal"].to_numpy(bool)
    if signal.any():
        ax.plot(place[signal], shown["estimate"][signal], "D", color=COLOURS[3], markersize=9,
                label="signal", zorder=4)  # fmt: skip
    if changes is not None and len(changes):
        names = list(periods["period"])  # a change may begin in a period that is not shown
        here = [names.index(period) for period in shown["period"]]
        begun = (names.index(period) for period in changes["period"])
        first = [0, *np.searchsorted(here, list(begun)), len(shown)]
        levels = [changes["before"].iloc[0], *changes["after"]]
        for number, height in enumerate(levels):
            ax.hlines(height, first[number] - 0.4, first[number + 1] - 0.6, color=COLOURS[1],
                      linewidth=3, label="supported level" if not number else None)  # fmt: skip
    dated = pd.api.types.is_datetime64_any_dtype(shown["start"])
    begins = pd.to_datetime(shown["start"]).astype("int64").to_numpy() if dated else place
    begins = np.append(begins, 2 * begins[-1:] - begins[-2:-1])
    for number, (day, text) in enumerate((events or {}).items() if dated else (), start=1):
        moment = pd.Series([pd.Timestamp(day)]).astype(shown["start"].dtype).astype("int64")[0]
        at = np.interp(moment, begins, edges[: len(begins)])
        ax.axvline(at, color=MUTED, linewidth=1, linestyle=":", zorder=0)
        ax.annotate(str(number), (at, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
                    textcoords="offset points", ha="center", fontsize=9, color=INK)  # fmt: skip
        ax.plot([], [], linestyle="none", label=f"{number}  {text}")
    ax.set_xticks(place, shown["period"].astype(str), rotation=0 if len(shown) < 10 else 60)
    ax.grid(axis="x", visible=False)
    ax.set_ylabel("NPS [points]")
    handles, labels = ax.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda at: labels[at][:1].isdigit())
    ax.legend([handles[at] for at in order], [labels[at] for at in order], loc="upper left",
              bbox_to_anchor=(1.01, 1.02), handlelength=1.4)  # fmt: skip
    return ax
