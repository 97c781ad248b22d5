"""Purchase models whose customers differ by what is known of them from the first day on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy.special import expit

from cxlib.clv.beta_geo import BetaGeo
from cxlib.clv.covariate_rows import (
    Coefficient,
    CovariateRows,
    beta_geo_rows,
    check_spread,
    pareto_rows,
    read_covariates,
    row_natural,
)
from cxlib.clv.fitted import FittedModel, Scale
from cxlib.clv.histories import collapse
from cxlib.clv.pareto_nbd import ParetoNBD
from cxlib.clv.purchase_model import PurchaseModel, check_enough
from cxlib.clv.summary import unit_of
from cxlib.errors import CxError

__all__ = ["CovariateModel", "with_covariates"]

RATE_AT = 1
REACH = 8.0


@dataclass(frozen=True, eq=False)
class CovariateModel(FittedModel):
    """A purchase model with covariates; made by ``with_covariates``, which says what it assumes.

    Attributes
    ----------
    base : BetaGeo, ModifiedBetaGeo or ParetoNBD
    rate, dropout : tuple of str
        Columns that act on buying and on leaving.
    params : mapping
        Those of the base where all covariates are 0, then ``rate:NAME`` and ``dropout:NAME``.
    """

    base: PurchaseModel = field(default_factory=BetaGeo)
    rate: tuple[str, ...] = ()
    dropout: tuple[str, ...] = ()
    centre: np.ndarray | None = field(default=None, repr=False)
    width: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self):
        if self.params is None:
            return
        own = self.base.names
        if set(self.params) != set(self.names):
            raise CxError(
                f"These are no parameters of {self.label}: {', '.join(self.params)}. "
                f"Allowed: {', '.join(self.names)}."
            )
        type(self.base)({name: self.params[name] for name in own})
        broken = [name for name in self.names if not np.isfinite(self.params[name])]
        if broken:
            raise CxError(f"Coefficients must be finite: {', '.join(broken)} is not.")
        ordered = {name: float(self.params[name]) for name in self.names}
        object.__setattr__(self, "params", MappingProxyType(ordered))

    @property
    def names(self) -> tuple[str, ...]:
        acting = [f"rate:{name}" for name in self.rate]
        return (*self.base.names, *acting, *(f"dropout:{name}" for name in self.dropout))

    @property
    def label(self) -> str:
        return f"{self.base.label} with covariates"

    @property
    def scales(self) -> tuple[Scale, ...]:
        own = tuple(
            Coefficient(
                name,
                -REACH,
                REACH,
                "its lower groups have no counterpart among the buyers",
                "its upper groups have no counterpart among the buyers",
                spread=1.0,
            )
            for name in self.names[len(self.base.names) :]
        )
        return self.base.scales + own

    @property
    def tied(self) -> dict[int, int]:
        return self.base.tied

    def fit(self, summary: pd.DataFrame, *, prior=None) -> CovariateModel:
        """Maximum likelihood, or the posterior mode under ``prior``.

        Parameters
        ----------
        summary : DataFrame
            Columns frequency, recency, T, the covariates and, optionally, n.
        prior : None, "weak" or mapping, optional
            As for ``BetaGeo.fit``, named by ``scales``; that of a coefficient is normal, its
            median and spread those of the effect of one standard deviation of the covariate, and
            those of alpha and the like hold for a customer of mean covariates.

        Raises
        ------
        CxError
            As ``BetaGeo.fit``; covariates missing, not finite, constant, or a combination of
            others.
        """
        fixed = self.standardised(summary)
        rows, unit, customers = fixed.learn_from(summary)
        plain = self.base.starts(collapse(rows.x, rows.t_x, rows.T, rows.n))
        starts = [np.append(start, np.zeros(len(self.rate) + len(self.dropout))) for start in plain]
        return fixed.search(rows, starts, unit, customers, prior)

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Estimate, standard error, low, high, and for coefficients the multiplier exp(estimate).

        Intervals are Wald's, of coefficients as they are, of the others on the logarithm.
        """
        values, errors = pd.Series(self.require_params()), self.standard_errors
        reach = NormalDist().inv_cdf((1 + level) / 2) * errors
        own = np.arange(len(values)) < len(self.base.names)
        factor = np.exp(np.where(own, reach / values, 0))
        return pd.DataFrame(
            {
                "estimate": values,
                "standard_error": errors,
                "low": np.where(own, values / factor, values - reach),
                "high": np.where(own, values * factor, values + reach),
                "multiplier": np.where(own, np.nan, np.exp(np.where(own, 0, values))),
            }
        ).rename_axis("parameter")

    def expected_purchases(self, summary: pd.DataFrame, horizon) -> pd.Series:
        """Expected purchases of each customer in the next ``horizon`` units of time."""
        x, t_x, T, _ = self.read(summary)
        own = self.params_for(self.require_params(), summary)
        horizon = self.base.check_horizon(horizon, len(summary))
        values = self.alive(own, x, t_x, T) * self.base.purchases_if_active(own, x, T, horizon)
        return pd.Series(values, summary.index, name="expected_purchases")

    def p_alive(self, summary: pd.DataFrame) -> pd.Series:
        """Probability that a customer is still active at T, given history and covariates."""
        own = self.params_for(self.require_params(), summary)
        values = self.alive(own, *self.read(summary)[:3])
        return pd.Series(values, summary.index, name="p_alive")

    def purchase_distribution(self, summary: pd.DataFrame, horizon, up_to: int = 10):
        """Probability of 0, 1, ..., ``up_to`` purchases in the next ``horizon`` units of time."""
        x, t_x, T, _ = self.read(summary)
        own = self.params_for(self.require_params(), summary)
        horizon = self.base.check_horizon(horizon, len(summary))
        alive = self.alive(own, x, t_x, T)
        active = self.base.given_active(own, x, T)
        values = alive[:, None] * self.base.distribution_if_active(active, horizon, up_to)
        values[:, 0] += 1 - alive
        return pd.DataFrame(values, summary.index, pd.RangeIndex(up_to + 1, name="purchases"))

    def discounted_purchases(
        self, summary, discount_rate: float, *, horizon: float = np.inf, unit: str | None = None
    ) -> pd.Series:
        """As ``BetaGeo.discounted_purchases``."""
        x, t_x, T, _ = self.read(summary)
        self.base.check_discount(discount_rate, horizon)
        own = self.params_for(self.require_params(), summary)
        force = np.log1p(discount_rate) / unit_of(summary, unit).per_year
        values = self.alive(own, x, t_x, T) * self.base.discounted_if_active(
            own, x, T, horizon, force
        )
        return pd.Series(values, summary.index, name="discounted_purchases")

    def simulate(self, T, covariates: pd.DataFrame, *, horizon: float = 0.0, seed: int = 1):
        """Customers drawn from the model, one a row of ``covariates``; as ``BetaGeo.simulate``."""
        own = self.params_for(self.require_params(), covariates)
        found = self.base.simulate(
            T, customers=len(covariates), horizon=horizon, seed=seed, params=own
        )
        found.index = covariates.index
        return found.join(covariates[list(dict.fromkeys(self.rate + self.dropout))])

    def draw_future(self, params, x, t_x, T, horizon, rng):
        """As the base does; parameters from ``params_for``."""
        return self.base.draw_future(params, x, t_x, T, horizon, rng)

    def params_for(self, params, summary) -> dict:
        """Parameters of the base for each row of ``summary``.

        Drawn ones, of shape (draws,), become (rows, draws).
        """
        rate, dropout = self.covariates_of(summary)
        own = {name: np.asarray(params[name], float) for name in self.base.names}
        drawn = own["r"].ndim > 0

        def shift(values, acting):
            whole = 0.0
            for name, column in zip(acting, values.T, strict=True):
                whole = whole + params[name] * (column[:, None] if drawn else column)
            return whole

        own["alpha"] = own["alpha"] * np.exp(-shift(rate, [f"rate:{n}" for n in self.rate]))
        leaving = shift(dropout, [f"dropout:{n}" for n in self.dropout])
        if "beta" in own:
            own["beta"] = own["beta"] * np.exp(-leaving)
        else:
            odds, total = own["a"] / own["b"] * np.exp(leaving), own["a"] + own["b"]
            own["a"], own["b"] = total * odds / (1 + odds), total / (1 + odds)
        return own

    def read(self, summary):
        return self.base.read(summary)

    def alive(self, own, x, t_x, T):
        return expit(-self.base.log_odds_left(own, x, t_x, T))

    def covariates_of(self, summary):
        """Columns of the covariates, shapes (rows, rate) and (rows, dropout), checked."""
        return read_covariates(summary, self.rate, self.dropout)

    def standardised(self, summary) -> CovariateModel:
        """This model with mean and spread of the covariates of ``summary``."""
        n = self.read(summary)[3]
        values = np.concatenate(self.covariates_of(summary), axis=1)
        if not n.any():
            raise CxError("0 customers cannot teach a model: every row is counted 0 times.")
        centre = n @ values / n.sum()
        width = np.sqrt(n @ (values - centre) ** 2 / n.sum())
        check_spread(values, centre, width, n, self.names[4:], len(self.rate))
        return replace(self, centre=centre, width=width)

    def learn_from(self, summary):
        fixed = self if self.centre is not None else self.standardised(summary)
        x, t_x, T, n = self.read(summary)
        z = (np.concatenate(self.covariates_of(summary), axis=1) - fixed.centre) / fixed.width
        table, at = np.unique(np.column_stack([x, t_x, T, z]), axis=0, return_inverse=True)
        n = np.bincount(at.ravel(), n, len(table))
        cut = 3 + len(self.rate)
        rows = CovariateRows(*table[:, :3].T, table[:, 3:cut], table[:, cut:], n)
        check_enough(rows, len(self.names))
        return rows, float(n @ rows.T) / rows.customers, rows.customers

    @property
    def leaving_at(self) -> int:
        """Which working parameter of the base the covariates on leaving move, and its sign."""
        return 3 if "beta" in self.base.names else 2

    def shifts(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each working parameter: which one of the base it moves, and in what direction."""
        size = len(self.base.names)
        at = [*range(size), *[RATE_AT] * len(self.rate), *[self.leaving_at] * len(self.dropout)]
        leaving = -1.0 if self.leaving_at == 3 else 1.0
        sign = [1.0] * size + [-1.0] * len(self.rate) + [leaving] * len(self.dropout)
        return np.array(at), np.array(sign)

    def to_raw(self) -> np.ndarray:
        """Matrix from working parameters at mean covariates to those at covariates of 0."""
        size = len(self.base.names)
        matrix = np.eye(len(self.names))
        at, sign = self.shifts()
        for j in range(size, len(self.names)):
            centre, width = self.centre[j - size], self.width[j - size]
            matrix[j, j] = 1 / width
            matrix[at[j], j] -= sign[j] * centre / width
        return matrix

    def to_theta(self, params):
        size = len(self.base.names)
        raw = np.append(self.base.to_theta(np.asarray(params[:size])), params[size:])
        return np.linalg.solve(self.to_raw(), raw)

    def from_theta(self, theta):
        raw = self.to_raw() @ theta
        size = len(self.base.names)
        return np.concatenate([self.base.from_theta(raw[:size]), raw[size:]])

    def to_natural(self, theta):
        raw, size = self.to_raw() @ theta, len(self.base.names)
        params, jacobian, _ = self.base.to_natural(raw[:size])
        whole = np.eye(len(raw))
        whole[:size, :size] = jacobian
        return np.append(params, raw[size:]), whole @ self.to_raw(), None

    def working_likelihood(self, theta, rows, *, value_only=False):
        """Value, gradient and Hessian by the working parameters, each row with its own."""
        size = len(self.base.names)
        at, sign = self.shifts()
        acting = np.ones((len(theta), len(rows.n)))
        acting[size:] = np.concatenate([rows.rate, rows.dropout], axis=1).T * sign[size:, None]
        own = np.zeros((size, len(rows.n)))
        np.add.at(own, at, theta[:, None] * acting)
        likelihood = self.row_likelihood(rows)
        if value_only:
            return rows.n @ likelihood(self.base.from_theta(own), value_only=True)
        params, jacobian, curvature = row_natural(own, pareto="beta" in self.base.names)
        value, gradient, hessian = likelihood(params)
        bent = np.einsum("ijn,ikn,kln->jln", jacobian, hessian, jacobian)
        bent += np.einsum("in,ijkn->jkn", gradient, curvature)
        slope = np.einsum("in,ijn->jn", gradient, jacobian)
        weighted = acting * rows.n
        return (
            rows.n @ value,
            (weighted * slope[at]).sum(axis=1),
            np.einsum("jn,ln,jln->jl", weighted, acting, bent[at][:, at]),
        )

    def row_likelihood(self, rows):
        history = (rows.x, rows.t_x, rows.T)
        if "beta" in self.base.names:
            return lambda params, **options: pareto_rows(params, *history, **options)
        first = self.base.leaves_at_first
        return lambda params, **options: beta_geo_rows(params, *history, first, **options)


def with_covariates(base: PurchaseModel, *, rate=(), dropout=(), params=None) -> CovariateModel:
    """BG/NBD, MBG/NBD or Pareto/NBD with time-invariant covariates on buying and leaving.

    Of a customer with covariates z, the mean rate of purchases is multiplied by exp(c z), and so
    are the odds of the mean probability of leaving after a purchase, a/b (BG/NBD, MBG/NBD; a + b
    stays), or the mean rate of leaving (Pareto/NBD)::

        alpha_i = alpha exp(-c z_i)
        logit(a_i/(a_i+b_i)) = logit(a/(a+b)) + d z_i      or      beta_i = beta exp(-d z_i)

    Gradient and Hessian are exact.

    Parameters
    ----------
    base : BetaGeo, ModifiedBetaGeo or ParetoNBD
        The kind of model, unfitted.
    rate, dropout : sequence of str
        Columns of the summary, numbers known at the first purchase and constant since. Code groups
        by 0 and 1. A covariate that records what came later (such as "bought the app") makes the
        model circular.
    params : mapping, optional
        Those of the base where all covariates are 0, then ``rate:NAME`` and ``dropout:NAME``, to
        predict from known parameters. Leave out to fit.

    Returns
    -------
    CovariateModel

    Raises
    ------
    CxError
        Another base, no covariates, or one named twice.

    References
    ----------
    Fader & Hardie (2007), Incorporating time-invariant covariates into the Pareto/NBD and BG/NBD
    models, http://www.brucehardie.com/notes/019/.

    Examples
    --------
    >>> truth = with_covariates(BetaGeo(), rate=["app"], params={
    ...     "r": 0.8, "alpha": 8.0, "a": 0.7, "b": 2.5, "rate:app": 0.5})
    >>> customers = truth.simulate(60.0, pd.DataFrame({"app": [0, 1] * 1500}), seed=1)
    >>> found = with_covariates(BetaGeo(), rate=["app"]).fit(customers)
    >>> bool(abs(found.params["rate:app"] - 0.5) < 0.2)
    True
    """
    if not isinstance(base, (BetaGeo, ParetoNBD)):
        raise CxError(
            "Covariates act in BetaGeo(), ModifiedBetaGeo() and ParetoNBD(), not in "
            f"{type(base).__name__}."
        )
    kinds = {"rate": rate, "dropout": dropout}
    for name, columns in kinds.items():
        if isinstance(columns, str) or len(set(columns)) != len(list(columns)):
            raise CxError(f"{name} must be a list of different columns, not {columns!r}")
    if not (list(rate) or list(dropout)):
        raise CxError("Name at least one covariate: rate=[...] or dropout=[...].")
    return CovariateModel(
        params=params, base=type(base)(), rate=tuple(rate), dropout=tuple(dropout)
    )
