"""Two effects on one outcome compared: what may be said of their difference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cxlib.errors import CxError
from cxlib.loyalty.arms import GroupMeans
from cxlib.loyalty.comparison import contrast, judged_gap
from cxlib.loyalty.effects import EffectDifference
from cxlib.loyalty.followup import OUTCOMES, UNITS
from cxlib.loyalty.occasions import NO_FAILURE
from cxlib.loyalty.recovery import compared
from cxlib.loyalty.still_possible import no_spread
from cxlib.loyalty.study import RecoveryStudy
from cxlib.stats.checks import check_choice, critical_value
from cxlib.stats.tost import Equivalence, both_tests

__all__ = ["recovery_difference"]


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
        Sides that are no such mappings or the same, too few occasions on a side, an outcome without
        spread; what is still possible is named.

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
    _check(first, second, names, smallest_effect)
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
    if not limits[1] < two - one < limits[2]:
        raise CxError("Both effects are of the same occasions: there is no difference to judge.")
    test = _judged_limits(two - one, limits, smallest, level)
    word = {"above": "better", "below": "worse"}.get(test.verdict, test.verdict)
    if outcome == "churn":
        word = {"better": "worse", "worse": "better"}.get(word, word)
    return EffectDifference(
        outcome, *names, UNITS[outcome], one, two, test.estimate, test.low, test.high,
        test.p_difference, level, "trivial" if test.trivial else word, smallest,
        tuple(int(p.seen[1]) for p in parts),
    )  # fmt: skip


def _check(first, second, names, smallest_effect) -> None:
    known = ("study", "exposure", "among")
    for side in (first, second):
        study = side.get("study") if isinstance(side, Mapping) else None
        if not isinstance(study, RecoveryStudy) or set(side) - set(known):
            found = sorted(map(str, side)) if isinstance(side, Mapping) else type(side).__name__
            raise CxError(
                "Each side is a mapping with a study (cx.recovery_study), and where it is not the "
                f"usual one an exposure and among: found {found}."
            )
    if isinstance(names, str) or len(names) != 2:
        raise CxError(f"names are what the two effects are called: found {names!r}.")
    if not (isinstance(smallest_effect, int | float) and 0 < smallest_effect < 10):
        raise CxError(
            f"smallest_effect is in SD of the outcome, above 0: found {smallest_effect!r}."
        )


def _correlation(one: GroupMeans, two: GroupMeans) -> float:
    """Of two effects, whose customers carry the same numbers."""
    first, second = (part.influence[:, 1] - part.influence[:, 0] for part in (one, two))
    both = min(first.size, second.size)
    return float(first[:both] @ second[:both] / np.sqrt(first @ first * (second @ second)))


def _joined(one: Equivalence, two: Equivalence, correlation: float) -> tuple:
    """Limits of the second less the first, in the order low, narrow low, narrow high, high."""

    def reach(up, down):
        return np.sqrt(max(up**2 + down**2 - 2 * correlation * up * down, 0.0))

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
