"""Value, newcomers, holdout and cohorts under covariates, regular purchases, seasons and BG/BB."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.clv import (
    BetaGeo,
    BetaGeoBetaBinom,
    GammaGamma,
    RegularBetaGeo,
    Season,
    error_by_cohort,
    foreseen_share,
    holdout,
    lifetime_value,
    newcomer_value,
    top_share,
    with_covariates,
)

SPEND = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
DROPOUT = {"a": 0.8, "b": 2.5}
BASE = BetaGeo({"r": 0.7, "alpha": 6.0, **DROPOUT})
APP = {"rate:app": 0.6, "dropout:app": -0.5}
TRUTH = with_covariates(BetaGeo(), rate=["app"], dropout=["app"], params={**BASE.params, **APP})
REGULAR = RegularBetaGeo({"r": 1.5, "alpha": 3.0, **DROPOUT}, k=2)
DONORS = BetaGeoBetaBinom({"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8})
OPTIONS = {"discount_rate": 0.1, "unit": "W"}
SOME = {"horizon": 20, "draws": 60, **OPTIONS}


def customers(size=200, seed=3):
    known = pd.DataFrame({"app": np.arange(size) % 2})
    return TRUTH.simulate(40.0, known, horizon=20.0, seed=seed).assign(monetary=30.0)


def by_hand(table):
    """A customer with the app is one of a plain model with the parameters moved by hand."""
    odds = DROPOUT["a"] / DROPOUT["b"] * np.exp(APP["dropout:app"])
    whole = sum(DROPOUT.values())
    moved = {"alpha": 6.0 * np.exp(-0.6), "a": whole * odds / (1 + odds), "b": whole / (1 + odds)}
    return [(table["app"] == 0, BASE), (table["app"] == 1, BetaGeo({"r": 0.7, **moved}))]


def test_value_with_covariates_is_that_of_each_kind_by_hand():
    table = customers()
    found = lifetime_value(TRUTH, SPEND, table, **SOME)
    for who, plain in by_hand(table):
        wanted = lifetime_value(plain, SPEND, table[who], **SOME)
        pd.testing.assert_series_equal(
            found.customers.loc[who, "value"], wanted.customers["value"], rtol=1e-9
        )
    assert found.total.low < found.total.estimate < found.total.high


def test_newcomers_with_covariates_are_the_mix_of_their_kinds():
    mixed = newcomer_value(
        TRUTH, SPEND, covariates=pd.DataFrame({"app": [1, 0, 0, 0]}), draws=40, **OPTIONS
    ).value.estimate
    plain, app = (
        newcomer_value(model, SPEND, draws=40, **OPTIONS).value.estimate
        for _, model in by_hand(customers())
    )
    assert mixed == pytest.approx(0.75 * plain + 0.25 * app, rel=1e-9)
    assert app > plain


def test_fitted_covariates_foresee_holdout_cohorts_and_newcomers():
    table = customers(600)
    model = with_covariates(BetaGeo(), rate=["app"], dropout=["app"]).fit(table)
    check = holdout(model, table, level=0.99, draws=400)
    assert check.inside
    assert check.customers["predicted"].sum() == pytest.approx(check.predicted.estimate)
    # each group in its own 99.9 % interval
    cohorts = error_by_cohort(model, table, table["app"], level=0.999, draws=2000)
    assert cohorts.table["inside"].all()
    found = newcomer_value(model, SPEND, covariates=table[["app"]].head(1), draws=40, **OPTIONS)
    assert found.value.low < found.value.estimate < found.value.high


@pytest.mark.parametrize("truth", [REGULAR, DONORS], ids=lambda model: model.label)
def test_regular_buyers_and_donors_have_values_newcomers_and_holdouts(truth):
    T, horizon = (12.0, 6.0) if truth is DONORS else (40.0, 20.0)
    table = truth.simulate(T, customers=200, horizon=horizon, seed=1).assign(monetary=30.0)
    options = SOME | {"horizon": horizon, "discount_rate": 0.0, "draws": 400}
    found = lifetime_value(truth, SPEND, table, **options)
    wanted = truth.expected_purchases(table, horizon) * SPEND.expected_spend(table)
    np.testing.assert_allclose(found.customers["value"], wanted, rtol=1e-5)
    # drawn totals have the expected value: their middle lies within their own 80 % interval
    inner = lifetime_value(truth, SPEND, table, **options | {"level": 0.8}).total
    assert inner.low < wanted.sum() < inner.high
    assert holdout(truth, table, level=0.999, draws=2000).inside
    new = newcomer_value(truth, SPEND, horizon=horizon, discount_rate=0.0, unit="W", draws=40)
    again = truth.expected_newcomer_purchases(horizon).item()
    assert new.value.estimate == pytest.approx(SPEND.population_mean * (1 + again), rel=1e-5)


def test_discounting_factor_time_as_calendar_time_errs_by_little():
    """A season of a year, factors of mean 1: the value by weeks, each discounted by its date."""
    weeks = pd.date_range("2024-01-01", periods=106, freq="7D")
    wave = 1 + 0.6 * np.cos(2 * np.pi * np.arange(106) * 7 / 365.25)
    season = Season(pd.Series(wave / wave[:52].mean(), weeks))
    end = pd.Timestamp("2024-12-31")
    dates = [end + pd.Timedelta(days=7 * k) for k in range(53)]
    passed = [season.elapsed(end, date) for date in dates]
    table = BASE.simulate(40.0, customers=60, seed=1).assign(monetary=30.0)
    spend = SPEND.expected_spend(table).to_numpy()
    expected = np.stack([BASE.expected_purchases(table, h) for h in passed])
    discount = 1.1 ** (-(np.arange(52) + 0.5) * 7 / 365.25)
    wanted = (discount @ np.diff(expected, axis=0)) @ spend
    found = lifetime_value(BASE, SPEND, table, **SOME | {"horizon": passed[-1], "draws": 40})
    # the season moves a purchase by weeks, a tenth a year by as many thousandths
    assert found.total.estimate == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: newcomer_value(TRUTH, SPEND, **OPTIONS), "say covariates=DataFrame"),
        (
            lambda: newcomer_value(TRUTH, SPEND, covariates=pd.DataFrame({"age": [1]}), **OPTIONS),
            "app",
        ),
        (
            lambda: newcomer_value(BASE, SPEND, covariates=pd.DataFrame({"app": [1]}), **OPTIONS),
            "knows no covariates",
        ),
        (lambda: lifetime_value(TRUTH, SPEND, customers().drop(columns="app"), **SOME), "app"),
        (lambda: holdout(TRUTH, customers().drop(columns="app")), "app"),
    ],
)
def test_missing_covariates_are_named(call, words):
    with pytest.raises(cx.CxError, match=words):
        call()


def test_expected_and_predictive_concentration():
    table = customers(300)
    model = BetaGeo().fit(table)
    found = foreseen_share(model, SPEND, table, **SOME | {"draws": 200})
    value = lifetime_value(model, SPEND, table, **SOME).customers["value"]
    top = top_share(value, table["holdout_frequency"] * 1.0, draws=60)
    assert set(found.named) == set(top.named)
    assert found.expected.estimate == pytest.approx(top.predicted)
    # what the parameters leave open is less than what a single future leaves open
    assert found.expected.high - found.expected.low < found.predictive.high - found.predictive.low
    assert list(found.to_frame().index) == ["expected", "predictive"]
    assert "newcomers aside" in found.summary()
    with pytest.raises(cx.CxError, match=r"a fifth is 0\.2"):
        foreseen_share(model, SPEND, table, 20, **SOME)


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
def test_the_predictive_share_holds_the_realised_one_while_the_model_holds():
    inside = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        table = BASE.simulate(40.0, customers=150, horizon=20.0, seed=seed)
        x, later = (table[c].to_numpy() for c in ("frequency", "holdout_frequency"))
        nu = rng.gamma(3.74, 1 / 15.44, len(x))
        past, came = (
            np.where(k > 0, rng.gamma(6.25 * np.maximum(k, 1)) / nu, 0) for k in (x, later)
        )
        table["monetary"] = past / np.maximum(x, 1)
        found = foreseen_share(
            BetaGeo().fit(table),
            SPEND,
            table,
            **SOME | {"level": 0.9, "discount_rate": 0.0, "draws": 40},
        )
        realised = pd.Series(came, table.index)[found.named].sum() / came.sum()
        inside += found.predictive.low <= realised <= found.predictive.high
    # all but 0.1 % of 30 at 90 % lie in 0.67 to 1
    assert inside / 30 >= 0.67
