"""Answers of a table as votes: checked columns in, one tidy frame with weights and clusters out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.metrics.answers import read_answers

__all__ = [
    "ONES_TO_ASK",
    "asks_for_the_scale",
    "cast_votes",
    "read_votes",
    "require_columns",
    "told_in_words",
]

SCALE = (0, 10)
ONES_TO_ASK = 5


def cast_votes(scores) -> np.ndarray:
    """1 for 9-10, 0 for 7-8, -1 for 0-6.

    Examples
    --------
    >>> cast_votes([10, 8, 6]).tolist()
    [1, 0, -1]
    """
    scores = np.asarray(scores, dtype=float)
    return (scores >= 9).astype(int) - (scores <= 6)


def asks_for_the_scale(scores) -> str:
    """The question to ask where answers look like 1-10 instead of 0-10; empty where they do not.

    On 0-10 those who give 1 are rarer than those who give 0: five or more ones without a single
    zero look like a scale that began at 1.

    Examples
    --------
    >>> asks_for_the_scale([1, 1, 1, 1, 1, 9, 10])[:35]
    '5 of 7 answers are 1 and none is 0:'
    >>> asks_for_the_scale([0, 1, 1, 1, 1, 1])
    ''
    """
    scores = pd.to_numeric(pd.Series(np.asarray(scores).ravel()), errors="coerce").dropna()
    ones = int((scores == 1).sum())
    if ones < ONES_TO_ASK or (scores < 1).any() or (scores > 10).any():
        return ""
    return (
        f"{ones:,} of {len(scores):,} answers are 1 and none is 0: was the question put on 1-10? "
        "A net promoter score is defined on 0-10; on 1-10 it comes out differently and cannot be "
        "compared."
    )


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

    Returns
    -------
    DataFrame
        vote (1, 0, -1), score, weight, cluster (whole numbers), and the columns of `keep`;
        ``attrs["missing"]`` counts rows without an answer, ``attrs["unplaced"]`` answers left out.

    Raises
    ------
    CxError
        Missing columns, answers off the scale, impossible weights, no answer.

    Examples
    --------
    >>> table = pd.DataFrame({"score": [9, None, 3], "country": ["DE", "DE", None]})
    >>> votes = read_votes(table, ["country"])
    >>> votes["vote"].tolist(), votes.attrs
    ([1], {'missing': 1, 'unplaced': 1})
    """
    keep = [name for name in keep if name not in ("score", "weight", "cluster", "vote")]
    require_columns(responses, [score_col, weight_col, cluster_col, *keep])
    if "question" in responses and (responses["question"].astype(object) == "nps").any():
        responses = responses[responses["question"].astype(object) == "nps"]
    weights = responses[weight_col] if weight_col else None
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
    placed.attrs = {"missing": given.missing, "unplaced": len(votes) - len(placed)}
    return placed
