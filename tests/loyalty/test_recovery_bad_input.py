"""What a study of recovery cannot use is named, with what is still possible."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.loyalty.arms import fit_arms

START = pd.Timestamp("2024-01-01")


def made(n=400, seed=0, share=0.3):
    """Two years of orders; failures at random, their recovery, and answers."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(n), 4)
    day = np.tile([0, 200, 420, 600], n) + rng.integers(0, 20, 4 * n)
    failed = (rng.random(4 * n) < share) & (np.tile([0, 1, 0, 0], n) == 1)
    orders = pd.DataFrame({"customer_id": who.astype(str), "amount": 10.0 + rng.random(4 * n)})
    orders = orders.assign(ordered_at=START + pd.to_timedelta(day, "D"), failure=failed)
    hit = np.flatnonzero(failed)
    contacts = pd.DataFrame({
        "contact_id": [f"k{i}" for i in hit], "customer_id": who[hit].astype(str), "failure": True,
        "opened_at": START + pd.to_timedelta(day[hit] + 1, "D"),
        "recovery": rng.choice(["poor", "excellent"], hit.size),
    })  # fmt: skip
    asked = pd.DataFrame({"customer_id": np.arange(n).astype(str), "question": "csat"})
    answered = START + pd.Timedelta(days=260)
    asked = asked.assign(score=rng.integers(1, 8, n), answered_at=answered)
    people = pd.DataFrame({"customer_id": np.arange(n).astype(str),
                           "joined_at": START - pd.to_timedelta(rng.integers(100, 900, n), "D"),
                           "segment": rng.choice(["x", "y"], n)})  # fmt: skip
    return {"transactions": orders, "contacts": contacts, "responses": asked, "customers": people}


def test_the_made_tables_can_be_used():
    assert cx.recovery_effect(made(), "satisfaction").n["seen"].min() > 20


def test_no_failures():
    tables = made(share=0.0)
    with pytest.raises(cx.CxError, match=r"None of 1,600 occasions failed.*Still possible"):
        cx.recovery_effect(tables)


def test_no_control():
    tables = {"contacts": made()["contacts"]}
    tables["contacts"].loc[0, "opened_at"] = START - pd.Timedelta(days=400)
    with pytest.raises(cx.CxError, match=r"no control: 0 occasions.*Still possible: control="):
        cx.recovery_effect(tables)
    levels = cx.recovery_study(tables).to_frame()["level"].tolist()
    assert levels == ["poor", "excellent"]


def test_a_level_never_seen():
    with pytest.raises(cx.CxError, match=r"'adequate' was seen never.*Seen are: no failure"):
        cx.recovery_effect(made(), exposure="adequate")
    ladder = cx.compare_recovery_levels(made(), "satisfaction")
    assert set(ladder.left_out) == {"none", "adequate"}


def test_overlapping_contacts():
    tables = made()
    second = tables["contacts"].assign(contact_id=lambda f: f["contact_id"] + "b")
    first = tables["contacts"].assign(closed_at=lambda f: f["opened_at"] + pd.Timedelta(days=9))
    second["opened_at"] += pd.Timedelta(days=2)
    tables["contacts"] = pd.concat([first, second], ignore_index=True)
    with pytest.warns(cx.CxWarning, match=f"{len(second)} failed contacts were opened while"):
        study = cx.recovery_study(tables)
    assert study.overlapping == len(second)
    tables["contacts"] = pd.concat([first, second[:1]], ignore_index=True)
    with pytest.warns(cx.CxWarning, match="1 failed contact was opened while"):
        cx.recovery_study(tables)


def test_outcomes_before_the_exposure():
    tables = made()
    tables["responses"]["answered_at"] = START
    with pytest.raises(
        cx.CxError, match=r"lie before the first landmark.*repurchase, churn, value"
    ):
        cx.recovery_effect(tables)


def test_perfect_separation_names_the_column():
    rng = np.random.default_rng(1)
    z = np.repeat([0, 1], 100)
    x = np.column_stack([z + 0.1 * rng.random(200), rng.normal(size=200)]).astype(np.float32)
    with pytest.raises(cx.CxError, match=r"perfectly \(apart\).*leave out apart.*weights=None"):
        fit_arms(z, x, np.arange(200), ["apart", "noise"])
    tables = made()
    failed = set(tables["contacts"].query("recovery == 'excellent'")["customer_id"])
    mine = tables["customers"]["customer_id"].isin(failed)
    tables["customers"]["segment"] = np.where(mine, "y", "x")
    with pytest.raises(cx.CxError, match="segment y"):
        cx.recovery_effect(tables)
    assert cx.recovery_effect(tables, weights=None).weights == "no weights"


def test_all_problems_of_the_tables_at_once():
    tables = made()
    tables["contacts"] = tables["contacts"].drop(columns="failure").assign(recovery="great")
    tables["transactions"] = tables["transactions"].drop(columns="amount")
    with pytest.raises(cx.CxError) as caught:
        cx.recovery_study(tables)
    for text in ("contacts lacks the columns failure", "lacks the columns amount", "'great'"):
        assert text in str(caught.value)
    with pytest.raises(cx.CxError, match="found list"):
        cx.recovery_study([1, 2])


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"outcome": "mood"}, "outcome must be one of"),
        ({"exposure": "great"}, "must be one of"),
        ({"exposure": "no failure"}, "with itself"),
        ({"weights": "overlap", "estimand": "population"}, "cannot reach"),
        ({"smallest_effect": 0}, "above 0"),
        ({"landmark_weeks": 0}, "from 1 to 520"),
        ({"failures": "some"}, "failures must be one of"),
        ({"among": "fans"}, "among must be one of"),
        ({"level": 95}, "Did you mean"),
        ({"outcome": "intention"}, "too few to judge luck"),
    ],
)
def test_choices_outside_their_ranges(given, text):
    with pytest.raises(cx.CxError, match=text):
        cx.recovery_effect(made(), **given)


def test_a_study_keeps_its_design():
    study = cx.recovery_study(made())
    with pytest.raises(cx.CxError, match="The study was made with"):
        cx.recovery_effect(study, horizon_weeks=13)


def test_too_short_records():
    tables = made()
    early = tables["transactions"]["ordered_at"] < START + pd.Timedelta(days=100)
    tables["transactions"] = tables["transactions"][early].assign(failure=True)
    tables = {"transactions": tables["transactions"]}
    with pytest.raises(cx.CxError, match=r"No occasion is eligible.*first 26 weeks"):
        cx.recovery_study(tables)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"difference": 0.1, "smallest_effect": 0.1},
        {"difference": 0.0},
        {"difference": 0.1, "answer_share": 0},
    ],
)
def test_sample_sizes_refuse(given):
    with pytest.raises(cx.CxError):
        cx.recovery_sample_size(**given)
