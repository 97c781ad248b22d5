"""Covariates on buying and leaving: derivatives, recovery, agreement with fits group by group."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

import cxlib as cx
from cxlib.clv import (
    BetaGeo,
    BetaGeoBetaBinom,
    ModifiedBetaGeo,
    ParetoNBD,
    forecast,
    likelihood_ratio,
    posterior,
    with_covariates,
)

BASES = {
    BetaGeo: {"r": 0.8, "alpha": 8.0, "a": 0.7, "b": 2.5},
    ModifiedBetaGeo: {"r": 0.8, "alpha": 8.0, "a": 0.7, "b": 2.5},
    ParetoNBD: {"r": 0.8, "alpha": 8.0, "s": 0.7, "beta": 12.0},
}
EFFECTS = {"rate:app": 0.5, "rate:seats": -0.1, "dropout:seats": 0.15}
COLUMNS = {"rate": ["app", "seats"], "dropout": ["seats"]}
every_base = pytest.mark.parametrize("kind", BASES, ids=lambda kind: kind.__name__)


def truth(kind):
    return with_covariates(kind(), **COLUMNS, params=BASES[kind] | EFFECTS)


def sample(kind, customers=1500, seed=1):
    rng = np.random.default_rng(seed)
    known = pd.DataFrame(
        {"app": rng.integers(0, 2, customers), "seats": rng.normal(3, 2, customers)}
    )
    return truth(kind).simulate(60.0, known, horizon=20.0, seed=seed)


@every_base
def test_slopes_are_those_of_the_likelihood(kind):
    table = sample(kind, 300)
    model = with_covariates(kind(), **COLUMNS).fit(table, prior="weak")
    rows = model.learn_from(table)[0]
    point = 1.1 * model.to_theta(np.array(list(model.params.values())))
    value, gradient, hessian = model.working_likelihood(point, rows)
    assert value == pytest.approx(model.working_likelihood(point, rows, value_only=True), rel=1e-12)
    slopes, bends = [], []
    for step in 1e-5 * np.eye(len(point)):
        ends = point + step, point - step
        high, low = (model.working_likelihood(end, rows, value_only=True) for end in ends)
        slopes.append((high - low) / 2e-5)
        high, low = (model.working_likelihood(end, rows)[1] for end in ends)
        bends.append((high - low) / 2e-5)
    # central differences of a value near 1e3 keep about seven digits
    np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(hessian, bends, rtol=1e-5, atol=1e-5)


@every_base
def test_without_effects_the_likelihood_is_that_of_the_base(kind):
    table = sample(kind, 300)
    model = with_covariates(kind(), **COLUMNS).fit(table)
    rows = model.learn_from(table)[0]
    fitted = kind().fit(table)
    point = np.append(kind.to_theta(np.array(list(fitted.params.values()))), np.zeros(3))
    found = model.working_likelihood(point, rows, value_only=True)
    assert found == pytest.approx(fitted.log_likelihood, rel=1e-11)


@every_base
def test_known_effects_are_recovered_and_intervals_cover(kind):
    """30 samples of 300: 95 % intervals of seven parameters each, and no bias."""
    wanted = pd.Series(BASES[kind] | EFFECTS)
    inside, away = np.zeros(len(wanted)), []
    for seed in range(30):
        found = with_covariates(kind(), **COLUMNS).fit(sample(kind, 300, 50 + seed)).to_frame()
        inside += ((found["low"] <= wanted) & (wanted <= found["high"])).to_numpy()
        away.append((found["estimate"] - wanted) / found["standard_error"])
    # 23 or fewer of 30 happen once in 3,000 where the coverage is 95 %
    assert (inside >= 24).all(), inside
    effects = np.array(away)[:, 4:]
    # mean of 30 standardised errors beyond 4 / sqrt(30) = 0.73 once in 16,000
    assert (np.abs(effects.mean(axis=0)) < 0.73).all()


def test_two_groups_differ_as_much_as_the_covariate_says():
    """At one r and one dropout, the ratio of the groups' alphas is exp(effect)."""
    model = with_covariates(
        BetaGeo(), rate=["app"], params=BASES[BetaGeo] | {"rate:app": np.log(2)}
    )
    rows = pd.DataFrame({"frequency": 3, "recency": 20.0, "T": 30.0, "app": [0, 1]})
    plain = BetaGeo(BASES[BetaGeo])
    quick = BetaGeo(BASES[BetaGeo] | {"alpha": 4.0})
    for method, options in (
        ("expected_purchases", {"horizon": 25.0}),
        ("p_alive", {}),
        ("purchase_distribution", {"horizon": 25.0, "up_to": 5}),
        ("discounted_purchases", {"discount_rate": 0.1, "unit": "W"}),
    ):
        found = getattr(model, method)(rows, **options)
        for row, base in enumerate((plain, quick)):
            wanted = getattr(base, method)(rows, **options)
            np.testing.assert_allclose(found.iloc[row], wanted.iloc[row], rtol=1e-9)


@every_base
def test_the_unit_of_a_covariate_only_scales_its_effect(kind):
    table = sample(kind, 400)
    found = with_covariates(kind(), **COLUMNS).fit(table)
    moved = table.assign(seats=1000 * table["seats"] + 5e4)
    other = with_covariates(kind(), **COLUMNS).fit(moved)
    assert other.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-6)
    for name in ("rate:seats", "dropout:seats"):
        assert 1000 * other.params[name] == pytest.approx(found.params[name], rel=1e-3)
    np.testing.assert_allclose(other.p_alive(moved), found.p_alive(table), rtol=1e-4, atol=1e-6)


@every_base
def test_forecasts_and_expectations_are_one_model(kind):
    table = sample(kind, 800, seed=3)
    model = truth(kind)
    found = forecast(model, table, horizon=20.0, by=table["app"], draws=200)
    alive = model.p_alive(table)
    error = np.sqrt((alive * (1 - alive)).sum())
    assert abs(alive.sum() - table["alive"].sum()) < 4.5 * error
    came = table.groupby("app")["holdout_frequency"].sum()
    spread = (found.groups["high"] - found.groups["low"]) / 4
    # the interval spans four standard deviations of what is to come
    assert ((found.groups["expected"] - came).abs() < 4.5 * spread).all()


def test_more_parameters_are_judged_by_the_likelihood_ratio():
    table = sample(BetaGeo, 800)
    plain, full = BetaGeo().fit(table), with_covariates(BetaGeo(), **COLUMNS).fit(table)
    test = likelihood_ratio(plain, full)
    assert test.freedom == 3
    assert test.statistic == pytest.approx(2 * (full.log_likelihood - plain.log_likelihood))
    assert test.p < 1e-6
    for smaller, larger in ((full, plain), (ParetoNBD().fit(table), full)):
        with pytest.raises(cx.CxError, match="not a special case"):
            likelihood_ratio(smaller, larger)


def test_a_covariate_without_effect_is_found_significant_as_often_as_promised():
    """p of 60 samples in which luck changes nothing: uniform."""
    model, luck = with_covariates(BetaGeo(), rate=["luck"]), np.arange(200) % 7
    p = []
    for seed in range(60):
        table = BetaGeo(BASES[BetaGeo]).simulate(60.0, customers=200, seed=seed).assign(luck=luck)
        p.append(likelihood_ratio(BetaGeo().fit(table), model.fit(table)).p)
    # Kolmogorov's distance of 60 uniform numbers exceeds 0.25 once in 1,000
    assert kstest(p, "uniform").statistic < 0.25


def test_a_posterior_with_covariates():
    table = sample(BetaGeo, 400)
    found = posterior(with_covariates(BetaGeo(), **COLUMNS), table, draws=800)
    assert found.sound
    row = found.to_frame(0.99).loc["rate:app"]
    assert row["low"] < EFFECTS["rate:app"] < row["high"]
    assert len(forecast(found.model, table, horizon=5.0, draws=100).customers) == 400


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"app": 1}, "same for all customers: rate:app"),
        ({"app": np.nan}, "covariate app must hold finite numbers: 300 of 300"),
        ({"app": "yes"}, "column app must hold numbers"),
        ({"app": lambda t: 2 * t["seats"] + 1}, "repeat each other"),
        ({"app": None}, "app are no columns of the summary"),
    ],
)
def test_bad_covariates_are_named(change, words):
    table = sample(BetaGeo, 300)
    table = table.drop(columns="app") if change["app"] is None else table.assign(**change)
    with pytest.raises(cx.CxError, match=words):
        with_covariates(BetaGeo(), **COLUMNS).fit(table)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: with_covariates(BetaGeo()), "at least one covariate"),
        (lambda: with_covariates(BetaGeo(), rate="app"), "a list of different columns"),
        (lambda: with_covariates(BetaGeoBetaBinom(), rate=["app"]), "not in BetaGeoBetaBinom"),
        (lambda: with_covariates(BetaGeo(), rate=["app"], params={"r": 1}), "Allowed: r, alpha"),
    ],
)
def test_bad_requests_are_named(call, words):
    with pytest.raises(cx.CxError, match=words):
        call()
