"""Expected ranks: against simulation, in their limits, in order, and closer to the truth."""

import importlib

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import rankdata

import cxlib as cx
from cxlib import stats
from cxlib.stats.shrinkage import net_score_error

# Rubin 1981, Journal of Educational Statistics 6(4), 377-401: coaching effects of eight schools
SCHOOLS = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]


@pytest.fixture(scope="module")
def proof():
    return importlib.import_module("calibrate_ranks")


def test_they_equal_the_mean_rank_of_draws_from_the_posterior():
    """tau by its grid of masses, then the mean, then each group: nothing in closed form."""
    rng = np.random.default_rng(3)
    y, s = (np.array(v, float) for v in SCHOOLS)
    tau = np.linspace(0.01, 150, 4000)
    total = tau[:, None] ** 2 + s**2
    worth = (1 / total).sum(axis=1)
    centre = (y / total).sum(axis=1) / worth
    log = -0.5 * (np.log(total) + (y - centre[:, None]) ** 2 / total).sum(axis=1)
    log -= 0.5 * np.log(worth)
    mass = np.exp(log - log.max())
    at = rng.choice(len(tau), 100_000, p=mass / mass.sum())
    mu = centre[at] + rng.normal(size=len(at)) / np.sqrt(worth[at])
    own = tau[at, None] ** 2 / total[at]
    theta = own * y + (1 - own) * mu[:, None] + np.sqrt(own) * s * rng.normal(size=(len(at), 8))
    drawn = 9 - rankdata(theta, axis=1)
    # the Monte Carlo error of a mean rank is 2.3 / sqrt(100,000), below .01
    assert stats.expected_ranks(*SCHOOLS) == pytest.approx(drawn.mean(axis=0), abs=0.03)


@settings(deadline=None, max_examples=25)
@given(
    seed=some.integers(0, 9999),
    k=some.integers(4, 40),
    shift=some.floats(-50, 50),
    factor=some.floats(0.1, 10),
)
def test_sum_order_shift_scale_and_mirror(seed, k, shift, factor):
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.5, 2, k)
    values = rng.normal(0, 1.5, k) + errors * rng.normal(size=k)
    order = rng.permutation(k)
    ranks = stats.expected_ranks(values, errors)
    assert ranks.sum() == pytest.approx(k * (k + 1) / 2, abs=1e-6)
    assert ((ranks > 1) & (ranks < k)).all()
    assert stats.expected_ranks(values[order], errors[order]) == pytest.approx(ranks[order])
    moved = stats.expected_ranks(shift + factor * values, factor * errors)
    assert moved == pytest.approx(ranks, abs=1e-6)
    assert stats.expected_ranks(-values, errors) == pytest.approx(k + 1 - ranks, abs=1e-6)


def test_without_noise_they_are_the_raw_ranks_and_with_nothing_else_the_middle():
    values = np.array([3.0, -20, 41, 40, 8, 9, 60])
    raw = len(values) + 1 - rankdata(values)
    assert stats.expected_ranks(values, np.full(7, 1e-3)) == pytest.approx(raw, abs=1e-3)
    assert stats.expected_ranks(values, np.full(7, 1e6)) == pytest.approx(np.full(7, 4), abs=1e-2)
    assert stats.expected_ranks(np.full(5, 7.0), np.full(5, 2.0)) == pytest.approx(np.full(5, 3))


def test_large_groups_of_equal_score_stand_further_from_the_middle():
    first, second, *_ = stats.expected_ranks([20, 20, 0, 0, -5, -5], [2, 12, 2, 12, 2, 12])
    assert 1 < first < second < 3.5


def test_many_groups_in_blocks_are_the_same(monkeypatch):
    rng = np.random.default_rng(8)
    values, errors = rng.normal(0, 20, 120), rng.uniform(5, 25, 120)
    whole = stats.expected_ranks(values, errors)
    monkeypatch.setattr("cxlib.stats.shrinkage.CELLS_AT_ONCE", 10_000)
    assert stats.expected_ranks(values, errors) == pytest.approx(whole, abs=1e-12)


def test_segments_carry_them():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(
        {"score": rng.integers(0, 11, 150), "team": rng.choice(list("abcdef"), 150)}
    )
    table = cx.nps_by(frame, by="team")
    errors = net_score_error(table["promoters"], table["detractors"], table["n"])
    expected = stats.expected_ranks(table["estimate"], errors)
    assert table["expected_rank"].tolist() == pytest.approx(expected.tolist())
    weighted = cx.nps_by(frame.assign(w=1.0), by="team", weight_col="w")
    assert weighted["expected_rank"].tolist() == pytest.approx(expected.tolist(), abs=0.05)
    few = cx.nps_by(frame[frame["team"] <= "c"], by="team")
    assert few["expected_rank"].isna().all()


def test_the_committed_proof_is_of_this_code_and_holds(proof):
    """Not of this code: `benchmarks/calibrate_ranks.py` measures it again in a minute."""
    kept = pd.read_csv(proof.RESULTS)
    assert proof.is_current()
    assert len(kept) == len(proof.SETTINGS)
    assert proof.problems_of(kept) == []
    broken = kept.assign(whole_place_verdict="cannot tell")
    assert len(proof.problems_of(broken)) == len(kept)


def test_a_reduced_proof_agrees_with_the_committed_one(proof):
    kept = pd.read_csv(proof.RESULTS)
    found = pd.DataFrame(proof.measure(setting, 60) for setting in proof.SETTINGS)
    for name in ("raw", "whole_place"):
        # a league's mean error scatters by less than half of itself
        assert (found[f"{name}_error"] / kept[f"{name}_error"] - 1).abs().max() < 0.25
    assert (found["whole_place_gain"] > 0).sum() >= len(found) - 2
    sure = found["whole_place_verdict"] == "closer"
    assert sure.sum() >= 6
    assert not (found["whole_place_verdict"] == "further").any()


def test_a_league_without_luck_gains_nothing(proof):
    setting = proof.Setting(100_000, "very large")
    assert proof.measure(setting, 20)["whole_place_gain"] == pytest.approx(0, abs=0.03)
