"""Proportions and their comparisons against published values, and by their symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cxlib import stats
from cxlib.errors import CxError


@pytest.mark.parametrize(
    ("counts", "method", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17(8), 857-872, table I
        ((81, 263), "score", 0.2553, 0.3662),
        ((81, 263), "clopper_pearson", 0.2527, 0.3676),
        ((15, 148), "score", 0.0624, 0.1605),
        ((0, 20), "score", 0.0, 0.1611),
        ((0, 20), "clopper_pearson", 0.0, 0.1684),
        ((1, 29), "score", 0.0061, 0.1718),
    ],
)
def test_published_proportions(counts, method, low, high):
    found = stats.proportion(*counts, method=method)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(
    ("first", "second", "method", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17(8), 873-890, table II, methods 10 and 5
        ((56, 70), (48, 80), "newcombe", 0.0524, 0.3339),
        ((9, 10), (3, 10), "newcombe", 0.1705, 0.8090),
        ((10, 10), (0, 20), "newcombe", 0.6791, 1.0),
        ((56, 70), (48, 80), "miettinen_nurminen", 0.0528, 0.3382),
        ((9, 10), (3, 10), "miettinen_nurminen", 0.1700, 0.8406),
        ((10, 10), (0, 20), "miettinen_nurminen", 0.7156, 1.0),
    ],
)
def test_published_risk_differences(first, second, method, low, high):
    found = stats.risk_difference(first, second, method=method)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)


def test_koopman_example():
    # Koopman 1984, Biometrics 40(2): 36 of 40 against 16 of 80 gives 4.5 [2.94, 7.15]
    found = stats.risk_ratio((36, 40), (16, 80))
    assert (found.estimate, found.low, found.high) == pytest.approx((4.5, 2.94, 7.15), abs=0.005)


def test_edges_of_ratios():
    none = stats.risk_ratio((0, 20), (5, 20))
    assert (none.estimate, none.low) == (0, 0)
    assert 0 < none.high < 1.2
    endless = stats.risk_ratio((5, 20), (0, 20))
    assert endless.estimate == endless.high == np.inf
    assert endless.low > 0.8
    with pytest.raises(CxError, match="1 of 2, first at position 1"):
        stats.risk_ratio(([5, 0], 20), ([3, 0], 20))


@pytest.mark.parametrize("n", [0, -3, np.nan])
def test_bad_n(n):
    with pytest.raises(CxError):
        stats.proportion(0, n)


def test_more_successes_than_answers():
    with pytest.raises(CxError, match="successes exceed n"):
        stats.risk_difference((5, 4), (1, 4))


pair = some.integers(1, 60).flatmap(lambda n: some.tuples(some.integers(0, n), some.just(n)))


@pytest.mark.parametrize("method", ["newcombe", "miettinen_nurminen"])
@settings(deadline=None, max_examples=30)
@given(first=pair, second=pair)
def test_difference_symmetries(method, first, second):
    there = stats.risk_difference(first, second, method=method)
    back = stats.risk_difference(second, first, method=method)
    failures = stats.risk_difference(
        (first[1] - first[0], first[1]), (second[1] - second[0], second[1]), method=method
    )
    for other in (back, failures):
        assert (there.low, there.high) == pytest.approx((-other.high, -other.low), abs=1e-7)
    assert -1 <= there.low <= there.estimate + 1e-9
    assert there.estimate - 1e-9 <= there.high <= 1


@settings(deadline=None, max_examples=30)
@given(first=pair, second=pair)
def test_ratio_inverts(first, second):
    if first[0] == second[0] == 0:
        return
    there, back = stats.risk_ratio(first, second), stats.risk_ratio(second, first)
    if first[0] and second[0]:
        assert (there.low, there.high) == pytest.approx((1 / back.high, 1 / back.low), rel=1e-6)
    narrow = stats.risk_ratio(first, second, level=0.8)
    assert there.low <= narrow.low <= narrow.high <= there.high
