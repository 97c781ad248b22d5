"""Validation tells worlds that keep to the model from worlds that do not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib.clv import (
    BetaGeo,
    decile_lift,
    error_by_cohort,
    model_checks,
    predictive_check,
    rolling_origin,
)
from cxlib.worlds.dials import PLAIN_PURCHASES

TRUTH = BetaGeo({"r": 0.8, "alpha": 10.0, "a": 0.6, "b": 5.0})
START = pd.Timestamp("2024-01-01")


def purchases_of(model, customers, weeks, seed):
    """A transaction log drawn from the model, first purchases within twelve weeks."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 84, customers)
    params = {name: np.array(value) for name, value in model.params.items()}
    who, day = [np.arange(customers)], [first]
    for cells, when in model.draw_newcomers(params, weeks - first / 7 - 0.01, rng):
        who.append(cells)
        day.append(first[cells] + np.ceil(7 * when))
    who, day = np.concatenate(who), np.concatenate(day)
    scale = rng.gamma(3.74, 1 / 15.44, customers)
    amount = rng.gamma(6.25, 1 / scale[who])
    ordered = START + pd.to_timedelta(day, unit="D")
    return pd.DataFrame({"customer_id": who, "ordered_at": ordered, "amount": amount})


@pytest.fixture(scope="module")
def plain():
    return purchases_of(TRUTH, 600, 104, seed=1)


@pytest.fixture(scope="module")
def checks(plain):
    return model_checks(plain, draws=200)


def test_checks_stay_quiet_where_the_model_is_true(checks):
    """In 5 % of such worlds one may speak (benchmarks/out/model_checks.csv counts them)."""
    results = [checks, *(model_checks(purchases_of(TRUTH, 400, 104, s), draws=200) for s in (2, 3))]
    assert [result.quiet for result in results] == [True, True, True]
    assert "None of 5 checks speaks" in checks.summary()


@pytest.mark.parametrize(
    ("dials", "speaks", "silent"),
    [
        ({"season": 0.6}, "calendar", "spend"),
        ({"trend": 0.8}, "holdout total", "spend"),
        ({"spend_by_rate": 0.4}, "spend", "calendar"),
    ],
)
def test_checks_speak_where_the_world_breaks_the_model(dials, speaks, silent):
    world = cx.World(11, 800, 104, **{**PLAIN_PURCHASES, **dials})
    found = model_checks(world.transactions, draws=200)
    assert found.table.loc[speaks, "speaks"], found.table
    assert not found.table.loc[silent, "speaks"], found.table
    assert speaks in found.summary()
    assert not found.quiet


def test_a_wrong_story_of_leaving_is_seen_in_the_histories():
    """Customers who buy a few times and all leave at once, told to a model without leaving."""
    data = TRUTH.simulate(80.0, customers=1500, seed=4)
    stays = BetaGeo({"r": 0.8, "alpha": 10.0, "a": 0.001, "b": 5.0})
    assert predictive_check(TRUTH, data, draws=100).p > 0.05
    check = predictive_check(stays, data, draws=100)
    assert check.p < 0.05
    assert "furthest out is" in check.summary()
    assert check.frequencies["observed"].sum() == check.customers == 1500
    few = predictive_check(TRUTH, data, draws=100, most_customers=300)
    assert few.frequencies["observed"].sum() == 300


def test_cdnow_is_missed_most_in_its_newest_cohorts(model, summary):
    errors = error_by_cohort(model, summary, draws=400)
    table = errors.table
    assert table["customers"].sum() == len(summary)
    assert table["actual"].sum() == summary["holdout_frequency"].sum()
    total = model.expected_purchases(summary, 39).sum()
    assert table["predicted"].sum() == pytest.approx(total)
    assert (table["error"].iloc[2:] < table["error"].iloc[:2].max()).all()
    assert errors.p < 0.05
    named = error_by_cohort(model, summary, ["even", "odd"] * 1178 + ["odd"], draws=100)
    assert list(named.table.index) == ["even", "odd"]


@pytest.mark.filterwarnings("ignore:calibration_until:cxlib.errors.CxWarning")
def test_rolling_origins_are_holdouts_of_their_own(plain):
    rolling = rolling_origin(plain, origins=3, horizon_days=91, draws=100)
    day = rolling.table.index[1]
    until = day + pd.Timedelta(days=91)
    summary = cx.clv.summarize(plain, calibration_until=day, until=until, newcomers="drop")
    check = cx.clv.holdout(BetaGeo().fit(summary), summary, draws=100)
    assert rolling.table.loc[day, "predicted"] == check.predicted.estimate
    assert rolling.table.loc[day, "actual"] == check.actual
    assert rolling.table.index[-1] + pd.Timedelta(days=91) == plain["ordered_at"].max()
    assert rolling.table["inside"].sum() >= 2
    assert rolling.summary().startswith("From 3 origins the BG/NBD model")
    weeks = rolling_origin(plain, origins=[day], horizon_days=28, unit="week", draws=100)
    assert len(weeks.to_frame()) == 1


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=10, max_size=60))
def test_lift_does_not_depend_on_the_order_of_rows(rows):
    predicted, actual = np.array(rows).T
    actual[0] += 1
    lift = decile_lift(predicted, actual, groups=5)
    turned = decile_lift(predicted[::-1], actual[::-1], groups=5)
    np.testing.assert_allclose(turned.table["lift"], lift.table["lift"])
    assert lift.table["lift"].mean() == pytest.approx(1)
    assert lift.table["predicted"].is_monotonic_decreasing or np.allclose(
        lift.table["predicted"].cummin(), lift.table["predicted"]
    )
    assert (lift.table["low"] <= lift.table["lift"] + 1e-9).all()


def test_lift_of_the_truth_beats_that_of_chance():
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.5, 2.0, 5000)
    came = rng.poisson(rate)
    known, blind = decile_lift(rate, came), decile_lift(rng.random(5000), came)
    assert known.top.low > 3
    assert blind.top.low < 1 < blind.top.high
    assert decile_lift(np.ones(5000), came).table["lift"].round(12).eq(1).all()
    assert "each group brought less" in known.summary() or "went up" in known.summary()


def test_everything_draws_itself(checks, plain):
    rolling = rolling_origin(plain, origins=2, horizon_days=56, draws=100)
    lift = decile_lift([3.0, 2.0, 1.0, 0.0] * 10, [4, 2, 2, 0] * 10, groups=4)
    results = [checks, rolling, lift, *(checks.parts[name] for name in ("histories", "cohorts"))]
    for result in results:
        ax = result.plot()
        assert ax.get_xlabel()
        ax.figure.clear()
        assert len(result.to_frame())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda log: model_checks(log, draws=50), "draws must be at least 200"),
        (lambda log: rolling_origin(log, horizon_days=0), "horizon_days must be"),
        (lambda log: rolling_origin(log, horizon_days=10, unit="week"), "multiple of 7"),
        (lambda log: rolling_origin(log, origins=9, horizon_days=91), "do not fit between"),
        (lambda log: rolling_origin(log, origins=["2024-01-02"]), "fewer than 20 repeat"),
        (lambda log: decile_lift([1, 2], [1]), "One actual value a prediction"),
        (lambda log: decile_lift([1, 2], [0, 0], groups=2), "there is no lift"),
        (lambda log: decile_lift([1, np.nan], [0, 1], groups=2), "some are missing"),
        (lambda log: decile_lift([1, 2], [0, 1]), "between 2 and 2 customers"),
        (
            lambda log: error_by_cohort(TRUTH, TRUTH.simulate(9.0, customers=9, horizon=9.0), [1]),
            "one label for each of 9",
        ),
    ],
)
def test_bad_input_is_named(plain, call, words):
    with pytest.raises(cx.CxError, match=words):
        call(plain)
