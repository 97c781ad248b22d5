"""Integrals of Pareto/NBD, on a logarithmic scale of time: stable, with exact derivatives."""

from __future__ import annotations

from functools import lru_cache, partial

import numpy as np

from cxlib.clv.beta_geo_future import negative_binomial

__all__ = ["discounted_lifetime", "left_unseen", "pareto_distribution"]

NEGLIGIBLE = 46.0
CELLS = 400_000
HALVINGS = 30
SIZES = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96)


@lru_cache(maxsize=16)
def gauss_legendre(size: int):
    """Nodes and weights on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(size)
    return (nodes + 1) / 2, weights / 2


def left_unseen(k, alpha, s, beta, t_x, T, *, with_slopes=False, digits=12):
    """Log odds of having left between t_x and T, given k = r + x; arrays broadcast.

    The logarithm of s * integral over t_x..T of ((alpha+T)/(alpha+y))^k ((beta+T)/(beta+y))^s
    / (beta+y) dy; -inf where T = t_x. With v = log((m+y)/(m+t_x)), m the smaller of alpha and
    beta, the integrand is free of singularities within pi of the real axis. It falls by e^-46
    within the range used. ``digits`` of the result are right; six make it twice as fast.

    Returns
    -------
    odds, or odds, slopes (4, rows) and bends (4, 4, rows): first and second derivatives by
    r, alpha, s, beta.
    """
    arrays = np.broadcast_arrays(*map(np.asarray, (k, alpha, s, beta, t_x, T)))
    shape = arrays[0].shape
    k, alpha, s, beta, t_x, T = (a.astype(float).ravel() for a in arrays)
    low = np.minimum(alpha, beta)
    span = np.log1p((T - t_x) / (low + t_x))
    fallen = partial(fall, k, alpha, s, beta, t_x, low)
    steep = fallen(span) > NEGLIGIBLE
    if steep.any():
        near, far = np.zeros_like(span), span
        for _ in range(HALVINGS):
            middle = (near + far) / 2
            inside = fallen(middle) <= NEGLIGIBLE
            near, far = np.where(inside, middle, near), np.where(inside, far, middle)
        span = np.where(steep, far, span)
    need = 6 + 0.3 * fallen(span) + 14 / np.arcsinh(2 * np.pi / np.maximum(span, 1e-12))
    need *= digits / 12
    need = np.minimum(need, SIZES[-1])
    size_at = np.searchsorted(SIZES, need)
    odds = np.empty(len(k))
    slopes, bends = (np.empty((4, len(k))), np.empty((4, 4, len(k)))) if with_slopes else (0, 0)
    for index, size in enumerate(SIZES):
        where = np.flatnonzero(size_at == index)
        step = CELLS // size
        for start in range(0, len(where), step):
            at = where[start : start + step]
            found = quadrature(
                *(v[at] for v in (k, alpha, s, beta, t_x, T, low, span)), size, with_slopes
            )
            if with_slopes:
                odds[at], slopes[:, at], bends[:, :, at] = found
            else:
                odds[at] = found
    return (odds, slopes, bends) if with_slopes else odds.reshape(shape)


def fall(k, alpha, s, beta, t_x, low, span):
    """What the logarithm of the integrand has lost at ``span``: convex, 0 at 0."""
    y = (low + t_x) * np.expm1(span)
    return k * np.log1p(y / (alpha + t_x)) + (s + 1) * np.log1p(y / (beta + t_x)) - span


def quadrature(k, alpha, s, beta, t_x, T, low, span, size, with_slopes):
    nodes, weights = gauss_legendre(size)
    grown = np.expm1(nodes[:, None] * span)
    y = t_x + (low + t_x) * grown
    over_a, over_b = (alpha + y) / (alpha + T), (beta + y) / (beta + T)
    log_a, log_b = np.log(over_a), np.log(over_b)
    inv_b = 1 / (beta + y)
    terms = -k * log_a - s * log_b
    peak = terms.max(axis=0)
    mass = np.exp(terms - peak) * inv_b * (1 + grown) * weights[:, None]
    total = mass.sum(axis=0)
    with np.errstate(divide="ignore"):
        odds = peak + np.log(total * span * (low + t_x)) + np.log(s)
    if not with_slopes:
        return odds
    mass /= total
    inv_a = 1 / (alpha + y)
    by_a, by_b = 1 / (alpha + T), 1 / (beta + T)
    slope = (-log_a, -k * (inv_a - by_a), -log_b, s * by_b - (s + 1) * inv_b)
    mean = np.stack([(mass * part).sum(axis=0) for part in slope])
    bends = np.empty((4, 4, len(k)))
    for i in range(4):
        weighted = mass * (slope[i] - mean[i])
        for j in range(i, 4):
            bends[i, j] = bends[j, i] = (weighted * slope[j]).sum(axis=0)
    extra_a = by_a - (mass * inv_a).sum(axis=0)
    mean_b = (mass * inv_b).sum(axis=0)
    bends[0, 1] += extra_a
    bends[1, 0] += extra_a
    bends[1, 1] += k * ((mass * inv_a**2).sum(axis=0) - by_a**2)
    bends[2, 3] += by_b - mean_b
    bends[3, 2] += by_b - mean_b
    bends[3, 3] += (s + 1) * (mass * inv_b**2).sum(axis=0) - s * by_b**2
    mean[2] += 1 / s
    bends[2, 2] -= 1 / s**2
    return odds, mean, bends


def discounted_lifetime(s, beta, force):
    """Expected discounted time to leaving: the integral of e^(-force t) (beta/(beta+t))^s dt.

    This is beta^s force^(s-1) Psi(s, s; force beta), Psi the confluent hypergeometric function of
    the second kind, computed by its integral: trapezoid in a double-exponential variable.
    """
    s, beta = (np.asarray(v, float)[..., None] for v in np.broadcast_arrays(s, beta))
    u = np.linspace(-6.0, 4.5, 211)
    t = np.exp(u - np.exp(-u)) / force
    slope = t * (1 + np.exp(-u))
    return (np.exp(-force * t - s * np.log1p(t / beta)) * slope).sum(axis=-1) * (u[1] - u[0])


def pareto_distribution(r, alpha, s, beta, horizon, up_to):
    """Probabilities of 0 .. up_to purchases in ``horizon`` of customers just seen.

    Active all along, or left at y having bought so often by then: Gauss-Legendre in log(1 + y/m),
    m the smaller of alpha and beta.
    """
    r, alpha, s, beta, t = (
        np.asarray(v, float)[:, None] for v in np.broadcast_arrays(r, alpha, s, beta, horizon)
    )
    counts = np.arange(up_to + 1)
    values = negative_binomial(r, t / (alpha + t), counts) * (beta / (beta + t)) ** s
    low = np.minimum(alpha, beta)
    span = np.log1p(t / low)
    for node, weight in zip(*gauss_legendre(SIZES[-1]), strict=True):
        y = low * np.expm1(node * span)
        density = s / (beta + y) * (beta / (beta + y)) ** s * (low + y) * span * weight
        values += density * negative_binomial(r, y / (alpha + y), counts)
    return values
