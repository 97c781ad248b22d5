"""Ten ways to ask whether recovery makes customers more loyal, from wrong to fair.

The first seven are what dashboards do; each leaves out something that the last three mend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.loyalty.comparison import Comparison, judged_gap
from cxlib.loyalty.followup import ANSWERS, OUTCOMES, WEEK, Records
from cxlib.loyalty.occasions import LEVELS, NO_FAILURE, find_occasions
from cxlib.loyalty.study import RecoveryStudy
from cxlib.loyalty.study_input import tables_of
from cxlib.stats.checks import check_choice, critical_value

__all__ = ["COMPARISONS", "WholeHistory", "fair_pair", "ten_comparisons", "whole_history"]

FEWEST = 5
COMPARISONS = {
    "well against badly recovered": "the control had a failure, too",
    "ever against never, whole history": "heavy buyers meet more failures; leavers are gone",
    "before and after, the unhappy": "who was far below the mean drifts back to it",
    "before and after": "nobody says what would have happened anyway",
    "silence counted as no failure": "silent failures hide in the control",
    "same occasions, as they are": "who meets failures and complains is not like the rest",
    "change against the control's change": "only lasting differences are taken out",
    "inverse probability": "fair: all eligible occasions",
    "overlap": "fair: occasions where either could happen",
    "overlap, doubly robust": "fair: likewise, with a regression besides",
}


@dataclass(frozen=True)
class WholeHistory:
    """What a dashboard sees: one row a customer, over all records.

    Attributes
    ----------
    customer : ndarray of int
    recovered : ndarray of bool, shape (customers, 4)
        Ever had a failure with each level of recovery.
    failed : ndarray of bool
        Ever had a failure that was reported.
    outcomes : dict of str to ndarray
        Last answer; purchases and money of the whole history and of its last weeks.
    """

    customer: np.ndarray
    recovered: np.ndarray
    failed: np.ndarray
    outcomes: dict

    def take(self, chosen: np.ndarray) -> WholeHistory:
        """The same of some customers."""
        return WholeHistory(
            self.customer[chosen], self.recovered[chosen], self.failed[chosen],
            {k: v[chosen] for k, v in self.outcomes.items()},
        )  # fmt: skip


def whole_history(tables, *, horizon_weeks: int = 26, churn_weeks: int = 26) -> WholeHistory:
    """Every customer's history in one row, as dashboards count; see `WholeHistory`.

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> history = whole_history(World(seed=1, customers=300, weeks=40, events=[]))
    >>> history.recovered.shape
    (300, 4)
    """
    tables = tables_of(tables)
    occasions = find_occasions(tables, WEEK)
    records = Records(tables, occasions)
    size = len(records.index)
    recovered = np.zeros((size, 4), bool)
    for place in range(4):
        recovered[occasions.customer[occasions.level == place + 1], place] = True
    told = (occasions.level > 0) & (occasions.level != LEVELS.index("unreported"))
    failed = np.zeros(size, bool)
    failed[occasions.customer[told]] = True
    who = np.arange(size)
    end = np.full(size, records.last)
    outcomes = {o: records.prior_answer(o, who, end) for o in ANSWERS}
    start = end - (horizon_weeks + churn_weeks) * WEEK
    seen = records.behaviour_after(who, start, horizon_weeks, churn_weeks)
    outcomes |= {"repurchase": seen["repurchase"], "churn": seen["churn"]}
    outcomes["value"] = np.full(size, np.nan)
    if records.orders is not None:
        outcomes["value"] = records.orders.total(records.margin, who, np.zeros(size, int), end)
    return WholeHistory(who, recovered, failed, outcomes)


def _two_means(one, zero) -> tuple[float, float, float]:
    """Welch's difference, as if rows were independent."""
    one, zero = one[~np.isnan(one)], zero[~np.isnan(zero)]
    if min(one.size, zero.size) < FEWEST:
        return np.nan, np.nan, 1.0
    parts = np.array([one.var(ddof=1) / one.size, zero.var(ddof=1) / zero.size])
    df = parts.sum() ** 2 / (parts**2 / (np.array([one.size, zero.size]) - 1)).sum()
    return one.mean() - zero.mean(), np.sqrt(parts.sum()), df


def _one_mean(change) -> tuple[float, float, float]:
    change = change[~np.isnan(change)]
    if change.size < FEWEST:
        return np.nan, np.nan, 1.0
    return change.mean(), change.std(ddof=1) / np.sqrt(change.size), change.size - 1.0


def _wrong(study: RecoveryStudy, history: WholeHistory, outcome: str, exposure: str) -> list:
    y, before = study.outcomes[outcome], study.before[outcome]
    exposed, control = study.mask(exposure), study.mask(NO_FAILURE)
    bad = study.mask("none") | study.mask("poor")
    silent = control | study.mask("unreported")
    place = LEVELS.index(exposure) - 1
    ever = history.outcomes[outcome]
    change = y - before
    middle = np.nanmean(before) if (~np.isnan(before)).any() else np.nan
    unhappy = exposed & (before < middle)
    return [
        _two_means(y[exposed], y[bad]),
        _two_means(ever[history.recovered[:, place]], ever[~history.failed]),
        _one_mean(change[unhappy]),
        _one_mean(change[exposed]),
        _two_means(y[exposed], y[silent]),
        _two_means(y[exposed], y[control]),
        _two_means(change[exposed], change[control]),
    ]


def fair_pair(study: RecoveryStudy, exposure: str) -> dict[str, Comparison]:
    """The weighted comparisons of the last three ways, made once for all outcomes."""
    overlap = Comparison(study, (NO_FAILURE, exposure), "all", "overlap")
    return {"overlap": overlap, "ipw": overlap.reweighed("ipw")}


def _fair(pair: dict[str, Comparison], outcome: str, level: float) -> list:
    found = []
    for kind, robust in (("ipw", False), ("overlap", False), ("overlap", True)):
        try:
            means = pair[kind].means(outcome, robust=robust, answering=True)
            test, error, _, _ = judged_gap(means, outcome, means.sd or 1.0, level)
            found.append((test.estimate, test.low, test.high, error))
        except CxError:
            found.append((np.nan,) * 4)
    return found


def ten_comparisons(
    study: RecoveryStudy,
    history: WholeHistory,
    outcome: str = "satisfaction",
    exposure: str = "excellent",
    *,
    level: float = 0.95,
    pair: dict[str, Comparison] | None = None,
) -> pd.DataFrame:
    """One question asked in ten ways; see `COMPARISONS` for what each leaves out.

    Parameters
    ----------
    study : RecoveryStudy
    history : WholeHistory
    outcome, exposure : str
        As in `recovery_effect`; the exposure is one of the four levels of recovery.
    level : float
    pair : dict, optional
        Of `fair_pair`, where several outcomes are asked about.

    Returns
    -------
    DataFrame
        comparison, estimate, low, high, standard_error, flaw; NaN where an outcome cannot be had
        so (churn has no before).

    Examples
    --------
    >>> from cxlib.loyalty.study import recovery_study
    >>> from cxlib.worlds.world import World
    >>> world = World(seed=1, customers=2000, weeks=80, events=[])
    >>> study = recovery_study(world, horizon_weeks=13)
    >>> ten_comparisons(study, whole_history(world), "repurchase", "poor").shape
    (10, 6)
    """
    check_choice("outcome", outcome, OUTCOMES)
    check_choice("exposure", exposure, LEVELS[1:5])
    pair = fair_pair(study, exposure) if pair is None else pair
    wrong = np.array(_wrong(study, history, outcome, exposure))
    estimate, error = wrong[:, 0], wrong[:, 1]
    half = critical_value(level, wrong[:, 2]) * error
    plain = np.column_stack([estimate, estimate - half, estimate + half, error])
    found = np.vstack([plain, _fair(pair, outcome, level)])
    return pd.DataFrame(
        {
            "comparison": list(COMPARISONS),
            "estimate": found[:, 0],
            "low": found[:, 1],
            "high": found[:, 2],
            "standard_error": found[:, 3],
            "flaw": list(COMPARISONS.values()),
        }
    )
