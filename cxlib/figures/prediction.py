"""Predictions held against what happened: calibration, contest of predictors, effect of offers."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_calibration", "plot_contest", "plot_persuaded"]


def plot_calibration(
    calibration: pd.DataFrame,
    *,
    by: str = "predictor",
    predicted_label: str = "predicted",
    observed_label: str = "observed",
    min_cell: int = MIN_CELL,
    ax=None,
):
    """What was predicted or stated against what was observed, with the line where both agree.

    Parameters
    ----------
    calibration : DataFrame
        predicted, observed, low, high, n; one colour for each value of the column `by`, if there
        is one.
    by, predicted_label, observed_label : str
    min_cell : int
        Groups with fewer customers are left out with a warning.
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
    >>> frame = pd.DataFrame({"predicted": [0.2, 0.9], "observed": [0.3, 0.5], "low": [0.2, 0.4],
    ...                       "high": [0.4, 0.6], "n": [80, 90]})
    >>> plot_calibration(frame, predicted_label="stated").get_xlabel()
    'stated'
    """
    absent = {"predicted", "observed", "low", "high", "n"} - set(calibration)
    if absent:
        raise CxError(f"A calibration plot needs the columns {', '.join(sorted(absent))}.")
    shown = leave_out_small(calibration, calibration["n"], min_cell, noun="groups")
    ax = plt.gca() if ax is None else ax
    parts = shown.groupby(by, sort=False) if by in shown else [("", shown)]
    for number, (name, part) in enumerate(parts):
        colour = COLOURS[number % len(COLOURS)]
        half = [part["observed"] - part["low"], part["high"] - part["observed"]]
        ax.errorbar(
            part["predicted"],
            part["observed"],
            yerr=half,
            fmt="o-",
            color=colour,
            capsize=3,
            linewidth=1.4,
            label=str(name),
        )
    ends = shown[["predicted", "observed", "low", "high"]].to_numpy()
    low, high = (0.0, 1.0) if ends.min() >= 0 and ends.max() <= 1 else (ends.min(), ends.max())
    ax.plot([low, high], [low, high], "--", color=INK, linewidth=1.1)
    ax.annotate(
        "both agree",
        (low + 0.85 * (high - low),) * 2,
        xytext=(-6, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=INK,
    )
    ax.set(xlabel=predicted_label, ylabel=observed_label)
    if by in shown and shown[by].nunique() > 1:
        ax.legend(loc="upper left")
    return ax


def plot_contest(
    scores: pd.DataFrame, *, chance: float | None = None, label: str = "score", ax=None
):
    """Scores with their intervals, one row a predictor, and a line for chance.

    Parameters
    ----------
    scores : DataFrame
        predictor, estimate, low, high.
    chance : float, optional
    label : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"predictor": ["NPS"], "estimate": [0.6], "low": [0.5], "high": [0.7]})
    >>> plot_contest(frame, chance=0.5).get_yticklabels()[0].get_text()
    'NPS'
    """
    ax = plt.gca() if ax is None else ax
    rows = np.arange(len(scores))
    ax.hlines(rows, scores["low"], scores["high"], color=COLOURS[0], linewidth=2)
    ax.plot(scores["estimate"], rows, "o", color=COLOURS[0], markersize=7)
    if chance is not None:
        ax.axvline(chance, color=MUTED, linestyle="--", linewidth=1.2)
        ax.annotate(
            "chance",
            (chance, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, 2),
            textcoords="offset points",
            color=MUTED,
        )
    ax.set_yticks(rows, scores["predictor"])
    ax.set_ylim(len(scores) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(label)
    return ax


def plot_persuaded(groups: pd.DataFrame, *, ax=None):
    """Share who bought without and with an offer, one row a group, and how far the two lie apart.

    Parameters
    ----------
    groups : DataFrame
        group, n, and sure, offered, persuaded, each with _low and _high, as shares.
    ax : Axes, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> frame = pd.DataFrame({"group": ["asked"], "n": [90], "sure": [0.2], "sure_low": [0.1],
    ...     "sure_high": [0.3], "offered": [0.3], "offered_low": [0.2], "offered_high": [0.4],
    ...     "persuaded": [0.1], "persuaded_low": [0.0], "persuaded_high": [0.2]})
    >>> plot_persuaded(frame).get_yticklabels()[0].get_text()
    'asked\\nn = 90'
    """
    ax = plt.gca() if ax is None else ax
    rows = np.arange(len(groups))
    for name, label, marker, colour, shift in (
        ("sure", "without offer", "o", COLOURS[0], -0.12),
        ("offered", "with offer", "D", COLOURS[1], 0.12),
    ):
        at = rows + shift
        low, high = 100 * groups[f"{name}_low"], 100 * groups[f"{name}_high"]
        ax.hlines(at, low, high, color=colour, linewidth=2)
        ax.plot(100 * groups[name], at, marker, color=colour, markersize=7, label=label)
    right = 100 * groups[["sure_high", "offered_high"]].to_numpy().max(initial=0.0)
    for row, group in zip(rows, groups.to_dict("records"), strict=True):
        limits = (100 * group[f"persuaded{end}"] for end in ("", "_low", "_high"))
        text = "persuaded: {:+.1f}\n[{:.1f}, {:.1f}]".format(*limits)
        ax.text(right + 2, row, text, va="center", color=INK, fontsize=9)
    names = [f"{g}\nn = {n:,}" for g, n in zip(groups["group"], groups["n"], strict=True)]
    ax.set_yticks(rows, names)
    ax.set(ylim=(len(groups) - 0.5, -0.5), xlim=(0, right + 22), xlabel="bought [%]")
    ax.grid(axis="y", visible=False)
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)
    return ax
