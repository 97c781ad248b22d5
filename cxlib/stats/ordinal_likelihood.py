"""Likelihood of an ordered logit: chances, gradients, information, and its maximum.

Parameters in this order: coefficients of the columns, thresholds, and for each column in `free`
by how much its coefficient at the second and later thresholds differs from that at the first.
With free columns the likelihood is a composite one, the sum of the logits of all splits
``Y > k``: slopes of their own can cross, and the full likelihood then stops at its edge.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit, logit

from cxlib.errors import CxError

__all__ = [
    "cluster_moves",
    "information",
    "log_likelihood",
    "maximum",
    "parts",
    "scores",
    "slopes_at",
]

NEWTON_STEPS = 60
LARGEST_EFFECT = 20.0


def parts(parameters, columns, free=()):
    """Coefficients, thresholds and gaps (one row a free column, one column a later threshold)."""
    cuts = (len(parameters) - columns + len(free)) // (1 + len(free))
    gaps = parameters[columns + cuts :].reshape(len(free), cuts - 1)
    return parameters[:columns], parameters[columns : columns + cuts], gaps


def slopes_at(parameters, columns, cut, free=()):
    """Coefficients at one threshold."""
    slopes, _, gaps = parts(parameters, columns, free)
    slopes = slopes.copy()
    if cut and len(free):
        slopes[list(free)] += gaps[:, cut - 1]
    return slopes


def _distances(codes, design, parameters):
    """What a row contributes: cdf and density at its upper and lower threshold, and derivatives.

    The derivative of a threshold's distance from the linear predictor is ``(-x, e_k)``.
    """
    columns = design.shape[1]
    cuts = len(parameters) - columns
    linear = design @ parameters[:columns]
    edges = np.concatenate([[-np.inf], parameters[columns:], [np.inf]])
    upper, lower = expit(edges[codes + 1] - linear), expit(edges[codes] - linear)
    survival = expit(linear - edges[codes]) - expit(linear - edges[codes + 1])
    chance = np.where(lower < 0.5, upper - lower, survival)
    steps = np.eye(cuts + 2)[:, 1:-1]
    to_upper = np.hstack([-design, steps[codes + 1]])
    to_lower = np.hstack([-design, steps[codes]])
    return chance, upper, lower, to_upper, to_lower


def _splits(codes, design, parameters, free):
    """Of each split ``Y > k``: whether above, the linear predictor, and its derivative."""
    columns, free = design.shape[1], list(free)
    slopes, cuts, gaps = parts(parameters, columns, free)
    for k, cut in enumerate(cuts):
        lever = np.zeros((len(codes), len(parameters)))
        lever[:, :columns], lever[:, columns + k] = design, -1.0
        linear = design @ slopes - cut
        if k:
            places = columns + len(cuts) + np.arange(len(free)) * (len(cuts) - 1) + k - 1
            lever[:, places] = design[:, free]
            linear = linear + design[:, free] @ gaps[:, k - 1]
        yield codes > k, linear, lever


def log_likelihood(codes, design, parameters, free=()) -> float:
    """Sum over rows; minus infinity where thresholds are out of order."""
    if len(free):
        splits = _splits(codes, design, parameters, free)
        return float(sum(log_expit(np.where(up, x, -x)).sum() for up, x, _ in splits))
    chance = _distances(codes, design, parameters)[0]
    return float(np.log(chance).sum()) if (chance > 0).all() else -np.inf


def scores(codes, design, parameters, free=()):
    """Gradient of each row's log-likelihood in all parameters."""
    if len(free):
        splits = _splits(codes, design, parameters, free)
        return sum((up - expit(x))[:, None] * lever for up, x, lever in splits)
    chance, upper, lower, to_upper, to_lower = _distances(codes, design, parameters)
    chance = np.maximum(chance, 1e-300)[:, None]
    rise, fall = (upper * (1 - upper))[:, None], (lower * (1 - lower))[:, None]
    return (rise * to_upper - fall * to_lower) / chance


def information(codes, design, parameters, groups_=None, count=1, free=()):
    """Observed information in all parameters, one matrix a group of rows."""
    if len(free):
        chances = ((lever, expit(x)) for _, x, lever in _splits(codes, design, parameters, free))
        pairs = [((p * (1 - p))[:, None] * lever, lever) for lever, p in chances]
    else:
        chance, upper, lower, to_upper, to_lower = _distances(codes, design, parameters)
        chance = np.maximum(chance, 1e-300)
        rise, fall = upper * (1 - upper), lower * (1 - lower)
        both = rise * fall / chance**2
        above = rise * (1 - 2 * upper) / chance - (rise / chance) ** 2
        below = -fall * (1 - 2 * lower) / chance - (fall / chance) ** 2
        left = above[:, None] * to_upper + both[:, None] * to_lower
        right = both[:, None] * to_upper + below[:, None] * to_lower
        pairs = [(-left, to_upper), (-right, to_lower)]
    if groups_ is None:
        return sum(one.T @ other for one, other in pairs)
    order = np.argsort(groups_, kind="stable")
    ends = np.cumsum(np.bincount(groups_, minlength=count))[:-1]
    split = [[np.split(side[order], ends) for side in pair] for pair in pairs]
    return np.array([
        sum(one[g].T @ other[g] for one, other in split) for g in range(count)
    ])  # fmt: skip


def _separated(parameters, design, names):
    reach = np.abs(parameters[: len(names)]) * design.std(axis=0)
    worst = int(reach.argmax())
    if not reach[worst] < LARGEST_EFFECT:
        raise CxError(
            f"Column {names[worst]!r} separates the answers perfectly, so its coefficient has no "
            "end. Merge rare answers or groups, or drop the column."
        )


def cluster_moves(codes, design, parameters, cluster, count, free=()):
    """What each cluster moves the parameters by, in one Newton step with its own weight removed."""
    rows = scores(codes, design, parameters, free)
    sums = np.column_stack([np.bincount(cluster, column, count) for column in rows.T])
    whole = information(codes, design, parameters, free=free)
    rest = whole - information(codes, design, parameters, cluster, count, free)
    try:
        return np.linalg.solve(rest, sums[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        raise CxError("One cluster alone carries a column or an answer; merge clusters.") from None


def maximum(codes, design, names, free):
    """Damped Newton steps from the shares of the answers; the log-likelihood is concave."""
    below = np.bincount(codes).cumsum()[:-1] / len(codes)
    gaps = len(free) * (len(below) - 1)
    parameters = np.concatenate([np.zeros(len(names)), logit(below), np.zeros(gaps)])
    reached = log_likelihood(codes, design, parameters, free)
    for _ in range(NEWTON_STEPS):
        _separated(parameters, design, names)
        gradient = scores(codes, design, parameters, free).sum(axis=0)
        try:
            step = np.linalg.solve(information(codes, design, parameters, free=free), gradient)
        except np.linalg.LinAlgError:
            raise CxError("The likelihood is flat: merge rare answers or groups.") from None
        for _ in range(30):
            now = log_likelihood(codes, design, parameters + step, free)
            if now >= reached - 1e-9 * abs(reached):
                break
            step = step / 2
        parameters, reached = parameters + step, now
        if gradient @ step < 1e-16 * len(codes):
            break
    _separated(parameters, design, names)
    return parameters, reached
