"""Means and net scores of weighted, clustered or stratified answers, with honest variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.stats.checks import (
    check_level,
    critical_value,
    groups,
    numbers,
    refuse,
    warn_of_no_width,
    weighed,
)
from cxlib.stats.interval import Interval
from cxlib.stats.netscore import net_score_limits
from cxlib.stats.survey import effective_n

__all__ = [
    "DesignInterval",
    "ratio_variance",
    "weighted_mean",
    "weighted_net_score",
    "weighted_share",
]


@dataclass(frozen=True)
class DesignInterval(Interval):
    """An interval that knows the design of its sample.

    Attributes
    ----------
    standard_error : float
        By the design, in the unit of the estimate.
    df : float
        Degrees of freedom: clusters minus strata.
    clusters : int
        Independent units: clusters, or rows where none are named.
    effective_n : float
        Answers of a simple random sample of equal precision.
    """

    standard_error: float = float("nan")
    df: float = float("nan")
    clusters: int = 0
    effective_n: float = float("nan")

    def summary(self) -> str:
        """One sentence that names the uncertainty and what the design costs."""
        return (
            f"{super().summary()[:-2]}; {self.clusters:,} independent units, worth "
            f"{self.effective_n:,.0f} simple answers)."
        )


def ratio_variance(
    top, bottom, strata=None, population=None, *, inclusion: bool = False
) -> tuple[float, float]:
    """Delete-one-cluster jackknife variance of ``sum(top) / sum(bottom)``, and its df.

    ``V = sum_h (1 - f_h) (G_h - 1) / G_h sum_g (R_(hg) - R)^2``, R_(hg) without cluster g of
    stratum h, the rest of the stratum scaled up. With few or unequal clusters it is less
    optimistic than the linearised variance with G / (G - 1).

    Parameters
    ----------
    top, bottom : ndarray
        Weighted totals of the G clusters.
    strata : ndarray, optional
        Codes 0..H-1 of the clusters' strata.
    population : ndarray, optional
        Clusters in the population, by stratum.
    inclusion : bool
        Whether `bottom` holds weights that are inverse chances to be in the sample: f is then the
        chance of each unit, ``sum(bottom) / (N bottom)``, as those with little chance vary most.

    References
    ----------
    Saerndal, Swensson & Wretman 1992, Model Assisted Survey Sampling, ISBN 978-0-387-97528-3
    (unequal chances). MacKinnon, Nielsen & Webb 2023, Journal of Econometrics 232(2),
    doi:10.1016/j.jeconom.2022.04.001. Rao & Shao 1985, JASA 80(391),
    doi:10.1080/01621459.1985.10478162.
    """
    strata = np.zeros(len(top), dtype=int) if strata is None else strata
    sizes = np.bincount(strata)
    what = "a single independent unit (answer or cluster) shows no spread"
    if len(sizes) > 1:
        what = "a stratum has a single independent unit"
    refuse(sizes < 2, what, "two or more in each stratum")
    scale = (sizes / (sizes - 1))[strata]
    totals = []
    for part in (top, bottom):
        by_stratum = np.bincount(strata, part)[strata]
        totals.append(part.sum() - by_stratum + (by_stratum - part) * scale)
    if (totals[1] <= 1e-12 * bottom.sum()).any():
        raise CxError(
            "All weight lies in one independent unit, so nothing is known of the spread between "
            "units. Allowed: at least two units with weight."
        )
    spread = (totals[0] / totals[1] - top.sum() / bottom.sum()) ** 2 / scale
    sampled = 0.0 if population is None else (sizes / population)[strata]
    if population is not None and inclusion:
        whole = np.bincount(strata, bottom)[strata]
        sampled = np.minimum(whole / (population[strata] * bottom), 1.0)
    return float(((1 - sampled) * spread).sum()), float(len(top) - len(sizes))


def _independent_units(values, weights, cluster, strata, population):
    """Totals of the independent units, with their strata and population sizes."""
    size = len(values)
    used = weights > 0
    codes = np.arange(size) if cluster is None else groups("cluster", cluster, size)[0]
    layers, count = (np.zeros(size, int), 1) if strata is None else groups("strata", strata, size)
    values, layers = values[used], layers[used]
    weights = weights[used] / weights.max()
    present, codes = np.unique(codes[used], return_inverse=True)
    top = np.bincount(codes, weights * values)
    bottom = np.bincount(codes, weights)
    layer_of = np.zeros(len(present), dtype=int)
    layer_of[codes] = layers
    refuse(layer_of[codes] != layers, "a cluster lies in two strata", "clusters within strata")
    layer_names, layer_of = np.unique(layer_of, return_inverse=True)
    if population is not None:
        population = np.asarray(population, dtype=float)
        refuse(
            population.shape not in ((), (1,), (count,)),
            f"population has shape {population.shape} for {count} strata",
            "one number, or one a stratum in order of appearance",
        )
        population = np.broadcast_to(population, (count,))[layer_names]
        refuse(
            ~(population >= np.bincount(layer_of)),
            "population is smaller than its sample",
            "the number of independent units in the population, by stratum",
        )
    return len(values), top, bottom, layer_of, population


def _worth(single, variance, bottom, layer_of, population) -> float:
    """Answers of equal precision: Kish's number of units without spread, no end in a census."""
    if population is not None and (population <= np.bincount(layer_of)).all():
        return float("inf")
    if single <= 1e-12 or variance <= 1e-14 * single:
        return effective_n(bottom)
    return float(single / variance)


def _residuals(values, weights, raked_on):
    """What the raked margins do not explain: weighted regression on their labels.

    Each residual is that of the regression without its own row, ``e / (1 - h)``, as the margins
    were fitted to the few answers of a label; the part of h that is the mean's is the jackknife's.
    """
    coded = [pd.factorize(raked_on[c])[0] for c in raked_on]
    dummies = np.hstack([np.eye(codes.max(initial=-1) + 1)[codes] for codes in coded])
    if len(dummies) != len(values):
        raise CxError(f"raked_on needs one row a value: {len(dummies):,} for {len(values):,}.")
    scaled = dummies * np.sqrt(weights)[:, None]
    inverse = np.linalg.pinv(scaled.T @ scaled, hermitian=True)
    miss = values - dummies @ (inverse @ (dummies.T @ (weights * values)))
    leverage = ((scaled @ inverse) * scaled).sum(axis=1) - weights / weights.sum()
    return miss / np.maximum(1 - leverage, 0.1)


def weighted_mean(
    values,
    weights=None,
    *,
    cluster=None,
    strata=None,
    population=None,
    raked_on: pd.DataFrame | None = None,
    level: float = 0.95,
) -> DesignInterval:
    """Weighted mean ``sum(w y) / sum(w)`` with an interval from the design.

    ``m +- t sqrt(V)``, V the jackknife over clusters (`ratio_variance`), t with clusters minus
    strata degrees of freedom.

    Parameters
    ----------
    values : array_like
        One number a row, without missing values.
    weights : array_like, optional
        Not negative, not all zero; only their ratios matter. Rows of weight 0 count for nothing.
    cluster, strata : array_like, optional
        Labels: rows of a cluster (a customer, a flight, a team) depend on each other; clusters
        lie within strata.
    population : float or array_like, optional
        Clusters (rows, where no cluster is given) in the population, one number or one a stratum
        in order of appearance; gives the finite-population correction 1 - f, without `cluster` with
        the f of each row, ``sum(w) / (N w)``.
    raked_on : DataFrame, optional
        The margins that `rake` made the weights meet. The variance is then that of the residuals
        of the values on these margins, each from the other rows: what the margins explain varies
        no longer.
    level : float, optional
        Nominal coverage, a share.

    Returns
    -------
    DesignInterval
        All values equal: an interval of no width, and a CxWarning that says so.

    Raises
    ------
    CxError
        For missing values, weights that cannot be used, fewer than two clusters in a stratum, or
        a population smaller than the sample.

    References
    ----------
    MacKinnon, Nielsen & Webb 2023, Journal of Econometrics 232(2),
    doi:10.1016/j.jeconom.2022.04.001. Deville & Saerndal 1992, JASA 87(418),
    doi:10.1080/01621459.1992.10475217 (raked weights).

    Examples
    --------
    >>> r = weighted_mean([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 2, 2], cluster=list("aabbcc"))
    >>> round(r.estimate, 3), round(r.low, 3), round(r.high, 3), r.clusters
    (4.0, -2.057, 10.057, 3)
    """
    values = numbers("values", values)
    weights = weighed(weights, len(values))
    warn_of_no_width(values[weights > 0])
    return _design_mean(values, weights, cluster, strata, population, raked_on, level)


def _design_mean(values, weights, cluster, strata, population, raked_on, level) -> DesignInterval:
    mean = np.average(values, weights=weights)
    single = np.average((values - mean) ** 2, weights=weights)
    varying = values - mean if raked_on is None else _residuals(values, weights, raked_on)
    parts = _independent_units(varying, weights, cluster, strata, population)
    used, top, bottom, layer_of, population = parts
    variance, df = ratio_variance(top, bottom, layer_of, population, inclusion=cluster is None)
    half = float(critical_value(level, df)) * np.sqrt(variance)
    return DesignInterval(
        float(mean),
        float(mean - half),
        float(mean + half),
        float(level),
        float(used),
        "jackknife over independent units",
        "weighted mean",
        "",
        float(np.sqrt(variance)),
        df,
        len(top),
        _worth(single, variance, bottom, layer_of, population),
    )


def weighted_net_score(
    votes,
    weights=None,
    *,
    cluster=None,
    strata=None,
    population=None,
    raked_on: pd.DataFrame | None = None,
    level: float = 0.95,
    scale: float = 100.0,
) -> DesignInterval:
    """Weighted or clustered net score with a score interval through its effective n.

    The design variance V of the weighted mean of votes gives the effective number of answers
    ``n* = (p+ + p- - d^2) / V``; Tango's score interval is then taken for ``n* p+`` promoters and
    ``n* p-`` detractors, with Student's t for the normal critical value.

    Parameters
    ----------
    votes : array_like
        1 promoter, 0 passive, -1 detractor; one a row.
    weights, cluster, strata, population, raked_on, level
        As in `weighted_mean`.
    scale : float, optional
        100 gives points, 1 gives shares.

    Returns
    -------
    DesignInterval
        All votes equal, or no spread between clusters: n* is Kish's effective number of clusters.

    Raises
    ------
    CxError
        As `weighted_mean`, and for votes other than 1, 0 and -1.

    References
    ----------
    Tango 1998 as in `net_score`. Korn & Graubard 1998, Survey Methodology 24(2), 193-201 (the
    effective sample size in an interval for small counts). Franco et al. 2019, Journal of Survey
    Statistics and Methodology 7(3), doi:10.1093/jssam/smy019.

    Examples
    --------
    >>> r = weighted_net_score([1, 1, 0, -1, 1, 0], cluster=[1, 1, 2, 2, 3, 3])
    >>> round(r.estimate, 1), round(r.effective_n, 2)
    (33.3, 2.86)
    """
    check_level(level)
    votes = numbers("votes", votes)
    refuse(~np.isin(votes, (-1, 0, 1)), "votes other than 1, 0, -1", "1, 0 or -1")
    weights = weighed(weights, len(votes))
    whole = _design_mean(votes, weights, cluster, strata, population, raked_on, level)
    up, down = (np.average(votes == side, weights=weights) for side in (1, -1))
    worth, critical = whole.effective_n, float(critical_value(level, whole.df))
    low = high = up - down
    if np.isfinite(worth):
        low, high = net_score_limits(worth * up, worth * down, worth, critical)
    return DesignInterval(
        float(scale * (up - down)),
        float(scale * low),
        float(scale * high),
        float(level),
        whole.n,
        "score by effective n",
        "weighted net score",
        "points" if scale == 100 else "",
        float(scale * whole.standard_error),
        whole.df,
        whole.clusters,
        worth,
    )


def weighted_share(
    hits, weights=None, *, cluster=None, strata=None, population=None, level: float = 0.95
) -> DesignInterval:
    """Weighted or clustered share with Wilson's interval through its effective n.

    With ``n* = p (1 - p) / V``, V the design variance: all s with
    ``(p - s)^2 <= t^2 s (1 - s) / n*``, so that the limits stay within 0 and 1.

    Parameters
    ----------
    hits : array_like of 0 and 1
    weights, cluster, strata, population, level
        As in `weighted_mean`.

    Returns
    -------
    DesignInterval
        No hit, only hits, or no spread between clusters: n* is Kish's effective number of clusters.

    Raises
    ------
    CxError
        As `weighted_mean`, and for other values than 0 and 1.

    Notes
    -----
    t with clusters minus one allows for a design effect that is itself estimated. Few clusters of
    hardly more than one row each have little to estimate, and get wider limits than promised: a
    share of .3 of 12 customers with one to three answers each is covered some 97 % of the time
    for a promised 95 (``benchmarks/out/calibration.csv``, cells "clusters: share, ...").

    References
    ----------
    Wilson 1927, JASA 22(158), doi:10.1080/01621459.1927.10502953. Franco et al. 2019 as in
    `weighted_net_score`.

    Examples
    --------
    >>> r = weighted_share([1, 1, 0, 0, 0, 0], cluster=[1, 1, 2, 2, 3, 3])
    >>> round(r.estimate, 3), 0 < r.low < r.high < 1
    (0.333, True)
    """
    check_level(level)
    hits = numbers("hits", np.asarray(hits, dtype=float))
    refuse(~np.isin(hits, (0, 1)), "hits other than 0 and 1", "0 or 1")
    whole = _design_mean(
        hits, weighed(weights, len(hits)), cluster, strata, population, None, level
    )
    share, worth = whole.estimate, whole.effective_n
    low = high = share
    if np.isfinite(worth):
        critical = float(critical_value(level, whole.df)) ** 2 / worth
        middle = (share + critical / 2) / (1 + critical)
        half = np.sqrt(critical * (share * (1 - share) + critical / 4)) / (1 + critical)
        low = float(min(share, max(0.0, middle - half)))
        high = float(max(share, min(1.0, middle + half)))
    return DesignInterval(
        share,
        low,
        high,
        float(level),
        whole.n,
        "Wilson by effective n",
        "weighted share",
        "",
        whole.standard_error,
        whole.df,
        whole.clusters,
        worth,
    )
