"""What every fitted model has: parameters, their covariance, a likelihood, a word on bounds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pandas as pd

from cxlib.clv.maximize import Optimum, covariance_of
from cxlib.errors import CxError, CxWarning, Problem

__all__ = ["FittedModel", "Scale"]


@dataclass(frozen=True)
class Scale:
    """A working parameter: its bounds, and what it means for the data to push it there."""

    name: str
    low: float
    high: float
    at_low: str
    at_high: str


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
    """

    names: ClassVar[tuple[str, ...]]
    label: ClassVar[str]

    params: Mapping[str, float] | None = None
    covariance: pd.DataFrame | None = field(default=None, repr=False)
    log_likelihood: float | None = None
    customers: int = 0
    at_boundary: bool = False
    boundary_note: str = field(default="", repr=False)

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

    def fitted(self, params, optimum: Optimum, jacobian, scales, customers, stacklevel=3):
        """The model of an optimum, with a CxWarning where a parameter is at its bound."""
        notes = [
            f"{scale.name} is at its bound: {scale.at_low if side < 0 else scale.at_high}."
            for scale, side in zip(scales, optimum.stuck, strict=True)
            if side
        ]
        covariance = covariance_of(optimum, jacobian)
        if np.isnan(covariance).any():
            notes.append("The likelihood has no peak: standard errors cannot be given.")
        if not (optimum.converged or optimum.stuck.any()):
            notes.append("The search did not settle.")
        note = ""
        if notes:
            note = f"{self.label} at the boundary: {' '.join(notes)}"
            warnings.warn(note, CxWarning, stacklevel=stacklevel)
        return type(self)(
            params=dict(zip(self.names, params, strict=True)),
            covariance=pd.DataFrame(covariance, self.names, self.names),
            log_likelihood=float(optimum.value),
            customers=customers,
            at_boundary=bool(notes),
            boundary_note=note,
        )
