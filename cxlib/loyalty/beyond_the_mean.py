"""Where the mean is not enough: outcomes hidden by leaving, quantiles, differences of effects."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.loyalty.arms import GroupMeans, group_means
from cxlib.loyalty.comparison import answering_chance, contrast, judged_gap
from cxlib.loyalty.effects import EffectDifference, LeavingBounds
from cxlib.loyalty.followup import ANSWERS, OUTCOMES, UNITS
from cxlib.loyalty.occasions import NO_FAILURE
from cxlib.loyalty.recovery import compared, study_of
from cxlib.loyalty.still_possible import no_spread
from cxlib.loyalty.study_input import SCALES
from cxlib.stats.checks import check_choice, critical_value, numbers, refuse
from cxlib.stats.tost import Equivalence, both_tests

__all__ = [
    "recovery_bounds",
    "recovery_difference",
    "recovery_quantiles",
]


def recovery_bounds(
    tables, outcome: str = "satisfaction", exposure: str = "excellent", *,
    scale: tuple | None = None, level: float = 0.95, **design,
) -> LeavingBounds:  # fmt: skip
    """Bounds of an effect on answers where leaving hides them (overlap weights).

    A leaver is who had openly gone, or bought nothing from the landmark until the churn weeks were
    over; silence of those still there is weighed by the inverse of its chance.

    Parameters
    ----------
    tables : World, mapping or RecoveryStudy
    outcome : {"satisfaction", "recommendation", "intention"}
    exposure : str
    scale : tuple of float, optional
        Lowest and highest answer; by default 1-7 or 0-10.
    level : float
    **design
        See `recovery_study`.

    References
    ----------
    Manski 2003, Partial Identification of Probability Distributions, doi:10.1007/b97478.

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> world = World(seed=1, customers=4000, weeks=90, events=[], answer_share=0.6)
    >>> found = recovery_bounds(world, exposure="failure", horizon_weeks=13, churn_weeks=13)
    >>> found.bounds[0] < found.among_stayers[0] < found.bounds[1]
    True
    """
    check_choice("outcome", outcome, tuple(ANSWERS))
    study = study_of(tables, **design)
    known = np.flatnonzero(~np.isnan(study.outcomes["churn"]) & study.followed)
    if not known.size:
        why = study.lacking.get("churn", "the records end before the churn weeks are over")
        raise CxError(
            f"Who has left is not known: {why}. Still possible: recovery_effect, or shorter weeks "
            "of horizon, churn and answers."
        )
    study = study.take(known)
    comparison = compared(study, NO_FAILURE, exposure, "all", "overlap", outcome)
    comparison.need(outcome)
    comparison.need(outcome)
    arms, rows = comparison.arms, comparison.rows
    y = study.outcomes[outcome][rows]
    gone = study.gone[rows] & (study.outcomes["churn"][rows] == 1) & np.isnan(y)
    chance = answering_chance(arms, np.where(gone, np.nan, y), ~gone)
    chance = np.where(gone, 1.0, chance)
    lowest, highest = SCALES[ANSWERS[outcome]] if scale is None else scale
    answered = y[~np.isnan(y)]
    if answered.min() < lowest or answered.max() > highest:
        raise CxError(
            f"{outcome} was answered from {answered.min():g} to {answered.max():g}, its scale is "
            f"{lowest:g} to {highest:g}. Another one is named by scale=(lowest, highest)."
        )

    def effect(control, exposed) -> tuple[float, float, float]:
        filled = np.where(gone, np.where(arms.arm == 1, exposed, control), y)
        means = group_means(arms, filled, answering=chance)
        estimate, error, df = contrast(means)
        half = float(critical_value(level, df)) * error
        return estimate, estimate - half, estimate + half

    least, most = effect(highest, lowest), effect(lowest, highest)
    share = [float(np.average(gone[arms.arm == g], weights=arms.weight[arms.arm == g]))
             for g in (0, 1)]  # fmt: skip
    return LeavingBounds(
        outcome, exposure, effect(np.nan, np.nan), (least[0], most[0]), least[1], most[2],
        effect(lowest, lowest), tuple(share), level,
    )  # fmt: skip


def recovery_quantiles(
    tables, outcome: str = "value", exposure: str = "excellent", *,
    quantiles=(0.1, 0.25, 0.5, 0.75, 0.9), replicates: int = 300, seed: int = 0,
    level: float = 0.95, **design,
) -> pd.DataFrame:  # fmt: skip
    """Effect on the quantiles of an outcome, overlap weights, bootstrap by customer.

    Parameters
    ----------
    tables : World, mapping or RecoveryStudy
    outcome : str
        An answer or value; of a yes or no the share says it all.
    quantiles : sequence of float
        Strictly between 0 and 1.
    replicates, seed : int
        Customers are drawn with Poisson(1) multiplicity; the weights are kept.

    Returns
    -------
    DataFrame
        quantile, control, exposed, effect, low, high. A quantile effect says how the two
        distributions differ there, not what happened to one customer.

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> world = World(seed=1, customers=2000, weeks=80, events=[])
    >>> recovery_quantiles(world, exposure="poor", horizon_weeks=13, replicates=20).shape
    (5, 6)
    """
    check_choice("outcome", outcome, OUTCOMES)
    if UNITS[outcome] == "share":
        raise CxError(
            f"{outcome} is yes or no: its quantiles say less than its share. Still possible: "
            f"{', '.join(o for o in OUTCOMES if UNITS[o] != 'share')}."
        )
    points = numbers("quantiles", quantiles)
    refuse((points <= 0) | (points >= 1), "quantiles outside 0 to 1", "values between 0 and 1")
    study = study_of(tables, **design)
    comparison = compared(study, NO_FAILURE, exposure, "all", "overlap", outcome)
    comparison.need(outcome)
    arms = comparison.arms
    y = comparison.study.outcomes[outcome][comparison.rows]
    kept = np.flatnonzero(~np.isnan(y))
    order = kept[np.argsort(y[kept], kind="stable")]
    rng = np.random.default_rng(seed)
    size = int(arms.customer.max()) + 1
    sides = [order[arms.arm[order] == g] for g in (0, 1)]

    def at(side, times) -> np.ndarray:
        mass = np.cumsum(arms.weight[side] * times[arms.customer[side]])
        place = np.searchsorted(mass, points * mass[-1])
        return y[side][np.minimum(place, side.size - 1)]

    once = np.ones(size)
    control, exposed = (at(side, once) for side in sides)
    draws = np.empty((replicates, points.size))
    for k in range(replicates):
        times = rng.poisson(1.0, size)
        draws[k] = at(sides[1], times) - at(sides[0], times)
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return pd.DataFrame(
        {"quantile": points, "control": control, "exposed": exposed,
         "effect": exposed - control, "low": low, "high": high}
    )  # fmt: skip


def recovery_difference(
    first: dict, second: dict, outcome: str = "satisfaction", *, names=("first", "second"),
    smallest_effect: float = 0.1, level: float = 0.95, doubly_robust: bool = True,
) -> EffectDifference:  # fmt: skip
    """Compare two effects on the same outcome: former promoters and others, first and repeated.

    Parameters
    ----------
    first, second : dict
        study (of the same tables), exposure, and optionally among.
    names : tuple of str
        What the two are called.
    smallest_effect : float
        In SD of the outcome in the first control.

    Raises
    ------
    CxError
        Too few occasions on a side, or an outcome without spread; what is still possible is named.

    Notes
    -----
    Each effect has the interval l to u that `recovery_effect` gives it, and so its care with few
    customers; the two intervals are joined: the lower limit is
    ``d - sqrt((e2 - l2)^2 + (u1 - e1)^2 - 2 r (e2 - l2) (u1 - e1))``, the upper one its mirror. r
    is the correlation of the effects, from influences summed by customer, as a customer may stand
    in both. p takes the limits for those of a normal.

    References
    ----------
    Zou 2007, Psychological Methods 12(4), doi:10.1037/1082-989X.12.4.399.

    Examples
    --------
    >>> from cxlib.loyalty.study import recovery_study
    >>> from cxlib.worlds.world import World
    >>> study = recovery_study(World(seed=1, customers=3000, weeks=80, events=[]))
    >>> found = recovery_difference({"study": study, "exposure": "poor"},
    ...                             {"study": study, "exposure": "adequate"}, "repurchase")
    >>> found.low < found.estimate < found.high
    True
    """
    check_choice("outcome", outcome, OUTCOMES)
    parts, tests = [], []
    for side in (first, second):
        exposure, among = side.get("exposure", "failure"), side.get("among", "all")
        comparison = compared(side["study"], NO_FAILURE, exposure, among, "overlap", outcome)
        found = comparison.means(outcome, robust=doubly_robust, answering=True)
        gap = contrast(found)
        if not gap[1] > 1e-12 or not found.sd > 0:
            arm = comparison.arms.arm
            sides = {n: comparison.rows[arm == g] for g, n in enumerate(comparison.labels)}
            raise no_spread(side["study"], sides, outcome)
        parts.append(found)
        smallest = smallest_effect * parts[0].sd
        tests.append(judged_gap(found, outcome, smallest, level, gap=gap)[0])
    one, two = (test.estimate for test in tests)
    limits = _joined(*tests, _correlation(*parts))
    test = _judged_limits(two - one, limits, smallest, level)
    word = {"above": "better", "below": "worse"}.get(test.verdict, test.verdict)
    if outcome == "churn":
        word = {"better": "worse", "worse": "better"}.get(word, word)
    return EffectDifference(
        outcome, *names, UNITS[outcome], one, two, test.estimate, test.low, test.high,
        test.p_difference, level, "trivial" if test.trivial else word, smallest,
        tuple(int(p.seen[1]) for p in parts),
    )  # fmt: skip


def _correlation(one: GroupMeans, two: GroupMeans) -> float:
    """Of two effects, whose customers carry the same numbers."""
    first, second = (part.influence[:, 1] - part.influence[:, 0] for part in (one, two))
    both = min(first.size, second.size)
    return float(first[:both] @ second[:both] / np.sqrt(first @ first * (second @ second)))


def _joined(one: Equivalence, two: Equivalence, correlation: float) -> tuple:
    """Limits of the second less the first, in the order low, narrow low, narrow high, high."""

    def reach(up, down):
        return np.sqrt(up**2 + down**2 - 2 * correlation * up * down)

    gap = two.estimate - one.estimate
    return (
        gap - reach(two.estimate - two.low, one.high - one.estimate),
        gap - reach(two.estimate - two.narrow_low, one.narrow_high - one.estimate),
        gap + reach(two.narrow_high - two.estimate, one.estimate - one.narrow_low),
        gap + reach(two.high - two.estimate, one.estimate - one.low),
    )


def _judged_limits(estimate: float, limits: tuple, smallest: float, level: float) -> Equivalence:
    """Both tests of an estimate with limits on either side, each taken for those of a normal."""
    low, narrow_low, narrow_high, high = limits
    wide, narrow = critical_value(level, np.inf), critical_value(2 * level - 1, np.inf)
    score = wide * estimate / (estimate - low if estimate > 0 else high - estimate)
    edges = (
        narrow * (smallest + estimate) / (estimate - narrow_low),
        narrow * (smallest - estimate) / (narrow_high - estimate),
    )
    return both_tests(estimate, limits, score, edges, smallest, np.inf, level)
