"""Two shares of weighted or clustered answers compared, by their effective numbers of answers.

A share near 0 or 1 in a small group promises too small an error: the group that by luck is nearly
all one answer shows next to no spread. So the difference is held against each value it might have,
with the spread the two shares would have *then*, and with the skewness of that spread.
"""

from __future__ import annotations

import numpy as np

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, critical_value
from cxlib.stats.proportions import null_shares
from cxlib.stats.roots import boundary
from cxlib.stats.tost import Equivalence, both_tests

__all__ = ["share_equivalence", "share_score"]

SMALLEST_VARIANCE = 1e-12


def share_score(delta, shares, numbers, correlation: float = 0.0):
    """Score statistic of ``p1 - p0 = delta``, corrected for skewness; standard normal under it.

    ``S = (p1 - p0 - delta) / sqrt(V)``, ``V = v1 + v0 - 2 r sqrt(v1 v0)``, ``v = q (1 - q) / n`` at
    the shares q that fit best under delta; z solves ``S = z + a (z^2 - 1)``,
    ``a = (v1 (1 - 2 q1) / n1 - v0 (1 - 2 q0) / n0) / (6 V^1.5)``.

    Parameters
    ----------
    delta : array_like
        Within -1 to 1.
    shares, numbers : tuple of float
        p1, p0, and how many answers each is worth: ``p (1 - p) / variance``.
    correlation : float
        Of the errors of the two shares.

    References
    ----------
    Laud 2017, Pharmaceutical Statistics 16(5), doi:10.1002/pst.1813.

    Examples
    --------
    >>> round(float(share_score(0.0, (0.9, 0.6), (30, 30))), 3)
    2.683
    """
    (p1, p0), (n1, n0) = shares, numbers
    x1, x0 = n1 * np.clip(p1, 0.0, 1.0), n0 * np.clip(p0, 0.0, 1.0)
    q1, q0 = (np.clip(q, 0.0, 1.0) for q in null_shares(delta, x1, n1, x0, n0))
    v1, v0 = q1 * (1 - q1) / n1, q0 * (1 - q0) / n0
    variance = np.maximum(v1 + v0 - 2 * correlation * np.sqrt(v1 * v0), SMALLEST_VARIANCE)
    lean = (v1 * (1 - 2 * q1) / n1 - v0 * (1 - 2 * q0) / n0) / (6 * variance**1.5)
    score = (p1 - p0 - delta) / np.sqrt(variance) + lean
    return 2 * score / (1 + np.sqrt(np.maximum(1 + 4 * lean * score, 0.0)))


def share_equivalence(
    shares, numbers, *, smallest_effect: float, correlation: float = 0.0, df: float = np.inf,
    level: float = 0.95,
) -> Equivalence:  # fmt: skip
    """`cxlib.stats.equivalence` of two shares, by `share_score` instead of one standard error.

    The interval holds each difference that the score does not reject, so it leaves out 0 exactly
    where ``p_difference < 1 - level``.

    Parameters
    ----------
    shares, numbers, correlation
        See `share_score`.
    smallest_effect : float
        A share above 0, named beforehand.
    df : float
        Degrees of freedom behind `numbers`; infinite for the normal.
    level : float
        Nominal coverage, a share above .5.

    Raises
    ------
    CxError
        For a level of .5 or less, numbers or a smallest effect not above 0.

    Examples
    --------
    >>> r = share_equivalence((0.9, 0.6), (30, 30), smallest_effect=0.05)
    >>> round(r.low, 3), round(r.high, 3), r.verdict
    (0.086, 0.502, 'above')
    """
    if check_level(level) <= 0.5 or not min(numbers) > 0:
        raise CxError(
            f"level must be above .5 and numbers above 0: found {level!r} and {tuple(numbers)}."
        )
    gap = float(shares[0] - shares[1])
    critical = np.array([critical_value(level, df), critical_value(2 * level - 1, df)])
    inner = np.clip(gap, -1.0, 1.0)

    def score(delta):
        return share_score(delta, shares, numbers, correlation)

    low, narrow_low = boundary(lambda d: critical - score(d), inner, np.full(2, -1.0))
    high, narrow_high = boundary(lambda d: critical + score(d), inner, np.full(2, 1.0))
    edge = min(smallest_effect, 1.0)
    return both_tests(
        gap, (low, narrow_low, narrow_high, high), float(score(0.0)),
        (float(score(-edge)), -float(score(edge))), smallest_effect, df, level,
    )  # fmt: skip
