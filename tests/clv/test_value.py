import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.clv import (
    BetaGeo,
    GammaGamma,
    ModifiedBetaGeo,
    ParetoNBD,
    expected_value,
    lifetime_value,
)
from cxlib.clv.value import simulate_values

MODEL = BetaGeo({"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5})
SPEND = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
OPTIONS = {"horizon": 39, "discount_rate": 0.1}


@pytest.fixture(scope="module")
def value(model, spend, summary):
    return lifetime_value(model, spend, summary, **OPTIONS, draws=200)


def test_without_discount_value_is_purchases_times_spend(model, spend, summary):
    found = lifetime_value(model, spend, summary, horizon=39, discount_rate=0, margin=0.3, draws=40)
    wanted = 0.3 * model.expected_purchases(summary, 39) * spend.expected_spend(summary)
    np.testing.assert_allclose(found.customers["value"], wanted, rtol=1e-12)
    assert found.total.estimate == pytest.approx(wanted.sum())


def test_discounting_agrees_with_a_sum_over_short_steps(model, summary):
    few = summary.head(40)
    force = np.log(1.15) / (365.25 / 7)
    ends = np.linspace(0, 52, 401)
    each = few.loc[np.repeat(few.index, len(ends))]
    expected = model.expected_purchases(each, np.tile(ends, len(few)))
    expected = expected.to_numpy().reshape(len(few), -1).T
    weights = np.exp(-force * (ends[1:] + ends[:-1]) / 2)
    wanted = weights @ np.diff(expected, axis=0)
    # midpoint sums of 400 steps are good to some 1e-8
    found = model.discounted_purchases(few, 0.15, horizon=52, unit="W")
    np.testing.assert_allclose(found, wanted, rtol=1e-7)


@pytest.mark.parametrize(("unit", "year"), [("D", 365.25), ("W", 365.25 / 7), ("M", 12.0)])
def test_a_yearly_rate_means_a_year_in_every_unit(unit, year):
    """Dropout all but none: purchases at a constant rate, an annuity in closed form."""
    loyal = BetaGeo({"r": 1e4, "alpha": 1e4, "a": 1e-9, "b": 1.0})
    table = pd.DataFrame({"frequency": [0], "recency": [0.0], "T": [0.0], "monetary": [0.0]})
    found = lifetime_value(
        loyal, SPEND, table, horizon=year, discount_rate=0.2, unit=unit, draws=40
    )
    wanted = SPEND.population_mean * year * (1 - 1 / 1.2) / np.log(1.2)
    assert found.customers["value"].item() == pytest.approx(wanted, rel=1e-6)


def test_simulated_futures_have_the_expected_value():
    """Drawn futures at known parameters against the closed form and quadrature."""
    table = MODEL.simulate(30.0, customers=250, seed=1).assign(monetary=25.0)
    rows = tuple(table[c].to_numpy(float) for c in ("frequency", "recency", "T"))
    force, draws = np.log(1.1) / 52, 2000
    _, _, totals = simulate_values(
        MODEL, SPEND, table, 52.0, force, 1.0, 0.95, draws, np.random.default_rng(2)
    )
    wanted = MODEL.discounted(*rows, 52.0, force) @ SPEND.expected_spend(table)
    # beyond 4.5 standard errors of the mean once in 150,000
    assert abs(totals.mean() - wanted) < 4.5 * totals.std() / np.sqrt(draws)


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
def test_intervals_of_simulated_customers_and_totals_cover():
    """Model and spend fitted anew in each of 40 samples; 80 % intervals of what then comes."""
    per_customer, total = [], 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        table = MODEL.simulate(30.0, customers=250, horizon=20.0, seed=seed)
        x = table["frequency"].to_numpy()
        nu = rng.gamma(3.74, 1 / 15.44, len(x))
        past, future = (
            np.where(k > 0, rng.gamma(6.25 * np.maximum(k, 1)) / nu, 0.0)
            for k in (x, table["holdout_frequency"].to_numpy())
        )
        table["monetary"] = past / np.maximum(x, 1)
        fitted = BetaGeo().fit(table), GammaGamma().fit(table)
        found = lifetime_value(
            *fitted, table, horizon=20, discount_rate=0, level=0.8, draws=100, unit="W"
        )
        inside = found.customers["low"].le(future) & found.customers["high"].ge(future)
        per_customer.append(inside.mean())
        total += found.total.low <= future.sum() <= found.total.high
    # discrete futures: at least nominal; of 80 % in 40 totals all but 0.1 % lie in 0.57-0.98
    assert np.mean(per_customer) > 0.79
    assert 0.57 <= total / 40 <= 0.98


def test_cdnow_value(value, summary):
    frame = value.to_frame()
    assert list(frame.columns) == [
        "value",
        "low",
        "high",
        "p_alive",
        "expected_purchases",
        "expected_spend",
    ]
    assert frame.index.equals(summary.index)
    assert not frame.isna().any().any()
    assert (frame["low"] <= frame["high"]).all()
    assert value.total.low < value.total.estimate < value.total.high
    assert value.total.estimate == pytest.approx(frame["value"].sum())
    assert "95 % prediction interval" in value.summary()
    assert "39 weeks" in value.summary()


def test_same_seed_same_intervals(model, spend, summary):
    few = summary.head(400)
    first, again, other = (
        lifetime_value(model, spend, few, **OPTIONS, draws=1000, seed=seed) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(again.customers, first.customers)
    assert other.total.low != first.total.low
    assert other.total.low == pytest.approx(first.total.low, rel=0.05)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon": 0}, "horizon = 0"),
        ({"horizon": float("inf")}, "horizon = inf"),
        ({"discount_rate": 10}, "Ten per cent is 0.1"),
        ({"margin": 30}, "Thirty per cent is 0.3"),
        ({"level": 95}, "level must lie between 0 and 1"),
        ({"draws": 10}, "at least 40"),
        ({"unit": "years"}, "unit 'years' is unknown"),
    ],
)
def test_bad_requests_are_named(model, spend, summary, options, words):
    with pytest.raises(cx.CxError, match=words):
        lifetime_value(model, spend, summary, **{**OPTIONS, **options})


def test_collapsed_and_moneyless_summaries_are_refused(model, spend, summary):
    with pytest.raises(cx.CxError, match="n > 1"):
        lifetime_value(model, spend, summary.assign(n=2), **OPTIONS)
    with pytest.raises(cx.CxError, match="column monetary is missing"):
        lifetime_value(model, spend, summary.drop(columns="monetary"), **OPTIONS)


def test_the_unit_is_assumed_aloud(model, spend, summary):
    bare = summary.head(50).copy()
    bare.attrs = {}
    with pytest.warns(cx.CxWarning, match="weeks are taken"):
        lifetime_value(model, spend, bare, **OPTIONS, draws=40)


def test_the_spread_is_counted(value):
    frame = value.customers
    below = (frame["value"] < frame["value"].mean()).mean()
    assert f"{100 * below:.0f} % of them lie below" in value.spread()
    assert f"The mean is {frame['value'].mean():,.2f} a customer" in value.spread()


def test_expected_value_is_the_value_without_its_interval(value, model, spend, summary):
    found = expected_value(model, spend, summary, **OPTIONS)
    np.testing.assert_allclose(found, value.customers["value"], rtol=1e-12)
    endless = expected_value(model, spend, summary, discount_rate=0.1)
    assert (endless >= found).all()
    with pytest.raises(cx.CxError, match="no finite number"):
        expected_value(model, spend, summary, discount_rate=0.0)


@pytest.mark.parametrize("kind", [ModifiedBetaGeo, ParetoNBD])
def test_value_has_an_interval_under_every_model(kind, spend, summary):
    found = lifetime_value(kind().fit(summary), spend, summary, **OPTIONS, draws=100)
    assert found.total.low < found.total.estimate < found.total.high
    assert (found.customers["low"] <= found.customers["high"]).all()
