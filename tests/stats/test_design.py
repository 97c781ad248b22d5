"""Weighted and clustered estimates: known formulas, invariances, edges."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cxlib import stats
from cxlib.errors import CxError


def test_simple_sample_is_student_t():
    values = np.array([4.0, 5, 5, 6, 7, 3, 9])
    design, plain = stats.weighted_mean(values), stats.mean(values)
    # the delete-one jackknife of a mean is s^2 / n exactly
    assert (design.low, design.high) == pytest.approx((plain.low, plain.high))
    assert design.effective_n == pytest.approx(6)  # n - 1: the single variance has divisor n


def test_equal_clusters_are_one_value_each():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(6, 4))
    design = stats.weighted_mean(values.ravel(), cluster=np.repeat(np.arange(6), 4))
    means = stats.mean(values.mean(axis=1))
    assert (design.low, design.high) == pytest.approx((means.low, means.high))
    assert (design.clusters, design.df) == (6, 5)


def test_unequal_clusters_by_leaving_each_out():
    rng = np.random.default_rng(2)
    cluster = np.repeat([0, 1, 2, 3], [1, 5, 2, 8])
    values, weights = rng.normal(size=16), rng.uniform(0.5, 2, 16)
    whole = np.average(values, weights=weights)
    left = [np.average(values[cluster != g], weights=weights[cluster != g]) for g in range(4)]
    expected = np.sqrt(3 / 4 * np.sum((np.array(left) - whole) ** 2))
    found = stats.weighted_mean(values, weights, cluster=cluster)
    assert found.standard_error == pytest.approx(expected)


def test_strata_and_finite_population():
    values = np.array([1.0, 2, 3, 11, 12, 13, 14])
    strata = np.array([0, 0, 0, 1, 1, 1, 1])
    free = stats.weighted_mean(values, strata=strata)
    # equal weights: jackknife within strata sums (n_h / N)^2 s_h^2 / n_h, here close to it
    half = stats.weighted_mean(values, strata=strata, population=[6, 8])
    assert half.standard_error == pytest.approx(free.standard_error * np.sqrt(0.5))
    assert free.df == 5
    assert free.standard_error < stats.weighted_mean(values).standard_error / 3
    census = stats.weighted_net_score([1, 0, -1, 1], population=4)
    assert census.low == census.high == census.estimate == 25
    with pytest.raises(CxError, match="smaller than its sample"):
        stats.weighted_mean(values, population=3)


def test_raked_variance_forgets_what_margins_explain():
    rng = np.random.default_rng(3)
    group = np.repeat([0, 1], 100)
    values = 10.0 * group + rng.normal(size=200)
    frame = pd.DataFrame({"g": group})
    weights = stats.rake(frame, {"g": {0: 0.3, 1: 0.7}})
    plain = stats.weighted_mean(values, weights)
    raked = stats.weighted_mean(values, weights, raked_on=frame)
    assert raked.estimate == plain.estimate
    assert raked.standard_error < plain.standard_error / 3
    # two strata of known shares: sqrt(.3^2 / 100 + .7^2 / 100) at unit variance
    assert raked.standard_error == pytest.approx(np.sqrt(0.58) / 10, rel=0.12)


def test_net_score_equals_the_simple_one_through_effective_n():
    votes = np.repeat([1, 0, -1], [50, 30, 20])
    found, simple = stats.weighted_net_score(votes), stats.net_score(50, 20, 100)
    # t with 99 df and n - 1 for n: a little wider
    assert (found.low, found.high) == pytest.approx((simple.low, simple.high), abs=0.4)
    assert found.high - found.low > simple.high - simple.low
    assert found.estimate == simple.estimate


@settings(deadline=None, max_examples=20)
@given(seed=some.integers(0, 10_000), factor=some.floats(1e-6, 1e6))
def test_invariances(seed, factor):
    rng = np.random.default_rng(seed)
    votes, weights = rng.integers(-1, 2, 40), rng.uniform(0.1, 3, 40)
    cluster = rng.integers(0, 8, 40)
    order = rng.permutation(40)
    base = stats.weighted_net_score(votes, weights, cluster=cluster)
    scaled = stats.weighted_net_score(votes, weights * factor, cluster=cluster)
    mixed = stats.weighted_net_score(votes[order], weights[order], cluster=cluster[order])
    padded = stats.weighted_net_score(
        np.r_[votes, 1, 1], np.r_[weights, 0, 0], cluster=np.r_[cluster, 3, 99]
    )
    mirrored = stats.weighted_net_score(-votes, weights, cluster=cluster)
    for other in (scaled, mixed, padded):
        assert (other.low, other.high) == pytest.approx((base.low, base.high), abs=1e-6)
    assert (-mirrored.high, -mirrored.low) == pytest.approx((base.low, base.high), abs=1e-6)


def test_all_votes_equal_fall_back_on_the_number_of_clusters():
    found = stats.weighted_net_score([1] * 12, cluster=np.repeat([0, 1, 2, 3], 3))
    assert found.effective_n == 4
    assert (found.estimate, found.high) == (100, 100)
    assert found.low < 0
    same = stats.weighted_net_score([1, -1] * 6, cluster=np.repeat(np.arange(6), 2))
    assert same.effective_n == 6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.weighted_mean([5.0]), "single independent unit"),
        (lambda: stats.weighted_mean([5.0, 6.0], cluster=["a", "a"]), "single independent unit"),
        (lambda: stats.weighted_mean([5.0, 6.0], [0, 1]), "single independent unit"),
        (lambda: stats.weighted_mean([1, 2, 3], strata=list("aab")), "single independent unit"),
        (
            lambda: stats.weighted_mean([1, 2, 3, 4], cluster=list("aabb"), strata=[1, 2, 1, 1]),
            "two strata",
        ),
        (lambda: stats.weighted_mean([1, np.nan]), "missing"),
        (lambda: stats.weighted_mean([]), "at least 1"),
        (lambda: stats.weighted_mean([1, 2, 3], cluster=["a", None, "b"]), "missing labels"),
        (lambda: stats.weighted_mean([1, 2, 3], cluster=["a", "b"]), "one a row"),
        (lambda: stats.weighted_mean([1, 2, 3], [1, 2]), "one a row"),
        (lambda: stats.weighted_net_score([1, 0, 9]), "other than 1, 0, -1"),
    ],
)
def test_bad_designs(call, message):
    with pytest.raises(CxError, match=message):
        call()


def test_the_correction_follows_each_rows_own_chance():
    """Poisson sampling: V = sum (1 - p) (w e)^2 / W^2, and uniform where chances are equal."""
    rng = np.random.default_rng(6)
    chance = rng.uniform(0.1, 0.9, 400)
    taken = rng.random(400) < chance
    values, weights = rng.normal(size=taken.sum()), 1 / chance[taken]
    found = stats.weighted_mean(values, weights, population=weights.sum())
    miss = values - np.average(values, weights=weights)
    exact = np.sqrt(((1 - chance[taken]) * (weights * miss) ** 2).sum()) / weights.sum()
    assert found.standard_error == pytest.approx(exact, rel=0.02)
    equal = stats.weighted_mean(values, population=2 * len(values)).standard_error
    free = stats.weighted_mean(values).standard_error
    assert equal == pytest.approx(free * np.sqrt(0.5))
