"""Ratios of totals, such as spend per order or contacts per customer."""

from __future__ import annotations

import warnings

import numpy as np

from cxlib.errors import CxError, CxWarning
from cxlib.stats.checks import check_choice, critical_value, groups, numbers
from cxlib.stats.design import ratio_variance
from cxlib.stats.interval import Interval

__all__ = ["cluster_totals", "ratio"]


def cluster_totals(numerators, denominators, cluster):
    """Totals of both parts by cluster (each row its own where `cluster` is None)."""
    top = numbers("numerators", numerators)
    bottom = numbers("denominators", denominators)
    if len(top) != len(bottom):
        raise CxError(f"One denominator a numerator: found {len(top):,} and {len(bottom):,}.")
    if cluster is not None:
        codes, _ = groups("cluster", cluster, len(top))
        top, bottom = np.bincount(codes, top), np.bincount(codes, bottom)
    if len(top) < 2:
        raise CxError("A ratio needs at least two independent units: found 1.")
    if bottom.sum() == 0:
        raise CxError("The denominators sum to zero, so the ratio is not defined.")
    return top, bottom


def ratio(
    numerators, denominators, *, cluster=None, level: float = 0.95, method: str = "fieller"
) -> Interval:
    """Ratio of totals ``R = sum(y) / sum(x)`` with its interval.

    Parameters
    ----------
    numerators, denominators : array_like
        y and x, one pair a row, without missing values.
    cluster : array_like, optional
        Labels of rows that depend on each other (orders of a customer): the unit of the interval.
    level : float, optional
        Nominal coverage, a share.
    method : {"fieller", "delta"}, optional
        ``fieller`` takes all R with ``(ybar - R xbar)^2 <= t^2 var(y - R x) / G``; ``delta`` is
        ``R +- t se`` with the jackknife over clusters. t has G - 1 degrees of freedom.

    Returns
    -------
    Interval
        Where the mean of x is not told from 0, Fieller's set has no end: the limits are infinite
        and a CxWarning says so.

    Raises
    ------
    CxError
        For missing values, fewer than two clusters, or denominators that sum to zero.

    References
    ----------
    Fieller 1954, JRSS B 16(2), doi:10.1111/j.2517-6161.1954.tb00159.x.

    Examples
    --------
    >>> print(ratio([90, 210, 130, 300], [1, 2, 1, 3]).summary())
    The ratio is 104 (95 % interval 87.9 to 176; fieller, n = 4).
    """
    check_choice("method", method, ("fieller", "delta"))
    top, bottom = cluster_totals(numerators, denominators, cluster)
    size = len(top)
    estimate = top.sum() / bottom.sum()
    critical = float(critical_value(level, size - 1))
    if method == "delta":
        half = critical * np.sqrt(ratio_variance(top, bottom)[0])
        low, high = estimate - half, estimate + half
    else:
        covariance = np.cov(top, bottom) * critical**2 / size
        a = bottom.mean() ** 2 - covariance[1, 1]
        b = top.mean() * bottom.mean() - covariance[0, 1]
        c = top.mean() ** 2 - covariance[0, 0]
        if a <= 0:
            warnings.warn(
                "The mean of the denominators is not told from 0, so the ratio has no bounds.",
                CxWarning,
                stacklevel=2,
            )
            low, high = -np.inf, np.inf
        else:
            root = np.sqrt(max(b * b - a * c, 0.0))
            low, high = (b - root) / a, (b + root) / a
    return Interval(
        float(estimate), float(low), float(high), float(level), float(size), method, "ratio"
    )
