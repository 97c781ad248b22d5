"""How large a difference is, free of the unit: Cohen's d, Hedges' g and Cliff's delta."""

from __future__ import annotations

import numpy as np

from cxlib.errors import CxError
from cxlib.stats.checks import check_choice, check_level, critical_value, numbers
from cxlib.stats.interval import Interval
from cxlib.stats.roots import boundary

__all__ = ["cliffs_delta", "cohens_d"]


def cohens_d(first, second, *, level: float = 0.95, method: str = "hedges") -> Interval:
    """Standardised difference of two independent means, first minus second.

    ``d = (m1 - m2) / s``, s pooled. The interval inverts the noncentral t distribution of
    ``d / sqrt(1 / n1 + 1 / n2)``: exact for normal values of equal variance.

    Parameters
    ----------
    first, second : array_like
        At least two numbers each, without missing values, not all equal in both groups.
    level : float, optional
        Nominal coverage, a share.
    method : {"hedges", "cohen"}, optional
        ``hedges`` multiplies d by ``J = gamma(v / 2) / (sqrt(v / 2) gamma((v - 1) / 2))``,
        v = n1 + n2 - 2, which makes it unbiased; the interval is of the same population value.

    Returns
    -------
    Interval
        In standard deviations.

    Raises
    ------
    CxError
        For missing values, groups of one, and no spread at all.

    References
    ----------
    Hedges 1981, Journal of Educational Statistics 6(2), doi:10.3102/10769986006002107.
    Cumming & Finch 2001, EPM 61(4), doi:10.1177/0013164401614002.

    Examples
    --------
    >>> r = cohens_d([4, 5, 5, 6, 7], [3, 4, 4, 6, 4], method="cohen")
    >>> round(r.estimate, 3), round(r.low, 3), round(r.high, 3)
    (1.073, -0.298, 2.389)
    """
    from scipy.special import gammaln, nctdtr

    check_choice("method", method, ("hedges", "cohen"))
    check_level(level)
    first, second = (numbers(k, v, least=2) for k, v in (("first", first), ("second", second)))
    n1, n2 = len(first), len(second)
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        raise CxError("Neither group has any spread, so no difference can be standardised.")
    df = n1 + n2 - 2
    pooled = np.sqrt(((n1 - 1) * first.var(ddof=1) + (n2 - 1) * second.var(ddof=1)) / df)
    d = (first.mean() - second.mean()) / pooled
    root = np.sqrt(1 / n1 + 1 / n2)
    t = abs(d) / root  # of negative t the far tail is NaN in scipy, so its mirror is solved
    reach = 8 * (1 + t / np.sqrt(df)) + t / np.sqrt(df)
    upper = 0.5 + level / 2
    low = boundary(lambda nc: upper - nctdtr(df, nc, t), t + reach, t - reach)
    high = boundary(lambda nc: nctdtr(df, nc, t) - (1 - upper), t - reach, t + reach)
    if d < 0:
        low, high = -high, -low
    shrink = np.exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / np.sqrt(df / 2)
    return Interval(
        float(d * (shrink if method == "hedges" else 1.0)),
        float(low * root),
        float(high * root),
        float(level),
        float(n1 + n2),
        method,
        "standardised difference",
        "SD",
    )


def _placements(values, others):
    """For each value: the share of others below minus the share above, in [-1, 1]."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left")
    above = len(ordered) - np.searchsorted(ordered, values, side="right")
    return (below - above) / len(ordered)


def cliffs_delta(first, second, *, level: float = 0.95) -> Interval:
    """Cliff's delta: the chance that a first value exceeds a second, minus the reverse.

    ``delta = P(X > Y) - P(X < Y)`` over all pairs; ties count for neither. The interval is
    ``tanh(artanh(delta) +- t s / (1 - delta^2))``, s^2 the sum of the variances of both groups'
    placements over their sizes, t with Satterthwaite's degrees of freedom. Where one group lies
    wholly above the other, s is 0 and Newcombe's score limits without ties take over.

    Parameters
    ----------
    first, second : array_like
        At least two values each of one ordinal scale, without missing values.
    level : float, optional
        Nominal coverage, a share.

    Returns
    -------
    Interval
        From -1 to 1.

    Raises
    ------
    CxError
        For missing values and groups of one.

    References
    ----------
    Cliff 1993, Psychological Bulletin 114(3), doi:10.1037/0033-2909.114.3.494.
    Brunner & Munzel 2000, Biometrical Journal 42(1),
    doi:10.1002/(SICI)1521-4036(200001)42:1<17::AID-BIMJ17>3.0.CO;2-U.
    Newcombe 2006, Statistics in Medicine 25(4), doi:10.1002/sim.2324.

    Examples
    --------
    >>> r = cliffs_delta([3, 4, 5, 5, 2, 4, 5, 3], [2, 3, 1, 2, 4, 3, 2, 1])
    >>> round(r.estimate, 3), round(r.low, 3), round(r.high, 3)
    (0.703, 0.084, 0.931)
    """
    first, second = (numbers(k, v, least=2) for k, v in (("first", first), ("second", second)))
    n1, n2 = len(first), len(second)
    left, right = _placements(first, second), _placements(second, first)
    delta = left.mean()
    parts = np.array([left.var(ddof=1) / n1, right.var(ddof=1) / n2])
    if parts.sum() > 0:
        df = parts.sum() ** 2 / (parts**2 / (n1 - 1, n2 - 1)).sum()
        half = critical_value(level, df) * np.sqrt(parts.sum()) / (1 - delta**2)
        low, high = np.tanh(np.arctanh(delta) - half), np.tanh(np.arctanh(delta) + half)
    else:
        critical, extra = critical_value(level), (n1 + n2) / 2 - 1

        def margin(value):
            theta = (1 + value) / 2
            inflation = 1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta))
            variance = 4 * theta * (1 - theta) * inflation / (n1 * n2)
            return critical**2 * variance - (delta - value) ** 2

        low, high = boundary(margin, delta, -1.0), boundary(margin, delta, 1.0)
    return Interval(
        float(delta),
        float(low),
        float(high),
        float(level),
        float(n1 + n2),
        "placements" if parts.sum() > 0 else "score without ties",
        "Cliff's delta",
    )
