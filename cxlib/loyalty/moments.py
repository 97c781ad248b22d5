"""Means and covariances of weighted rows, and of thousands of resamplings of them at once.

A bootstrap of anything that covariances decide needs no rows: each row (or cluster of rows)
becomes one line of sums, and all replicates are one matrix product with how often each was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Moments", "moments"]

CELLS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Moments:
    """Weighted means and covariances, of the rows (first) and of each resampling (after it).

    Attributes
    ----------
    mean : ndarray, (1 + replicates, q)
    covariance : ndarray, (1 + replicates, q, q)
        Divided by the sum of weights.
    """

    mean: np.ndarray
    covariance: np.ndarray


def _sums(values, weights):
    """Each row's weight, weighted values and weighted products (upper triangle)."""
    above = np.triu_indices(values.shape[1])
    products = values[:, above[0]] * values[:, above[1]]
    return weights[:, None] * np.column_stack([np.ones(len(values)), values, products])


def _drawn(rng, units: int, replicates: int):
    """How often each unit is drawn, in batches (rows, units)."""
    rows = max(1, CELLS_AT_ONCE // units)
    for start in range(0, replicates, rows):
        number = min(rows, replicates - start)
        places = rng.integers(0, units, (number, units), dtype=np.int64)
        places += units * np.arange(number)[:, None]
        yield np.bincount(places.ravel(), minlength=number * units).reshape(number, units)


def _finished(sums, q: int) -> Moments:
    above = np.triu_indices(q)
    total = sums[:, :1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums[:, 1 : q + 1] / total
        square = sums[:, q + 1 :] / total
    covariance = np.empty((len(sums), q, q))
    covariance[:, above[0], above[1]] = square - mean[:, above[0]] * mean[:, above[1]]
    covariance[:, above[1], above[0]] = covariance[:, above[0], above[1]]
    return Moments(mean, covariance)


def moments(values, weights=None, *, cluster=None, parts=None, replicates: int = 0, seed: int = 0):
    """Moments of rows and of their resamplings.

    Parameters
    ----------
    values : ndarray, (n, q)
    weights : ndarray, (n,), optional
    cluster : ndarray of int, (n,), optional
        Codes 0..G-1: whole clusters are drawn; rows otherwise.
    parts : list of ndarray of bool, (n,), optional
        Moments of these rows each, all from the same draws.
    replicates, seed : int, optional

    Returns
    -------
    Moments, or list of Moments with parts

    Examples
    --------
    >>> found = moments(np.array([[0.0], [2.0]]), replicates=3)
    >>> found.mean[0], found.covariance[0], found.covariance.shape
    (array([1.]), array([[1.]]), (4, 1, 1))
    """
    values = np.asarray(values, dtype=float)
    weights = np.ones(len(values)) if weights is None else weights
    q = values.shape[1]
    centre = weights @ values / weights.sum()
    lines = _sums(values - centre, weights)
    blocks = [lines] if parts is None else [lines * part[:, None] for part in parts]
    if cluster is not None:
        count = cluster.max() + 1
        blocks = [
            np.column_stack([np.bincount(cluster, column, count) for column in block.T])
            for block in blocks
        ]
    units = np.hstack(blocks)
    rng = np.random.default_rng(seed)
    drawn = [counts.astype(float) @ units for counts in _drawn(rng, len(units), replicates)]
    sums = np.vstack([units.sum(axis=0), *drawn])
    found = []
    for block in np.hsplit(sums, len(blocks)):
        one = _finished(block, q)
        found.append(Moments(one.mean + centre, one.covariance))
    return found[0] if parts is None else found
