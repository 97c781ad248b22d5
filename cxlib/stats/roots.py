"""Limits of intervals that are defined by a test: the point where its margin runs out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["boundary"]

SMALLEST = 1e-300


def boundary(
    margin: Callable[[np.ndarray], np.ndarray], inner, outer, tolerance: float = 1e-12
) -> np.ndarray:
    """Find where `margin` falls from positive to negative between `inner` and `outer`.

    All entries are solved together by Chandrupatla's method: inverse quadratic steps where they
    are safe, bisection elsewhere, so the bracket always shrinks.

    Parameters
    ----------
    margin : callable
        Positive where a value is compatible with the data; takes and returns arrays of one shape.
    inner, outer : array_like
        Ends of the bracket. `inner` is taken as compatible even where its margin is 0; where the
        margin at `outer` is not negative, `outer` is the answer.
    tolerance : float, optional
        Absolute width at which the search stops.

    Returns
    -------
    ndarray

    References
    ----------
    Chandrupatla 1997, Advances in Engineering Software 28(3), doi:10.1016/s0965-9978(96)00051-8.

    Examples
    --------
    >>> float(boundary(lambda x: 2 - x**2, 0.0, 2.0)).__round__(10)
    1.4142135624
    """
    a, b = (np.array(v, dtype=float) for v in np.broadcast_arrays(outer, inner))
    end = a.copy()
    fa, fb = margin(a), np.maximum(margin(b), SMALLEST)
    whole = fa >= 0
    fa = np.where(whole, -SMALLEST, fa)
    c, fc = a, fa
    step = np.full(a.shape, 0.5)
    for _ in range(200):
        t = a + step * (b - a)
        ft = margin(t)
        ft = np.where(ft == 0, SMALLEST, ft)
        same = np.sign(ft) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = t, ft
        width = np.abs(b - a)
        if np.all((width <= tolerance) | whole):
            break
        with np.errstate(all="ignore"):
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            step = fa / (fb - fa) * fc / (fb - fc)
            step = step + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            least = np.minimum(0.5, tolerance / 2 / np.maximum(width, SMALLEST))
        quick = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        step = np.where(quick & np.isfinite(step), step, 0.5)
        step = np.clip(step, least, 1 - least)
    return np.where(whole, end, np.where(fa > 0, a, b))
