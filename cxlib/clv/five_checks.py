"""All that data can say against a model of purchases and spend, in one table."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import norm

from cxlib.clv.beta_geo import BetaGeo
from cxlib.clv.cohort_error import error_by_cohort
from cxlib.clv.gamma_gamma import GammaGamma
from cxlib.clv.holdout_check import holdout
from cxlib.clv.interval import percent
from cxlib.clv.purchase_tracking import tracking
from cxlib.clv.replicates import predictive_check
from cxlib.clv.summary import summarize
from cxlib.errors import CxError, CxWarning
from cxlib.stats.multiplicity import adjust_p

__all__ = ["ModelChecks", "model_checks"]

ABOUT = {
    "histories": ("its rates and leaving fit all customers", "replicates beside the data"),
    "calendar": ("there is no season and no trend", "tracking plot: a wave or slope"),
    "holdout total": ("the future is like the past", "total outside its prediction interval"),
    "cohorts": ("old and new customers are alike", "error by cohort"),
    "spend": ("spend has nothing to do with frequency", "correlation of the two"),
}


@dataclass(frozen=True, eq=False)
class ModelChecks:
    """What speaks against the model, after correction for looking five times.

    Attributes
    ----------
    table : DataFrame
        Index check; assumes (what the model takes for granted), seen_in (where a break shows), p,
        p_adjusted (Holm), speaks (p_adjusted < 1 - level), finding (one sentence).
    level : float
    parts : dict
        The results behind: histories, calendar, holdout total, cohorts, spend.
    """

    table: pd.DataFrame = field(repr=False)
    level: float
    parts: dict = field(repr=False)

    @property
    def quiet(self) -> bool:
        """Whether no check speaks."""
        return not self.table["speaks"].any()

    def to_frame(self) -> pd.DataFrame:
        """One row a check, as in ``table``."""
        return self.table.copy()

    def summary(self) -> str:
        """Which checks speak, or that none does and what that is worth."""
        loud = self.table.index[self.table["speaks"]]
        if not len(loud):
            return (
                f"None of {len(self.table)} checks speaks against the model (Holm, "
                f"{percent(self.level)}), which is what a true model does in at least that share "
                "of cases, and a wrong one in small data, too."
            )
        worst = self.table.loc[self.table["p_adjusted"].idxmin()]
        return (
            f"{len(loud)} of {len(self.table)} checks {'speaks' if len(loud) == 1 else 'speak'} "
            f"against the model (Holm, {percent(self.level)}): {', '.join(loud)}. Clearest is "
            f"{worst.name}: the model takes for granted that {worst['assumes']}, and these data "
            "do not look like it."
        )

    def plot(self, ax=None):
        """The adjusted p of each check; see ``plot_model_checks``."""
        from cxlib.clv.plot_validation import plot_model_checks

        return plot_model_checks(self, ax=ax)


def model_checks(
    transactions,
    model=None,
    *,
    calibration_until="middle",
    until=None,
    unit: str = "W",
    level: float = 0.95,
    draws: int = 400,
    seed: int = 1,
    connection=None,
) -> ModelChecks:
    """Fit to the calibration, then hold all that can be seen beside what the model would make.

    Parameters
    ----------
    transactions, calibration_until, until, unit, connection
        As for ``summarize``; customers who come after the calibration are left out.
    model : PurchaseModel, optional
        An unfitted model; default ``BetaGeo()``.
    level : float
        1 - level is the chance that any check speaks although the model holds: at most, as those
        of the calibration look at data that the fit has seen.
    draws, seed
        Of the simulations. A p is never below about 2 / draws.

    Returns
    -------
    ModelChecks

    Raises
    ------
    CxError
        As ``summarize``, ``tracking`` and ``holdout``; ``draws`` too few for five checks.
    """
    model = BetaGeo() if model is None else model
    fewest = int(np.ceil(2 * len(ABOUT) / (1 - level)))
    if draws < fewest:
        raise CxError(f"draws must be at least {fewest} for {len(ABOUT)} checks at level {level:g}")
    window = {"until": until, "unit": unit, "connection": connection}
    summary = summarize(
        transactions, calibration_until=calibration_until, newcomers="drop", **window
    )
    model = model.fit(summary)
    window["until"] = summary.attrs["summarize"]["until"]
    split = summary.attrs["summarize"]["calibration_until"]
    drawn = {"level": level, "draws": draws, "seed": seed}
    parts = {
        "histories": predictive_check(model, summary, **drawn),
        "calendar": tracking(model, transactions, calibration_until=split, **window, **drawn),
        "holdout total": holdout(model, summary, **drawn),
        "cohorts": error_by_cohort(model, summary, **drawn),
        "spend": spend_check(summary, level),
    }
    p = pd.Series({name: p_of(part) for name, part in parts.items()})
    adjusted = adjust_p(p.to_numpy())
    table = pd.DataFrame(
        {
            "assumes": [ABOUT[name][0] for name in p.index],
            "seen_in": [ABOUT[name][1] for name in p.index],
            "p": p,
            "p_adjusted": adjusted,
            "speaks": adjusted < 1 - level,
            "finding": [part.summary() for part in parts.values()],
        },
        index=p.index.rename("check"),
    )
    return ModelChecks(table, level, parts)


def spend_check(summary, level):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)  # what it warns of is what the table says
        return GammaGamma().fit(summary, level=level).independence


def p_of(part) -> float:
    if hasattr(part, "p"):
        return part.p
    with np.errstate(divide="ignore"):
        z, critical = np.arctanh([part.estimate, part.high]), norm.ppf((1 + part.level) / 2)
    return float(2 * norm.sf(abs(z[0]) / ((z[1] - z[0]) / critical)))
