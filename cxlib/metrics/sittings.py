"""The working table of a recommendation survey: one row an invitation, with what surrounds it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.behaviour import answers_side_by_side, follow_up
from cxlib.metrics.votes import SETTLED, naive_dates, require_columns, settled_scale

__all__ = ["nps_sittings"]

DATES = ("invited_at", "answered_at")
KNOWN = ("country", "segment", "role", "plan", "joined_at")
MONTHS = ("1st of the quarter", "2nd of the quarter", "3rd of the quarter")
TENURE = {"under a year": 365, "1 to 2 years": 730, "2 to 4 years": 1461}


def nps_sittings(
    responses: pd.DataFrame,
    *,
    customers: pd.DataFrame | None = None,
    contacts: pd.DataFrame | None = None,
    transactions: pd.DataFrame | None = None,
    horizon_weeks: int = 26,
    memory_weeks: int = 26,
    freq: str = "Q",
    scale: str = "ask",
) -> pd.DataFrame:
    """One row an invitation to recommend, with what was known before and what came after.

    Parameters
    ----------
    responses : DataFrame
        Answers; with a column ``question`` the rows of question nps are taken, and csat, intent
        and ces of the customer are put beside them.
    customers, contacts, transactions : DataFrame, optional
        What is not given adds no column.
    horizon_weeks : int
        How long customers are followed after an answer.
    memory_weeks : int
        How far back a contact or an effort answer still belongs to a customer's mind.
    freq : str
        Calendar period: "W", "M", "Q", "Y".
    scale : {"ask", "0-10", "1-10"}
        ``ask`` refuses answers that look like 1-10, unless `cx.read_responses` was told the scale;
        the other two answer the question. 1-10 is used as it is, with a warning. The table
        remembers the answer (in its ``attrs``), so that `cx.nps` and its kin do not ask again.

    Returns
    -------
    DataFrame
        By date: score (missing where nobody answered), every column of `responses`, period and
        month of the invitation within its quarter (1st, 2nd, 3rd); segment columns of the customer
        and tenure; problem (a failure in the memory), agent and team of the latest contact; csat,
        intent, ces; and of answers whose horizon is known, by customers who were buying: churned,
        spend, orders.

    Raises
    ------
    CxError
        No question nps, a scale that must be asked about, an unknown choice, answers before
        their invitation.

    Examples
    --------
    >>> asked = pd.DataFrame({"score": [9, 3], "invited_at": pd.to_datetime(["2025-01-02"] * 2)})
    >>> nps_sittings(asked)[["score", "period"]].values.tolist()
    [[9, '2025Q1'], [3, '2025Q1']]
    """
    require_columns(responses, ["score"])
    rows = responses
    if "question" in responses:
        rows = responses[responses["question"].astype(object) == "nps"]
        if rows.empty:
            found = ", ".join(map(str, pd.unique(responses["question"])))
            raise CxError(f"There is no question nps among: {found or 'nothing'}.")
    if scale == "ask":
        scale = responses.attrs.get(SETTLED, scale)  # said when the file was read
    settled = settled_scale(rows["score"].to_numpy(), scale)
    rows = rows.dropna(axis=1, how="all") if len(rows) else rows
    rows = rows.assign(score=responses.loc[rows.index, "score"]).reset_index(drop=True)
    rows["row"] = np.arange(len(rows))
    day = next((c for c in DATES if c in rows), None)
    if day is not None:
        for name in DATES:
            if name in rows and not pd.api.types.is_datetime64_any_dtype(rows[name]):
                rows[name] = naive_dates(rows[name], name)
        _check_order(rows)
        by_day = naive_dates(rows[day], day).sort_values(kind="stable").index
        rows = rows.loc[by_day].reset_index(drop=True)  # the last answer is the latest
        rows["row"] = np.arange(len(rows))
        when = naive_dates(rows[day], day)
        known = when.notna()
        rows["period"] = when.dt.to_period(freq).astype(str).where(known)
        place = when.dt.month.sub(1) % 3
        rows["month"] = place.map(dict(enumerate(MONTHS))).where(known)
    if "customer_id" not in rows:
        return _finished(rows, settled)
    if customers is not None:
        rows = _with_customers(rows, customers, day)
    if contacts is not None and day is not None:
        rows = _with_contacts(rows, contacts, day, memory_weeks)
    if "question" in responses and "answered_at" in rows:
        rows = _with_other_answers(rows, responses, memory_weeks)
    if transactions is not None and "answered_at" in rows:
        answered = rows[rows["score"].notna()]
        later = follow_up(
            answered, transactions, horizon_weeks=horizon_weeks, customers=customers
        ).set_index("row")
        names = [c for c in ("churned", "left", "quiet", "orders", "spend") if c in later]
        rows = rows.join(later[names].astype(float), on="row")
    return _finished(rows, settled)


def _finished(rows: pd.DataFrame, settled: str) -> pd.DataFrame:
    rows = rows.drop(columns="row")
    rows.attrs[SETTLED] = settled
    return rows


def _check_order(rows: pd.DataFrame) -> None:
    if not {"invited_at", "answered_at"} <= set(rows):
        return
    invited, answered = (naive_dates(rows[name], name) for name in DATES)
    early = (answered < invited).to_numpy()
    if early.any():
        raise CxError(
            f"{int(early.sum()):,} of {len(rows):,} answers came before their invitation (first "
            f"in row {int(np.flatnonzero(early)[0]) + 1}). Are the two columns exchanged, or day "
            "and month?"
        )


def _with_customers(rows, customers, day):
    names = [c for c in KNOWN if c in customers and c not in rows]
    own = customers.drop_duplicates("customer_id").set_index("customer_id")[names]
    ids = rows["customer_id"].astype(object)
    for name in names:
        rows[name] = ids.map(own[name].set_axis(own.index.astype(object)).astype(object))
    if "joined_at" in names and day is not None:
        age = (rows[day] - pd.to_datetime(rows["joined_at"])).dt.days
        edges = [-np.inf, *TENURE.values(), np.inf]
        labels = [*TENURE, "4 years and more"]
        rows["tenure"] = pd.cut(age, edges, labels=labels).astype(object)
        rows = rows.drop(columns="joined_at")
    return rows


def _with_contacts(rows, contacts, day, weeks):
    wanted = [c for c in ("failure", "agent", "team") if c in contacts]
    past = contacts[["customer_id", "opened_at", *wanted]].assign(
        customer_id=contacts["customer_id"].astype(object)
    )
    left = rows[["row", day]].assign(customer_id=rows["customer_id"].astype(object)).dropna()
    pairs = left.merge(past, on="customer_id")
    gap = (pairs[day] - pairs["opened_at"]).dt.days
    pairs = pairs[(gap > 0) & (gap <= 7 * weeks)].sort_values("opened_at", kind="stable")
    for name in wanted:
        if name == "failure":
            met = pairs.groupby("row")["failure"].any()
            rows["problem"] = rows["row"].map(met).astype(object).fillna(False).astype(bool)
            rows["problem"] = rows["problem"].map({True: "yes", False: "no"})
        else:
            rows[name] = rows["row"].map(pairs.groupby("row")[name].last().astype(object))
    return rows


def _with_other_answers(rows, responses, weeks):
    question = responses["question"].astype(object)
    same = [q for q in ("intent", "csat") if (question == q).any()]
    about = responses
    if "wording" in responses:  # one wording of effort: the two point opposite ways
        about = responses[~(question.eq("ces") & responses["wording"].astype(object).ne("easy"))]
    earlier = {"ces": weeks} if (question == "ces").any() else None
    settled = {"scale": "0-10"}  # asked about before; no score is worked out here
    beside = answers_side_by_side(about, ("nps", *same), earlier_weeks=earlier, **settled)
    key = [c for c in ("customer_id", "invited_at", "touchpoint") if c in beside and c in rows]
    names = [*same, *(earlier or {})]
    beside = beside[[*key, *names]].drop_duplicates(key)
    return rows.drop(columns=[n for n in names if n in rows]).merge(beside, on=key, how="left")
