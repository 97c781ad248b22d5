"""Weights: raking meets its margins, trimming keeps the sum, bad weights are named."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cxlib import stats
from cxlib.errors import CxError


@settings(deadline=None, max_examples=25)
@given(
    seed=some.integers(0, 10_000),
    share=some.floats(0.15, 0.85),
    tilt=some.lists(some.floats(0.2, 3), min_size=3, max_size=3),
)
def test_raking_meets_every_margin(seed, share, tilt):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"plan": rng.integers(0, 2, 300), "country": rng.choice(list("abc"), 300)})
    targets = {
        "plan": {0: share, 1: 1 - share},
        "country": dict(zip("abc", np.array(tilt) / sum(tilt), strict=True)),
    }
    weights = stats.rake(frame, targets)
    assert weights.sum() == pytest.approx(300)
    assert (weights > 0).all()
    for column, shares in targets.items():
        found = pd.Series(weights).groupby(frame[column].to_numpy()).sum() / 300
        assert found.to_dict() == pytest.approx(shares, abs=1e-8)


def test_raking_one_margin_is_post_stratification():
    frame = pd.DataFrame({"g": list("aaab")})
    weights = stats.rake(frame, {"g": {"a": 0.5, "b": 0.5}}, weights=[1, 1, 2, 1])
    # a holds 4 of 5, b 1 of 5: factors 5/8 and 5/2
    assert weights == pytest.approx([0.625, 0.625, 1.25, 2.5])


def test_raking_names_all_problems_at_once():
    frame = pd.DataFrame({"g": list("aabc"), "h": [1, 1, 2, 2]})
    targets = {"g": {"a": 0.5, "b": 0.3, "d": 0.2}, "h": {1: 0.7, 2: 0.7}, "k": {1: 1.0}}
    with pytest.raises(CxError) as caught:
        stats.rake(frame, targets)
    message = str(caught.value)
    for part in ("no target: c", "nobody answers for: d", "sum to 1.4", "'k' is missing"):
        assert part in message


def test_contradicting_margins_do_not_settle():
    frame = pd.DataFrame({"g": list("aabb"), "h": list("xxyy")})
    with pytest.raises(CxError, match="did not settle"):
        stats.rake(frame, {"g": {"a": 0.5, "b": 0.5}, "h": {"x": 0.7, "y": 0.3}}, iterations=50)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, -1, 2], "1 of 3 are negative"),
        ([1, np.nan, 2], "missing"),
        ([1, np.inf, 2], "infinite"),
        ([0, 0, 0], "all weights are zero"),
        ([-1, np.nan, 2], "(?s)missing.*negative"),
    ],
)
def test_bad_weights_are_named_everywhere(weights, message):
    for call in (
        lambda: stats.effective_n(weights),
        lambda: stats.trim_weights(weights),
        lambda: stats.weighted_mean([1, 2, 3], weights),
        lambda: stats.weighted_net_score([1, 0, -1], weights),
        lambda: stats.rake(
            pd.DataFrame({"g": list("aab")}), {"g": {"a": 0.5, "b": 0.5}}, weights=weights
        ),
    ):
        with pytest.raises(CxError, match=message):
            call()


def test_effective_n_is_kish():
    assert stats.effective_n([1] * 10) == 10
    assert stats.effective_n([3, 1]) == pytest.approx(16 / 10)
    assert stats.effective_n([1, 0, 0]) == 1


@settings(deadline=None, max_examples=25)
@given(some.lists(some.floats(0.01, 100), min_size=4, max_size=40), some.floats(1.5, 8))
def test_trimming_keeps_the_sum_and_the_order(weights, largest):
    trimmed = stats.trim_weights(weights, largest=largest)
    assert trimmed.sum() == pytest.approx(sum(weights))
    assert trimmed.max() <= largest * np.mean(weights) * (1 + 1e-9)
    order = np.argsort(weights, kind="stable")
    assert (np.diff(trimmed[order]) >= -1e-9).all()


def test_trimming_refuses_what_cannot_be_met():
    with pytest.raises(CxError, match="cannot be met"):
        stats.trim_weights([0, 0, 0, 1], largest=2)


def test_inverse_probabilities():
    assert stats.inverse_probability_weights([0.5, 0.25]) == pytest.approx([2 / 3, 4 / 3])
    with pytest.raises(CxError, match="outside"):
        stats.inverse_probability_weights([0.5, 0, 1.2])
