"""Like with like: propensity weights, the balance they reach, and the effect they leave."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import expit

from cxlib.errors import CxError
from cxlib.stats.checks import check_choice, check_level, critical_value, groups, numbers, refuse
from cxlib.stats.interval import Difference
from cxlib.stats.survey import effective_n

__all__ = [
    "WeightedEffect",
    "balance_table",
    "covariate_frame",
    "fit_logit",
    "fit_propensity",
    "weighted_effect",
]

LARGEST_LOGIT = 25.0
LARGEST_SHARE = 0.8
FEW = 25.0
BALANCED = 0.1


def fit_logit(outcome, matrix, names) -> np.ndarray:
    """Coefficients of a logit by statsmodels; perfect separation raises CxError."""
    import warnings

    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError, PerfectSeparationWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # overflow on the way to separation
        warnings.simplefilter("error", PerfectSeparationWarning)
        try:
            fit = Logit(np.asarray(outcome, float), matrix).fit(
                disp=0, maxiter=100, warn_convergence=False
            )
            beta = np.asarray(fit.params)
            apart = not (fit.mle_retvals["converged"] and np.isfinite(beta).all())
        except (PerfectSeparationError, PerfectSeparationWarning, np.linalg.LinAlgError):
            apart, beta = True, None
    if apart or (np.abs(beta[1:]) * matrix[:, 1:].std(axis=0) > LARGEST_LOGIT).any():
        raise CxError(
            f"The columns {names[1:]} separate the two groups perfectly (or determine each "
            "other), so there is no like to compare with. Drop a column, merge groups, or "
            "restrict the comparison to where both groups occur."
        )
    return beta


def covariate_frame(covariates) -> pd.DataFrame:
    """Covariates as a frame of numbers, one column each, or CxError."""
    try:
        return pd.DataFrame(covariates).astype(float)
    except (TypeError, ValueError) as error:
        raise CxError(
            f"Covariates must be columns of numbers: {error}. Are some of them text? Make each "
            "word a column of 0 and 1."
        ) from error


def _prepared(treated, covariates):
    frame = covariate_frame(covariates)
    treated = numbers("treated", treated)
    if len(frame) != len(treated):
        raise CxError(f"One row of covariates a unit: {len(frame):,} for {len(treated):,}.")
    refuse(~np.isin(treated, (0, 1)), "treated holds other values than 0 and 1", "0 or 1")
    refuse(~np.isfinite(frame.to_numpy()), "covariates are missing or infinite", "finite numbers")
    if treated.min() == treated.max():
        side = "control" if treated.min() == 1 else "treated"
        raise CxError(f"There is no {side} unit among {len(treated):,}: nothing to compare with.")
    return frame, treated.astype(bool)


def fit_propensity(treated, covariates) -> np.ndarray:
    """Fitted probability of being treated (or of answering), by logistic regression.

    Parameters
    ----------
    treated : array_like
        0 or 1, both present.
    covariates : DataFrame or array_like
        One row a unit, numbers without missing values, no constant column.

    Raises
    ------
    CxError
        For missing values, one group only, or perfect separation.

    Examples
    --------
    >>> fit_propensity([0, 1, 0, 1, 1, 0], {"x": [0, 0, 0, 1, 1, 1]}).round(3)
    array([0.333, 0.333, 0.333, 0.667, 0.667, 0.667])
    """
    frame, treated = _prepared(treated, covariates)
    matrix = np.column_stack([np.ones(len(frame)), frame.to_numpy()])
    return expit(matrix @ fit_logit(treated, matrix, ["constant", *map(str, frame.columns)]))


def balance_table(treated, covariates, weights) -> pd.DataFrame:
    """Standardised differences of all covariates before and after weighting.

    ``(m1 - m0) / sqrt((s1^2 + s0^2) / 2)`` with the unweighted spreads in both columns, so that
    they can be compared.

    Returns
    -------
    DataFrame
        One row a covariate: before, after, balanced (after within +-.1).

    References
    ----------
    Austin 2009, Statistics in Medicine 28(25), doi:10.1002/sim.3697.

    Examples
    --------
    >>> table = balance_table([1, 1, 0, 0], {"x": [1, 3, 1, 2]}, [1, 0, 1, 0])
    >>> round(float(table.loc["x", "before"]), 3), float(table.loc["x", "after"])
    (0.632, 0.0)
    """
    frame, treated = _prepared(treated, covariates)
    weights = np.asarray(weights, dtype=float)
    values = frame.to_numpy()
    empty = not (weights[treated].sum() > 0 and weights[~treated].sum() > 0)
    refuse(empty, "all weights of a group are zero or missing", "weight in both groups")
    ones, zeros = values[treated], values[~treated]
    spread = np.sqrt((ones.var(axis=0) + zeros.var(axis=0)) / 2)

    def scaled(gap):
        return np.divide(gap, spread, out=np.zeros_like(gap), where=spread > 0)

    before = scaled(ones.mean(axis=0) - zeros.mean(axis=0))
    after = scaled(
        np.average(ones, axis=0, weights=weights[treated])
        - np.average(zeros, axis=0, weights=weights[~treated])
    )
    return pd.DataFrame(
        {"before": before, "after": after, "balanced": np.abs(after) <= BALANCED},
        index=[str(c) for c in frame.columns],
    )


@dataclass(frozen=True)
class WeightedEffect(Difference):
    """Effect of a treatment after weighting, with what the weights did.

    Attributes
    ----------
    estimand : str
        The population the effect belongs to.
    df : float
        Of Student's t.
    balance : DataFrame
        As `balance_table`.
    effective_n : tuple of float
        Kish's number, (treated, control).
    propensity, weights : ndarray
        One a row.
    """

    estimand: str = ""
    df: float = float("inf")
    balance: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    effective_n: tuple = ()
    propensity: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)
    weights: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row: the effect, its interval and test."""
        names = ("estimate", "low", "high", "level", "n", "method", "estimand", "p")
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def plot(self, ax=None):
        """Draw the standardised differences before and after (a love plot); returns the Axes."""
        import matplotlib.pyplot as plt

        from cxlib.figures.style import COLOURS, MUTED

        ax = plt.subplots()[1] if ax is None else ax
        rows = np.arange(len(self.balance))
        ax.axvspan(-BALANCED, BALANCED, color=MUTED, alpha=0.15)
        ax.plot(self.balance["before"], rows, "o", color=COLOURS[1], label="before")
        ax.plot(self.balance["after"], rows, "D", color=COLOURS[0], label="after")
        ax.set_yticks(rows, list(self.balance.index))
        ax.set_xlabel("standardised difference [SD]; shaded: +-.1")
        ax.legend()
        return ax

    def summary(self) -> str:
        """One sentence that names the uncertainty and the population."""
        return f"{super().summary()[:-2]}; in the {self.estimand})."


_ESTIMANDS = {
    "overlap": "overlap population",
    "ipw": "whole population",
    "att": "treated population",
    None: "sample as it is, unweighted",
}


def _tilts(chance, weights):
    """Weights of treated and control units and their derivatives in the propensity."""
    one, zero = np.ones_like(chance), np.zeros_like(chance)
    if weights == "overlap":
        return 1 - chance, chance, -one, one
    if weights == "ipw":
        return 1 / chance, 1 / (1 - chance), -1 / chance**2, 1 / (1 - chance) ** 2
    if weights == "att":
        return one, chance / (1 - chance), zero, 1 / (1 - chance) ** 2
    return one, one, zero, zero


def weighted_effect(
    outcome, treated, covariates, *, weights: str | None = "overlap", cluster=None, level=0.95
) -> WeightedEffect:
    """Mean outcome of treated minus control after propensity weighting.

    ``d = sum z w1 y / sum z w1 - sum (1 - z) w0 y / sum (1 - z) w0`` with the fitted propensity e:
    overlap w1 = 1 - e, w0 = e (balances the means of all columns exactly); ipw 1 / e and
    1 / (1 - e); att 1 and e / (1 - e). The variance sums squared influences that include the
    fitting of e, each enlarged by its leverage; t with the degrees of freedom of the weights'
    effective numbers (Satterthwaite). With ipw the gain by fitting e is believed only as far as
    these exceed 25: few treated units carry large weights then, fitted to them.

    Parameters
    ----------
    outcome : array_like
        One number a unit, without missing values.
    treated : array_like
        0 or 1.
    covariates : DataFrame or array_like
        What the groups are made alike in; known before treatment.
    weights : {"overlap", "ipw", "att", None}, optional
        Each has its own population: where both occur, all, the treated, none (raw).
    cluster : array_like, optional
        Labels of units that depend on each other; influences are then summed by cluster, with t
        of at most G - 1 degrees of freedom.
    level : float, optional
        Nominal coverage, a share.

    Returns
    -------
    WeightedEffect

    Raises
    ------
    CxError
        For missing values, one group only, perfect separation, or fewer than two clusters.

    References
    ----------
    Li, Morgan & Zaslavsky 2018, JASA 113(521), doi:10.1080/01621459.2016.1260466. Li, Thomas &
    Li 2019, American Journal of Epidemiology 188(1), doi:10.1093/aje/kwy201. Lunceford & Davidian
    2004, Statistics in Medicine 23(19), doi:10.1002/sim.1903.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> x = rng.normal(size=2000)
    >>> z = rng.random(2000) < 1 / (1 + np.exp(-x))
    >>> y = x + 0.3 * z + rng.normal(size=2000)
    >>> r = weighted_effect(y, z, {"x": x})
    >>> bool(r.low < 0.3 < r.high), bool(abs(r.balance.loc["x", "after"]) < 1e-6)
    (True, True)
    """
    from scipy.special import stdtr

    check_choice("weights", weights, tuple(_ESTIMANDS))
    check_level(level)
    outcome = numbers("outcome", outcome, least=4)
    frame, z = _prepared(treated, covariates)
    if len(outcome) != len(z):
        raise CxError(f"One outcome a unit: {len(outcome):,} for {len(z):,}.")
    matrix = np.column_stack([np.ones(len(frame)), frame.to_numpy()])
    chance = expit(matrix @ fit_logit(z, matrix, ["constant", *map(str, frame.columns)]))
    w1, w0, slope1, slope0 = _tilts(chance, weights)
    bread = np.linalg.inv((matrix.T * (chance * (1 - chance))) @ matrix)
    score = (z - chance)[:, None] * matrix
    codes, count = np.arange(len(z)), len(z)
    if cluster is not None:
        codes, count = groups("cluster", cluster, len(z))
        if count < 2:
            raise CxError("Cluster errors need at least two clusters: found 1.")
    leverage = chance * (1 - chance) * np.einsum("ij,ij->i", matrix @ bread, matrix)
    fitted = 1 / (1 - np.minimum(np.bincount(codes, leverage), LARGEST_SHARE))
    means, influence, given, numbers_of = [], np.zeros(count), np.zeros(count), []
    for side, weight, slope, sign in ((z, w1, slope1, 1), (~z, w0, slope0, -1)):
        total = weight[side].sum()
        mean = weight[side] @ outcome[side] / total
        gap = np.where(side, outcome - mean, 0.0) / total
        lever = (slope * chance * (1 - chance) * gap) @ matrix
        means.append(mean)
        share = np.bincount(codes, np.where(side, weight, 0.0)) / total
        own = np.bincount(codes, weight * gap) / (1 - np.minimum(share, LARGEST_SHARE))
        influence += sign * (own + np.bincount(codes, score @ (bread @ lever)) * fitted)
        given += sign * own
        numbers_of.append((float((own**2).sum()), 1 / (share**2).sum()))
    variance, taken = (influence**2).sum(), (given**2).sum()
    if not variance > (1e-12 * np.abs(outcome).max()) ** 2:
        raise CxError("The outcome shows no spread in either group, so luck cannot be judged.")
    parts, many = np.array(numbers_of).T
    df = float(parts.sum() ** 2 / (parts**2 / np.maximum(many - 1, 1.0)).sum())
    df = min(df, float(count - 1 if cluster is not None else count - matrix.shape[1] - 1))
    if weights == "ipw" and taken > variance:
        variance += min(1.0, FEW / df) * (taken - variance)
    error = np.sqrt(variance)
    estimate = means[0] - means[1]
    half = float(critical_value(level, df)) * error
    used = np.where(z, w1, w0)
    return WeightedEffect(
        float(estimate),
        float(estimate - half),
        float(estimate + half),
        float(level),
        float(len(z)),
        f"{weights or 'no'} weights",
        "effect",
        "",
        float(error),
        float(estimate / error),
        float(2 * stdtr(df, -abs(estimate / error))),
        _ESTIMANDS[weights],
        df,
        balance_table(z, frame, used),
        (effective_n(used[z]), effective_n(used[~z])),
        chance,
        used,
    )
