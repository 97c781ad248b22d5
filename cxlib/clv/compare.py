"""A fitted model beside another program's fit of the same data."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.histories import require_columns

__all__ = ["FitComparison", "compare_fits"]

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
