"""Effort and satisfaction: aggregates by hand, direction, properties, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib.errors import CxError

SEVEN = st.lists(st.integers(1, 7), min_size=2, max_size=40).filter(lambda s: len(set(s)) > 1)


@pytest.mark.parametrize(
    ("scale", "scores", "share_easy", "top2", "net_easy"),
    [
        ((1, 7), [1, 2, 3, 4, 5, 6, 7, 7], 4 / 8, 3 / 8, 0),
        ((1, 5), [1, 2, 3, 4, 5], 2 / 5, 2 / 5, 0),
        ((1, 6), [1, 3, 4, 5, 6], 3 / 5, 2 / 5, 0),
        ((0, 10), [10, 9, 6, 5, 0], 3 / 5, 2 / 5, 1 / 5),
    ],
)
def test_aggregates_by_hand(scale, scores, share_easy, top2, net_easy):
    result = cx.ces(scores, scale=scale, high_means="easy")
    assert result.share_easy == pytest.approx(share_easy)
    assert result.top2 == pytest.approx(top2)
    assert result.net_easy == pytest.approx(net_easy)
    assert result.mean == pytest.approx(np.mean(scores))


@given(SEVEN)
@settings(deadline=None, max_examples=25)
def test_the_other_wording_is_the_mirrored_scale(scores):
    easy = cx.ces(scores, scale=(1, 7), high_means="easy")
    effort = cx.ces([8 - s for s in scores], scale=(1, 7), high_means="effort")
    for name in ("share_easy", "top2", "net_easy"):
        for end in ("", "_low", "_high"):
            assert getattr(effort, name + end) == pytest.approx(getattr(easy, name + end))
    assert effort.mean == pytest.approx(8 - easy.mean)


@given(SEVEN)
@settings(deadline=None, max_examples=25)
def test_intervals_hold_their_estimates(scores):
    for result in (cx.ces(scores, scale=(1, 7), high_means="easy"), cx.csat(scores, scale=(1, 7))):
        for name in result.measures:
            low, value, high = (getattr(result, name + end) for end in ("_low", "", "_high"))
            assert low <= value <= high
            assert type(value) is float


def test_weights_and_clusters_reach_every_aggregate():
    scores = [7, 6, 2, 3, 7, 5, 4, 1]
    plain = cx.ces(scores, scale=(1, 7), high_means="easy")
    doubled = cx.ces(scores * 2, scale=(1, 7), high_means="easy", cluster=list(range(8)) * 2)
    heavy = cx.ces(scores, scale=(1, 7), high_means="easy", weights=[9, 1, 1, 1, 9, 1, 1, 1])
    assert doubled.top2 == pytest.approx(plain.top2)
    assert heavy.top2 > plain.top2
    assert heavy.mean > plain.mean


@pytest.mark.parametrize("direction", ["", "low", None])
def test_the_direction_must_be_said(direction):
    with pytest.raises(CxError, match="opposite ways"):
        cx.ces([1, 2], scale=(1, 7), high_means=direction)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: cx.ces([1, 8], scale=(1, 7), high_means="easy"), "1-7: 1 of 2 is 8"),
        (lambda: cx.ces([1, 2], scale=(1, 3), high_means="easy"), "four steps"),
        (lambda: cx.ces([1, 2], scale=7, high_means="easy"), "(lowest, highest)"),
        (lambda: cx.csat(["stimme zu", 3], scale=(1, 5)), "'stimme zu'"),
        (lambda: cx.csat([None], scale=(1, 5)), "missing"),
    ],
)
def test_bad_input_is_named(call, text):
    with pytest.raises(CxError) as caught:
        call()
    assert text in str(caught.value)


def test_of_one_answer_the_mean_may_lie_anywhere_on_the_scale():
    for result in (cx.csat([4], scale=(1, 5)), cx.intent([4], scale=(1, 5), weights=[3.0])):
        assert (result.mean, result.mean_low, result.mean_high) == (4, 1, 5)
        assert np.isfinite(result.to_frame()[["low", "high"]]).all(axis=None)
        assert "mean 4.00 [1.00, 5.00]" in result.summary()
        assert "95 % intervals, 1 answer, 0 missing" in result.summary()
    assert 0 < cx.csat([4], scale=(1, 5)).top2_low < cx.csat([4], scale=(1, 5)).top2_high == 1


def test_a_frame_and_a_sentence():
    result = cx.csat([5, 4, 3, 5, 1, None], scale=(1, 5))
    frame = result.to_frame()
    assert list(frame["measure"]) == ["mean", "top2"]
    assert frame["missing"].tolist() == [1, 1]
    assert "95 % intervals, 5 answers, 1 missing" in result.summary()
    assert result.plot().get_xlabel() == "share of answers"
