"""How good predictions are: discrimination and accuracy, for many reweighted samples at once.

Every function takes weights of shape (replicates, n), such as the counts of a bootstrap, and
gives one number a replicate.
"""

from __future__ import annotations

import numpy as np

__all__ = ["accuracy", "auc_pairs", "rank_correlation"]


def _tied_sums(weights: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.add.reduceat(weights, starts, axis=1)


def _by_score(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf) > 0)
    return order, starts


def auc_pairs(scores, events, weights) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of an event and a non-event that the scores put in order (ties half), and all pairs.

    Their ratio is the area under the ROC curve (AUC); summed over held-out parts first, it
    compares only rows that one fitted model has scored.

    References
    ----------
    Hanley & McNeil 1982, Radiology 143(1), doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> scores, events = np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1])
    >>> right, pairs = auc_pairs(scores, events, np.ones((1, 4)))
    >>> right / pairs
    array([0.875])
    """
    order, starts = _by_score(scores)
    weights, events = weights[:, order], events[order]
    up = _tied_sums(weights * events, starts)
    down = _tied_sums(weights * (1 - events), starts)
    below = down.cumsum(axis=1) - down / 2
    return (up * below).sum(axis=1), up.sum(axis=1) * down.sum(axis=1)


def _middle_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    order, starts = _by_score(values)
    tied = _tied_sums(weights[:, order], starts)
    middle = tied.cumsum(axis=1) - tied / 2
    ranks = np.empty_like(weights)
    ranks[:, order] = np.repeat(middle, np.diff([*starts, len(values)]), axis=1)
    return ranks


def rank_correlation(scores, outcomes, weights) -> np.ndarray:
    """Spearman's rank correlation with middle ranks for ties; 0 where one side has no spread.

    Examples
    --------
    >>> rank_correlation(np.array([1., 2, 3, 4]), np.array([1., 3, 2, 9]), np.ones((1, 4))).round(3)
    array([0.8])
    """
    total = weights.sum(axis=1, keepdims=True)
    parts = []
    for values in (scores, outcomes):
        ranks = _middle_ranks(np.asarray(values, dtype=float), weights)
        parts.append(ranks - (weights * ranks).sum(axis=1, keepdims=True) / total)
    xy, xx, yy = (
        (weights * a * b).sum(axis=1)
        for a, b in ((parts[0], parts[1]), (parts[0], parts[0]), (parts[1], parts[1]))
    )
    scale = np.sqrt(xx * yy)
    return np.divide(xy, scale, out=np.zeros_like(xy), where=scale > 1e-9 * np.maximum(xx, yy))


def accuracy(measure: str, predicted, outcomes, baseline, weights) -> np.ndarray:
    """Mean squared error (``brier``), mean surprise in nats (``log_score``), or ``r2``.

    ``r2 = 1 - sum w (y - p)^2 / sum w (y - b)^2`` with b the baseline's prediction: negative where
    the predictions are worse than the mean of the customers the model was fitted on.

    Examples
    --------
    >>> y, p, ones = np.array([1.0, 0.0]), np.array([0.8, 0.4]), np.ones((1, 2))
    >>> accuracy("brier", p, y, None, ones).round(2), accuracy("r2", p, y, y.mean(), ones).round(2)
    (array([0.1]), array([0.6]))
    """
    total = weights.sum(axis=1)
    if measure == "log_score":
        sure = np.clip(predicted, 1e-9, 1 - 1e-9)
        return weights @ -np.where(outcomes > 0, np.log(sure), np.log(1 - sure)) / total
    squared = weights @ (outcomes - predicted) ** 2
    return (
        squared / total
        if measure == "brier"
        else 1 - squared / (weights @ (outcomes - baseline) ** 2)
    )
