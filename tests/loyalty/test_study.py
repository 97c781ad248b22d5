"""The target trial read from hand-made tables, where every number can be counted on fingers."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.loyalty.keys import NEVER, History
from cxlib.loyalty.occasions import LEVELS, find_occasions

START = pd.Timestamp("2024-01-01")


def day(n):
    return START + pd.Timedelta(days=n)


def orders(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "at", "amount", "failure"])
    arrives = frame["at"].map(day)
    return frame.assign(ordered_at=arrives, delivered_at=arrives).drop(columns="at")


def cases(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "at", "failure", "recovery"])
    frame = frame.assign(opened_at=frame["at"].map(day), contact_id=[f"k{i}" for i in frame.index])
    return frame.drop(columns="at")


def scores(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "at", "question", "score"])
    return frame.assign(answered_at=frame["at"].map(day)).drop(columns="at")


@pytest.fixture
def tables():
    return {
        "transactions": orders(
            ("a", 0, 10, False), ("a", 200, 20, True), ("a", 220, 30, False), ("a", 300, 40, False),
            ("b", 0, 10, False), ("b", 200, 20, False), ("b", 215, 50, False),
            ("c", 0, 10, False), ("c", 200, 20, True), ("d", 750, 5, False),
        ),
        "contacts": cases(("a", 203, True, "excellent"), ("b", 500, True, "poor")),
        "responses": scores(("a", 190, "csat", 3), ("a", 201, "csat", 1), ("a", 230, "csat", 6),
                            ("b", 205, "csat", 2), ("b", 240, "csat", 5), ("c", 900, "csat", 4)),
        "customers": pd.DataFrame({"customer_id": list("abcd"), "joined_at": [day(-400)] * 4}),
    }  # fmt: skip


def at(study, who, when):
    index = {"a": 0, "b": 1, "c": 2, "d": 3}
    first = int(START.to_datetime64().astype("datetime64[D]").astype(int))
    rows = np.flatnonzero((study.customer == index[who]) & (study.day == first + when))
    assert len(rows) == 1
    return rows[0]


def test_occasions_levels_and_outcomes(tables):
    study = cx.recovery_study(tables, failures="any")
    a, b, c = (at(study, who, 200) for who in "abc")
    levels = [LEVELS[study.level[row]] for row in (a, b, c)]
    assert levels == ["excellent", "no failure", "unreported"]
    assert LEVELS[study.level[at(study, "b", 500)]] == "poor"  # a case of its own
    value, again = study.outcomes["value"], study.outcomes["repurchase"]
    assert (value[a], again[a]) == (70, 1)  # day 220 and 300 count, from the landmark on day 214
    assert (value[b], again[b]) == (50, 1)
    assert (value[c], again[c]) == (0, 0)
    assert (study.outcomes["churn"][[a, b, c]] == 1).all()  # all are silent after half a year
    answers = study.outcomes["satisfaction"]
    assert answers[a] == 6  # the answer of day 201 lies before the landmark
    assert answers[b] == 5
    assert np.isnan(answers[c])
    assert study.before["satisfaction"][a] == 3
    assert study.gone[c]
    assert not study.gone[a]


def test_who_is_eligible(tables):
    study = cx.recovery_study(tables)
    assert study.excluded["after a failure"] == 2  # a on days 220 and 300
    assert study.excluded["in the first 26 weeks of the records"] == 3
    repeated = cx.recovery_study(tables, failures="repeated")
    assert sorted(repeated.day - repeated.day.min()) == [0, 80]
    tables["customers"]["left_at"] = [day(100), pd.NaT, pd.NaT, pd.NaT]
    assert cx.recovery_study(tables).excluded["of customers who had left"] == 3


def test_a_complaint_belongs_to_the_latest_failed_parcel():
    tables = {
        "transactions": orders(("a", 0, 1, True), ("a", 5, 1, True), ("a", 5, 1, False)),
        "contacts": cases(("a", 6, True, "adequate"), ("a", 90, True, "none")),
    }
    found = find_occasions(tables, 14)
    days = (found.day - found.day.min()).tolist()
    told = [(d, LEVELS[v]) for d, v in zip(days, found.level, strict=True)]
    assert told == [(0, "unreported"), (5, "adequate"), (5, "no failure"), (90, "none")]
    assert (found.kind == [0, 0, 0, 1]).all()


def test_ids_of_any_kind_and_times_with_a_zone(tables):
    plain = cx.recovery_study(tables, failures="any")
    for name in ("transactions", "contacts"):
        tables[name] = tables[name].assign(customer_id=pd.Categorical(tables[name]["customer_id"]))
    tables["contacts"]["opened_at"] = tables["contacts"]["opened_at"].dt.tz_localize("UTC")
    other = cx.recovery_study(tables, failures="any")
    pd.testing.assert_frame_equal(plain.to_frame(), other.to_frame())


def test_contacts_alone_are_enough_for_a_study_without_behaviour():
    contacts = cases(*[("a", 200 * k, k % 2 == 0, "poor") for k in range(6)])
    study = cx.recovery_study({"contacts": contacts}, failures="any")
    assert {LEVELS[v] for v in study.level} == {"no failure", "poor"}
    assert all(np.isnan(y).all() for y in study.outcomes.values())


def test_histories_count_sum_and_find():
    history = History.of(np.array([1, 0, 0]), np.array([5, 9, 3]))
    who = np.array([0, 0, 1, 2])
    first, last = np.array([3, 4, 0, 0]), np.array([9, 10, 6, 99])
    assert history.count(who, first, last).tolist() == [1, 1, 1, 0]
    worth = np.array([100.0, 20.0, 3.0])
    assert history.total(worth, who[:1], np.array([0]), np.array([10])).tolist() == [23.0]
    assert history.latest(who, np.full(4, 9))[0].tolist() == [2, 2, 0, -1]
    row, when = history.following(who, np.full(4, 4))
    assert row.tolist() == [1, 1, 0, -1]
    assert when.tolist() == [9, 9, 5, NEVER]
