"""Differences of effects and gains of money: how intervals join, and the proof in reduced form."""

import importlib
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cxlib as cx
from cxlib.loyalty.difference import _joined, _judged_limits
from cxlib.stats.proportions import proportion
from cxlib.stats.tost import equivalence


@pytest.fixture(scope="module")
def proof():
    return importlib.import_module("calibrate_recovery_claims")


def wilson(hits, n):
    found = proportion(hits, n, method="score")
    return SimpleNamespace(
        estimate=found.estimate, low=found.low, high=found.high,
        narrow_low=found.low, narrow_high=found.high,
    )  # fmt: skip


def test_joined_wilson_intervals_are_newcombes():
    # 56 of 70 less 48 of 80: Newcombe 1998, method 10,
    # doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    low, *_, high = _joined(wilson(48, 80), wilson(56, 70), 0.0)
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


effects = st.tuples(
    st.floats(-3, 3), st.floats(0.05, 2), st.floats(-3, 3), st.floats(0.05, 2),
    st.floats(-0.95, 0.95), st.floats(0.05, 1),
)  # fmt: skip


@given(effects)
def test_symmetric_intervals_join_like_standard_errors(drawn):
    one, error_one, two, error_two, r, smallest = drawn
    sides = [equivalence(d, e, smallest_effect=smallest)
             for d, e in ((one, error_one), (two, error_two))]  # fmt: skip
    limits = _joined(*sides, r)
    error = np.sqrt(error_one**2 + error_two**2 - 2 * r * error_one * error_two)
    asked = equivalence(two - one, error, smallest_effect=smallest)
    found = _judged_limits(two - one, limits, smallest, 0.95)
    for name in ("low", "narrow_low", "narrow_high", "high", "p_difference", "p_equivalence"):
        assert getattr(found, name) == pytest.approx(getattr(asked, name), abs=1e-9)
    assert (found.verdict, found.trivial) == (asked.verdict, asked.trivial)
    turned = _joined(*sides[::-1], r)
    assert turned == pytest.approx([-limit for limit in limits[::-1]])


def test_companies_in_which_failures_do_nothing(proof):
    found = np.stack([proof.measure_world(proof.NOTHING, seed) for seed in range(6)])
    rows = proof.summarise(proof.NOTHING, found)
    assert len(rows) == 14
    assert (rows["datasets"] == 6).all()
    # of 6 intervals at 95 % three or fewer hold once in 500 rows
    assert (rows["coverage"] * 6 >= 3).all()


def test_the_committed_proof_is_of_this_code_and_holds(proof):
    table = pd.read_csv(proof.RESULTS)
    assert proof.is_current()
    assert proof.problems_of(table) == []
    assert len(table) == 26


def test_what_does_not_hold_is_named(proof):
    table = pd.read_csv(proof.RESULTS)
    table.loc[0, ["verdict", "coverage"]] = "fails", 0.9
    table.loc[1, "refused"] = 500
    table.loc[2, "bias"] = table.loc[2, "spread"]
    table.loc[3, "worse"] = 0.06
    told = " ".join(proof.problems_of(table))
    for text in ("coverage 0.900", "refused 500", "bias", "worse 0.060 of the time"):
        assert text in told


def test_a_difference_needs_spread_on_both_sides(proof):
    study, _ = proof._studies(proof._world(proof.NOTHING, 1, 500))
    study.outcomes["churn"][:] = 0.0
    sides = [{"study": study, "exposure": name} for name in ("poor", "adequate")]
    with pytest.raises(cx.CxError, match="churn shows no spread"):
        cx.recovery_difference(*sides, "churn")
