"""What BG/NBD says about the future: expectations in a stable form, and exact simulation."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaln, gammaln, hyp2f1, polygamma

__all__ = [
    "distribution_if_active",
    "log_odds_left",
    "negative_binomial",
    "purchases_ahead",
    "purchases_if_active",
]

NEAR_POLE = 2e-3
LARGE = 100.0
ROWS = 4000


def log_odds_left(params, x, t_x, T, leaves_at_first: int = 0):
    """Log odds of having left by T: log a/(b+x-1) + (r+x) log((alpha+T)/(alpha+t_x)).

    Minus infinity at x = 0, where leaving has had no occasion yet; with ``leaves_at_first`` 1 it
    has, and b + x - 1 becomes b + x.
    """
    r, alpha, a, b = (params[name] for name in ("r", "alpha", "a", "b"))
    occasion = (np.asarray(x) > 0) | (leaves_at_first > 0)
    repeat = np.where(occasion, x, 1)
    odds = (
        np.log(a)
        - np.log(b + repeat - 1 + leaves_at_first)
        + (r + repeat) * (np.log(alpha + T) - np.log(alpha + t_x))
    )
    return np.where(occasion, odds, -np.inf)


def purchases_if_active(params, x, T, horizon):
    """Expected purchases in (T, T + horizon] of customers active at T; arrays of equal length.

    With c = a+b+x-1 and z = t/(alpha+T+t)::

        c/(a-1) * [1 - (1-z)^(a-1) 2F1(a+b-1-r, a-1; c; z)]

    which is Euler's form of equation (10) in Fader, Hardie & Lee (2005),
    doi:10.1287/mksc.1040.0098: it stays finite where the raw form overflows. Where it loses its
    digits (a near 1, c near 0, a + b beyond 100) an integral over p takes its place; elsewhere the
    two agree to 1e-9.
    """
    r, alpha, a, b = (np.broadcast_to(p, x.shape) for p in params.values())
    z, c = horizon / (alpha + T + horizon), a + b + x - 1
    hard = (np.abs(c) < NEAR_POLE) | (a + b > LARGE) | (np.abs(a - 1) < NEAR_POLE)
    values = np.empty(len(x))
    easy = ~hard
    c, z, shape, less, rest = (v[easy] for v in (c, z, r, a - 1, a + b - 1))
    series = np.exp(less * np.log1p(-z)) * hyp2f1(rest - shape, less, c, z)
    values[easy] = c * (1 - series) / less
    hard |= ~np.isfinite(values)
    at = np.flatnonzero(hard)
    for start in range(0, len(at), ROWS):
        part = at[start : start + ROWS]
        own = {name: p[part] for name, p in zip(params, (r, alpha, a, b), strict=True)}
        values[part] = integral_if_active(own, x[part], T[part], horizon[part])
    return np.maximum(values, 0.0)


def integral_if_active(params, x, T, horizon):
    """E over p ~ Beta(a, b+x) of h(p) = (1 - (1 + p t/(alpha+T))^-(r+x)) / p.

    Trapezoid in u = logit p, exponentially accurate once both tails are light: what h is at p = 0
    and at p = 1 is taken off by (1-p)^m and p^3, whose expectations are known.
    """
    r, alpha, a, b = params.values()
    k, odds, beta = r + x, horizon / (alpha + T), b + x
    m = (k + 1) * odds / 2 + 1
    at_zero, at_one = k * odds, -np.expm1(-k * np.log1p(odds))
    norm = betaln(a, beta)
    known = at_zero * np.exp(betaln(a, beta + m) - norm) + at_one * np.exp(
        betaln(a + 3, beta) - norm
    )
    centre, width = np.log(a / beta), np.sqrt(polygamma(1, a) + polygamma(1, beta))
    start = -np.log1p(m) - np.log1p(beta) - np.log1p(1 / a) - 40 / (a + 1)
    stop = np.log1p(a) + np.log1p(1 / beta) + 40 / (beta + 1)
    start, stop = np.maximum(start, centre - 40 * width), np.minimum(stop, centre + 40 * width)
    nodes = int(np.max((stop - start) / np.minimum(0.25, width / 1.5))) + 2
    u = np.linspace(start, stop, nodes)
    log_p, log_rest = -np.logaddexp(0, -u), -np.logaddexp(0, u)
    p = np.exp(log_p)
    h = -np.expm1(-k * np.log1p(p * odds)) / p
    rest = h - at_zero * np.exp(m * log_rest) - at_one * p**3
    weight = np.exp(a * log_p + beta * log_rest - norm) * (stop - start) / (nodes - 1)
    return known + (weight * rest).sum(axis=0)


def distribution_if_active(params, horizon, up_to):
    """Probabilities of 0 .. up_to purchases, shape (rows, up_to + 1), of customers just seen.

    Each has rate ~ Gamma(r, alpha) and dropout ~ Beta(a, b); see Fader, Hardie & Lee (2005),
    equation (8): k purchases in time and still active, or left with the k-th.
    """
    r, alpha, a, b, t = (np.asarray(v)[..., None] for v in (*params.values(), horizon))
    k = np.arange(up_to + 1)
    share, norm = t / (alpha + t), betaln(a, b)
    active = np.exp(betaln(a, b + k) - norm) * negative_binomial(r, share, k)
    again = np.maximum(k, 1)
    reached = np.exp(betaln(a + 1, b + again - 1) - norm) * betainc(again, r, share)
    return active + np.where(k > 0, reached, 0.0)


def negative_binomial(r, share, k):
    """Probability of k events: G(r+k)/(G(r) k!) (1-share)^r share^k."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log_share = np.where(k > 0, k * np.log(share), 0.0)
    return np.exp(gammaln(r + k) - gammaln(r) - gammaln(k + 1) + r * np.log1p(-share) + log_share)


def purchases_ahead(rate, dropout, until, rng, *, shape=1, first_shape=None):
    """Draw purchases of active customers up to ``until``, one round a purchase.

    Times between purchases are Gamma(``shape``, rate), the first of them of ``first_shape``.

    Yields (who, when, stays): the customers who buy once more, the time, and whether they remain
    active. Each round costs only the customers still in play.
    """
    who = np.arange(rate.size)
    clock = np.zeros(rate.size)
    size = shape if first_shape is None else np.broadcast_to(first_shape, rate.shape)
    dropout, until = np.broadcast_to(dropout, rate.shape), np.broadcast_to(until, rate.shape)
    while who.size:
        with np.errstate(divide="ignore", over="ignore"):
            wait = rng.standard_exponential(who.size) if shape == 1 else rng.standard_gamma(size)
            clock = clock + wait / rate
        inside = clock <= until
        who, clock, rate, dropout, until = (v[inside] for v in (who, clock, rate, dropout, until))
        stays = rng.random(who.size) >= dropout
        yield who, clock, stays
        who, clock, rate, dropout, until = (v[stays] for v in (who, clock, rate, dropout, until))
        size = np.broadcast_to(float(shape), who.shape)
