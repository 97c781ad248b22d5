"""Intention: what customers say they will do, in aggregates, and held against what they did."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.answers import read_answers
from cxlib.metrics.behaviour import clustered_share, need_columns
from cxlib.metrics.boxes import BoxScores, share_box, weighted_or_plain_mean

__all__ = ["IntentResult", "intent", "intent_calibration"]


class IntentResult(BoxScores):
    """Intention in three aggregates: mean on its own scale, and shares at both ends.

    top2 is the share of the two highest answers, unlikely the share below the midpoint. None of
    them is a share of customers who will buy: see `cx.intent_calibration`.
    """

    measures = ("mean", "top2", "unlikely")


def intent(
    scores, *, scale: tuple[float, float], weights=None, cluster=None, level: float = 0.95
) -> IntentResult:
    """Stated intention: mean, top-2 box and the share below the midpoint, with intervals.

    Parameters
    ----------
    scores : array_like
        Whole numbers on `scale`, high is likely; None and NaN are missing.
    scale : (lowest, highest)
        At least three steps.
    weights, cluster, level
        As in `cx.nps`.

    Returns
    -------
    IntentResult

    Raises
    ------
    CxError
        Answers off the scale, or none.

    References
    ----------
    Juster 1966, Journal of the American Statistical Association 61(315),
    doi:10.1080/01621459.1966.10480897 (intention as a chance on a scale of eleven). Intervals as
    in `cx.ces`.

    Examples
    --------
    >>> result = intent([10, 9, 6, 2, None], scale=(0, 10))
    >>> result.mean, result.top2, result.unlikely, result.missing
    (6.75, 0.5, 0.25, 1)
    """
    given = read_answers(scores, scale, weights=weights)
    low, high = scale
    if high - low < 2:
        raise CxError(f"A scale of intention needs at least three steps: found {scale!r}.")
    design = {"given": given, "cluster": cluster, "level": level}
    top, below = given.scores >= high - 1, given.scores < (low + high) / 2
    return IntentResult.collect(
        given,
        level,
        mean=weighted_or_plain_mean(given.scores, **design),
        top2=share_box(top, **design),
        unlikely=share_box(below, **design),
        title=f"Intention on {low:g}-{high:g}",
        groups=np.array([(below & ~top).sum(), (~below & ~top).sum(), top.sum()]),
    )


def intent_calibration(
    frame: pd.DataFrame,
    *,
    outcome_col: str,
    scale: tuple[float, float],
    intent_col: str = "intent",
    customer_col: str = "customer_id",
    level: float = 0.95,
) -> pd.DataFrame:
    """What was stated against what was done, answer by answer.

    An answer s on a scale from a to b, read as a chance, states ``(s - a) / (b - a)``. The share
    who did it stands beside it, with the score interval by the effective number of customers.

    Parameters
    ----------
    frame : DataFrame
        One row an answer.
    outcome_col : str
        True where the customer did what was asked about.
    scale : (lowest, highest)
    intent_col, customer_col : str
        Answers of one customer depend on each other.
    level : float

    Returns
    -------
    DataFrame
        One row an answer that was given, from low to high: score, predicted (the stated chance),
        observed, low, high, n; and ``attrs["stated"]``, ``attrs["done"]``, the means over all.

    Raises
    ------
    CxError
        A column is missing, answers are off the scale, or there is none.

    References
    ----------
    Morwitz, Steckel & Gupta 2007, International Journal of Forecasting 23(3),
    doi:10.1016/j.ijforecast.2007.05.015 (when intentions predict sales).

    Examples
    --------
    >>> frame = pd.DataFrame({"customer_id": range(40), "intent": [10, 5] * 20,
    ...                       "bought": [True, False, True, False, False, True, False, False] * 5})
    >>> table = intent_calibration(frame, outcome_col="bought", scale=(0, 10))
    >>> table[["score", "predicted", "observed", "n"]].values.tolist()
    [[5.0, 0.5, 0.25, 20.0], [10.0, 1.0, 0.5, 20.0]]
    """
    need_columns(frame, [intent_col, outcome_col, customer_col], "A calibration of intention")
    given = read_answers(frame[intent_col], scale, name="answers of intention")
    kept = frame[given.kept]
    done = kept[outcome_col].astype(bool).to_numpy()
    who = kept[customer_col].to_numpy(dtype=object)
    low, high = scale
    rows = []
    for score in np.unique(given.scores):
        at = given.scores == score
        found = clustered_share(done[at], who[at], level=level)
        stated = (score - low) / (high - low)
        rows.append([score, stated, found.estimate, found.low, found.high, int(at.sum())])
    table = pd.DataFrame(rows, columns=["score", "predicted", "observed", "low", "high", "n"])
    table.attrs["stated"] = float(((given.scores - low) / (high - low)).mean())
    table.attrs["done"] = float(done.mean())
    return table
