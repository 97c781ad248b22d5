"""Weights, means and influences: against an independent estimator, and their own laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib import stats
from cxlib.loyalty.arms import (
    _control_fit,
    _left_out,
    _weights,
    fit_arms,
    fit_ridge_logit,
    group_means,
    standardised,
)
from cxlib.loyalty.comparison import contrast
from cxlib.stats.overlap import fit_logit


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(4)
    n = 6000
    x = rng.normal(size=(n, 3)).astype(np.float32)
    who = rng.integers(0, 2500, n)
    z = (rng.random(n) < 1 / (1 + np.exp(1.5 - x[:, 0] + 0.5 * x[:, 1]))).astype(int)
    y = 1 + x[:, 0] + x[:, 2] + 0.4 * z + rng.normal(size=n) + rng.normal(size=2500)[who]
    return x, who, z, y


@pytest.mark.parametrize(
    ("ours", "theirs"), [("overlap", "overlap"), ("ipw", "ipw"), ("exposed", "att"), (None, None)]
)
def test_two_groups_agree_with_the_estimator_of_the_statistics_room(sample, ours, theirs):
    x, who, z, y = sample
    # the error with the fit of the weights alone, for every kind of weights
    arms = replace(fit_arms(z, x, who, ["a", "b", "c"], weights=ours), kind=None)
    estimate, error, _ = contrast(group_means(arms, y))
    other = stats.weighted_effect(y, z, x, weights=theirs, cluster=who)
    # the ridge shrinks a coefficient by about 1 / 700 here
    assert estimate == pytest.approx(other.estimate, abs=0.003)
    assert error == pytest.approx(other.standard_error, rel=0.02)


def test_inverse_probabilities_do_not_promise_more_than_given_weights(sample):
    x, who, z, y = sample
    arms = fit_arms(z, x, who, ["a", "b", "c"], weights="ipw")
    found, fitted = group_means(arms, y), group_means(replace(arms, kind=None), y)
    for group in (0, 1):
        mine = z == group
        share = arms.weight[mine] / arms.weight[mine].sum()
        rest = share * (y[mine] - share @ y[mine])
        apart = (np.bincount(who[mine], rest) ** 2).sum()
        with_fit = (fitted.influence[:, group] ** 2).sum()
        assert apart > with_fit
        assert (found.influence[:, group] ** 2).sum() == pytest.approx(apart)
    overlap = fit_arms(z, x, who, ["a", "b", "c"])
    same = group_means(replace(overlap, kind=None), y).influence
    np.testing.assert_array_equal(group_means(overlap, y).influence, same)


def test_the_logit_without_a_ridge_is_the_logit(sample):
    x, _, z, _ = sample
    columns = np.column_stack([np.ones(len(x)), x]).astype(np.float32)
    beta, _ = fit_ridge_logit(z.astype(bool), columns, ridge=0.0)
    theirs = fit_logit(z, columns.astype(float), ["constant", *"abc"])
    assert beta == pytest.approx(theirs, abs=1e-4)


def test_overlap_weights_balance_so_the_regression_has_little_left_to_do(sample):
    x, who, z, y = sample
    arms = fit_arms(z, x, who, ["a", "b", "c"])
    gap = [np.average(x[z == g], axis=0, weights=arms.weight[z == g]) for g in (0, 1)]
    assert np.abs(gap[1] - gap[0]).max() < 0.01
    plain, error, _ = contrast(group_means(arms, y))
    robust, smaller, _ = contrast(group_means(arms, y, doubly_robust=True))
    assert smaller == pytest.approx(error, rel=0.02)
    assert robust == pytest.approx(plain, abs=0.005)
    assert abs(robust - 0.4) < 3 * smaller


def test_a_regression_mends_wrong_weights(sample):
    x, who, z, y = sample
    blind = fit_arms(z, x[:, 1:2], who, ["b"])  # the cause x0 is left out of the weights
    wrong, error, _ = contrast(group_means(blind, y))
    assert wrong - 0.4 > 5 * error
    seeing = replace(blind, columns=standardised(x), breads=())
    right, error, _ = contrast(group_means(seeing, y, doubly_robust=True))
    assert abs(right - 0.4) < 3 * error


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(0, 10_000))
def test_weights_of_several_groups_obey_their_laws(others, seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1, 1.5, size=(50, others))
    full = np.exp(np.column_stack([np.zeros(50), logits]))
    chance = full / full.sum(axis=1, keepdims=True)
    shares = 0
    for group in range(others + 1):
        arm = np.full(50, group)
        inverse, _ = _weights("ipw", arm, logits)
        assert inverse == pytest.approx(1 / chance[:, group])
        weight, slope = _weights("overlap", arm, logits)
        assert weight == pytest.approx((1 / chance[:, group]) / (1 / chance).sum(axis=1))
        shares = shares + weight
        for kind in ("overlap", "ipw"):  # slopes are derivatives
            w, slope = _weights(kind, arm, logits)
            moved = logits.copy()
            moved[:, 0] += 1e-6
            numeric = (_weights(kind, arm, moved)[0] - w) / 1e-6
            assert slope[:, 0] == pytest.approx(numeric, rel=1e-3, abs=1e-5)
    assert shares == pytest.approx(1)


def test_answers_are_weighed_up_to_all(sample):
    x, who, z, y = sample
    rng = np.random.default_rng(1)
    chance = 1 / (1 + np.exp(-x[:, 2]))  # who answers is who scores high
    seen = np.where(rng.random(len(y)) < chance, y, np.nan)
    arms = fit_arms(z, x, who, ["a", "b", "c"])
    all_of_them = group_means(arms, y).means[0]
    assert group_means(arms, seen).means[0] > all_of_them + 0.2
    assert group_means(arms, seen, answering=chance).means[0] == pytest.approx(all_of_them, abs=0.1)


@pytest.mark.parametrize(("copies", "share"), [(1, 0.001), (3, 0.3)])
def test_what_a_unit_is_expected_to_be_is_fitted_without_its_customer(copies, share):
    rng = np.random.default_rng(6)
    who = np.repeat(np.arange(60), copies)
    columns = standardised(rng.normal(size=(who.size, 5)).astype(np.float32))
    y, weight = rng.normal(size=who.size), rng.uniform(0.2, 1, who.size)
    rows = np.arange(who.size)
    expected, bread = _control_fit(y, columns, rows, weight)
    ours = expected - _left_out(columns, bread, weight, y - expected, who)
    others = np.empty(who.size)
    for customer in range(60):
        mine = who == customer
        others[mine] = _control_fit(y, columns, rows[~mine], weight)[0][mine]
    assert np.abs(ours - others).max() < share * np.abs(expected - others).max()


def test_an_answer_shared_by_two_occasions_is_not_explained_away():
    # the answer after a failure is also the answer after the whole parcel before it
    rng = np.random.default_rng(8)
    found, size, names = [], 160, [f"x{k}" for k in range(12)]
    for _ in range(150):
        lifted = np.zeros(size, bool)
        lifted[:32] = True
        x = rng.normal(size=(size, 12)).astype(np.float32)
        answer = rng.normal(size=size) + lifted
        who = np.concatenate([np.arange(size), np.flatnonzero(lifted)])
        arm = np.repeat([0, 1], [size, 32])
        arms = fit_arms(arm, x[who], who, names)
        found.append(contrast(group_means(arms, answer[who], doubly_robust=True))[0])
    error = np.std(found) / np.sqrt(len(found))
    # one control in five carries a lifted answer, so .8 is there to be found
    assert np.mean(found) == pytest.approx(0.8, abs=4 * error)
    assert error < 0.02
