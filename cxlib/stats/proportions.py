"""Proportions, and two of them compared: difference and ratio of risks."""

from __future__ import annotations

import numpy as np

from cxlib.stats.checks import check_choice, counts, critical_value, refuse
from cxlib.stats.interval import Difference, Interval, plain
from cxlib.stats.mover import mover
from cxlib.stats.roots import boundary

__all__ = ["proportion", "risk_difference", "risk_ratio"]

_STATSMODELS_NAME = {
    "score": "wilson",
    "jeffreys": "jeffreys",
    "clopper_pearson": "beta",
}


def _checked(successes, n):
    successes, n = counts(successes=successes, n=n)
    refuse(n <= 0, "a proportion needs at least one answer: n is 0", "n of 1 or more")
    refuse(successes > n, "successes exceed n", "successes <= n")
    return successes, n


def _limits(successes, n, level, method):
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(successes, n, alpha=1 - level, method=_STATSMODELS_NAME[method])
    share = successes / n
    return np.clip(low, 0.0, share), np.clip(high, share, 1.0)


def proportion(successes, n, *, level: float = 0.95, method: str = "score") -> Interval:
    """Share of successes with its interval, for one group or many segments at once.

    Parameters
    ----------
    successes, n : array_like
        Counts, broadcast against each other, ``0 <= successes <= n``, ``n >= 1``.
    level : float, optional
        Nominal coverage, a share.
    method : {"score", "jeffreys", "clopper_pearson"}, optional
        ``score`` (Wilson) solves ``(p - s)^2 = z^2 s (1 - s) / n``; ``jeffreys`` is the posterior
        under Beta(1/2, 1/2); ``clopper_pearson`` inverts the exact test, never covers less than
        `level` and is too wide on average (.977 at n = 20 for .95): for bounds that must hold.

    Returns
    -------
    Interval
        Limits within [0, 1], by statsmodels.

    Raises
    ------
    CxError
        For impossible counts or level.

    Notes
    -----
    ``score`` and ``jeffreys`` hold on average over all shares, not at each: at n = 20 and 95 % the
    mean is .953 and .951, the minimum, near 0 and 1, .839 and .894.

    References
    ----------
    Brown, Cai & DasGupta 2001, Statistical Science 16(2), doi:10.1214/ss/1009213286.

    Examples
    --------
    >>> print(proportion(8, 10).summary())
    The share is 0.8 (95 % interval 0.49 to 0.943; score, n = 10).
    """
    check_choice("method", method, tuple(_STATSMODELS_NAME))
    critical_value(level)
    successes, n = _checked(successes, n)
    low, high = _limits(successes, n, level, method)
    return Interval(
        plain(successes / n), plain(low), plain(high), float(level), plain(n), method, "share"
    )


def null_shares(delta, x1, n1, x2, n2):
    """Best-fitting shares under p1 - p2 = delta (the closed form of Farrington & Manning)."""
    total = n1 + n2
    l2 = (n1 + 2 * n2) * delta - total - x1 - x2
    l1 = (n2 * delta - total - 2 * x2) * delta + x1 + x2
    l0 = x2 * delta * (1 - delta)
    shift = l2 / (3 * total)
    q = shift**3 - l1 * l2 / (6 * total**2) + l0 / (2 * total)
    size = np.sqrt(np.maximum(shift**2 - l1 / (3 * total), 0.0))
    size = np.where(q < 0, -size, size)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.where(size == 0, 0.0, q / size**3)
    angle = (np.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3
    p2 = np.clip(2 * size * np.cos(angle) - shift, np.maximum(-delta, 0), np.minimum(1 - delta, 1))
    return p2 + delta, p2


def risk_difference(first, second, *, level: float = 0.95, method: str = "newcombe") -> Difference:
    """Difference of two independent shares: first minus second.

    Parameters
    ----------
    first, second : tuple of array_like
        (successes, n) of each group; broadcast against each other.
    level : float, optional
        Nominal coverage, a share.
    method : {"newcombe", "miettinen_nurminen"}, optional
        ``newcombe`` combines Wilson limits (MOVER); ``miettinen_nurminen`` inverts the score test
        ``(d - delta)^2 <= z^2 v(delta) N / (N - 1)`` with shares fitted under delta.

    Returns
    -------
    Difference
        Limits within [-1, 1]; standard_error is unpooled; z and p are Miettinen and Nurminen's
        score test of no difference for both methods.

    Raises
    ------
    CxError
        For impossible counts or level.

    References
    ----------
    Newcombe 1998, Statistics in Medicine 17(8),
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.
    Miettinen & Nurminen 1985, Statistics in Medicine 4(2), doi:10.1002/sim.4780040211.

    Examples
    --------
    >>> r = risk_difference((56, 70), (48, 80))
    >>> round(r.estimate, 4), round(r.low, 4), round(r.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    from scipy.special import ndtr

    check_choice("method", method, ("newcombe", "miettinen_nurminen"))
    critical = critical_value(level)
    x1, n1, x2, n2 = np.array(np.broadcast_arrays(*_checked(*first), *_checked(*second)))
    s1, s2 = x1 / n1, x2 / n2
    difference = s1 - s2
    refuse(n1 + n2 <= 1, "both groups together hold one answer or less", "more than one answer")

    def variance(delta):
        p1, p2 = null_shares(delta, x1, n1, x2, n2)
        total = n1 + n2
        return (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) * total / (total - 1)

    if method == "newcombe":
        parts = ((s1, *_limits(x1, n1, level, "score")), (s2, *_limits(x2, n2, level, "score")))
        low, high = mover(difference, *parts)
    else:

        def margin(delta):
            return critical**2 * variance(delta) - (difference - delta) ** 2

        low, high = boundary(margin, difference, -1.0), boundary(margin, difference, 1.0)
    null = np.sqrt(variance(np.zeros_like(difference)))
    z = np.divide(difference, null, out=np.zeros_like(difference), where=null > 0)
    return Difference(
        *(plain(v) for v in (difference, np.maximum(low, -1), np.minimum(high, 1))),
        float(level),
        plain(n1 + n2),
        method,
        "risk difference",
        "",
        plain(np.sqrt(s1 * (1 - s1) / n1 + s2 * (1 - s2) / n2)),
        plain(z),
        plain(2 * ndtr(-np.abs(z))),
    )


def risk_ratio(first, second, *, level: float = 0.95) -> Interval:
    """Ratio of two independent shares, first over second, with Koopman's score interval.

    All ratios phi with ``(p1 - phi p2)^2 <= z^2 (v1 / n1 + phi^2 v2 / n2)``, the variances at the
    shares that fit best under ``p1 = phi p2``.

    Parameters
    ----------
    first, second : tuple of array_like
        (successes, n) of each group; broadcast against each other.
    level : float, optional
        Nominal coverage, a share.

    Returns
    -------
    Interval
        No successes in the first group: estimate and low are 0. None in the second: estimate and
        high are infinite.

    Raises
    ------
    CxError
        For impossible counts, and where neither group has a success: the ratio is then unknown.

    References
    ----------
    Koopman 1984, Biometrics 40(2), doi:10.2307/2531405.

    Examples
    --------
    >>> r = risk_ratio((36, 40), (16, 80))
    >>> round(r.estimate, 2), round(r.low, 2), round(r.high, 2)
    (4.5, 2.94, 7.15)
    """
    critical = critical_value(level)
    x1, n1, x2, n2 = np.array(np.broadcast_arrays(*_checked(*first), *_checked(*second)))
    refuse((x1 == 0) & (x2 == 0), "no success in either group", "a success in one of the groups")
    s1, s2 = x1 / n1, x2 / n2
    with np.errstate(divide="ignore"):
        ratio = s1 / s2
        inner = np.clip(np.log(s1) - np.log(s2), -40.0, 40.0)

    def margin(log_ratio):
        phi = np.exp(log_ratio)
        first_part, second_part = phi * (n1 + x2), x1 + n2
        root = np.hypot(first_part - second_part, 2 * np.sqrt(phi * (n1 - x1) * (n2 - x2)))
        p2 = np.clip(2 * (x1 + x2) / (first_part + second_part + root), 0.0, 1.0)
        p1 = np.clip(phi * p2, 0.0, 1.0)
        variance = p1 * (1 - p1) / n1 + phi**2 * p2 * (1 - p2) / n2
        return (critical**2 * variance - (s1 - phi * s2) ** 2) / (1 + phi) ** 2

    low = np.where(x1 == 0, 0.0, np.exp(boundary(margin, inner, -41.0)))
    high = np.where(x2 == 0, np.inf, np.exp(boundary(margin, inner, 41.0)))
    return Interval(
        plain(ratio), plain(low), plain(high), float(level), plain(n1 + n2), "koopman", "risk ratio"
    )
