"""The truth of a comparison in a world that knows it, over the study's own population."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.loyalty.arms import fit_arms
from cxlib.loyalty.comparison import chosen_rows
from cxlib.loyalty.followup import ANSWERS, OUTCOMES
from cxlib.loyalty.keys import code_of, customer_index
from cxlib.loyalty.occasions import NO_FAILURE
from cxlib.loyalty.study import RecoveryStudy

__all__ = ["true_recovery_effects"]


def true_recovery_effects(
    study: RecoveryStudy,
    trial: pd.DataFrame,
    customers: pd.Series,
    *,
    start,
    weights: str | None = "overlap",
    among: str = "all",
) -> pd.DataFrame:
    """Effects of each level against no failure in the population of a weighted comparison.

    The trial has outcomes of each customer with and without a failure in one week; the control
    occasions of the study in that very week stand for the population, with the weights that the
    comparison gives them. Those of an outcome are the ones for which it lies within the records.

    Parameters
    ----------
    study : RecoveryStudy
    trial : DataFrame
        ``world.truth.recovery_trial(...)``.
    customers : Series
        Ids in the order of the study's customer numbers.
    start : date
        The Monday of week 0.
    weights : {"overlap", "ipw", "exposed", None}
    among : {"all", "promoters", "others"}

    Returns
    -------
    DataFrame
        level, outcome, effect (answers: of customers still there when asked in either case; NaN
        where the records end too early), error (standard error over customers), sd (of the
        outcome without failure), n.
    """
    index = customer_index(customers)
    first = np.datetime64(pd.Timestamp(start), "D").astype(int)
    base = trial[trial["level"] == NO_FAILURE]
    week_of = np.full(len(index), -1)
    week_of[code_of(base["customer_id"], index)] = base["week"].to_numpy()
    rows = []
    for level in [name for name in trial["level"].unique() if name != NO_FAILURE]:
        chosen, arm = chosen_rows(study, [level], NO_FAILURE, among)
        arms = fit_arms(
            arm, study.covariates[chosen], study.customer[chosen], study.names, weights=weights
        )
        mine = chosen[arm == 0]
        share = arms.weight[arm == 0]
        hit = (study.day[mine] - first) // 7 == week_of[study.customer[mine]]
        with_it = trial[trial["level"] == level]
        one, zero = (f.set_index(code_of(f["customer_id"], index)) for f in (with_it, base))
        if not hit.any():
            raise CxError("No control occasion falls into the weeks of the trial.")
        for outcome in OUTCOMES:
            followed = hit & _followed(study, outcome)[mine]
            weight = np.bincount(study.customer[mine][followed], share[followed], len(index))
            who = np.flatnonzero(weight)
            if not who.size:
                rows.append((level, outcome, np.nan, np.nan, np.nan, 0))
                continue
            change = (one.loc[who, outcome] - zero.loc[who, outcome]).to_numpy(float)
            both = ~np.isnan(change)  # still there when asked, failure or not
            change, w = change[both], weight[who][both] / weight[who][both].sum()
            effect = float(w @ change)
            error = float(np.sqrt((w**2 * (change - effect) ** 2).sum()))
            sd = float(zero.loc[who, outcome].std())
            rows.append((level, outcome, effect, error, sd, int(both.sum())))
    return pd.DataFrame(rows, columns=["level", "outcome", "effect", "error", "sd", "n"])


def _followed(study: RecoveryStudy, outcome: str) -> np.ndarray:
    return study.followed if outcome in ANSWERS else ~np.isnan(study.outcomes[outcome])
