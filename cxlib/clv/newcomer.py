"""What a customer yet to be won is worth, beside what winning one costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.clv.interval import check_simulation, in_words, interval_of, percent
from cxlib.clv.summary import unit_of
from cxlib.clv.value import check_money
from cxlib.errors import CxError
from cxlib.stats.interval import Interval

__all__ = ["NewcomerValue", "newcomer_value"]


@dataclass(frozen=True)
class NewcomerValue:
    """The expected value of a newcomer, first purchase included.

    Attributes
    ----------
    value, net : Interval
        Before and after the acquisition cost; the interval holds the uncertainty of the
        parameters, as the mean of many newcomers does, not the chance of a single one.
    ratio : Interval or None
        Value to acquisition cost; None where that is 0.
    first : float
        Of the value, what the first purchase brings.
    acquisition_cost, horizon : float
    unit : str
    """

    value: Interval
    net: Interval
    ratio: Interval | None
    first: float
    acquisition_cost: float
    horizon: float
    unit: str

    def to_frame(self) -> pd.DataFrame:
        """One row a quantity: estimate, low, high."""
        rows = {"value": self.value, "net": self.net, "ratio": self.ratio}
        return pd.DataFrame(
            {name: (i.estimate, i.low, i.high) for name, i in rows.items() if i is not None},
            index=["estimate", "low", "high"],
        ).T.rename_axis("quantity")

    def summary(self) -> str:
        """One sentence with the value, its interval and its ratio to the cost."""
        until = f"{self.horizon:g} {self.unit}" if np.isfinite(self.horizon) else "all time"
        text = (
            f"A newcomer is worth {in_words(self.value)} over {until}, {self.first:,.2f} of it by "
            f"the first purchase ({percent(self.value.level)} interval of the mean)"
        )
        if self.ratio is None:
            return f"{text}."
        return f"{text}: {in_words(self.ratio, 2)} times the {self.acquisition_cost:,.2f} it costs."


def newcomer_value(
    model,
    spend,
    *,
    discount_rate: float,
    unit: str,
    horizon: float = np.inf,
    margin: float = 1.0,
    acquisition_cost: float = 0.0,
    level: float = 0.95,
    draws: int = 400,
    seed: int = 1,
) -> NewcomerValue:
    """Margin x mean spend x (1 + discounted expected repeat purchases) of a newcomer.

    Parameters
    ----------
    model : PurchaseModel
    spend : GammaGamma
        The first purchase is taken to cost what later ones do on average.
    discount_rate, margin, level, draws, seed
        As for ``lifetime_value``; draws are of the parameters.
    unit : {"W", "week", "D", "M"}
        The unit of time the model was fitted in.
    horizon : float
        In that unit.
    acquisition_cost : float
        What winning a customer costs, >= 0.

    Returns
    -------
    NewcomerValue

    Examples
    --------
    >>> from cxlib.clv import GammaGamma, ParetoNBD
    >>> model = ParetoNBD({"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669})
    >>> spend = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
    >>> found = newcomer_value(
    ...     model, spend, discount_rate=0.15, unit="W", margin=0.3, acquisition_cost=20.0
    ... )
    >>> round(found.ratio.estimate, 2)
    2.63
    """
    check_simulation(level, draws)
    check_money(1.0 if horizon == np.inf else horizon, discount_rate, margin)
    if not (np.isfinite(acquisition_cost) and acquisition_cost >= 0):
        raise CxError(f"acquisition_cost must be a finite amount >= 0, not {acquisition_cost!r}")
    if horizon == np.inf and discount_rate == 0:
        raise CxError("Without discount the purchases of all time add up to no finite number.")
    time = unit_of(pd.DataFrame(), unit)
    force = np.log1p(discount_rate) / time.per_year
    rng, zero = np.random.default_rng(seed), np.zeros(1)

    def worth(buying, spending):
        return (
            margin
            * spending.population_mean
            * (1 + buying.discounted(zero, zero, zero, horizon, force).item())
        )

    def each(fitted):
        drawn = fitted.draw_parameters(draws, rng)
        return [
            type(fitted)(dict(zip(drawn, row, strict=True)))
            for row in zip(*drawn.values(), strict=True)
        ]

    estimate = worth(model, spend)
    drawn = np.array([worth(*pair) for pair in zip(each(model), each(spend), strict=True)])

    def interval(shift, scale, what):
        values = (drawn - shift) * scale
        return interval_of(
            (estimate - shift) * scale, values, level, model.customers, "parameters", what
        )

    cost = float(acquisition_cost)
    return NewcomerValue(
        interval(0, 1, "value"),
        interval(cost, 1, "value less cost"),
        interval(0, 1 / cost, "value to cost") if cost else None,
        float(margin * spend.population_mean),
        cost,
        float(horizon),
        time.plural,
    )
