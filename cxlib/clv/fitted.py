"""What every fitted model has: parameters, their covariance, a likelihood, a word on bounds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial
from statistics import NormalDist
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from cxlib.clv.maximize import Optimum, covariance_of, maximize, to_working
from cxlib.errors import CxError, CxWarning, Problem

__all__ = ["FittedModel", "Scale", "beta_pair", "beta_pair_alone", "exponentials"]


@dataclass(frozen=True)
class Scale:
    """A working parameter, a logarithm or (of a share) a logit.

    Its bounds, what it means for the data to push it there, and centre and standard deviation of
    its weak prior. ``relative``: bounds and centre count from the logarithm of the unit of the
    data, such as their mean T. ``offset`` is taken off before the logarithm.
    """

    name: str
    low: float
    high: float
    at_low: str
    at_high: str
    centre: float = 0.0
    spread: float = 1.5
    relative: bool = False
    share: bool = False
    offset: float = 0.0

    def working(self, value: float) -> float:
        return logit(value) if self.share else np.log(value - self.offset)

    def natural(self, at: float) -> float:
        return float(expit(at) if self.share else np.exp(at) + self.offset)


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A model with its parameters; ``fit`` returns a new one and leaves this one as it was.

    Parameters
    ----------
    params : mapping, optional
        Parameters by name, on the natural scale. Given by hand, the model predicts from them as
        if they were known without error.

    Attributes
    ----------
    covariance : DataFrame or None
        Of the estimates, natural scale, in the order of ``params``; from the exact Hessian.
    log_likelihood : float or None
    customers : int
        Customers it was fitted to.
    at_boundary : bool
        Whether the data leave a parameter at its bound; ``boundary_note`` says what that means.
    prior : mapping or None
        Median and spread of the priors it was fitted with; ``log_likelihood`` is without them.
    posterior_draws : ndarray (parameters, draws) or None
        What ``posterior`` drew; intervals then come from these instead of the covariance.
    """

    names: ClassVar[tuple[str, ...]]
    label: ClassVar[str]
    scales: ClassVar[tuple[Scale, ...]]
    tied: ClassVar[dict[int, int]]

    params: Mapping[str, float] | None = None
    covariance: pd.DataFrame | None = field(default=None, repr=False)
    log_likelihood: float | None = None
    customers: int = 0
    at_boundary: bool = False
    boundary_note: str = field(default="", repr=False)
    prior: Mapping[str, tuple[float, float]] | None = field(default=None, repr=False)
    posterior_draws: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self):
        if self.params is None:
            return
        problems = []
        if set(self.params) != set(self.names):
            problems.append(
                Problem(f"parameters {', '.join(self.params)}", allowed=", ".join(self.names))
            )
        problems += [
            Problem(f"parameter {name} = {value!r}", allowed="a finite number above 0")
            for name, value in self.params.items()
            if not (np.isfinite(value) and value > 0)
        ]
        if problems:
            raise CxError(f"These are no {self.label} parameters.", problems)
        ordered = {name: float(self.params[name]) for name in self.names}
        object.__setattr__(self, "params", MappingProxyType(ordered))

    @property
    def parameters(self) -> int:
        """How many numbers the data chose."""
        return len(self.names)

    @property
    def standard_errors(self) -> pd.Series:
        """Square roots of the covariance's diagonal; 0 for a parameter held at its bound."""
        self.require_covariance()
        return pd.Series(np.sqrt(np.diag(self.covariance)), self.names, name="standard_error")

    def to_frame(self, level: float = 0.95) -> pd.DataFrame:
        """Estimate, standard error, low and high of each parameter.

        The interval is Wald's on the logarithmic scale, so that it stays above 0.
        """
        values, errors = pd.Series(self.require_params()), self.standard_errors
        reach = np.exp(NormalDist().inv_cdf((1 + level) / 2) * errors / values)
        return pd.DataFrame(
            {
                "estimate": values,
                "standard_error": errors,
                "low": values / reach,
                "high": values * reach,
            }
        ).rename_axis("parameter")

    def summary(self) -> str:
        """One sentence: parameters, standard errors, likelihood, and a bound if there is one."""
        values = self.require_params()
        if self.covariance is None:
            text = ", ".join(f"{name} = {value:.4g}" for name, value in values.items())
            return f"{self.label} with given parameters {text}, taken as known without error."
        text = ", ".join(
            f"{name} = {value:.4g} (standard error {error:.2g})"
            for (name, value), error in zip(values.items(), self.standard_errors, strict=True)
        )
        note = f" {self.boundary_note}" if self.at_boundary else ""
        return (
            f"{self.label} fitted to {self.customers:,} customers: {text}; "
            f"log-likelihood {self.log_likelihood:.2f}.{note}"
        )

    def require_params(self) -> Mapping[str, float]:
        if self.params is None:
            name = type(self).__name__
            raise CxError(
                f"This {name} is not fitted. fit returns the fitted model: "
                f"model = cxlib.clv.{name}().fit(summary)."
            )
        return self.params

    def require_covariance(self) -> pd.DataFrame:
        self.require_params()
        if self.covariance is None:
            raise CxError(f"The parameters of this {self.label} were given, not fitted: no errors.")
        return self.covariance

    def search(self, rows, starts, unit, customers, prior, stacklevel=4):
        """The model of the highest likelihood, or posterior density, found from ``starts``.

        ``rows.sample()`` gives a smaller set to start from, or None. A CxWarning tells where a
        parameter is at its bound.
        """
        shift, low, high = self.bounds_at(unit)
        centre, precision, named = self.read_prior(prior, shift)
        samples = [rows]
        while (smaller := samples[0].sample()) is not None:
            samples.insert(0, smaller)

        def objective_of(sample):
            if named is None:
                return partial(self.working_likelihood, rows=sample)

            def objective(theta, *, value_only=False):
                distance = theta - centre
                away = precision * distance
                penalty = away @ distance / 2
                if value_only:
                    return self.working_likelihood(theta, sample, value_only=True) - penalty
                value, gradient, hessian = self.working_likelihood(theta, sample)
                return value - penalty, gradient - away, hessian - np.diag(precision)

            return objective

        optimum = maximize([objective_of(s) for s in samples], starts, low, high, tied=self.tied)
        away = optimum.theta - centre
        likelihood = optimum.value + precision @ away**2 / 2
        return self.fitted(optimum, likelihood, customers, named, stacklevel)

    def log_posterior(self, summary, prior):
        """Log posterior density of working parameters, their bounds and prior variances."""
        rows, unit, _ = self.learn_from(summary)
        shift, low, high = self.bounds_at(unit)
        centre, precision, _ = self.read_prior(prior, shift)

        def density(theta):
            value = self.rough_likelihood(theta, rows)
            return value - precision @ (theta - centre) ** 2 / 2

        return density, low, high, 1 / precision

    def working_likelihood(self, theta, rows, *, value_only=False):
        """Log-likelihood of working parameters: value, or value, gradient and Hessian."""
        if value_only:
            return self.likelihood(self.from_theta(theta), rows, value_only=True)
        params, jacobian, curvature = self.to_natural(theta)
        value, *slopes = self.likelihood(params, rows)
        return value, *to_working(*slopes, jacobian, curvature)

    def rough_likelihood(self, theta, rows) -> float:
        """Log-likelihood of working parameters, as exactly as drawing from it needs."""
        return self.working_likelihood(theta, rows, value_only=True)

    def bounds_at(self, unit):
        """Logarithm of the unit where it counts, and the bounds of the working parameters."""
        shift = np.log(unit) * np.array([scale.relative for scale in self.scales])
        low, high = (
            shift + [getattr(scale, side) for scale in self.scales] for side in ("low", "high")
        )
        return shift, low, high

    def read_prior(self, prior, shift):
        """Centre and precision of each working parameter, and the prior in words to keep."""
        names = [scale.name for scale in self.scales]
        if prior is None:
            return np.zeros(len(names)), np.zeros(len(names)), None
        if prior == "weak":
            centre = shift + [scale.centre for scale in self.scales]
            spread = np.array([scale.spread for scale in self.scales])
            medians = [s.natural(at) for s, at in zip(self.scales, centre, strict=True)]
            pairs = zip(medians, map(float, spread), strict=True)
            return centre, spread**-2, dict(zip(names, pairs, strict=True))
        if not isinstance(prior, Mapping):
            raise CxError(f'prior must be None, "weak" or a mapping, not {prior!r}')
        problems = [
            Problem(f"prior of {name!r} is of no parameter", allowed=", ".join(names))
            for name in prior
            if name not in names
        ]
        centre, precision = np.zeros(len(names)), np.zeros(len(names))
        for i, scale in enumerate(self.scales):
            if scale.name not in prior:
                continue
            try:
                with np.errstate(all="ignore"):
                    median, spread = (float(value) for value in prior[scale.name])
                    centre[i], precision[i] = scale.working(median), spread**-2
            except (TypeError, ValueError, ZeroDivisionError):
                median = spread = np.nan
            if not (np.isfinite(centre[i]) and np.isfinite(spread) and spread > 0):
                problems.append(
                    Problem(
                        f"prior {scale.name!r} is {prior[scale.name]!r}",
                        allowed=f"(median {'in 0 to 1' if scale.share else 'above '}"
                        f"{'' if scale.share else f'{scale.offset:g}'}, spread above 0)",
                    )
                )
        if problems:
            raise CxError("The prior cannot be used.", problems)
        return centre, precision, dict(prior)

    def fitted(self, optimum: Optimum, log_likelihood, customers, prior, stacklevel):
        notes = [
            f"{scale.name} is at its bound: {scale.at_low if side < 0 else scale.at_high}."
            for scale, side in zip(self.scales, optimum.stuck, strict=True)
            if side
        ]
        params, jacobian, _ = self.to_natural(optimum.theta)
        covariance = covariance_of(optimum, jacobian)
        if np.isnan(covariance).any():
            notes.append("The likelihood has no peak: standard errors cannot be given.")
        if not (optimum.converged or optimum.stuck.any()):
            notes.append("The search did not settle.")
        note = ""
        if notes:
            note = f"{self.label} at the boundary: {' '.join(notes)}"
            warnings.warn(note, CxWarning, stacklevel=stacklevel)
        labels = labels_of(self.names)
        return replace(
            self,
            params=dict(zip(self.names, params.tolist(), strict=True)),
            covariance=pd.DataFrame(covariance, labels, labels),
            log_likelihood=float(log_likelihood),
            customers=customers,
            at_boundary=bool(notes),
            boundary_note=note,
            prior=prior,
            posterior_draws=None,
        )

    @classmethod
    def from_theta(cls, theta) -> np.ndarray:
        """Natural parameters alone; ``theta`` may hold many points, shape (parameters, points)."""
        return np.exp(theta)

    def theta_covariance(self) -> np.ndarray:
        """Covariance of the estimates on the working scale."""
        theta = self.to_theta(np.array(list(self.require_params().values())))
        slopes = np.linalg.inv(self.to_natural(theta)[1])
        return slopes @ self.require_covariance().to_numpy() @ slopes.T

    def draw_parameters(self, draws: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Parameters as uncertain as the fit leaves them, each of shape (draws,).

        Of the posterior where that was drawn, without repetition while it lasts; else normal on the
        working scale of logarithms and logits; constant if given, not fitted.
        """
        values = np.array(list(self.require_params().values()))
        if self.posterior_draws is not None:
            there = self.posterior_draws.shape[1]
            chosen = rng.choice(there, draws, replace=draws > there)
            return dict(zip(self.names, self.posterior_draws[:, chosen], strict=True))
        if self.covariance is None:
            return dict(zip(self.names, np.tile(values[:, None], draws), strict=True))
        theta, spread = self.to_theta(values), self.theta_covariance()
        drawn = rng.multivariate_normal(theta, spread, draws, method="svd", check_valid="ignore")
        return dict(zip(self.names, self.from_theta(drawn.T), strict=True))

    def at_draws(self, draws: int, rng: np.random.Generator) -> list:
        """This model once for each draw of its parameters."""
        drawn = self.draw_parameters(draws, rng)
        return [
            replace(self, params=dict(zip(drawn, row, strict=True)))
            for row in zip(*drawn.values(), strict=True)
        ]


@cache
def labels_of(names):
    return pd.Index(names)


def beta_pair_alone(logit_share, log_sum):
    """a, b of logit a/(a+b) and log(a+b)."""
    total = np.exp(log_sum)
    return expit(logit_share) * total, expit(-logit_share) * total


def exponentials(theta):
    """Natural parameters that are exponentials of the working ones, with both slopes."""
    scale = np.exp(theta)
    size = len(scale)
    jacobian, curvature = np.zeros((size, size)), np.zeros((size, size, size))
    jacobian.flat[:: size + 1] = scale
    curvature.flat[:: size * size + size + 1] = scale
    return scale, jacobian, curvature


def beta_pair(logit_share, log_sum):
    """a, b of logit a/(a+b) and log(a+b), with Jacobian (2, 2) and curvature (2, 2, 2)."""
    phi, psi, total = expit(logit_share), expit(-logit_share), np.exp(log_sum)
    a, b = phi * total, psi * total
    slope = phi * b
    bend = slope * (psi - phi)
    return (
        np.array([a, b]),
        np.array([[slope, a], [-slope, b]]),
        np.array([[[bend, slope], [slope, a]], [[-bend, -slope], [-slope, b]]]),
    )
