"""Means and their differences: Student's t, Welch's t and the bootstrap-t for skewed values."""

from __future__ import annotations

import warnings

import numpy as np

from cxlib.errors import CxError
from cxlib.stats.checks import (
    check_choice,
    check_level,
    critical_value,
    numbers,
    refuse,
    warn_of_no_width,
)
from cxlib.stats.interval import Difference, Interval, plain

__all__ = ["mean", "mean_difference", "mean_from_moments"]

DRAWS_AT_ONCE = 4_000_000


def mean_from_moments(means, deviations, n, *, level: float = 0.95) -> Interval:
    """Student's t interval of many means from their standard deviations and counts.

    ``m +- t s / sqrt(n)`` with n - 1 degrees of freedom, s with divisor n - 1.

    Parameters
    ----------
    means, deviations, n : array_like
        One entry a segment; deviations of 0 or more, n of 2 or more.
    level : float, optional
        Nominal coverage, a share.

    Raises
    ------
    CxError
        For a group of one: its spread is unknown.

    Examples
    --------
    >>> mean_from_moments([5.0, 6.0], [1.0, 1.0], [10, 40]).low.round(2)
    array([4.28, 5.68])
    """
    for name, values in (("means", means), ("deviations", deviations), ("n", n)):
        numbers(name, np.atleast_1d(values))
    means, deviations, n = (np.asarray(v, dtype=float) for v in (means, deviations, n))
    if not ((n >= 2).all() and (deviations >= 0).all()):
        raise CxError(
            "A mean needs a deviation of 0 or more and n of 2 or more: the spread "
            f"of a group of one is unknown. Smallest n: {n.min():g}."
        )
    half = critical_value(level, n - 1) * deviations / np.sqrt(n)
    return Interval(
        plain(means), plain(means - half), plain(means + half), float(level), plain(n), "t", "mean"
    )


def _bootstrap_t(values, level, replicates, seed):
    rng = np.random.default_rng(seed)
    n, centre = len(values), values.mean()
    ratios = []
    for start in range(0, replicates, max(1, DRAWS_AT_ONCE // n)):
        rows = min(replicates - start, max(1, DRAWS_AT_ONCE // n))
        drawn = values[rng.integers(0, n, (rows, n))]
        error = drawn.std(axis=1, ddof=1) / np.sqrt(n)
        ratios.append((drawn.mean(axis=1) - centre)[error > 0] / error[error > 0])
    upper, lower = np.quantile(np.concatenate(ratios), [0.5 + level / 2, 0.5 - level / 2])
    error = values.std(ddof=1) / np.sqrt(n)
    return centre - upper * error, centre - lower * error


def mean(
    values, *, level: float = 0.95, method: str = "t", replicates: int = 1999, seed: int = 0
) -> Interval:
    """Mean of independent values with its interval.

    Parameters
    ----------
    values : array_like
        At least two numbers, without missing values. Rows that depend on each other, or carry
        weights, belong in `weighted_mean`.
    level : float, optional
        Nominal coverage, a share.
    method : {"t", "bootstrap_t"}, optional
        ``t`` is ``m +- t s / sqrt(n)``. ``bootstrap_t`` takes the quantiles of
        ``(m* - m) / se*`` over resamples in place of Student's: for skewed values such as spend,
        n of 10 or more.
    replicates, seed : int, optional
        Of the bootstrap.

    Returns
    -------
    Interval
        All values equal: an interval of no width, and a CxWarning that says so.

    Raises
    ------
    CxError
        For missing values and groups of one (below 10 for the bootstrap).

    References
    ----------
    Hall 1988, Annals of Statistics 16(3), doi:10.1214/aos/1176350933.

    Examples
    --------
    >>> print(mean([4, 5, 5, 6, 7]).summary())
    The mean is 5.4 (95 % interval 3.98 to 6.82; t, n = 5).
    """
    check_choice("method", method, ("t", "bootstrap_t"))
    check_level(level)
    values = numbers("values", values, least=2 if method == "t" else 10)
    refuse(replicates < 1, "replicates below 1", "1 or more")
    centre, deviation = values.mean(), values.std(ddof=1)
    if warn_of_no_width(values):
        deviation = 0.0
    if method == "t" or deviation == 0:
        return mean_from_moments(centre, deviation, len(values), level=level)
    low, high = _bootstrap_t(values, level, replicates, seed)
    return Interval(
        float(centre), float(low), float(high), float(level), float(len(values)), method, "mean"
    )


def mean_difference(first, second, *, level: float = 0.95) -> Difference:
    """Difference of two independent means, first minus second, by Welch's t.

    ``d +- t sqrt(s1^2 / n1 + s2^2 / n2)`` with Satterthwaite's degrees of freedom (scipy).

    Parameters
    ----------
    first, second : array_like
        At least two numbers each, not all equal in both groups.
    level : float, optional
        Nominal coverage, a share.

    Raises
    ------
    CxError
        For missing values, groups of one, and two groups without any spread.

    References
    ----------
    Welch 1947, Biometrika 34(1-2), doi:10.1093/biomet/34.1-2.28.

    Examples
    --------
    >>> print(mean_difference([4, 5, 5, 6, 7], [3, 4, 4, 6, 4]).summary())
    The difference of means is 1.2 (95 % interval -0.431 to 2.83; welch, n = 10, p = 0.13).
    """
    from scipy.stats import ttest_ind

    check_level(level)
    first, second = (numbers(k, v, least=2) for k, v in (("first", first), ("second", second)))
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        raise CxError(
            "Neither group has any spread, so the difference has no error to judge it by."
        )
    with warnings.catch_warnings():  # one group without spread is allowed, and scipy warns of it
        warnings.filterwarnings("ignore", "Precision loss", RuntimeWarning)
        test = ttest_ind(first, second, equal_var=False)
    low, high = test.confidence_interval(level)
    difference = first.mean() - second.mean()
    return Difference(
        float(difference),
        float(low),
        float(high),
        float(level),
        float(len(first) + len(second)),
        "welch",
        "difference of means",
        "",
        float(np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))),
        float(test.statistic),
        float(test.pvalue),
    )
