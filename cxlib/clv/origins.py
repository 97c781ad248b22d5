"""The same forecast made at several dates, each tested on what came after it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pandas as pd

from cxlib.clv.beta_geo import BetaGeo
from cxlib.clv.holdout_check import holdout
from cxlib.clv.interval import percent
from cxlib.clv.sources import opened
from cxlib.clv.summary import read_facts, summarize
from cxlib.clv.units import check_choices, to_day
from cxlib.errors import CxError

__all__ = ["RollingOrigin", "rolling_origin"]

FEWEST_REPEATS = 20


@dataclass(frozen=True, eq=False)
class RollingOrigin:
    """One row an origin, that is a last day of calibration.

    Attributes
    ----------
    table : DataFrame
        Index origin; customers, predicted, low, high (prediction interval of the total), actual,
        error = predicted / actual - 1, inside, mean_absolute_error, correlation (per customer),
        best_rule (the simple rule nearest in total), best_rule_error, rule_mean_absolute_error (of
        the rule that is best per customer).
    model : str
    horizon_days : int
    level : float
    """

    table: pd.DataFrame = field(repr=False)
    model: str
    horizon_days: int
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row an origin, as in ``table``."""
        return self.table.copy()

    def summary(self) -> str:
        """Errors over the origins, intervals that held, and who was nearer: model or best rule."""
        rows = self.table
        error, rule = rows["error"], rows["best_rule_error"]
        won = int((error.abs() <= rule.abs()).sum())
        single = int((rows["mean_absolute_error"] <= rows["rule_mean_absolute_error"]).sum())
        side = (
            "always too low"
            if (error < 0).all()
            else "always too high"
            if (error > 0).all()
            else "sometimes too low, sometimes too high"
        )
        return (
            f"From {len(rows)} origins the {self.model} model missed the purchases of the next "
            f"{self.horizon_days} days by {percent(error.min(), 1, sign=True)} to "
            f"{percent(error.max(), 1, sign=True)}, {side}; the {percent(self.level)} interval "
            f"held the total {int(rows['inside'].sum())} times. In total it was nearer than the "
            f"best simple rule of each origin {won} times, per customer {single} times. (The best "
            "rule is chosen in hindsight, and the periods overlap in customers: these are not "
            "independent trials.)"
        )

    def plot(self, ax=None):
        """Predicted and actual totals by origin; see ``plot_rolling_origin``."""
        from cxlib.clv.plot_validation import plot_rolling_origin

        return plot_rolling_origin(self, ax=ax)


def rolling_origin(
    transactions,
    model=None,
    *,
    origins=5,
    horizon_days: int = 91,
    until=None,
    unit: str = "W",
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 1,
    connection=None,
) -> RollingOrigin:
    """Move the last day of calibration through the data; fit and forecast anew at each.

    Parameters
    ----------
    transactions, until, unit, connection
        As for ``summarize``. At each origin the customers known by then are forecast.
    model : PurchaseModel, optional
        An unfitted model; default ``BetaGeo()``.
    origins : int or sequence of dates
        That many origins, ``horizon_days`` apart, the last one ``horizon_days`` before ``until``;
        or the days themselves.
    horizon_days : int
        Length of each forecast; with unit "week" a multiple of 7.
    level, draws, seed
        Of the simulated futures.

    Returns
    -------
    RollingOrigin

    Raises
    ------
    CxError
        As ``summarize`` and ``holdout``, or the time observed is too short for the origins.

    References
    ----------
    Tashman (2000). Out-of-sample tests of forecasting accuracy: an analysis and review.
    International Journal of Forecasting 16(4), doi:10.1016/S0169-2070(00)00065-0.
    """
    model = BetaGeo() if model is None else model
    chosen = check_choices(unit)
    if not (isinstance(horizon_days, int) and horizon_days > 0) or (
        horizon_days % chosen.period_days
    ):
        raise CxError(
            f"horizon_days must be a whole number of days above 0"
            f"{' and a multiple of 7' if chosen.period_days == 7 else ''}, not {horizon_days!r}"
        )
    last = to_day(until, "until")
    with opened(transactions, connection) as source:
        facts = read_facts(source, last)
    last = last or facts["last_day"]
    if chosen.period_days == 7:  # forecasts end with a Sunday
        last -= timedelta(days=(last.weekday() + 1) % 7)
    if isinstance(origins, int):
        origins = [last - timedelta(days=horizon_days * k) for k in range(origins, 0, -1)]
    days = [to_day(day, "origins") for day in origins]
    if not days or days[0] <= facts["first_day"] or days[-1] + timedelta(horizon_days) > last:
        raise CxError(
            f"{len(days)} origins with {horizon_days} days after each do not fit between "
            f"{facts['first_day']:%Y-%m-%d} and {last:%Y-%m-%d}: take fewer or shorter ones."
        )
    rows = []
    for day in days:
        summary = summarize(
            transactions,
            unit=unit,
            calibration_until=day,
            until=day + timedelta(days=horizon_days),
            newcomers="drop",
            connection=connection,
        )
        if summary["frequency"].sum() < FEWEST_REPEATS:
            raise CxError(
                f"Until {day:%Y-%m-%d} there were fewer than {FEWEST_REPEATS} repeat purchases: "
                "begin later."
            )
        check = holdout(model.fit(summary), summary, level=level, draws=draws, seed=seed)
        rules = check.rules.iloc[1:]
        best = rules["error"].abs().idxmin()
        rows.append(
            {
                "origin": pd.Timestamp(day),
                "customers": len(summary),
                "predicted": check.predicted.estimate,
                "low": check.predicted.low,
                "high": check.predicted.high,
                "actual": check.actual,
                "error": check.error,
                "inside": check.inside,
                "mean_absolute_error": check.mean_absolute_error,
                "correlation": check.correlation,
                "best_rule": best,
                "best_rule_error": rules.loc[best, "error"],
                "rule_mean_absolute_error": rules["mean_absolute_error"].min(),
            }
        )
    table = pd.DataFrame(rows).set_index("origin")
    return RollingOrigin(table, model.label, horizon_days, level)
