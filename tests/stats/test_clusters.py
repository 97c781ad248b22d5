"""Means and differences of customers who answer repeatedly: by hand, coverage, bad input."""

import numpy as np
import pytest

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.calibration import judge


def test_shares_are_wilson_by_clusters_and_amounts_follow_their_skewness():
    who = np.repeat(np.arange(30), 2)
    done = np.tile([1, 0, 0, 1, 1, 1], 10)
    share = stats.cluster_mean(done, who)
    wilson = stats.weighted_share(done, cluster=who)
    assert (share.estimate, share.low, share.high) == (wilson.estimate, wilson.low, wilson.high)
    spend = np.exp(np.linspace(-2, 3, 60))
    found, plain = stats.cluster_mean(spend, who), stats.weighted_mean(spend, cluster=who)
    assert found.estimate == pytest.approx(plain.estimate)
    assert found.high > plain.high
    assert found.low > plain.low
    mirrored = stats.cluster_mean(-spend, who)
    assert (-mirrored.high, -mirrored.low) == pytest.approx((found.low, found.high))


def test_without_skewness_it_is_students_t():
    values = np.arange(21.0)
    found, plain = stats.cluster_mean(values, range(21)), stats.mean(values)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))


def test_a_customer_on_both_sides_counts_once():
    rng = np.random.default_rng(3)
    lasting = rng.exponential(1, 200)
    values = np.concatenate([lasting, lasting + rng.normal(0, 0.1, 200)])
    first = np.arange(400) < 200
    same = stats.cluster_difference(values, first, ~first, np.tile(np.arange(200), 2))
    other = stats.cluster_difference(values, first, ~first, np.arange(400))
    assert same.estimate == pytest.approx(other.estimate)
    assert same.high - same.low < 0.2 * (other.high - other.low)
    back = stats.cluster_difference(values, ~first, first, np.tile(np.arange(200), 2))
    assert (-back.high, -back.low) == pytest.approx((same.low, same.high))


def test_a_whole_cell_of_no_purchases_is_an_amount_if_it_is_said():
    who = list("abcdefghijklmnopqrstuvwx")
    found = stats.cluster_mean([0.0] * 23 + [1.0], who, event=False)
    assert found.high != stats.cluster_mean([0.0] * 23 + [1.0], who).high


def test_amounts_hold_their_level_where_symmetric_intervals_miss_above():
    rng, held, missed = np.random.default_rng(2), 0, np.zeros(2)
    truth = 0.65 * np.exp(0.9**2 / 2)
    for _ in range(400):
        who = np.repeat(np.arange(80), rng.integers(1, 3, 80))
        bought = rng.random(80)[who] > 0.35
        values = bought * rng.lognormal(0, 0.9, len(who))
        found, plain = stats.cluster_mean(values, who), stats.weighted_mean(values, cluster=who)
        held += found.low <= truth <= found.high
        missed += found.high < truth, plain.high < truth
    assert judge(held, 400, 0.95)["verdict"] == "holds"
    assert missed[0] < missed[1]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (([1, 0, 1], [1, 1, 0], [0, 0, 1], "aab"), "needs 2 customers on either side: found 1"),
        (([3, 0, 1], [1, 1, 0], [0, 0, 1], "abc"), "found 2 and 1"),
        (([1, 0], [1, 0], [0, 1], "abc"), "one entry a value: 3 for 2"),
    ],
)
def test_it_refuses(given, wanted):
    values, first, second, who = given
    with pytest.raises(CxError, match=wanted):
        stats.cluster_difference(values, first, second, list(who))


def test_one_cluster_tells_nothing_of_others():
    one = stats.cluster_mean([1, 0], ["a", "a"])
    assert (one.low, one.high) == (0, 1)
    assert np.isnan(stats.cluster_mean([5.0, 7.0], ["a", "a"]).low)
