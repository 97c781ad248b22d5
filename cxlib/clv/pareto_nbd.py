"""Pareto/NBD: how often customers buy, and how long they stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import exprel

from cxlib.clv.beta_geo import RATES
from cxlib.clv.beta_geo_future import purchases_ahead
from cxlib.clv.fitted import Scale, exponentials
from cxlib.clv.histories import Collapsed
from cxlib.clv.pareto_integral import discounted_lifetime, left_unseen, pareto_distribution
from cxlib.clv.purchase_model import PurchaseModel

__all__ = ["ParetoNBD", "pareto_nbd_log_likelihood"]

LEAVING = (
    Scale(
        "s",
        np.log(1e-4),
        np.log(1e4),
        "the data show no customer leaving",
        "all customers leave at the same rate",
        centre=-0.5,
    ),
    Scale(
        "beta",
        np.log(1e-5),
        np.log(1e6),
        "customers leave at once or never",
        "the data show no customer leaving",
        spread=2.0,
        relative=True,
    ),
)
STARTS = ((0.5, 1.0, 0.5, 0.5), (1.5, 1.0, 1.5, 2.0), (1.0, 0.5, 0.2, 0.1))


@dataclass(frozen=True, eq=False)
class ParetoNBD(PurchaseModel):
    """The Pareto/NBD model of repeat purchases.

    While a customer is active, purchases arrive at random at rate lambda; the time until the
    customer leaves for good is exponential with rate mu. Rates differ between customers as
    Gamma(shape r, rate alpha) and Gamma(shape s, rate beta)::

        L = G(r+x)/G(r) alpha^r beta^s * [ (alpha+T)^-(r+x) (beta+T)^-s
            + s * integral over t_x..T of (alpha+y)^-(r+x) (beta+y)^-(s+1) dy ]

    The integral is taken by Gauss-Legendre on a logarithmic scale, where it neither over- nor
    underflows, and so are its derivatives: there is no difference of hypergeometric functions.

    Parameters
    ----------
    params : mapping, optional
        r, alpha, s, beta (alpha and beta in the unit of T), to predict from known parameters.
        Leave out to fit.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), doi:10.1287/mnsc.33.1.1; Fader, Hardie & Lee (2005),
    doi:10.1287/mksc.1040.0098. Checked against their CDNOW values.

    Examples
    --------
    >>> import pandas as pd
    >>> model = ParetoNBD({"r": 0.5533, "alpha": 10.5776, "s": 0.6062, "beta": 11.6679})
    >>> customer = pd.DataFrame({"frequency": [2], "recency": [30.43], "T": [38.86]})
    >>> model.expected_purchases(customer, 39).round(3).item()
    1.455
    >>> model.p_alive(customer).round(3).item()
    0.869
    """

    names = ("r", "alpha", "s", "beta")
    label = "Pareto/NBD"
    scales = RATES + LEAVING
    tied: ClassVar[dict[int, int]] = {0: 1, 2: 3}
    kinds = ("rate", "leaving")

    def starts(self, rows: Collapsed):
        rate, unit = rows.purchases / (rows.n_by_T @ rows.T), rows.mean_T
        return [np.log([r, r / rate * share, s, beta * unit]) for r, share, s, beta in STARTS]

    @staticmethod
    def to_theta(params):
        return np.log(params)

    to_natural = staticmethod(exponentials)

    @staticmethod
    def likelihood(params, rows: Collapsed, *, value_only=False):
        return pareto_nbd_log_likelihood(params, rows, value_only=value_only)

    def rough_likelihood(self, theta, rows):
        natural = self.from_theta(theta)
        return pareto_nbd_log_likelihood(natural, rows, value_only=True, digits=6)

    @classmethod
    def log_odds_left(cls, params, x, t_x, T):
        r, alpha, s, beta = (params[name] for name in cls.names)
        return left_unseen(r + x, alpha, s, beta, t_x, T)

    @classmethod
    def rough_log_odds_left(cls, params, x, t_x, T):
        r, alpha, s, beta = (params[name] for name in cls.names)
        return left_unseen(r + x, alpha, s, beta, t_x, T, digits=6)

    @classmethod
    def given_active(cls, params, x, T):
        """Parameters of what both rates of a customer active at T are drawn from."""
        r, alpha, s, beta = (params[name] for name in cls.names)
        return {"r": r + x, "alpha": alpha + T, "s": s + 0 * x, "beta": beta + T}

    @classmethod
    def purchases_if_active(cls, params, x, T, horizon):
        r, alpha, s, beta = cls.given_active(params, x, T).values()
        wait = np.log1p(horizon / beta)
        return r * beta / alpha * wait * exprel((1 - s) * wait)

    @classmethod
    def discounted_if_active(cls, params, x, T, horizon, force):
        """Closed form at an infinite horizon: (r+x)/(alpha+T) (beta+T)^s d^(s-1) Psi(s, s; .)."""
        if not (np.isinf(horizon) and force > 0):
            return super().discounted_if_active(params, x, T, horizon, force)
        r, alpha, s, beta = cls.given_active(params, x, T).values()
        return r / alpha * discounted_lifetime(s, beta, force)

    @staticmethod
    def distribution_if_active(params, horizon, up_to):
        return pareto_distribution(*params.values(), horizon, up_to)

    def draw_kinds(self, params, shape, rng, *, active=False):
        r, alpha, s, beta = (params[name] for name in self.names)
        leaving = rng.standard_gamma(s, shape) / beta
        with np.errstate(divide="ignore", over="ignore"):
            stay = rng.standard_exponential(shape) / leaving
        return {"rate": rng.standard_gamma(r, shape) / alpha, "leaving": leaving, "stay": stay}

    def alive_at_first(self, kinds, T):
        return kinds["stay"] > T

    def run(self, kinds, until, rng):
        return purchases_ahead(kinds["rate"], 0.0, np.minimum(until, kinds["stay"]), rng)


def pareto_nbd_log_likelihood(params, rows: Collapsed, *, value_only=False, digits=12):
    """Value, gradient and Hessian of the log-likelihood by r, alpha, s, beta.

    ``digits`` are those of the value alone.
    """
    r, alpha, s, beta = params
    total, k = float(rows.customers), r + rows.x
    by_r = r + np.arange(len(rows.above))
    value = rows.above @ np.log(by_r) + total * (r * np.log(alpha) + s * np.log(beta))
    shape_T = r * rows.n_by_T + rows.purchases_by_T
    log_T, log_b = np.log(alpha + rows.T), np.log(beta + rows.T)
    value -= shape_T @ log_T + s * (rows.n_by_T @ log_b)
    if value_only:
        for x_at, t_x_at, T_at, n in rows.parts():
            times = rows.t_x[t_x_at], rows.T[T_at]
            odds = left_unseen(k[x_at], alpha, s, beta, *times, digits=digits)
            value += n @ np.logaddexp(0, odds)
        return value
    inv_T, inv_b = 1 / (alpha + rows.T), 1 / (beta + rows.T)
    gradient = np.array(
        [
            rows.above @ (1 / by_r) + total * np.log(alpha) - rows.n_by_T @ log_T,
            total * r / alpha - shape_T @ inv_T,
            total * np.log(beta) - rows.n_by_T @ log_b,
            total * s / beta - s * (rows.n_by_T @ inv_b),
        ]
    )
    hessian = np.zeros((4, 4))
    hessian[0, 0] = -(rows.above @ by_r**-2.0)
    hessian[0, 1] = hessian[1, 0] = total / alpha - rows.n_by_T @ inv_T
    hessian[1, 1] = shape_T @ inv_T**2 - total * r / alpha**2
    hessian[2, 3] = hessian[3, 2] = total / beta - rows.n_by_T @ inv_b
    hessian[3, 3] = s * (rows.n_by_T @ inv_b**2) - total * s / beta**2

    # log(1 + e^D), D the log odds of having left; its slopes are moments of the integrand.
    for x_at, t_x_at, T_at, n in rows.parts():
        odds, slopes, bends = left_unseen(
            k[x_at], alpha, s, beta, rows.t_x[t_x_at], rows.T[T_at], with_slopes=True
        )
        value += n @ np.logaddexp(0, odds)
        left = np.where(odds >= 0, 1.0, np.exp(-np.abs(odds))) / (1 + np.exp(-np.abs(odds)))
        weight = n * left
        gradient += slopes @ weight
        hessian += (slopes * (weight * (1 - left))) @ slopes.T + bends @ weight
    return value, gradient, hessian
