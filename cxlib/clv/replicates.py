"""Would customers of the fitted model look like those it was fitted to?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.histories import read_histories
from cxlib.clv.interval import bounds, check_simulation, percent
from cxlib.clv.surprise import distance_p, p_two_sided
from cxlib.errors import CxError

__all__ = ["PredictiveCheck", "predictive_check"]

CELLS = 500_000
TOP_FREQUENCY = 7
MOST_CUSTOMERS = 20_000
MEASURES = {
    "share without repeat": "customers who never came back",
    "mean frequency": "repeat purchases a customer",
    "frequency: variance / mean": "how unequal customers are",
    "mean recency / T of repeat buyers": "when the last purchase came: leaving",
    "share of repeat buyers silent for half": "last purchase in the first half of T: leaving",
}


@dataclass(frozen=True, eq=False)
class PredictiveCheck:
    """The data beside replicates drawn from the fitted model.

    Attributes
    ----------
    measures : DataFrame
        Index measure; observed, expected (mean of the replicates), low, high, p (two-sided).
    frequencies : DataFrame
        By frequency, the last row "and more": observed, expected, low, high customers.
    p : float
        Of the furthest measure, all of them looked at, by simulation.
    customers, draws : int
    level : float
    """

    measures: pd.DataFrame = field(repr=False)
    frequencies: pd.DataFrame = field(repr=False)
    p: float
    customers: int
    draws: int
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a measure, as in ``measures``."""
        return self.measures.copy()

    def summary(self) -> str:
        """How many measures lie outside, and the worst of them."""
        out = ~self.measures["observed"].between(self.measures["low"], self.measures["high"])
        worst = self.measures.loc[self.measures["p"].idxmin()]
        text = (
            f"Of {len(out)} measures of the histories of {self.customers:,} customers "
            f"{out.sum()} lie outside the {percent(self.level)} range of {self.draws} replicates"
        )
        if not out.any():
            return f"{text}: the model could have made these data."
        return (
            f"{text}; furthest out is {worst.name} ({worst['observed']:.3f} where "
            f"[{worst['low']:.3f}, {worst['high']:.3f}] was to be expected)."
        )

    def plot(self, ax=None):
        """Customers by frequency, observed and replicated; see ``plot_predictive_check``."""
        from cxlib.clv.plot_validation import plot_predictive_check

        return plot_predictive_check(self, ax=ax)


def predictive_check(
    model,
    summary: pd.DataFrame,
    *,
    level: float = 0.95,
    draws: int = 200,
    seed: int = 1,
    most_customers: int = MOST_CUSTOMERS,
) -> PredictiveCheck:
    """Posterior predictive check: replicates of the calibration, customer by customer.

    Each replicate draws parameters as uncertain as the fit leaves them, then a new history of the
    same length T for each customer. A p is the share of replicates at least as far out, doubled;
    as the model was fitted to the same data, it speaks seldomer than p says, never oftener.

    Parameters
    ----------
    model : PurchaseModel
        Fitted to ``summary``.
    summary : DataFrame
        Columns frequency, recency, T, one row a customer.
    level, draws, seed
        Of the replicates.
    most_customers : int
        Of more than these a random sample is taken.

    Returns
    -------
    PredictiveCheck

    References
    ----------
    Gelman, Meng & Stern (1996). Posterior predictive assessment of model fitness via realized
    discrepancies. Statistica Sinica 6.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo
    >>> truth = BetaGeo({"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5})
    >>> check = predictive_check(truth, truth.simulate(40.0, customers=500, seed=3))
    >>> print(check.summary())
    Of 5 measures of the histories of 500 customers 0 lie outside the 95 % range of 200 replicates:
    the model could have made these data.
    """
    check_simulation(level, draws)
    x, t_x, T, n = read_histories(summary)
    if (n != 1).any():
        raise CxError("The check is per customer: expand rows with n > 1, or drop the column n.")
    rng = np.random.default_rng(seed)
    if len(x) > most_customers:
        kept = rng.choice(len(x), most_customers, replace=False)
        x, t_x, T = x[kept], t_x[kept], T[kept]
    observed = Tally(1).add(x[:, None], t_x[:, None], T)
    replicated = replicate(model, T, draws, rng)
    own, theirs = observed.measures(), replicated.measures()
    table = pd.DataFrame(
        {
            name: [own[name][0], drawn.mean(), *bounds(drawn, level), p_two_sided(own[name], drawn)]
            for name, drawn in theirs.items()
        },
        index=["observed", "expected", "low", "high", "p"],
    ).T.rename_axis("measure")
    low, high = bounds(replicated.counts, level)
    frequencies = pd.DataFrame(
        {
            "label": [*map(str, range(TOP_FREQUENCY)), f"{TOP_FREQUENCY}+"],
            "observed": observed.counts[:, 0].astype(int),
            "expected": replicated.counts.mean(axis=1),
            "low": low,
            "high": high,
        },
        index=pd.RangeIndex(TOP_FREQUENCY + 1, name="frequency"),
    )
    both = (np.array(list(values.values())) for values in (own, theirs))
    p = distance_p(next(both)[:, 0], next(both), worst=True)
    return PredictiveCheck(table, frequencies, p, len(x), draws, level)


def replicate(model, T, draws, rng) -> Tally:
    params = model.draw_parameters(draws, rng)
    tally = Tally(draws)
    step = max(1, CELLS // draws)
    for start in range(0, len(T), step):
        part = T[start : start + step]
        counts, last = np.zeros(part.size * draws), np.zeros(part.size * draws)
        for cells, when in model.draw_newcomers(params, part[:, None], rng):
            counts[cells] += 1
            last[cells] = when
        tally.add(counts.reshape(-1, draws), last.reshape(-1, draws), part)
    return tally


class Tally:
    """Sums over customers, one column a replicate."""

    def __init__(self, draws: int):
        self.counts = np.zeros((TOP_FREQUENCY + 1, draws))
        self.sums = np.zeros((6, draws))

    def add(self, x, t_x, T) -> Tally:
        group = np.minimum(x, TOP_FREQUENCY)
        for k in range(TOP_FREQUENCY + 1):
            self.counts[k] += (group == k).sum(axis=0)
        again = x > 0
        share = np.where(again, t_x / np.maximum(T[:, None], 1e-9), 1.0)
        parts = (np.ones_like(x), x, x**2, again, again * share, share < 0.5)
        self.sums += [part.sum(axis=0) for part in parts]
        return self

    def measures(self) -> dict[str, np.ndarray]:
        n, x, squares, again, shares, silent = self.sums
        mean, buyers = x / n, np.maximum(again, 1)
        variance = squares / n - mean**2
        values = (1 - again / n, mean, variance / np.maximum(mean, 1e-12))
        return dict(zip(MEASURES, (*values, shares / buyers, silent / buyers), strict=True))
