"""Lifetime value to a horizon: how often, how much, how long, and how sure."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.gamma_gamma import read_spend
from cxlib.clv.histories import read_histories
from cxlib.clv.interval import bounds, check_simulation, in_words, interval_of, percent
from cxlib.clv.summary import unit_of
from cxlib.errors import CxError, Problem
from cxlib.stats.interval import Interval

__all__ = ["LifetimeValue", "expected_value", "lifetime_value"]

CELLS = 500_000


@dataclass(frozen=True, eq=False)
class LifetimeValue:
    """The value of each customer, and of all together, to a horizon.

    Attributes
    ----------
    customers : DataFrame
        Indexed as the summary: value (expected), low, high (prediction interval), p_alive,
        expected_purchases, expected_spend (per purchase).
    total : Interval
        The sum over customers with its prediction interval.
    horizon, unit, discount_rate, margin, level, draws, seed
        As asked for; ``unit`` is the name of the unit of time.
    """

    customers: pd.DataFrame = field(repr=False)
    total: Interval
    horizon: float
    unit: str
    discount_rate: float
    margin: float
    level: float
    draws: int
    seed: int

    def to_frame(self) -> pd.DataFrame:
        """One row a customer, as in ``customers``."""
        return self.customers.copy()

    def summary(self) -> str:
        """One sentence with the total and its interval."""
        return (
            f"{len(self.customers):,} customers are worth {in_words(self.total)} together over "
            f"the next {self.horizon:g} {self.unit} ({percent(self.level)} prediction interval, "
            f"discounted at {percent(self.discount_rate, 1)} a year, margin "
            f"{percent(self.margin)}), if the model holds."
        )

    def spread(self) -> str:
        """Two sentences: how uneven the values are, and how sure a customer's is and the sum."""
        value = self.customers["value"]
        below = (value < value.mean()).mean()
        total = (self.total.high - self.total.low) / self.total.estimate
        own = (self.customers["high"] - self.customers["low"])[value >= value.mean()]
        single = (own / value[value >= value.mean()]).median()
        return (
            f"The mean is {value.mean():,.2f} a customer, and {percent(below)} of them lie below "
            f"it. The interval of the sum is {percent(total)} of its value wide; that of a "
            f"customer above the mean is typically {percent(single)} of that customer's value."
        )

    def plot(self, ax=None, customers=None):
        """Value with interval of chosen customers; see ``plot_value``."""
        from cxlib.clv.plots import plot_value

        return plot_value(self, customers, ax=ax)


def lifetime_value(
    model,
    spend,
    summary: pd.DataFrame,
    *,
    horizon: float,
    discount_rate: float,
    margin: float = 1.0,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 1,
    unit: str | None = None,
) -> LifetimeValue:
    """Discounted value of the purchases to come, per customer, with prediction intervals.

    ``value = margin x expected spend x sum over future purchases of (1 + i)^(-years to it)`` in
    expectation, exact to quadrature error::

        E[...] = e^(-d h) E(h) + d * integral over 0..h of e^(-d s) E(s) ds

    with E(s) the expected purchases in the next s units and d = log(1 + i) / units per year.
    The interval holds what is uncertain: the parameters (drawn from their covariance), what kind
    of customer this is (rate, dropout and spend drawn from their posterior given the history), and
    the purchases and spends to come (simulated one by one). It does not hold that the model may be
    wrong; see ``holdout``.

    Parameters
    ----------
    model : PurchaseModel or CovariateModel
        Fitted, or with given parameters (taken as known).
    spend : GammaGamma
    summary : DataFrame
        Columns frequency, recency, T, monetary and the covariates of the model.
    horizon : float
        In the unit of the summary; of one by ``Season.summarize`` the factor time,
        ``season.elapsed(end, last_day)``. It is discounted as if factor time were calendar time,
        which over whole years of factors that average 1 is right to a part of a season.
    discount_rate : float
        Yearly, >= 0, such as 0.1; a year has 365.25 days = 52.18 weeks = 12 months.
    margin : float
        Share of the spend that is earned, above 0.
    level : float
        Of the intervals.
    draws : int
        Simulated futures of each customer.
    seed : int
        Same seed, same intervals.
    unit : {"W", "week", "D", "M"}, optional
        Unit of time, where the summary does not carry it.

    Returns
    -------
    LifetimeValue
        The value may lie above a customer's interval: where most futures hold no purchase, the
        interval is [0, 0] and the mean still above 0.

    Raises
    ------
    CxError
        Impossible arguments, a summary with broken rows, or one collapsed by n.

    References
    ----------
    Fader, Hardie & Lee (2005), doi:10.1509/jmkr.2005.42.4.415.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo, GammaGamma
    >>> model = BetaGeo({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426})
    >>> spend = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
    >>> summary = pd.DataFrame(
    ...     {"frequency": [2], "recency": [30.43], "T": [38.86], "monetary": [22.35]}
    ... )
    >>> result = lifetime_value(model, spend, summary, horizon=39, discount_rate=0.1, unit="W")
    >>> result.customers["value"].round(1).item()
    29.2
    """
    check_simulation(level, draws)
    check_money(horizon, discount_rate, margin)
    time = unit_for(summary, unit)
    force = np.log1p(discount_rate) / time.per_year
    mean_spend = spend.expected_spend(summary)
    value = (
        margin
        * mean_spend
        * model.discounted_purchases(summary, discount_rate, horizon=horizon, unit=time.name)
    )
    rng = np.random.default_rng(seed)
    low, high, totals = simulate_values(
        model, spend, summary, horizon, force, margin, level, draws, rng
    )
    customers = pd.DataFrame(
        {
            "value": value,
            "low": low,
            "high": high,
            "p_alive": model.p_alive(summary),
            "expected_purchases": model.expected_purchases(summary, horizon),
            "expected_spend": mean_spend,
        },
        index=summary.index,
    )
    total = interval_of(value.sum(), totals, level, len(summary), "prediction", "total value")
    return LifetimeValue(
        customers,
        total,
        float(horizon),
        time.plural,
        float(discount_rate),
        float(margin),
        level,
        int(draws),
        seed,
    )


def expected_value(
    model,
    spend,
    summary: pd.DataFrame,
    *,
    horizon: float = np.inf,
    discount_rate: float,
    margin: float = 1.0,
    unit: str | None = None,
) -> pd.Series:
    """The expected value of each customer alone, without intervals: millions in a second.

    As the column value of ``lifetime_value``, which says what the arguments mean; an infinite
    horizon is allowed where the discount rate is above 0.

    Examples
    --------
    >>> from cxlib.clv import GammaGamma, ParetoNBD
    >>> model = ParetoNBD({"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669})
    >>> spend = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
    >>> summary = pd.DataFrame(
    ...     {"frequency": [2], "recency": [30.43], "T": [38.86], "monetary": [22.35]}
    ... )
    >>> expected_value(model, spend, summary, discount_rate=0.15, unit="W").round(0).item()
    161.0
    """
    check_money(1.0 if horizon == np.inf else horizon, discount_rate, margin)
    purchases = model.discounted_purchases(summary, discount_rate, horizon=horizon, unit=unit)
    return (margin * purchases * spend.expected_spend(summary)).rename("value")


def simulate_values(model, spend, summary, horizon, force, margin, level, draws, rng):
    """Low and high of each customer, and the totals of all draws."""
    low, high, totals = np.empty(len(summary)), np.empty(len(summary)), np.zeros(draws)
    for part, drawn in drawn_values(model, spend, summary, horizon, force, margin, draws, rng):
        low[part], high[part] = bounds(drawn, level)
        totals += drawn.sum(axis=0)
    return low, high, totals


def drawn_values(model, spend, summary, horizon, force, margin, draws, rng):
    """Values of simulated futures, customers in parts: yields (slice, array (rows, draws))."""
    params, spend_params = model.draw_parameters(draws, rng), spend.draw_parameters(draws, rng)
    rows = (*model.read(summary)[:3], read_spend(summary)[1])
    step = max(1, CELLS // draws)
    for start in range(0, len(summary), step):
        part = slice(start, start + step)
        own = model.params_for(params, summary.iloc[part])
        x, t_x, T, monetary = (values[part, None] for values in rows)
        rates = spend.draw_rates(spend_params, x, monetary, rng).ravel()
        drawn = np.zeros(rates.size)
        for cells, when in model.draw_future(own, x, t_x, T, horizon, rng):
            amounts = rng.standard_gamma(spend_params["p"][cells % draws]) / rates[cells]
            drawn[cells] += margin * amounts * np.exp(-force * when)
        yield part, drawn.reshape(-1, draws)


def unit_for(summary, unit):
    """The unit of time of a summary of one row a customer."""
    if (read_histories(summary)[3] != 1).any():
        raise CxError("Values are per customer: expand rows with n > 1, or drop the column n.")
    return unit_of(summary, unit)


def check_money(horizon, discount_rate, margin):
    problems = [
        Problem(f"{name} = {value!r}", allowed=allowed, cause=cause)
        for name, value, good, allowed, cause in (
            ("horizon", horizon, lambda v: v > 0, "a finite time above 0", ""),
            (
                "discount_rate",
                discount_rate,
                lambda v: 0 <= v < 1,
                "a yearly rate from 0 to below 1",
                "Ten per cent is 0.1, not 10.",
            ),
            (
                "margin",
                margin,
                lambda v: 0 < v <= 1,
                "a share above 0 and up to 1",
                "Thirty per cent is 0.3, not 30.",
            ),
        )
        if not (isinstance(value, (int, float, np.number)) and np.isfinite(value) and good(value))
    ]
    if problems:
        raise CxError("The value cannot be computed.", problems)
