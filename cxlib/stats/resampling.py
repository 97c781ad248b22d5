"""Resampling where it pays: on counts, where a million answers are eleven numbers, and clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, counts, numbers
from cxlib.stats.interval import Interval
from cxlib.stats.ratios import cluster_totals

__all__ = ["Bootstrap", "bootstrap_clusters", "bootstrap_counts"]

CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Bootstrap(Interval):
    """An interval by resampling, with its replicates.

    Attributes
    ----------
    draws : ndarray
        The statistic in each replicate.
    """

    draws: np.ndarray = field(default_factory=lambda: np.empty(0), repr=False)

    def to_frame(self):
        """One row, without the replicates."""
        return super().to_frame().drop(columns="draws").iloc[:1]


def bootstrap_counts(
    counts_,
    values=None,
    *,
    statistic: Callable[[np.ndarray], np.ndarray] | None = None,
    replicates: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """Percentile bootstrap of answers on a scale, drawn as multinomial counts.

    Resampling n answers with replacement is drawing the counts of the scale from
    Multinomial(n, counts / n): the same distribution at a cost that does not grow with n.

    Parameters
    ----------
    counts_ : array_like
        How often each answer was given; whole numbers of 0 or more, at least one answer.
    values : array_like, optional
        What each answer is worth; the statistic is then the mean worth. NPS in points:
        ``[-100] * 7 + [0] * 2 + [100] * 2``. Answers of one worth are drawn together.
    statistic : callable, optional
        Instead of `values`: takes (replicates, answers) counts, gives one number a row.
    replicates, seed : int, optional
        Size and stream of the draw.
    level : float, optional
        Nominal coverage, a share.

    Returns
    -------
    Bootstrap
        All answers equal give an interval of no width, as resampling must; use `net_score` there.

    Raises
    ------
    CxError
        For negative or broken counts, no answer, or both or neither of values and statistic.

    References
    ----------
    Efron 1979, Annals of Statistics 7(1), doi:10.1214/aos/1176344552.

    Examples
    --------
    >>> r = bootstrap_counts([20, 30, 50], [-100, 0, 100])
    >>> r.estimate, 13 < r.low < 16, 44 < r.high < 47
    (30.0, True, True)
    """
    check_level(level)
    (tally,) = counts(counts=np.atleast_1d(counts_))
    if (values is None) == (statistic is None):
        raise CxError("Give either values (what each answer is worth) or statistic.")
    if tally.ndim != 1 or (tally != np.round(tally)).any() or tally.sum() < 1 or replicates < 1:
        raise CxError(
            "A bootstrap on counts needs one row of whole counts, at least one answer and one "
            f"replicate: found {tally.sum():g} answers, {replicates} replicates."
        )
    if values is not None:
        values = numbers("values", values)
        if values.shape != tally.shape:
            raise CxError(f"One value an answer: {values.size} values for {tally.size} counts.")
        values, place = np.unique(values, return_inverse=True)
        tally = np.bincount(place, tally)
        worth = values / tally.sum()

        def statistic(drawn):
            return drawn @ worth

    rng = np.random.default_rng(seed)
    size = int(tally.sum())
    draws = np.asarray(statistic(rng.multinomial(size, tally / size, replicates)), dtype=float)
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    return Bootstrap(
        float(np.asarray(statistic(tally[None, :]))[0]),
        float(low),
        float(high),
        float(level),
        float(size),
        "multinomial bootstrap",
        "mean worth" if values is not None else "statistic",
        draws=draws,
    )


def bootstrap_clusters(
    numerators,
    denominators=None,
    *,
    cluster,
    replicates: int = 1999,
    level: float = 0.95,
    seed: int = 0,
) -> Bootstrap:
    """Studentised bootstrap of a mean or ratio of totals that draws whole clusters.

    Each replicate draws G clusters with replacement and forms ``(R* - R) / se*``; its quantiles
    replace Student's t. ``se*^2 = G / (G - 1) sum (y_g - R* x_g)^2 / (sum x_g)^2``.

    Parameters
    ----------
    numerators, denominators : array_like
        y and x, one pair a row; x is 1 by default, so that R is the mean of y. Weighted means:
        w * y and w.
    cluster : array_like
        Labels of rows that depend on each other; ten or more clusters.
    replicates, seed : int, optional
        Size and stream of the draw.
    level : float, optional
        Nominal coverage, a share.

    Returns
    -------
    Bootstrap

    Raises
    ------
    CxError
        For missing values, fewer than ten clusters, no spread between clusters, or denominators
        that sum to zero.

    References
    ----------
    Cameron, Gelbach & Miller 2008, Review of Economics and Statistics 90(3),
    doi:10.1162/rest.90.3.414.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> team = np.repeat(np.arange(20), 5)
    >>> r = bootstrap_clusters(rng.normal(5, 1, 100) + rng.normal(0, 1, 20)[team], cluster=team)
    >>> r.low < r.estimate < r.high
    True
    """
    check_level(level)
    denominators = np.ones(np.size(numerators)) if denominators is None else denominators
    top, bottom = cluster_totals(numerators, denominators, cluster)
    size = len(top)
    if size < 10:
        raise CxError(f"A cluster bootstrap needs ten clusters or more: found {size}.")
    if replicates < 1:
        raise CxError(f"replicates must be 1 or more: found {replicates}.")
    moments = np.column_stack([top, bottom, top * top, top * bottom, bottom * bottom])

    def estimate_and_error(sums):
        y, x, yy, yx, xx = np.moveaxis(sums, -1, 0)
        estimate = y / x
        spread = np.maximum(yy - 2 * estimate * yx + estimate**2 * xx, 0.0)
        return estimate, np.sqrt(spread * size / (size - 1)) / np.abs(x)

    estimate, error = estimate_and_error(moments.sum(axis=0))
    if not error > 1e-12 * abs(estimate):
        raise CxError("The clusters show no spread, so resampling them cannot tell luck.")
    rng = np.random.default_rng(seed)
    rows = max(1, CELLS_AT_ONCE // size)
    parts = []
    for start in range(0, replicates, rows):
        number = min(rows, replicates - start)
        drawn = rng.multinomial(size, np.full(size, 1 / size), number)
        parts.append(estimate_and_error(drawn @ moments))
    draws, errors = (np.concatenate(part) for part in zip(*parts, strict=True))
    usable = errors > 0
    studentised = (draws[usable] - estimate) / errors[usable]
    upper, lower = np.quantile(studentised, [0.5 + level / 2, 0.5 - level / 2])
    return Bootstrap(
        float(estimate),
        float(estimate - upper * error),
        float(estimate - lower * error),
        float(level),
        float(size),
        "studentised cluster bootstrap",
        "ratio",
        draws=draws,
    )
