"""Propensity weights: balance, recovery of a known effect, influence by brute force, edges."""

import numpy as np
import pytest

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.overlap import fit_propensity


def _world(seed, size=400):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, 2))
    treated = rng.random(size) < 1 / (1 + np.exp(-(0.8 * x[:, 0] - 0.5 * x[:, 1])))
    outcome = x[:, 0] + 0.5 * x[:, 1] + 0.4 * treated + rng.normal(size=size)
    return outcome, treated, {"a": x[:, 0], "b": x[:, 1]}


def test_overlap_balances_exactly_and_raw_misleads():
    outcome, treated, covariates = _world(1, 4000)
    raw = stats.weighted_effect(outcome, treated, covariates, weights=None)
    assert raw.low > 0.5
    for weights in ("overlap", "ipw", "att"):
        found = stats.weighted_effect(outcome, treated, covariates, weights=weights)
        assert found.low < 0.4 < found.high
        assert found.balance["after"].abs().max() < (1e-6 if weights == "overlap" else 0.08)
        assert found.balance["before"].abs().max() > 0.3
        assert found.effective_n[0] <= treated.sum()
    assert not raw.balance["balanced"].all()


@pytest.mark.parametrize("weights", ["overlap", "ipw", "att", None])
def test_error_by_refitting_without_each_row(weights):
    outcome, treated, covariates = _world(2, 120)
    found = stats.weighted_effect(outcome, treated, covariates, weights=weights)
    rows = np.arange(120)
    left = [
        stats.weighted_effect(
            outcome[rows != i],
            treated[rows != i],
            {k: v[rows != i] for k, v in covariates.items()},
            weights=weights,
        ).estimate
        for i in rows
    ]
    jackknife = np.sqrt(119 / 120 * np.sum((np.array(left) - np.mean(left)) ** 2))
    # the jackknife is a few per cent larger at n = 120
    assert found.standard_error == pytest.approx(jackknife, rel=0.1)


def test_few_treated_do_not_make_inverse_probabilities_sure():
    # some 37 treated of 300: with the error of large samples alone 88 % of these intervals hold
    rng = np.random.default_rng(12)
    sets, held = 400, 0
    for _ in range(sets):
        x, z = rng.normal(size=300), rng.integers(0, 2, 300).astype(float)
        treated = rng.random(300) < 1 / (1 + np.exp(2.5 - 0.9 * x - 0.5 * z))
        outcome = x + 0.5 * z + 0.3 * treated + rng.normal(size=300)
        found = stats.weighted_effect(outcome, treated, {"x": x, "z": z}, weights="ipw")
        held += found.low <= 0.3 <= found.high
    # of 400 intervals at 95 %, fewer than 365 hold once in a thousand times
    assert held >= 365


def test_copies_of_a_customer_add_nothing():
    outcome, treated, covariates = _world(3, 200)
    single = stats.weighted_effect(outcome, treated, covariates)
    copied = stats.weighted_effect(
        np.tile(outcome, 3),
        np.tile(treated, 3),
        {k: np.tile(v, 3) for k, v in covariates.items()},
        cluster=np.tile(np.arange(200), 3),
    )
    assert copied.estimate == pytest.approx(single.estimate)
    assert copied.standard_error == pytest.approx(single.standard_error)


def test_swapping_the_groups_mirrors():
    outcome, treated, covariates = _world(4)
    there = stats.weighted_effect(outcome, treated, covariates)
    back = stats.weighted_effect(outcome, ~treated, covariates)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert "overlap population" in there.summary()
    assert "standardised" in there.plot().get_xlabel()


def test_propensity_of_a_saturated_model_is_the_share():
    group = np.repeat([0.0, 1.0], 50)
    treated = np.r_[np.repeat([0, 1], [40, 10]), np.repeat([0, 1], [15, 35])]
    assert fit_propensity(treated, {"g": group})[[0, 99]] == pytest.approx([0.2, 0.7])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"treated": np.zeros(400)}, "no treated unit"),
        ({"treated": np.ones(400)}, "no control unit"),
        ({"treated": np.arange(400) % 3}, "other values than 0 and 1"),
        ({"covariates": {"a": np.r_[np.full(399, 1.0), np.nan]}}, "missing"),
        ({"outcome": np.r_[np.zeros(399), np.nan]}, "missing"),
        ({"outcome": np.full(400, 3.0)}, "no spread"),
        ({"covariates": {"a": np.ones(3)}}, "One row"),
        ({"weights": "magic"}, "weights must be one of"),
        ({"cluster": np.zeros(400)}, "two clusters"),
    ],
)
def test_bad_input(change, message):
    outcome, treated, covariates = _world(5)
    arguments = {"outcome": outcome, "treated": treated, "covariates": covariates} | change
    with pytest.raises(CxError, match=message):
        stats.weighted_effect(**arguments)


def test_perfect_separation():
    outcome, _, covariates = _world(6)
    with pytest.raises(CxError, match="separate the two groups"):
        stats.weighted_effect(outcome, covariates["a"] > 0, covariates)
