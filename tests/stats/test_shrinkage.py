"""Shrinkage: a published example, the robust critical value, and what must hold in order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.shrinkage import robust_critical_value

# Rubin 1981, Journal of Educational Statistics 6(4), 377-401: coaching effects of eight schools
SCHOOLS = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]


def test_quadrature_equals_simulation():
    """The posterior under flat priors on mu and tau, by importance sampling."""
    rng = np.random.default_rng(2)
    y, s = (np.array(v, float) for v in SCHOOLS)
    tau, mu = rng.uniform(0, 150, 400_000), rng.normal(8, 15, 400_000)
    log = 0.5 * ((mu - 8) / 15) ** 2
    for value, error in zip(y, s, strict=True):
        total = tau**2 + error**2
        log -= 0.5 * np.log(total) + 0.5 * (value - mu) ** 2 / total
    mass = np.exp(log - log.max())
    kept = rng.choice(400_000, 60_000, p=mass / mass.sum())
    tau, mu = tau[kept, None], mu[kept, None]
    own = tau**2 / (tau**2 + s**2)
    draws = own * y + (1 - own) * mu + np.sqrt(own) * s * rng.normal(size=(60_000, 8))
    found = stats.shrink(*SCHOOLS)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    # Monte Carlo error of a mean is about .1, of a 95 % limit about .4
    assert found.estimate == pytest.approx(draws.mean(axis=0), abs=0.4)
    assert found.low == pytest.approx(low, abs=1.3)
    assert found.high == pytest.approx(high, abs=1.3)
    assert found.centre == pytest.approx(mu.mean(), abs=0.4)


@pytest.mark.parametrize(
    ("bias_square", "expected"),
    [
        (0.0, 1.959964),
        # worst case by brute force over two-point distributions, see the test below
        (4.0, 7.216351),
    ],
)
def test_robust_critical_value(bias_square, expected):
    assert robust_critical_value(np.array([bias_square]))[0] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("bias_square", [0.3, 1.0, 4.0])
def test_no_two_point_bias_beats_the_robust_value(bias_square):
    from scipy.stats import norm

    critical = robust_critical_value(np.array([bias_square]))[0]
    far = np.linspace(bias_square, 400, 200_000)
    root = np.sqrt(far)
    miss = norm.cdf(-root - critical) + norm.cdf(root - critical)
    worst = (2 * norm.cdf(-critical) * (1 - bias_square / far) + bias_square / far * miss).max()
    assert worst == pytest.approx(0.05, abs=2e-5)


@settings(deadline=None, max_examples=15)
@given(seed=some.integers(0, 9999), shift=some.floats(-50, 50), factor=some.floats(0.1, 10))
def test_order_shift_and_scale(seed, shift, factor):
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.5, 2, 9)
    values = rng.normal(0, 1.5, 9) + errors * rng.normal(size=9)
    order = rng.permutation(9)
    for method in ("bayes", "robust"):
        base = stats.shrink(values, errors, method=method)
        mixed = stats.shrink(values[order], errors[order], method=method)
        moved = stats.shrink(shift + factor * values, factor * errors, method=method)
        assert mixed.low == pytest.approx(base.low[order], abs=1e-6)
        assert moved.high == pytest.approx(shift + factor * base.high, abs=1e-5 * (1 + factor))
        assert ((base.weight > 0) & (base.weight < 1)).all()
        narrow = stats.shrink(values, errors, method=method, level=0.8)
        assert (base.low < narrow.low).all()
        assert (narrow.high < base.high).all()


def test_noisier_groups_move_further():
    found = stats.shrink([10, 10, 0, 0, -5, -5], [1, 5, 1, 5, 1, 5])
    assert found.estimate[1] < found.estimate[0]
    assert found.weight[1] < found.weight[0]


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ([1, 2, 3], [1, 1, 1]),
        ([1, 2, 3, 4], [1, 1, 1, 0]),
        ([1, 2, 3, np.nan], [1] * 4),
        ([1] * 4, [1] * 5),
    ],
)
def test_bad_groups(values, errors):
    with pytest.raises(CxError):
        stats.shrink(values, errors)
