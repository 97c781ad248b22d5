"""Repeat purchases of a cohort over calendar time: what the model expects, what came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from cxlib.clv.interval import bounds, check_simulation, percent
from cxlib.clv.sources import opened
from cxlib.clv.summary import check_dates, read_facts
from cxlib.clv.surprise import calendar_p
from cxlib.clv.units import check_choices, day_of, period_of, to_day
from cxlib.errors import CxError

__all__ = ["Tracking", "tracking"]

CELLS = 500_000


@dataclass(frozen=True, eq=False)
class Tracking:
    """Repeat purchases by calendar step, expected and actual.

    Attributes
    ----------
    steps : DataFrame
        One row a step of ``step_days`` days since the first purchase: ends_on, calibration (bool),
        actual, predicted, low, high, and the same four cumulated (cumulative_actual, ...).
        low and high are prediction intervals from parameters, customers and chance.
    customers : int
        Size of the cohort: all who first bought in the calibration.
    newcomers : int
        Customers who first bought later; they are left out of both sides.
    step_days : int
    level : float
    p : float
        Of the course over calendar time (``surprise.calendar_p``): small where a season or trend
        moves purchases to times the model does not know of.
    """

    steps: pd.DataFrame = field(repr=False)
    customers: int
    newcomers: int
    step_days: int
    level: float
    p: float

    @property
    def cumulative_error(self) -> float:
        """predicted / actual - 1 of all repeat purchases since the start."""
        last = self.steps.iloc[-1]
        return float(last["cumulative_predicted"] / last["cumulative_actual"] - 1)

    @property
    def holdout_error(self) -> float:
        """predicted / actual - 1 of the repeat purchases after the calibration alone."""
        after = self.steps.loc[~self.steps["calibration"], ["predicted", "actual"]].sum()
        return float(after["predicted"] / after["actual"] - 1)

    @property
    def outside(self) -> int:
        """Steps after the calibration whose actual count lies outside the prediction interval."""
        after = self.steps[~self.steps["calibration"]]
        return int((~after["actual"].between(after["low"], after["high"])).sum())

    def to_frame(self) -> pd.DataFrame:
        """One row a step, as in ``steps``."""
        return self.steps.copy()

    def summary(self) -> str:
        """Cumulative error, the holdout's alone, and how often the steps leave the interval."""
        last, after = self.steps.iloc[-1], int((~self.steps["calibration"]).sum())
        step = "weeks" if self.step_days == 7 else f"steps of {self.step_days} days"
        flatters = abs(self.cumulative_error) < abs(self.holdout_error)
        return (
            f"Since the start {last['cumulative_predicted']:,.0f} "
            f"[{last['cumulative_low']:,.0f}, {last['cumulative_high']:,.0f}] repeat purchases of "
            f"{self.customers:,} customers were expected ({percent(self.level)} prediction "
            f"interval) and {last['cumulative_actual']:,.0f} came "
            f"({percent(self.cumulative_error, 1, sign=True)}). That includes the time the model "
            f"was fitted to; after it the error is {percent(self.holdout_error, 1, sign=True)}"
            f"{', so the first figure flatters' if flatters else ''}. Of {after:,} {step} after "
            f"the calibration {self.outside:,} lie outside the interval, where at most about "
            f"{max((1 - self.level) * after, 1):.0f} would if the model held. A course over time "
            f"as odd as this one would come in at most {percent(self.p, 1)} of such cases."
        )

    def plot(self, ax=None, *, cumulative: bool = False):
        """Expected and actual over time; see ``plot_tracking``."""
        from cxlib.clv.plots import plot_tracking

        return plot_tracking(self, ax=ax, cumulative=cumulative)


def tracking(
    model,
    transactions,
    *,
    calibration_until: str | date,
    until: str | date | None = None,
    unit: str = "W",
    step_days: int = 7,
    level: float = 0.95,
    draws: int = 200,
    seed: int = 1,
    connection=None,
) -> Tracking:
    """Expected against actual repeat purchases of the calibration's customers, step by step.

    At the end of a step the model expects the sum, over the customers who have arrived, of the
    purchases a newcomer makes up to that age; histories are not used. The first step begins with
    the first purchase of the data; a last step that ``until`` cuts short is left out.

    Parameters
    ----------
    model : BetaGeo
        Fitted in the same ``unit``.
    transactions, calibration_until, until, unit, connection
        As for ``summarize``.
    step_days : int
        Length of a step; with unit "week" a multiple of 7.
    level, draws, seed
        Of the simulated intervals.

    Returns
    -------
    Tracking

    Raises
    ------
    CxError
        As ``summarize``, or a step that fits neither the unit nor the time observed.

    References
    ----------
    Fader, Hardie & Lee (2005), doi:10.1287/mksc.1040.0098, figures 2 and 3.
    """
    check_simulation(level, draws)
    chosen = check_choices(unit)
    if not (isinstance(step_days, int) and step_days > 0 and step_days % chosen.period_days == 0):
        raise CxError(
            f"step_days must be a whole number of days >= {chosen.period_days}"
            f"{' and a multiple of 7' if chosen.period_days == 7 else ''}, not {step_days!r}"
        )
    split, last = to_day(calibration_until, "calibration_until"), to_day(until, "until")
    with opened(transactions, connection) as source:
        facts = read_facts(source, last)
        last = last or facts["last_day"]
        check_dates(facts["first_day"], facts["last_day"], last, split)
        table = source.ask("tracking", period_days=chosen.period_days, until=last)
    is_first = table["period"] == table["first_period"]
    early = table["first_period"] <= period_of(split, chosen)
    start, size = int(table["period"].min()), step_days // chosen.period_days
    count = (period_of(last, chosen) + 1 - start) // size
    if count < 2:
        raise CxError(f"Less than two steps of {step_days} days lie between first day and until.")
    repeats = table[early & ~is_first]
    actual = np.bincount((repeats["period"] - start) // size, repeats["purchases"], count)[:count]
    cohort = table[early & is_first]
    offsets, sizes = cohort["period"].to_numpy() - start, cohort["purchases"].to_numpy(int)
    ends = size * np.arange(1, count + 1)
    ages = np.maximum(ends[:, None] - offsets, 0) / chosen.periods_per_unit
    expected = model.expected_newcomer_purchases(ages.ravel()).reshape(ages.shape) @ sizes
    drawn = simulate_steps(model, np.repeat(offsets, sizes), chosen, size, count, draws, seed)
    first_day = day_of(start, chosen)
    steps = pd.DataFrame(
        {
            "ends_on": [
                pd.Timestamp(first_day + timedelta(days=k * step_days - 1))
                for k in range(1, count + 1)
            ],
            "calibration": start + ends <= period_of(split, chosen) + 1,
            **columns("", actual, np.diff(expected, prepend=0.0), drawn, level),
            **columns("cumulative_", actual.cumsum(), expected, drawn.cumsum(axis=0), level),
        },
        index=pd.RangeIndex(1, count + 1, name="step"),
    )
    newcomers = int(table.loc[~early & is_first, "purchases"].sum())
    p = calendar_p(actual, drawn)
    return Tracking(steps, int(sizes.sum()), newcomers, step_days, level, p)


def columns(prefix, actual, predicted, drawn, level):
    low, high = bounds(drawn, level)
    values = {"actual": actual, "predicted": predicted, "low": low, "high": high}
    return {f"{prefix}{name}": column for name, column in values.items()}


def simulate_steps(model, offsets, unit, size, count, draws, seed):
    """Drawn repeat purchases of the cohort, shape (steps, draws)."""
    rng = np.random.default_rng(seed)
    params = model.draw_parameters(draws, rng)
    totals = np.zeros(count * draws)
    chunk = max(1, CELLS // draws)
    for begin in range(0, len(offsets), chunk):
        offset = offsets[begin : begin + chunk, None]
        age = (count * size - offset) / unit.periods_per_unit
        for cells, when in model.draw_newcomers(params, np.maximum(age, 0), rng):
            period = offset[cells // draws, 0] + when * unit.periods_per_unit
            step = np.minimum(period // size, count - 1).astype(int)
            totals += np.bincount(step * draws + cells % draws, minlength=count * draws)
    return totals.reshape(count, draws)
