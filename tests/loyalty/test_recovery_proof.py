"""The proof of the ten comparisons, in reduced form, and what its committed results must say."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.loyalty.followup import OUTCOMES
from cxlib.loyalty.ten_comparisons import COMPARISONS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def proof():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module("calibrate_recovery")
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def rules(proof):
    return sys.modules["judge_recovery"]


@pytest.fixture(scope="module")
def table(proof):
    return pd.read_csv(proof.RESULTS, dtype={"problem": str})


def test_small_companies_in_which_recovery_does_nothing(proof):
    found = proof.measure_world("none", 5, [500], big=4000)[500][:8]
    effects = proof.kept_truth(None, "none")
    rows = pd.DataFrame(proof.summarise("none", 500, found, effects))
    fair = rows[rows["table"] == "fair"].set_index("outcome")
    assert set(fair.index) == set(OUTCOMES)
    # of 8 intervals at 95 % four or fewer hold once in 2,700 cells
    assert (fair["coverage"] * fair["datasets"] >= 5).all()
    ten = rows[rows["table"] == "ten ways"].set_index(["comparison", "outcome"])
    assert ten.loc[("ever against never, whole history", "value"), "coverage"] <= 0.25


def test_the_committed_proof_shows_what_is_wrong_and_what_is_fair(proof, rules, table):
    assert proof.is_current()
    assert set(table["truth"]) == {*proof.TRUTHS, *proof.HIDDEN}
    known = table[table["truth"].isin(list(proof.TRUTHS))]
    assert set(known["customers"]) == set(proof.SIZES)
    assert rules.problems_of(table) == []
    again = rules.with_expectations(table)
    assert again["seen"].tolist() == table["seen"].tolist()
    assert again["problem"].tolist() == table["problem"].fillna("").tolist()


def test_every_comparison_is_expected_to_do_something(rules):
    assert [*rules.WRONG, *rules.FAIR] == list(COMPARISONS)


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
        ({"comparison": "before and after"}, {"verdict": "holds", "bias": 0.0}, "not seen"),
        ({"comparison": "same occasions, as they are"}, {"verdict": "holds", "bias": 0.0}, "same"),
        ({"comparison": "inverse probability"}, {"verdict": "fails"}, "inverse"),
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
