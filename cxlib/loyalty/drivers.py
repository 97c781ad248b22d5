"""Which experiences go with satisfaction: shares of R2 with intervals, signs and ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, stdtrit

from cxlib.errors import CxError, Problem
from cxlib.loyalty.driver_input import MOST_DRIVERS, Ratings, read_ratings
from cxlib.loyalty.importance import DriverImportance
from cxlib.loyalty.imputation import impute_normal, pool
from cxlib.loyalty.moments import moments
from cxlib.loyalty.shares import coefficients, johnson, lmg, sampled_lmg
from cxlib.stats.checks import check_choice, check_level
from cxlib.stats.latent import polychoric_stack
from cxlib.stats.ranks import rank_intervals

__all__ = ["driver_importance", "expanded_quantiles"]

MOST_EXACT = 15
METHODS = ("shapley", "johnson")
FEWEST_REPLICATES = 99
ORDERS_A_REPLICATE = 60
ORDERS = 2000


def driver_importance(
    frame: pd.DataFrame,
    outcome: str,
    drivers: Sequence[str],
    method: str = "shapley",
    weights=None,
    cluster=None,
    bootstrap: int = 2000,
    *,
    missing: str = "drop",
    imputations: int = 20,
    correlation: str = "pearson",
    mapping: Mapping | None = None,
    n: int | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> DriverImportance:
    """Share of an outcome's explained variance that goes with each driver.

    Correlated drivers explain the same variance twice, so a regression's coefficients do not add
    up to its R2. Two fair divisions do: Shapley values, also called LMG (what a driver adds to R2,
    averaged over all orders in which drivers can enter), and Johnson's relative weights (R2
    divided by way of uncorrelated stand-ins). Both describe variance that goes together. They are
    not effects: a driver without any effect earns a share through its correlation with others or
    through halo, and a share does not say what a change would bring.

    Up to 15 drivers Shapley values are exact, over all subsets, by sweeps on covariances; from 16
    to 30 they are averages over 2,000 orders (with their reverses), and ``monte_carlo_error``
    says how exact they are. Intervals are percentiles of a bootstrap of rows or clusters, their
    tails widened as a regression of these drivers on so few units would (`expanded_quantiles`).

    **What the intervals hold** (``benchmarks/out/calibration.csv``, cells "drivers, ..."): they
    cover the share in the population, not the causal weight. A share of exactly zero is never
    covered: sample shares are positive, and so is every percentile of them. Ranks come from
    `cxlib.stats.rank_intervals`.

    Parameters
    ----------
    frame : DataFrame
        One row an answer; or, with `n`, a covariance or correlation matrix with labels.
    outcome : str
    drivers : sequence of str
        2 to 30 columns of numbers.
    method : {"shapley", "johnson"}
    weights : str or array_like, optional
        Survey weights, 0 or more; rows of weight 0 count for nothing and are left out.
    cluster : str or array_like, optional
        Labels of rows that depend on each other; at least ten clusters.
    bootstrap : int
        Replicates, at least 99.
    missing : {"drop", "impute"}
        Leave out rows with a missing item, or fill them `imputations` times (see
        `cxlib.loyalty.imputation.impute_normal`) and pool by Rubin's rules, shares and R2 on the
        logit scale; the replicates are divided among the imputations, 50 at least for each.
    imputations : int
        At least 2.
    correlation : {"pearson", "latent"}
        Of the answers, or of the normal variables that would give such answers if cut at
        thresholds (polychoric; at most 11 different answers a column, unweighted or weighted).
    mapping : mapping, optional
        Numbers of text answers: ``{"stimme zu": 4, ...}`` or one such mapping a column. Without
        it a text is an error.
    n : int, optional
        Answers behind the matrix given as `frame`. Replicates are then drawn from the Wishart
        distribution, which takes the answers for normal and independent.
    level : float
    seed : int

    Returns
    -------
    DriverImportance

    Raises
    ------
    CxError
        Constant, copied or redundant drivers, too few answers or clusters, texts without a
        mapping, an outcome among the drivers, columns without an answer, weights that cannot be
        used, more than 30 drivers: all in one message.

    References
    ----------
    Groemping 2007, The American Statistician 61(2), doi:10.1198/000313007X188252.
    Johnson 2000, Multivariate Behavioral Research 35(1), doi:10.1207/S15327906MBR3501_1.
    Hesterberg 2015, The American Statistician 69(4), doi:10.1080/00031305.2015.1089789 (wider
    percentiles).

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=["quality", "service", "delivery"])
    >>> frame["csat"] = frame @ [0.6, 0.4, 0.2] + rng.normal(size=200)
    >>> found = driver_importance(frame, "csat", ["quality", "service", "delivery"], bootstrap=499)
    >>> found.to_frame()[["driver", "rank", "rank_low", "rank_high"]].values.tolist()
    [['quality', 1, 1, 1], ['delivery', 2, 2, 3], ['service', 3, 2, 3]]
    """
    _check_choices(method, missing, correlation, bootstrap, imputations, n, level)
    if n is not None:
        stacks, ratings = _from_matrix(frame, outcome, drivers, n, bootstrap, seed, correlation)
    else:
        keep = "keep" if missing == "impute" else "drop"
        ratings = read_ratings(
            frame, outcome, drivers, weights=weights, cluster=cluster, mapping=mapping, missing=keep
        )
        m = imputations if missing == "impute" and ratings.incomplete else 0
        stacks = _stacks(ratings, correlation, bootstrap, m, seed)
    return _result(stacks, ratings, method, level, seed)


def _check_choices(method, missing, correlation, bootstrap, imputations, n, level) -> None:
    check_level(level)
    check_choice("method", method, METHODS)
    check_choice("missing", missing, ("drop", "impute"))
    check_choice("correlation", correlation, ("pearson", "latent"))
    if not isinstance(bootstrap, Integral) or bootstrap < FEWEST_REPLICATES:
        raise CxError(f"bootstrap must be {FEWEST_REPLICATES} or more: found {bootstrap!r}.")
    if not isinstance(imputations, Integral) or imputations < 2:
        raise CxError(f"imputations must be 2 or more: found {imputations!r}.")
    if missing == "impute" and (correlation == "latent" or n is not None):
        raise CxError(
            'missing="impute" fills normal answers, so it goes with correlation="pearson" and rows.'
        )


def _from_matrix(frame, outcome, drivers, n, bootstrap, seed, correlation):
    """Wishart replicates of a covariance matrix."""
    from scipy.stats import wishart

    frame = pd.DataFrame(frame)
    wanted = [*drivers, outcome]
    problems = []
    if correlation != "pearson":
        problems.append(Problem('a matrix has no answers to cut: correlation="pearson" only'))
    if outcome in drivers or len(set(wanted)) < len(wanted) or not len(drivers) >= 2:
        problems.append(Problem("drivers and outcome must be 3 or more different names"))
    if len(drivers) > MOST_DRIVERS:
        problems.append(Problem(f"{len(drivers)} drivers", allowed=f"at most {MOST_DRIVERS}"))
    absent = [str(x) for x in wanted if x not in frame.columns or x not in frame.index]
    if absent:
        problems.append(Problem(f"rows or columns that are missing: {', '.join(absent)}"))
    if not isinstance(n, Integral) or n < 2 * (len(wanted) + 1):
        problems.append(Problem(f"n = {n!r}", allowed=f"{2 * (len(wanted) + 1)} answers or more"))
    if not problems:
        matrix = frame.loc[wanted, wanted].to_numpy(dtype=float)
        if not (np.isfinite(matrix).all() and np.allclose(matrix, matrix.T)):
            problems.append(Problem("the matrix must be finite and symmetric"))
        elif np.linalg.eigvalsh(matrix)[0] <= 1e-10 * np.trace(matrix):
            cause = "Pairwise deletion? A constant or copied variable?"
            problems.append(Problem("the matrix is not positive definite", cause=cause))
    if problems:
        raise CxError("The matrix cannot be analysed.", problems)
    rng = np.random.default_rng(seed)
    drawn = wishart.rvs(n - 1, matrix / (n - 1), size=bootstrap, random_state=rng)
    nothing = np.empty((n, 0))
    ratings = Ratings(nothing, np.ones(n), None, tuple(map(str, wanted)), np.ones(n, bool), 0, 0)
    return [np.concatenate([matrix[None], drawn])], ratings


def _stacks(ratings, correlation, bootstrap, imputations, seed) -> list[np.ndarray]:
    """Covariances of the data and of the replicates, one stack an imputation."""
    given = {"weights": ratings.weights, "cluster": ratings.cluster}
    if correlation == "latent":
        return [polychoric_stack(ratings.values, **given, replicates=bootstrap, seed=seed)]
    if not imputations:
        return [moments(ratings.values, **given, replicates=bootstrap, seed=seed).covariance]
    each = max(50, -(-bootstrap // imputations))
    filled = impute_normal(ratings.values, **given, imputations=imputations, seed=seed)
    return [
        moments(values, **given, replicates=each, seed=seed + 1 + i).covariance
        for i, values in enumerate(filled)
    ]


def _contributions(stack, method, seed):
    """Contributions of data and replicates, and the standard error of sampling orders."""
    p = stack.shape[-1] - 1
    if method == "johnson":
        return johnson(stack), 0.0
    if p <= MOST_EXACT:
        return lmg(stack), 0.0
    rng = np.random.default_rng(seed)
    half = np.array([rng.permutation(p) for _ in range(ORDERS // 2)])
    pairs = (sampled_lmg(stack[0], half) + sampled_lmg(stack[0], half[:, ::-1])) / 2
    estimate = pairs.mean(axis=0)
    error = pairs.std(axis=0, ddof=1).max() / np.sqrt(len(pairs)) / estimate.sum()
    some = half[: ORDERS_A_REPLICATE // 2]
    rough = sampled_lmg(stack, np.vstack([some, some[:, ::-1]])).mean(axis=0)
    # the same few orders for data and replicates: their luck drops out of the difference
    draws = np.maximum(rough[1:] - rough[0] + estimate, 0.0)
    return np.vstack([estimate, draws]), float(error)


def expanded_quantiles(draws, level: float, units: int, columns: int = 1):
    """Percentile limits, (2, ...), with tails as wide as a regression's on these units would be.

    Resampling divides by units, a regression on `columns` columns by units less columns, so the
    normal quantile becomes ``sqrt(units / left) t`` with left = units - columns (but at least half
    of the units) degrees of freedom. 1 for means.

    Examples
    --------
    >>> expanded_quantiles(np.arange(1001.0), 0.95, 10).round(1)
    array([  8.6, 991.4])
    """
    left = max(units - columns, units / 2)
    tail = ndtr(-np.sqrt(units / left) * stdtrit(left, 0.5 + level / 2))
    return np.quantile(draws, [tail, 1 - tail], axis=0)


def _limits(stacked, level, units, columns, logits=False):
    """Estimate, low, high, error and share due to missing items of one quantity.

    `stacked` has one array an imputation, the estimate in its first row, replicates after it.
    """
    if len(stacked) == 1:
        estimate, draws = stacked[0][0], stacked[0][1:]
        low, high = expanded_quantiles(draws, level, units, columns)
        return estimate, low, high, draws.std(axis=0, ddof=1), np.zeros_like(estimate)
    plain = [
        np.array(v) for v in zip(*((s[0], s[1:].var(axis=0, ddof=1)) for s in stacked), strict=True)
    ]
    mean, error, df, lost = pool(*plain, units)
    if not logits:
        half = stdtrit(df, 0.5 + level / 2) * error
        return mean, mean - half, mean + half, error, lost
    scale = [logit(np.clip(s, 1e-12, 1 - 1e-12)) for s in stacked]
    middle, width, df, _ = pool(
        np.array([s[0] for s in scale]), np.array([s[1:].var(axis=0, ddof=1) for s in scale]), units
    )
    half = stdtrit(df, 0.5 + level / 2) * width
    return mean, expit(middle - half), expit(middle + half), error, lost


def _result(stacks, ratings, method, level, seed) -> DriverImportance:
    names, units = ratings.names, ratings.units
    parts = [_contributions(stack, method, seed) for stack in stacks]
    contributions = [part for part, _ in parts]
    sums = [c.sum(axis=1, keepdims=True) for c in contributions]
    shares = [c / s for c, s in zip(contributions, sums, strict=True)]
    table = {"driver": names[:-1]}
    for name, values, bounded in (
        ("share", shares, True),
        ("contribution", contributions, True),
        ("coefficient", [coefficients(s) for s in stacks], False),
    ):
        *found, lost = _limits(values, level, units, len(names), logits=bounded)
        table |= zip((name + end for end in ("", "_low", "_high", "_error")), found, strict=True)
        if name == "share":
            missing_share = lost
    r2, r2_low, r2_high, *_ = _limits(sums, level, units, len(names), logits=True)
    covariance = np.mean([s[0] for s in stacks], axis=0)
    spread = np.sqrt(np.diag(covariance))
    correlations = covariance / np.outer(spread, spread)
    slope, plain = table["coefficient"], correlations[:-1, -1]
    open_ = (table["coefficient_low"] <= 0) & (table["coefficient_high"] >= 0)
    draws = np.vstack([c[1:] for c in contributions])
    estimate = table["contribution"]
    rank_low, rank_high = rank_intervals(estimate, draws, level=level)
    table |= {
        "correlation": plain,
        "sign": np.where(open_, "?", np.where(slope > 0, "+", "-")),
        "flipped": slope * plain < 0,
        "vif": np.diag(np.linalg.inv(correlations[:-1, :-1])),
        "rank": np.argsort(np.argsort(-estimate, kind="stable")) + 1,
        "first": np.bincount(draws.argmax(axis=1), minlength=len(estimate)) / len(draws),
        "rank_low": rank_low,
        "rank_high": rank_high,
        "missing_share": missing_share,
    }
    return DriverImportance(
        names[-1], method, pd.DataFrame(table), float(r2[0]), float(r2_low[0]), float(r2_high[0]),
        len(ratings.values), units, ratings.dropped, ratings.incomplete,
        len(stacks) if len(stacks) > 1 else 0, level, len(draws),
        max(error for _, error in parts), draws,
    )  # fmt: skip
