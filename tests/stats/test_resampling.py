"""Resampling: the same distribution as drawing answers one by one, at no cost of n."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from cxlib import stats
from cxlib.errors import CxError

WORTH = [-100] * 7 + [0] * 2 + [100] * 2


def test_agrees_with_drawing_answers():
    votes = np.repeat([-100.0, 0.0, 100.0], [20, 30, 50])
    theirs = bootstrap(
        (votes,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = stats.bootstrap_counts([20, 30, 50], [-100, 0, 100], replicates=20_000)
    # limits move in steps of one point at n = 100
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1.01)
    assert ours.draws.std() == pytest.approx(np.sqrt(6100) / 10, rel=0.03)


def test_grouped_worth_equals_a_statistic_on_all_counts():
    counts = np.array([2, 1, 1, 2, 2, 5, 7, 15, 20, 20, 25])
    grouped = stats.bootstrap_counts(counts, WORTH)
    whole = stats.bootstrap_counts(counts, statistic=lambda c: c @ np.array(WORTH) / counts.sum())
    assert grouped.estimate == whole.estimate == 25
    assert (grouped.low, grouped.high) == pytest.approx((whole.low, whole.high), abs=1.51)


def test_any_statistic_of_the_distribution():
    counts = np.array([5, 20, 50, 25])

    def median(drawn):
        return (drawn.cumsum(axis=1) < drawn.sum(axis=1, keepdims=True) / 2).sum(axis=1)

    found = stats.bootstrap_counts(counts, statistic=median)
    assert (found.low, found.estimate, found.high) == (2, 2, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ([0, 0, 0], [1, 2, 3]),
        ([1.5, 2, 3], [1, 2, 3]),
        ([1, -2, 3], [1, 2, 3]),
        ([1, 2, 3], [1, 2]),
        ([1, 2, 3], None),
        ([1, 2, 3], [1, np.nan, 3]),
    ],
)
def test_bad_counts(arguments):
    with pytest.raises(CxError):
        stats.bootstrap_counts(*arguments)


def test_cluster_bootstrap_is_near_the_t_interval():
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(60), 5)
    values = rng.normal(size=60)[cluster] + rng.normal(size=300)
    found = stats.bootstrap_clusters(values, cluster=cluster)
    design = stats.weighted_mean(values, cluster=cluster)
    assert found.estimate == pytest.approx(design.estimate)
    assert (found.low, found.high) == pytest.approx((design.low, design.high), abs=0.06)


def test_cluster_bootstrap_refuses_what_it_cannot_tell():
    with pytest.raises(CxError, match="ten clusters"):
        stats.bootstrap_clusters([1, 2, 3], cluster=[1, 2, 3])
    with pytest.raises(CxError, match="no spread"):
        stats.bootstrap_clusters([4.0] * 24, cluster=np.repeat(np.arange(12), 2))
