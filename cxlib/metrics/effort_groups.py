"""Effort by segment: aggregates with intervals, and the answers themselves for a chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.metrics.answers import members
from cxlib.metrics.effort import ces
from cxlib.metrics.effort_cases import easy_answers
from cxlib.stats.checks import critical_value
from cxlib.stats.shrinkage import shrink

__all__ = ["ces_by", "effort_answers"]

MEASURES = ("share_easy", "mean", "top2", "net_easy")
FEWEST_TO_SHRINK = 4


def _segments(responses, by, score_col, min_cell):
    """Names of the segmenting columns, and (segment, rows, members) of those with an answer."""
    keys = [by] if isinstance(by, str) else list(by)
    absent = [
        Problem(f"column {name} is missing") for name in (*keys, score_col) if name not in responses
    ]
    if absent or not keys:
        raise CxError(f"The responses have {', '.join(map(str, responses.columns))}.", absent)
    if "question" in responses:
        responses = responses[responses["question"].astype(object) == "ces"]
    parts = []
    for key, part in responses.groupby(keys, observed=True, dropna=True):
        answered = part[part[score_col].notna()]
        if len(answered):
            parts.append((dict(zip(keys, key, strict=True)), part, members(answered)))
    if not parts:
        raise CxError("No segment has an answer.")
    largest = max(size for _, _, size in parts)
    if largest < min_cell:
        raise CxError(
            f"None of the {len(parts):,} segments has {min_cell} answers or customers; the "
            f"largest has {largest}. Form larger segments, or pass min_cell={largest} where that "
            "is allowed."
        )
    return parts


def ces_by(
    responses: pd.DataFrame,
    by: str | Sequence[str],
    *,
    scale: tuple[float, float],
    high_means: str | None = None,
    measure: str = "share_easy",
    level: float = 0.95,
    score_col: str = "score",
    weight_col: str | None = None,
    min_cell: int = MIN_CELL,
) -> pd.DataFrame:
    """Effort of every segment, with estimates shrunken towards their common mean.

    Parameters
    ----------
    responses : DataFrame
        Where it has a column ``question``, the rows of question ces; of one wording.
    by : str or list of str
        Columns that name the segment; rows with a missing value there form no segment.
    scale, high_means
        As in `cx.ces`.
    measure : {"share_easy", "mean", "top2", "net_easy"}
    level : float
    score_col, weight_col : str
    min_cell : int
        Segments with fewer answers, or answers of fewer customers where there is a column
        ``customer_id``, are left out and counted; 1 shows every segment.

    Returns
    -------
    DataFrame
        One row a segment: the columns of `by`, estimate, low, high, n, missing, and shrunken,
        shrunken_low, shrunken_high as in `cx.nps_by` (missing with fewer than four segments).
        ``attrs["suppressed"]`` counts segments left out as too small.

    Raises
    ------
    CxError
        No direction, answers off the scale, columns missing, or no segment to show.

    Warns
    -----
    CxWarning
        Segments were left out as too small.

    Examples
    --------
    >>> frame = pd.DataFrame({"score": [7, 6, 5, 2], "channel": ["phone", "phone", "web", "web"]})
    >>> found = ces_by(frame, "channel", scale=(1, 7), high_means="easy", min_cell=1)
    >>> found[["channel", "estimate", "n"]].to_numpy().tolist()
    [['phone', 1.0, 2], ['web', 0.5, 2]]
    """
    if measure not in MEASURES:
        raise CxError(f"measure must be one of {', '.join(MEASURES)}: found {measure!r}.")
    rows, sizes = [], []
    for segment, part, size in _segments(responses, by, score_col, min_cell):
        weights = part[weight_col] if weight_col else None
        result = ces(
            part[score_col], scale=scale, high_means=high_means, weights=weights, level=level
        )
        found = result.intervals[measure]
        sizes.append(size)
        rows.append(segment | {"estimate": found.estimate, "low": found.low, "high": found.high,
                               "n": result.n, "missing": result.missing})  # fmt: skip
    table = leave_out_small(pd.DataFrame(rows), sizes, min_cell, noun="segments")
    table = table.reset_index(drop=True)
    columns = ["shrunken", "shrunken_low", "shrunken_high"]
    table[columns] = np.nan
    # the half width stands for the error: it is above 0 where all answers are equal
    error = (table["high"] - table["low"]) / 2 / float(critical_value(level))
    usable = np.isfinite(error) & (error > 0)
    if usable.sum() >= FEWEST_TO_SHRINK:
        drawn = shrink(table.loc[usable, "estimate"], error[usable], level=level, method="robust")
        table.loc[usable, columns] = np.column_stack([drawn.estimate, drawn.low, drawn.high])
    return table


def effort_answers(
    responses: pd.DataFrame,
    by: str | Sequence[str],
    *,
    scale: tuple[float, float],
    high_means: str | None = None,
    level: float = 0.95,
    score_col: str = "score",
    min_cell: int = MIN_CELL,
) -> pd.DataFrame:
    """How often each answer was given, by segment, turned so that the highest is the easiest.

    Parameters
    ----------
    responses, by, scale, high_means, level, score_col, min_cell
        As in `ces_by`.

    Returns
    -------
    DataFrame
        One row a segment and answer: group (the segment in words), answer (lowest hardest), count,
        share; and of the segment share_easy with its limits and n, hardest segment first.

    Examples
    --------
    >>> frame = pd.DataFrame({"score": [1, 1, 5], "channel": ["web"] * 3})
    >>> found = effort_answers(frame, "channel", scale=(1, 5), high_means="effort", min_cell=1)
    >>> found["count"].tolist()
    [1, 0, 0, 0, 2]
    """
    frames, sizes = [], []
    answers = np.arange(scale[0], scale[1] + 1)
    for segment, part, size in _segments(responses, by, score_col, min_cell):
        _, easy = easy_answers(part[score_col], scale, high_means)
        result = ces(part[score_col], scale=scale, high_means=high_means, level=level)
        count = np.array([(easy == answer).sum() for answer in answers])
        about = {"group": ", ".join(map(str, segment.values())), "answer": answers, "count": count}
        about |= {"share": count / count.sum(), "share_easy": result.share_easy, "n": result.n}
        about |= {"low": result.share_easy_low, "high": result.share_easy_high}
        frames.append(pd.DataFrame(about))
        sizes.append(size)
    large = leave_out_small(
        pd.DataFrame({"at": range(len(frames))}), sizes, min_cell, noun="segments"
    )
    table = pd.concat([frames[at] for at in large["at"]])
    return table.sort_values(["share_easy", "group", "answer"], ignore_index=True)
