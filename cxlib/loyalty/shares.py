"""How much of R2 each driver earns: Shapley values (LMG) and Johnson's weights of covariances.

Plain functions on stacks of covariance matrices, the outcome in the last row and column. A driver
that the others (nearly) determine adds nothing where it comes after them, and nothing breaks.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb

import numpy as np

__all__ = ["coefficients", "explained", "johnson", "lmg", "sampled_lmg"]

CELLS_AT_ONCE = 100_000
SAMPLED_CELLS = 400_000
NOTHING_LEFT = 1e-10


def _correlations(covariances: np.ndarray) -> np.ndarray:
    """Correlation matrices; a row without variance becomes zero."""
    spread = np.sqrt(np.maximum(np.diagonal(covariances, axis1=-2, axis2=-1), 0.0))
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    return covariances * scale[..., :, None] * scale[..., None, :]


def _sweep(matrix: np.ndarray) -> np.ndarray:
    """Partial the first variable out of the others; axes (row, column, ...)."""
    first = matrix[0, 1:]
    with np.errstate(divide="ignore"):
        factor = np.where(matrix[0, 0] > NOTHING_LEFT, 1.0 / matrix[0, 0], 0.0)
    return matrix[1:, 1:] - (first * factor)[:, None] * first[None]


def explained(correlations: np.ndarray) -> np.ndarray:
    """R2 of every subset of drivers, (2^p, batch), from correlations with axes (q, q, batch).

    One variable after the other is either dropped or swept, so that all subsets share their
    sweeps: about 3 x 2^p multiplications a matrix. Bit j of a row's number says whether driver j
    is in. Upper triangles only, row by row.
    """
    q = len(correlations)
    rows = [correlations[i, i:, None, :] for i in range(q)]
    while len(rows) > 1:
        first, rest = rows[0], rows[1:]
        with np.errstate(divide="ignore"):
            factor = np.where(first[0] > NOTHING_LEFT, 1.0 / first[0], 0.0)
        scaled, rows = first[1:] * factor, []
        for i, row in enumerate(rest):
            width, nodes, batch = row.shape
            both = np.empty((width, 2, nodes, batch))
            both[:, 0] = row
            np.multiply(scaled[i], first[1 + i :], out=both[:, 1])
            np.subtract(row, both[:, 1], out=both[:, 1])
            rows.append(both.reshape(width, 2 * nodes, batch))
    return correlations[-1, -1] - rows[0][0]


@lru_cache(maxsize=4)
def _shapley_weights(p: int) -> np.ndarray:
    """(p, 2^p): what each subset's R2 counts in each driver's Shapley value."""
    member = (np.arange(2**p) >> np.arange(p)[:, None]) & 1
    size = member.sum(axis=0)
    joined = np.array([0.0] + [1 / (p * comb(p - 1, s - 1)) for s in range(1, p + 1)])
    absent = np.array([1 / (p * comb(p - 1, s)) for s in range(p)] + [0.0])
    return np.where(member == 1, joined[size], -absent[size])


def lmg(covariances) -> np.ndarray:
    """Shapley values of the drivers in R2 (Lindeman, Merenda & Gold), exact over all 2^p subsets.

    ``sum over S without j of |S|! (p - |S| - 1)! / p! (R2(S + j) - R2(S))``: what j adds, averaged
    over all orders of the drivers. They are never negative and sum to R2.

    Parameters
    ----------
    covariances : array_like, (..., p + 1, p + 1)
        Outcome last.

    Returns
    -------
    ndarray, (..., p)

    References
    ----------
    Lindeman, Merenda & Gold 1980, Introduction to Bivariate and Multivariate Analysis.
    Groemping 2007, The American Statistician 61(2), doi:10.1198/000313007X188252.

    Examples
    --------
    >>> lmg([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]]).round(2)
    array([0.36, 0.09])
    """
    covariances = np.asarray(covariances, dtype=float)
    shape, q = covariances.shape[:-2], covariances.shape[-1]
    stack = np.moveaxis(_correlations(covariances).reshape(-1, q, q), 0, -1)
    weights = _shapley_weights(q - 1)
    batch = max(4, CELLS_AT_ONCE // weights.shape[1])
    found = np.empty((stack.shape[-1], q - 1))
    for first in range(0, len(found), batch):
        part = np.ascontiguousarray(stack[..., first : first + batch])
        found[first : first + batch] = (weights @ explained(part)).T
    return found.reshape(*shape, q - 1)


def sampled_lmg(covariances, orders: np.ndarray) -> np.ndarray:
    """What each driver adds to R2 in each of some orders, (orders, ..., p); the mean estimates LMG.

    Parameters
    ----------
    covariances : array_like, (..., p + 1, p + 1)
    orders : ndarray of int, (orders, p)
        Permutations of the drivers.

    Examples
    --------
    >>> sampled_lmg([[1, 0.5, 0.5], [0.5, 1, 0], [0.5, 0, 1]], np.array([[0, 1], [1, 0]])).round(3)
    array([[0.25 , 0.083],
           [0.333, 0.   ]])
    """
    covariances = np.asarray(covariances, dtype=float)
    shape, q = covariances.shape[:-2], covariances.shape[-1]
    stack = np.moveaxis(_correlations(covariances).reshape(-1, q, q), 0, -1)
    size = stack.shape[-1]
    added = np.empty((len(orders), q - 1, size))
    some = max(1, SAMPLED_CELLS // (q * q * size))
    for first in range(0, len(orders), some):
        part = orders[first : first + some]
        places = np.column_stack([part, np.full(len(part), q - 1)]).T
        matrix = stack[places[:, None], places[None]]
        numbers = first + np.arange(len(part))
        for drivers in part.T:
            left = matrix[-1, -1]
            matrix = _sweep(matrix)
            added[numbers, drivers] = left - matrix[-1, -1]
    return np.moveaxis(added, 1, -1).reshape(len(orders), *shape, q - 1)


def johnson(covariances) -> np.ndarray:
    """Johnson's relative weights: R2 divided by the nearest uncorrelated stand-ins of the drivers.

    With correlations R = V D V' among drivers and r with the outcome, ``L = V sqrt(D) V'`` joins
    drivers and stand-ins, ``b = L^-1 r``, and the weights are ``L^2 b^2``. They sum to R2.

    Parameters
    ----------
    covariances : array_like, (..., p + 1, p + 1)
        Outcome last.

    Returns
    -------
    ndarray, (..., p)

    References
    ----------
    Johnson 2000, Multivariate Behavioral Research 35(1), doi:10.1207/S15327906MBR3501_1.

    Examples
    --------
    >>> johnson([[1, 0, 0.6], [0, 1, 0.3], [0.6, 0.3, 1]]).round(2)
    array([0.36, 0.09])
    """
    correlations = _correlations(np.asarray(covariances, dtype=float))
    roots, vectors = np.linalg.eigh(correlations[..., :-1, :-1])
    kept = roots > NOTHING_LEFT
    root = np.sqrt(np.where(kept, roots, 0.0))
    inverse = np.divide(1.0, root, out=np.zeros_like(root), where=kept)
    join = (vectors * root[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    along = np.swapaxes(vectors, -1, -2) @ correlations[..., :-1, -1:]
    slope = vectors @ (inverse[..., None] * along)
    return (join**2 @ slope**2)[..., 0]


def coefficients(covariances) -> np.ndarray:
    """Standardised regression coefficients, (..., p).

    Examples
    --------
    >>> coefficients([[1, 0.5, 0.6], [0.5, 1, 0.3], [0.6, 0.3, 1]]).round(2) + 0.0
    array([0.6, 0. ])
    """
    correlations = _correlations(np.asarray(covariances, dtype=float))
    among, towards = correlations[..., :-1, :-1], correlations[..., :-1, -1:]
    try:
        return np.linalg.solve(among, towards)[..., 0]
    except np.linalg.LinAlgError:
        inverse = np.linalg.pinv(among, rcond=NOTHING_LEFT, hermitian=True)
        return (inverse @ towards)[..., 0]
