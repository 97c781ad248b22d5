"""How far chains of draws can be trusted: split R-hat and effective sizes."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["effective_draws", "r_hat"]


def r_hat(values: np.ndarray) -> float:
    """Rank-normalised split R-hat of chains, shape (chains, draws): near 1 where they agree.

    The larger of that of the values and that of their distances from the median (Vehtari et al.
    2021, doi:10.1214/20-BA1221).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> apart = rng.normal(size=(4, 500)) + [[0], [0], [0], [3]]
    >>> bool(r_hat(rng.normal(size=(4, 500))) < 1.02 < 1.1 < r_hat(apart))
    True
    """
    away = np.abs(values - np.median(values))
    return max(spread_ratio(normal_scores(halves(v))) for v in (values, away))


def effective_draws(values: np.ndarray, *, ranked: bool = True) -> float:
    """Bulk effective sample size of chains, shape (chains, draws).

    Of the rank-normalised halves of the chains, autocorrelations summed by pairs while these are
    positive and falling (Geyer 1992, doi:10.1214/ss/1177011137); with ``ranked`` False of the
    values as they are, which is what the error of their mean needs.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> steps = rng.normal(size=(4, 1000))
    >>> bool(3000 < effective_draws(steps) < 5000), bool(effective_draws(steps.cumsum(axis=1)) < 50)
    (True, True)
    """
    scores = normal_scores(halves(values)) if ranked else halves(values)
    chains, draws = scores.shape
    centred = scores - scores.mean(axis=1, keepdims=True)
    size = 1 << (2 * draws - 1).bit_length()
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    covariance = np.fft.irfft(power, size)[:, :draws].mean(axis=0) / draws
    if covariance[0] == 0:
        return np.nan
    within = covariance[0] * draws / (draws - 1)
    whole = covariance[0] + scores.mean(axis=1).var(ddof=1)
    correlation = 1 - (within - covariance) / whole
    correlation[0] = 1
    pairs = correlation[: draws // 2 * 2].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs < 0)
    pairs = np.minimum.accumulate(pairs[: ends[0]] if len(ends) else pairs)
    time = max(2 * pairs.sum() - 1, 1 / np.log10(chains * draws))
    return float(chains * draws / time)


def halves(values):
    half = values.shape[1] // 2
    return np.concatenate([values[:, :half], values[:, -half:]])


def normal_scores(values):
    ranks = rankdata(values, axis=None).reshape(values.shape)
    return ndtri((ranks - 0.375) / (values.size + 0.25))


def spread_ratio(values):
    draws = values.shape[1]
    within = values.var(axis=1, ddof=1).mean()
    between = draws * values.mean(axis=1).var(ddof=1)
    if within == 0:
        return np.inf if between else np.nan
    return float(np.sqrt(((draws - 1) / draws * within + between / draws) / within))
