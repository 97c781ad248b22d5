import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

import cxlib as cx
from cxlib.clv import leaving_from_rates, retention_bias, retention_value


@pytest.mark.parametrize("timing", ["renewal", "start", "end"])
@pytest.mark.parametrize("alike", [1e4, 1e6, 1e9])
def test_customers_who_are_alike_leave_no_bias(timing, alike):
    found = retention_bias(200, 0.2 * alike, 0.8 * alike, 0.1, timing=timing)
    assert found.naive == pytest.approx(retention_value(200, 0.8, 0.1, timing=timing))
    # of the order of the variance of p, 0.16 / (a+b)
    assert abs(found.bias) < 20 / alike
    assert found.lifetime == pytest.approx(0.8 / 0.2, rel=20 / alike)
    assert found.naive_lifetime == pytest.approx(4.0)


@pytest.mark.parametrize(("a", "b"), [(0.7, 1.2), (0.67, 3.8), (3.0, 20.0), (20.0, 5.0)])
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_the_value_is_the_mean_of_the_formula_over_customers(a, b, rate):
    wanted = quad(lambda p: 100 * (1 - p) / (rate + p) * beta.pdf(p, a, b), 0, 1, limit=400)[0]
    assert retention_bias(100, a, b, rate).value == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("renewals", [0, 3])
@pytest.mark.parametrize("timing", ["renewal", "start", "end"])
def test_simulated_customers_bring_what_is_expected(renewals, timing):
    """Yearly fates drawn one by one; those who renewed so often already are the ones valued."""
    rng, a, b, rate, years = np.random.default_rng(5), 1.6, 3.0, 0.15, 120
    leaving = rng.beta(a, b, 60_000)
    stay = rng.geometric(leaving) - 1
    left = stay[stay >= renewals] - renewals
    year = np.arange(1, years)
    annuity = np.append(0.0, np.cumsum((1 + rate) ** -year))[np.minimum(left, years - 1)]
    paid = {"renewal": annuity, "start": 1 + annuity, "end": (1 + annuity) / (1 + rate)}[timing]
    found = retention_bias(1.0, a, b, rate, renewals=renewals, timing=timing)
    # beyond 4.5 standard errors of the mean once in 150,000
    assert abs(paid.mean() - found.value) < 4.5 * paid.std() / np.sqrt(len(paid))
    assert (left > 0).mean() == pytest.approx(found.retention, abs=0.01)
    assert found.naive < found.value - 4.5 * paid.std() / np.sqrt(len(paid))


def test_without_discount_the_value_is_the_lifetime():
    found = retention_bias(1.0, 2.5, 3.0, 0.0)
    assert found.value == pytest.approx(3.0 / 1.5) == found.lifetime
    assert found.naive_lifetime == pytest.approx(3.0 / 2.5) == found.naive
    assert found.to_frame()["bias"].tolist() == pytest.approx([found.bias] * 2)
    assert retention_bias(1.0, 0.7, 1.2, 0.1).lifetime == float("inf")


def test_a_base_of_several_tenures_is_weighed_and_told():
    found = retention_bias(100, 0.7, 1.2, 0.1, renewals=[0, 1, 4], customers=[600, 300, 100])
    single = [retention_bias(100, 0.7, 1.2, 0.1, renewals=k) for k in (0, 1, 4)]
    assert found.by_renewals["value"].tolist() == pytest.approx([s.value for s in single])
    assert found.value == pytest.approx(np.dot([0.6, 0.3, 0.1], [s.value for s in single]))
    rates = [s.retention for s in single]
    assert rates == sorted(rates)
    assert found.retention == pytest.approx(np.dot([0.6, 0.3, 0.1], rates))
    assert found.bias < 0
    assert f"{100 * found.bias:.1f} %" in found.summary()


@settings(deadline=None, max_examples=40)
@given(st.floats(0.02, 500), st.floats(0.02, 500), st.floats(0.001, 0.9))
def test_the_formula_never_overvalues_one_cohort(a, b, rate):
    found = retention_bias(1.0, a, b, rate)
    assert found.naive <= found.value * (1 + 1e-9)


@given(st.floats(0.05, 50), st.floats(0.05, 50))
def test_two_rates_give_back_the_mixture(a, b):
    found = leaving_from_rates(b / (a + b), (b + 1) / (a + b + 1))
    assert found == pytest.approx((a, b), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: retention_bias(100, 0, 1, 0.1), "a = 0"),
        (lambda: retention_bias(100, 1, float("nan"), -1), "discount_rate = -1(.|\n)*b = nan"),
        (lambda: retention_bias(100, 0.7, 1.2, 0), "value is infinite"),
        (lambda: retention_bias(100, 1, 1, 0.1, renewals=1.5), "whole numbers"),
        (lambda: retention_bias(100, 1, 1, 0.1, renewals=[0, 1], customers=[1]), "each of 2"),
        (lambda: retention_bias(100, 1, 1, 0.1, timing="later"), "timing 'later' is unknown"),
        (lambda: leaving_from_rates(0.8, 0.7), "must rise"),
        (lambda: leaving_from_rates(80, 90), "first = 80"),
    ],
)
def test_impossible_numbers_are_named(call, words):
    with pytest.raises(cx.CxError, match=words):
        call()
