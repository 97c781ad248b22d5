"""What users of other programs report as failing, each as a test; the reports stand in docstrings.

Short names: lifetimes is github.com/CamDavidsonPilon/lifetimes, CLVTools is
github.com/bachmannpatrick/CLVTools, pymc-marketing is github.com/pymc-labs/pymc-marketing.
"""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import beta, hyp2f1

import cxlib as cx
from cxlib.clv import (
    BetaGeo,
    GammaGamma,
    ModifiedBetaGeo,
    ParetoNBD,
    RegularBetaGeo,
    expected_value,
    posterior,
    with_covariates,
)
from cxlib.clv.beta_geo_future import integral_if_active

OVERFLOWING = {"r": 0.10, "alpha": 50.16, "a": 0.40, "b": 0.81}
COVARIATES = with_covariates(BetaGeo(), rate=["app"])
every_model = pytest.mark.parametrize(
    "model",
    [BetaGeo(), ModifiedBetaGeo(), ParetoNBD(), RegularBetaGeo(k=2), COVARIATES],
    ids=lambda model: model.label,
)


def histories(*rows):
    frame = pd.DataFrame(rows, columns=["frequency", "recency", "T"])
    return frame.assign(log_gaps=0.0, app=np.arange(len(frame)) % 2)


def test_days_of_years_with_heavy_buyers_converge_without_a_penalty():
    """lifetimes 258 and 262: no convergence, on daily data with large frequencies."""
    sample = BetaGeo(OVERFLOWING | {"alpha": 2.0}).simulate(1000.0, customers=4000, seed=1)
    assert sample["frequency"].max() > 300
    with np.errstate(over="raise", invalid="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        found = BetaGeo().fit(sample)
    assert not found.at_boundary
    assert np.isfinite(found.standard_errors).all()
    for name, value in (OVERFLOWING | {"alpha": 2.0}).items():
        assert abs(found.params[name] - value) < 4 * found.standard_errors[name]


def test_a_newcomer_expects_a_number_where_the_series_is_negative():
    """lifetimes 302 and 442: missing values for frequency 0 where a + b < 1: a negative series."""
    params = {"r": 0.11, "alpha": 2.24, "a": 0.31, "b": 0.50}
    found = BetaGeo(params).expected_purchases(histories((0, 0.0, 1.0)), 30.0).item()
    row = [np.array([v]) for v in (0.0, 1.0, 30.0)]
    assert found == pytest.approx(integral_if_active(params, *row).item(), rel=1e-8)
    assert 0 < found < 30


@pytest.mark.parametrize("whole", [0.3, 0.999, 1.0, 1.001, 1.5])
def test_one_time_buyers_of_years_ago_expect_a_number_at_every_sum_of_a_and_b(whole):
    """lifetimes 442: missing values for frequency and recency 0, T 1257 to 1287, a + b <= 1."""
    model = BetaGeo({"r": 0.2, "alpha": 30.0, "a": 0.4 * whole, "b": 0.6 * whole})
    rows = histories(*[(0, 0.0, T) for T in (1257.0, 1270.0, 1287.0)])
    with np.errstate(invalid="raise", over="raise"):
        ahead = model.expected_purchases(rows, 365.0)
    assert (ahead > 0).all()
    assert ahead.is_monotonic_decreasing
    near = BetaGeo({**model.params, "a": model.params["a"] * 1.0001})
    assert near.expected_purchases(rows, 365.0).to_numpy() == pytest.approx(ahead, rel=1e-3)


def test_probabilities_of_many_purchases_long_ago_do_not_overflow():
    """lifetimes 332: overflow in P(alive) over the map of frequency and recency."""
    x, t_x = (v.ravel() for v in np.meshgrid(np.arange(1.0, 1200, 60), np.arange(1.0, 3650, 90)))
    grid = pd.DataFrame({"frequency": x, "recency": t_x, "T": 3650.0})
    with np.errstate(over="raise", invalid="raise"):
        alive = BetaGeo(OVERFLOWING).p_alive(grid)
    assert alive.between(0, 1).all()


def test_expectations_of_mbg_nbd_are_numbers_where_its_series_overflows():
    """lifetimes 374: predictions of MBG/NBD are infinite."""
    params = {"r": 0.5, "alpha": 2.0, "a": 0.4, "b": 0.8}
    x, T, horizon = np.array([0.0, 1.0, 40.0, 600.0]), 700.0, 3650.0
    rows = histories(*[(n, min(n, 1) * (T - 5), T) for n in x])
    reach = horizon / (params["alpha"] + T + horizon)
    r, a, b = (params[name] for name in ("r", "a", "b"))
    assert np.isinf(hyp2f1(r + x, b + x + 1, a + b + x, reach)).any()
    with np.errstate(over="raise", invalid="raise"):
        ahead = ModifiedBetaGeo(params).expected_purchases(rows, horizon)
    alive = ModifiedBetaGeo(params).p_alive(rows)

    def not_yet_left(p, n):
        """Purchases until leaving with probability p after each, of a customer active at T."""
        share = horizon / (params["alpha"] + T)
        return -np.expm1(-(r + n) * np.log1p(p * share)) / p if p else (r + n) * share

    for n, found, active in zip(x, ahead, alive, strict=True):
        mean = quad(not_yet_left, 0, 1, (n,), weight="alg", wvar=(a - 1, b + n), limit=400)[0]
        assert found == pytest.approx(active * mean / beta(a, b + n + 1), rel=1e-7)


@pytest.mark.parametrize("scale", [7.0, 168.0, 604_800.0], ids=["days", "hours", "seconds"])
def test_large_values_are_fitted_as_well_as_small_ones(scale):
    """lifetimes 396: no convergence on a table of large values but with a coarse tolerance."""
    weeks = BetaGeo(OVERFLOWING | {"alpha": 2.0}).simulate(150.0, customers=2000, seed=3)
    larger = weeks.assign(recency=scale * weeks["recency"], T=scale * weeks["T"])
    found, wanted = BetaGeo().fit(larger), BetaGeo().fit(weeks)
    assert not found.at_boundary
    times = pd.Series(1.0, wanted.names).where(lambda row: row.index != "alpha", scale)
    for value in ("params", "standard_errors"):
        pairs = (pd.Series(dict(getattr(model, value))) for model in (found, wanted))
        np.testing.assert_allclose(next(pairs), next(pairs) * times, rtol=1e-5)


def test_daily_buyers_of_whom_most_came_in_the_first_days_are_fitted_without_a_penalty():
    """lifetimes 405: no convergence: 177 days with a purchase of 452 on average, up to all 501."""
    rng, size = np.random.default_rng(1), 3000
    T = np.where(rng.random(size) < 2 / 3, rng.integers(497, 502, size), rng.integers(2, 497, size))
    daily = np.where(rng.random(size) < 0.02, 1.0, rng.beta(0.8, 1.1, size))
    stay = np.minimum(T, rng.exponential(1500, size))
    day = np.arange(1, 502)
    bought = (rng.random((size, 501)) < daily[:, None]) & (day <= stay[:, None])
    table = histories(*zip(bought.sum(axis=1), (bought * day).max(axis=1), T, strict=True))
    assert table["frequency"].max() == 501
    with np.errstate(over="raise", invalid="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        found = BetaGeo().fit(table)
    assert np.isfinite(found.standard_errors).all()
    rows = found.learn_from(table)[0]
    theta = found.to_theta(np.array(list(found.params.values())))
    _, gradient, hessian = found.working_likelihood(theta, rows)
    # twice what the likelihood could still gain
    assert gradient @ np.linalg.solve(-hessian, gradient) < 1e-6


def test_one_time_buyers_fade_in_every_model_but_bg_nbd():
    """lifetimes 409: P(alive) of one-time buyers is 1 at any time."""
    params = {"r": 0.55, "alpha": 10.6, "s": 0.61, "beta": 11.7, "a": 0.79, "b": 2.43}
    silent = histories(*[(0, 0.0, T) for T in (1.0, 10.0, 100.0, 300.0)])
    again = silent.assign(frequency=1, recency=0.5)
    for kind in (BetaGeo, ModifiedBetaGeo, ParetoNBD):
        model = kind({name: params[name] for name in kind.names})
        once, twice = model.p_alive(silent), model.p_alive(again)
        assert twice.is_monotonic_decreasing
        assert twice.iloc[-1] < 0.5
        if kind is BetaGeo:  # in its story nobody leaves before the second purchase
            assert (once == 1).all()
        else:
            assert (once.diff().dropna() < 0).all()
            assert once.iloc[-1] < 0.7


@pytest.mark.parametrize("kind", [ParetoNBD, BetaGeo, ModifiedBetaGeo])
def test_two_hundred_purchases_keep_a_probability(kind):
    """CLVTools 100: P(alive) not a number for these customers."""
    rows = histories((221, 103.42857, 103.57143), (161, 94.71429, 98.0), (204, 98.57143, 99.42857))
    params = {"r": 0.55, "alpha": 10.6, "s": 0.61, "beta": 11.7, "a": 0.79, "b": 2.43}
    model = kind({name: params[name] for name in kind.names})
    alive, ahead = model.p_alive(rows), model.expected_purchases(rows, 520.0)
    assert alive.between(0, 1).all()
    # silent for 0.1, 0.9 and 3.3 weeks after a purchase every half week
    assert alive.iloc[0] > alive.iloc[2] > alive.iloc[1]
    assert np.isfinite(ahead).all()
    assert np.isfinite(model.discounted_purchases(rows, 0.1, unit="W")).all()


@every_model
def test_a_last_purchase_after_the_end_is_named(model):
    """CLVTools 100, its second example: recency 97.43 and T 97.29."""
    with pytest.raises(cx.CxError, match="recency must not exceed T: 1 of 2"):
        model.fit(histories((254, 97.42857, 97.28571), (161, 94.71429, 98.0)))


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
def test_a_base_in_which_nearly_everybody_came_back_is_estimated():
    """CLVTools 112: no coefficients for three years of days, 1 % without a repeat, large spends."""
    truth = ParetoNBD({"r": 3.0, "alpha": 500.0, "s": 0.6, "beta": 600.0})
    sample = truth.simulate(1095.0, customers=1500, seed=1)
    model = ParetoNBD().fit(sample)
    assert np.isfinite(model.standard_errors).all()
    assert np.isfinite(list(model.params.values())).all()
    rng, x = np.random.default_rng(1), sample["frequency"].to_numpy()
    mean = rng.gamma(3.0, 130_000, len(x)) * rng.gamma(np.maximum(x, 1)) / np.maximum(x, 1)
    spend = GammaGamma().fit(sample.assign(monetary=np.where(x > 0, mean, 0.0)))
    assert 2e5 < spend.population_mean < 8e5


def test_one_rate_of_leaving_for_all_is_a_flag_and_the_value_stays_finite():
    """CLVTools 132: s 64, beta 7,721, no Hessian, infinite discounted transactions."""
    sample = ParetoNBD({"r": 0.53, "alpha": 38.0, "s": 64.3, "beta": 7721.5}).simulate(
        145.0, customers=1500, seed=2
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.CxWarning)
        model = ParetoNBD().fit(sample)
    assert model.at_boundary == bool(model.boundary_note)
    assert np.isfinite(model.covariance.to_numpy()).all()
    table = sample.assign(monetary=np.where(sample["frequency"] > 0, 20.0, 0.0))
    spend = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44})
    values = expected_value(model, spend, table, discount_rate=0.1, unit="W")
    assert np.isfinite(values).all()
    assert (values > 0).all()


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
@every_model
def test_no_fit_ends_without_coefficients(model):
    """CLVTools 176: coefficients not available in all models; which data is not known.

    So: small and odd tables, from one time for all to heavy tails of counts.
    """
    rng = np.random.default_rng(5)
    for size in (4, 9, 30, 80):
        for T in (
            np.full(size, 3.0),
            rng.exponential(100, size) + 1,
            10 ** rng.uniform(0, 4, size),
        ):
            frequency = np.where(rng.random(size) < 0.5, 0, rng.zipf(1.6, size).clip(max=3000))
            frequency[0] = 1
            recency = np.where(frequency > 0, rng.uniform(0.1, 1, size) * T, 0)
            table = histories(*zip(frequency, recency, T, strict=True))
            found = model.fit(table)
            assert np.isfinite(list(found.params.values())).all()
            known = np.isfinite(found.covariance).all().all()
            assert known or "standard errors cannot be given" in found.boundary_note
            assert found.p_alive(table).between(0, 1).all()


@every_model
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (histories(*[(0, 0.0, 9.0)] * 6), "All 6 customers are one-time buyers"),
        (histories((2, 3.0, 9.0), (0, 0.0, 9.0)), "2 customers cannot teach"),
        (histories((np.nan, 2.0, 9.0), (1, 1.0, 9.0)), "must be finite numbers: 1 of 2"),
        (histories((1, np.nan, 9.0), (1, 1.0, 9.0)), "must be finite numbers: 1 of 2"),
        (histories((-1, 0.0, 9.0), (1, 1.0, 9.0)), "whole number >= 0: 1 of 2"),
        (histories((1, 1.0, 9.0), (0, 0.0, 9.0)).assign(n=0), "cannot teach"),
    ],
    ids=["one-time buyers", "few", "NaN frequency", "NaN recency", "negative", "counted 0 times"],
)
def test_tables_nobody_can_learn_from_are_named(model, rows, words):
    with pytest.raises(cx.CxError, match=words):
        model.fit(rows)


@every_model
def test_newcomers_of_the_last_day_and_rows_counted_zero_times_change_nothing(model):
    truth = ModifiedBetaGeo({"r": 0.7, "alpha": 5.0, "a": 0.9, "b": 2.5})
    sample = truth.simulate(40.0, customers=300, seed=4).assign(app=np.arange(300) % 2, n=1)
    more = histories((0, 0.0, 0.0), (0, 0.0, 0.0), (9, 8.0, 9.0)).assign(n=[1, 1, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.CxWarning)
        found = model.fit(pd.concat([sample, more], ignore_index=True))
    assert found.customers == 302
    ahead = found.expected_purchases(histories((0, 0.0, 0.0), (600, 3000.0, 3650.0)), 3650.0)
    assert np.isfinite(ahead).all()
    assert (ahead >= 0).all()


def test_a_handful_of_customers_has_a_posterior_where_the_likelihood_has_no_peak():
    rows = histories((1, 3.0, 9.0), (2, 8.0, 9.0), (0, 0.0, 9.0), (3, 8.5, 9.0), (0, 0.0, 4.0))
    with pytest.warns(cx.CxWarning, match="boundary"):
        assert BetaGeo().fit(rows).at_boundary
    found = posterior(BetaGeo(), rows, draws=4000)
    assert found.sound
    assert (found.draws > 0).all().all()


def test_spend_that_grows_with_frequency_is_told_and_negative_spend_refused():
    rng = np.random.default_rng(1)
    x = rng.integers(1, 12, 400)
    rising = pd.DataFrame({"frequency": x, "monetary": rng.gamma(4.0, 2.0, 400) * x})
    with pytest.warns(cx.CxWarning, match="values of frequent buyers are biased"):
        assert GammaGamma().fit(rising).independence.doubtful
    with pytest.raises(cx.CxError, match="Returns must be netted"):
        GammaGamma().fit(rising.assign(monetary=rising["monetary"] - 30))
    free = rising.assign(monetary=np.where(x > 10, 0.0, 20 * rng.gamma(4.0, 0.25, 400)))
    with pytest.warns(cx.CxWarning, match="paid nothing"):
        assert GammaGamma().fit(free).left_out == (x > 10).sum()


def test_ten_years_of_value_of_many_customers_need_little_memory():
    """pymc-marketing 1077: values to ten horizons, 1 to 10 years, bring a cluster down."""
    rng, size = np.random.default_rng(1), 100_000
    T = rng.integers(1, 521, size)
    table = BetaGeo(OVERFLOWING).simulate(T, seed=1).assign(monetary=20.0)
    table["recency"] = np.ceil(table["recency"])
    spend, model = GammaGamma({"p": 6.25, "q": 3.74, "gamma": 15.44}), BetaGeo(OVERFLOWING)
    tracemalloc.start()
    totals = [
        expected_value(model, spend, table, horizon=52 * y, discount_rate=0.1, unit="W").sum()
        for y in range(1, 11)
    ]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 60 numbers a customer; 1,000 draws of each would be 800 MB
    assert peak < 48e6
    assert (np.diff(totals) > 0).all()
    assert (np.diff(totals, 2) < 0).all()
