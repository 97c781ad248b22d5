"""Ordered logit for answers on a scale: right thresholds, right covariance, clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import expit

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, critical_value, groups, refuse
from cxlib.stats.interval import Difference, Interval
from cxlib.stats.ordinal_likelihood import (
    cluster_moves,
    information,
    maximum,
    parts,
    scores,
    slopes_at,
)
from cxlib.stats.overlap import covariate_frame

__all__ = ["OrderedLogit", "information", "ordered_logit", "prepared", "scores"]


@dataclass(frozen=True)
class OrderedLogit:
    """A fitted ordered logit, ``logit P(Y <= k) = threshold_k - x'coefficients``.

    Attributes
    ----------
    coefficients : Series
        Log odds of a higher answer, by column; of a column in `free` at the first threshold.
    thresholds : Series
        One between each two neighbouring answers, named ``"low|high"``; rising.
    standard_errors : Series
    covariance : DataFrame
        Of coefficients, thresholds and gaps, in this order; by clusters where they were given.
    log_likelihood : float
        Composite where columns are free.
    n : int
    categories : tuple
        Answers that occur, in order.
    df : float
        Clusters minus one, or infinite.
    moves : ndarray or None
        What each cluster moves the parameters by, (clusters, parameters).
    free : tuple of str
        Columns with a coefficient of their own at each threshold.
    gaps : Series
        By how much these differ from that at the first threshold, named ``"column at low|high"``.
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
    moves: np.ndarray | None = field(default=None, repr=False)
    free: tuple = ()
    gaps: pd.Series = field(default_factory=lambda: pd.Series(dtype=float), repr=False)

    @property
    def slopes(self) -> pd.DataFrame:
        """Coefficients at each threshold: one row a column, one column a threshold."""
        columns = {
            f">{low}": slopes_at(self._parameters(), len(self.coefficients), cut, self._free())
            for cut, low in enumerate(self.categories[:-1])
        }
        return pd.DataFrame(columns, self.coefficients.index)

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """One row a parameter: estimate, standard error, low, high, z and p."""
        from scipy.special import stdtr

        estimate = pd.concat([self.coefficients, self.thresholds, self.gaps])
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
        return np.concatenate(
            [v.to_numpy() for v in (self.coefficients, self.thresholds, self.gaps)]
        )

    def _free(self):
        return [self.coefficients.index.get_loc(name) for name in self.free]

    def probabilities(self, design=None) -> np.ndarray:
        """Chance of each answer, (rows, answers); of the fitted rows by default.

        With free columns, rows unlike all that were fitted can have chances below 0.
        """
        design = self.design if design is None else np.asarray(design, dtype=float)
        linear = design @ self.slopes.to_numpy()
        below = expit(self.thresholds.to_numpy()[None, :] - linear)
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
        if column not in self.coefficients.index:
            raise CxError(
                f"Allowed: a column of {list(self.coefficients.index)}: found {column!r}."
            )
        before, after = self.design.copy(), self.design.copy()
        place = self.coefficients.index.get_loc(column)
        before[:, place], after[:, place] = low, high
        return self.average_contrast(before, after, at_least=at_least, level=level)

    def average_contrast(
        self, before, after, *, at_least, rows=None, level: float = 0.95
    ) -> Difference:
        """Average change of ``P(Y >= at_least)`` when every row goes from `before` to `after`.

        g-computation: ``mean over rows of P(Y >= k | after) - P(Y >= k | before)``. The interval
        counts the luck of the parameters and of the rows. With clusters it is the one-step
        delete-one-cluster jackknife of the whole average, t with clusters minus one.

        Parameters
        ----------
        before, after : array_like of shape (n, columns)
            Designs in the order of `coefficients`, one row a fitted row.
        at_least : category
            One of `categories`, above the lowest.
        rows : array_like of bool, optional
            Average over these rows only.
        level : float, optional

        Returns
        -------
        Difference
            A share, from -1 to 1.

        Raises
        ------
        CxError
            For designs of another shape, no row, or an unknown category.
        """
        from scipy.special import stdtr

        check_level(level)
        if at_least not in self.categories[1:]:
            raise CxError(
                f"Allowed: a category of {list(self.categories[1:])}: found {at_least!r}."
            )
        used = np.ones(self.n, bool) if rows is None else np.asarray(rows, bool)
        shapes = {np.shape(before), np.shape(after), self.design.shape}
        if len(shapes) > 1 or used.shape != (self.n,) or not used.any():
            raise CxError(
                f"before and after need the shape {self.design.shape} and one row to average over: "
                f"found {np.shape(before)}, {np.shape(after)}, {int(used.sum())} rows."
            )
        cut = self.categories.index(at_least) - 1
        columns, free, parameters = len(self.coefficients), self._free(), self._parameters()
        slopes = slopes_at(parameters, columns, cut, free)
        threshold = self.thresholds.iloc[cut]
        difference, gradient = 0.0, np.zeros(len(parameters))
        for design, sign in ((np.asarray(after, float), 1.0), (np.asarray(before, float), -1.0)):
            chance = expit(design @ slopes - threshold)
            slope = np.where(used, chance * (1 - chance), 0.0) / used.sum()
            lever = sign * (slope @ design)
            difference = difference + sign * chance
            gradient[:columns] += lever
            gradient[columns + cut] -= sign * slope.sum()
            if cut and free:
                gaps = gradient[columns + len(self.thresholds) :].reshape(len(free), -1)
                gaps[:, cut - 1] += lever[free]
        estimate = difference[used].mean()
        error = self._error_of_average(np.where(used, difference, 0.0), used, gradient)
        half = float(critical_value(level, self.df)) * error
        z = estimate / error if error > 0 else 0.0
        df = self.df if np.isfinite(self.df) else 1e10
        return Difference(
            float(estimate),
            float(estimate - half),
            float(estimate + half),
            float(level),
            float(used.sum()),
            "ordered logit, g-computation",
            f"average difference in the chance of {at_least} or more",
            "",
            float(error),
            float(z),
            float(2 * stdtr(df, -abs(z))),
        )

    def _error_of_average(self, difference, used, gradient) -> float:
        parameters, free = self._parameters(), self._free()
        count = used.sum()
        if self.cluster is not None:
            clusters = int(self.df) + 1
            size = np.bincount(self.cluster, used, clusters)
            if (size == count).any():
                raise CxError("All rows concerned lie in one cluster, so luck cannot be judged.")
            rest = difference.sum() - np.bincount(self.cluster, difference, clusters)
            left = rest / (count - size) - difference.sum() / count - self.moves @ gradient
            return float(np.sqrt((clusters - 1) / clusters * (left**2).sum()))
        bread = np.linalg.inv(information(self.codes, self.design, parameters, free=free))
        influence = np.where(used, difference - difference.sum() / count, 0.0) / count
        influence += scores(self.codes, self.design, parameters, free) @ (bread @ gradient)
        return float(np.sqrt(self.n / (self.n - 1) * (influence**2).sum()))


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


def ordered_logit(answers, covariates, *, cluster=None, free=()) -> OrderedLogit:
    """Fit an ordered (proportional-odds or partial proportional-odds) logit.

    ``P(Y <= k) = 1 / (1 + exp(-(threshold_k - x'b - z'g_k)))`` with z the columns in `free`, whose
    coefficients differ between thresholds (g = 0 at the first); none by default. Maximum
    likelihood by damped Newton steps: the log-likelihood is concave. With free columns it is the
    composite likelihood of all splits ``Y > k``, with a sandwich covariance.

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
    free : sequence of str, optional
        Columns that are not held to one coefficient, as where `brant_test` rejects it.

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
    McCullagh 1980, JRSS B 42(2), doi:10.1111/j.2517-6161.1980.tb01109.x. Peterson & Harrell 1990,
    JRSS C 39(2), doi:10.2307/2347760 (partial proportional odds).
    MacKinnon, Nielsen & Webb 2023, Journal of Econometrics 232(2),
    doi:10.1016/j.jeconom.2022.04.001.

    Examples
    --------
    >>> fit = ordered_logit([1, 1, 2, 2, 3, 3, 1, 3], {"fast": [0, 0, 1, 0, 1, 1, 1, 0]})
    >>> fit.thresholds.index.tolist(), round(float(fit.coefficients["fast"]), 3)
    (['1|2', '2|3'], 1.099)
    """
    categories, codes, design, names = prepared(answers, covariates)
    if unknown := [name for name in free if name not in names]:
        raise CxError(f"free names {unknown}, which are no columns. Allowed: {names}.")
    columns, places = len(names), [names.index(name) for name in free]
    parameters, reached = maximum(codes, design, names, places)
    df, code_of, moves = np.inf, None, None
    if cluster is None:
        covariance = np.linalg.inv(information(codes, design, parameters, free=places))
        if places:
            rows = scores(codes, design, parameters, places)
            covariance = covariance @ (rows.T @ rows) @ covariance
    else:
        code_of, count = groups("cluster", cluster, len(codes))
        if count < 2:
            raise CxError("Cluster errors need at least two clusters: found 1.")
        df = float(count - 1)
        moves = cluster_moves(codes, design, parameters, code_of, count, places)
        covariance = (count - 1) / count * moves.T @ moves
    labels = [f"{a}|{b}" for a, b in pairwise(categories)]
    beyond = [f"{name} at {label}" for name in free for label in labels[1:]]
    index = names + labels + beyond
    slopes, cuts, gaps = parts(parameters, columns, places)
    return OrderedLogit(
        pd.Series(slopes, names),
        pd.Series(cuts, labels),
        pd.Series(np.sqrt(np.diag(covariance)), index),
        pd.DataFrame(covariance, index, index),
        reached,
        len(codes),
        categories,
        df,
        design,
        codes,
        code_of,
        moves,
        tuple(free),
        pd.Series(gaps.ravel(), beyond, dtype=float),
    )
