"""Limits of a difference from those of its parts, and the level at which they touch 0."""

from __future__ import annotations

import math

import numpy as np

from cxlib.stats.roots import boundary

__all__ = ["mover", "null_variance", "touching"]


def mover(difference, left, right):
    """Limits of a difference from the limits of its two independent parts (MOVER).

    ``low = d - sqrt((d1 - l1)^2 + (u2 - d2)^2)``, ``high = d + sqrt((u1 - d1)^2 + (d2 - l2)^2)``;
    `left` and `right` are (estimate, low, high).

    References
    ----------
    Zou & Donner 2008, Statistics in Medicine 27(10), doi:10.1002/sim.3095.
    """
    (d1, l1, u1), (d2, l2, u2) = left, right
    return difference - np.hypot(d1 - l1, u2 - d2), difference + np.hypot(u1 - d1, d2 - l2)


def null_variance(delta, promoters, detractors, n):
    """Variance of one answer where the net share is fixed at delta, others at their best fit."""
    below = delta < 0  # mirrored, so that nothing cancels under the root
    up, down = np.where(below, detractors, promoters), np.where(below, promoters, detractors)
    delta = np.abs(delta)
    b = (2 * n - up + down) * delta - up - down
    c = down * delta * (1 - delta)
    root = np.sqrt(b * b + 8 * n * c)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(b > 0, 2 * c / (b + root), (root - b) / (4 * n))
    share = np.clip(share, 0.0, (1 - delta) / 2)
    return np.maximum(2 * share + delta * (1 - delta), 0.0)


def touching(first, second):
    """The critical value at which the MOVER interval from two net scores' limits just touches 0.

    There ``d^2 = x^2 + y^2``, x the way from the higher score down to its limit and y from the
    lower one up to its own: ``x = d cos t``, ``y = d sin t``. Either limit has its critical value,
    ``z^2 = x^2 n / v(limit)``; at the t sought, they agree.

    Parameters
    ----------
    first, second : tuple of ndarray
        (promoters, detractors, n), all of one shape, already checked.

    Returns
    -------
    ndarray
        Not negative; 0 where the two scores are equal.
    """
    score, other = ((up - down) / n for up, down, n in (first, second))
    above = score >= other
    higher, lower = np.where(above, first, second), np.where(above, second, first)
    top, bottom = np.maximum(score, other), np.minimum(score, other)
    gap = np.where(top == bottom, 1.0, top - bottom)

    def parts(angle):
        """Both ways, and the variance of one answer at either's end."""
        x, y = gap * np.cos(angle), gap * np.sin(angle)
        ends = np.maximum(top - x, -1.0), np.minimum(bottom + y, 1.0)
        return x, y, null_variance(ends[0], *higher), null_variance(ends[1], *lower)

    def margin(angle):
        x, y, v, w = parts(angle)
        return x / y * higher[2] * w - y / x * lower[2] * v

    edge = np.full(gap.shape, 1e-9)
    angle = boundary(margin, edge, math.pi / 2 - edge)
    x, y, v, w = parts(angle)
    steep = angle > math.pi / 4  # the longer of the two ways gives the exacter answer
    way, n, variance = np.where(steep, (y, lower[2], w), (x, higher[2], v))
    return np.where(top == bottom, 0.0, way * np.sqrt(n / variance))
