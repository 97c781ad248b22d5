"""Missing items filled several times, so that not knowing them stays visible (plain functions)."""

from __future__ import annotations

import numpy as np

from cxlib.errors import CxError

__all__ = ["impute_normal", "pool"]

ROUNDS = 200
SETTLED = 1e-5
RIDGE = 1e-6
PATTERNS_AT_ONCE = 1000


def _patterns(values):
    """Rows by which items are missing: (missing items, rows) of each pattern that has some."""
    gaps = np.isnan(values)
    kinds, which = np.unique(gaps, axis=0, return_inverse=True)
    which = which.ravel()
    return [(kind, np.flatnonzero(which == i)) for i, kind in enumerate(kinds)]


def _regression(covariance, gap):
    """Coefficients and residual covariance of missing on known items."""
    known = ~gap
    cross = covariance[np.ix_(gap, known)]
    slope = np.linalg.solve(covariance[np.ix_(known, known)], cross.T).T
    return slope, covariance[np.ix_(gap, gap)] - slope @ cross.T


def _tallies(values, weights, patterns):
    """Of each pattern: known items (0 or 1), weight, weighted sums and products of known values."""
    known = np.array([~gap for gap, _ in patterns], dtype=float)
    zeroed = np.nan_to_num(values)
    parts = [(weights[rows], zeroed[rows]) for _, rows in patterns]
    total = np.array([w.sum() for w, _ in parts])
    first = np.array([w @ x for w, x in parts])
    second = np.array([(x.T * w) @ x for w, x in parts])
    return [
        tuple(part[i : i + PATTERNS_AT_ONCE] for part in (known, total, first, second))
        for i in range(0, len(parts), PATTERNS_AT_ONCE)
    ]


def _expected(mean, covariance, known, total, first, second):
    """Sums and products of rows whose gaps are filled by what is likely, over some patterns.

    With b the regression of gaps on known items, a filled row is ``m x + c``: m has 1 for known
    items and b for gaps, c is ``mean - b mean`` in the gaps, and x holds 0 there.
    """
    both = known[:, :, None] * known[:, None, :]
    inverse = np.linalg.inv(covariance * both + np.eye(len(mean)) * (1 - known)[:, :, None]) * both
    gap = 1 - known
    slope = gap[:, :, None] * (covariance @ inverse)
    rest = gap[:, :, None] * gap[:, None, :] * (covariance - slope @ covariance)
    move = slope + np.eye(len(mean)) * known[:, :, None]
    shift = gap * mean - slope @ mean
    moved = (move @ first[:, :, None])[:, :, 0]
    cross = moved[:, :, None] * shift[:, None, :]
    products = move @ second @ move.swapaxes(1, 2) + cross + cross.swapaxes(1, 2)
    products += total[:, None, None] * (shift[:, :, None] * shift[:, None, :] + rest)
    return (moved + total[:, None] * shift).sum(axis=0), products.sum(axis=0)


def _fit(values, weights, patterns):
    """Mean and covariance of incomplete normal rows by the EM algorithm, on sums by pattern."""
    total = weights.sum()
    centre = np.array(
        [np.average(c[~np.isnan(c)], weights=weights[~np.isnan(c)]) for c in values.T]
    )
    values = values - centre
    mean = np.zeros(len(centre))
    covariance = np.cov(np.nan_to_num(values).T, aweights=weights, ddof=0)
    covariance = covariance + RIDGE * np.eye(len(mean))
    tallies = _tallies(values, weights, patterns)
    for _ in range(ROUNDS):
        parts = [_expected(mean, covariance, *tally) for tally in tallies]
        mean, products = (sum(part) / total for part in zip(*parts, strict=True))
        new = products - np.outer(mean, mean)
        moved = np.abs(new - covariance).max() / np.abs(new).max()
        covariance = new
        if moved < SETTLED:
            break
    return centre + mean, covariance


def impute_normal(values, *, weights=None, cluster=None, imputations: int = 20, seed: int = 0):
    """Fill missing items by draws from a joint normal, its parameters drawn by a bootstrap.

    For each imputation rows (or whole clusters) are drawn with replacement, the EM algorithm
    gives mean and covariance, and each row's missing items are drawn given its known ones. Right
    where answering an item depends on known items, not on the missing answer itself. Filled
    values are not rounded to the scale: rounding would bend the correlations.

    Parameters
    ----------
    values : ndarray, (n, q)
        NaN where missing; no row without any known item.
    weights : ndarray, (n,), optional
    cluster : ndarray of int, (n,), optional
    imputations, seed : int, optional

    Yields
    ------
    ndarray, (n, q)

    References
    ----------
    Honaker & King 2010, American Journal of Political Science 54(2),
    doi:10.1111/j.1540-5907.2010.00447.x (bootstrap and EM).

    Examples
    --------
    >>> values = np.array([[1.0, 2.0], [2.0, 4.1], [3.0, 5.9], [4.0, np.nan]] * 5)
    >>> filled = np.mean(list(impute_normal(values, imputations=20)), axis=0)
    >>> bool(abs(filled[3, 1] - 8) < 0.3), filled[0].tolist()
    (True, [1.0, 2.0])
    """
    values = np.asarray(values, dtype=float)
    if np.isnan(values).all(axis=1).any():
        raise CxError("A row without any known item cannot be filled; leave it out.")
    weights = np.ones(len(values)) if weights is None else weights
    rng = np.random.default_rng(seed)
    scale = np.nanstd(values, axis=0)
    scaled = values / np.where(scale > 0, scale, 1.0)
    patterns = _patterns(scaled)
    units = len(values) if cluster is None else cluster.max() + 1
    for _ in range(imputations):
        counts = np.bincount(rng.integers(0, units, units), minlength=units)
        drawn = weights * (counts if cluster is None else counts[cluster])
        some = drawn > 0
        mean, covariance = _fit(scaled[some], drawn[some], _patterns(scaled[some]))
        filled = scaled.copy()
        for gap, rows in patterns:
            if gap.any():
                slope, rest = _regression(covariance, gap)
                away = scaled[np.ix_(rows, ~gap)] - mean[~gap]
                roots, vectors = np.linalg.eigh(rest)
                noise = rng.normal(size=(len(rows), gap.sum())) * np.sqrt(np.maximum(roots, 0))
                filled[np.ix_(rows, gap)] = mean[gap] + away @ slope.T + noise @ vectors.T
        yield filled * np.where(scale > 0, scale, 1.0)


def pool(estimates, variances, units: float):
    """Rubin's rules: one estimate, its standard error and degrees of freedom from several.

    ``T = W + (1 + 1 / m) B``: the mean variance within imputations and the variance between
    them. Degrees of freedom by Barnard and Rubin, with `units` - 1 for complete data.

    Parameters
    ----------
    estimates, variances : ndarray, (m, ...)
    units : float

    Returns
    -------
    estimate, error, df, share : ndarray
        `share` is the share of the variance that is due to missing items.

    References
    ----------
    Barnard & Rubin 1999, Biometrika 86(4), doi:10.1093/biomet/86.4.948.

    Examples
    --------
    >>> [v.round(2).item() for v in pool(np.array([1.0, 2.0, 3.0]), np.full(3, 1.0), 100)]
    [2.0, 1.53, 5.34, 0.57]
    """
    m = len(estimates)
    within = variances.mean(axis=0)
    between = (1 + 1 / m) * estimates.var(axis=0, ddof=1)
    total = within + between
    share = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    complete = units - 1.0
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    large = (m - 1) / np.maximum(share, 1e-12) ** 2
    return estimates.mean(axis=0), np.sqrt(total), 1 / (1 / large + 1 / observed), share
