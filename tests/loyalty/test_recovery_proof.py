"""The proof of the ten comparisons, in reduced form, and what its committed results must say."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.loyalty.followup import OUTCOMES

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "calibrate_recovery.py"


@pytest.fixture(scope="module")
def proof():
    spec = importlib.util.spec_from_file_location("calibrate_recovery", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(proof):
    return pd.read_csv(proof.RESULTS)


def test_small_companies_in_which_recovery_does_nothing(proof):
    found = proof.measure_world("none", 5, [400], big=6400)[400]
    effects = proof._kept_truth(None, "none")
    rows = pd.DataFrame(proof.summarise("none", 400, found, effects))
    fair = rows[rows["table"] == "fair"].set_index("outcome")
    assert set(fair.index) == set(OUTCOMES)
    # of 16 intervals at 95 % eleven or fewer hold once in 1,200 cells
    assert (fair["coverage"] * fair["datasets"] >= 12).all()
    ten = rows[rows["table"] == "ten ways"].set_index(["comparison", "outcome"])
    assert ten.loc[("ever against never, whole history", "value"), "coverage"] == 0
    bad = ten.loc[("well against badly recovered", "satisfaction")]
    assert bad["bias"] > 2 * bad["bias_error"]


def test_the_committed_proof_shows_what_is_wrong_and_what_is_fair(proof, table):
    known = table[table["truth"].isin(list(proof.TRUTHS))]
    assert set(known["truth"]) == set(proof.TRUTHS)
    assert set(known["customers"]) == set(proof.SIZES)
    assert proof.problems_of(table) == []
    fair = known[known["table"] == "fair"]
    assert (np.abs(fair["bias"]) < 4 * fair["bias_error"]).all()
    hidden = table[table["truth"].isin(list(proof.HIDDEN)) & (table["table"] == "fair")]
    felt = hidden[hidden["outcome"] == "satisfaction"].set_index("truth")["bias"]
    weak, strong = proof.HIDDEN
    assert felt[strong] < felt[weak] < -0.03


def test_problems_are_seen(proof, table):
    broken = table.copy()
    fair = (broken["table"] == "fair") & (broken["truth"] == "none")
    broken.loc[fair, "above"] = 0.5
    broken.loc[fair, "verdict"] = "fails"
    named = proof.problems_of(broken)
    assert any("paradox found" in text for text in named)
    assert any("coverage" in text for text in named)
