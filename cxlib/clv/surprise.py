"""How far data lie from what a model would make, as shares of draws at least as far out.

The observation counts as one of the draws, so that no p is 0 and a true model is called wrong at
most as often as p says.
"""

from __future__ import annotations

import numpy as np

__all__ = ["calendar_p", "distance_p", "p_two_sided"]


def p_two_sided(observed: float, drawn: np.ndarray) -> float:
    """Twice the smaller share of draws at least as far out.

    Examples
    --------
    >>> p_two_sided(3.0, np.array([1.0, 2.0, 4.0])), p_two_sided(9.0, np.arange(9.0))
    (1.0, 0.2)
    """
    return min(1.0, 2 * min(tail(observed, drawn), tail(-observed, -drawn)))


def distance_p(observed: np.ndarray, drawn: np.ndarray, *, worst: bool = False) -> float:
    """Of several numbers at once: squared distances from the draws' means, in spreads, summed.

    Parameters
    ----------
    observed : ndarray of shape (numbers,)
    drawn : ndarray of shape (numbers, draws)
    worst : bool
        The largest distance instead of the sum.

    Examples
    --------
    >>> distance_p(np.array([0.0, 9.0]), np.random.default_rng(1).normal(size=(2, 99)))
    0.01
    """
    centre, spread = drawn.mean(axis=1)[:, None], drawn.std(axis=1)[:, None]
    spread = np.maximum(spread, 1e-9)
    combine = np.max if worst else np.sum
    far = combine(((drawn - centre) / spread) ** 2, axis=0)
    return tail(combine(((observed[:, None] - centre) / spread) ** 2), far)


def calendar_p(observed: np.ndarray, drawn: np.ndarray) -> float:
    """Of a course over time: the largest gap of its cumulated form, both ends tied to the model's.

    A season or trend makes cumulated counts run ahead and fall back; one surprising step does not,
    nor does a total that is too high throughout.

    Parameters
    ----------
    observed : ndarray of shape (steps,)
    drawn : ndarray of shape (steps, draws)
    """
    expected = drawn.mean(axis=1).cumsum()[:, None]
    share = expected / max(expected[-1, 0], 1e-9)

    def gap(counts):
        ahead = counts.cumsum(axis=0) - expected
        return np.abs(ahead - share * ahead[-1]).max(axis=0)

    return tail(gap(observed[:, None])[0], gap(drawn))


def tail(observed, drawn) -> float:
    return float((1 + (drawn >= observed).sum()) / (len(drawn) + 1))
