"""Where the mean is not enough: outcomes hidden by leaving, and quantiles."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.loyalty.arms import group_means
from cxlib.loyalty.comparison import answering_chance, contrast
from cxlib.loyalty.effects import LeavingBounds
from cxlib.loyalty.followup import ANSWERS, OUTCOMES, UNITS
from cxlib.loyalty.occasions import NO_FAILURE
from cxlib.loyalty.recovery import compared, study_of
from cxlib.loyalty.study_input import SCALES
from cxlib.stats.checks import check_choice, critical_value, numbers, refuse

__all__ = [
    "recovery_bounds",
    "recovery_quantiles",
]


@contextlib.contextmanager
def _by_recovery_effect(of_whom: str = ""):
    """What is still possible where one of two sides is too small is so by `recovery_effect`."""
    try:
        yield
    except CxError as error:
        told = error.headline.replace("Still possible: ", "Still possible by recovery_effect: ")
        raise CxError(of_whom + told, error.problems) from None


def _scale(tables, question: str, scale) -> tuple[float, float]:
    """Lowest and highest answer: as asked for, as declared to the reader, or the usual."""
    if scale is None:
        source = tables if isinstance(tables, Mapping) else {}
        declared = getattr(source.get("responses"), "attrs", {}).get("scale", {})
        return tuple(declared.get(question, SCALES[question]))
    ends = numbers("scale", scale)
    if ends.size != 2 or not np.isfinite(ends).all() or not ends[0] < ends[1]:
        raise CxError(f"scale is (lowest, highest), two finite numbers: found {scale!r}.")
    return tuple(map(float, ends))


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
        Lowest and highest answer; by default the one declared when responses were read, else 1-7
        or 0-10.
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
    lowest, highest = _scale(tables, ANSWERS[outcome], scale)
    study = study_of(tables, **design)
    known = np.flatnonzero(~np.isnan(study.outcomes["churn"]) & study.followed)
    if not known.size:
        why, ways = study.lacking.get("churn"), "recovery_effect"
        if why is None:
            why = "the records end before the churn weeks are over"
            ways += ", or shorter weeks of horizon, churn and answers"
        raise CxError(f"Who has left is not known: {why}. Still possible: {ways}.")
    study = study.take(known)
    with _by_recovery_effect("Of occasions after which it is known who left: "):
        comparison = compared(study, NO_FAILURE, exposure, "all", "overlap", outcome)
        comparison.need(outcome)
    arms, rows = comparison.arms, comparison.rows
    y = study.outcomes[outcome][rows]
    gone = study.gone[rows] & (study.outcomes["churn"][rows] == 1) & np.isnan(y)
    chance = answering_chance(arms, np.where(gone, np.nan, y), ~gone)
    chance = np.where(gone, 1.0, chance)
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
    with _by_recovery_effect():
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
