"""Groups of like rows by k-means, and how well two groupings agree (plain functions)."""

from __future__ import annotations

import numpy as np

__all__ = ["adjusted_rand", "jaccard", "kmeans", "nearest"]

ROUNDS = 30


def nearest(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Number of the nearest centre of each row."""
    return ((centres**2).sum(axis=1) - 2 * values @ centres.T).argmin(axis=1)


def _spread_out(values, k, rng):
    """Starting centres, each new one drawn far from those before (k-means++)."""
    centres = [values[rng.integers(len(values))]]
    away = ((values - centres[0]) ** 2).sum(axis=1)
    for _ in range(k - 1):
        total = away.sum()
        chance = away / total if total > 0 else None
        centres.append(values[rng.choice(len(values), p=chance)])
        away = np.minimum(away, ((values - centres[-1]) ** 2).sum(axis=1))
    return np.array(centres)


def kmeans(values, k: int, *, starts: int = 5, seed: int = 0):
    """Centres (largest group first) and the sum of squares within groups, best of some starts.

    Parameters
    ----------
    values : ndarray, (n, q)
    k : int
    starts, seed : int, optional

    Returns
    -------
    centres : ndarray, (k, q)
    within : float

    References
    ----------
    Lloyd 1982, IEEE Transactions on Information Theory 28(2), doi:10.1109/TIT.1982.1056489.

    Examples
    --------
    >>> centres, within = kmeans(np.array([[0.0], [0.2], [0.4], [5.0], [5.2]]), 2)
    >>> centres.round(1).tolist(), round(within, 2)
    ([[0.2], [5.1]], 0.1)
    """
    rng = np.random.default_rng(seed)
    best = (np.inf, None)
    for _ in range(starts):
        centres, before = _spread_out(values, k, rng), None
        for _ in range(ROUNDS):
            label = nearest(values, centres)
            if before is not None and (label == before).all():
                break
            member = np.eye(k)[label]
            size = member.sum(axis=0)
            filled = size > 0
            centres[filled] = (member.T @ values)[filled] / size[filled, None]
            before = label
        within = float(((values - centres[label]) ** 2).sum())
        if within < best[0]:
            best = (within, centres[np.argsort(-size, kind="stable")])
    return best[1], best[0]


def jaccard(first: np.ndarray, second: np.ndarray, k: int) -> np.ndarray:
    """For each group of the first grouping the largest overlap with one of the second, (k,).

    Overlap is the size of the intersection over that of the union.

    Examples
    --------
    >>> jaccard(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 1]), 2).round(2)
    array([0.67, 0.5 ])
    """
    both = np.bincount(first * k + second, minlength=k * k).reshape(k, k)
    union = both.sum(axis=1)[:, None] + both.sum(axis=0) - both
    return (both / np.maximum(union, 1)).max(axis=1)


def adjusted_rand(first: np.ndarray, second: np.ndarray, k: int) -> float:
    """Adjusted Rand index: 1 for equal groupings, 0 on average for unrelated ones.

    References
    ----------
    Hubert & Arabie 1985, Journal of Classification 2(1), doi:10.1007/BF01908075.

    Examples
    --------
    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]), 2)
    1.0
    """
    both = np.bincount(first * k + second, minlength=k * k).reshape(k, k).astype(float)

    def pairs(counts):
        return (counts * (counts - 1) / 2).sum()

    rows, columns = pairs(both.sum(axis=1)), pairs(both.sum(axis=0))
    expected = rows * columns / pairs(both.sum())
    largest = (rows + columns) / 2
    return float((pairs(both) - expected) / (largest - expected)) if largest > expected else 1.0
