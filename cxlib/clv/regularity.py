"""MBG/CNBD-k: customers who buy at regular intervals, not at random ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import betainc, betaln, digamma, expit, gammaln, logsumexp, zeta

from cxlib.clv.beta_geo_future import purchases_ahead
from cxlib.clv.histories import columns_of, distinct_rows, require_columns
from cxlib.clv.modified_beta_geo import ModifiedBetaGeo
from cxlib.clv.purchase_model import discount_nodes
from cxlib.clv.sources import plain_frame
from cxlib.clv.units import EPOCH, check_choices, to_day
from cxlib.errors import CxError

__all__ = ["RegularBetaGeo", "log_gaps", "regular_log_likelihood"]

MOST_REGULAR = 12
DIRECT = 48
NODES, PANELS = 24, 6
TAIL = 36.0
ROWS = 2000


@dataclass(frozen=True, eq=False)
class RegularBetaGeo(ModifiedBetaGeo):
    """The MBG/CNBD-k model of repeat purchases at more or less regular intervals.

    As ``ModifiedBetaGeo``, but each purchase is the k-th event of a hidden process of rate lambda,
    so that times between purchases are Erlang(k, lambda): k = 1 is pure chance (MBG/NBD), a large
    k a clock. With u = T - t_x::

        L = B(a, b+x+1)/B(a, b) * G(r+kx) alpha^r / G(r) * e^((k-1) g) / G(k)^x
            * [ sum over j = 0..k-1 of u^j/j! G(r+kx+j)/G(r+kx) (alpha+T)^-(r+kx+j)
                + a/(b+x) (alpha+t_x)^-(r+kx) ]

    g is the sum of the logarithms of a customer's times between purchases. Expectations are sums
    over purchases to come, exact to some 1e-7: no approximation by a scaled NBD.

    Parameters
    ----------
    params : mapping, optional
        r, alpha (in the unit of T), a, b, to predict from known parameters. Leave out to fit.
    k : int, optional
        Regularity, 1 to 12. Leave out to let the likelihood choose among them.

    Attributes
    ----------
    profile : DataFrame or None
        Index k, log_likelihood of the best fit at each k tried.

    References
    ----------
    Platzer & Reutterer (2016), doi:10.1287/mksc.2015.0963.

    Examples
    --------
    >>> truth = RegularBetaGeo({"r": 1.5, "alpha": 3.0, "a": 0.7, "b": 2.5}, k=3)
    >>> customers = truth.simulate(40.0, customers=800, seed=1)
    >>> RegularBetaGeo().fit(customers).k
    3
    """

    k: int | None = None
    profile: pd.DataFrame | None = field(default=None, repr=False)

    def __post_init__(self):
        super().__post_init__()
        whole = isinstance(self.k, (int, np.integer)) and 1 <= self.k <= MOST_REGULAR
        if not (whole or (self.k is None and self.params is None)):
            raise CxError(f"k must be a whole number from 1 to {MOST_REGULAR}, not {self.k!r}")

    @property
    def label(self) -> str:
        return f"MBG/CNBD-{'k' if self.k is None else self.k}"

    @property
    def parameters(self) -> int:
        """How many numbers were chosen by the data: k counts where it was."""
        return len(self.names) + (self.profile is not None)

    def fit(self, summary: pd.DataFrame, *, prior=None) -> RegularBetaGeo:
        """Maximum likelihood with the exact gradient and Hessian, k by profile where not given.

        Parameters
        ----------
        summary : DataFrame
            Columns frequency, recency, T, log_gaps (see ``log_gaps``; of rows with n the sum over
            a customer) and, optionally, n. A given k of 1 needs no log_gaps.
        prior : None, "weak" or mapping, optional
            As for ``BetaGeo.fit``.

        Returns
        -------
        RegularBetaGeo
            k rises from 1 until the likelihood has fallen twice. Its errors and intervals take k
            as known.
        """
        gaps, n = np.zeros(len(summary)), self.read(summary)[3]
        if self.k != 1:
            require_columns(summary, ("log_gaps",))
            (gaps,) = columns_of(summary, ("log_gaps",))
            if not np.isfinite(gaps).all():
                raise CxError("log_gaps must be finite numbers, 0 without a repeat purchase.")
        total, repeats = float(n @ gaps), float(n @ summary["frequency"].to_numpy(float))

        def at(k):
            found = super(RegularBetaGeo, replace(self, k=k)).fit(summary, prior=prior)
            constant = (k - 1) * total - repeats * float(gammaln(k))
            return replace(found, log_likelihood=found.log_likelihood + constant)

        if self.k is not None:
            return at(self.k)
        fits = []
        for k in range(1, MOST_REGULAR + 1):
            fits.append(at(k))
            values = [fit.log_likelihood for fit in fits]
            if k - 1 - int(np.argmax(values)) >= 2:
                break
        best = fits[int(np.argmax(values))]
        index = pd.RangeIndex(1, len(fits) + 1, name="k")
        return replace(best, profile=pd.DataFrame({"log_likelihood": values}, index=index))

    def starts(self, rows):
        shift = np.array([0.0, np.log(self.k), 0.0, 0.0])
        return [start - shift for start in super().starts(rows)]

    def likelihood(self, params, rows, *, value_only=False):
        return regular_log_likelihood(params, rows, self.k, value_only=value_only)

    def log_odds_left(self, params, x, t_x, T):
        left, phases = self.weights(params, x, t_x, T)
        return left - logsumexp(phases, axis=0)

    rough_log_odds_left = log_odds_left

    def weights(self, params, x, t_x, T):
        """Log weights of having left at t_x and, stacked, of each phase of those still active."""
        r, alpha, a, b = (params[name] for name in self.names)
        size = r + self.k * x
        left = np.log(a / (b + x)) + size * (np.log(alpha + T) - np.log(alpha + t_x))
        with np.errstate(divide="ignore"):
            step = np.log(T - t_x) - np.log(alpha + T)
        phases = [np.zeros(np.broadcast(left, step).shape)]
        for j in range(1, self.k):
            phases.append(phases[-1] + step + np.log((size + j - 1) / j))
        return left, np.stack(phases)

    def expected(self, x, t_x, T, horizon):
        params = self.require_params()
        rows, at = distinct_rows(x, t_x, T, np.asarray(horizon) + 0 * x)
        alive = expit(-self.log_odds_left(params, *rows[:3]))
        return (alive * self.if_active(params, *rows))[at]

    def if_active(self, params, x, t_x, T, horizon):
        """Expected purchases of customers active at T, in parts that bound the memory."""
        values = np.empty(len(x))
        for start in range(0, len(x), ROWS):
            part = slice(start, start + ROWS)
            values[part] = self.purchases_to_come(params, *(v[part] for v in (x, t_x, T, horizon)))
        return values

    def purchases_to_come(self, params, x, t_x, T, horizon):
        """Sum over m of the probability that the m-th purchase to come falls into the horizon.

        Terms beyond the 48th are taken together by Gauss-Legendre: a sum is the integral over half
        a step more on either side, and a 24th of the slope at its start (Euler and Maclaurin).
        """
        r, alpha, a, b = (params[name] for name in self.names)
        phases = self.weights(params, x, t_x, T)[1]
        phases = np.exp(phases - logsumexp(phases, axis=0))
        share = horizon / (alpha + T + horizon)
        last = (r + self.k * x + self.k + TAIL * np.sqrt(r + self.k * x + self.k) + TAIL) * (
            horizon / (alpha + T) + 1
        )
        reach = np.maximum(last / self.k, DIRECT + 1.5)
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        nodes = np.concatenate([(nodes + 1) / 2 + panel for panel in range(PANELS)]) / PANELS
        weights = np.tile(weights, PANELS) / 2 / PANELS
        span = np.log(reach / (DIRECT + 0.5))
        far = (DIRECT + 0.5) * np.exp(nodes[:, None] * span)
        m = np.concatenate([np.tile(np.arange(1.0, DIRECT + 2)[:, None], len(x)), far])
        near = np.ones((DIRECT + 1, len(x)))
        near[-2:] = [[23 / 24], [1 / 24]]
        count = np.concatenate([near, weights[:, None] * span * far]) * np.exp(
            betaln(a, b + x + m) - betaln(a, b + x + 1)
        )
        total = 0.0
        for j in range(self.k):
            total = total + phases[j] * (
                count * betainc(self.k * m - j, r + self.k * x + j, share)
            ).sum(axis=0)
        return total

    def distribution(self, x, t_x, T, horizon, up_to):
        self.check_up_to(up_to)
        params = self.require_params()
        rows, at = distinct_rows(x, t_x, T, horizon)
        x, t_x, T, horizon = (v[:, None] for v in rows)
        r, alpha, a, b = (params[name] for name in self.names)
        alive = expit(-self.log_odds_left(params, x, t_x, T))
        phases = self.weights(params, x, t_x, T)[1]
        phases = np.exp(phases - logsumexp(phases, axis=0))
        m, share = np.arange(up_to + 2), horizon / (alpha + T + horizon)
        norm = betaln(a, b + x + 1)
        stays = np.exp(betaln(a, b + x + 1 + m[:-1]) - norm)
        leaves = np.exp(betaln(a + 1, b + x + np.maximum(m[:-1], 1)) - norm) * (m[:-1] > 0)
        values = 0.0
        for j in range(self.k):
            events = np.maximum(self.k * m - j, 0.5)
            reached = np.where(m > 0, betainc(events, r + self.k * x + j, share), 1.0)
            exactly = reached[:, :-1] - reached[:, 1:]
            values = values + phases[j] * (stays * exactly + leaves * reached[:, :-1])
        values = alive * values
        values[:, :1] += 1 - alive
        return values[at]

    def discounted(self, x, t_x, T, horizon, force):
        params = self.require_params()
        rows, at = distinct_rows(x, t_x, T)
        alive = expit(-self.log_odds_left(params, *rows))
        total = 0.0
        start = params["alpha"] + rows[2].min()
        for time, weight in zip(*discount_nodes(start, horizon, force), strict=True):
            total = total + weight * self.if_active(params, *rows, time + 0 * rows[0])
        return (alive * total)[at]

    def draw_future(self, params, x, t_x, T, horizon, rng):
        r, alpha, a, b = (params[name] for name in self.names)
        left, phases = self.weights(params, x, t_x, T)
        whole = logsumexp(phases, axis=0)
        active = rng.random(whole.shape) < expit(whole - left)
        cells = np.flatnonzero(active)
        chance = np.exp(phases - whole).reshape(self.k, -1)[:, cells].cumsum(axis=0)
        phase = (rng.random(len(cells)) > chance[:-1]).sum(axis=0)
        r, alpha, a, b, x, T = (
            np.broadcast_to(v, whole.shape).ravel()[cells] for v in (r, alpha, a, b, x, T)
        )
        kinds = {
            "rate": rng.standard_gamma(r + self.k * x + phase) / (alpha + T),
            "dropout": rng.beta(a, b + x + 1),
            "phase": phase,
        }
        for who, when, _ in self.run(kinds, horizon, rng):
            yield cells[who], when

    def run(self, kinds, until, rng):
        until = np.where(kinds.get("stays", True), until, -1.0)
        first = self.k - kinds.get("phase", 0)
        return purchases_ahead(
            kinds["rate"], kinds["dropout"], until, rng, shape=self.k, first_shape=first
        )


def regular_log_likelihood(params, rows, k, *, value_only=False):
    """Value, gradient and Hessian by r, alpha, a, b, without the constant in k and the gaps."""
    r, alpha, a, b = params
    x, t_x, T, n = rows.x[rows.x_at], rows.t_x[rows.t_x_at], rows.T[rows.T_at], rows.n
    size, total = r + k * x, float(rows.customers)
    log_T = np.log(alpha + T)
    common = (
        gammaln(size)
        - gammaln(r)
        + r * np.log(alpha)
        - size * log_T
        + betaln(a, b + x + 1)
        - betaln(a, b)
    )
    wait = log_T - np.log(alpha + t_x)
    j = np.arange(k)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(j > 0, j * (np.log(T - t_x) - log_T), 0.0)
    phases = step - gammaln(j + 1) + gammaln(size + j) - gammaln(size)
    terms = np.concatenate([phases, [np.log(a / (b + x)) + size * wait]])
    whole = logsumexp(terms, axis=0)
    value = n @ (common + whole)
    if value_only:
        return value
    share = np.exp(terms - whole)
    inv_T, inv_t = 1 / (alpha + T), 1 / (alpha + t_x)
    slopes = np.zeros((4, k + 1, len(x)))
    slopes[0] = np.concatenate([digamma(size + j) - digamma(size), [wait]])
    slopes[1] = np.concatenate([-j * inv_T, [size * (inv_T - inv_t)]])
    slopes[2, k], slopes[3, k] = 1 / a, -1 / (b + x)
    mean = np.einsum("jn,ijn->in", share, slopes)
    away = slopes - mean[:, None]
    ab, b_x = a + b, b + x + 1
    gradient = np.array(
        [
            n @ (digamma(size) + np.log(alpha) - log_T) - total * digamma(r),
            total * r / alpha - n @ (size * inv_T),
            total * digamma(ab) - n @ digamma(a + b_x),
            total * (digamma(ab) - digamma(b)) + n @ (digamma(b_x) - digamma(a + b_x)),
        ]
    )
    hessian = np.zeros((4, 4))
    hessian[0, 0] = n @ zeta(2, size) - total * zeta(2, r)
    hessian[0, 1] = hessian[1, 0] = total / alpha - n @ inv_T
    hessian[1, 1] = n @ (size * inv_T**2) - total * r / alpha**2
    hessian[2:, 2:] = total * zeta(2, ab) - n @ zeta(2, a + b_x)
    hessian[3, 3] += n @ zeta(2, b_x) - total * zeta(2, b)
    hessian += np.einsum("jn,ajn,bjn->ab", share * n, away, away)
    left = share[k] * n
    hessian[0, 0] += ((share[:k] * n) * (zeta(2, size + j) - zeta(2, size))).sum()
    hessian[1, 1] += ((share[:k] * n) * j).sum(axis=0) @ inv_T**2
    hessian[0, 1] += left @ (inv_T - inv_t)
    hessian[1, 0] = hessian[0, 1]
    hessian[1, 1] += left @ (size * (inv_t**2 - inv_T**2))
    hessian[2, 2] -= left.sum() / a**2
    hessian[3, 3] += left @ (b + x) ** -2.0
    return value, gradient + mean @ n, hessian


def log_gaps(transactions: pd.DataFrame, *, unit: str = "W", until=None) -> pd.Series:
    """Sum of the logarithms of each customer's times between purchases, for ``RegularBetaGeo``.

    Parameters
    ----------
    transactions : DataFrame
        As for ``summarize``.
    unit : {"W", "week", "D", "M"}
        The unit of the summary; purchases are merged as there.
    until : date, optional
        The last day that counts: ``calibration_until`` or ``until`` of the summary.

    Returns
    -------
    Series
        Indexed by customer_id, sorted; 0 without a repeat purchase. Join it to the summary:
        ``summary.assign(log_gaps=log_gaps(transactions))``.

    Examples
    --------
    >>> purchases = pd.DataFrame({
    ...     "customer_id": ["anna", "anna", "anna", "ben"],
    ...     "ordered_at": pd.to_datetime(["2025-01-01", "2025-01-08", "2025-01-22", "2025-01-15"]),
    ...     "amount": [50.0, 30.0, 40.0, 25.0],
    ... })
    >>> log_gaps(purchases).round(3).to_dict()
    {'anna': 0.693, 'ben': 0.0}
    """
    chosen = check_choices(unit)
    frame = plain_frame(transactions)
    days = (frame["ordered_at"].dt.normalize() - pd.Timestamp(EPOCH)).dt.days
    if until is not None:
        kept = days <= (to_day(until, "until") - EPOCH).days
        frame, days = frame[kept], days[kept]
    table = pd.DataFrame(
        {"customer_id": frame["customer_id"].astype(str), "at": days // chosen.period_days}
    )
    table = table.drop_duplicates().sort_values(["customer_id", "at"], ignore_index=True)
    gap = table.groupby("customer_id")["at"].diff() / chosen.periods_per_unit
    return np.log(gap.fillna(1.0)).groupby(table["customer_id"]).sum().rename("log_gaps")
