"""The proof of the ten comparisons, in reduced form, and what its committed results must say."""

import importlib
import sys

import numpy as np
import pandas as pd
import pytest

from cxlib.loyalty.followup import OUTCOMES
from cxlib.loyalty.ten_comparisons import COMPARISONS


@pytest.fixture(scope="module")
def proof():
    return importlib.import_module("calibrate_recovery")


@pytest.fixture(scope="module")
def rules(proof):
    return sys.modules["judge_recovery"]


@pytest.fixture(scope="module")
def table(proof):
    return pd.read_csv(proof.RESULTS, dtype={"problem": str})


def test_small_companies_in_which_recovery_does_nothing(proof):
    found = proof.measure_worlds("none", range(8))[500]
    effects = proof.true_effects("none")
    rows = pd.DataFrame(proof.summarise("none", 500, found, effects))
    fair = rows[rows["table"] == "fair"].set_index("outcome")
    assert set(fair.index) == set(OUTCOMES)
    # of 8 intervals at 95 % four or fewer hold once in 2,700 cells
    assert (fair["coverage"] * fair["datasets"] >= 5).all()
    ten = rows[rows["table"] == "ten ways"].set_index(["comparison", "outcome"])
    assert ten.loc[("ever against never, whole history", "value"), "coverage"] <= 0.25


def test_the_first_customers_of_a_world_are_a_smaller_world(proof):
    large, small = (proof._world("all outcomes", 3, size).tables for size in (90, 40))
    first = proof.first_customers(large, 40)
    for name, frame in first.items():
        assert frame.reset_index(drop=True).astype(str).equals(small[name].astype(str))
    for mine, other in zip(proof._studied(first), proof._studied(small), strict=True):
        assert mine.customer.tolist() == other.customer.tolist()
        for outcome, values in mine.outcomes.items():
            np.testing.assert_array_equal(values, other.outcomes[outcome])


def test_a_broken_sweep_goes_on_where_it_stopped(proof, tmp_path, monkeypatch):
    task = ("none, hidden 1", 0, 1)
    kept = proof._chunk(tmp_path, task)
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert np.load(kept)["250"].shape[0] == 1

    def measured(truth, seeds):
        raise AssertionError("measured twice")

    monkeypatch.setattr(proof, "measure_worlds", measured)
    assert proof._chunk(tmp_path, task) == kept
    with pytest.raises(AssertionError, match="twice"):
        proof._chunk(tmp_path, ("none, hidden 1", 1, 2))


def test_at_the_edge_a_verdict_may_be_wrong_only_within_reach(proof):
    rows = {"low": [-3, -1], "high": [1, 3], "narrow_low": [-2.5, -0.4], "narrow_high": [0, 0.4]}
    found = pd.DataFrame(rows | {"sd": 1.0}, dtype=float)
    told = proof._tests(found, -0.5)
    assert (told["equivalent_at_edge"], told["edge_in_reach"]) == (0.5, 0.5)
    assert "equivalent_at_edge" not in proof._tests(found, 0.0)


def test_the_committed_proof_shows_what_is_wrong_and_what_is_fair(proof, rules, table):
    assert proof.is_current()
    assert set(table["truth"]) == {*proof.TRUTHS, *proof.HIDDEN}
    known = table[table["truth"].isin(list(proof.TRUTHS))]
    assert set(known["customers"]) == set(proof.SIZES)
    assert rules.problems_of(table) == []
    again = rules.with_expectations(table)
    assert again["seen"].tolist() == table["seen"].tolist()
    assert again["problem"].tolist() == table["problem"].fillna("").tolist()


def test_every_comparison_is_expected_to_do_something(proof, rules):
    assert [*rules.MUST_FAIL, *rules.FAIR] == list(COMPARISONS)
    named = [(o, t) for where in rules.MUST_FAIL.values() for o, ts in where.items() for t in ts]
    assert all(o in proof.ASKED_TEN_WAYS and t in proof.TRUTHS for o, t in named)
    assert all(rules.MUST_FAIL.values())


@pytest.mark.parametrize(
    ("rows", "values", "text"),
    [
        ({"table": "fair", "truth": "none", "outcome": "value"}, {"above": 0.05}, "paradox found"),
        ({"table": "fair", "truth": "none", "outcome": "repurchase"}, {"above": 0.045}, "paradox"),
        ({"table": "fair", "truth": "none", "outcome": "churn"}, {"below": 0.045}, "paradox"),
        ({"table": "fair", "outcome": "intention"}, {"equivalent_at_edge": 0.07}, "at the edge"),
        ({"table": "fair", "outcome": "churn"}, {"verdict_90": "fails"}, "at 90 %"),
        ({"table": "fair", "truth": "none"}, {"verdict": "fails"}, "coverage"),
        ({"table": "fair", "outcome": "value"}, {"equivalent_at_edge": 0.09}, "at the edge"),
        ({"table": "fair", "outcome": "value"}, {"bias": 20.0}, "bias 20"),
        ({"table": "fair", "outcome": "satisfaction"}, {"above": 0.79}, "power"),
        ({"comparison": "before and after"}, {"verdict": "holds"}, "value, none: was not seen"),
        (
            {"comparison": "change against the control's change"},
            {"verdict": "holds", "above": 0.025},
            "groups unlike: was not seen",
        ),
        (
            {"comparison": "same occasions, as they are", "truth": "none, hidden 0.5"},
            {"verdict": "holds", "above": 0.0, "bias": 0.0},
            "hidden 0.5: was not seen",
        ),
        ({"table": "fair", "outcome": "churn"}, {"edge_in_reach": 0.4}, "churn: its edge is out"),
        ({"comparison": "inverse probability"}, {"verdict": "fails"}, "inverse"),
        ({"table": "fair", "truth": "none"}, {"refused": 60}, "refused 60 companies"),
        ({"truth": "none, hidden 1"}, {"bias": 0.0}, "hidden confounder"),
    ],
)
def test_problems_are_seen(rules, table, rows, values, text):
    broken = table.copy()
    hit = np.logical_and.reduce([broken[name] == value for name, value in rows.items()])
    assert hit.any()
    for name, value in values.items():
        broken.loc[hit, name] = value
    assert any(text in problem for problem in rules.problems_of(broken))
