"""Answers of a table as votes: checked columns in, one tidy frame with weights and clusters out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning, Problem
from cxlib.metrics.answers import as_numbers, read_answers

__all__ = [
    "ONES_TO_ASK",
    "asks_for_the_scale",
    "cast_votes",
    "check_scores",
    "looks_like_1_10",
    "naive_dates",
    "nps_rows",
    "read_votes",
    "require_columns",
    "settled_scale",
    "told_in_words",
    "weighty",
]

SCALE = (0, 10)
SCALES = ("ask", "0-10", "1-10")
SETTLED = "nps_scale"  # in attrs of a table or column whose scale was asked about already
ONES_TO_ASK, ENOUGH_TO_ASK = 5, 20


def cast_votes(scores) -> np.ndarray:
    """1 for 9-10, 0 for 7-8, -1 for 0-6.

    Examples
    --------
    >>> cast_votes([10, 8, 6]).tolist()
    [1, 0, -1]
    """
    scores = np.asarray(scores, dtype=float)
    return (scores >= 9).astype(int) - (scores <= 6)


def looks_like_1_10(scores) -> bool:
    """Whether answers look like 1-10 instead of 0-10.

    On 0-10 those who give 1 are rarer than those who give 0, and the end of a scale draws answers:
    among twenty answers or more, five or more ones, at least half as many as twos, without a single
    zero look like a scale that began at 1. A thin tail that ends at 1 does not.

    Examples
    --------
    >>> looks_like_1_10([1] * 5 + [9, 10] * 10)
    True
    >>> looks_like_1_10([0] + [1] * 20), looks_like_1_10([1] * 5 + [2] * 11 + [3] * 30)
    (False, False)
    """
    scores = as_numbers(scores)[1].dropna()
    ones = int((scores == 1).sum())
    tail = 2 * ones < int((scores == 2).sum())
    few = ones < ONES_TO_ASK or len(scores) < ENOUGH_TO_ASK
    return not (few or tail or (scores < 1).any() or (scores > 10).any())


def asks_for_the_scale(scores) -> str:
    """The question to ask where answers look like 1-10 instead of 0-10; empty where they do not.

    Examples
    --------
    >>> asks_for_the_scale([1] * 5 + [9, 10] * 10)[:36], asks_for_the_scale([0] + [1] * 20)
    ('5 of 25 answers are 1 and none is 0:', '')
    """
    if not looks_like_1_10(scores):
        return ""
    scores = as_numbers(scores)[1].dropna()
    return (
        f"{int((scores == 1).sum()):,} of {len(scores):,} answers are 1 and none is 0: was the "
        "question put on 1-10? A net promoter score is defined on 0-10; on 1-10 it comes out "
        "differently and cannot be compared."
    )


def settled_scale(scores, scale: str = "ask", *, stacklevel: int = 3) -> str:
    """The scale on offer, "0-10" or "1-10": as said, as settled before, or else asked about.

    What `nps_sittings` settled stays settled for every part of its table: a small part may well
    look like 1-10.

    Parameters
    ----------
    scores : array_like
        All answers at hand; of a Series ``attrs`` are read.
    scale : {"ask", "0-10", "1-10"}

    Raises
    ------
    CxError
        An unknown scale, or answers that look like 1-10 while nobody has said what was on offer.

    Warns
    -----
    CxWarning
        Where 1-10 is chosen.

    Examples
    --------
    >>> settled_scale([1] * 5 + [9] * 20, "0-10"), settled_scale([1, 9, 10])
    ('0-10', '0-10')
    """
    if scale not in SCALES:
        raise CxError(f"scale must be one of {', '.join(SCALES)}: found {scale!r}.")
    settled = getattr(scores, "attrs", {}).get(SETTLED)
    if scale == "ask":
        if settled is None and (question := asks_for_the_scale(scores)):
            raise CxError(
                f'{question} Pass scale="0-10" if 0 was on offer, scale="1-10" if it was not.'
            )
        return settled or "0-10"
    if scale == "1-10" != settled:
        text = "Answers on 1-10 are used as they are: compare this score with no other."
        warnings.warn(CxWarning(text), stacklevel=stacklevel)
    return scale


def check_scores(
    rows: pd.DataFrame, score_col: str, weight_col: str | None = None, scale: str = "ask"
) -> None:
    """Ask about the scale and refuse what cannot be used, before a table is taken apart.

    Raises
    ------
    CxError
        As `settled_scale` and `cxlib.metrics.answers.read_answers`; no answer at all is let pass.

    Examples
    --------
    >>> check_scores(pd.DataFrame({"score": [9, None, 3]}), "score")
    """
    settled_scale(rows[score_col], scale, stacklevel=4)
    if rows[score_col].notna().any():
        weights = None if weight_col is None else rows[weight_col]
        read_answers(rows[score_col], SCALE, weights=weights)


def weighty(rows: pd.DataFrame, weight_col: str | None) -> pd.DataFrame:
    """The rows that count: all, or those with a weight above 0."""
    return rows if weight_col is None else rows[pd.to_numeric(rows[weight_col]) > 0]


def naive_dates(column: pd.Series, name: str) -> pd.Series:
    """Dates without a zone; text is read where it is 2025-12-31 or 2025-12-31 10:30.

    Raises
    ------
    CxError
        Values that are no such dates, with the first row.

    Examples
    --------
    >>> naive_dates(pd.Series(["2025-12-31", None]), "invited_at").dt.year.tolist()
    [2025.0, nan]
    """
    if not pd.api.types.is_datetime64_any_dtype(column):
        text = column.where(column.map(lambda value: isinstance(value, str | date)))
        read = pd.to_datetime(text, errors="coerce", format="ISO8601")
        if (bad := read.isna() & column.notna()).any():
            shown = ", ".join(list(dict.fromkeys(map(repr, column[bad])))[:3])
            raise CxError(
                f"{int(bad.sum()):,} of {len(column):,} values of {name} are no dates "
                f"(first in row {int(np.flatnonzero(bad)[0]) + 1}): {shown}. Allowed: 2025-12-31."
            )
        column = read
    return column.dt.tz_localize(None) if column.dt.tz is not None else column


def nps_rows(responses: pd.DataFrame) -> pd.DataFrame:
    """The rows of question nps, where there are any; else all."""
    if "question" in responses:
        ours = responses["question"].astype(object) == "nps"
        return responses[ours] if ours.any() else responses
    return responses


def require_columns(frame: pd.DataFrame, names: Sequence[str | None]) -> None:
    """Raise one CxError for all columns that a frame lacks; None and repeats are passed over."""
    if not isinstance(frame, pd.DataFrame):
        raise CxError(f"A data frame of answers is needed, not {type(frame).__name__}.")
    wanted = dict.fromkeys(name for name in names if name is not None)
    absent = [Problem(f"column {name!r} is missing") for name in wanted if name not in frame]
    if absent:
        listed = ", ".join(map(str, frame.columns))
        raise CxError(f"The answers have the columns {listed}.", absent)


def told_in_words(frame: pd.DataFrame, names: Sequence[str]) -> list[Problem]:
    """One problem for each column that tells in words what has to be told in numbers.

    Examples
    --------
    >>> told_in_words(pd.DataFrame({"left": ["ja", "nein", "ja"]}), ["left"])[0].what
    "column 'left' holds text: 'ja', 'nein'"
    """
    problems = []
    for name in names:
        column = frame[name].dropna()
        numbers = pd.to_numeric(column.astype(object), errors="coerce")
        words = list(dict.fromkeys(map(repr, column[numbers.isna()].astype(str))))
        if words:
            more = f" and {len(words) - 3:,} more" if len(words) > 3 else ""
            problems.append(
                Problem(
                    f"column {name!r} holds text: {', '.join(words[:3])}{more}",
                    allowed="numbers, or true and false",
                    count=int(numbers.isna().sum()),
                )
            )
    return problems


def read_votes(
    responses: pd.DataFrame,
    keep: Sequence[str] = (),
    *,
    score_col: str = "score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    scale: str = "ask",
) -> pd.DataFrame:
    """Answers to the question of recommendation, one row each, as votes.

    Parameters
    ----------
    responses : DataFrame
        Where it has a column ``question``, the rows of question nps are used.
    keep : sequence of str
        Further columns to carry along; rows with a missing value in one of them are left out.
    score_col, weight_col, cluster_col : str
        Without `cluster_col` each row is independent.
    scale : {"ask", "0-10", "1-10"}

    Returns
    -------
    DataFrame
        vote (1, 0, -1), score, weight, cluster (whole numbers), and the columns of `keep`;
        ``attrs["missing"]`` counts rows without an answer, ``attrs["unplaced"]`` answers left out.

    Raises
    ------
    CxError
        Missing columns, answers off the scale, impossible weights, no answer, a scale that must be
        asked about.

    Examples
    --------
    >>> table = pd.DataFrame({"score": [9, None, 3], "country": ["DE", "DE", None]})
    >>> votes = read_votes(table, ["country"])
    >>> votes["vote"].tolist(), votes.attrs["missing"], votes.attrs["unplaced"]
    ([1], 1, 1)
    """
    keep = [name for name in keep if name not in ("score", "weight", "cluster", "vote")]
    require_columns(responses, [score_col, weight_col, cluster_col, *keep])
    responses = nps_rows(responses)
    weights = responses[weight_col] if weight_col else None
    settled = settled_scale(responses[score_col], scale, stacklevel=4)
    given = read_answers(responses[score_col], SCALE, weights=weights)
    rows = responses[given.kept]
    labels = np.arange(len(rows)) if cluster_col is None else rows[cluster_col].astype(object)
    codes = pd.factorize(labels)[0]
    if (codes < 0).any():
        raise CxError(
            f"{int((codes < 0).sum()):,} of {len(codes):,} answers have no {cluster_col}, so it "
            "cannot be said which of them belong together."
        )
    votes = rows[keep].assign(
        vote=cast_votes(given.scores),
        score=given.scores,
        weight=1.0 if given.weights is None else given.weights,
        cluster=codes,
    )
    placed = votes[votes[keep].notna().all(axis=1)] if keep else votes
    if placed.empty:
        raise CxError(f"No answer has a value in {', '.join(keep)}.")
    if not (placed["weight"] > 0).any():
        raise CxError("All weights are zero. Allowed: at least one weight above 0.")
    placed.attrs = {
        "missing": given.missing, "unplaced": len(votes) - len(placed), SETTLED: settled,
    }  # fmt: skip
    return placed
