"""Surveys that are published as counts, as tables of answers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cxlib.errors import CxError, Problem

__all__ = ["read_counts"]

COLUMNS = ("year", "question", "answer", "recommend", "n")


def read_counts(path) -> dict[str, pd.DataFrame]:
    """Counts of answers as tables with one row an answer, one table a question.

    Parameters
    ----------
    path : str or Path
        CSV with columns year, question, answer, recommend (0-10), n. The rows of question "all"
        are all answers; those of other questions are the same people again, by their answer there,
        so that no two questions can be crossed.

    Returns
    -------
    dict of str to DataFrame
        By question: score, period (the year) and, but for "all", a column of the question's name.

    Raises
    ------
    CxError
        Missing columns, answers outside 0-10, or counts that are no whole numbers of 0 or more.

    Examples
    --------
    >>> from cxlib.notebook import data_path
    >>> tables = read_counts(data_path("airport_survey_counts.csv"))
    >>> len(tables["all"].query("period == '2017'")), list(tables)[:2]
    (2746, ['all', 'ease_finding_way'])
    """
    given = pd.read_csv(Path(path), dtype={"year": str, "question": str, "answer": str})
    if absent := [c for c in COLUMNS if c not in given]:
        raise CxError(f"{Path(path).name} lacks the columns {', '.join(absent)}.")
    problems = []
    for name, bad in (
        ("recommend", ~given["recommend"].isin(range(11))),
        ("n", ~((given["n"] >= 0) & (given["n"] % 1 == 0))),
    ):
        if bad.any():
            line = int(bad.to_numpy().nonzero()[0][0]) + 2
            what = f"{name}: {int(bad.sum()):,} of {len(given):,} cells are impossible"
            problems.append(Problem(what, f"first in line {line}", "0 to 10; counts of 0 or more"))
    if problems:
        raise CxError(f"{Path(path).name} cannot be used.", problems)
    rows = given.loc[given.index.repeat(given["n"].astype(int))]
    rows = rows.rename(columns={"year": "period", "recommend": "score"})
    return {
        question: part[["score", "period"]]
        .assign(**({} if question == "all" else {question: part["answer"]}))
        .reset_index(drop=True)
        for question, part in rows.groupby("question", sort=True)
    }
