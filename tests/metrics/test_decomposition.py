"""The decomposition adds up, shows Simpson's paradox, and owns up to customers who answer twice."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx

ROWS = st.lists(
    st.tuples(st.integers(0, 10), st.sampled_from("abcd"), st.floats(0.1, 9)),
    min_size=2,
    max_size=40,
)


def table(rows):
    return pd.DataFrame(rows, columns=["score", "plan", "weight"])


@given(ROWS, ROWS)
@settings(deadline=None, max_examples=60)
def test_the_parts_add_up_whatever_the_segments(before, after):
    before, after = table(before), table(after)
    split = cx.nps_decompose(before, after, by="plan", weight_col="weight")
    assert split.within + split.mix + split.interaction == pytest.approx(split.total, abs=1e-10)
    whole = [cx.nps(f["score"], weights=f["weight"]).estimate for f in (before, after)]
    assert split.total == pytest.approx(whole[1] - whole[0], abs=1e-9)
    segments = split.segments[["within", "mix", "interaction"]].sum()
    assert segments.sum() == pytest.approx(split.total, abs=1e-10)


def test_the_parts_add_up_to_1e_12_in_shares():
    rng = np.random.default_rng(1)
    sides = [
        pd.DataFrame({"score": rng.integers(0, 11, 5000), "plan": rng.integers(0, 30, 5000)})
        for _ in range(2)
    ]
    split = cx.nps_decompose(*sides, by="plan")
    assert abs(split.within + split.mix + split.interaction - split.total) / 100 < 1e-12


def test_everybody_rises_and_the_whole_falls():
    yes = {"small": (10, "small", 1), "large": (10, "large", 1)}
    no = {"small": (3, "small", 1), "large": (3, "large", 1)}
    before = table(
        [yes["small"]] * 80 + [no["small"]] * 10 + [yes["large"]] * 2 + [no["large"]] * 8
    )
    after = table([yes["small"]] * 9 + [no["small"]] + [yes["large"]] * 27 + [no["large"]] * 63)
    split = cx.nps_decompose(before, after, by="plan")
    assert (split.segments["nps_after"] > split.segments["nps_before"]).all()
    assert split.within_low < split.within < split.within_high
    assert split.within > 0 > split.total_high
    assert split.mix_high < 0


def test_a_segment_that_comes_or_goes_is_mix():
    before, after = (
        table([(10, "a", 1), (3, "a", 1), (9, "b", 1)]),
        table([(10, "a", 1), (3, "a", 1)]),
    )
    split = cx.nps_decompose(before, after, by="plan")
    assert split.within == 0
    assert split.interaction == 0
    assert split.mix == pytest.approx(split.total)
    assert split.segments.set_index("segment").loc["b", "n_after"] == 0


def test_customers_who_answer_twice_make_the_change_surer_and_doubled_rows_do_not():
    rng = np.random.default_rng(2)
    score = rng.integers(0, 11, 300)
    frame = pd.DataFrame({"score": score, "plan": "all", "who": np.arange(300)})
    later = frame.assign(score=np.where(rng.random(300) < 0.9, score, rng.integers(0, 11, 300)))
    free = cx.nps_decompose(frame, later, by="plan")
    paired = cx.nps_decompose(frame, later, by="plan", cluster_col="who")
    assert paired.total_high - paired.total_low < 0.6 * (free.total_high - free.total_low)
    twice = cx.nps_decompose(
        *(pd.concat([f, f]) for f in (frame, later)), by="plan", cluster_col="who"
    )
    assert (twice.total_low, twice.total_high) == pytest.approx(
        (paired.total_low, paired.total_high), abs=1e-9
    )


@pytest.mark.filterwarnings("ignore:.*left out")
@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda f: f.drop(columns="plan"), "column 'plan' is missing"),
        (lambda f: f.assign(score=11), "must be whole numbers in 0-10"),
        (lambda f: f.assign(plan=None), "no answer with a segment and a weight before"),
        (lambda f: f.assign(score=None), "no answer with a segment and a weight before"),
    ],
)
def test_bad_input_is_named(change, wanted):
    good = table([(10, "a", 1), (3, "b", 1)] * 5)
    with pytest.raises(cx.CxError, match=wanted):
        cx.nps_decompose(change(good), good, by="plan")


def test_weights_that_sum_to_zero_are_refused():
    good = table([(10, "a", 1), (3, "b", 1)] * 5)
    with pytest.raises(cx.CxError, match="no answer with a segment and a weight after"):
        cx.nps_decompose(good, good.assign(weight=0), by="plan", weight_col="weight")


def test_no_negative_zero_is_told():
    before = pd.DataFrame({"score": [9] * 600 + [3] * 400, "plan": ["a"] * 500 + ["b"] * 500})
    after = before.assign(plan=["a"] * 500 + ["b"] * 499 + ["a"])
    split = cx.nps_decompose(before, after, by="plan")
    assert -0.05 < split.interaction < 0
    assert "by both together +0.0" in split.summary()
