"""Net-score intervals against published values, at the edges, and by their symmetries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.mover import mover, touching
from cxlib.stats.netscore import METHODS, net_score_limits

# Rocks 2016 (arXiv:1601.07235) gives the formulas; values recomputed independently, two decimals.
# Dirichlet limits were found by simulation, hence one decimal.
PUBLISHED = [
    ((50, 20, 100), "wald", 14.69, 45.31),
    ((50, 20, 100), "adjusted_wald", 14.05, 44.20),
    ((50, 20, 100), "score", 13.96, 44.34),
    ((50, 20, 100), "dirichlet", 13.7, 43.8),
    ((15, 8, 36), "wald", -5.88, 44.77),
    ((15, 8, 36), "adjusted_wald", -6.28, 42.18),
    ((15, 8, 36), "score", -6.77, 42.87),
    ((15, 8, 36), "dirichlet", -6.8, 41.5),
    ((10, 0, 10), "wald", 100, 100),
    ((10, 0, 10), "adjusted_wald", 47.5, 100),
    ((10, 0, 10), "score", 44.5, 100),
    ((10, 0, 10), "dirichlet", 38.8, 97.0),
    ((1436, 342, 2746), "wald", 37.22, 42.45),
    ((1436, 342, 2746), "adjusted_wald", 37.18, 42.41),
    ((1436, 342, 2746), "score", 37.19, 42.42),
    ((1436, 342, 2746), "dirichlet", 37.2, 42.4),
]


@pytest.mark.parametrize(("counts", "method", "low", "high"), PUBLISHED)
def test_published_intervals(counts, method, low, high):
    rough = method == "dirichlet" or counts == (10, 0, 10)
    found = stats.net_score(*counts, method=method)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.051 if rough else 0.0051)


def test_adjusted_wald_recentres():
    # (50 - 20) / 103: the centre of the adjusted interval, not of the estimate
    found = stats.net_score(50, 20, 100, method="adjusted_wald")
    assert (found.low + found.high) / 2 == pytest.approx(29.13, abs=0.005)
    assert found.estimate == 30


@pytest.mark.parametrize("counts", [(15, 8, 36), (0, 3, 12), (3, 1, 4), (2, 0, 40)])
def test_score_limits_pass_their_own_test(counts):
    """At a limit Tango's statistic equals z: checked against a brute-force constrained fit."""
    b, c, n = counts
    found = stats.net_score(b, c, n, scale=1)
    for delta in (found.low, found.high):
        q = np.linspace(max(-delta, 0) + 1e-9, (1 - delta) / 2 - 1e-9, 400_001)
        likelihood = b * np.log(q + delta) + c * np.log(q) + (n - b - c) * np.log(1 - 2 * q - delta)
        best = q[likelihood.argmax()]
        z = ((b - c) / n - delta) / np.sqrt((2 * best + delta - delta**2) / n)
        assert abs(z) == pytest.approx(1.959964, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"half_width": 10}, 231),
        ({"half_width": 5}, 922),
        ({"difference": 10}, 942),
        ({"difference": 5}, 3768),
    ],
)
def test_sample_sizes(arguments, expected):
    assert stats.net_score_sample_size(**arguments) == expected


# San Francisco airport customer survey (DataSF, open data): answers 0-10 to "would you recommend".
YEAR_2017 = [17, 6, 8, 19, 18, 144, 130, 291, 677, 564, 872]
YEAR_2018 = [24, 11, 24, 26, 24, 205, 133, 334, 601, 498, 770]
WITH_PROBLEM = [6, 2, 2, 8, 4, 27, 17, 39, 80, 60, 64]
WITHOUT_PROBLEM = [8, 4, 5, 11, 14, 108, 101, 239, 572, 488, 780]


def votes_of(counts):
    """Promoters, detractors, n of eleven counts."""
    return sum(counts[9:]), sum(counts[:7]), sum(counts)


NO_PROBLEM, PROBLEM = votes_of(WITHOUT_PROBLEM), votes_of(WITH_PROBLEM)


def test_airport_years():
    first = stats.net_score(*votes_of(YEAR_2017))
    found = (first.estimate, first.low, first.high)
    assert found == pytest.approx((39.84, 37.19, 42.42), abs=0.0051)
    change = stats.net_score_difference(votes_of(YEAR_2018), votes_of(YEAR_2017), method="wald")
    assert (change.estimate, change.low, change.high) == pytest.approx(
        (-8.86, -12.71, -5.01), abs=0.005
    )
    assert change.standard_error == pytest.approx(1.965, abs=0.0005)


def test_airport_problem_split():
    mover = stats.net_score_difference(NO_PROBLEM, PROBLEM)
    wald = stats.net_score_difference(NO_PROBLEM, PROBLEM, method="wald")
    assert mover.estimate == pytest.approx(24.88, abs=0.005)
    assert (mover.low, mover.high) == pytest.approx((16.10, 33.92), abs=0.006)
    assert (wald.low, wald.high) == pytest.approx((15.95, 33.80), abs=0.006)
    assert wald.standard_error == pytest.approx(4.554, abs=0.0005)
    assert wald.z == mover.z == pytest.approx(5.46, abs=0.005)


def test_p_belongs_to_the_interval():
    found = stats.net_score_difference((60, 25, 120), (50, 30, 110))
    touching = stats.net_score_difference((60, 25, 120), (50, 30, 110), level=1 - found.p)
    assert touching.low == pytest.approx(0, abs=1e-5)


def test_the_critical_value_of_p_lets_the_interval_touch_zero():
    rng = np.random.default_rng(8)
    n = rng.integers(1, 500, (2, 400)).astype(float)
    votes = rng.multinomial(n.astype(int), rng.dirichlet([0.5, 0.5, 0.5], n.shape)).astype(float)
    groups = [(v[:, 0], v[:, 2], k) for v, k in zip(votes, n, strict=True)]
    critical = touching(*groups)
    scores = [(up - down) / k for up, down, k in groups]
    limits = [(s, *net_score_limits(*g, critical)) for s, g in zip(scores, groups, strict=True)]
    low, high = mover(scores[0] - scores[1], *limits)
    assert np.where(scores[0] >= scores[1], low, high) == pytest.approx(0, abs=1e-9)
    assert critical[scores[0] == scores[1]] == pytest.approx(0)


def test_difference_without_spread():
    apart = stats.net_score_difference((10, 0, 10), (0, 10, 10))
    assert apart.high == 200
    assert 0 < apart.p < 0.001
    assert np.isfinite(apart.z)
    equal = stats.net_score_difference((10, 0, 10), (20, 0, 20))
    assert (equal.estimate, equal.p) == (0, 1)
    with pytest.raises(CxError, match="spread"):
        stats.net_score_difference((10, 0, 10), (0, 10, 10), method="wald")


@pytest.mark.parametrize(
    ("counts", "estimate", "low", "high"),
    [
        # one respondent; limits are 1 - 2 z^2 / (1 + z^2) and 1, and the mirror image
        ((1, 0, 1), 100, -58.69, 100),
        ((0, 1, 1), -100, -100, 58.69),
        # nobody decided: +- z^2 / (n + z^2)
        ((0, 0, 5), 0, -43.45, 43.45),
        ((0, 0, 1), 0, -79.35, 79.35),
    ],
)
def test_edges_have_an_answer(counts, estimate, low, high):
    found = stats.net_score(*counts)
    assert found.estimate == pytest.approx(estimate)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 0), "at least one answer"),
        ((5, 3, 7), "exceed n"),
        (([5, -1], [1, 1], [10, 10]), "1 of 2 counts are negative"),
        ((np.nan, -2, np.inf), "(?s)promoters.*missing.*detractors.*negative.*n: .*infinite"),
        (([], [], []), "empty"),
        (("many", 1, 2), "promoters must be numbers"),
        (([1, 2], [1, 2, 3], 9), "one length"),
        (([[1, 2]], 1, 9), "promoters has 2 dimensions"),
    ],
)
def test_bad_counts(arguments, message):
    with pytest.raises(CxError, match=message):
        stats.net_score(*arguments)


@pytest.mark.parametrize("level", [0, 1, 95, -0.1, float("nan"), "0.95", None, [0.9, 0.95]])
def test_bad_level(level):
    with pytest.raises(CxError, match="level"):
        stats.net_score(5, 3, 10, level=level)


def test_bad_method_and_size():
    with pytest.raises(CxError, match="score, adjusted_wald, wald, dirichlet"):
        stats.net_score(5, 3, 10, method="exact")
    with pytest.raises(CxError, match="either"):
        stats.net_score_sample_size()
    with pytest.raises(CxError, match="Allowed"):
        stats.net_score_sample_size(10, variance=2)
    with pytest.raises(CxError, match="Allowed"):
        stats.net_score_sample_size("ten")
    with pytest.raises(CxError, match="three counts"):
        stats.net_score_difference((5, 3), (5, 3, 10))


votes = some.tuples(*[some.integers(0, 60)] * 3).filter(sum)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=15)
@given(votes=votes)
def test_swapping_promoters_and_detractors_mirrors(method, votes):
    up, middle, down = votes
    n = up + middle + down
    there, back = (stats.net_score(*v, n, method=method) for v in ((up, down), (down, up)))
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
@settings(deadline=None, max_examples=15)
@given(votes=votes)
def test_levels_nest_and_limits_stay_in_range(method, votes):
    up, middle, down = votes
    n = up + middle + down
    narrow, wide = (stats.net_score(up, down, n, level=v, method=method) for v in (0.8, 0.95))
    assert -100 <= wide.low <= narrow.low <= narrow.high <= wide.high <= 100
    if method in ("score", "wald"):
        assert narrow.low - 1e-9 <= narrow.estimate <= narrow.high + 1e-9


@settings(deadline=None, max_examples=8)
@given(first=votes, second=votes)
def test_difference_is_antisymmetric(first, second):
    a, b = ((v[0], v[2], sum(v)) for v in (first, second))
    there, back = stats.net_score_difference(a, b), stats.net_score_difference(b, a)
    assert (there.low, there.high, there.p) == pytest.approx((-back.high, -back.low, back.p))
    assert (there.p < 0.05) == (there.low > 0 or there.high < 0) or there.p == pytest.approx(0.05)


def test_segments_equal_single_calls():
    rng = np.random.default_rng(4)
    counts = rng.multinomial(500, [0.5, 0.3, 0.2], 1000)
    many = stats.net_score(counts[:, 0], counts[:, 2], counts.sum(axis=1))
    one = stats.net_score(counts[7, 0], counts[7, 2], 500)
    assert (many.low[7], many.high[7]) == pytest.approx((one.low, one.high), abs=1e-9)
    assert many.to_frame().shape == (1000, 8)
