"""The ladder: no failure, and failures with no, poor, adequate and excellent recovery, compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.loyalty.arms import Arms, fit_arms, group_means, standardised
from cxlib.loyalty.comparison import answering_chance, chosen_rows, judged_gap
from cxlib.loyalty.followup import ANSWERS, OUTCOMES, UNITS
from cxlib.loyalty.occasions import NO_FAILURE, RECOVERY
from cxlib.loyalty.recovery import study_of
from cxlib.loyalty.still_possible import FEWEST, no_before, no_ladder, no_spread, not_seen, times
from cxlib.loyalty.ten_comparisons import WholeHistory, whole_history
from cxlib.stats.checks import check_choice, check_level, critical_value

__all__ = ["RecoveryLadder", "compare_recovery_levels", "dashboard_levels"]

CORRECTIONS = ("everybody", "change", "weighted")
WEIGHTS = {"overlap": "overlap", "ipw": "inverse probability"}


@dataclass(frozen=True)
class RecoveryLadder:
    """Mean outcome by rung, and each rung's effect against no failure.

    Attributes
    ----------
    outcome, unit, correction : str
    rungs : DataFrame
        level, estimate (mean), low, high (of a share: within 0 and 1), n (with the outcome),
        effect, effect_low, effect_high, p_difference, p_equivalence, verdict; the first row is no
        failure.
    level : float
        Of the intervals.
    left_out : dict of str to str
        Levels without a rung, and why.
    balance : DataFrame
        Largest standardised difference of each covariate between a rung and no failure, before
        and after weighting; empty where nothing was weighted.
    """

    outcome: str
    unit: str
    correction: str
    rungs: pd.DataFrame
    level: float
    left_out: dict
    balance: pd.DataFrame = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row a rung."""
        return self.rungs.copy()

    def plot(self, ax=None, *, before: RecoveryLadder | None = None, truth: dict | None = None):
        """Draw the ladder; `before` in grey, true effects by level as crosses."""
        from cxlib.figures.ladder import plot_recovery_ladder

        frame = self.to_frame()
        if truth is not None:
            base = frame["estimate"].iloc[0]
            frame["truth"] = [base, *(base + truth.get(n, np.nan) for n in frame["level"][1:])]
        return plot_recovery_ladder(
            frame, before=None if before is None else before.rungs,
            ylabel=f"{self.outcome} [{self.unit}]",
            title=self.correction[0].upper() + self.correction[1:], ax=ax,
        )  # fmt: skip

    def summary(self) -> str:
        """The rungs' effects with unit and verdict, and the rungs left out with the reason."""
        spec = ".3f" if self.unit == "share" else ".2f"
        told = [
            f"{r.level} {r.effect:+{spec}} {self.unit} "
            f"[{r.effect_low:{spec}}, {r.effect_high:{spec}}] ({r.verdict})"
            for r in self.rungs.iloc[1:].itertuples()
        ]
        left_out = "; ".join(f"{name} ({why})" for name, why in self.left_out.items())
        text = f"{self.outcome}, {self.correction}, against no failure: {'; '.join(told)}."
        return text[0].upper() + text[1:] + (f" Left out: {left_out}." if left_out else "")


def _ladder(found, labels, outcome, smallest, level, correction, left_out, balance):
    rows = []
    for place, name in enumerate(labels):
        error = float(np.sqrt((found.influence[:, place] ** 2).sum()))
        many = max(found.effective_n[place] - 1, 1.0)
        half = float(critical_value(level, many)) * error
        mean = float(found.means[place])
        low, high = mean - half, mean + half
        if UNITS[outcome] == "share":
            low, high = max(low, 0.0), min(high, 1.0)
        row = {"level": name, "estimate": mean, "low": low, "high": high,
               "n": int(found.seen[place])}  # fmt: skip
        if place:
            test, _, _, word = judged_gap(found, outcome, smallest * found.sd, level, group=place)
            row |= {"effect": test.estimate, "effect_low": test.low, "effect_high": test.high,
                    "p_difference": test.p_difference, "p_equivalence": test.p_equivalence,
                    "verdict": word}  # fmt: skip
        rows.append(row)
    rungs = pd.DataFrame(rows)
    return RecoveryLadder(
        outcome, UNITS[outcome], correction, rungs, level, left_out, balance
    )  # fmt: skip


def _plain(arm, columns, customer, names) -> Arms:
    """Groups as they are, with columns for a regression or the chance to answer."""
    nothing = np.zeros((arm.size, int(arm.max())))
    return Arms(arm, columns, customer, np.ones(arm.size), nothing, names, nothing, ())


def _largest_gaps(study, rows, arms: Arms) -> pd.DataFrame:
    x = study.covariates[rows].astype(float)
    spread = x[arms.arm == 0].std(axis=0)
    spread[spread == 0] = 1.0
    gaps = {}
    for name, weight in (("before", np.ones(arms.arm.size)), ("after", arms.weight)):
        means = [
            np.average(x[arms.arm == g], axis=0, weights=weight[arms.arm == g])
            for g in range(arms.groups)
        ]
        each = (np.array(means[1:]) - means[0]) / spread
        gaps[name] = each[np.abs(each).argmax(axis=0), np.arange(x.shape[1])]
    return pd.DataFrame(gaps, index=list(study.names))


def compare_recovery_levels(
    tables,
    outcome: str = "satisfaction",
    *,
    levels: tuple = RECOVERY,
    correction: str = "weighted",
    weights: str = "overlap",
    smallest_effect: float = 0.1,
    level: float = 0.95,
    **design,
) -> RecoveryLadder:
    """Compare all levels of recovery with no failure in one population.

    Parameters
    ----------
    tables : World, mapping or RecoveryStudy
    outcome : str
        As in `recovery_effect`.
    levels : tuple of str
        Rungs beside no failure; a level with fewer than five occasions or outcomes is left out
        and named.
    correction : {"weighted", "change", "everybody"}
        ``everybody``: groups as they are, answers weighed by the inverse of their chance.
        ``change``: of those with an answer (or purchases) before, less what the control's
        regression on it expects, so that drifting back to the mean is taken out. ``weighted``:
        several groups made alike at once, and doubly robust.
    weights : {"overlap", "ipw"}
        Of the last.
    smallest_effect : float
        In SD of the outcome without failure.
    level : float
    **design
        See `recovery_study`.

    Returns
    -------
    RecoveryLadder

    References
    ----------
    Li & Li 2019, Annals of Applied Statistics 13(4), doi:10.1214/19-AOAS1282.

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> world = World(seed=1, customers=2000, weeks=80, events=[])
    >>> ladder = compare_recovery_levels(world, "repurchase", horizon_weeks=13)
    >>> ladder.rungs["level"].tolist()[0], len(ladder.rungs) > 2
    ('no failure', True)
    """
    check_choice("outcome", outcome, OUTCOMES)
    check_choice("correction", correction, CORRECTIONS)
    check_choice("weights", weights, tuple(WEIGHTS))
    check_level(level)
    study = study_of(tables, **design)
    y = study.outcomes[outcome]
    use = ~np.isnan(study.before[outcome]) if correction == "change" else np.ones(len(study), bool)
    kept, left_out = [], {}
    groups = {n: np.flatnonzero(study.mask(n)) for n in (NO_FAILURE, *levels)}
    seen = {n: int((use & ~np.isnan(y))[rows].sum()) for n, rows in groups.items()}
    for name in levels:
        if seen[name] >= FEWEST:
            kept.append(name)
        else:
            left_out[name] = f"{outcome} seen {times(seen[name])}"
    if groups[NO_FAILURE].size >= FEWEST and (not kept or seen[NO_FAILURE] < FEWEST):
        after = {n: int((~np.isnan(y[rows])).sum()) >= FEWEST for n, rows in groups.items()}
        others = after[NO_FAILURE] and any(after[n] for n in levels)  # other corrections would do
        raise (no_before if others else partial(not_seen, all_of=False))(study, groups, outcome)
    if groups[NO_FAILURE].size < FEWEST:
        raise no_ladder(study, kept, groups[NO_FAILURE].size, outcome)
    rows, arm = chosen_rows(study, kept, NO_FAILURE, "all")
    rows, arm = rows[use[rows]], arm[use[rows]]
    customer = study.customer[rows]
    balance = pd.DataFrame({"before": [], "after": []})
    if correction == "weighted":
        arms = fit_arms(
            arm, study.covariates[rows], customer, study.names, weights=weights,
            labels=(NO_FAILURE, *kept),
        )  # fmt: skip
        balance = _largest_gaps(study, rows, arms)
    elif correction == "change":
        before = standardised(study.before[outcome][rows].astype(float)[:, None])
        arms = _plain(arm, before, customer, ("before",))
    else:
        arms = _plain(arm, standardised(study.covariates[rows]), customer, study.names)
    chance = None
    if outcome in ANSWERS and correction != "change":
        chance = answering_chance(arms, y[rows], study.followed[rows])
    robust = correction != "everybody"
    found = group_means(arms, y[rows], answering=chance, doubly_robust=robust)
    if not found.sd > 0:
        raise no_spread(study, groups, outcome, all_of=False)
    text = {"everybody": "everybody counted", "change": "change, drift to the mean taken out",
            "weighted": f"{WEIGHTS[weights]} weights, doubly robust"}[correction]  # fmt: skip
    return _ladder(
        found, (NO_FAILURE, *kept), outcome, smallest_effect, level, text, left_out, balance
    )  # fmt: skip


def dashboard_levels(
    tables, outcome: str = "satisfaction", *, levels: tuple = RECOVERY,
    smallest_effect: float = 0.1, level: float = 0.95, history: WholeHistory | None = None,
) -> RecoveryLadder:  # fmt: skip
    """The raw ladder of a dashboard: customers by what ever happened, as they answered last.

    A customer with several levels stands on the best one; no failure is who never reported one.

    Parameters
    ----------
    tables : World or mapping
    history : WholeHistory, optional
        Where it was made already.

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> dashboard_levels(World(seed=1, customers=800, weeks=60, events=[]), "value").correction
    'as dashboards count'
    """
    check_choice("outcome", outcome, OUTCOMES)
    history = whole_history(tables) if history is None else history
    best = np.where(
        history.recovered.any(axis=1), 4 - history.recovered[:, ::-1].argmax(axis=1), -1
    )
    best = np.where(history.failed, best, 0)
    y = history.outcomes[outcome]
    kept, left_out, arm = [], {}, np.full(best.size, -1)
    arm[best == 0] = 0
    for name in levels:
        mine = best == RECOVERY.index(name) + 1
        seen = int((mine & ~np.isnan(y)).sum())
        if seen >= FEWEST:
            kept.append(name)
            arm[mine] = len(kept)
        else:
            left_out[name] = f"{outcome} seen {times(seen)}"
    whole = y[(arm == 0) & ~np.isnan(y)]
    if not kept or whole.size < FEWEST or not np.ptp(whole) > 0:
        raise _no_rungs(history.outcomes, best, outcome, levels)
    rows = np.flatnonzero(arm >= 0)
    arms = _plain(arm[rows], np.ones((rows.size, 1), np.float32), history.customer[rows], ())
    found = group_means(arms, y[rows])
    nothing = pd.DataFrame({"before": [], "after": []})
    return _ladder(
        found, (NO_FAILURE, *kept), outcome, smallest_effect, level, "as dashboards count",
        left_out, nothing,
    )  # fmt: skip


def _no_rungs(outcomes, best, outcome, levels) -> CxError:
    """Too few customers for a dashboard's ladder: how many, and which outcomes would do."""
    places = [0, *(RECOVERY.index(name) + 1 for name in levels)]
    seen = {o: [y[(best == k) & ~np.isnan(y)] for k in places] for o, y in outcomes.items()}
    told = ", ".join(
        f"{n} {y.size:,}" for n, y in zip((NO_FAILURE, *levels), seen[outcome], strict=True)
    )
    others = [o for o, (whole, *rungs) in seen.items() if whole.size >= FEWEST
              and np.ptp(whole) > 0 and max(y.size for y in rungs) >= FEWEST]  # fmt: skip
    ways = ", ".join(others) or f"tables with reported failures, their recovery and {outcome}"
    return CxError(
        f"A ladder needs {FEWEST} customers without a reported failure, not all alike, and "
        f"{FEWEST} of a level of recovery who have {outcome}: seen are {told}. Still possible: "
        f"{ways}."
    )
