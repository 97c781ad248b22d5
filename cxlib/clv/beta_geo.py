"""BG/NBD: how often customers buy, and after which purchase they leave for good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import digamma, expit, gammaln, logit, zeta

from cxlib.clv.beta_geo_future import expected_purchases, log_odds_left, purchases_ahead
from cxlib.clv.fitted import FittedModel, Scale
from cxlib.clv.histories import Collapsed, collapse, read_histories
from cxlib.clv.maximize import maximize, to_working
from cxlib.errors import CxError

__all__ = ["BetaGeo", "beta_geo_log_likelihood"]

SCALES = (
    Scale(
        "r",
        np.log(1e-4),
        np.log(1e4),
        "next to nobody buys again",
        "all customers buy at the same rate",
    ),
    Scale(
        "alpha",
        np.log(1e-5),
        np.log(1e6),
        "purchase rates have no upper end",
        "purchase rates are all but zero",
    ),
    Scale(
        "a/(a+b)",
        -12.0,
        12.0,
        "the data show no customer leaving",
        "every customer leaves after the next purchase",
    ),
    Scale(
        "a+b",
        np.log(1e-3),
        np.log(1e4),
        "customers leave at once or never",
        "all customers leave with the same probability after a purchase",
    ),
)
STARTS = ((0.3, 1.0, 0.25, 3.0), (1.5, 1.0, 0.1, 1.0), (1.0, 0.5, 0.5, 10.0))
FEWEST_CUSTOMERS = 4


@dataclass(frozen=True, eq=False)
class BetaGeo(FittedModel):
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
    >>> model = BetaGeo({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426})
    >>> customer = pd.DataFrame({"frequency": [2], "recency": [30.43], "T": [38.86]})
    >>> model.expected_purchases(customer, 39).round(3).item()
    1.226
    >>> model.p_alive(customer).round(3).item()
    0.727
    """

    names = ("r", "alpha", "a", "b")
    label = "BG/NBD"

    def fit(self, summary: pd.DataFrame) -> BetaGeo:
        """Maximum likelihood from several starts, with the exact gradient and Hessian.

        Parameters
        ----------
        summary : DataFrame
            Columns frequency, recency, T and, optionally, n = customers sharing the row.

        Returns
        -------
        BetaGeo
            A new, fitted model. Where the data leave a parameter at its bound, ``at_boundary`` is
            True, ``boundary_note`` says what it means, and the errors hold that parameter fixed.

        Raises
        ------
        CxError
            Broken rows, fewer than four customers, or nobody who bought twice.
        """
        rows = collapse(*read_histories(summary))
        check_enough(rows)
        unit = rows.mean_T
        low, high = (
            np.array([getattr(scale, side) for scale in SCALES]) for side in ("low", "high")
        )
        low[1] += np.log(unit)
        high[1] += np.log(unit)

        def objective(theta):
            params, jacobian, curvature = to_natural(theta)
            value, gradient, hessian = beta_geo_log_likelihood(params, rows)
            return value, *to_working(gradient, hessian, jacobian, curvature)

        rate = rows.purchases / (rows.n_by_T @ rows.T)
        starts = [
            (np.log(r), np.log(r / rate * share), logit(phi), np.log(kappa))
            for r, share, phi, kappa in STARTS
        ]
        optimum = maximize(objective, starts, low, high, tied={0: 1})
        params, jacobian, _ = to_natural(optimum.theta)
        return self.fitted(params, optimum, jacobian, SCALES, rows.customers)

    def expected_purchases(self, summary: pd.DataFrame, horizon) -> pd.Series:
        """Expected purchases of each customer in the next ``horizon`` units of time.

        Parameters
        ----------
        summary : DataFrame
            Columns frequency, recency, T.
        horizon : float or array of shape (len(summary),)
            In the unit of T, >= 0.

        Returns
        -------
        Series
            Indexed as the summary; never NaN, also for x = 600 and ten years of days.
        """
        x, t_x, T, _ = read_histories(summary)
        horizon = check_horizon(horizon, len(x))
        values = expected_purchases(self.require_params(), x, t_x, T, horizon)
        return pd.Series(values, summary.index, name="expected_purchases")

    def expected_newcomer_purchases(self, age) -> np.ndarray:
        """Expected repeat purchases of a newcomer in the ``age`` units after the first purchase."""
        age = np.atleast_1d(np.asarray(age, float))
        zero = np.zeros_like(age)
        return expected_purchases(self.require_params(), zero, zero, zero, age)

    def p_alive(self, summary: pd.DataFrame) -> pd.Series:
        """Probability that a customer is still active at T, given the history.

        It is 1 for one-time buyers: in this model customers leave after a repeat purchase only.
        """
        x, t_x, T, _ = read_histories(summary)
        values = expit(-log_odds_left(self.require_params(), x, t_x, T))
        return pd.Series(values, summary.index, name="p_alive")

    def simulate(self, T, *, customers: int | None = None, horizon: float = 0.0, seed: int = 1):
        """Customers drawn from the model.

        Parameters
        ----------
        T : float or array
            Time observed since the first purchase; an array gives each customer their own.
        customers : int, optional
            How many, where T is one number.
        horizon : float
            Further time, for the column holdout_frequency.
        seed : int

        Returns
        -------
        DataFrame
            frequency, recency, T, holdout_frequency, holdout_duration, and the truth: rate (per
            unit of time), dropout (probability after each purchase), alive (at T).

        Examples
        --------
        >>> model = BetaGeo({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426})
        >>> model.simulate(39.0, customers=3, seed=1)[["frequency", "T", "alive"]].shape
        (3, 3)
        """
        T = np.broadcast_to(np.asarray(T, float), (customers,) if customers else np.shape(T))
        if T.ndim != 1 or not np.isfinite(T).all() or (T < 0).any():
            raise CxError("T must hold finite times >= 0; for a single T say customers=, too.")
        rng = np.random.default_rng(seed)
        params = self.require_params()
        rate = rng.gamma(params["r"], 1 / params["alpha"], T.shape)
        dropout = rng.beta(params["a"], params["b"], T.shape)
        frequency, later = np.zeros(T.size, int), np.zeros(T.size, int)
        recency, alive = np.zeros(T.size), np.ones(T.size, bool)
        for who, when, stays in purchases_ahead(rate, dropout, T + horizon, rng):
            past = when <= T[who]
            frequency[who] += past
            later[who] += ~past
            recency[who[past]] = when[past]
            alive[who[past]] = stays[past]
        return pd.DataFrame(
            {
                "frequency": frequency,
                "recency": recency,
                "T": T,
                "holdout_frequency": later,
                "holdout_duration": float(horizon),
                "rate": rate,
                "dropout": dropout,
                "alive": alive,
            },
        ).rename_axis("customer_id")

    def draw_parameters(self, draws: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Parameters as uncertain as the fit leaves them, each of shape (draws,).

        Normal on log r, log alpha, logit a/(a+b), log(a+b); constant if given, not fitted.
        """
        values = np.array(list(self.require_params().values()))
        if self.covariance is None:
            return dict(zip(self.names, np.tile(values[:, None], draws), strict=True))
        theta = to_theta(values)
        slopes = np.linalg.inv(to_natural(theta)[1])
        spread = slopes @ self.covariance.to_numpy() @ slopes.T
        drawn = rng.multivariate_normal(theta, spread, draws, method="svd", check_valid="ignore")
        return dict(zip(self.names, to_natural(drawn.T)[0], strict=True))

    def draw_future(self, params, x, t_x, T, horizon: float, rng: np.random.Generator):
        """Purchases in (T, T + horizon] drawn from the posterior of each customer, in rounds.

        A customer has left, or has rate ~ Gamma(r+x, alpha+T) and dropout ~ Beta(a, b+x).
        ``params`` and x, t_x, T broadcast. Yields (cell, time) arrays: the flat cells that buy
        their next purchase, and when, in time since T.
        """
        shape = np.broadcast_shapes(np.shape(params["r"]), np.shape(x))
        active = rng.random(shape) < expit(-log_odds_left(params, x, t_x, T))
        cells = np.flatnonzero(active)
        r, alpha, a, b, x, T = (
            np.broadcast_to(v, shape).ravel()[cells] for v in (*params.values(), x, T)
        )
        rate = rng.standard_gamma(r + x) / (alpha + T)
        dropout = rng.beta(a, b + x)
        for who, when, _ in purchases_ahead(rate, dropout, horizon, rng):
            yield cells[who], when

    def draw_newcomers(self, params, until, rng: np.random.Generator):
        """Repeat purchases of newcomers up to age ``until``, in rounds as ``draw_future``."""
        shape = np.broadcast_shapes(np.shape(params["r"]), np.shape(until))
        r, alpha, a, b, until = (
            np.broadcast_to(v, shape).ravel() for v in (*params.values(), until)
        )
        rate = rng.standard_gamma(r) / alpha
        for who, when, _ in purchases_ahead(rate, rng.beta(a, b), until, rng):
            yield who, when


def check_enough(rows: Collapsed) -> None:
    if rows.customers < FEWEST_CUSTOMERS:
        raise CxError(
            f"{rows.customers} customer{'s' * (rows.customers != 1)} cannot teach a model of four "
            f"parameters: at least {FEWEST_CUSTOMERS} are needed, some hundreds make it useful."
        )
    if rows.purchases == 0:
        raise CxError(
            f"All {rows.customers:,} customers are one-time buyers: without a single repeat "
            "purchase nothing can be learnt about rates or leaving. Is the time observed too "
            "short, does every order carry a new customer_id, or was frequency counted wrongly?"
        )
    if rows.T.max() <= 0:
        raise CxError("T is 0 for every customer: no time was observed after the first purchases.")


def check_horizon(horizon, rows: int) -> np.ndarray:
    values = np.asarray(horizon, float)
    if values.shape not in {(), (1,), (rows,)} or not (np.isfinite(values) & (values >= 0)).all():
        raise CxError(
            f"horizon must be a finite time >= 0, one number or one a customer, not {horizon!r}"
        )
    return np.broadcast_to(values, (rows,))


def to_theta(params: np.ndarray) -> np.ndarray:
    r, alpha, a, b = params
    return np.array([np.log(r), np.log(alpha), np.log(a / b), np.log(a + b)])


def to_natural(theta):
    """r, alpha, a, b of log r, log alpha, logit a/(a+b), log(a+b), with first and second slopes."""
    r, alpha, kappa = np.exp(theta[0]), np.exp(theta[1]), np.exp(theta[3])
    phi, psi = expit(theta[2]), expit(-theta[2])
    a, b = phi * kappa, psi * kappa
    params = np.array([r, alpha, a, b])
    if np.ndim(theta) > 1:
        return params, None, None
    slope = phi * b
    jacobian = np.diag([r, alpha, slope, b])
    jacobian[2, 3], jacobian[3, 2] = a, -slope
    curvature = np.zeros((4, 4, 4))
    curvature[0, 0, 0], curvature[1, 1, 1] = r, alpha
    bend = slope * (psi - phi)
    curvature[2, 2:, 2:] = [[bend, slope], [slope, a]]
    curvature[3, 2:, 2:] = [[-bend, -slope], [-slope, b]]
    return params, jacobian, curvature


def beta_geo_log_likelihood(params, rows: Collapsed):
    """Value, gradient and Hessian of the log-likelihood by r, alpha, a, b.

    Gamma functions are taken on the distinct x, logarithms on the distinct t_x and T; a distinct
    history costs one exp and one log1p. The trigamma function is zeta(2, .).
    """
    r, alpha, a, b = params
    x, n = rows.x, rows.n_by_x
    log_T, log_t = np.log(alpha + rows.T), np.log(alpha + rows.t_x)
    inv_T, inv_t = 1 / (alpha + rows.T), 1 / (alpha + rows.t_x)
    shape_T = r * rows.n_by_T + rows.purchases_by_T
    total = n.sum()
    value = (
        n @ (gammaln(r + x) + gammaln(b + x) - gammaln(a + b + x))
        + total * (r * np.log(alpha) - gammaln(r) - gammaln(b) + gammaln(a + b))
        - shape_T @ log_T
    )
    psi_ab, psi_abx = digamma(a + b), n @ digamma(a + b + x)
    gradient = np.array(
        [
            n @ digamma(r + x) + total * (np.log(alpha) - digamma(r)) - rows.n_by_T @ log_T,
            total * r / alpha - shape_T @ inv_T,
            total * psi_ab - psi_abx,
            total * (psi_ab - digamma(b)) + n @ digamma(b + x) - psi_abx,
        ]
    )
    hessian = np.zeros((4, 4))
    hessian[0, 0] = n @ zeta(2, r + x) - total * zeta(2, r)
    hessian[0, 1] = hessian[1, 0] = total / alpha - rows.n_by_T @ inv_T
    hessian[1, 1] = shape_T @ inv_T**2 - total * r / alpha**2
    common = total * zeta(2, a + b) - n @ zeta(2, a + b + x)
    hessian[2:, 2:] = common
    hessian[3, 3] += n @ zeta(2, b + x) - total * zeta(2, b)

    # Repeat buyers: log(1 + e^D), D the log odds of having left at t_x.
    k = (r + x)[rows.x_at]
    with np.errstate(divide="ignore"):
        inv_b = 1 / (b + x - 1)
        start = np.log(a) - np.log(np.abs(b + x - 1))
    wait = log_T[rows.T_at] - log_t[rows.t_x_at]
    gap = inv_T[rows.T_at] - inv_t[rows.t_x_at]
    bend = inv_t[rows.t_x_at] ** 2 - inv_T[rows.T_at] ** 2
    odds = start[rows.x_at] + k * wait
    small = np.exp(-np.abs(odds))
    value += rows.n @ (np.maximum(odds, 0) + np.log1p(small))
    left = np.where(odds >= 0, 1.0, small) / (1 + small)
    slopes = np.stack([wait, k * gap, np.full_like(wait, 1 / a), -inv_b[rows.x_at]])
    weight = rows.n * left
    gradient += slopes @ weight
    hessian += (slopes * (weight * (1 - left))) @ slopes.T
    cross = weight @ gap
    hessian[0, 1] += cross
    hessian[1, 0] += cross
    hessian[1, 1] += weight @ (k * bend)
    hessian[2, 2] -= weight.sum() / a**2
    hessian[3, 3] += weight @ inv_b[rows.x_at] ** 2
    return value, gradient, hessian
