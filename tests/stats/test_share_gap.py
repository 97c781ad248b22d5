"""Two shares by their score: known values, tests that agree with limits, errors at a true zero."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import binom

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.checks import critical_value

LIMIT = float(critical_value(0.95))


def test_equal_groups_at_no_difference_give_the_pooled_z():
    # (.9 - .6) / sqrt(.75 * .25 * 2 / 30)
    found = stats.share_score(0.0, (0.9, 0.6), (30, 30))
    assert found == pytest.approx(0.3 / np.sqrt(0.75 * 0.25 * 2 / 30))


def test_limits_are_near_those_without_the_correction_in_large_groups():
    plain = stats.risk_difference((5600, 7000), (4800, 8000), method="miettinen_nurminen")
    found = stats.share_equivalence((0.8, 0.6), (7000, 8000), smallest_effect=0.05)
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=2e-5)


shares, numbers = some.floats(0.02, 0.98), some.floats(6, 400)


@settings(deadline=None, max_examples=60)
@given(shares, shares, numbers, numbers, some.floats(0.01, 0.5), some.floats(0, 0.4))
def test_limits_agree_with_the_tests(p1, p0, n1, n0, smallest, correlation):
    how = {"smallest_effect": smallest, "correlation": correlation}
    found = stats.share_equivalence((p1, p0), (n1, n0), **how)
    mirrored = stats.share_equivalence((p0, p1), (n0, n1), **how)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-9)
    assert -1 <= found.low <= found.narrow_low <= found.narrow_high <= found.high <= 1
    if abs(found.p_difference - 0.05) > 1e-6:
        assert (found.p_difference < 0.05) == (found.low > 0 or found.high < 0)
    if abs(found.p_equivalence - 0.05) > 1e-6:
        inside = -smallest < found.narrow_low and found.narrow_high < smallest
        assert (found.p_equivalence < 0.05) == inside


@pytest.mark.parametrize("share", [0.8, 0.27])
@pytest.mark.parametrize("few", [20, 35, 60])
def test_both_errors_at_a_true_zero_by_enumeration(share, few):
    many = 300
    x1, x0 = np.arange(few + 1)[:, None], np.arange(many + 1)[None]
    chance = binom.pmf(x1, few, share) * binom.pmf(x0, many, share)
    z = stats.share_score(0.0, (x1 / few, x0 / many), (few, many))
    above, below = (float(chance[hit].sum()) for hit in (z > LIMIT, z < -LIMIT))
    assert 0.017 < above < 0.028
    assert 0.017 < below < 0.028


@pytest.mark.parametrize(("share", "effect"), [(0.8, -0.08), (0.8, 0.08), (0.27, -0.08)])
@pytest.mark.parametrize("few", [35, 60, 300])
def test_equivalence_at_its_very_edge_by_enumeration(share, effect, few):
    many, other = 300, share + effect
    x1, x0 = np.arange(few + 1)[:, None], np.arange(many + 1)[None]
    chance = binom.pmf(x1, few, other) * binom.pmf(x0, many, share)
    z = np.sign(effect) * stats.share_score(effect, (x1 / few, x0 / many), (few, many))
    # surely on the inner side of the edge, though the truth lies on it
    assert 0.04 < float(chance[-z > critical_value(0.9)].sum()) < 0.056


def test_errors_with_uneven_weights_where_one_standard_error_fails():
    rng = np.random.default_rng(20)
    sets, share = 4000, 0.8
    shown, variances, worth = [], [], []
    for size in (30, 250):
        weight = rng.gamma(4.0, size=(sets, size))
        weight /= weight.sum(axis=1, keepdims=True)
        y = rng.random((sets, size)) < share
        mean = (weight * y).sum(axis=1)
        shown.append(mean)
        variances.append((weight**2 * (y - mean[:, None]) ** 2).sum(axis=1))
        worth.append(1 / (weight**2).sum(axis=1))
    z = stats.share_score(0.0, shown, worth)
    wald = (shown[0] - shown[1]) / np.sqrt(np.maximum(sum(variances), 1e-12))
    # 4,000 data sets: 99.9 % of shares of a true .025 lie within .017 and .033
    assert (z > LIMIT).mean() < 0.033
    assert (z < -LIMIT).mean() < 0.033
    assert (np.abs(z) > LIMIT).mean() > 0.025
    assert (wald > LIMIT).mean() > 0.05


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": 0.4}, "level must be above .5"),
        ({"numbers": (0, 10)}, "numbers above 0"),
        ({"smallest_effect": 0.0}, "smallest must be"),
    ],
)
def test_bad_input(change, message):
    how = {"shares": (0.5, 0.4), "numbers": (20, 20), "smallest_effect": 0.1} | change
    with pytest.raises(CxError, match=message):
        stats.share_equivalence(**how)
