"""Log-likelihood of single histories, each with parameters of its own, and both derivatives."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, expit, gammaln, zeta

from cxlib.clv.pareto_integral import left_unseen

__all__ = ["beta_geo_rows", "pareto_rows"]


def beta_geo_rows(params, x, t_x, T, leaves_at_first=0, *, value_only=False):
    """BG/NBD, or MBG/NBD with ``leaves_at_first`` 1.

    Parameters
    ----------
    params : sequence of four arrays
        r, alpha, a, b; they broadcast against x.

    Returns
    -------
    value (rows,), or value, gradient (4, rows) and Hessian (4, 4, rows) by r, alpha, a, b.
    """
    r, alpha, a, b = (np.broadcast_to(p, x.shape) for p in params)
    occasion = (x > 0) | (leaves_at_first > 0)
    y, k = x + leaves_at_first, r + x
    stayed = np.where(occasion, b + y - 1, 1.0)
    log_T, log_t = np.log(alpha + T), np.log(alpha + t_x)
    wait = log_T - log_t
    odds = np.where(occasion, np.log(a) - np.log(stayed) + k * wait, -np.inf)
    value = (
        gammaln(k)
        - gammaln(r)
        + r * np.log(alpha)
        - k * log_T
        + gammaln(b + y)
        - gammaln(b)
        - gammaln(a + b + y)
        + gammaln(a + b)
        + np.logaddexp(0, odds)
    )
    if value_only:
        return value
    inv_T, inv_t = 1 / (alpha + T), 1 / (alpha + t_x)
    by_ab = digamma(a + b) - digamma(a + b + y)
    gradient = np.stack(
        [
            digamma(k) - digamma(r) + np.log(alpha) - log_T,
            r / alpha - k * inv_T,
            by_ab,
            by_ab + digamma(b + y) - digamma(b),
        ]
    )
    hessian = np.zeros((4, 4, len(x)))
    hessian[0, 0] = zeta(2, k) - zeta(2, r)
    hessian[0, 1] = 1 / alpha - inv_T
    hessian[1, 1] = k * inv_T**2 - r / alpha**2
    hessian[2:, 2:] = zeta(2, a + b) - zeta(2, a + b + y)
    hessian[3, 3] += zeta(2, b + y) - zeta(2, b)
    slopes = np.stack([wait, k * (inv_T - inv_t), 1 / a, -1 / stayed])
    bends = np.zeros_like(hessian)
    bends[0, 1] = inv_T - inv_t
    bends[1, 1] = k * (inv_t**2 - inv_T**2)
    bends[2, 2] = -1 / a**2
    bends[3, 3] = 1 / stayed**2
    hessian[1, 0], bends[1, 0] = hessian[0, 1], bends[0, 1]
    add_left(gradient, hessian, expit(odds), slopes, bends)
    return value, gradient, hessian


def pareto_rows(params, x, t_x, T, *, value_only=False):
    """Pareto/NBD; as ``beta_geo_rows``, by r, alpha, s, beta."""
    r, alpha, s, beta = (np.broadcast_to(p, x.shape) for p in params)
    k = r + x
    log_T, log_b = np.log(alpha + T), np.log(beta + T)
    value = gammaln(k) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) - k * log_T - s * log_b
    if value_only:
        return value + np.logaddexp(0, left_unseen(k, alpha, s, beta, t_x, T))
    odds, slopes, bends = left_unseen(k, alpha, s, beta, t_x, T, with_slopes=True)
    inv_T, inv_b = 1 / (alpha + T), 1 / (beta + T)
    gradient = np.stack(
        [
            digamma(k) - digamma(r) + np.log(alpha) - log_T,
            r / alpha - k * inv_T,
            np.log(beta) - log_b,
            s / beta - s * inv_b,
        ]
    )
    hessian = np.zeros((4, 4, len(x)))
    hessian[0, 0] = zeta(2, k) - zeta(2, r)
    hessian[0, 1] = hessian[1, 0] = 1 / alpha - inv_T
    hessian[1, 1] = k * inv_T**2 - r / alpha**2
    hessian[2, 3] = hessian[3, 2] = 1 / beta - inv_b
    hessian[3, 3] = s * inv_b**2 - s / beta**2
    left = expit(odds)
    seen = left > 0
    add_left(gradient, hessian, left, np.where(seen, slopes, 0), np.where(seen, bends, 0))
    return value + np.logaddexp(0, odds), gradient, hessian


def add_left(gradient, hessian, left, slopes, bends):
    """Add the derivatives of log(1 + e^D), those of D and its weight e^D/(1 + e^D) given."""
    gradient += left * slopes
    hessian += left * bends + left * (1 - left) * slopes * slopes[:, None]
