"""Scores that are none, and scores on another scale: every function that takes scores says so."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError
from cxlib.metrics.votes import asks_for_the_scale

AIRPORT_2017 = [17, 6, 8, 19, 18, 144, 130, 291, 677, 564, 872]
ON_TEN = [1] * 10 + [5] * 20 + [9] * 40 + [10] * 30


def as_frame(scores):
    n = len(scores)
    days = pd.date_range("2025-01-01", "2025-06-30", periods=n).floor("D")
    frame = pd.DataFrame({"score": scores, "plan": ["a", "b"] * (n // 2), "invited_at": days})
    return frame.assign(quarter=frame["invited_at"].dt.to_period("Q").astype(str))


NINES = [9] * 20
OTHER = as_frame([0, 3, 7, 9, 10] * 20)
TAKE_SCORES = {
    "nps": lambda scores, **how: cx.nps(scores, **how),
    "nps of a Series": lambda scores, **how: cx.nps(pd.Series(scores), **how),
    "nps_difference": lambda scores, **how: cx.nps_difference(scores, NINES, **how),
    "a target": lambda scores, **how: cx.nps_difference(scores, 30, **how),
    "nps_by": lambda scores, **how: cx.nps_by(as_frame(scores), "plan", **how),
    "nps_trend": lambda scores, **how: cx.nps_trend(as_frame(scores), **how),
    "nps_decompose": lambda scores, **how: cx.nps_decompose(OTHER, as_frame(scores), "plan", **how),
    "nps_changes": lambda scores, **how: cx.nps_changes(as_frame(scores), OTHER, "plan", **how),
    "nps_reweighted": lambda scores, **how: cx.nps_reweighted(as_frame(scores), "plan", **how),
    "nps_checkup": lambda scores, **how: cx.nps_checkup(
        as_frame(scores), columns={"period": "quarter", "segment": "plan", "team": "plan"}, **how
    ),
}


@pytest.mark.parametrize("name", TAKE_SCORES)
def test_answers_on_1_to_10_are_asked_about_once(name):
    take = TAKE_SCORES[name]
    with pytest.raises(CxError, match=r'10 of 100 answers are 1 and none is 0.*scale="0-10"'):
        take(ON_TEN)
    with warnings.catch_warnings():
        warnings.simplefilter("error", cx.CxWarning)
        take(ON_TEN, scale="0-10")
        take([0, *ON_TEN[1:]])
    with pytest.warns(cx.CxWarning, match="Answers on 1-10 are used as they are"):
        take(ON_TEN, scale="1-10")
    with pytest.raises(CxError, match="scale must be one of ask, 0-10, 1-10"):
        take(ON_TEN, scale="1-5")


@pytest.mark.parametrize("scale", ["0-10", "1-10"])
def test_what_the_sittings_settled_is_not_asked_again(scale):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.CxWarning)
        asked = cx.nps_sittings(as_frame(ON_TEN), scale=scale)
        warnings.simplefilter("error", cx.CxWarning)
        parts = [asked, asked[asked["plan"] == "a"].dropna(subset=["score"]).assign(extra=1)]
        for part in parts:
            assert cx.nps(part["score"]).n == len(part)
            assert cx.nps_by(part, "plan")["n"].sum() == len(part)
            cx.nps_trend(part, period_col="period")
            cx.nps_decompose(part, part, by="plan")
            cx.nps_changes(part, part, by="plan")
            cx.nps_checkup(part, columns={"period": "period", "segment": "plan"})
        for _, part in asked.groupby("plan"):
            cx.nps(part["score"])


def test_on_1_to_10_detractors_begin_at_1():
    with pytest.warns(cx.CxWarning):
        found = cx.nps(ON_TEN, scale="1-10")
    assert found.estimate == cx.nps(ON_TEN, scale="0-10").estimate
    assert found.breaks[0] == (1, 6)
    with pytest.warns(cx.CxWarning), pytest.raises(CxError, match="1-10: 1 of 101 is 0"):
        cx.nps([0, *ON_TEN], scale="1-10")


def test_small_and_ordinary_samples_are_not_asked_about():
    rng = np.random.default_rng(2)
    shares = np.array(AIRPORT_2017) / sum(AIRPORT_2017)
    asked = 0
    for n in (5, 20, 100, 500, 2000):
        for _ in range(100):
            asked += bool(asks_for_the_scale(rng.choice(11, n, p=shares)))
    assert asked <= 2
    bell = np.clip(np.round(rng.normal(6.5, 1.7, 3000)), 1, 10)
    assert not asks_for_the_scale(bell)
    merged = np.maximum(rng.choice(11, 2000, p=shares), 1)  # the same people asked on 1-10
    assert asks_for_the_scale(merged)
    assert not asks_for_the_scale([1] * 5 + [9, 10])
    assert not asks_for_the_scale([1] * 4 + [9, 10] * 20)


@pytest.mark.parametrize("name", TAKE_SCORES)
@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ([11], "1 of 101 is 11"),
        ([-1], "Is -1 a code"),
        ([99], r'missing={"score": \[99\]}'),
        (["neun"], "'neun'.*mapping="),
        ([""], "empty cells"),
        ([True], "1 of 101 is True.*yes or no"),
        ([[9]], r"1 of 101 is \[9\]"),
        ([float("inf")], "is inf"),
        (["80 %"], "per cent"),
        ([80] * 300, "per cent, or another scale"),
        ([pd.Timestamp("2025-01-01")], "Timestamp"),
    ],
)
def test_every_function_names_what_is_no_answer(name, bad, text):
    scores = [0, 9] * 50 + bad
    scores = pd.Series([*scores, *([None] * (len(scores) % 2))], dtype=object)
    text = text.replace("101", str(len(scores)))
    with pytest.raises(CxError) as caught:
        TAKE_SCORES[name](scores)
    assert re.search(text, str(caught.value).replace("\n", " "))


def test_answers_of_yes_and_no_are_no_scores():
    for scores in ([True, False], np.array([True, False]), [True, 9], pd.Series([True, None])):
        with pytest.raises(CxError, match=r"must be numbers.*yes or no"):
            cx.nps(scores)
    with pytest.raises(CxError, match="must be numbers"):
        cx.csat([True, False, True], scale=(0, 10))


def test_the_row_of_a_bad_answer_is_named_by_its_label():
    frame = pd.DataFrame({"question": ["csat", "nps", "csat", "nps"], "score": [3, 9, 4, 99]})
    with pytest.raises(CxError, match="first at position 1, row 3"):
        cx.nps_by(frame.assign(team="a"), by="team")


def test_a_single_answer_with_a_weight_is_a_single_answer():
    assert cx.nps([9], weights=[2.5]).low == cx.nps([9]).low
    assert cx.nps([9], cluster=["a"]).summary() == cx.nps([9]).summary()


def test_a_change_that_rests_on_one_answer_is_refused():
    one = pd.DataFrame({"score": [9.0], "plan": ["a"]})
    with pytest.raises(CxError, match="single independent answer after"):
        cx.nps_decompose(OTHER, one, "plan")


def test_dates_that_are_none_are_named():
    frame = as_frame([0, 9] * 20).assign(invited_at="31.12.2025")
    for take in (cx.nps_trend, cx.nps_sittings):
        with pytest.raises(CxError, match=r"invited_at are no dates.*row 1.*31\.12\.2025"):
            take(frame)
        with pytest.raises(CxError, match="no dates"):
            take(frame.assign(invited_at=range(40)))
    assert len(cx.nps_sittings(frame.iloc[:0])) == 0
    with pytest.raises(CxError, match="no answer"):
        cx.nps_checkup(frame.iloc[:0], columns={"period": "quarter"})
