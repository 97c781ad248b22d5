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
    covariates: pd.DataFrame | None = None,
) -> NewcomerValue:
    """Margin x mean spend x (1 + discounted expected repeat purchases) of a newcomer.

    Parameters
    ----------
    model : PurchaseModel or CovariateModel
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
    covariates : DataFrame, optional
        For a model with covariates: what is known of the newcomers, one row each; the value is
        their mean. One row gives the value of one kind of newcomer.

    Returns
    -------
    NewcomerValue

    Raises
    ------
    CxError
        Impossible arguments, a model with covariates without those of the newcomers, or
        covariates for a model without them.

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
    newcomers, share = newcomers_of(model, covariates)
    rng = np.random.default_rng(seed)

    def worth(buying, spending):
        again = buying.discounted_purchases(newcomers, discount_rate, horizon=horizon, unit=unit)
        return margin * spending.population_mean * (1 + share @ again.to_numpy())

    several = [fitted.at_draws(draws, rng) for fitted in (model, spend)]
    estimate = worth(model, spend)
    drawn = np.array([worth(*pair) for pair in zip(*several, strict=True)])

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


def newcomers_of(model, covariates):
    """Kinds of newcomers as rows of a summary, and the share of each."""
    nothing = {"frequency": 0, "recency": 0.0, "T": 0.0}
    acting = list(dict.fromkeys((*getattr(model, "rate", ()), *getattr(model, "dropout", ()))))
    if not acting:
        if covariates is not None:
            raise CxError(f"{model.label} knows no covariates: leave covariates= out.")
        return pd.DataFrame(nothing, index=[0]), np.ones(1)
    if not isinstance(covariates, pd.DataFrame) or not len(covariates):
        raise CxError(
            f"{model.label} values newcomers by {', '.join(acting)}: say covariates=DataFrame with "
            "these columns, one row a newcomer. For the customers there are, use lifetime_value."
        )
    model.covariates_of(covariates)
    kinds = covariates.groupby(acting, sort=False).size()
    rows = kinds.index.to_frame(index=False).assign(**nothing)
    return rows, kinds.to_numpy() / len(covariates)
