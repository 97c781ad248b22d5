"""Ratios of totals: Fieller's definition, clusters, denominators near zero."""

import numpy as np
import pytest
from scipy import stats as sps

from cxlib import stats
from cxlib.errors import CxError, CxWarning

RNG = np.random.default_rng(8)
X = RNG.gamma(3, 2, 15)
Y = 4 * X + RNG.normal(0, 3, 15)


def test_fieller_limits_pass_their_own_t_test():
    found = stats.ratio(Y, X)
    for limit in (found.low, found.high):
        assert sps.ttest_1samp(Y - limit * X, 0).pvalue == pytest.approx(0.05, abs=1e-9)


def test_clusters_are_summed_first_and_order_does_not_matter():
    cluster = np.array(list("aaabbbccdddeefg"))
    tops = [Y[cluster == g].sum() for g in "abcdefg"]
    bottoms = [X[cluster == g].sum() for g in "abcdefg"]
    order = RNG.permutation(15)
    for method in ("fieller", "delta"):
        summed = stats.ratio(tops, bottoms, method=method)
        found = stats.ratio(Y[order], X[order], cluster=cluster[order], method=method)
        assert (found.low, found.high) == pytest.approx((summed.low, summed.high))
        assert found.n == 7


def test_ratio_of_ones_is_the_mean():
    found, mean = stats.ratio(Y, np.ones(15)), stats.mean(Y)
    assert (found.low, found.high) == pytest.approx((mean.low, mean.high))


def test_denominator_near_zero_has_no_bounds():
    with pytest.warns(CxWarning, match="no bounds"):
        found = stats.ratio([1, 2, 3, 4], [5, -4, 3, -3.5])
    assert (found.low, found.high) == (-np.inf, np.inf)


@pytest.mark.parametrize(
    ("top", "bottom", "cluster", "message"),
    [
        ([1], [1], None, "two independent units"),
        ([1, 2], [1, 2], ["a", "a"], "two independent units"),
        ([1, 2], [1, -1], None, "sum to zero"),
        ([1, 2], [1, 2, 3], None, "One denominator"),
        ([1, np.nan], [1, 2], None, "missing"),
    ],
)
def test_bad_ratios(top, bottom, cluster, message):
    with pytest.raises(CxError, match=message):
        stats.ratio(top, bottom, cluster=cluster)
