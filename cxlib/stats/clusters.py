"""Shares and skewed amounts of customers who answer repeatedly, and differences of two groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.stats.checks import (
    check_level,
    critical_value,
    numbers,
    warn_of_no_width,
    weighed,
)
from cxlib.stats.design import weighted_share
from cxlib.stats.interval import Interval

__all__ = ["cluster_difference", "cluster_mean"]

FEWEST_AMOUNTS = 80


def cluster_mean(
    values, cluster, *, weights=None, level: float = 0.95, event: bool | None = None
) -> Interval:
    """Mean over rows of which several may belong to one cluster; its limits follow the skewness.

    Values of 0 and 1 get Wilson's interval through the effective n (`weighted_share`). Other
    amounts get Hall's transformation of Student's t: with clusters i of total ``y_i`` and size
    (sum of weights) ``b_i``, ``e_i = (y_i - m b_i) / mean(b)``, their standard deviation s and
    skewness g, ``k = g / sqrt(n)`` and ``h(t) = 3 / k ((1 + k (t - k / 6))^(1/3) - 1)``, the
    limits are ``m - s / sqrt(n) h(t)`` at both quantiles t with n - 1 degrees of freedom.

    Parameters
    ----------
    values : array_like
        Numbers or true/false, without missing values.
    cluster : array_like
        Whom each row belongs to.
    weights : array_like, optional
        Not negative, not all zero; only their ratios matter. Rows of weight 0 count for nothing.
    level : float
    event : bool, optional
        Whether the values are yes or no; by default so where all are 0 or 1.

    Returns
    -------
    Interval
        n: clusters. A single cluster tells nothing of others: 0 to 1, or no limits (nan).

    Notes
    -----
    Where a third of the customers spend nothing and the rest log-normal amounts (standard deviation
    .9 of the logarithm), the interval needs some 80 clusters to hold its level; with fewer no
    formula tells the long tail that it has not seen.

    References
    ----------
    Hall 1992, Journal of the Royal Statistical Society B 54(1), 221-228 (the transformation).

    Examples
    --------
    >>> found = cluster_mean([0, 0, 10, 20, 30, 200], list("abcdef"))
    >>> round(found.estimate, 1), found.high - found.estimate > found.estimate - found.low
    (43.3, True)
    """
    check_level(level)
    values, who, weights = _checked(values, cluster, weights)
    event = bool(np.isin(values, (0, 1)).all()) if event is None else event
    counted = weights > 0
    if (units := len(np.unique(who[counted]))) == 1:
        ends = (0.0, 1.0) if event else (np.nan, np.nan)
        mean = float(np.average(values, weights=weights))
        return Interval(mean, *ends, level, 1, "one cluster", "mean")
    estimate, low, high, _ = _side(values, counted, who, weights, level, event)
    return Interval(estimate, low, high, level, units, "by clusters", "mean")


def cluster_difference(
    values, first, second, cluster, *, weights=None, level: float = 0.95
) -> Interval:
    """Mean of some rows minus mean of others, where a cluster may stand on both sides.

    The limits of both means (`cluster_mean`) are combined by MOVER with the correlation r of the
    two estimates: ``low = d - sqrt(a^2 + b^2 - 2 r a b)`` with ``a = m1 - l1, b = u2 - m2``, and
    likewise above.

    Parameters
    ----------
    values, cluster, weights : array_like
        As in `cluster_mean`.
    first, second : array_like of bool
        The rows of either side.
    level : float

    Returns
    -------
    Interval
        n: rows of both sides.

    Raises
    ------
    CxError
        A side with fewer than two clusters.

    References
    ----------
    Zou & Donner 2008, Statistics in Medicine 27(10), doi:10.1002/sim.3095.

    Examples
    --------
    >>> bought = [1, 1, 0, 1, 0, 0, 0, 1]
    >>> found = cluster_difference(bought, [True] * 4 + [False] * 4, [False] * 4 + [True] * 4,
    ...                            list("abcdabef"))
    >>> found.estimate, found.low < 0 < found.high
    (0.5, True)
    """
    check_level(level)
    values, who, weights = _checked(values, cluster, weights)
    sides = [np.asarray(side, dtype=bool) & (weights > 0) for side in (first, second)]
    event = np.isin(values, (0, 1)).all()
    sizes = [len(np.unique(who[side])) for side in sides]
    if min(sizes) < 2:
        raise CxError(
            f"A difference needs 2 customers on either side: found {sizes[0]:,} and {sizes[1]:,}."
        )
    (m1, l1, u1, e1), (m2, l2, u2, e2) = (
        _side(values, side, who, weights, level, event) for side in sides
    )
    spread = np.sqrt((e1**2).sum() * (e2**2).sum())
    r = float((e1 * e2).sum() / spread) if spread > 0 else 0.0
    a, b, c, d = m1 - l1, u2 - m2, u1 - m1, m2 - l2
    low = m1 - m2 - np.sqrt(max(0.0, a * a + b * b - 2 * r * a * b))
    high = m1 - m2 + np.sqrt(max(0.0, c * c + d * d - 2 * r * c * d))
    n = int(sides[0].sum() + sides[1].sum())
    return Interval(m1 - m2, float(low), float(high), level, n, "mover by clusters", "difference")


def _checked(values, cluster, weights):
    values = numbers("values", np.asarray(values, dtype=float))
    who = pd.factorize(np.asarray(cluster, dtype=object))[0]
    if len(who) != len(values):
        raise CxError(f"cluster needs one entry a value: {len(who):,} for {len(values):,}.")
    return values, who, weighed(weights, len(values))


def _side(values, side, who, weights, level, event):
    """Estimate, limits, and each cluster's influence on the estimate."""
    size = np.bincount(who, weights * side)
    total = np.bincount(who, values * weights * side)
    mean = float(total.sum() / size.sum())
    influence = (total - mean * size) / size.sum()
    if event:
        share = weighted_share(values[side], weights[side], cluster=who[side], level=level)
        return mean, share.low, share.high, influence
    warn_of_no_width(values[side])
    units = size > 0
    n, each = int(units.sum()), influence[units] * units.sum()
    error = np.sqrt((each**2).sum() / (n - 1) / n)
    k = (each**3).mean() / (each**2).mean() ** 1.5 * np.sqrt(n - 1) / (n - 2) if error > 0 else 0.0
    t = float(critical_value(level, n - 1))
    low, high = (mean - error * _untransformed(q, k) for q in (t, -t))
    return mean, float(low), float(high), influence


def _untransformed(t, k):
    """h(t) of `cluster_mean`; t itself where nothing is skewed."""
    return t if abs(k) < 1e-9 else 3 / k * (np.cbrt(1 + k * (t - k / 6)) - 1)
