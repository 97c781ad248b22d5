"""Effort answers beside the contacts they are about, turned to one direction and made regular."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning, Problem
from cxlib.metrics.answers import read_answers
from cxlib.stats.checks import critical_value

__all__ = ["check_direction", "easy_answers", "effort_cases", "last_channel", "regular"]

DIRECTIONS = ("easy", "effort")
FEWEST_TO_CHECK = 30
MATTERS = 0.2
FEWEST_OF_A_CONTROL = 10


def easy_answers(scores, scale, high_means, *, weights=None):
    """Answers that were given, and the same turned so that a high number means easy.

    Raises CxError as `cx.ces` does.
    """
    if high_means not in DIRECTIONS:
        raise CxError(
            f'high_means must be "easy" or "effort", not {high_means!r}: does a high number mean '
            '"it was easy" (made it easy, 7 = agree) or "it took effort" (how much effort)? '
            "The two wordings point opposite ways, and mixing them turns the result around."
        )
    given = read_answers(scores, scale, weights=weights)
    low, high = scale
    if high - low < 3:
        raise CxError(f"An effort scale needs at least four steps: found {scale!r}.")
    return given, given.scores if high_means == "easy" else low + high - given.scores


def check_direction(easy, satisfaction, high_means: str, *, level: float = 0.95) -> float:
    """Rank correlation of ease and satisfaction; warns where it is surely below 0 and matters.

    Effort that goes with satisfaction is nearly always a scale read the wrong way round. Spearman's
    correlation with Fisher's interval, standard error ``sqrt((1 + r^2 / 2) / (n - 3))``; nothing
    is said on fewer than 30 pairs, nor of a correlation nearer to 0 than -.2, which topics, places
    or habits of answering can bring about with the scale read rightly.

    Parameters
    ----------
    easy, satisfaction : array_like of equal length
        Pairs with a missing value are left out. High satisfaction is good; any other column that
        is surely better when high will do, such as whether it was solved at once.
    high_means : str
        As the answers were read; for the message.

    Returns
    -------
    float
        The correlation; missing where it cannot be told.

    References
    ----------
    Bonett & Wright 2000, Psychometrika 65(1), doi:10.1007/BF02294183 (the interval).

    Examples
    --------
    >>> round(check_direction([1, 2, 3, 4] * 10, [2, 1, 4, 3] * 10, "easy"), 2)
    0.6
    """
    name = getattr(satisfaction, "name", None) or "satisfaction"
    pair = pd.DataFrame({"easy": np.asarray(easy, float)})
    pair["other"] = pd.to_numeric(pd.Series(np.asarray(satisfaction, object).ravel())).to_numpy(
        float
    )
    pair = pair.dropna()
    if len(pair) < FEWEST_TO_CHECK or (pair.nunique() < 2).any():
        return float("nan")
    found = float(np.clip(pair.rank().corr().iloc[0, 1], -0.999999, 0.999999))
    error = np.sqrt((1 + found**2 / 2) / (len(pair) - 3))
    if found <= -MATTERS and np.arctanh(found) + float(critical_value(level)) * error < 0:
        other = DIRECTIONS[high_means == "easy"]
        text = (
            f"The easier, the worse? Read with high_means={high_means!r}, ease and "
            f"{name} go opposite ways (rank correlation {found:.2f}, {len(pair):,} answers). "
            f"Is the scale meant the other way round? Then pass high_means={other!r}."
        )
        warnings.warn(CxWarning(text), stacklevel=3)
    return found


def effort_cases(responses: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Answers to the question of effort, each with the columns of the contact it is about.

    Parameters
    ----------
    responses : DataFrame
        contact_id and score; where it has a column ``question``, the rows of question ces.
    contacts : DataFrame
        contact_id and what happened: steps, channel_switches, transfers, waiting_minutes, ...

    Returns
    -------
    DataFrame
        One row an answer that was given about a known contact; with `repeat`, 1 where the contact
        names an earlier one it repeats. ``attrs["unmatched"]`` counts answers of other contacts.

    Raises
    ------
    CxError
        A column is missing, or no answer belongs to a contact.

    Examples
    --------
    >>> answers = pd.DataFrame({"contact_id": ["a", "b"], "score": [6, 2]})
    >>> cases = pd.DataFrame({"contact_id": ["a", "b"], "repeat_of": [None, "a"]})
    >>> effort_cases(answers, cases)[["score", "repeat"]].to_numpy().tolist()
    [[6.0, 0.0], [2.0, 1.0]]
    """
    absent = [
        Problem(f"the {name} lack the column {column}")
        for name, frame, columns in (
            ("responses", responses, ("contact_id", "score")),
            ("contacts", contacts, ("contact_id",)),
        )
        for column in columns
        if column not in frame
    ]
    if absent:
        raise CxError("Answers cannot be put beside contacts.", absent)
    if "question" in responses:
        responses = responses[responses["question"].astype(object) == "ces"]
    given = responses[responses["score"].notna() & responses["contact_id"].notna()]
    own = contacts.assign(contact_id=contacts["contact_id"].astype(object))
    if "repeat_of" in own:
        own["repeat"] = own["repeat_of"].notna().astype(float)
    kept = ["contact_id", *(c for c in own if c not in given)]
    given = given.assign(contact_id=given["contact_id"].astype(object))
    cases = given.merge(own[kept].drop_duplicates("contact_id"), on="contact_id", how="inner")
    if cases.empty:
        raise CxError(
            f"None of {len(given):,} answers names one of {len(own):,} contacts. Do both tables "
            "write contact_id alike?"
        )
    cases.attrs["unmatched"] = len(given) - len(cases)
    return cases


def last_channel(
    answers: pd.DataFrame, contacts: pd.DataFrame, *, within_weeks: float = 26,
    when_col: str = "invited_at",
) -> pd.Series:  # fmt: skip
    """Channel of each customer's last contact before an invitation; "no contact" where none.

    Parameters
    ----------
    answers : DataFrame
        customer_id and `when_col`.
    contacts : DataFrame
        customer_id, opened_at, channel.
    within_weeks : float
        Older contacts do not count.
    when_col : str

    Returns
    -------
    Series
        By the index of `answers`.

    Examples
    --------
    >>> day = pd.to_datetime
    >>> answers = pd.DataFrame({"customer_id": ["a", "b"], "invited_at": day(["2025-02-01"] * 2)})
    >>> contacts = pd.DataFrame({"customer_id": ["a"], "opened_at": day(["2025-01-01"])})
    >>> last_channel(answers, contacts.assign(channel="phone")).tolist()
    ['phone', 'no contact']
    """
    asked = pd.DataFrame({
        "who": answers["customer_id"].astype(object).to_numpy(),
        "at": pd.to_datetime(answers[when_col]).to_numpy().astype("datetime64[us]"),
        "row": np.arange(len(answers)),
    }).dropna().sort_values("at")  # fmt: skip
    met = pd.DataFrame({
        "who": contacts["customer_id"].astype(object).to_numpy(),
        "at": pd.to_datetime(contacts["opened_at"]).to_numpy().astype("datetime64[us]"),
        "channel": contacts["channel"].astype(object).to_numpy(),
    }).sort_values("at")  # fmt: skip
    found = pd.merge_asof(
        asked, met, on="at", by="who", allow_exact_matches=False,
        tolerance=pd.Timedelta(weeks=within_weeks),
    )  # fmt: skip
    named = found.set_index("row")["channel"].reindex(np.arange(len(answers)))
    return pd.Series(named.fillna("no contact").to_numpy(), answers.index, dtype=object)


def regular(
    cases: pd.DataFrame, drivers: Sequence[str], controls: Sequence[str], reserved: Sequence[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Drivers as numbers and controls as columns of 0 and 1, of the rows where all are known.

    Returns
    -------
    design : DataFrame
        Complete rows only; of a control, all values but the most frequent, those of fewer than
        ten rows taken together.
    complete : ndarray of bool
        Which rows of `cases` those are.
    """
    wanted = [*drivers, *controls, *reserved]
    problems = [Problem(f"column {name} is missing") for name in wanted if name not in cases]
    if problems:
        raise CxError(f"The cases have {', '.join(map(str, cases.columns))}.", problems)
    columns = {}
    for name in drivers:
        try:
            columns[name] = pd.to_numeric(cases[name].astype(object)).astype(float).to_numpy()
        except (TypeError, ValueError):
            shown = ", ".join(map(repr, cases[name].dropna().unique()[:3]))
            problems.append(Problem(f"driver {name} is no number", f"found {shown}",
                                    cause="Pass it in controls= if it names groups"))  # fmt: skip
    design = pd.DataFrame(columns, index=cases.index)
    labels = cases[list(controls)].astype(object)
    complete = (design.notna().all(axis=1) & labels.notna().all(axis=1)).to_numpy()
    for name in design:
        known = design.loc[complete, name] if complete.any() else design[name]
        if design[name].isna().all():
            problems.append(Problem(f"driver {name} is missing in all {len(design):,} rows"))
        elif known.nunique() == 1:
            what = f"driver {name} is constant: {known.iloc[0]:g} in all {len(known):,} rows"
            problems.append(Problem(what, cause="Leave it out of drivers="))
    if problems:
        raise CxError("The drivers cannot be used.", problems)
    design, labels = design[complete], labels[complete]
    for name in controls:
        counts = labels[name].value_counts()
        rare = counts.index[counts < FEWEST_OF_A_CONTROL]
        kept = labels[name].where(~labels[name].isin(rare), "other")
        for value in kept.value_counts().index[1:]:
            design[f"{name}: {value}"] = (kept == value).astype(float)
    return design, complete
