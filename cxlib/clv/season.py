"""Known seasons: time that runs faster in weeks in which everybody buys more."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.clv.sources import plain_frame
from cxlib.clv.summary import summarize
from cxlib.clv.units import UNITS, to_day
from cxlib.errors import CxError, CxWarning, Problem

__all__ = ["Season"]


@dataclass(frozen=True, eq=False)
class Season:
    """Calendar factors of the purchase rate, known beforehand, and time measured by them.

    A customer of rate lambda buys at rate lambda f(t) at time t, f the factor of the calendar
    (2 = twice as many purchases as at factor 1). In cumulated factor time::

        F(t) = integral of f up to t,   T' = F(end) - F(first),   t_x' = F(last) - F(first)

    purchases come at the constant rate lambda. BG/NBD and MBG/NBD, in which customers leave only
    after purchases, hold exactly in this time. In Pareto/NBD leaving then follows the season as
    well: an approximation, good where the factors even out within the time a customer stays. So
    does discounting, which counts factor time as time. The factors must come from elsewhere, such
    as earlier years or a product's sales: estimated from the same purchases, they take up trend
    and leaving, too.

    Parameters
    ----------
    factors : Series
        Index: the first day of each period, ascending, evenly spaced or not; values above 0. Each
        factor holds until the next day given, the last one for as long as the one before it.

    Examples
    --------
    >>> weeks = pd.date_range("2025-01-06", periods=6, freq="7D")
    >>> season = Season(pd.Series([1, 1, 1, 3, 1, 1], weeks))
    >>> season.elapsed("2025-01-13", "2025-02-03")
    5.0
    """

    factors: pd.Series

    def __post_init__(self):
        factors = self.factors
        problems = []
        if not (isinstance(factors, pd.Series) and len(factors) > 1):
            raise CxError("factors must be a Series of at least two factors, indexed by dates.")
        if not isinstance(factors.index, pd.DatetimeIndex):
            problems.append(Problem("the index of factors must hold dates, by pandas.to_datetime"))
        elif not (factors.index.is_monotonic_increasing and factors.index.is_unique):
            problems.append(Problem("the dates of factors must ascend, none of them twice"))
        values = factors.to_numpy(dtype=float, na_value=np.nan)
        broken = ~(np.isfinite(values) & (values > 0))
        if broken.any():
            problems.append(
                Problem(
                    f"factors must be finite and above 0: {int(broken.sum())} of {len(values)} "
                    f"are not, the first at {factors.index[int(np.argmax(broken))]}",
                    cause="A closed week cannot be told from one without demand; give it 0.01.",
                )
            )
        if problems:
            raise CxError("The season cannot be used.", problems)

    @property
    def end(self) -> pd.Timestamp:
        """The first day after the last factor."""
        days = self.factors.index
        return days[-1] + (days[-1] - days[-2])

    def elapsed(self, start, end, *, unit: str = "W") -> float:
        """Factor time between two days, in ``unit``: the horizon of a forecast, for example.

        The factors of the days after ``start`` up to and with ``end`` count, as in ``summarize``.
        """
        at = self.cumulated(pd.DatetimeIndex([to_day(start), to_day(end)]), unit)
        return float(at[1] - at[0])

    def cumulated(self, days: pd.DatetimeIndex, unit: str = "W") -> np.ndarray:
        """Factor time up to the end of each day, since the end of the day before the first."""
        if unit not in {"W", "D"}:
            raise CxError(f'Seasons are of elapsed time: unit is "W" or "D", not {unit!r}')
        starts = self.factors.index.append(pd.DatetimeIndex([self.end]))
        outside = (days < starts[0]) | (days >= self.end)
        if outside.any():
            raise CxError(
                f"The factors run from {starts[0]:%Y-%m-%d} to before {self.end:%Y-%m-%d}: "
                f"{int(outside.sum()):,} of {len(days):,} days lie outside, such as "
                f"{days[int(np.argmax(outside))]:%Y-%m-%d}."
            )
        ends = (starts - starts[0]).days.to_numpy(float)
        cumulated = np.append(0.0, np.cumsum(self.factors.to_numpy(float) * np.diff(ends)))
        passed = (days - starts[0]).days.to_numpy(float) + 1
        return np.interp(passed, ends, cumulated) / UNITS[unit].periods_per_unit

    def summarize(self, transactions: pd.DataFrame, *, unit: str = "W", **options) -> pd.DataFrame:
        """As ``cxlib.clv.summarize``, with recency, T and holdout_duration in factor time.

        Parameters
        ----------
        transactions : DataFrame
        unit : {"W", "D"}
        **options
            Of ``cxlib.clv.summarize``.

        Returns
        -------
        DataFrame
            ``attrs["season"]["log_factors"]``, the sum of the logarithms of the factors on the
            days of repeat purchases, added to the log-likelihood of a model of these data makes
            it comparable with one of the same model without a season.
        """
        frame = summarize(transactions, unit=unit, **options)
        noted = frame.attrs["summarize"]
        end = pd.Timestamp(noted["calibration_until"] or noted["until"])
        rows = plain_frame(transactions)
        days = pd.DataFrame(
            {"id": rows["customer_id"].astype(str), "day": rows["ordered_at"].dt.normalize()}
        ).drop_duplicates()
        days = days[(days["day"] <= end) & days["id"].isin(frame.index.astype(str))]
        by = days.groupby("id")["day"]
        first, last = (
            getattr(by, name)().reindex(frame.index.astype(str)) for name in ("min", "max")
        )
        begun = self.cumulated(pd.DatetimeIndex(first), unit)
        seasonal = frame.assign(
            recency=self.cumulated(pd.DatetimeIndex(last), unit) - begun,
            T=self.cumulated(pd.DatetimeIndex([end]), unit) - begun,
        )
        if "holdout_duration" in frame:
            seasonal["holdout_duration"] = self.elapsed(end, noted["until"], unit=unit)
        repeats = days[days["day"] > by.transform("min")]["day"]
        place = self.factors.index.searchsorted(repeats, "right") - 1
        log_factors = float(np.log(self.factors.to_numpy(float)[place]).sum())
        seasonal.attrs = {**frame.attrs, "season": {"log_factors": log_factors}}
        mean = float(seasonal["T"].sum() / frame["T"].sum()) if frame["T"].sum() else 1.0
        if not 0.2 < mean < 5:
            warnings.warn(
                f"The factors average {mean:.2g} over the time observed; rates are per unit of "
                "factor time. Divide the factors by their mean to keep the unit.",
                CxWarning,
                stacklevel=2,
            )
        return seasonal
