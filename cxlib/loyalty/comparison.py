"""Two groups of a study made alike, and what may be said of their difference."""

from __future__ import annotations

from copy import copy
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import expit

from cxlib.errors import CxError
from cxlib.loyalty.arms import Arms, GroupMeans, fit_arms, fit_ridge_logit, group_means, reweighed
from cxlib.loyalty.effects import RecoveryEffect
from cxlib.loyalty.followup import ANSWERS, UNITS
from cxlib.loyalty.occasions import LEVELS, NO_FAILURE
from cxlib.loyalty.still_possible import (
    FEWEST,
    no_control,
    no_level,
    no_spread,
    not_seen,
)
from cxlib.stats.checks import check_choice
from cxlib.stats.overlap import BALANCED
from cxlib.stats.share_gap import share_equivalence
from cxlib.stats.tost import Equivalence, equivalence

__all__ = [
    "AMONG",
    "EXPOSURES",
    "FEWEST",
    "Comparison",
    "answering_chance",
    "chosen_rows",
    "contrast",
    "judged",
    "judged_gap",
]

EXPOSURES = (*LEVELS[1:], "failure")
AMONG = ("all", "promoters", "others")


def chosen_rows(study, exposures, control, among) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a comparison and their groups; what is never seen raises CxError."""
    check_choice("among", among, AMONG)
    for name in (*exposures, control):
        check_choice("exposure and control", name, (NO_FAILURE, *EXPOSURES))
    if control in exposures:
        raise CxError(f"{control!r} cannot be compared with itself.")
    group = np.full(len(study), -1, np.int8)
    for place, name in enumerate((control, *exposures)):
        group[study.mask(name)] = place
    if among != "all":
        group[study.promoter != float(among == "promoters")] = -1
    counts = np.bincount(group[group >= 0], minlength=len(exposures) + 1)
    if counts[0] < FEWEST:
        raise no_control(study, control, exposures, int(counts[0]), among)
    for name, count in zip(exposures, counts[1:], strict=True):
        if count < FEWEST:
            raise no_level(study, name, int(count), among)
    rows = np.flatnonzero(group >= 0)
    return rows, group[rows]


def answering_chance(arms: Arms, y: np.ndarray, followed: np.ndarray) -> np.ndarray:
    """Chance that the outcome is seen of those it could be, from the covariates and the group."""
    seen = ~np.isnan(y)
    if seen[followed].all() or arms.columns.shape[1] == 1:
        return np.ones(y.size)
    own = [(arms.arm == g).astype(np.float32)[:, None] for g in range(1, arms.groups)]
    columns = np.hstack([arms.columns, *own])
    beta, _ = fit_ridge_logit(seen[followed], columns[followed])
    return expit((columns @ beta.astype(np.float32)).astype(float))


def _balance(study, rows, arms: Arms) -> pd.DataFrame:
    columns = study.covariates[rows]
    out = {"before": [], "after": []}
    for k in range(columns.shape[1]):
        column = columns[:, k].astype(float)
        sides = [column[arms.arm == g] for g in (0, 1)]
        weights = [arms.weight[arms.arm == g] for g in (0, 1)]
        spread = np.sqrt((sides[0].var() + sides[1].var()) / 2) or 1.0
        out["before"].append((sides[1].mean() - sides[0].mean()) / spread)
        means = [np.average(s, weights=w) for s, w in zip(sides, weights, strict=True)]
        out["after"].append((means[1] - means[0]) / spread)
    frame = pd.DataFrame(out, index=list(study.names), dtype=float)
    return frame.assign(balanced=frame["after"].abs() <= BALANCED)


def _propensity(arms: Arms, labels) -> pd.DataFrame:
    points = [0, 0.25, 0.5, 0.75, 1]
    chance = expit(arms.logits[:, 0])
    found = [np.quantile(chance[arms.arm == g], points) for g in (0, 1)]
    return pd.DataFrame(found, index=labels, columns=["least", "q25", "median", "q75", "largest"])


def contrast(found: GroupMeans, group: int = 1, base: int = 0) -> tuple[float, float, float]:
    """Difference of two group means with standard error and degrees of freedom (Satterthwaite)."""
    influence = found.influence[:, group] - found.influence[:, base]
    error = float(np.sqrt((influence**2).sum()))
    own = found.own[[group, base]]
    many = np.maximum(found.effective_n[[group, base]] - 1, 1.0)
    df = float(own.sum() ** 2 / (own**2 / many).sum()) if own.sum() > 0 else 1.0
    error *= np.sqrt((df + 1) / df)
    return float(found.means[group] - found.means[base]), error, df


def _word(test: Equivalence, outcome: str) -> str:
    """The verdict of the room's rule; less churn is the good direction."""
    word = {"above": "paradox", "below": "worse"}.get(test.verdict, test.verdict)
    if outcome == "churn" and word in ("paradox", "worse"):
        word = "worse" if word == "paradox" else "paradox"
    return "trivial" if test.trivial else word


def judged(estimate, error, df, smallest, level, outcome) -> tuple[Equivalence, str]:
    """Both tests of a difference with a standard error, and the verdict."""
    test = equivalence(estimate, error, smallest_effect=smallest, df=df, level=level)
    return test, _word(test, outcome)


def judged_gap(found: GroupMeans, outcome, smallest, level, *, group=1, base=0, gap=None) -> tuple:
    """Both tests of two groups' difference, its error, degrees of freedom, and the verdict.

    Shares are judged by their score, answers and money by t, money with a cautious error. `gap` is
    their `contrast`, where it is known already.
    """
    estimate, error, df = contrast(found, group, base) if gap is None else gap
    pair = [group, base]
    if UNITS[outcome] == "share" and error > 0:
        shares, numbers, correlation = found.means[pair], *_worth(found, pair)
        test = share_equivalence(
            shares, numbers, smallest_effect=smallest, correlation=correlation, level=level
        )
        return test, error, df, _word(test, outcome)
    if outcome == "value":
        error = float(np.sqrt(error**2 + (df + 1) / df * _unseen_spread(found, pair)))
    test, word = judged(estimate, error, df, smallest, level, outcome)
    return test, error, df, word


def _unseen_spread(found: GroupMeans, pair) -> float:
    """Variance that few customers' money may hide: where luck left out who spends most.

    Then mean and spread are too low together. Half of what the smaller group's own variance lacks
    of the one it would have if it spread like the larger one; none where it spreads more.
    """
    small, large = sorted(pair, key=lambda g: found.effective_n[g])
    like = found.own[large] * found.effective_n[large] / found.effective_n[small]
    return max(float(like - found.own[small]), 0.0) / 2


def _worth(found: GroupMeans, pair) -> tuple[np.ndarray, float]:
    """How many answers each share is worth, and the correlation of their errors.

    The number that its variance shows; of the smaller group by the mean of that variance, where it
    is the larger one, and the variance by Kish's number. There luck decides which weights the rare
    answer carries, so that the shown variance errs together with the share, while Kish's leaves out
    what the regression adds.
    """
    covariance = found.influence[:, pair].T @ found.influence[:, pair]
    variance = np.diag(covariance)
    shares = np.clip(found.means[pair], 0.0, 1.0)
    spread = shares * (1 - shares)
    kish = found.effective_n[pair]
    shown = np.divide(spread, variance, out=kish.astype(float), where=(spread > 0) & (variance > 0))
    cautious = 2 / (1 / kish + 1 / np.minimum(kish, shown))
    numbers = np.where(kish > kish.min(), shown, cautious)
    correlation = covariance[0, 1] / np.sqrt(variance.prod()) if variance.min() > 0 else 0.0
    return numbers, float(correlation)


class Comparison:
    """Two groups of a study made alike, and what is judged of them, outcome by outcome."""

    def __init__(self, study, labels, among, kind):
        self.study, self.labels = study, labels
        self.rows, arm = chosen_rows(study, [labels[1]], labels[0], among)
        rows = self.rows
        self.arms = fit_arms(
            arm, study.covariates[rows], study.customer[rows], study.names, weights=kind,
            labels=labels,
        )  # fmt: skip
        self._answering: dict[bytes, np.ndarray] = {}

    def reweighed(self, kind: str) -> Comparison:
        """The same groups, propensities and chances to answer for another population."""
        other = copy(self)
        other.__dict__.pop("balance", None)
        other.arms = reweighed(self.arms, kind)
        return other

    @cached_property
    def balance(self) -> pd.DataFrame:
        return _balance(self.study, self.rows, self.arms)

    @cached_property
    def propensity(self) -> pd.DataFrame:
        return _propensity(self.arms, list(self.labels))

    def means(self, outcome: str, *, robust: bool, answering: bool) -> GroupMeans:
        """Weighted means of both groups; too few answers raise CxError."""
        study, arms = self.study, self.arms
        y = study.outcomes[outcome][self.rows]
        self.need(outcome)
        chance = None
        if answering and outcome in ANSWERS:
            key = np.packbits(np.isnan(y)).tobytes()
            if key not in self._answering:
                self._answering[key] = answering_chance(arms, y, study.followed[self.rows])
            chance = self._answering[key]
        return group_means(arms, y, answering=chance, doubly_robust=robust)

    def need(self, outcome: str) -> None:
        """Fewer than five occasions with the outcome on one side raise CxError."""
        seen = ~np.isnan(self.study.outcomes[outcome][self.rows])
        if np.bincount(self.arms.arm[seen], minlength=2).min() < FEWEST:
            raise not_seen(self.study, self._sides(), outcome)

    def _sides(self) -> dict[str, np.ndarray]:
        return {name: self.rows[self.arms.arm == g] for g, name in enumerate(self.labels)}

    def effect(self, outcome, *, smallest, level, robust, answering, estimand) -> RecoveryEffect:
        """The effect on one outcome with its verdict."""
        found = self.means(outcome, robust=robust, answering=answering)
        gap = contrast(found)
        if not gap[1] > 1e-12 or not found.sd > 0:
            raise no_spread(self.study, self._sides(), outcome)
        test, error, df, word = judged_gap(found, outcome, smallest * found.sd, level, gap=gap)
        arm, customer = self.arms.arm, self.arms.customer
        seen = ~np.isnan(self.study.outcomes[outcome][self.rows])
        customers = [np.unique(customer[seen & (arm == g)]).size for g in (0, 1)]
        columns = {"occasions": found.units, "seen": found.seen, "customers": customers}
        n = pd.DataFrame(columns | {"effective_n": found.effective_n}, index=list(self.labels))
        name = estimand[1] + (", doubly robust" if robust else "")
        return RecoveryEffect(
            outcome, self.labels[1], self.labels[0], test.estimate, test.low, test.high,
            test.level, UNITS[outcome], error, df, test.p_difference, test.p_equivalence, word,
            test.smallest_effect, found.sd, float(found.means[0]), estimand[0], name,
            self.balance, n, self.propensity,
        )  # fmt: skip
