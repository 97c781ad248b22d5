"""Means and their differences: textbook values, edges, permutation."""

import numpy as np
import pytest
from scipy import stats as sps

from cxlib import stats
from cxlib.errors import CxError, CxWarning

# Student 1908, Biometrika 6(1): additional hours of sleep under two drugs
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def test_student_sleep():
    # R: t.test(extra ~ group, sleep): t = -1.8608, df = 17.776, p = .07939, [-3.3654832, .2054832]
    found = stats.mean_difference(SLEEP_1, SLEEP_2)
    assert (found.low, found.high) == pytest.approx((-3.3654832, 0.2054832), abs=1e-6)
    assert (found.z, found.p) == pytest.approx((-1.8608, 0.07939), abs=5e-5)
    one = stats.mean(SLEEP_1)
    assert (one.low, one.high) == pytest.approx(sps.t.interval(0.95, 9, 0.75, sps.sem(SLEEP_1)))


def test_moments_equal_values():
    many = stats.means.mean_from_moments([np.mean(SLEEP_1)] * 2, [np.std(SLEEP_1, ddof=1)] * 2, 10)
    assert many.low[1] == pytest.approx(stats.mean(SLEEP_1).low)
    with pytest.raises(CxError, match="group of one"):
        stats.means.mean_from_moments([1.0, 2.0], [0.0, 1.0], [1, 5])


def test_bootstrap_t_leans_towards_the_tail():
    values = -2 * np.log1p(-(np.arange(40) + 0.5) / 40)  # quantiles of an exponential
    found, plain = (stats.mean(values, method=m) for m in ("bootstrap_t", "t"))
    assert found.high - found.estimate > 1.15 * (found.estimate - found.low)
    assert found.high > plain.high
    again = stats.mean(values, method="bootstrap_t")
    assert (again.low, again.high) == (found.low, found.high)


def test_equal_values_are_said_aloud():
    with pytest.warns(CxWarning, match="no width"):
        found = stats.mean([7] * 12)
    assert (found.low, found.estimate, found.high) == (7, 7, 7)
    with pytest.warns(CxWarning, match="All 12 values equal 7"):
        stats.weighted_mean([7] * 12 + [3], [1] * 12 + [0])
    with pytest.raises(CxError, match="any spread"):
        stats.mean_difference([1, 1], [2, 2])


@pytest.mark.parametrize(
    ("values", "method"), [([5], "t"), ([], "t"), ([1, np.nan, 3], "t"), ([1, 2, 3], "bootstrap_t")]
)
def test_bad_values(values, method):
    with pytest.raises(CxError, match="values cannot be used"):
        stats.mean(values, method=method)
