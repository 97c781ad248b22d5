"""Effort: the customer effort score (CES) in all its aggregates, its direction never guessed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.metrics.boxes import BoxScores, net_box, share_box, weighted_or_plain_mean
from cxlib.metrics.effort_cases import check_direction, easy_answers

__all__ = ["CesResult", "ces"]


class CesResult(BoxScores):
    """Effort in four aggregates: mean, share_easy, top2, net_easy, each with _low and _high.

    mean is on the questionnaire's own scale; share_easy, top2 and net_easy are shares (net_easy
    from -1 to 1) counted after orienting, so that more is always easier.
    """

    measures = ("mean", "share_easy", "top2", "net_easy")


def ces(
    scores, *, scale: tuple[float, float], high_means: str | None = None, weights=None,
    cluster=None, satisfaction=None, level: float = 0.95,
) -> CesResult:  # fmt: skip
    """Customer effort in four aggregates with intervals.

    After orienting (a high number means easy): share_easy = share above the midpoint of the
    scale; top2 = share of the two easiest answers; net_easy = top2 minus the share below the
    midpoint. On 1-7: 5-7, 6-7, and 6-7 minus 1-3.

    Parameters
    ----------
    scores : array_like
        Whole numbers on `scale`; None and NaN are missing.
    scale : (lowest, highest)
        At least four steps, such as (1, 5) or (1, 7).
    high_means : {"easy", "effort"}
        What a high number says. "It was easy for me", 7 = agree: ``"easy"`` (CES 2.0). "How much
        effort did you have to put forth", 5 = very much: ``"effort"`` (CES 1.0). No default can
        know, so left out it is an error.
    weights, cluster, level
        As in `cx.nps`.
    satisfaction : array_like, optional
        Satisfaction of the same rows, high is good. Where ease surely goes against it, by a rank
        correlation of -.2 or less, a warning asks whether the scale is read the wrong way round.

    Returns
    -------
    CesResult

    Raises
    ------
    CxError
        The direction is not given, answers are off the scale, or there is none.

    Warns
    -----
    CxWarning
        Ease goes against satisfaction.

    References
    ----------
    Dixon, Freeman & Toman 2010, Harvard Business Review 88(7/8) (the first wording). Intervals:
    Wilson 1927 for shares, doi:10.1080/01621459.1927.10502953; Tango 1998 for the net share.

    Examples
    --------
    >>> result = ces([7, 6, 5, 4, 2, None], scale=(1, 7), high_means="easy")
    >>> result.mean, result.share_easy, result.top2, result.net_easy, result.missing
    (4.8, 0.6, 0.4, 0.2, 1)
    """
    given, easy = easy_answers(scores, scale, high_means, weights=weights)
    low, high = scale
    if satisfaction is not None:
        name = getattr(satisfaction, "name", None)
        beside = pd.Series(np.asarray(satisfaction, object), name=name)[given.kept]
        check_direction(easy, beside, high_means, level=level)
    middle = (low + high) / 2
    design = {"given": given, "cluster": cluster, "level": level}
    top, below = easy >= high - 1, easy < middle
    return CesResult.collect(
        given,
        level,
        mean=weighted_or_plain_mean(given.scores, **design),
        share_easy=share_box(easy > middle, **design),
        top2=share_box(top, **design),
        net_easy=net_box(top.astype(int) - (below & ~top), **design),
        title=f"Effort on {low:g}-{high:g}, high means {high_means}",
        groups=np.array([below.sum(), (~below & ~top).sum(), top.sum()]),
    )
