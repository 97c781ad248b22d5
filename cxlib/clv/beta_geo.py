"""BG/NBD: how often customers buy, and after which purchase they leave for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cxlib.clv.beta_geo_future import (
    distribution_if_active,
    log_odds_left,
    purchases_ahead,
    purchases_if_active,
)
from cxlib.clv.fitted import Scale, beta_pair, beta_pair_alone, exponentials
from cxlib.clv.histories import Collapsed
from cxlib.clv.purchase_model import PurchaseModel

__all__ = ["BetaGeo", "beta_geo_log_likelihood"]

RATES = (
    Scale(
        "r",
        np.log(1e-4),
        np.log(1e4),
        "next to nobody buys again",
        "all customers buy at the same rate",
        centre=-0.5,
    ),
    Scale(
        "alpha",
        np.log(1e-5),
        np.log(1e6),
        "purchase rates have no upper end",
        "purchase rates are all but zero",
        centre=-1.0,
        spread=2.0,
        relative=True,
    ),
)
DROPOUT = (
    Scale(
        "a/(a+b)",
        -12.0,
        12.0,
        "the data show no customer leaving",
        "every customer leaves after the next purchase",
        centre=-1.0,
        share=True,
    ),
    Scale(
        "a+b",
        np.log(1e-3),
        np.log(1e4),
        "customers leave at once or never",
        "all customers leave with the same probability after a purchase",
        centre=1.0,
    ),
)
STARTS = ((0.4, 0.6, 0.25, 3.0), (1.5, 1.0, 0.1, 1.0), (1.0, 0.5, 0.5, 10.0))


@dataclass(frozen=True, eq=False)
class BetaGeo(PurchaseModel):
    """The BG/NBD model of repeat purchases.

    While a customer is active, purchases arrive at random at rate lambda per unit of time;
    after each purchase the customer leaves for good with probability p. Rates differ between
    customers as Gamma(shape r, rate alpha), leaving as Beta(a, b). With x repeat purchases, the
    last at t_x, observed for T::

        L = B(a, b+x)/B(a, b) * G(r+x) alpha^r / G(r)
            * [ (alpha+T)^-(r+x) + 1{x>0} a/(b+x-1) (alpha+t_x)^-(r+x) ]

    Parameters
    ----------
    params : mapping, optional
        r, alpha (in the unit of T), a, b, to predict from known parameters. Leave out to fit.

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting your customers" the easy way,
    doi:10.1287/mksc.1040.0098. Checked against its CDNOW values.

    Examples
    --------
    >>> import pandas as pd
    >>> model = BetaGeo({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426})
    >>> customer = pd.DataFrame({"frequency": [2], "recency": [30.43], "T": [38.86]})
    >>> model.expected_purchases(customer, 39).round(3).item()
    1.226
    >>> model.p_alive(customer).round(3).item()
    0.727
    """

    names = ("r", "alpha", "a", "b")
    label = "BG/NBD"

    scales = RATES + DROPOUT
    tied: ClassVar[dict[int, int]] = {0: 1}
    kinds = ("rate", "dropout")
    leaves_at_first: ClassVar[int] = 0

    @staticmethod
    def to_theta(params):
        r, alpha, a, b = params
        return np.array([np.log(r), np.log(alpha), np.log(a / b), np.log(a + b)])

    @classmethod
    def from_theta(cls, theta):
        return np.array([*np.exp(theta[:2]), *beta_pair_alone(*theta[2:])])

    @staticmethod
    def to_natural(theta):
        """r, alpha, a, b of log r, log alpha, logit a/(a+b), log(a+b), with both slopes."""
        params, jacobian, curvature = exponentials(theta)
        params[2:], jacobian[2:, 2:], curvature[2:, 2:, 2:] = beta_pair(*theta[2:])
        return params, jacobian, curvature

    def starts(self, rows: Collapsed):
        rate = rows.purchases / (rows.n_by_T @ rows.T)
        return [
            np.log([r, r / rate * share, phi / (1 - phi), kappa]) for r, share, phi, kappa in STARTS
        ]

    @classmethod
    def likelihood(cls, params, rows: Collapsed, *, value_only=False):
        return beta_geo_log_likelihood(params, rows, cls.leaves_at_first, value_only=value_only)

    @classmethod
    def log_odds_left(cls, params, x, t_x, T):
        return log_odds_left(params, x, t_x, T, cls.leaves_at_first)

    @classmethod
    def given_active(cls, params, x, T):
        """Parameters of what rate and dropout of a customer active at T are drawn from."""
        r, alpha, a, b = (params[name] for name in cls.names)
        return {"r": r + x, "alpha": alpha + T, "a": a, "b": b + x + cls.leaves_at_first}

    @classmethod
    def purchases_if_active(cls, params, x, T, horizon):
        own = dict(params) | {"b": params["b"] + cls.leaves_at_first}
        return purchases_if_active(own, x, T, horizon)

    distribution_if_active = staticmethod(distribution_if_active)

    def draw_kinds(self, params, shape, rng, *, active=False):
        r, alpha, a, b = (params[name] for name in self.names)
        kinds = {"rate": rng.standard_gamma(r, shape) / alpha, "dropout": rng.beta(a, b, shape)}
        if self.leaves_at_first and not active:
            kinds["stays"] = rng.random(shape) >= kinds["dropout"]
        return kinds

    def alive_at_first(self, kinds, T):
        return kinds.get("stays", np.ones(T.size, bool)).copy()

    def run(self, kinds, until, rng):
        until = np.where(kinds.get("stays", True), until, -1.0)
        return purchases_ahead(kinds["rate"], kinds["dropout"], until, rng)


def beta_geo_log_likelihood(params, rows: Collapsed, leaves_at_first=0, *, value_only=False):
    """Value, gradient and Hessian of the log-likelihood by r, alpha, a, b.

    G(r+x)/G(r) is the product of r, r+1, ..., r+x-1, so that gamma functions become sums over how
    many customers have more than 0, 1, 2, ... purchases; logarithms are taken on the distinct t_x
    and T; a distinct history costs one exp and one log1p. With ``leaves_at_first`` 1 the first
    purchase, too, is one after which customers may leave.
    """
    r, alpha, a, b = params
    total, shape_x, stayed = float(rows.customers), r + rows.x, b + rows.x + leaves_at_first
    again = rows.above
    stays = np.append(total, again) if leaves_at_first else again
    steps = np.arange(len(stays))
    by_r, by_b, by_ab = r + steps[: len(again)], b + steps, a + b + steps
    log_T, log_t, log_alpha = np.log(alpha + rows.T), np.log(alpha + rows.t_x), np.log(alpha)
    shape_T = r * rows.n_by_T + rows.purchases_by_T
    value = again @ np.log(by_r) + stays @ np.log(by_b / by_ab)
    value += total * r * log_alpha - shape_T @ log_T
    with np.errstate(divide="ignore"):
        inv_b = 1 / (stayed - 1)
        start = np.log(a) - np.log(np.abs(stayed - 1))
    parts = rows.parts(0 if leaves_at_first else rows.one_time)
    if value_only:
        for x_at, t_x_at, T_at, n in parts:
            odds = start.take(x_at) + shape_x.take(x_at) * (log_T.take(T_at) - log_t.take(t_x_at))
            value += n @ (np.maximum(odds, 0) + np.log1p(np.exp(-np.abs(odds))))
        return value

    inv_T, inv_t = 1 / (alpha + rows.T), 1 / (alpha + rows.t_x)
    by_r, by_b, by_ab = 1 / by_r, 1 / by_b, 1 / by_ab
    gradient = np.array(
        [
            again @ by_r + total * log_alpha - rows.n_by_T @ log_T,
            total * r / alpha - shape_T @ inv_T,
            -(stays @ by_ab),
            stays @ (by_b - by_ab),
        ]
    )
    hessian = np.zeros((4, 4))
    hessian[0, 0] = -(again @ by_r**2)
    hessian[0, 1] = total / alpha - rows.n_by_T @ inv_T
    hessian[1, 1] = shape_T @ inv_T**2 - total * r / alpha**2
    hessian[2:, 2:] = stays @ by_ab**2
    hessian[3, 3] -= stays @ by_b**2

    # log(1 + e^D), D the log odds of having left at t_x.
    for x_at, t_x_at, T_at, n in parts:
        k, at_t = shape_x.take(x_at), inv_t.take(t_x_at)
        wait, gap = log_T.take(T_at) - log_t.take(t_x_at), inv_T.take(T_at) - at_t
        odds = start.take(x_at) + k * wait
        small = np.exp(-np.abs(odds))
        value += n @ (np.maximum(odds, 0) + np.log1p(small))
        left = np.where(odds >= 0, 1.0, small) / (1 + small)
        slopes = np.empty((4, len(k)))
        slopes[0], slopes[1], slopes[2], slopes[3] = wait, k * gap, 1 / a, -inv_b.take(x_at)
        weight = n * left
        gradient += slopes @ weight
        hessian += (slopes * (weight * (1 - left))) @ slopes.T
        hessian[0, 1] += weight @ gap
        hessian[1, 1] -= (weight * gap) @ (k * (gap + 2 * at_t))
        hessian[2, 2] -= weight.sum() / a**2
        hessian[3, 3] += weight @ slopes[3] ** 2
    hessian[1, 0] = hessian[0, 1]
    return value, gradient, hessian
