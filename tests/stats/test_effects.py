"""Effect sizes against published values and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import nct

from cxlib import stats
from cxlib.errors import CxError


def _groups(d, n1, n2):
    """Two groups whose standardised difference is exactly d."""
    first, second = (np.arange(n, dtype=float) for n in (n1, n2))
    first, second = ((v - v.mean()) / v.std(ddof=1) for v in (first, second))
    return first + d, second


def test_interval_inverts_the_noncentral_t():
    first, second = _groups(0.8, 12, 18)
    found = stats.cohens_d(first, second, method="cohen")
    root = np.sqrt(1 / 12 + 1 / 18)
    assert found.estimate == pytest.approx(0.8)
    tails = [nct.cdf(0.8 / root, 28, limit / root) for limit in (found.low, found.high)]
    assert tails == pytest.approx([0.975, 0.025], abs=1e-6)


def test_hedges_correction():
    # J for 28 degrees of freedom is about 1 - 3 / (4 * 28 - 1) = .97297 (Hedges 1981)
    first, second = _groups(0.8, 12, 18)
    assert stats.cohens_d(first, second).estimate == pytest.approx(0.8 * 0.97297, abs=2e-4)


def test_large_samples_and_effects_stay_finite():
    first, second = _groups(9.0, 4000, 5000)
    found = stats.cohens_d(first, second)
    assert 8.8 < found.low < 9 < found.high < 9.2


def test_cliffs_delta_by_counting_pairs():
    rng = np.random.default_rng(1)
    first, second = rng.integers(1, 6, 30), rng.integers(1, 5, 40)
    pairs = np.sign(first[:, None] - second[None, :])
    found = stats.cliffs_delta(first, second)
    assert found.estimate == pytest.approx(pairs.mean())
    # variance of both groups' placements, from the matrix of pairs
    spread = pairs.mean(axis=1).var(ddof=1) / 30 + pairs.mean(axis=0).var(ddof=1) / 40
    half = (np.arctanh(found.high) - np.arctanh(found.low)) / 2 * (1 - found.estimate**2)
    assert half / np.sqrt(spread) == pytest.approx(1.9990, abs=0.02)  # t with about 62 df


def test_separated_groups_have_an_interval():
    found = stats.cliffs_delta([5, 6, 7, 8], [1, 2, 3])
    assert (found.estimate, found.high) == (1, 1)
    assert -1 < found.low < 0.6
    equal = stats.cliffs_delta([3, 3, 3], [3, 3])
    assert equal.estimate == 0
    assert equal.low == pytest.approx(-equal.high)


@settings(deadline=None, max_examples=30)
@given(*[some.lists(some.integers(1, 7), min_size=2, max_size=20)] * 2)
def test_swapping_groups_mirrors(first, second):
    there, back = stats.cliffs_delta(first, second), stats.cliffs_delta(second, first)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-8)
    assert -1 <= there.low <= there.estimate <= there.high <= 1
    if len({*first}) > 1:
        there, back = stats.cohens_d(first, second), stats.cohens_d(second, first)
        assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-6)


@settings(deadline=None, max_examples=20)
@given(*[some.lists(some.integers(1, 7), min_size=2, max_size=20)] * 2)
def test_only_the_order_of_answers_counts(first, second):
    plain = stats.cliffs_delta(first, second)
    cubed = stats.cliffs_delta([v**3 for v in first[::-1]], [v**3 for v in second])
    assert (plain.estimate, plain.low) == pytest.approx((cubed.estimate, cubed.low))


@pytest.mark.parametrize("function", [stats.cohens_d, stats.cliffs_delta])
@pytest.mark.parametrize(("first", "second"), [([1], [2, 3]), ([], [1, 2]), ([1, np.nan], [1, 2])])
def test_bad_groups(function, first, second):
    with pytest.raises(CxError):
        function(first, second)


def test_no_spread():
    with pytest.raises(CxError, match="any spread"):
        stats.cohens_d([2, 2], [1, 1])
