"""Whether the parameters a model adds to a smaller one are worth it: likelihood ratio."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from scipy.stats import chi2

from cxlib.clv.covariates import CovariateModel
from cxlib.errors import CxError

__all__ = ["LikelihoodRatio", "likelihood_ratio"]


@dataclass(frozen=True)
class LikelihoodRatio:
    """Twice the gain in log-likelihood, beside what chance would gain.

    Attributes
    ----------
    statistic, p : float
    freedom : int
        Parameters more.
    smaller, larger : str
    """

    statistic: float
    freedom: int
    p: float
    smaller: str
    larger: str

    def to_frame(self) -> pd.DataFrame:
        return pd.DataFrame([vars(self)])

    def summary(self) -> str:
        """One sentence with the verdict at 5 %."""
        verdict = (
            "more than chance gains once in twenty times"
            if self.p < 0.05
            else "no more than chance may gain"
        )
        return (
            f"{self.larger} gains {self.statistic:.1f} in twice the log-likelihood over "
            f"{self.smaller} by {self.freedom} parameter{'s' * (self.freedom > 1)} more "
            f"(p = {self.p:.3g}): {verdict}."
        )


def likelihood_ratio(smaller, larger) -> LikelihoodRatio:
    """Test a model against a special case of it, both fitted without priors to the same customers.

    Nested are a model without covariates and the same with some, or with fewer and with more. If
    the smaller is true, twice the difference of the log-likelihoods is about chi-squared with as
    many degrees of freedom as there are parameters more.

    Parameters
    ----------
    smaller, larger : PurchaseModel or CovariateModel

    Returns
    -------
    LikelihoodRatio

    Raises
    ------
    CxError
        The first is not a special case of the second (``compare_models`` ranks those by AIC), a
        parameter lies at its bound, priors, or other customers.

    Examples
    --------
    >>> import numpy as np
    >>> from cxlib.clv import BetaGeo, with_covariates
    >>> truth = BetaGeo({"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5})
    >>> table = truth.simulate(40.0, customers=800, seed=1).assign(luck=np.arange(800) % 7)
    >>> luck = with_covariates(BetaGeo(), rate=["luck"]).fit(table)
    >>> likelihood_ratio(BetaGeo().fit(table), luck).p > 0.05
    True
    """
    for model in (smaller, larger):
        model.require_covariance()
    few, many = described(smaller), described(larger)
    if not (
        few[0] is many[0]
        and few[1] <= many[1]
        and few[2] <= many[2]
        and len(smaller.names) < len(larger.names)
    ):
        raise CxError(
            f"{smaller.label} is not a special case of {larger.label}, so that their likelihood "
            "ratio has no known distribution. compare_models ranks them by AIC."
        )
    if smaller.customers != larger.customers or smaller.prior or larger.prior:
        raise CxError(
            "Both models must be fitted to the same customers, without priors: "
            f"{smaller.customers:,} and {larger.customers:,} customers, priors "
            f"{bool(smaller.prior)} and {bool(larger.prior)}."
        )
    for model in (smaller, larger):
        if model.at_boundary:
            raise CxError(
                "At a bound the likelihood ratio is not chi-squared: " + model.boundary_note
            )
    freedom = len(larger.names) - len(smaller.names)
    statistic = max(0.0, 2 * (larger.log_likelihood - smaller.log_likelihood))
    return LikelihoodRatio(
        float(statistic),
        freedom,
        float(chi2.sf(statistic, freedom)),
        smaller.label,
        larger.label,
    )


def described(model):
    """Kind of the model and the covariates acting on buying and on leaving."""
    if isinstance(model, CovariateModel):
        return type(model.base), set(model.rate), set(model.dropout)
    return type(model), set(), set()
