"""Figures of cohorts and of what the validation of a model found."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator, PercentFormatter

from cxlib.clv.interval import percent
from cxlib.figures.style import COLOURS, INK, MUTED

__all__ = ["plot_cohorts"]

PREDICTED, ACTUAL = COLOURS[0], COLOURS[1]


def plot_cohorts(cohorts, *, ax=None):
    """Share of each cohort that buys, by age; oldest cohort dark, newest light, with intervals.

    Parameters
    ----------
    cohorts : Cohorts
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    table = cohorts.table[cohorts.table["age"] > 0]
    names = sorted(table["cohort"].unique())
    shades = plt.get_cmap("cividis")(np.linspace(0.05, 0.85, max(len(names), 1)))
    for name, shade in zip(names, shades, strict=True):
        mine = table[table["cohort"] == name]
        ax.fill_between(
            mine["age"], mine["low"], mine["high"], color=shade, alpha=0.15, linewidth=0
        )
        label = f"{name:%Y-%m}" if name in (names[0], names[-1]) else None
        ax.plot(mine["age"], mine["share"], "o-", color=shade, markersize=3.5, label=label)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_ylim(bottom=0)
    ax.set(
        xlabel=f"age ({cohorts.by}s after the {cohorts.by} of the first purchase)",
        ylabel=f"share who buy in the {cohorts.by}",
        title=f"Each cohort by age, {percent(cohorts.level)} intervals",
    )
    ax.legend(title="cohort (oldest, newest)")
    return ax


def plot_predictive_check(check, *, ax=None):
    """Customers by repeat purchases: observed, and the range of the model's replicates.

    Parameters
    ----------
    check : PredictiveCheck
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    table = check.frequencies
    at = np.arange(len(table))
    ranges_beside_actual(
        ax,
        at,
        table,
        "observed",
        f"replicates, {percent(check.level)} range",
        "observed",
    )
    ax.set_xticks(at, table["label"])
    ax.set(
        xlabel="repeat purchases in the calibration",
        ylabel="customers",
        title="Could the model have made these data?",
    )
    ax.legend(loc="upper right")
    return ax


def plot_lift(lift, *, ax=None):
    """Actual mean of each group against the mean of all, ranked highest first.

    Parameters
    ----------
    lift : Lift
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    table = lift.table
    at = table.index.to_numpy()
    ax.bar(at, table["lift"], color=ACTUAL, alpha=0.55, width=0.7)
    whiskers = [table["lift"] - table["low"], table["high"] - table["lift"]]
    ax.errorbar(
        at,
        table["lift"],
        yerr=np.maximum(whiskers, 0),
        fmt="none",
        ecolor=INK,
        capsize=3,
        label=f"{percent(lift.level)} interval",
    )
    ax.axhline(1, color=MUTED, linewidth=1.2, linestyle="--", label="mean of all customers")
    ax.set_xticks(at)
    ax.set_ylim(bottom=0)
    ax.set(
        xlabel=f"customers in {len(table)} equal groups, highest prediction first",
        ylabel="actual mean / mean of all",
        title="Does the ranking hold?",
    )
    ax.legend(loc="upper right")
    return ax


def plot_cohort_errors(errors, *, ax=None):
    """Predicted and actual holdout purchases of each cohort.

    Parameters
    ----------
    errors : CohortErrors
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    table, at = errors.table, np.arange(len(errors.table))
    label = f"predicted, {percent(errors.level)} prediction interval"
    ranges_beside_actual(ax, at, table.rename(columns={"predicted": "expected"}), "actual", label)
    names = [str(name).replace(" to ", "–") for name in table.index]
    ax.set_xticks(at, [f"{n}\nn={c:,}" for n, c in zip(names, table["customers"], strict=True)])
    ax.set(
        xlabel="cohort by first purchase (n = customers)",
        ylabel="purchases in the holdout",
        title="The miss by cohort",
    )
    ax.legend(loc="best")
    return ax


def plot_rolling_origin(rolling, *, ax=None):
    """Predicted and actual totals at each origin.

    Parameters
    ----------
    rolling : RollingOrigin
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    table, at = rolling.table, np.arange(len(rolling.table))
    label = f"predicted, {percent(rolling.level)} prediction interval"
    ranges_beside_actual(ax, at, table.rename(columns={"predicted": "expected"}), "actual", label)
    ax.set_xticks(at, [f"{day:%Y-%m-%d}" for day in table.index])
    ax.set(
        xlabel="last day the model saw",
        ylabel=f"purchases in the next {rolling.horizon_days} days",
        title=f"The {rolling.model} forecast, made anew at each date",
    )
    ax.legend(loc="best")
    return ax


def plot_model_checks(checks, *, ax=None):
    """How loudly each check speaks against the model: its adjusted p on a logarithmic axis.

    Parameters
    ----------
    checks : ModelChecks
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = plt.gca() if ax is None else ax
    table, at = checks.table, np.arange(len(checks.table))
    colours = [ACTUAL if loud else PREDICTED for loud in table["speaks"]]
    ax.hlines(at, table["p_adjusted"], 1, color=colours, linewidth=2.5)
    ax.scatter(table["p_adjusted"], at, color=colours, s=45, zorder=3, clip_on=False)
    ax.axvline(1 - checks.level, color=INK, linewidth=1, linestyle="--")
    ax.annotate(
        "speaks against the model",
        (1 - checks.level, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-5, 3),
        textcoords="offset points",
        ha="right",
        color=INK,
        fontsize=9,
    )
    ax.set_xscale("log")
    ax.set_xlim(min(1e-3, table["p_adjusted"].min() / 1.5), 1.1)
    ax.set_yticks(at, table.index)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set(xlabel="p, adjusted for five checks (Holm)", ylabel="check")
    return ax


def ranges_beside_actual(ax, at, table, actual, expected_label, actual_label="actual"):
    expected = table["expected"].to_numpy()
    whiskers = [expected - table["low"], table["high"] - expected]
    ax.errorbar(
        at - 0.08,
        expected,
        yerr=np.maximum(whiskers, 0),
        fmt="o",
        color=PREDICTED,
        capsize=4,
        label=expected_label,
    )
    ax.plot(at + 0.08, table[actual], "D", color=ACTUAL, label=actual_label)
    ax.set_ylim(0, 1.28 * table[["high", actual]].to_numpy().max())  # room for the legend
