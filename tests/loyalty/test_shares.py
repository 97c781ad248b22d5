"""Shapley and Johnson shares against published values, brute force, and what must hold."""

import itertools
import tomllib
from math import factorial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cxlib.loyalty.moments import moments
from cxlib.loyalty.shares import coefficients, explained, johnson, lmg, sampled_lmg

REFERENCE = tomllib.loads((Path(__file__).parents[1] / "reference" / "drivers.toml").read_text())


def covariances(p, number=3, seed=0):
    rows = np.random.default_rng(seed).normal(size=(number, 4 * p + 4, p + 1))
    rows += np.random.default_rng(seed + 1).normal(size=(number, 4 * p + 4, 1))
    return np.einsum("bni,bnj->bij", rows, rows)


def r2_of(matrix, subset):
    chosen = list(subset)
    if not chosen:
        return 0.0
    towards = matrix[chosen, -1]
    return towards @ np.linalg.solve(matrix[np.ix_(chosen, chosen)], towards) / matrix[-1, -1]


def by_definition(matrix):
    p = len(matrix) - 1
    found = np.zeros(p)
    for j in range(p):
        rest = [k for k in range(p) if k != j]
        for size in range(p):
            weight = factorial(size) * factorial(p - size - 1) / factorial(p)
            for subset in itertools.combinations(rest, size):
                found[j] += weight * (r2_of(matrix, (*subset, j)) - r2_of(matrix, subset))
    return found


def test_johnson_reproduces_the_published_weights():
    given_ = REFERENCE["iopsych"]
    found = johnson(given_["correlations"])
    assert found == pytest.approx(given_["relative_weights"], abs=5e-6)
    assert found.sum() == pytest.approx(given_["r2"], abs=5e-5)
    assert lmg(given_["correlations"]).sum() == pytest.approx(given_["r2"], abs=5e-5)


@pytest.mark.parametrize("p", [1, 2, 3, 5, 7])
def test_shapley_equals_its_definition(p):
    stack = covariances(p)
    assert lmg(stack) == pytest.approx(np.array([by_definition(m) for m in stack]), abs=1e-12)


def test_every_subset_has_the_r2_of_its_regression():
    matrix = covariances(4, 1)[0]
    spread = np.sqrt(np.diag(matrix))
    found = explained((matrix / np.outer(spread, spread))[:, :, None])[:, 0]
    for number, r2 in enumerate(found):
        subset = [j for j in range(4) if number >> j & 1]
        assert r2 == pytest.approx(r2_of(matrix, subset), abs=1e-12)


def test_all_orders_together_are_exact_and_few_are_near():
    stack = covariances(4)
    orders = np.array(list(itertools.permutations(range(4))))
    assert sampled_lmg(stack, orders).mean(axis=0) == pytest.approx(lmg(stack), abs=1e-12)
    big = covariances(15, 1)[0]
    rng = np.random.default_rng(2)
    some_orders = np.array([rng.permutation(15) for _ in range(3000)])
    drawn = sampled_lmg(big, some_orders)
    error = drawn.std(axis=0, ddof=1) / np.sqrt(len(drawn))
    assert (np.abs(drawn.mean(axis=0) - lmg(big)) < 4.5 * error).all()


def test_unrelated_drivers_get_their_squared_correlations():
    matrix = np.eye(4)
    matrix[-1, :3] = matrix[:3, -1] = [0.6, -0.3, 0.1]
    for found in (lmg(matrix), johnson(matrix)):
        assert found == pytest.approx([0.36, 0.09, 0.01])


@settings(max_examples=30, deadline=None)
@given(some.integers(2, 6), some.integers(0, 10_000))
def test_what_must_hold(p, seed):
    stack = covariances(p, 2, seed)
    whole = np.array([r2_of(m, range(p)) for m in stack])
    rng = np.random.default_rng(seed)
    order, scale = rng.permutation(p), rng.uniform(0.1, 9, p + 1)
    places = np.append(order, p)
    for method in (lmg, johnson):
        found = method(stack)
        assert (found >= -1e-12).all()
        assert found.sum(axis=1) == pytest.approx(whole, abs=1e-9)
        assert method(stack[:, places][:, :, places]) == pytest.approx(found[:, order], abs=1e-9)
        assert method(stack * np.outer(scale, scale)) == pytest.approx(found, abs=1e-9)


def test_a_copy_shares_with_its_original_and_nothing_breaks():
    matrix = covariances(3, 1)[0]
    twice = [0, 1, 2, 2, 3]
    found = lmg(matrix[np.ix_(twice, twice)])
    assert found[2] == pytest.approx(found[3])
    assert found.sum() == pytest.approx(lmg(matrix).sum(), abs=1e-9)
    assert np.isfinite(johnson(matrix[np.ix_(twice, twice)])).all()


def test_coefficients_are_those_of_a_regression():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(50, 4)) + rng.normal(size=(50, 1))
    standard = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    fitted = np.linalg.lstsq(standard[:, :3], standard[:, 3], rcond=None)[0]
    assert coefficients(np.cov(rows.T)) == pytest.approx(fitted)


def test_moments_are_those_of_the_rows_and_of_what_was_drawn():
    rng = np.random.default_rng(4)
    rows, weights = rng.normal(7, 2, (60, 3)), rng.uniform(0.5, 2, 60)
    cluster = np.repeat(np.arange(20), 3)
    found = moments(rows, weights, cluster=cluster, replicates=2000, seed=1)
    assert found.mean[0] == pytest.approx(np.average(rows, axis=0, weights=weights))
    assert found.covariance[0] == pytest.approx(np.cov(rows.T, aweights=weights, ddof=0))
    # by hand: the first draw of the same stream
    counts = np.bincount(np.random.default_rng(1).integers(0, 20, (2000, 20))[0], minlength=20)
    heavy = weights * counts[cluster]
    assert found.covariance[1] == pytest.approx(np.cov(rows.T, aweights=heavy, ddof=0))
    half = np.arange(60) < 30
    one, other = moments(rows, weights, parts=[half, ~half], replicates=5)
    assert one.mean[0] == pytest.approx(np.average(rows[half], axis=0, weights=weights[half]))
    assert other.covariance[0] == pytest.approx(
        np.cov(rows[~half].T, aweights=weights[~half], ddof=0)
    )
