"""What every model of repeat purchases does alike, whatever it believes of rates and leaving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import expit

from cxlib.clv.fitted import FittedModel
from cxlib.clv.histories import Collapsed, collapse, distinct_rows, read_histories
from cxlib.clv.summary import unit_of
from cxlib.errors import CxError

__all__ = ["PurchaseModel"]

FEWEST_CUSTOMERS = 4
DIGITS = 12
MOST_NODES = 120


@dataclass(frozen=True, eq=False)
class PurchaseModel(FittedModel):
    """Repeat purchases of customers who leave unseen: fit, expectations, simulation.

    A model states its likelihood (value, gradient, Hessian), starts, and, for arrays of one
    length: ``log_odds_left``, and of a customer active at T ``purchases_if_active`` and
    ``distribution_if_active``; ``draw_kinds`` and ``run`` say how its customers behave.
    """

    steps_are_whole: ClassVar[bool] = False

    def fit(self, summary: pd.DataFrame, *, prior=None):
        """Maximum likelihood from several starts, with the exact gradient and Hessian.

        Equal histories are merged first, so that the cost does not grow with customers.

        Parameters
        ----------
        summary : DataFrame
            Columns frequency, recency, T and, optionally, n = customers sharing the row.
        prior : None, "weak" or mapping, optional
            Normal priors on the logarithms of the parameters (shares: on the logit), for few data:
            ``{"r": (0.5, 1.5)}`` says median 0.5 and standard deviation 1.5 on that scale; names
            are those of ``scales``. The fit is then the posterior mode. ``"weak"`` puts one on
            each parameter, worth less than a handful of customers.

        Returns
        -------
        PurchaseModel
            A new, fitted model of the same class. Where the data leave a parameter at its bound,
            ``at_boundary`` is True, ``boundary_note`` says what it means, and the errors hold that
            parameter fixed.

        Raises
        ------
        CxError
            Broken rows, fewer than four customers, or nobody who bought twice.
        """
        rows, unit, customers = self.learn_from(summary)
        return self.search(rows, self.starts(rows), unit, customers, prior)

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
        rows = self.read(summary)[:3]
        horizon = self.check_horizon(horizon, len(summary))
        values = self.expected(*rows, horizon)
        return pd.Series(values, summary.index, name="expected_purchases")

    def expected_newcomer_purchases(self, age) -> np.ndarray:
        """Expected repeat purchases of a newcomer in the ``age`` units after the first purchase."""
        age = np.atleast_1d(np.asarray(age, float))
        zero = np.zeros_like(age)
        return self.expected(zero, zero, zero, self.check_horizon(age, len(age)))

    def p_alive(self, summary: pd.DataFrame) -> pd.Series:
        """Probability that a customer is still active at T, given the history."""
        x, t_x, T, _ = self.read(summary)
        params = self.require_params()
        rows, at = distinct_rows(x, t_x, T)
        values = expit(-self.log_odds_left(params, *rows))[at]
        return pd.Series(values, summary.index, name="p_alive")

    def purchase_distribution(self, summary: pd.DataFrame, horizon, up_to: int = 10):
        """Probability of 0, 1, ..., ``up_to`` purchases in the next ``horizon`` units of time.

        Returns
        -------
        DataFrame
            Indexed as the summary, one column a count; what is missing to 1 lies beyond.
        """
        x, t_x, T, _ = self.read(summary)
        values = self.distribution(x, t_x, T, self.check_horizon(horizon, len(x)), up_to)
        return pd.DataFrame(values, summary.index, pd.RangeIndex(up_to + 1, name="purchases"))

    def newcomer_distribution(self, age: float, up_to: int = 10) -> pd.Series:
        """Probability of 0, 1, ..., ``up_to`` repeat purchases of a newcomer up to ``age``."""
        zero = np.zeros(1)
        values = self.distribution(zero, zero, zero, self.check_horizon(age, 1), up_to)[0]
        return pd.Series(values, pd.RangeIndex(up_to + 1, name="purchases"), name="probability")

    def discounted_purchases(
        self,
        summary: pd.DataFrame,
        discount_rate: float,
        *,
        horizon: float = np.inf,
        unit: str | None = None,
    ) -> pd.Series:
        """Expected purchases to come, each weighted by (1 + discount_rate)^(-years to it).

        With the infinite horizon, the default, these are the discounted expected residual
        transactions (DERT) of Fader, Hardie & Lee (2005), doi:10.1509/jmkr.2005.42.4.415.

        Parameters
        ----------
        summary : DataFrame
            Columns frequency, recency, T.
        discount_rate : float
            Yearly, such as 0.1; above 0 where the horizon is infinite.
        horizon : float
            In the unit of T.
        unit : {"W", "week", "D", "M"}, optional
            Unit of time, where the summary does not carry it.
        """
        x, t_x, T, _ = self.read(summary)
        self.check_discount(discount_rate, horizon)
        force = np.log1p(discount_rate) / unit_of(summary, unit).per_year
        values = self.discounted(x, t_x, T, horizon, force)
        return pd.Series(values, summary.index, name="discounted_purchases")

    def simulate(
        self,
        T,
        *,
        customers: int | None = None,
        horizon: float = 0.0,
        seed: int = 1,
        params: dict | None = None,
    ) -> pd.DataFrame:
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
        params : dict, optional
            Instead of the model's own; arrays give each customer their own.

        Returns
        -------
        DataFrame
            frequency, recency, T, log_gaps (sum of the logarithms of the times between
            purchases), holdout_frequency, holdout_duration, and the truth: what kind
            of customer each is, and alive (at T).

        Examples
        --------
        >>> from cxlib.clv import BetaGeo
        >>> model = BetaGeo({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426})
        >>> model.simulate(39.0, customers=3, seed=1)[["frequency", "T", "alive"]].shape
        (3, 3)
        """
        T = np.broadcast_to(np.asarray(T, float), (customers,) if customers else np.shape(T))
        if T.ndim != 1 or not np.isfinite(T).all() or (T < 0).any():
            raise CxError("T must hold finite times >= 0; for a single T say customers=, too.")
        self.check_horizon(T, len(T))
        rng = np.random.default_rng(seed)
        kinds = self.draw_kinds(params or self.require_params(), T.shape, rng)
        frequency, later = np.zeros(T.size, int), np.zeros(T.size, int)
        recency, gaps = np.zeros(T.size), np.zeros(T.size)
        alive = self.alive_at_first(kinds, T)
        for who, when, stays in self.run(kinds, T + horizon, rng):
            past = when <= T[who]
            frequency[who] += past
            later[who] += ~past
            gaps[who[past]] += np.log(when[past] - recency[who[past]])
            recency[who[past]] = when[past]
            alive[who[past]] &= stays[past]
        return pd.DataFrame(
            {
                "frequency": frequency,
                "recency": recency,
                "T": T,
                "log_gaps": gaps,
                "holdout_frequency": later,
                "holdout_duration": float(horizon),
                **{name: kinds[name] for name in self.kinds},
                "alive": alive,
            },
        ).rename_axis("customer_id")

    def draw_future(self, params, x, t_x, T, horizon: float, rng: np.random.Generator):
        """Purchases in (T, T + horizon] drawn from the posterior of each customer, in rounds.

        ``params`` and x, t_x, T broadcast. Yields (cell, time) arrays: the flat cells that buy
        their next purchase, and when, in time since T.
        """
        first, *_ = params.values()
        shape = np.broadcast_shapes(np.shape(first), np.shape(x))
        active = rng.random(shape) < expit(-self.rough_log_odds_left(params, x, t_x, T))
        cells = np.flatnonzero(active)
        *values, x, T = (np.broadcast_to(v, shape).ravel()[cells] for v in (*params.values(), x, T))
        own = self.given_active(dict(zip(self.names, values, strict=True)), x, T)
        kinds = self.draw_kinds(own, x.shape, rng, active=True)
        for who, when, _ in self.run(kinds, horizon, rng):
            yield cells[who], when

    def draw_newcomers(self, params, until, rng: np.random.Generator):
        """Repeat purchases of newcomers up to age ``until``, in rounds as ``draw_future``."""
        first, *_ = params.values()
        shape = np.broadcast_shapes(np.shape(first), np.shape(until))
        *values, until = (np.broadcast_to(v, shape).ravel() for v in (*params.values(), until))
        own = dict(zip(self.names, values, strict=True))
        for who, when, _ in self.run(self.draw_kinds(own, until.shape, rng), until, rng):
            yield who, when

    @classmethod
    def rough_log_odds_left(cls, params, x, t_x, T) -> np.ndarray:
        """``log_odds_left`` to the six digits that a simulation needs."""
        return cls.log_odds_left(params, x, t_x, T)

    def params_for(self, params, summary):
        """Drawn parameters as they hold for the rows of ``summary``: here the same for all."""
        return params

    def learn_from(self, summary) -> tuple[Collapsed, float, int]:
        """Distinct histories, the unit that relative parameters count from, and customers."""
        rows = collapse(*self.read(summary))
        check_enough(rows, len(self.names))
        return rows, rows.mean_T, rows.customers

    def read(self, summary) -> tuple[np.ndarray, ...]:
        return read_histories(summary)

    def alive_at_first(self, kinds, T) -> np.ndarray:
        return np.ones(T.size, bool)

    def expected(self, x, t_x, T, horizon) -> np.ndarray:
        params = self.require_params()
        if np.ptp(horizon) == 0:
            return self.of_active(
                x, t_x, T, lambda x, T: self.purchases_if_active(params, x, T, horizon[0] + 0 * x)
            )
        rows, at = distinct_rows(x, t_x, T, horizon)
        odds = self.log_odds_left(params, *rows[:3])
        x, _, T, horizon = rows
        return (self.purchases_if_active(params, x, T, horizon) * expit(-odds))[at]

    def of_active(self, x, t_x, T, quantity) -> np.ndarray:
        """P(alive) times a quantity of x and T, each taken once for equal rows."""
        (x, t_x, T), at = distinct_rows(x, t_x, T)
        pairs, pair_at = distinct_rows(x, T)
        odds = self.log_odds_left(self.require_params(), x, t_x, T)
        return (quantity(*pairs)[pair_at] * expit(-odds))[at]

    def distribution(self, x, t_x, T, horizon, up_to) -> np.ndarray:
        self.check_up_to(up_to)
        params = self.require_params()
        rows, at = distinct_rows(x, t_x, T, horizon)
        x, t_x, T, horizon = rows
        alive = expit(-self.log_odds_left(params, x, t_x, T))
        own = self.given_active(params, x, T)
        values = alive[:, None] * self.distribution_if_active(own, horizon, up_to)
        values[:, 0] += 1 - alive
        return values[at]

    def discounted(self, x, t_x, T, horizon, force) -> np.ndarray:
        """Discounted expected purchases by continuous ``force`` per unit of time."""
        params = self.require_params()
        return self.of_active(
            x, t_x, T, lambda x, T: self.discounted_if_active(params, x, T, horizon, force)
        )

    @classmethod
    def discounted_if_active(cls, params, x, T, horizon, force) -> np.ndarray:
        """The integral of e^(-force s) dE(s), E the expected purchases up to s."""
        times, weights = discount_nodes(np.min(params["alpha"] + T), horizon, force)
        return sum(
            weight * cls.purchases_if_active(params, x, T, time + 0 * x)
            for time, weight in zip(times, weights, strict=True)
        )

    @staticmethod
    def check_up_to(up_to) -> None:
        if not (isinstance(up_to, (int, np.integer)) and up_to >= 0):
            raise CxError(f"up_to must be a whole number >= 0, not {up_to!r}")

    @classmethod
    def check_discount(cls, discount_rate, horizon) -> None:
        if not (np.isfinite(discount_rate) and discount_rate >= 0):
            raise CxError(f"discount_rate must be a yearly rate >= 0, not {discount_rate!r}")
        if horizon == np.inf and discount_rate == 0:
            raise CxError("Without discount the purchases of all time add up to no finite number.")
        if horizon != np.inf:
            cls.check_horizon(horizon, 1)

    @classmethod
    def check_horizon(cls, horizon, rows: int) -> np.ndarray:
        values = np.asarray(horizon, float)
        fits = values.shape in {(), (1,), (rows,)}
        if not (fits and (np.isfinite(values) & (values >= 0)).all()):
            raise CxError(
                f"horizon must be a finite time >= 0, one number or one a customer, not {horizon!r}"
            )
        if cls.steps_are_whole and (values % 1 != 0).any():
            raise CxError(f"{cls.label} counts opportunities: {horizon!r} is no whole number.")
        return np.broadcast_to(values, (rows,))


def discount_nodes(start: float, horizon: float, force: float):
    """Times and weights that sum E, the expected purchases up to a time, to their discounted value.

    The integral of e^(-force s) dE(s), by parts: Gauss-Legendre in the square root of time, where
    expectations bend least; what comes after discounting has shrunk it by e^-40 is left out.
    ``start`` is the least of alpha + T.
    """
    if force == 0:
        return np.array([horizon]), np.array([1.0])
    reach = min(horizon, 40 / force)
    if reach == 0:
        return np.zeros(1), np.zeros(1)
    nodes, weights = np.polynomial.legendre.leggauss(
        nodes_needed(2 * np.sqrt(start / reach), force * reach)
    )
    roots = (nodes + 1) / 2
    times, weights = reach * roots**2, reach * roots * weights * force
    times, weights = np.append(times, reach), np.append(weights, 1.0)
    return times, weights * np.exp(-force * times)


def nodes_needed(distance: float, decay: float) -> int:
    """Nodes on [-1, 1] for a singularity at -1 + i distance, and a factor e^-decay on the way."""
    corner = complex(-1, distance)
    root = np.sqrt(corner**2 - 1)
    rho = max(abs(corner + root), abs(corner - root))
    return int(min(MOST_NODES, 4 + np.ceil(DIGITS * np.log(10) / 2 / np.log(rho) + decay / 2)))


def check_enough(rows: Collapsed, parameters: int) -> None:
    if rows.customers < FEWEST_CUSTOMERS:
        raise CxError(
            f"{rows.customers} customer{'s' * (rows.customers != 1)} cannot teach a model of "
            f"{parameters} parameters: at least {FEWEST_CUSTOMERS} are needed, some hundreds make "
            "it useful."
        )
    if rows.purchases == 0:
        raise CxError(
            f"All {rows.customers:,} customers are one-time buyers: without a single repeat "
            "purchase nothing can be learnt about rates or leaving. Is the time observed too "
            "short, does every order carry a new customer_id, or was frequency counted wrongly?"
        )
