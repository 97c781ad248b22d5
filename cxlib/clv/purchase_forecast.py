"""How many purchases will come, of each customer and of any group, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.histories import read_histories
from cxlib.clv.interval import check_simulation, in_words, interval_of, percent
from cxlib.errors import CxError
from cxlib.stats.interval import Interval

__all__ = ["Forecast", "forecast"]

CELLS = 2_000_000


@dataclass(frozen=True, eq=False)
class Forecast:
    """Purchases to come, with prediction intervals.

    Attributes
    ----------
    customers : DataFrame
        Indexed as the summary: expected, low, high (whole counts), p_alive.
    groups : DataFrame
        One row a group of ``by`` (one row "all" without): customers, expected, low, high of the
        group's total.
    total : Interval
    horizon : float
    level : float
    """

    customers: pd.DataFrame = field(repr=False)
    groups: pd.DataFrame = field(repr=False)
    total: Interval
    horizon: float
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a customer, as in ``customers``."""
        return self.customers.copy()

    def summary(self) -> str:
        """One sentence with the total and its interval."""
        return (
            f"{len(self.customers):,} customers are expected to make "
            f"{in_words(self.total, digits=0)} purchases together in the next {self.horizon:g} "
            f"units of time ({percent(self.level)} prediction interval), if the model holds."
        )

    def plot(self, ax=None):
        """Totals of the groups with their intervals; see ``plot_forecast``."""
        from cxlib.clv.plot_totals import plot_forecast

        return plot_forecast(self, ax=ax)


def forecast(
    model,
    summary: pd.DataFrame,
    *,
    horizon: float,
    by: pd.Series | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 1,
) -> Forecast:
    """Purchases in the next ``horizon`` units of time, per customer and in total.

    The intervals hold all that is uncertain while the model holds: its parameters (drawn from the
    posterior where there is one, else from their covariance), what kind of customer each is, and
    the purchases to come, simulated one by one. One parameter draw serves all customers of a
    simulated future, so that totals are as uncertain as they should be: errors of single customers
    average out, those of the parameters do not.

    Parameters
    ----------
    model : PurchaseModel
        Fitted; with given parameters these count as known.
    summary : DataFrame
        Columns frequency, recency, T; one row a customer.
    horizon : float
        In the unit of T, > 0.
    by : Series, optional
        Group of each customer, indexed as the summary: a total with its interval for each.
    level : float
    draws : int
        Simulated futures.
    seed : int

    Returns
    -------
    Forecast
        Customers' intervals end at whole counts and so cover at least ``level``.

    Raises
    ------
    CxError
        Broken rows, rows with n > 1, a horizon that is not a time above 0, groups missing.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo
    >>> model = BetaGeo({"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5})
    >>> customers = model.simulate(40.0, customers=300, horizon=20.0, seed=2)
    >>> found = forecast(model, customers, horizon=20.0)
    >>> bool(found.total.low <= customers["holdout_frequency"].sum() <= found.total.high)
    True
    """
    check_simulation(level, draws)
    if not (isinstance(horizon, (int, float, np.number)) and np.isfinite(horizon) and horizon > 0):
        raise CxError(f"horizon must be a finite time above 0, not {horizon!r}")
    n = read_histories(summary)[3]
    if (n != 1).any():
        raise CxError("Forecasts are per customer: expand rows with n > 1, or drop the column n.")
    codes, labels = grouped(by, summary)
    expected = model.expected_purchases(summary, horizon)
    rng = np.random.default_rng(seed)
    low, high, totals = simulate_counts(
        model, summary, codes, len(labels), horizon, level, draws, rng
    )
    customers = pd.DataFrame(
        {"expected": expected, "low": low, "high": high, "p_alive": model.p_alive(summary)},
        index=summary.index,
    )
    sums = np.bincount(codes, expected, len(labels))
    sizes = np.bincount(codes, minlength=len(labels))

    def one(estimate, drawn, size):
        return interval_of(estimate, drawn, level, int(size), "prediction", "purchases to come")

    each = [one(*row) for row in zip(sums, totals, sizes, strict=True)]
    groups = pd.DataFrame(
        {
            "customers": sizes,
            "expected": sums,
            "low": [i.low for i in each],
            "high": [i.high for i in each],
        },
        index=pd.Index(labels, name="group"),
    )
    total = one(expected.sum(), totals.sum(axis=0), len(summary))
    return Forecast(customers, groups, total, float(horizon), level)


def grouped(by, summary):
    """Code of each customer's group, and the groups' names."""
    if by is None:
        return np.zeros(len(summary), int), ["all"]
    if not (isinstance(by, pd.Series) and by.index.equals(summary.index)):
        raise CxError("by must be a Series indexed as the summary, one group a customer.")
    codes, labels = pd.factorize(by, sort=True)
    if (codes < 0).any():
        raise CxError(
            f"by holds no group for {int((codes < 0).sum()):,} of {len(by):,} customers, the first "
            f'{by.index[int(np.argmax(codes < 0))]!r}. Give them one, such as "unknown".'
        )
    return codes, labels


def simulate_counts(model, summary, codes, groups, horizon, level, draws, rng):
    """Interval of each customer's count, and drawn totals by group of shape (groups, draws).

    Whole counts: the low end is the largest, the high end the smallest that leave at most
    (1 - level)/2 of the draws outside.
    """
    params = model.draw_parameters(draws, rng)
    x, t_x, T, _ = model.read(summary)
    low, high = np.empty(len(x)), np.empty(len(x))
    totals = np.zeros((groups, draws))
    step = max(1, CELLS // draws)
    sides = [(1 - level) / 2, (1 + level) / 2]
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        own = model.params_for(params, summary.iloc[part])
        counts = np.zeros(x[part].size * draws)
        history = (x[part, None], t_x[part, None], T[part, None])
        for cells, _ in model.draw_future(own, *history, horizon, rng):
            counts[cells] += 1
        counts = counts.reshape(-1, draws)
        low[part], high[part] = np.quantile(counts, sides, axis=1, method="inverted_cdf")
        np.add.at(totals, codes[part], counts)
    return low, high, totals
