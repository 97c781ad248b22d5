"""Is a customer whose problem was solved very well more loyal than one who had none?"""

from __future__ import annotations

from cxlib.errors import CxError
from cxlib.loyalty.comparison import Comparison
from cxlib.loyalty.effects import RecoveryEffect, RecoveryOutcomes
from cxlib.loyalty.followup import OUTCOMES
from cxlib.loyalty.occasions import NO_FAILURE
from cxlib.loyalty.still_possible import TooRareError, too_rare
from cxlib.loyalty.study import RecoveryStudy, recovery_study
from cxlib.stats.checks import check_choice, check_level
from cxlib.stats.multiplicity import adjust_p

__all__ = ["compared", "recovery_effect", "recovery_outcomes", "study_of"]

ESTIMANDS = {
    ("overlap", None): "occasions where either could happen (overlap)",
    ("overlap", "overlap"): "occasions where either could happen (overlap)",
    ("ipw", None): "all eligible occasions",
    ("ipw", "population"): "all eligible occasions",
    ("ipw", "exposed"): "occasions like the exposed ones",
    (None, None): "the sample as it is",
}


def study_of(tables, **design) -> RecoveryStudy:
    """The study itself, or read from tables; a study brings its own design."""
    given = {k: v for k, v in design.items() if v is not None}
    if not isinstance(tables, RecoveryStudy):
        return recovery_study(tables, **given)
    other = {k: v for k, v in given.items() if tables.design[k] != v}
    if other:
        raise CxError(f"The study was made with {tables.design}: it cannot be had with {other}.")
    return tables


def compared(study, control, exposure, among, kind, outcome) -> Comparison:
    """Both groups made alike; where one is too rare, CxError says what would do for the outcome."""
    try:
        comparison = Comparison(study, (control, exposure), among, kind)
    except TooRareError:
        raise too_rare(study, control, exposure, among, outcome) from None
    if control == "failure":  # those of the exposure stand on the other side
        comparison.labels = ("any other failure", exposure)
    return comparison


def _asked(outcome, weights, estimand, smallest_effect, level):
    check_choice("outcome", outcome, OUTCOMES)
    check_level(level)
    if (weights, estimand) not in ESTIMANDS:
        allowed = "; ".join(f"weights={w!r} with estimand={e!r}" for w, e in ESTIMANDS)
        raise CxError(
            f"weights={weights!r} cannot reach estimand={estimand!r}. Allowed: {allowed}."
        )
    if not (isinstance(smallest_effect, int | float) and 0 < smallest_effect < 10):
        raise CxError(
            f"smallest_effect is in SD of the outcome, above 0: found {smallest_effect!r}."
        )
    kind = "exposed" if estimand == "exposed" else weights
    label = {None: "no weights", "ipw": "inverse probability"}.get(weights, weights)
    return kind, (ESTIMANDS[weights, estimand], label)


def recovery_effect(
    tables,
    outcome: str = "satisfaction",
    exposure: str = "excellent",
    control: str = NO_FAILURE,
    *,
    weights: str | None = "overlap",
    estimand: str | None = None,
    smallest_effect: float = 0.1,
    landmark_weeks: int | None = None,
    horizon_weeks: int | None = None,
    answer_weeks: int | None = None,
    churn_weeks: int | None = None,
    repeat_window_weeks: int | None = None,
    failures: str | None = None,
    among: str = "all",
    doubly_robust: bool = False,
    answering: bool = True,
    level: float = 0.95,
) -> RecoveryEffect:
    """Effect of a failure with a recovery, against no failure, as a target trial.

    ``d = sum w y / sum w`` of the exposed less that of the control, w from the propensity e of
    the exposure given what was known before: overlap 1 - e and e; ipw 1 / e and 1 / (1 - e), for
    the exposed 1 and e / (1 - e). Influences, with the fitting of e, are summed by customer.

    The shares repurchase and churn are judged by a score test through the effective number of
    customers (`cxlib.stats.share_equivalence`), answers and value by t. For value, half of what
    the variance of the smaller group lacks of that of the larger one, customer for customer, is
    added. Notebook 04b counts how often each verdict is wrong in companies of 250 and 500.

    Parameters
    ----------
    tables : World, mapping or RecoveryStudy
        See `recovery_study`.
    outcome : {"satisfaction", "recommendation", "intention", "repurchase", "churn", "value"}
        The first three are answers (points of their scales), then shares, then money (margin).
    exposure : {"none", "poor", "adequate", "excellent", "unreported", "unknown", "repeated", \
        "failure"}
        Level of recovery (``unknown``: reported, and its recovery not told); ``failure`` is any
        single failure, silent ones included.
    control : str
        ``no failure``, or a level; to ``failure`` belong the failures of no other level asked for.
    weights : {"overlap", "ipw", None}
    estimand : {None, "overlap", "population", "exposed"}
        ``population`` and ``exposed`` go with ipw; None takes what belongs to the weights.
    smallest_effect : float
        Smallest effect that matters, in SD of the outcome in the control, named beforehand.
    landmark_weeks, horizon_weeks, answer_weeks, churn_weeks, repeat_window_weeks, failures
        See `recovery_study`; None takes its default, or what a given study was made with.
    among : {"all", "promoters", "others"}
        By the last answer on recommendation before the occasion: 9 or 10, or less.
    doubly_robust : bool
        Also take off what a regression among the control, without the own customer, expects.
    answering : bool
        Weigh answers by the inverse of their chance, from the same covariates and the group.
    level : float
        Nominal coverage, a share above .5.

    Returns
    -------
    RecoveryEffect

    Raises
    ------
    CxError
        No failures, no control, a level never seen, too few answers, perfect separation of the
        groups, answers before the exposure: each with what is still possible.

    References
    ----------
    Li, Morgan & Zaslavsky 2018, JASA 113(521), doi:10.1080/01621459.2016.1260466. Lunceford &
    Davidian 2004, Statistics in Medicine 23(19), doi:10.1002/sim.1903. Laud 2017, Pharmaceutical
    Statistics 16(5), doi:10.1002/pst.1813.

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> world = World(seed=1, customers=2000, weeks=80, events=[])
    >>> effect = recovery_effect(world, "repurchase", "poor", horizon_weeks=13)
    >>> effect.verdict in ("paradox", "worse", "trivial", "equivalent", "cannot tell")
    True
    """
    kind, named = _asked(outcome, weights, estimand, smallest_effect, level)
    study = study_of(
        tables, landmark_weeks=landmark_weeks, horizon_weeks=horizon_weeks, failures=failures,
        answer_weeks=answer_weeks, churn_weeks=churn_weeks, repeat_window_weeks=repeat_window_weeks,
    )  # fmt: skip
    return compared(study, control, exposure, among, kind, outcome).effect(
        outcome, smallest=smallest_effect, level=level, robust=doubly_robust,
        answering=answering, estimand=named,
    )  # fmt: skip


def recovery_outcomes(
    tables,
    exposure: str = "excellent",
    control: str = NO_FAILURE,
    *,
    primary: str = "satisfaction",
    weights: str | None = "overlap",
    estimand: str | None = None,
    smallest_effect: float = 0.1,
    among: str = "all",
    doubly_robust: bool = False,
    answering: bool = True,
    level: float = 0.95,
    **design,
) -> RecoveryOutcomes:
    """All six outcomes with one set of weights; see `recovery_effect` for the parameters.

    Parameters
    ----------
    primary : str
        The one outcome named beforehand; Holm's correction runs over the others.
    **design
        Weeks and failures of `recovery_study`.

    Examples
    --------
    >>> from cxlib.worlds.world import World
    >>> world = World(seed=1, customers=2000, weeks=80, events=[])
    >>> found = recovery_outcomes(world, "poor", primary="repurchase", horizon_weeks=13)
    >>> "repurchase" in found.effects, "repurchase" in found.p_holm
    (True, False)
    """
    kind, named = _asked(primary, weights, estimand, smallest_effect, level)
    study = study_of(tables, **design)
    comparison = compared(study, control, exposure, among, kind, primary)
    effects, missing = {}, {}
    for outcome in sorted(OUTCOMES, key=lambda o: o != primary):
        try:
            effects[outcome] = comparison.effect(
                outcome, smallest=smallest_effect, level=level, robust=doubly_robust,
                answering=answering, estimand=named,
            )  # fmt: skip
        except CxError as error:
            what, _, _ = error.headline.partition(" Still possible:")
            missing[outcome] = error.headline if outcome == primary else what
    if not effects:
        raise CxError(f"No outcome can be judged: {missing[primary]}")
    others = [o for o in effects if o != primary]
    adjusted = adjust_p([effects[o].p_difference for o in others]) if others else []
    holm = dict(zip(others, map(float, adjusted), strict=True))
    return RecoveryOutcomes(effects, primary, holm, missing)
