"""Ranks with the luck in them: which places each item may hold, for all items together."""

from __future__ import annotations

import numpy as np

from cxlib.errors import CxError
from cxlib.stats.checks import check_level, numbers

__all__ = ["rank_intervals"]


def rank_intervals(estimates, draws, *, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous intervals for the ranks of items, 1 = largest, from bootstrap replicates.

    The largest ``|d*_jk - d_jk| / se_jk`` over all pairs, ``d_jk`` the difference of two
    estimates, has a quantile c under resampling; pairs with ``|d_jk| > c se_jk`` are told apart,
    and c is drawn again over the others until no pair is added. An item is then surely below as
    many as are told to be larger, and surely above as many as are told to be smaller. With
    probability `level` the true ranks of all items lie inside at once; ties in truth share every
    place they could hold.

    Parameters
    ----------
    estimates : array_like, (p,)
    draws : array_like, (replicates, p)
        The same estimates in each replicate, drawn together.
    level : float, optional
        Nominal simultaneous coverage, a share; a bound, coverage is often higher.

    Returns
    -------
    first, last : ndarray of int, (p,)
        Best and worst rank of each item.

    Raises
    ------
    CxError
        Missing values, one item, or shapes that do not fit.

    References
    ----------
    Mogstad, Romano, Shaikh & Wilhelm 2024, Review of Economic Studies 91(1),
    doi:10.1093/restud/rdad006.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> first, last = rank_intervals([5, 1, 0.9], [5, 1, 0.9] + rng.normal(0, 0.5, (999, 3)))
    >>> first.tolist(), last.tolist()
    ([1, 2, 2], [1, 3, 3])
    """
    check_level(level)
    estimates = numbers("estimates", estimates, least=2)
    draws = numbers("draws", draws, least=2, ndim=2)
    if draws.shape[1] != len(estimates):
        raise CxError(f"One column of draws an item: {draws.shape[1]} for {len(estimates)}.")
    a, b = np.triu_indices(len(estimates), 1)
    difference = estimates[a] - estimates[b]
    moved = draws[:, a] - draws[:, b]
    error = moved.std(axis=0, ddof=1)
    moved = np.abs(moved - difference)
    safe = np.where(error > 0, error, 1.0)
    moved /= safe
    apart = np.abs(difference) / safe
    told = (error == 0) & (difference != 0)
    open_ = error > 0
    while open_.any():
        found = open_ & (apart > np.quantile(moved[:, open_].max(axis=1), level))
        if not found.any():
            break
        told |= found
        open_ &= ~found
    above, below = np.where(difference > 0, a, b)[told], np.where(difference > 0, b, a)[told]
    p = len(estimates)
    return 1 + np.bincount(below, minlength=p), p - np.bincount(above, minlength=p)
