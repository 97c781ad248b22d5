"""Ordered logit for answers on a scale: right thresholds, right covariance, clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import expit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, critical_value, groups, refuse
from cxlib.stats.interval import Interval
from cxlib.stats.overlap import covariate_frame

__all__ = ["OrderedLogit", "information", "ordered_logit", "prepared", "scores"]

NEWTON_STEPS = 25
LARGEST_EFFECT = 20.0


def _distances(codes, design, parameters):
    """What a row contributes: cdf and density at its upper and lower threshold, and derivatives.

    The derivative of a threshold's distance from the linear predictor is ``(-x, e_k)``.
    """
    columns = design.shape[1]
    cuts = len(parameters) - columns
    linear = design @ parameters[:columns]
    edges = np.concatenate([[-np.inf], parameters[columns:], [np.inf]])
    upper, lower = expit(edges[codes + 1] - linear), expit(edges[codes] - linear)
    survival = expit(linear - edges[codes]) - expit(linear - edges[codes + 1])
    chance = np.where(lower < 0.5, upper - lower, survival)
    steps = np.eye(cuts + 2)[:, 1:-1]
    to_upper = np.hstack([-design, steps[codes + 1]])
    to_lower = np.hstack([-design, steps[codes]])
    return chance, upper, lower, to_upper, to_lower


def scores(codes, design, parameters):
    """Gradient of each row's log-likelihood in (coefficients, thresholds)."""
    chance, upper, lower, to_upper, to_lower = _distances(codes, design, parameters)
    chance = np.maximum(chance, 1e-300)[:, None]
    rise, fall = (upper * (1 - upper))[:, None], (lower * (1 - lower))[:, None]
    return (rise * to_upper - fall * to_lower) / chance


def information(codes, design, parameters, groups_=None, count=1):
    """Observed information in (coefficients, thresholds), one matrix a group of rows."""
    chance, upper, lower, to_upper, to_lower = _distances(codes, design, parameters)
    chance = np.maximum(chance, 1e-300)
    rise, fall = upper * (1 - upper), lower * (1 - lower)
    both = rise * fall / chance**2
    above = rise * (1 - 2 * upper) / chance - (rise / chance) ** 2
    below = -fall * (1 - 2 * lower) / chance - (fall / chance) ** 2
    left = above[:, None] * to_upper + both[:, None] * to_lower
    right = both[:, None] * to_upper + below[:, None] * to_lower
    if groups_ is None:
        return -(left.T @ to_upper + right.T @ to_lower)
    size = left.shape[1]
    result = np.empty((count, size, size))
    for i in range(size):
        for j in range(size):
            rows = left[:, i] * to_upper[:, j] + right[:, i] * to_lower[:, j]
            result[:, i, j] = -np.bincount(groups_, rows, count)
    return result


def thresholds_of(increments):
    """Thresholds from statsmodels' parameters: the first, then logs of the steps."""
    return np.cumsum(np.concatenate([increments[:1], np.exp(increments[1:])]))


def _jacobian(parameters, columns):
    """Derivative of (coefficients, thresholds) in statsmodels' parameters."""
    increments = parameters[columns:]
    steps = np.concatenate([[1.0], np.exp(increments[1:])])
    jacobian = np.eye(len(parameters))
    jacobian[columns:, columns:] = np.tril(np.ones((len(steps), len(steps)))) * steps
    return jacobian


class _ExactScore(OrderedModel):
    """statsmodels' ordered logit with its exact gradient."""

    def score(self, params):
        columns = self.exog.shape[1]
        natural = np.concatenate([params[:columns], thresholds_of(params[columns:])])
        rows = scores(self.endog, self.exog, natural)
        return rows.sum(axis=0) @ _jacobian(params, columns)


@dataclass(frozen=True)
class OrderedLogit:
    """A fitted ordered logit, ``logit P(Y <= k) = threshold_k - x'coefficients``.

    Attributes
    ----------
    coefficients : Series
        Log odds of a higher answer, by column.
    thresholds : Series
        One between each two neighbouring answers, named ``"low|high"``; rising.
    standard_errors : Series
    covariance : DataFrame
        Of coefficients and thresholds, in this order; by clusters where they were given.
    log_likelihood : float
    n : int
    categories : tuple
        Answers that occur, in order.
    df : float
        Clusters minus one, or infinite.
    """

    coefficients: pd.Series
    thresholds: pd.Series
    standard_errors: pd.Series
    covariance: pd.DataFrame
    log_likelihood: float
    n: int
    categories: tuple
    df: float
    design: np.ndarray = field(repr=False)
    codes: np.ndarray = field(repr=False)
    cluster: np.ndarray | None = field(repr=False)

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """One row a parameter: estimate, standard error, low, high, z and p."""
        from scipy.special import stdtr

        estimate = pd.concat([self.coefficients, self.thresholds])
        z = estimate / self.standard_errors
        half = float(critical_value(level, self.df)) * self.standard_errors
        df = self.df if np.isfinite(self.df) else 1e10
        return pd.DataFrame(
            {
                "estimate": estimate,
                "standard_error": self.standard_errors,
                "low": estimate - half,
                "high": estimate + half,
                "z": z,
                "p": 2 * stdtr(df, -np.abs(z)),
            }
        )

    def plot(self, ax=None):
        """Draw the coefficients with their 95 % intervals; returns the Axes."""
        import matplotlib.pyplot as plt

        from cxlib.figures.style import COLOURS, MUTED

        ax = plt.subplots()[1] if ax is None else ax
        table = self.to_frame().iloc[: len(self.coefficients)]
        rows = np.arange(len(table))
        ax.axvline(0, color=MUTED, linewidth=1)
        ax.hlines(rows, table["low"], table["high"], color=COLOURS[0], linewidth=2)
        ax.plot(table["estimate"], rows, "o", color=COLOURS[0])
        ax.set_yticks(rows, list(table.index))
        ax.set_xlabel("log odds of a higher answer")
        return ax

    def summary(self) -> str:
        """One sentence: the strongest coefficient with its interval."""
        table = self.to_frame().iloc[: len(self.coefficients)]
        name = (table["estimate"] / table["standard_error"]).abs().idxmax()
        row = table.loc[name]
        return (
            f"Among {len(table)} coefficients over {self.n:,} answers the surest is {name}: "
            f"{row['estimate']:.3g} log odds (95 % interval {row['low']:.3g} to {row['high']:.3g})."
        )

    def _parameters(self):
        return np.concatenate([self.coefficients.to_numpy(), self.thresholds.to_numpy()])

    def probabilities(self, design=None) -> np.ndarray:
        """Chance of each answer, (rows, answers); of the fitted rows by default."""
        design = self.design if design is None else np.asarray(design, dtype=float)
        linear = design @ self.coefficients.to_numpy()
        below = expit(self.thresholds.to_numpy()[None, :] - linear[:, None])
        return np.diff(below, axis=1, prepend=0.0, append=1.0)

    def average_difference(
        self, column: str, *, high: float = 1.0, low: float = 0.0, at_least, level: float = 0.95
    ) -> Interval:
        """Average change of ``P(Y >= at_least)`` when a column goes from `low` to `high`.

        The mean over rows of ``P(Y >= k | x_j = high, x) - P(Y >= k | x_j = low, x)``: unlike a
        coefficient it does not change its meaning with the other columns. The interval counts
        the luck of the parameters and of the rows, by clusters where they were given.

        Parameters
        ----------
        column : str
            A column of the design.
        high, low : float, optional
            Values to compare, in the unit of the column.
        at_least : category
            One of `categories`, above the lowest.
        level : float, optional
            Nominal coverage, a share.

        Returns
        -------
        Interval
            A share, from -1 to 1.

        Raises
        ------
        CxError
            For an unknown column or category.
        """
        check_level(level)
        if column not in self.coefficients.index or at_least not in self.categories[1:]:
            raise CxError(
                f"Allowed: a column of {list(self.coefficients.index)} and a category of "
                f"{list(self.categories[1:])}: found {column!r}, {at_least!r}."
            )
        place = self.coefficients.index.get_loc(column)
        cut = self.categories.index(at_least) - 1
        columns = len(self.coefficients)
        parameters = self._parameters()
        difference, gradient = 0.0, np.zeros(len(parameters))
        for value, sign in ((high, 1.0), (low, -1.0)):
            design = self.design.copy()
            design[:, place] = value
            chance = expit(design @ parameters[:columns] - parameters[columns + cut])
            slope = chance * (1 - chance)
            difference = difference + sign * chance
            gradient[:columns] += sign * (slope @ design) / self.n
            gradient[columns + cut] -= sign * slope.mean()
        estimate = difference.mean()
        bread = np.linalg.inv(information(self.codes, self.design, parameters))
        influence = (difference - estimate) / self.n
        influence += scores(self.codes, self.design, parameters) @ (bread @ gradient)
        if self.cluster is not None:
            influence = np.bincount(self.cluster, influence)
        units = len(influence)
        error = np.sqrt(units / (units - 1) * (influence**2).sum())
        half = float(critical_value(level, self.df)) * error
        return Interval(
            float(estimate),
            float(estimate - half),
            float(estimate + half),
            float(level),
            float(self.n),
            "ordered logit, g-computation",
            f"average difference in the chance of {at_least} or more",
        )


def prepared(answers, covariates):
    """Categories, codes, design and names of answers and covariates that are fit to use."""
    frame = covariate_frame(covariates)
    if np.ndim(answers) != 1:
        raise CxError(f"answers must have 1 dimension: found {np.ndim(answers)}.")
    answers = pd.Series(np.asarray(answers))
    if len(answers) != len(frame):
        raise CxError(f"One row of covariates an answer: {len(frame):,} for {len(answers):,}.")
    broken = answers.isna() | answers.isin([np.inf, -np.inf])
    refuse(broken.to_numpy(), "answers are missing or infinite", "drop or impute them first")
    refuse(~np.isfinite(frame.to_numpy()), "covariates are missing or infinite", "finite numbers")
    constant = [str(c) for c in frame if frame[c].nunique() < 2]
    if constant or not len(frame.columns):
        raise CxError(f"Covariates must vary and carry no constant: found {constant or 'none'}.")
    categories, codes = np.unique(answers.to_numpy(), return_inverse=True)
    if len(categories) < 2:
        raise CxError(f"All {len(answers):,} answers equal {categories[0]}: nothing to explain.")
    design = frame.to_numpy()
    centred = design - design.mean(axis=0)
    if np.linalg.matrix_rank(centred / centred.std(axis=0)) < design.shape[1]:
        raise CxError(
            f"The columns {list(map(str, frame.columns))} determine each other; drop one."
        )
    return tuple(categories.tolist()), codes, design, list(map(str, frame.columns))


def _separated(parameters, design, names):
    reach = np.abs(parameters[: len(names)]) * design.std(axis=0)
    worst = int(reach.argmax())
    if not reach[worst] < LARGEST_EFFECT:
        raise CxError(
            f"Column {names[worst]!r} separates the answers perfectly, so its coefficient has no "
            "end. Merge rare answers or groups, or drop the column."
        )


def _jackknife_covariance(codes, design, parameters, cluster, count):
    """One-step delete-one-cluster jackknife: what each cluster moves, its own weight removed."""
    rows = scores(codes, design, parameters)
    sums = np.column_stack([np.bincount(cluster, column, count) for column in rows.T])
    whole = information(codes, design, parameters)
    rest = whole - information(codes, design, parameters, cluster, count)
    try:
        moves = np.linalg.solve(rest, sums[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        raise CxError("One cluster alone carries a column or an answer; merge clusters.") from None
    return (count - 1) / count * moves.T @ moves


def ordered_logit(answers, covariates, *, cluster=None) -> OrderedLogit:
    """Fit an ordered (proportional-odds) logit by maximum likelihood.

    ``P(Y <= k) = 1 / (1 + exp(-(threshold_k - x'b)))``. statsmodels' OrderedModel finds the
    optimum with an exact gradient; its threshold parameters, the first threshold and the logs of
    the steps, are converted, and exact Newton steps with the observed information finish.

    Parameters
    ----------
    answers : array_like
        Answers of one ordinal scale, without missing values; what orders is the sort order.
    covariates : DataFrame or array_like
        One row an answer, numbers without missing values, no constant column.
    cluster : array_like, optional
        Labels of rows that depend on each other. The covariance is then the one-step
        delete-one-cluster jackknife ``(G - 1) / G sum d_g d_g'`` with
        ``d_g = (I - I_g)^-1 s_g``, and tests use t with G - 1 degrees of freedom: with few
        clusters the plain sandwich is too small.

    Returns
    -------
    OrderedLogit

    Raises
    ------
    CxError
        For missing values, a single answer, constant or redundant columns, perfect separation,
        and fewer than two clusters.

    References
    ----------
    McCullagh 1980, JRSS B 42(2), doi:10.1111/j.2517-6161.1980.tb01109.x.
    MacKinnon, Nielsen & Webb 2023, Journal of Econometrics 232(2),
    doi:10.1016/j.jeconom.2022.04.001.

    Examples
    --------
    >>> fit = ordered_logit([1, 1, 2, 2, 3, 3, 1, 3], {"fast": [0, 0, 1, 0, 1, 1, 1, 0]})
    >>> fit.thresholds.index.tolist(), round(float(fit.coefficients["fast"]), 3)
    (['1|2', '2|3'], 1.099)
    """
    categories, codes, design, names = prepared(answers, covariates)
    columns = len(names)
    scale = design.std(axis=0)
    start = _ExactScore(codes, design / scale, distr="logit").fit(
        method="bfgs", disp=False, skip_hessian=True, maxiter=500
    )
    parameters = np.concatenate(
        [start.params[:columns] / scale, thresholds_of(np.asarray(start.params[columns:]))]
    )
    for _ in range(NEWTON_STEPS):
        _separated(parameters, design, names)
        gradient = scores(codes, design, parameters).sum(axis=0)
        try:
            step = np.linalg.solve(information(codes, design, parameters), gradient)
        except np.linalg.LinAlgError:
            raise CxError("The likelihood is flat: merge rare answers or groups.") from None
        parameters = parameters + step
        if gradient @ step < 1e-16 * len(codes):
            break
    _separated(parameters, design, names)
    labels = [f"{a}|{b}" for a, b in pairwise(categories)]
    df, code_of = np.inf, None
    if cluster is None:
        covariance = np.linalg.inv(information(codes, design, parameters))
    else:
        code_of, count = groups("cluster", cluster, len(codes))
        if count < 2:
            raise CxError("Cluster errors need at least two clusters: found 1.")
        df = float(count - 1)
        covariance = _jackknife_covariance(codes, design, parameters, code_of, count)
    index = names + labels
    return OrderedLogit(
        pd.Series(parameters[:columns], names),
        pd.Series(parameters[columns:], labels),
        pd.Series(np.sqrt(np.diag(covariance)), index),
        pd.DataFrame(covariance, index, index),
        float(np.log(_distances(codes, design, parameters)[0]).sum()),
        len(codes),
        categories,
        df,
        design,
        codes,
        code_of,
    )
