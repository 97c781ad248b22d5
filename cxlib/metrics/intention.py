"""Intention: what customers say they will do, in aggregates, and held against what they did."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.answers import read_answers
from cxlib.metrics.behaviour import clustered_share, follow_up, need_columns
from cxlib.metrics.boxes import BoxScores, share_box, weighted_or_plain_mean
from cxlib.metrics.votes import looks_like_1_10
from cxlib.stats.clusters import cluster_difference
from cxlib.stats.interval import Interval

__all__ = [
    "IntentResult",
    "Promise",
    "ask_for_intent_scale",
    "intent",
    "intent_calibration",
    "promise_kept",
]

SHORT_SCALES = ((1, 5), (1, 7))
ENOUGH_TO_ASK = 20


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


def ask_for_intent_scale(scores) -> tuple[int, int]:
    """(0, 10), unless answers look like a shorter scale: then a question, not a guess.

    Raises
    ------
    CxError
        At least 20 answers, none of them 0, and none above 7 or as many ones as on 1-10.

    Examples
    --------
    >>> ask_for_intent_scale([0, 5, 10])
    (0, 10)
    """
    given = pd.Series(scores).dropna()
    low, high = (given.min(), given.max()) if len(given) >= ENOUGH_TO_ASK else (0, 10)
    for short in SHORT_SCALES:
        if low >= 1 and high <= short[1]:
            raise CxError(
                f"All {len(given):,} answers of intention lie in {low:g}-{high:g}. Was the scale "
                f"{short[0]}-{short[1]}? Pass intent_scale={short}; or intent_scale=(0, 10) if 0 "
                "and 10 were on offer."
            )
    if looks_like_1_10(given):
        raise CxError(
            f"{int((given == 1).sum()):,} of {len(given):,} answers of intention are 1 and none is "
            "0. Was the scale 1-10? Pass intent_scale=(1, 10); or intent_scale=(0, 10) if 0 was on "
            "offer."
        )
    return 0, 10


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


@dataclass(frozen=True)
class Promise:
    """Intention held against the purchases of the time that the question named.

    Attributes
    ----------
    calibration : DataFrame
        As `intent_calibration` gives it.
    stated_apart : float
        Mean stated chance of high intention minus that of low intention.
    bought_apart : Interval
        Share who bought, likewise.
    weeks : float
    """

    calibration: pd.DataFrame = field(repr=False)
    stated_apart: float
    bought_apart: Interval
    weeks: float

    def to_frame(self) -> pd.DataFrame:
        return self.calibration.copy()

    def summary(self) -> str:
        """Stated and done, over all and between low and high intention."""
        stated, done = (100 * self.calibration.attrs[name] for name in ("stated", "done"))
        apart = self.bought_apart
        return (
            f"Stated {stated:.0f} %, done {done:.0f} %. From low to high intention the statement "
            f"moves by {100 * self.stated_apart:.0f} points, the share who bought within "
            f"{self.weeks:g} weeks by {100 * apart.estimate:z.1f} [{100 * apart.low:z.1f}, "
            f"{100 * apart.high:z.1f}]."
        )

    def plot(self, ax=None):
        """Share who bought by stated intention, with the line where both agree."""
        from cxlib.figures.prediction import plot_calibration

        return plot_calibration(
            self.calibration,
            predicted_label="stated, read as a chance",
            observed_label=f"bought within {self.weeks:g} weeks",
            ax=ax,
        )


def promise_kept(
    sittings: pd.DataFrame,
    transactions: pd.DataFrame,
    *,
    weeks: float,
    scale: tuple[float, float] = (0, 10),
    low_until: float = 5,
    high_from: float = 8,
    level: float = 0.95,
) -> Promise:
    """Did those buy who said they would, of customers who had been buying?

    Parameters
    ----------
    sittings : DataFrame
        customer_id, answered_at, intent.
    transactions : DataFrame
        customer_id, ordered_at, amount.
    weeks : float
        The time that the question names.
    scale : (lowest, highest)
    low_until, high_from : float
    level : float

    Returns
    -------
    Promise

    Raises
    ------
    CxError
        As `cx.follow_up` and `intent_calibration`; fewer than two customers at either end.

    Examples
    --------
    >>> said = pd.DataFrame({"customer_id": list("abcd"), "intent": [10, 9, 2, 0],
    ...                      "answered_at": pd.Timestamp("2025-02-01")})
    >>> orders = pd.DataFrame({"customer_id": list("abcda") + ["z"], "amount": 1.0,
    ...     "ordered_at": pd.to_datetime(["2025-01-10"] * 4 + ["2025-03-01", "2025-12-01"])})
    >>> promise_kept(said, orders, weeks=13).bought_apart.estimate
    0.5
    """
    need_columns(sittings, ["intent"], "A promise")
    given = sittings[sittings["intent"].notna()]
    found = follow_up(given, transactions, horizon_weeks=weeks)
    found["bought"] = ~found["quiet"]
    table = intent_calibration(found, outcome_col="bought", scale=scale, level=level)
    ends = [(found["intent"] >= high_from).to_numpy(), (found["intent"] <= low_until).to_numpy()]
    who = found["customer_id"].astype(object)
    apart = cluster_difference(found["bought"], *ends, who, level=level)
    high, low = (found.loc[end, "intent"].astype(float).mean() for end in ends)
    return Promise(table, float((high - low) / (scale[1] - scale[0])), apart, float(weeks))
