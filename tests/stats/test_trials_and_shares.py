"""Trials of two shares and shares of variance: by hand, by simulation, and what is refused."""

import numpy as np
import pytest

from cxlib import stats
from cxlib.errors import CxError


def test_plan_by_hand():
    # (1.96 sqrt(2 x .66 x .34) + .8416 sqrt(.62 x .38 + .70 x .30))^2 / .08^2 = 549.2
    plan = stats.plan_two_shares(0.62, 0.70)
    assert plan.n_per_arm == 550
    assert plan.power_planned == pytest.approx(0.80, abs=1e-3)
    assert (plan.low + plan.high) / 2 == pytest.approx(0.08)
    assert stats.plan_two_shares(0.62, 0.70, planned=5500).power_planned > 0.999
    with pytest.raises(CxError, match="two different shares"):
        stats.plan_two_shares(0.5, 0.5)


def test_power_is_what_trials_show():
    plan = stats.plan_two_shares(0.62, 0.70, planned=300)
    rng = np.random.default_rng(4)
    a, b = (rng.binomial(300, p, 20_000) / 300 for p in (0.62, 0.70))
    middle = (a + b) / 2
    z = (b - a) / np.sqrt(2 * middle * (1 - middle) / 300)
    assert (z > 1.96).mean() == pytest.approx(plan.power_planned, abs=0.015)
    assert ((b - a > plan.low) & (b - a < plan.high)).mean() == pytest.approx(0.95, abs=0.01)


def test_carts_of_one_customer_count_less():
    rng = np.random.default_rng(7)
    customer, arm = np.repeat(np.arange(200), 5), np.repeat(np.arange(200) % 2, 5)
    paid = np.repeat(rng.random(200) < 0.6, 5)
    own = stats.trial_effect(paid, arm, customer)
    carts = stats.trial_effect(paid, arm, np.arange(1000))
    assert own.estimate == carts.estimate
    # five equal carts are one: the interval is sqrt(5) times as wide
    ratio = (own.high - own.low) / (carts.high - carts.low)
    assert ratio == pytest.approx(5**0.5, rel=0.03)
    with pytest.raises(CxError, match="units in both arms"):
        stats.trial_effect(paid, np.arange(1000) % 2, customer)


def test_shares_of_variance_of_a_balanced_table_are_those_of_anova():
    rng = np.random.default_rng(9)
    a, b = rng.normal(size=(60, 1)), 0.7 * rng.normal(size=(1, 4))
    y = a + b + rng.normal(size=(60, 4))
    unit, kind = np.divmod(np.arange(240), 4)
    found = stats.variance_shares(y.ravel(), unit, kind, replicates=50)
    rows, columns = y.mean(axis=1, keepdims=True), y.mean(axis=0, keepdims=True)
    error = ((y - rows - columns + y.mean()) ** 2).sum() / (59 * 3)
    between = (4 * rows.var(ddof=1) - error) / 4, (60 * columns.var(ddof=1) - error) / 60
    parts = np.array([*between, error])
    assert found.table["estimate"].to_numpy() == pytest.approx(parts / parts.sum())
    assert found.repeated == 60
    assert found.plot() is not None


@pytest.mark.parametrize(
    ("values", "units", "kinds", "message"),
    [
        ([1.0, 2, 3], [1, 2, 3], [1, 2, 1], "ten|10 units"),
        (np.arange(40.0), np.arange(40) % 20, np.zeros(40), r"1 kind\(s\)"),
        (np.ones(40), np.arange(40) % 20, np.arange(40) % 3, "values that differ"),
        (np.arange(40.0), np.arange(40) % 20, np.arange(40) % 20, "told apart"),
    ],
)
def test_bad_shares(values, units, kinds, message):
    with pytest.raises(CxError, match=message):
        stats.variance_shares(values, units, kinds)
