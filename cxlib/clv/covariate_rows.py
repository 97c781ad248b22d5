"""Histories with parameters of their own: covariates read, likelihood and both derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, expit, gammaln, zeta

from cxlib.clv.fitted import Scale
from cxlib.clv.histories import columns_of
from cxlib.clv.pareto_integral import left_unseen
from cxlib.errors import CxError, Problem

__all__ = [
    "Coefficient",
    "CovariateRows",
    "beta_geo_rows",
    "check_spread",
    "pareto_rows",
    "read_covariates",
    "row_natural",
]


@dataclass(frozen=True)
class Coefficient(Scale):
    """The effect of one standard deviation of a covariate; its own working scale."""

    def working(self, value):
        return float(value)

    def natural(self, at):
        return float(at)


@dataclass(frozen=True)
class CovariateRows:
    """Distinct histories with standardised covariates and counts."""

    x: np.ndarray
    t_x: np.ndarray
    T: np.ndarray
    rate: np.ndarray
    dropout: np.ndarray
    n: np.ndarray

    @property
    def customers(self) -> int:
        return int(self.n.sum())

    @property
    def purchases(self) -> float:
        return float(self.n @ self.x)

    def sample(self) -> None:
        return None


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


def row_natural(theta, *, pareto):
    """Natural parameters of working ones, shape (4, rows), with slopes and curvature by row."""
    rows = theta.shape[1]
    jacobian, curvature = np.zeros((4, 4, rows)), np.zeros((4, 4, 4, rows))
    params = np.exp(theta)
    for i in range(4 if pareto else 2):
        jacobian[i, i] = curvature[i, i, i] = params[i]
    if pareto:
        return params, jacobian, curvature
    share, total = expit(theta[2]), params[3]
    a, b = share * total, expit(-theta[2]) * total
    slope = share * b
    bend = slope * (1 - 2 * share)
    for sign, i, own in ((1, 2, a), (-1, 3, b)):
        params[i] = own
        jacobian[i, 2], jacobian[i, 3] = sign * slope, own
        curvature[i, 2, 2], curvature[i, 3, 3] = sign * bend, own
        curvature[i, 2, 3] = curvature[i, 3, 2] = sign * slope
    return params, jacobian, curvature


def read_covariates(summary, rate, dropout):
    """Columns of the covariates, shapes (rows, rate) and (rows, dropout), checked."""
    names = list(dict.fromkeys(rate + dropout))
    missing = [name for name in names if name not in summary]
    if missing:
        raise CxError(
            f"The covariates {', '.join(missing)} are no columns of the summary, which has "
            f"{', '.join(map(str, summary.columns))}."
        )
    found = dict(zip(names, columns_of(summary, names), strict=True))
    problems = [
        Problem(
            f"covariate {name} must hold finite numbers: {int(bad.sum()):,} of {len(bad):,} "
            "are not",
            where=f"first customer {summary.index[int(np.argmax(bad))]!r}",
        )
        for name, bad in ((name, ~np.isfinite(column)) for name, column in found.items())
        if bad.any()
    ]
    if problems:
        raise CxError("The covariates cannot be used.", problems)
    rows = len(summary)
    return tuple(
        np.stack([found[n] for n in kind], axis=1) if kind else np.empty((rows, 0))
        for kind in (rate, dropout)
    )


def check_spread(values, centre, width, n, names, cut):
    """A CxError for covariates without spread, or that are sums of others."""
    flat = width <= 1e-12 * np.maximum(np.abs(centre), 1e-300)
    if flat.any():
        same = ", ".join(name for name, one in zip(names, flat, strict=True) if one)
        raise CxError(f"Covariates that are the same for all customers: {same}.")
    for part in (slice(None, cut), slice(cut, None)):
        z = (values[:, part] - centre[part]) / width[part] * np.sqrt(n / n.sum())[:, None]
        if z.shape[1] and np.linalg.eigvalsh(z.T @ z)[0] < 1e-9:
            raise CxError(
                f"The covariates {', '.join(names[part])} repeat each other: one is "
                "a sum of others, so that their effects cannot be told apart. Leave one out."
            )
