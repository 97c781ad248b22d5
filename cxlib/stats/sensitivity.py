"""How strong an unmeasured confounder would have to be to explain an effect away."""

from __future__ import annotations

import math
from numbers import Real

from cxlib.errors import CxError

__all__ = ["e_value", "robustness_value"]


def e_value(risk_ratio: float, *, low: float | None = None, high: float | None = None) -> tuple:
    """E-values of a risk ratio and of the limit of its interval nearer to 1.

    ``RR + sqrt(RR (RR - 1))`` for RR >= 1, of 1 / RR below 1: the least strength, as a risk
    ratio, that an unmeasured confounder must have with both exposure and outcome, beyond what is
    adjusted for, to explain the estimate away.

    Parameters
    ----------
    risk_ratio : float
        Above 0. For a standardised difference d use ``exp(0.91 d)``.
    low, high : float, optional
        Interval; give both or none.

    Returns
    -------
    tuple of float
        (for the estimate, for the limit); the second is 1 where the interval contains 1, and
        equals the first where no interval was given.

    Raises
    ------
    CxError
        For ratios that are not above 0, or limits that do not enclose the estimate.

    References
    ----------
    VanderWeele & Ding 2017, Annals of Internal Medicine 167(4), doi:10.7326/M16-2607.

    Examples
    --------
    >>> tuple(round(v, 2) for v in e_value(3.9, low=1.8, high=8.7))
    (7.26, 3.0)
    """
    if (low is None) != (high is None):
        raise CxError("Give both low and high, or neither.")
    low, high = (risk_ratio, risk_ratio) if low is None else (low, high)
    if not all(isinstance(value, Real) for value in (low, risk_ratio, high)):
        raise CxError(f"Ratios must be numbers: found {low!r}, {risk_ratio!r}, {high!r}.")
    if not 0 < low <= risk_ratio <= high < math.inf and not (low == 0 < risk_ratio <= high):
        raise CxError(f"Allowed: 0 < low <= risk_ratio <= high: found {low}, {risk_ratio}, {high}.")

    def strength(ratio):
        ratio = max(ratio, 1 / ratio)
        return ratio + math.sqrt(ratio * (ratio - 1))

    if low <= 1 <= high and low != high:
        return strength(risk_ratio), 1.0
    return strength(risk_ratio), strength(low if risk_ratio > 1 else high)


def robustness_value(t: float, df: float, *, share: float = 1.0, level: float | None = None):
    """Share of residual variance a confounder must explain, of exposure and outcome alike.

    ``RV = (sqrt(f^4 + 4 f^2) - f^2) / 2`` with ``f = share |t| / sqrt(df)``; with `level`, f is
    reduced by the critical value over sqrt(df - 1) first.

    Parameters
    ----------
    t, df : float
        t value of the effect in a linear regression, and residual degrees of freedom (above 1).
    share : float, optional
        Part of the effect to be explained away: 1 is all of it.
    level : float, optional
        Ask for the loss of significance at this level instead of an effect of zero.

    Returns
    -------
    float
        In [0, 1]; .1 means: 10 % of both would do.

    Raises
    ------
    CxError
        For t or df outside their ranges.

    References
    ----------
    Cinelli & Hazlett 2020, JRSS B 82(1), doi:10.1111/rssb.12348.

    Examples
    --------
    >>> round(robustness_value(4.184, 783), 3), round(robustness_value(4.184, 783, level=0.95), 3)
    (0.139, 0.076)
    """
    from cxlib.stats.checks import critical_value

    if not (isinstance(t, Real) and math.isfinite(t) and df > 1 and share > 0):
        raise CxError(f"Allowed: a finite t, df above 1, share above 0: found {t}, {df}, {share}.")
    f = share * abs(t) / math.sqrt(df)
    if level is not None:
        f = max(f - float(critical_value(level, df - 1)) / math.sqrt(df - 1), 0.0)
    return (math.sqrt(f**4 + 4 * f**2) - f**2) / 2
