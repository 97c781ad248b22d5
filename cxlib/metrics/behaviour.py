"""Words beside deeds: what a customer answered in one sitting, and what came before and after."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning, Problem
from cxlib.metrics.votes import SETTLED, settled_scale
from cxlib.stats.design import weighted_share
from cxlib.stats.interval import Interval

__all__ = ["answers_side_by_side", "clustered_share", "follow_up", "need_columns"]

SITTING = ("customer_id", "invited_at", "answered_at", "touchpoint")
TRAITS = ("segment", "country", "role", "plan")
DAY_SPAN = 1_000_000
LONG_AGO_WEEKS = 5_200


def need_columns(frame: pd.DataFrame, names: Sequence[str], who: str) -> None:
    """Raise CxError that names every column of `names` that `frame` lacks."""
    if not isinstance(frame, pd.DataFrame):
        raise CxError(f"{who} needs a data frame, not {type(frame).__name__}.")
    absent = [Problem(f"column {name} is missing") for name in names if name not in frame]
    if absent:
        raise CxError(
            f"{who} needs other columns than {', '.join(map(str, frame.columns))}.", absent
        )


def answers_side_by_side(
    responses: pd.DataFrame,
    questions: Sequence[str] = ("nps", "intent", "csat"),
    *,
    earlier_weeks: Mapping[str, float] | None = None,
    customers: pd.DataFrame | None = None,
    scale: str = "ask",
) -> pd.DataFrame:
    """One row a sitting: what one customer answered to several questions at once.

    Parameters
    ----------
    responses : DataFrame
        One row an answer: customer_id, question, score; what parts the sittings of a customer are
        invited_at (else answered_at) and touchpoint, where there are such columns.
    questions : sequence of str
        The first one makes the sittings; its columns beyond the declared ones (segments) stay.
        Of the others, questions that nobody was asked give no column.
    earlier_weeks : mapping of question to weeks, optional
        Questions asked on other occasions: the customer's latest answer before the sitting,
        not older than so many weeks. ``{"ces": 26}``
    customers : DataFrame, optional
        Its columns segment, country, role and plan are put beside the answers.
    scale : {"ask", "0-10", "1-10"}
        What was on offer in the question nps, as in `cx.nps_sittings`.

    Returns
    -------
    DataFrame
        customer_id, answered_at, a column a question (missing where not answered), then the rest.

    Raises
    ------
    CxError
        Columns are missing, nobody answered the first question, earlier answers have no dates, or
        answers to nps look like 1-10 while nobody has said what was on offer.

    Warns
    -----
    CxWarning
        A customer answered a question more than once in a sitting: the last answer is taken.

    Examples
    --------
    >>> long = pd.DataFrame({"customer_id": list("aabb"), "question": ["nps", "intent"] * 2,
    ...                      "score": [9, 4, 7, 8]})
    >>> answers_side_by_side(long)
      customer_id  nps  intent
    0           a    9       4
    1           b    7       8
    """
    need_columns(responses, ["customer_id", "question", "score"], "Answers side by side")
    given = responses[responses["score"].notna()]
    given = given.assign(question=given["question"].astype(object).to_numpy())
    sittings = given[given["question"] == questions[0]]
    if sittings.empty:
        raise CxError(
            f"Nobody answered the question {questions[0]!r}. "
            f"There are answers to: {', '.join(sorted(set(given['question']))) or 'none'}."
        )
    if "nps" in questions:
        said = responses.attrs.get(SETTLED, scale) if scale == "ask" else scale
        settled_scale(given.loc[given["question"] == "nps", "score"].to_numpy(), said)
    day = next((c for c in SITTING[1:3] if c in sittings and sittings[c].notna().any()), None)
    key = [c for c in ("customer_id", day, "touchpoint") if c is not None and c in responses]
    sittings = _last_of(sittings, key, questions[0])
    sittings = sittings.rename(columns={"score": questions[0]}).drop(columns="question")
    told = {"item", "wording", "emotion", "contact_id", "order_id", "comment"}
    for name in questions[1:]:
        other = given[given["question"] == name]
        if other.empty:
            continue
        other = _last_of(other[[*key, "score"]], key, name).rename(columns={"score": name})
        sittings = sittings.merge(other, on=key, how="left")
    for name, weeks in (earlier_weeks or {}).items():
        sittings[name] = _latest_before(sittings, given[given["question"] == name], weeks)
    first = [c for c in ("customer_id", "answered_at", *questions) if c in sittings]
    rest = [c for c in sittings if c not in first and c not in told]
    sittings = sittings[[*first, *rest]].reset_index(drop=True)
    if customers is not None:
        own = customers.drop_duplicates("customer_id")
        own = own.set_index(own["customer_id"].astype(object))
        for name in TRAITS:
            if name in own and name not in sittings:
                values = own[name].astype(object)
                sittings[name] = sittings["customer_id"].astype(object).map(values)
    return sittings


def _last_of(rows: pd.DataFrame, key: list[str], name: str) -> pd.DataFrame:
    again = rows.duplicated(key, keep="last")
    if again.any():
        n = int(again.sum())
        many = "answer" if n == 1 else "answers"
        was = "was" if n == 1 else "were"
        text = f"{n:,} {many} to {name!r} {was} followed by another in the same sitting"
        warnings.warn(CxWarning(f"{text}; the last one counts."), stacklevel=4)
    return rows[~again]


def _latest_before(sittings: pd.DataFrame, other: pd.DataFrame, weeks: float) -> np.ndarray:
    for table in (sittings, other):
        need_columns(table, ["answered_at"], "The latest earlier answer")
    who, day = _codes_and_days(other, "answered_at", sittings, "answered_at")
    order = np.argsort(who[0] * DAY_SPAN + day[0], kind="stable")
    known = (who[0] * DAY_SPAN + day[0])[order]
    at = np.searchsorted(known, who[1] * DAY_SPAN + day[1], side="left") - 1
    found = np.zeros(len(sittings), dtype=bool)
    if len(known):
        gap = who[1] * DAY_SPAN + day[1] - known[np.maximum(at, 0)]
        found = (at >= 0) & (gap <= 7 * weeks)
    score = other["score"].to_numpy(dtype=float)[order]
    return np.where(found, score[np.maximum(at, 0)] if len(score) else np.nan, np.nan)


def _codes_and_days(first, first_day, second, second_day):
    """Customers of both tables as common codes, and whole days since 1970."""
    ids = pd.concat([first["customer_id"].astype(object), second["customer_id"].astype(object)])
    codes = pd.factorize(ids)[0].astype(np.int64)
    days = []
    for table, name in ((first, first_day), (second, second_day)):
        when = pd.to_datetime(table[name])
        when = when.dt.tz_localize(None) if when.dt.tz is not None else when
        days.append(when.to_numpy().astype("datetime64[D]").astype(np.int64))
    return (codes[: len(first)], codes[len(first) :]), days


def follow_up(
    answers: pd.DataFrame,
    transactions: pd.DataFrame,
    *,
    horizon_weeks: float,
    before_weeks: float | None = 52,
    customers: pd.DataFrame | None = None,
    until=None,
    when_col: str = "answered_at",
) -> pd.DataFrame:
    """What customers bought after an answer, of those who were buying before it.

    Kept are answers whose `horizon_weeks` lie wholly before the last day known, by customers with
    a purchase in the `before_weeks` up to the answer: who buys nothing afterwards has gone quiet.
    Nothing after the answer decides who is kept.

    Parameters
    ----------
    answers : DataFrame
        One row an answer: customer_id and `when_col`.
    transactions : DataFrame
        customer_id, ordered_at, amount.
    horizon_weeks : float
        Length of the time looked at after the answer.
    before_weeks : float or None
        Length of the time looked at before it. None keeps those, too, who were not buying, and
        looks back as far as the purchases go: for a trial, whose lot has chosen its customers.
    customers : DataFrame, optional
        With left_at, where the end of a contract is known.
    until : date, optional
        Last day known; the day of the last purchase by default.
    when_col : str

    Returns
    -------
    DataFrame
        The answers kept, with orders and spend of the days after the answer up to the horizon;
        quiet (no order), left (a contract ended, where `customers` tells), churned (either);
        earlier_rate and earlier_spend (orders and spend a week of the time before, which counts as
        no shorter than the horizon) and recency_weeks (since the last order).
        ``attrs["follow_up"]``: answers, undated, too_late, not_buying, kept.

    Raises
    ------
    CxError
        Columns are missing, weeks are not above 0, or no answer can be followed.

    Examples
    --------
    >>> answers = pd.DataFrame({"customer_id": ["a", "b"], "answered_at": ["2025-02-01"] * 2})
    >>> orders = pd.DataFrame({"customer_id": ["a", "b", "b", "b"], "amount": [10, 20, 30, 40],
    ...     "ordered_at": ["2025-01-10", "2025-01-20", "2025-02-20", "2025-05-01"]})
    >>> follow_up(answers, orders, horizon_weeks=8)[["customer_id", "orders", "spend", "quiet"]]
      customer_id  orders  spend  quiet
    0           a       0    0.0   True
    1           b       1   30.0  False
    """
    if transactions is None:
        raise CxError("A follow-up needs purchases: a file of transactions is missing.")
    need_columns(answers, ["customer_id", when_col], "A follow-up of answers")
    need_columns(transactions, ["customer_id", "ordered_at", "amount"], "A follow-up of answers")
    everybody = before_weeks is None
    if not (horizon_weeks > 0 and (everybody or before_weeks > 0)):
        raise CxError(
            f"horizon_weeks and before_weeks must be above 0: {horizon_weeks}, {before_weeks}."
        )
    before_weeks = LONG_AGO_WEEKS if everybody else before_weeks
    if transactions.empty:
        raise CxError("A follow-up needs purchases: the transactions are empty.")
    dated = answers[answers[when_col].notna()]
    who, (bought, asked) = _codes_and_days(transactions, "ordered_at", dated, when_col)
    last = bought.max() if until is None else np.datetime64(pd.Timestamp(until), "D").astype(int)
    order = np.argsort(who[0] * DAY_SPAN + bought, kind="stable")
    key = (who[0] * DAY_SPAN + bought)[order]
    spent = np.concatenate([[0.0], transactions["amount"].to_numpy(dtype=float)[order].cumsum()])

    def up_to(days):
        return np.searchsorted(key, who[1] * DAY_SPAN + np.floor(days).astype(np.int64), "right")

    shortest = 7 * min(horizon_weeks, before_weeks)
    seen = np.clip(asked - bought.min() + 1, shortest, 7 * before_weeks)
    start, now, end = (
        up_to(asked - 7 * before_weeks),
        up_to(asked),
        up_to(asked + 7 * horizon_weeks),
    )
    in_time, buying = asked + 7 * horizon_weeks <= last, (now > start) | everybody
    kept = in_time & buying
    counts = {
        "answers": len(answers),
        "undated": len(answers) - len(dated),
        "too_late": int((~in_time).sum()),
        "not_buying": int((in_time & ~buying).sum()),
        "kept": int(kept.sum()),
    }
    if not kept.any():
        raise CxError(
            f"None of {len(answers):,} answers can be followed for {horizon_weeks:g} weeks: "
            f"{counts['undated']:,} without a date, {counts['too_late']:,} too late, "
            f"{counts['not_buying']:,} by customers who were not buying. Do both tables name "
            "customers alike? Is the horizon too long?"
        )
    found = dated[kept].copy()
    found["orders"], found["spend"] = (end - now)[kept], (spent[end] - spent[now])[kept]
    found["quiet"] = found["orders"] == 0
    found["churned"] = found["quiet"]
    found["earlier_rate"] = ((now - start) / (seen / 7))[kept]
    found["earlier_spend"] = ((spent[now] - spent[start]) / (seen / 7))[kept]
    latest = key[np.maximum(now - 1, 0)] - who[1] * DAY_SPAN
    found["recency_weeks"] = np.where(now > start, (asked - latest) / 7, np.nan)[kept]
    if customers is not None and "left_at" in customers:
        gone = customers.dropna(subset=["left_at"])
        gone = pd.Series(gone["left_at"].to_numpy(), index=gone["customer_id"].astype(object))
        gone = pd.to_datetime(found["customer_id"].astype(object).map(gone))
        then = pd.to_datetime(found[when_col])
        found["left"] = (gone > then) & (gone <= then + pd.Timedelta(weeks=horizon_weeks))
        found["churned"] |= found["left"]
    found.attrs["follow_up"] = counts
    return found.reset_index(drop=True)


def clustered_share(done, customer, weights=None, *, level: float = 0.95) -> Interval:
    """Share of answers followed by something, where a customer may have answered repeatedly.

    Wilson's interval through the effective number of customers; a single customer tells nothing
    of others, so that the interval is 0 to 1.

    Examples
    --------
    >>> share = clustered_share([True, True, False, False], ["a", "a", "b", "c"])
    >>> share.estimate, share.low < 0.5 < share.high
    (0.5, True)
    """
    done, who = np.asarray(done, dtype=int), pd.factorize(np.asarray(customer, dtype=object))[0]
    if len(np.unique(who)) < 2:
        share = float(np.average(done, weights=weights))
        return Interval(share, 0.0, 1.0, level, len(done), "one customer", "share")
    return weighted_share(done, weights, cluster=who, level=level)
