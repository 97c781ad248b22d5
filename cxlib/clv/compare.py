"""A fitted model beside another program's fit of the same data, and beside other models."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.histories import require_columns
from cxlib.errors import CxError, Problem

__all__ = ["FitComparison", "compare_fits", "compare_models"]

SAME = 0.01


@dataclass(frozen=True)
class FitComparison:
    """Parameters found by two programs.

    Attributes
    ----------
    table : DataFrame
        Index parameter; columns estimate, standard error, the peer's name, difference. The last
        two are missing where the peer gave up.
    peer : str
    problem : str
        What the peer said when it gave up, else empty.
    """

    table: pd.DataFrame = field(repr=False)
    peer: str
    problem: str = ""

    @property
    def largest(self) -> float:
        """The largest difference, in standard errors; NaN where there is none to take."""
        errors = self.table["standard error"].where(self.table["standard error"] > 0)
        return float((self.table["difference"].abs() / errors).max())

    def to_frame(self) -> pd.DataFrame:
        """One row a parameter, as in ``table``."""
        return self.table.copy()

    def summary(self) -> str:
        """One sentence: whether the two agree, measured in standard errors, and the soft one."""
        soft = (self.table["standard error"] / self.table["estimate"]).idxmax()
        tail = f" The parameter that these data pin down least, relative to its size, is {soft}."
        if self.problem:
            return f"{self.peer} gave up on these data: {self.problem}.{tail}"
        if not np.isfinite(self.largest):
            return f"{self.peer} found numbers, but ours have no standard errors to judge them by."
        if self.largest < SAME:
            return (
                f"Two programs that share no code agree to within {SAME:g} of a standard error, "
                f"which is a good sign for both.{tail}"
            )
        return (
            f"The two differ by up to {self.largest:.2g} standard errors: compare their "
            f"log-likelihoods before you trust either.{tail}"
        )


def compare_fits(model, peer, summary: pd.DataFrame) -> FitComparison:
    """Fit a peer to the data of a fitted model and put both side by side.

    Parameters
    ----------
    model : BetaGeo
        Fitted to ``summary``.
    peer : object
        A fitter as in lifetimes: ``fit(frequency, recency, T)``, then ``params_``.
    summary : DataFrame
        Columns frequency, recency, T.

    Returns
    -------
    FitComparison
        A peer that raises is reported in ``problem``, not passed on.

    Raises
    ------
    CxError
        The model is not fitted, or a column is missing.

    Examples
    --------
    >>> import lifetimes
    >>> from cxlib.clv import BetaGeo
    >>> truth = BetaGeo({"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5})
    >>> summary = truth.simulate(40.0, customers=500, seed=1)
    >>> compare_fits(BetaGeo().fit(summary), lifetimes.BetaGeoFitter(), summary).largest < 0.01
    True
    """
    require_columns(summary, ("frequency", "recency", "T"))
    table = model.to_frame()[["estimate", "standard_error"]]
    table.columns = ["estimate", "standard error"]
    name, problem = type(peer).__module__.partition(".")[0], ""
    try:
        found = peer.fit(summary["frequency"], summary["recency"], summary["T"]).params_
    except (ArithmeticError, ValueError) as error:
        found = {}
        problem = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    table[name] = [float(found.get(key, np.nan)) for key in table.index]
    table["difference"] = table["estimate"] - table[name]
    return FitComparison(table, name, problem)


def compare_models(*models) -> pd.DataFrame:
    """Fitted models of the same customers by Akaike's criterion.

    None of BG/NBD, MBG/NBD and Pareto/NBD is a special case of another, so that a likelihood-ratio
    test has no meaning between them: AIC = 2 x parameters - 2 x log-likelihood judges instead. A
    fit is not a forecast: look at the holdout, too.

    Parameters
    ----------
    *models : PurchaseModel
        At least two, fitted without priors to the same customers in the same unit of time.

    Returns
    -------
    DataFrame
        Index model, best first; columns parameters, log_likelihood, aic, behind (AIC less that of
        the best), weight (exp(-behind / 2), adding up to 1).

    Raises
    ------
    CxError
        Models not fitted, or to different numbers of customers, with priors, or of different data
        (BG/BB counts opportunities, so its likelihood has another unit).

    Examples
    --------
    >>> from cxlib.clv import BetaGeo, ModifiedBetaGeo
    >>> truth = ModifiedBetaGeo({"r": 1.0, "alpha": 4.0, "a": 0.8, "b": 1.0})
    >>> customers = truth.simulate(40.0, customers=2000, seed=1)
    >>> compare_models(BetaGeo().fit(customers), ModifiedBetaGeo().fit(customers)).index[0]
    'MBG/NBD'
    """
    if len(models) < 2:
        raise CxError("A comparison needs at least two fitted models.")
    for model in models:
        model.require_covariance()
    problems = [
        Problem(f"{what} differ: {', '.join(sorted(map(str, found)))}")
        for what, found in (
            ("numbers of customers", {model.customers for model in models}),
            (
                "units of the likelihood",
                {"opportunities" if m.steps_are_whole else "time" for m in models},
            ),
        )
        if len(found) > 1
    ]
    problems += [
        Problem(f"{model.label} was fitted with priors, so it is not at its highest likelihood")
        for model in models
        if model.prior
    ]
    if problems:
        raise CxError("These likelihoods cannot be compared.", problems)
    table = pd.DataFrame(
        {
            "parameters": [model.parameters for model in models],
            "log_likelihood": [model.log_likelihood for model in models],
        },
        index=pd.Index([model.label for model in models], name="model"),
    )
    table["aic"] = 2 * table["parameters"] - 2 * table["log_likelihood"]
    table["behind"] = table["aic"] - table["aic"].min()
    weight = np.exp(-table["behind"] / 2)
    table["weight"] = weight / weight.sum()
    return table.sort_values("aic")
