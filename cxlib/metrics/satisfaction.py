"""Satisfaction (CSAT): mean and top-2 box with their uncertainty."""

from __future__ import annotations

import numpy as np

from cxlib.errors import CxError
from cxlib.metrics.answers import read_answers
from cxlib.metrics.boxes import BoxScores, share_box, weighted_or_plain_mean

__all__ = ["CsatResult", "csat"]


class CsatResult(BoxScores):
    """Satisfaction in two aggregates: mean on its own scale and top2, the share of the two best."""

    measures = ("mean", "top2")


def csat(
    scores, *, scale: tuple[float, float], weights=None, cluster=None, level: float = 0.95
) -> CsatResult:
    """Satisfaction: mean, and the share of the two highest answers (top-2 box), with intervals.

    Parameters
    ----------
    scores : array_like
        Whole numbers on `scale`, high is satisfied; None and NaN are missing.
    scale : (lowest, highest)
        At least three steps.
    weights, cluster, level
        As in `cx.nps`.

    Returns
    -------
    CsatResult

    Raises
    ------
    CxError
        Answers off the scale, or none.

    References
    ----------
    de Haan, Verhoef & Wiesel 2015, International Journal of Research in Marketing 32(2),
    doi:10.1016/j.ijresmar.2015.02.004 (top-2 against other measures). Intervals as in `cx.ces`.

    Examples
    --------
    >>> result = csat([5, 4, 3, 5, 1], scale=(1, 5))
    >>> result.mean, result.top2, result.n
    (3.6, 0.6, 5)
    """
    given = read_answers(scores, scale, weights=weights)
    low, high = scale
    if high - low < 2:
        raise CxError(f"A satisfaction scale needs at least three steps: found {scale!r}.")
    design = {"given": given, "cluster": cluster, "level": level}
    top, below = given.scores >= high - 1, given.scores < (low + high) / 2
    return CsatResult.collect(
        given,
        level,
        mean=weighted_or_plain_mean(given.scores, **design),
        top2=share_box(top, **design),
        title=f"Satisfaction on {low:g}-{high:g}",
        groups=np.array([(below & ~top).sum(), (~below & ~top).sum(), top.sum()]),
    )
