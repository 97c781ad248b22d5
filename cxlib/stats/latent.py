"""Correlations of the normal variables behind ordered answers."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from cxlib.errors import CxError
from cxlib.stats.checks import numbers

__all__ = ["polychoric", "polychoric_stack"]

MOST_ANSWERS = 11
NODES, MASSES = np.polynomial.legendre.leggauss(12)
STEPS = 12
LARGEST = 0.999
CELLS_AT_ONCE = 1_000_000


def _cumulative(h, k, rho):
    """P(X <= h, Y <= k) of a standard bivariate normal; h (..., a, 1), k (..., 1, b), rho (...)."""
    angle = np.arcsin(rho)[..., None, None]
    total = np.zeros(np.broadcast_shapes(h.shape, k.shape))
    squares, product = h * h + k * k, h * k
    for node, mass in zip(NODES, MASSES, strict=True):
        theta = angle * (1 + node) / 2
        sine, cosine = np.sin(theta), np.cos(theta)
        total += mass * np.exp(-(squares - 2 * product * sine) / (2 * cosine**2))
    return ndtr(h) * ndtr(k) + angle * total / (4 * np.pi)


def _density(h, k, rho):
    rho = rho[..., None, None]
    rest = 1 - rho**2
    return np.exp(-(h * h + k * k - 2 * h * k * rho) / (2 * rest)) / (2 * np.pi * np.sqrt(rest))


def _cells(inner, shape, row_edge, column_edge):
    """Differences of a cumulative table with known edges."""
    full = np.zeros(shape)
    full[..., 1:-1, 1:-1] = inner
    full[..., 1:-1, -1] = row_edge
    full[..., -1, 1:-1] = column_edge
    return full


def _solve(tables: np.ndarray) -> np.ndarray:
    """Two-step polychoric correlations of tables (batch, a, b): thresholds from the margins."""
    total = tables.sum(axis=(1, 2), keepdims=True)
    shares = tables / total
    below_row = np.clip(np.cumsum(shares.sum(axis=2), axis=1)[:, :-1], 0, 1)
    below_column = np.clip(np.cumsum(shares.sum(axis=1), axis=1)[:, :-1], 0, 1)
    h = np.clip(ndtri(below_row), -8, 8)[:, :, None]
    k = np.clip(ndtri(below_column), -8, 8)[:, None, :]
    a, b = tables.shape[1:]
    rows, columns = np.arange(a), np.arange(b)
    mean_row = shares.sum(axis=2) @ rows
    mean_column = shares.sum(axis=1) @ columns
    cross = np.einsum("nab,a,b->n", shares, rows, columns) - mean_row * mean_column
    spread = np.sqrt(
        (shares.sum(axis=2) @ rows**2 - mean_row**2)
        * (shares.sum(axis=1) @ columns**2 - mean_column**2)
    )
    rho = np.clip(np.divide(cross, spread, out=np.zeros_like(cross), where=spread > 0), -0.95, 0.95)
    edge = (len(tables), a + 1, b + 1)
    for _ in range(STEPS):
        cumulative = _cells(_cumulative(h, k, rho), edge, below_row, below_column)
        cumulative[:, -1, -1] = 1.0
        chance = np.maximum(np.diff(np.diff(cumulative, axis=1), axis=2), 1e-12)
        slope = np.diff(np.diff(_cells(_density(h, k, rho), edge, 0, 0), axis=1), axis=2)
        score = (shares * slope / chance).sum(axis=(1, 2))
        information = (slope**2 / chance).sum(axis=(1, 2))
        step = np.divide(score, information, out=np.zeros_like(score), where=information > 0)
        rho = np.clip(rho + np.clip(step, -0.3, 0.3), -LARGEST, LARGEST)
        if np.abs(step).max() < 1e-7:
            break
    return rho


def polychoric(first, second) -> float:
    """Correlation of two normal variables that were cut into ordered answers.

    Two steps: thresholds from the margins, then the correlation by maximum likelihood (Fisher
    scoring).

    Parameters
    ----------
    first, second : array_like
        Answers on ordered scales, one pair a row, at most 11 different ones each.

    Returns
    -------
    float

    Raises
    ------
    CxError
        Missing or constant answers, or too many different ones.

    References
    ----------
    Olsson 1979, Psychometrika 44(4), doi:10.1007/BF02296207.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> x, y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 4000).T
    >>> round(polychoric(np.digitize(x, [-1, 0.5]), np.digitize(y, [0, 1])), 1)
    0.6
    """
    values = np.column_stack([numbers("first", first, least=2), numbers("second", second, least=2)])
    return float(polychoric_stack(values)[0, 0, 1])


def polychoric_stack(values, *, weights=None, cluster=None, replicates: int = 0, seed: int = 0):
    """Polychoric correlation matrices of rows (first) and of their resamplings.

    Parameters
    ----------
    values : ndarray, (n, q)
        Ordered answers, at most 11 different ones a column.
    weights : ndarray, (n,), optional
    cluster : ndarray of int, (n,), optional
        Codes 0..G-1; whole clusters are drawn.
    replicates, seed : int, optional

    Returns
    -------
    ndarray, (1 + replicates, q, q)
    """
    values = np.asarray(values, dtype=float)
    n, q = values.shape
    codes, sizes = [], []
    for place, column in enumerate(values.T):
        kinds, code = np.unique(column, return_inverse=True)
        if not 2 <= len(kinds) <= MOST_ANSWERS:
            raise CxError(
                f"Latent correlations need 2 to {MOST_ANSWERS} different answers a column: "
                f"column {place + 1} has {len(kinds):,}."
            )
        codes.append(code.ravel())
        sizes.append(len(kinds))
    units = n if cluster is None else int(cluster.max()) + 1
    weights = np.ones(n) if weights is None else weights
    rng = np.random.default_rng(seed)
    counts = np.ones((1 + replicates, units))
    for start in range(1, 1 + replicates, max(1, CELLS_AT_ONCE // units)):
        stop = min(1 + replicates, start + max(1, CELLS_AT_ONCE // units))
        places = rng.integers(0, units, (stop - start, units))
        places += units * np.arange(stop - start)[:, None]
        tally = np.bincount(places.ravel(), minlength=(stop - start) * units)
        counts[start:stop] = tally.reshape(-1, units)
    found = np.broadcast_to(np.eye(q), (1 + replicates, q, q)).copy()
    row_unit = np.arange(n) if cluster is None else cluster
    for i, j in zip(*np.triu_indices(q, 1), strict=True):
        cell = codes[i] * sizes[j] + codes[j]
        width = sizes[i] * sizes[j]
        lines = np.bincount(row_unit * width + cell, weights, units * width).reshape(units, width)
        rho = _solve((counts @ lines).reshape(-1, sizes[i], sizes[j]))
        found[:, i, j] = found[:, j, i] = rho
    return found
