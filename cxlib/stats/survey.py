"""Weights for those who answered: raking, inverse probability, trimming, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.stats.checks import numbers, refuse, weighed

__all__ = ["effective_n", "inverse_probability_weights", "rake", "trim_weights"]


def effective_n(weights) -> float:
    """Kish's effective number of answers, ``(sum w)^2 / sum w^2``.

    How many unweighted answers would be as precise, if weights and answers were unrelated; for
    the number that the design really left, see `weighted_mean`.

    Parameters
    ----------
    weights : array_like
        Not negative, not all zero.

    Raises
    ------
    CxError
        For negative, missing, infinite or only zero weights.

    References
    ----------
    Kish 1965, Survey Sampling, Wiley, ISBN 978-0-471-10949-5.

    Examples
    --------
    >>> effective_n([1, 1, 2])
    2.6666666666666665
    """
    refuse(weights is None or np.size(weights) == 0, "there are no weights", "one or more")
    weights = weighed(weights, np.size(weights))
    weights = weights / weights.max()
    return float(weights.sum() ** 2 / (weights**2).sum())


def _target_problems(table, targets, weights):
    problems = [] if targets else [Problem("targets is empty", allowed="at least one margin")]
    for column, shares in targets.items():
        if column not in table:
            problems.append(Problem(f"column {column!r} is missing", allowed=f"{list(table)}"))
            continue
        values = np.asarray(pd.to_numeric(list(shares.values()), errors="coerce"), dtype=float)
        if not (np.isfinite(values).all() and (values >= 0).all()):
            problems.append(Problem(f"targets of {column!r} must be shares of 0 or more: {shares}"))
        elif abs(values.sum() - 1) > 1e-6:
            problems.append(Problem(f"targets of {column!r} sum to {values.sum():.6g}, not to 1"))
        codes = pd.Index(list(shares)).get_indexer(table[column])
        used = weights > 0
        unknown = table[column][used & (codes < 0)]
        if len(unknown):
            names = sorted(map(str, pd.unique(unknown)))[:5]
            what = f"{len(unknown):,} rows of {column!r} have no target: {', '.join(names)}"
            problems.append(Problem(what, count=len(unknown)))
        counts = np.bincount(codes[used & (codes >= 0)], minlength=len(shares))
        absent = [str(k) for k, v, n in zip(shares, values, counts, strict=True) if v > 0 and not n]
        if absent:
            what = f"targets of {column!r} that nobody answers for: {', '.join(absent)}"
            problems.append(Problem(what, cause="Merge such a group with its neighbour."))
    return problems


def rake(
    groups: pd.DataFrame,
    targets: Mapping[str, Mapping],
    *,
    weights=None,
    tolerance: float = 1e-9,
    iterations: int = 1000,
) -> np.ndarray:
    """Weights whose margins equal known shares, by iterative proportional fitting.

    Each margin in turn is multiplied to its target until all hold: the weights nearest to the
    start, in the sense of the Kullback-Leibler distance, that meet the targets.

    Parameters
    ----------
    groups : DataFrame
        One row an answer, one column a margin.
    targets : mapping of mapping
        ``{"country": {"DE": .6, "AT": .4}}``: shares of the population, each margin summing to 1.
    weights : array_like, optional
        Where to start; 1 each by default. Rows of weight 0 stay at 0.
    tolerance : float, optional
        Largest distance of a weighted share from its target.
    iterations : int, optional
        Rounds before giving up.

    Returns
    -------
    ndarray
        One weight a row; the sum of the starting weights is kept.

    Raises
    ------
    CxError
        For labels without target, targets without answers, shares that do not sum to 1, and
        margins that cannot hold together; all of them at once.

    References
    ----------
    Deming & Stephan 1940, Annals of Mathematical Statistics 11(4), doi:10.1214/aoms/1177731829.
    Deville, Saerndal & Sautory 1993, JASA 88(423), doi:10.1080/01621459.1993.10476369.

    Examples
    --------
    >>> rake(pd.DataFrame({"country": ["DE", "DE", "AT"]}), {"country": {"DE": 0.5, "AT": 0.5}})
    array([0.75, 0.75, 1.5 ])
    """
    groups = pd.DataFrame(groups)
    weights = weighed(weights, len(groups)).copy()
    problems = _target_problems(groups, targets, weights)
    if problems:
        raise CxError("The weights cannot be raked.", problems)
    total, margins = weights.sum(), []
    for column, shares in targets.items():
        codes = pd.Index(list(shares)).get_indexer(groups[column])
        margins.append((np.where(codes < 0, 0, codes), np.array(list(shares.values()), float)))
    for _ in range(iterations):
        worst = 0.0
        for codes, shares in margins:
            now = np.bincount(codes, weights, len(shares)) / total
            worst = max(worst, np.abs(now - shares).max())
            factor = np.divide(shares, now, out=np.zeros_like(shares), where=now > 0)
            weights *= factor[codes]
        if worst <= tolerance:
            return weights
    raise CxError(
        f"Raking did not settle in {iterations} rounds: a share is still off by {worst:.2g}. "
        "Do empty combinations of groups contradict the targets? Merge small groups."
    )


def inverse_probability_weights(probabilities) -> np.ndarray:
    """Weights 1 / p of those who answered, scaled to mean 1.

    Parameters
    ----------
    probabilities : array_like
        Probability of each respondent to answer, in (0, 1], known or fitted
        (`cxlib.stats.overlap.fit_propensity`). Where answering depends on what was asked, no
        probability from other columns repairs the sample.

    Raises
    ------
    CxError
        For probabilities outside (0, 1].

    References
    ----------
    Horvitz & Thompson 1952, JASA 47(260), doi:10.1080/01621459.1952.10483446.

    Examples
    --------
    >>> inverse_probability_weights([0.5, 0.25, 0.25])
    array([0.6, 1.2, 1.2])
    """
    probabilities = numbers("probabilities", probabilities)
    outside = (probabilities <= 0) | (probabilities > 1)
    refuse(outside, "probabilities outside (0, 1]", "above 0, at most 1")
    weights = 1 / probabilities
    return weights / weights.mean()


def trim_weights(weights, *, largest: float = 5.0) -> np.ndarray:
    """Cap weights at `largest` times their mean and give the excess to the others in proportion.

    Trimming trades a little bias for less variance; report the estimate with and without.

    Parameters
    ----------
    weights : array_like
        Not negative, not all zero.
    largest : float, optional
        Cap in units of the mean weight, above 1.

    Returns
    -------
    ndarray
        Same sum and order as before; none above the cap.

    Raises
    ------
    CxError
        For weights that cannot be used, a cap of 1 or less, or a cap that the rows with a weight
        above 0 cannot meet.

    References
    ----------
    Potter 1990, Proceedings of the Survey Research Methods Section, ASA, 225-230.

    Examples
    --------
    >>> trim_weights([1, 1, 1, 9], largest=2)
    array([2., 2., 2., 6.])
    """
    refuse(weights is None or np.size(weights) == 0, "there are no weights", "one or more")
    weights = weighed(weights, np.size(weights)).copy()
    cap = largest * weights.mean()
    if not largest > 1 or cap * (weights > 0).sum() < weights.sum():
        raise CxError(f"largest={largest!r} cannot be met. Allowed: above 1, and more room.")
    total = weights.sum()
    capped = np.zeros(weights.shape, dtype=bool)
    while (weights > cap * (1 + 1e-12)).any():
        capped |= weights >= cap
        weights[capped] = cap
        weights[~capped] *= (total - cap * capped.sum()) / weights[~capped].sum()
    return weights
