"""How concentrated the value to come is: as expected, and as any one future may turn out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.interval import check_simulation, interval_of, percent
from cxlib.clv.value import check_money, drawn_values, expected_value, unit_for
from cxlib.errors import CxError
from cxlib.stats.interval import Interval

__all__ = ["ForeseenShare", "foreseen_share"]

MOST_DRAWS = 100


@dataclass(frozen=True)
class ForeseenShare:
    """The share of the value to come that customers named today hold and will bring.

    Attributes
    ----------
    expected : Interval
        Share of the expected value that the named hold; the interval holds the parameters.
    predictive : Interval
        Share of what comes that they bring in a simulated future, mean over futures; the interval
        holds parameters, what kind of customer each is, and chance: where ``top_share`` will find
        the realised share of known customers while the model holds.
    share : float
        Share of customers named.
    named : Index
        Their ids, best first.
    """

    expected: Interval
    predictive: Interval
    share: float
    named: pd.Index = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """Expected and predictive share with low and high, one row each."""
        rows = {"expected": self.expected, "predictive": self.predictive}
        return pd.DataFrame(
            {name: (i.estimate, i.low, i.high) for name, i in rows.items()},
            index=["share", "low", "high"],
        ).T.rename_axis("reading")

    def summary(self) -> str:
        """One sentence with both shares and their intervals."""

        def words(i):
            return f"{percent(i.estimate)} ({percent(i.low)} to {percent(i.high)})"

        return (
            f"The {len(self.named):,} customers named today ({percent(self.share)}) hold "
            f"{words(self.expected)} of the expected value; of what will really come they bring "
            f"{words(self.predictive)}, newcomers aside ({percent(self.expected.level)} intervals)."
        )


def foreseen_share(
    model,
    spend,
    summary: pd.DataFrame,
    share: float = 0.2,
    *,
    horizon: float,
    discount_rate: float,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 1,
    unit: str | None = None,
) -> ForeseenShare:
    """Expected and predictive concentration of value; ``top_share`` has the realised one.

    With the customers named by expected value v, and V the value of a future::

        expected   = sum of v over the named / sum of v
        predictive = distribution of (sum of V over the named / sum of V)

    The first says how uneven the *expectations* are, the second what share the named will *bring*.
    Its mean may lie off the first: a ratio's mean is no ratio of means.

    Parameters
    ----------
    model, spend, summary, horizon, discount_rate, level, draws, seed, unit
        As for ``lifetime_value``. For ``expected`` at most 100 draws of the parameters are taken.
    share : float
        Share of customers to name, above 0 and below 1.

    Returns
    -------
    ForeseenShare

    Raises
    ------
    CxError
        As ``lifetime_value``; a share outside 0 to 1; nothing that could come.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo, GammaGamma
    >>> model = BetaGeo({"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5})
    >>> spend = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
    >>> summary = model.simulate(40.0, customers=300, seed=2).assign(monetary=35.0)
    >>> found = foreseen_share(
    ...     model, spend, summary, horizon=26, discount_rate=0.1, draws=100, unit="W"
    ... )
    >>> bool(found.predictive.low < found.expected.estimate < found.predictive.high)
    True
    """
    check_simulation(level, draws)
    check_money(horizon, discount_rate, 1.0)
    if not 0 < share < 1:
        raise CxError(f"share must lie between 0 and 1 (a fifth is 0.2), not {share!r}")
    time = unit_for(summary, unit)
    options = {"horizon": horizon, "discount_rate": discount_rate, "unit": time.name}
    value = expected_value(model, spend, summary, **options).to_numpy()
    order = np.argsort(-value, kind="stable")[: max(1, round(share * len(value)))]
    rng = np.random.default_rng(seed)
    several = [fitted.at_draws(min(draws, MOST_DRAWS), rng) for fitted in (model, spend)]
    held = []
    for buying, spending in zip(*several, strict=True):
        drawn = expected_value(buying, spending, summary, **options).to_numpy()
        held.append(drawn[order].sum() / drawn.sum())
    chosen, whole = np.zeros(draws), np.zeros(draws)
    named = np.zeros(len(value), bool)
    named[order] = True
    force = np.log1p(discount_rate) / time.per_year
    for part, drawn in drawn_values(model, spend, summary, horizon, force, 1.0, draws, rng):
        whole += drawn.sum(axis=0)
        chosen += drawn[named[part]].sum(axis=0)
    if not whole.any():
        raise CxError("In no simulated future does anybody buy: there is no whole to share.")
    brought = chosen[whole > 0] / whole[whole > 0]

    def one(estimate, drawn, method):
        return interval_of(estimate, drawn, level, len(value), method, "share of value to come")

    return ForeseenShare(
        expected=one(value[order].sum() / value.sum(), np.array(held), "parameters"),
        predictive=one(brought.mean(), brought, "prediction"),
        share=share,
        named=summary.index[order],
    )
