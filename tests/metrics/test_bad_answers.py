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


def test_whoever_names_the_scale_at_reading_is_not_asked():
    file = pd.DataFrame({"customer_id": range(100), "question": "nps", "score": ON_TEN})
    with pytest.raises(CxError, match="none is 0"):
        cx.nps_sittings(cx.read_responses(file))
    with warnings.catch_warnings():
        warnings.simplefilter("error", cx.CxWarning)
        read = cx.read_responses(file, scale={"nps": (0, 10)})
        asked = cx.nps_sittings(read)
        assert cx.nps(asked["score"]).n == cx.nps(read["score"]).n == 100
    read = cx.read_responses(file, scale={"nps": (1, 10.0)})
    with pytest.warns(cx.CxWarning, match="compare this score with no other"):
        assert cx.nps(cx.nps_sittings(read)["score"]).breaks[0] == (1, 6)


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


def with_weights(weights):
    frame = as_frame([0, 9, 10, 3] * 30)
    return frame.assign(w=weights, left=[0, 1, 1] * 40, answer=frame["score"])


WEIGHTED = {
    "nps": lambda frame: cx.nps(frame["score"], weights=frame["w"]),
    "nps_by": lambda frame: cx.nps_by(frame, "plan", weight_col="w"),
    "nps_trend": lambda frame: cx.nps_trend(frame, weight_col="w"),
    "nps_decompose": lambda frame: cx.nps_decompose(frame, frame, "plan", weight_col="w"),
    "nps_changes": lambda frame: cx.nps_changes(frame, frame, "plan", weight_col="w"),
    "nps_reweighted": lambda frame: cx.nps_reweighted(frame, "plan", weight_col="w"),
    "nps_checkup": lambda frame: cx.nps_checkup(frame, weight_col="w"),
    "csat": lambda frame: cx.csat(frame["score"], scale=(0, 10), weights=frame["w"]),
    "intent": lambda frame: cx.intent(frame["score"], scale=(0, 10), weights=frame["w"]),
    "predictive_power": lambda frame: cx.predictive_power(
        frame, outcome="left", predictors={"NPS": ["answer"]}, weight_col="w"
    ),
}


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("weights", [0.0, -1.0, np.nan, np.inf, "eins"])
def test_impossible_weights_are_refused_everywhere(name, weights):
    with pytest.raises(CxError, match=r"weight|column w"):
        WEIGHTED[name](with_weights(weights))


def test_a_segment_without_weight_does_not_count():
    frame = with_weights(np.where(np.arange(120) % 2 == 0, 0.0, 1.0))
    found = cx.nps_by(frame, "plan", weight_col="w")
    assert found["plan"].tolist() == ["b"]
    assert found.attrs["unanswered"] == [{"plan": "a"}]
    split = cx.nps_decompose(frame.iloc[:60], frame.iloc[60:], "plan", weight_col="w")
    assert np.isfinite(split.to_frame()[["estimate", "low", "high"]]).all(axis=None)
    assert split.segments["segment"].tolist() == ["b"]
    changes = cx.nps_changes(frame.iloc[:60], frame.iloc[60:], "plan", weight_col="w")
    assert changes["plan"].tolist() == ["b"]


@pytest.mark.parametrize(
    ("take", "text"),
    [
        (lambda: cx.nps_by([9, 3], "plan"), "data frame of answers is needed, not list"),
        (lambda: cx.nps_by(OTHER, None), "by names no column"),
        (lambda: cx.nps_trend(OTHER, edges=["2030-01-01", "2031-01-01"]), "within the edges"),
        (lambda: cx.nps_trend(OTHER, edges=["x", "y"]), "two or more dates"),
        (lambda: cx.nps_from_counts(["a"] * 11), "Counts must be whole"),
        (lambda: cx.information_kept([0] * 11, [1] * 11), "not all zero"),
        (lambda: cx.information_kept([1] * 10, [1] * 11), "Two times eleven counts"),
        (lambda: cx.nps_difference([9, 3], True), "must be numbers"),
        (lambda: cx.csat([5, 3], scale=(1, 5), cluster=[1]), "cluster: 1 labels for 2 rows"),
        (lambda: contest([9], {"a": ["answer"]}), "data frame, not list"),
        (lambda: contest(with_weights(1.0).assign(answer=np.inf), {"a": ["answer"]}), "infinite"),
    ],
)
def test_what_else_cannot_be_used_is_said_in_words(take, text):
    with pytest.raises(CxError, match=text):
        take()


def contest(frame, predictors):
    return cx.predictive_power(frame, outcome="left", predictors=predictors, replicates=39)


def test_an_answer_that_all_give_predicts_nothing_and_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = contest(with_weights(1.0).assign(answer=9), {"a": ["answer"], "b": ["score"]})
    assert found.scores.set_index(["predictor", "measure"]).loc[("a", "auc"), "estimate"] == 0.5


def test_answers_with_and_without_a_zone_can_be_compared():
    frame = as_frame([0, 9] * 20)
    late = (frame["invited_at"] + pd.Timedelta("2D")).dt.tz_localize("UTC")
    assert len(cx.nps_sittings(frame.assign(answered_at=late))) == 40
    with pytest.raises(CxError, match="came before their invitation"):
        cx.nps_sittings(frame.assign(answered_at=late - pd.Timedelta("9D")))


def test_one_period_is_told_with_its_interval():
    told = cx.nps_trend(as_frame([0, 9] * 20), freq="Y").summary()
    assert told.startswith("One period, 2025: 0.0 [-")


def test_the_latest_answer_is_the_latest_by_date_whatever_the_order_of_the_file():
    days = pd.date_range("2024-01-01", periods=400)
    file = pd.DataFrame({"customer_id": [*range(200)] * 2, "answered_at": days})
    file = file.assign(score=[9] * 120 + [3] * 200 + [9] * 80)
    file = file.assign(left=([1, 0] * 60 + [0] * 80) * 2)
    found = []
    for rows in (file, file[::-1]):
        sittings = cx.nps_sittings(rows)
        assert sittings["answered_at"].is_monotonic_increasing
        for table in (sittings, rows, rows.assign(answered_at=rows["answered_at"].astype(str))):
            told = cx.nps_checkup(table, columns={"churn": "left"}, cluster_col="customer_id")
            found.append(told.loc[2, ["number", "low", "high", "rests_on"]].tolist())
    assert all(one == found[0] for one in found)
    assert found[0][-1] == "left: 0 % of 80 promoters, 50 % of 120 detractors"


def test_traits_of_promoters_are_those_of_their_latest_answers():
    days = pd.date_range("2025-01-01", periods=80)
    file = pd.DataFrame({"customer_id": [*range(40), *range(40)], "answered_at": days, "nps": 10})
    file["intent"] = [9] * 40 + [2, 9] * 20
    file["plan"] = ["a", "b"] * 40
    first, second = (cx.fan_traits(cx.intent_matrix(rows), ["plan"]) for rows in (file, file[::-1]))
    pd.testing.assert_frame_equal(first, second)


def test_answers_side_by_side_ask_about_the_scale_once():
    other = {"customer_id": range(100), "question": "intent", "score": 5}
    file = pd.DataFrame({"customer_id": range(100), "question": "nps", "score": ON_TEN})
    file = pd.concat([file, pd.DataFrame(other)], ignore_index=True)
    with pytest.raises(CxError, match=r'none is 0.* Pass scale="0-10"'):
        cx.answers_side_by_side(file)
    with pytest.warns(cx.CxWarning, match="compare this score with no other"):
        assert len(cx.answers_side_by_side(file, scale="1-10")) == 100
    with warnings.catch_warnings():
        warnings.simplefilter("error", cx.CxWarning)
        assert len(cx.answers_side_by_side(file, scale="0-10")) == 100
        read = cx.read_responses(file, scale={"nps": (0, 10)})
        assert len(cx.answers_side_by_side(read)) == 100
        dated = file.assign(answered_at=pd.Timestamp("2025-01-01"))
        assert len(cx.nps_sittings(dated, scale="0-10")) == 100  # asks no second time


def test_traits_that_differ_most_come_first_where_adjusted_p_tie():
    file = pd.DataFrame({"customer_id": range(80), "nps": 10, "intent": [2] * 30 + [9] * 50})
    file["plan"] = ["b"] * 15 + ["c"] * 15 + ["b"] * 26 + ["c"] * 24
    file["size"] = ["x"] * 14 + ["y"] * 16 + ["x"] * 27 + ["y"] * 23
    found = cx.fan_traits(cx.intent_matrix(file), ["plan", "size"])
    assert found["p"].nunique() < len(found)
    assert found["difference"].abs().is_monotonic_decreasing
