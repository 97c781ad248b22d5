"""The miss in the holdout, cohort by cohort."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from cxlib.clv.holdout_check import read_holdout
from cxlib.clv.interval import bounds, percent
from cxlib.clv.purchase_forecast import simulate_counts
from cxlib.clv.surprise import distance_p
from cxlib.clv.units import unit_of
from cxlib.errors import CxError

__all__ = ["CohortErrors", "error_by_cohort"]


@dataclass(frozen=True, eq=False)
class CohortErrors:
    """Predicted and actual holdout purchases of each cohort.

    Attributes
    ----------
    table : DataFrame
        Index cohort; customers, predicted, low, high (prediction interval of the total), actual,
        error = predicted / actual - 1, inside.
    p : float
        Of the chi-square distance of all actual totals from the predicted ones, by simulation:
        small where some cohorts differ from the rest in a way the model cannot make.
    level : float
    """

    table: pd.DataFrame = field(repr=False)
    p: float
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a cohort, as in ``table``."""
        return self.table.copy()

    def summary(self) -> str:
        """How many cohorts lie outside their interval, and the worst error."""
        out = int((~self.table["inside"]).sum())
        worst = self.table.loc[self.table["error"].abs().idxmax()]
        return (
            f"Of {len(self.table)} cohorts {out} lie outside their {percent(self.level)} "
            f"prediction interval; the largest miss is {percent(worst['error'], 1, sign=True)} "
            f"({worst.name}). At most {percent(self.p, 1)} of what the model itself would make "
            "is as far out over all cohorts."
        )

    def plot(self, ax=None):
        """Predicted and actual by cohort; see ``plot_cohort_errors``."""
        from cxlib.clv.plot_validation import plot_cohort_errors

        return plot_cohort_errors(self, ax=ax)


def error_by_cohort(
    model,
    summary: pd.DataFrame,
    cohorts=None,
    *,
    groups: int = 4,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 1,
) -> CohortErrors:
    """Compare predicted and actual holdout purchases by cohort.

    Parameters
    ----------
    model : PurchaseModel
        Fitted to the calibration columns.
    summary : DataFrame
        As ``summarize(..., calibration_until=...)`` returns it.
    cohorts : array_like of labels, optional
        One a customer: when, where or by what campaign they came. Default: by the time since the
        first purchase, cut into ``groups`` of about equal size, oldest first.
    groups : int
    level, draws, seed
        Of the simulated futures.

    Returns
    -------
    CohortErrors

    Raises
    ------
    CxError
        As ``holdout``, or labels that do not fit the customers.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo
    >>> truth = BetaGeo({"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5})
    >>> data = truth.simulate([20.0] * 300 + [40.0] * 300, horizon=20.0, seed=3)
    >>> check = error_by_cohort(truth, data, ["new"] * 300 + ["old"] * 300)
    >>> check.table["inside"].tolist()
    [True, True]
    """
    x, _, T, actual, duration = read_holdout(summary, level, draws)
    labels = by_age(T, groups, unit_of(summary).plural) if cohorts is None else pd.Series(cohorts)
    if len(labels) != len(x) or labels.isna().any():
        raise CxError(f"cohorts needs one label for each of {len(x):,} customers, none missing.")
    codes, names = pd.factorize(labels.to_numpy(), sort=cohorts is not None)
    predicted = model.expected_purchases(summary, duration).to_numpy()
    rng = np.random.default_rng(seed)
    _, _, drawn = simulate_counts(model, summary, codes, len(names), duration, level, draws, rng)
    low, high = bounds(drawn, level)
    table = pd.DataFrame(
        {
            "customers": np.bincount(codes),
            "predicted": np.bincount(codes, predicted),
            "low": low,
            "high": high,
            "actual": np.bincount(codes, actual).astype(int),
        },
        index=pd.Index(names, name="cohort"),
    )
    if cohorts is None:
        table = table.loc[labels.cat.categories.intersection(names, sort=False)]
    came = table["actual"]
    table["error"] = table["predicted"] / came.where(came > 0) - 1
    table["inside"] = came.between(table["low"], table["high"])
    return CohortErrors(table, distance_p(np.bincount(codes, actual), drawn), level)


def by_age(T, groups, unit) -> pd.Series:
    edges = np.unique(np.quantile(T, np.linspace(0, 1, groups + 1)))
    if len(edges) < 3:
        return pd.Series(pd.Categorical(np.full(len(T), f"all ({unit})")))
    part = np.clip(np.searchsorted(edges, T, "left") - 1, 0, len(edges) - 2)
    names = [f"{low:.0f} to {high:.0f} {unit} ago" for low, high in pairwise(edges)]
    return pd.Series(pd.Categorical.from_codes(part, names).reorder_categories(names[::-1]))
