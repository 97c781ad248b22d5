"""BG/BB: customers who may buy once at each of some opportunities, such as yearly appeals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
from scipy.special import betaln, digamma, gammaln, logsumexp, zeta

from cxlib.clv.beta_geo import DROPOUT
from cxlib.clv.fitted import Scale, beta_pair, beta_pair_alone
from cxlib.clv.histories import Collapsed, read_histories
from cxlib.clv.purchase_model import PurchaseModel
from cxlib.errors import CxError, Problem

__all__ = ["BetaGeoBetaBinom", "beta_geo_beta_binom_log_likelihood"]

BUYING = (
    Scale(
        "alpha/(alpha+beta)",
        -12.0,
        12.0,
        "next to nobody buys again",
        "active customers buy at every opportunity",
        share=True,
    ),
    Scale(
        "alpha+beta",
        np.log(1e-3),
        np.log(1e4),
        "customers buy always or never",
        "all customers buy with the same probability",
        centre=1.0,
    ),
)
LEAVING = tuple(
    replace(scale, name=name, at_high=meaning)
    for scale, name, meaning in zip(
        DROPOUT,
        ("gamma/(gamma+delta)", "gamma+delta"),
        ("every customer leaves at once", "all customers leave with the same probability"),
        strict=True,
    )
)
STARTS = ((0.5, 2.0, 0.2, 3.0), (0.3, 1.0, 0.1, 1.0), (0.7, 5.0, 0.5, 10.0))


@dataclass(frozen=True, eq=False)
class BetaGeoBetaBinom(PurchaseModel):
    """The BG/BB model of purchases at discrete opportunities.

    At the start of each of T opportunities an active customer leaves for good with probability
    theta ~ Beta(gamma, delta); if still active they buy with probability p ~ Beta(alpha, beta).
    With x purchases, the last at opportunity t_x, of T::

        L = B(alpha+x, beta+T-x)/B(alpha, beta) B(gamma, delta+T)/B(gamma, delta)
            + sum over i = 0..T-t_x-1 of B(alpha+x, beta+t_x-x+i)/B(alpha, beta)
              B(gamma+1, delta+t_x+i)/B(gamma, delta)

    Columns are as for the other models; T and recency count opportunities, and so do horizons.

    Parameters
    ----------
    params : mapping, optional
        alpha, beta, gamma, delta, to predict from known parameters. Leave out to fit.

    References
    ----------
    Fader, Hardie & Shang (2010), doi:10.1287/mksc.1100.0580. Checked against its donations.

    Examples
    --------
    >>> import pandas as pd
    >>> model = BetaGeoBetaBinom({"alpha": 1.204, "beta": 0.75, "gamma": 0.657, "delta": 2.783})
    >>> donors = pd.DataFrame({"frequency": [6, 0], "recency": [6, 0], "T": [6, 6]})
    >>> model.expected_purchases(donors, 5).round(2).tolist()
    [3.75, 0.07]
    """

    names = ("alpha", "beta", "gamma", "delta")
    label = "BG/BB"
    scales = BUYING + LEAVING
    tied: ClassVar[dict[int, int]] = {}
    kinds = ("buying", "leaving")
    steps_are_whole: ClassVar[bool] = True

    def read(self, summary):
        x, t_x, T, n = read_histories(summary)
        problems = [
            Problem(f"{rule}: {int(broken.sum()):,} of {len(x):,} rows are not")
            for rule, broken in (
                ("recency and T must count opportunities", (t_x % 1 != 0) | (T % 1 != 0)),
                ("frequency must not exceed recency", x > t_x),
            )
            if broken.any()
        ]
        if problems:
            raise CxError("BG/BB knows at most one purchase at each opportunity.", problems)
        return x, t_x, T, n

    def starts(self, rows: Collapsed):
        return [
            (np.log(p / (1 - p)), np.log(size), np.log(theta / (1 - theta)), np.log(kappa))
            for p, size, theta, kappa in STARTS
        ]

    @staticmethod
    def to_theta(params):
        a, b, c, d = params
        return np.log([a / b, a + b, c / d, c + d])

    @classmethod
    def from_theta(cls, theta):
        return np.array([*beta_pair_alone(*theta[:2]), *beta_pair_alone(*theta[2:])])

    @staticmethod
    def to_natural(theta):
        params, jacobian, curvature = np.zeros(4), np.zeros((4, 4)), np.zeros((4, 4, 4))
        for two in (slice(0, 2), slice(2, 4)):
            params[two], jacobian[two, two], curvature[two, two, two] = beta_pair(*theta[two])
        return params, jacobian, curvature

    @staticmethod
    def likelihood(params, rows: Collapsed, *, value_only=False):
        return beta_geo_beta_binom_log_likelihood(params, rows, value_only=value_only)

    @classmethod
    def log_odds_left(cls, params, x, t_x, T):
        a, b, c, d = (params[name] for name in cls.names)
        total = np.full(np.broadcast_shapes(np.shape(a), np.shape(x)), -np.inf)
        for i in range(int(np.max(T - t_x, initial=0))):
            term = betaln(a + x, b + t_x - x + i) + betaln(c + 1, d + t_x + i)
            total = np.logaddexp(total, np.where(t_x + i < T, term, -np.inf))
        return total - betaln(a + x, b + T - x) - betaln(c, d + T)

    @classmethod
    def given_active(cls, params, x, T):
        """Parameters of what both probabilities of a customer active at T are drawn from."""
        a, b, c, d = (params[name] for name in cls.names)
        return {"alpha": a + x, "beta": b + T - x, "gamma": c + 0 * x, "delta": d + T}

    @classmethod
    def purchases_if_active(cls, params, x, T, horizon):
        a, b, c, d = cls.given_active(params, x, T).values()
        # sum over j = 1..h of B(c, d+j)/B(c, d), as a telescoping difference where c is not 1
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.expm1(
                gammaln(c + d)
                - gammaln(d + 1)
                + gammaln(d + horizon + 1)
                - gammaln(c + d + horizon)
            )
            stays = d * ratio / (1 - c)
        near = np.broadcast_to(np.abs(c - 1) < 1e-6, stays.shape)
        log_sum = digamma(d + horizon + 1) - digamma(d + 1)
        return a / (a + b) * np.where(near, d * log_sum, stays)

    @classmethod
    def discounted_if_active(cls, params, x, T, horizon, force):
        a, b, c, d = cls.given_active(params, x, T).values()
        last = min(horizon, 40 / force) if force else horizon
        steps = np.arange(1, int(last) + 1)[:, None]
        stay = np.exp(betaln(c, d + steps) - betaln(c, d) - force * steps).sum(axis=0)
        return a / (a + b) * stay

    @staticmethod
    def distribution_if_active(params, horizon, up_to):
        a, b, c, d, t = (np.asarray(v, float)[:, None] for v in (*params.values(), horizon))
        k = np.arange(up_to + 1)

        def bought(k, of):
            ways = gammaln(of + 1) - gammaln(k + 1) - gammaln(np.maximum(of - k, 0) + 1)
            after = betaln(a + k, b + np.maximum(of - k, 0)) - betaln(a, b)
            return np.where(k <= of, np.exp(ways + after), 0.0)

        values = bought(k, t) * np.exp(betaln(c, d + t) - betaln(c, d))
        for i in range(int(np.max(t, initial=0))):
            left = np.exp(betaln(c + 1, d + i) - betaln(c, d))
            values += np.where(i < t, bought(k, np.full_like(t, i)) * left, 0.0)
        return values

    def draw_kinds(self, params, shape, rng, *, active=False):
        a, b, c, d = (params[name] for name in self.names)
        leaving = rng.beta(c, d, shape)
        with np.errstate(divide="ignore", over="ignore"):
            stay = np.log(1 - rng.random(shape)) / np.log1p(-leaving)
        return {"buying": rng.beta(a, b, shape), "leaving": leaving, "stay": np.floor(stay)}

    def alive_at_first(self, kinds, T):
        return kinds["stay"] >= T

    def run(self, kinds, until, rng):
        until = np.minimum(until, kinds["stay"])
        for step in range(1, int(np.max(until, initial=0)) + 1):
            who = np.flatnonzero(until >= step)
            who = who[rng.random(who.size) < kinds["buying"][who]]
            yield who, np.full(who.size, float(step)), np.ones(who.size, bool)


def beta_geo_beta_binom_log_likelihood(params, rows: Collapsed, *, value_only=False):
    """Value, gradient and Hessian of the log-likelihood by alpha, beta, gamma, delta.

    Each history is a sum over the opportunities at which the customer may have left.
    """
    x, t_x, T, n = rows.x[rows.x_at], rows.t_x[rows.t_x_at], rows.T[rows.T_at], rows.n
    left = np.arange(int((T - t_x).max()))[:, None]
    possible = t_x + left < T
    stop = np.where(possible, t_x + left, T)
    gone = np.vstack([np.zeros(len(x)), np.ones_like(stop)])
    stop = np.vstack([T, stop])
    possible = np.vstack([np.ones(len(x), bool), possible])

    def parts(derivative):
        """By alpha, beta, alpha+beta, gamma, delta, gamma+delta, each less its value at start."""
        a, b, c, d = params
        return (
            (derivative(a + x) - derivative(a)) + 0 * stop,
            derivative(b + stop - x) - derivative(b),
            derivative(a + b + stop) - derivative(a + b),
            derivative(c + gone) - derivative(c),
            derivative(d + stop) - derivative(d),
            derivative(c + d + stop + gone) - derivative(c + d),
        )

    a, b, ab, c, d, cd = parts(gammaln)
    terms = np.where(possible, a + b - ab + c + d - cd, -np.inf)
    likelihood = logsumexp(terms, axis=0)
    value = n @ likelihood
    if value_only:
        return value
    share = np.exp(terms - likelihood)
    a, b, ab, c, d, cd = parts(digamma)
    slopes = np.stack([a - ab, b - ab, c - cd, d - cd])
    a, b, ab, c, d, cd = ((n * share * part).sum() for part in parts(partial(zeta, 2)))
    hessian = np.zeros((4, 4))
    hessian[:2, :2] = -ab
    hessian[2:, 2:] = -cd
    hessian += np.diag([a, b, c, d])
    mean = (share * slopes).sum(axis=1)
    away = slopes - mean[:, None]
    hessian += np.einsum("ikl,jkl->ij", away * (share * n), away)
    return value, mean @ n, hessian
