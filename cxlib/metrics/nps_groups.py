"""Recommendation by segment: scores, shrunken scores and the ranks that they deserve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.metrics.answers import members
from cxlib.metrics.promoter import NpsResult, flat, nps
from cxlib.metrics.votes import check_scores, require_columns, weighty
from cxlib.stats.shrinkage import expected_ranks, net_score_error, shrink

__all__ = ["nps_by", "segment_score"]

KNOWN = "0-10"
FEWEST_TO_SHRINK = 4


def nps_by(
    responses: pd.DataFrame,
    by: str | Sequence[str],
    *,
    method: str = "score",
    level: float = 0.95,
    score_col: str = "score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    min_cell: int = MIN_CELL,
    scale: str = "ask",
) -> pd.DataFrame:
    """Net promoter score of every segment, with estimates shrunken towards their common mean.

    A league table of small segments is mostly a table of luck; the shrunken estimate and its
    interval (robust empirical Bayes, see `cxlib.stats.shrink`) hold on average over segments.
    For places take expected_rank: ranks of raw scores are too far apart, and ranks of shrunken
    scores, hardly closer to the truth, are as far apart again.

    Parameters
    ----------
    responses : DataFrame
        Where it has a column ``question``, the rows of question nps are used.
    by : str or list of str
        Columns that name the segment; rows with a missing value there form no segment.
    method, level
        As in `nps`.
    score_col, weight_col : str
    cluster_col : str, optional
        Rows of one label depend on each other. Shrinkage takes segments for independent.
    min_cell : int
        Segments with fewer answers, or answers of fewer customers where there is a column
        ``customer_id``, are left out and counted; 1 shows every segment.
    scale : {"ask", "0-10", "1-10"}
        As in `nps`; asked about all segments together.

    Returns
    -------
    DataFrame
        One row a segment that is shown: the columns of `by`, estimate, low, high, n, missing,
        promoters, passives, detractors, and shrunken, shrunken_low, shrunken_high, expected_rank
        (all four missing with fewer than four segments): the place, from 1 (best) to the number
        of segments shown and mostly between two whole places, where a segment is to be expected
        (`cxlib.stats.expected_ranks`). ``attrs["unanswered"]`` lists segments without any answer
        that counts, ``attrs["suppressed"]`` counts those left out as too small.

    Raises
    ------
    CxError
        A column is missing, answers off the scale, a scale that must be asked about, no segment
        has an answer, or none has enough to be shown.

    Warns
    -----
    CxWarning
        Segments were left out as too small.

    Examples
    --------
    >>> frame = pd.DataFrame({"score": [9, 10, 3, 8, 9, 2], "country": list("AABBCC")})
    >>> nps_by(frame, by=["country"], min_cell=1)[["country", "estimate", "n"]]
      country  estimate  n
    0       A     100.0  2
    1       B     -50.0  2
    2       C       0.0  2
    """
    keys = [by] if isinstance(by, str) else list(by or ())
    if not keys:
        raise CxError("by names no column: what are the segments?")
    require_columns(responses, [*keys, score_col, weight_col, cluster_col])
    if "question" in responses:
        responses = responses[responses["question"].astype(object) == "nps"]
    check_scores(responses, score_col, weight_col, scale)
    rows, unanswered, sizes = [], [], []
    for key, part in responses.groupby(keys, observed=True, dropna=True):
        segment = dict(zip(keys, key, strict=True))
        if weighty(part, weight_col)[score_col].isna().all():
            unanswered.append(segment)
            continue
        found = flat(segment_score(part, score_col, weight_col, cluster_col, level, method))
        sizes.append(members(part[part[score_col].notna()]))
        told = ("method", "level", "breaks")
        rows.append(segment | {k: v for k, v in found.items() if k not in told})
    if not rows:
        raise CxError("No segment has an answer.")
    table = leave_out_small(pd.DataFrame(rows), sizes, min_cell, noun="segments")
    if table.empty:
        raise CxError(
            f"None of the {len(rows):,} segments has {min_cell} answers or customers; the largest "
            f"has {max(sizes)}. Form larger segments, or pass min_cell={max(sizes)} where that is "
            "allowed."
        )
    table = table.reset_index(drop=True)
    table[["shrunken", "shrunken_low", "shrunken_high", "expected_rank"]] = _shrunken(table, level)
    table.attrs["unanswered"] = unanswered
    return table.drop(columns=["effective_n", "standard_error", "df"])


def segment_score(
    part: pd.DataFrame, score_col, weight_col, cluster_col, level, method="score"
) -> NpsResult:
    """Score of one segment; of a single customer who answered repeatedly nothing is known.

    The scale is taken as settled.
    """
    how = {"level": level, "method": method, "scale": KNOWN}
    answered = part[part[score_col].notna()]
    weights = part[weight_col] if weight_col else None
    labels = answered[cluster_col].astype(object) if cluster_col else pd.Series(dtype=object)
    if labels.nunique() > 1 or not labels.duplicated().any():
        cluster = part[cluster_col].astype(object) if cluster_col else None
        return nps(part[score_col], weights=weights, cluster=cluster, **how)
    alone = nps(part[score_col], level=level, scale=KNOWN)
    return replace(alone, low=-100.0, high=100.0, effective_n=1.0, method="one customer")


def _shrunken(table: pd.DataFrame, level: float) -> np.ndarray:
    if len(table) < FEWEST_TO_SHRINK:
        return np.full((len(table), 4), np.nan)
    whole = table[["promoters", "passives", "detractors"]].sum(axis=1)
    share = table["effective_n"] / whole
    sides = (table[side] * share for side in ("promoters", "detractors"))
    error = net_score_error(*sides, table["effective_n"])
    found = shrink(table["estimate"], error, level=level, method="robust")
    ranks = expected_ranks(table["estimate"], error)
    low, high = np.clip([found.low, found.high], -100, 100)  # no score lies beyond
    return np.column_stack([found.estimate, low, high, ranks])
