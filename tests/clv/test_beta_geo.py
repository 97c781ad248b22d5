import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifetimes import BetaGeoFitter
from scipy.special import betaln, gammaln, hyp2f1

import cxlib as cx
from cxlib.clv import BetaGeo
from cxlib.clv.beta_geo_future import integral_if_active, purchases_if_active

NAMES = ["r", "alpha", "a", "b"]
FEW = settings(deadline=None, max_examples=15)
KNOWN = BetaGeo({"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5})


def histories(*rows):
    return pd.DataFrame(rows, columns=["frequency", "recency", "T"])


def plain_log_likelihood(params, summary):
    """Equation (6) of the paper, term by term, for the comparison with numerical derivatives."""
    r, alpha, a, b = params
    x, t_x, T = (summary[c].to_numpy(float) for c in ("frequency", "recency", "T"))
    common = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    alive = betaln(a, b + x) - (r + x) * np.log(alpha + T)
    more = np.maximum(x, 1)
    left = betaln(a + 1, b + more - 1) - (r + x) * np.log(alpha + t_x)
    return np.sum(common + np.where(x > 0, np.logaddexp(alive, left), alive))


def numerical_hessian(function, point, step=1e-3):
    size = step * point
    hessian = np.empty((len(point), len(point)))
    for i, ei in enumerate(np.diag(size)):
        for j, ej in enumerate(np.diag(size)):
            corners = [function(point + s * ei + t * ej) for s in (1, -1) for t in (1, -1)]
            hessian[i, j] = (corners[0] - corners[1] - corners[2] + corners[3]) / (
                4 * size[i] * size[j]
            )
    return hessian


@pytest.mark.parametrize("version", ["cdnow_exact_weeks", "cdnow_two_decimals"])
def test_cdnow_fit_is_the_published_one(version, summary, two_decimals, published):
    wanted = published["beta_geo"][version]
    model = BetaGeo().fit(summary if version == "cdnow_exact_weeks" else two_decimals)
    digits = 3 if version == "cdnow_exact_weeks" else 5
    for name in NAMES:
        assert model.params[name] == pytest.approx(wanted[name], abs=0.51 * 10**-digits)
    assert model.log_likelihood == pytest.approx(wanted["log_likelihood"], abs=5e-5)
    assert not model.at_boundary
    assert model.customers == 2357
    for name, error in wanted.get("standard_errors", {}).items():
        assert model.standard_errors[name] == pytest.approx(error, rel=0.005)


def test_published_customers(model, published):
    for case in published["beta_geo"]["customers"]["expected_purchases"]:
        one = histories((case["frequency"], case["recency"], case["T"]))
        found = model.expected_purchases(one, case["horizon"]).item()
        assert found == pytest.approx(case["value"], abs=0.51 * 10 ** -case["digits"])
    for case in published["beta_geo"]["customers"]["p_alive"]:
        one = histories((case["frequency"], case["recency"], case["T"]))
        assert model.p_alive(one).item() == pytest.approx(case["value"], abs=5.1e-5)


def test_covariance_is_the_inverse_of_a_numerical_hessian(model, summary):
    point = np.array(list(model.params.values()))
    wanted = np.linalg.inv(-numerical_hessian(lambda p: plain_log_likelihood(p, summary), point))
    assert list(model.covariance.index) == list(model.covariance.columns) == NAMES
    # central differences of step 1e-3 are good to about 1e-4 relative
    np.testing.assert_allclose(model.covariance, wanted, rtol=2e-3, atol=1e-8)


def test_lifetimes_agrees_except_for_the_covariance_off_the_diagonal(model, summary):
    x, t_x, T = (summary[c] for c in ("frequency", "recency", "T"))
    peer = BetaGeoFitter().fit(x, t_x, T)
    for name in NAMES:
        # lifetimes stops at a gradient tolerance of 1e-7 of the mean log-likelihood
        assert peer.params_[name] == pytest.approx(model.params[name], rel=2e-3)
    ours = BetaGeo(dict(peer.params_))
    np.testing.assert_allclose(
        ours.expected_purchases(summary, 39),
        peer.conditional_expected_number_of_purchases_up_to_time(39, x, t_x, T),
        rtol=1e-8,
    )
    np.testing.assert_allclose(
        ours.p_alive(summary), peer.conditional_probability_alive(x, t_x, T), rtol=1e-8
    )
    theirs = peer.variance_matrix_.to_numpy()
    np.testing.assert_allclose(np.diag(theirs), np.diag(model.covariance), rtol=0.02)
    assert abs(theirs[0, 2] / model.covariance.iloc[0, 2] - 1) > 0.05


def peer_of(params):
    peer = BetaGeoFitter()
    peer.params_, peer.predict = pd.Series(params), None
    return peer.conditional_expected_number_of_purchases_up_to_time


@pytest.mark.parametrize(
    ("params", "row"),
    [
        ({"r": 1.18, "alpha": 4.475, "a": 0.27, "b": 0.057}, (0, 0.0, 2.8)),
        ({"r": 0.757, "alpha": 125.25, "a": 0.472, "b": 0.182}, (0, 0.0, 1454.7)),
        ({"r": 0.234, "alpha": 27.617, "a": 1.0, "b": 0.113}, (600, 280.0, 284.9)),
    ],
    ids=["a+b < 1", "a+b < 1, long", "a = 1"],
)
def test_finite_where_lifetimes_is_not(params, row):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.isnan(peer_of(params)(3650, *row))
    assert 0 < BetaGeo(params).expected_purchases(histories(row), 3650).item() < 3650


@pytest.mark.parametrize("T", [365.0, 650.0, 3650.0])
def test_six_hundred_purchases_and_ten_years_of_days(T):
    params = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
    r, alpha, a, b = params.values()
    row, t = (600, T - 5, T), 3650.0
    with np.errstate(all="ignore"):
        raw = hyp2f1(r + 600, b + 600, a + b + 599, t / (alpha + T + t))
    if T < 600:
        assert not np.isfinite(raw)
    found = BetaGeo(params).expected_purchases(histories(row), t).item()
    # lifetimes swaps the form when the raw one overflows
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert found == pytest.approx(peer_of(params)(t, *row), rel=1e-7)


@FEW
@given(
    r=st.floats(0.05, 20),
    alpha=st.floats(0.2, 300),
    a=st.floats(0.02, 60).filter(lambda a: abs(a - 1) > 0.01),
    b=st.floats(0.02, 35),
    x=st.sampled_from([0, 1, 4, 30, 600]),
    T=st.floats(1, 3650),
    horizon=st.floats(1, 3650),
)
def test_series_and_integral_agree(r, alpha, a, b, x, T, horizon):
    params = {"r": r, "alpha": alpha, "a": a, "b": b}
    rows = [np.array([float(v)]) for v in (x, T, horizon)]
    # two independent computations of one expectation
    np.testing.assert_allclose(
        purchases_if_active(params, *rows), integral_if_active(params, *rows), rtol=2e-8
    )


@pytest.mark.parametrize(
    "params",
    [
        {"r": 0.24, "alpha": 4.4, "a": 1.0, "b": 2.4},
        {"r": 0.24, "alpha": 4.4, "a": 1.0 + 1e-9, "b": 2.4},
        {"r": 0.24, "alpha": 4.4, "a": 0.3, "b": 0.7},
        {"r": 0.24, "alpha": 4.4, "a": 0.2, "b": 0.1},
        {"r": 0.24, "alpha": 4.4, "a": 2500.0, "b": 7500.0},
        {"r": 9000.0, "alpha": 9e4, "a": 0.8, "b": 2.4},
    ],
    ids=["a=1", "a near 1", "a+b=1", "a+b<1", "no spread in dropout", "no spread in rate"],
)
def test_expectation_agrees_with_simulation_in_awkward_places(params):
    model = BetaGeo(params)
    rows = histories((0, 0.0, 10.0), (3, 8.0, 10.0))
    rng = np.random.default_rng(5)
    draws = 40_000
    counts = np.zeros(2 * draws)
    x, t_x, T = (rows[c].to_numpy(float)[:, None] for c in rows)
    for cells, _ in model.draw_future(model.draw_parameters(draws, rng), x, t_x, T, 20.0, rng):
        counts[cells] += 1
    counts = counts.reshape(2, draws)
    error = counts.std(axis=1) / np.sqrt(draws)
    found = model.expected_purchases(rows, 20.0).to_numpy()
    # a right expectation misses 4.5 standard errors once in 150,000
    assert (np.abs(found - counts.mean(axis=1)) < 4.5 * error).all()


def test_expectation_is_continuous_across_the_places_where_the_method_changes():
    rows = histories((0, 0.0, 10.0), (3, 8.0, 10.0))
    for a, b in [(1.002, 2.0), (0.998, 2.0), (0.3, 0.702), (0.3, 0.698), (40.0, 60.0)]:
        near = [
            BetaGeo({"r": 0.5, "alpha": 4.0, "a": a * s, "b": b * s}).expected_purchases(rows, 20)
            for s in (1 - 1e-7, 1 + 1e-7)
        ]
        np.testing.assert_allclose(near[0], near[1], rtol=1e-6)


@FEW
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.floats(0.01, 0.99), st.floats(0.5, 300)),
        min_size=1,
        max_size=20,
    ),
    st.floats(0, 200),
)
def test_probabilities_and_monotone_expectations(rows, horizon):
    table = histories(*[(x, share * T if x else 0.0, T) for x, share, T in rows])
    alive = KNOWN.p_alive(table)
    assert alive.between(0, 1).all()
    assert (alive[table["frequency"] == 0] == 1).all()
    now, later = (KNOWN.expected_purchases(table, h) for h in (horizon, horizon + 1))
    assert (now >= 0).all()
    assert (later >= now).all()
    assert np.isfinite(later).all()


def test_nothing_is_expected_in_no_time(summary, model):
    assert (model.expected_purchases(summary, 0.0).abs() < 1e-12).all()


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
@FEW
@given(st.integers(0, 1000))
def test_row_order_and_collapsing_change_nothing(seed):
    sample = KNOWN.simulate(20.0, customers=300, seed=seed)[["frequency", "recency", "T"]].round(0)
    sample = sample.where(sample["frequency"] > 0, sample.assign(recency=0.0))
    sample = sample[(sample["frequency"] == 0) | (sample["recency"] > 0)]
    wanted = BetaGeo().fit(sample)
    shuffled = BetaGeo().fit(sample.sample(frac=1, random_state=seed))
    keys = ["frequency", "recency", "T"]
    collapsed = BetaGeo().fit(sample.groupby(keys).size().rename("n").reset_index())
    assert dict(shuffled.params) == dict(wanted.params) == dict(collapsed.params)
    assert shuffled.log_likelihood == wanted.log_likelihood == collapsed.log_likelihood
    assert collapsed.customers == len(sample)


def test_rows_counted_zero_times_do_not_count(summary, model):
    extra = pd.DataFrame({"frequency": [99], "recency": [1.0], "T": [2.0], "n": [0]})
    counted = pd.concat([summary.assign(n=1), extra])
    assert BetaGeo().fit(counted).params["r"] == pytest.approx(model.params["r"], rel=1e-6)


@pytest.mark.parametrize("factor", [7.0, 1 / 52])
def test_the_unit_of_time_only_scales_alpha(summary, model, factor):
    scaled = summary.assign(recency=summary["recency"] * factor, T=summary["T"] * factor)
    found = BetaGeo().fit(scaled)
    for name in NAMES:
        scale = factor if name == "alpha" else 1
        assert found.params[name] == pytest.approx(model.params[name] * scale, rel=1e-5)
    np.testing.assert_allclose(
        found.expected_purchases(scaled, 39 * factor),
        model.expected_purchases(summary, 39),
        rtol=1e-4,
    )


def test_simulation_recovers_its_parameters():
    truth = {"r": 0.6, "alpha": 5.0, "a": 0.9, "b": 2.2}
    sample = BetaGeo(truth).simulate(np.linspace(30, 60, 12_000), seed=2)
    found = BetaGeo().fit(sample)
    for name in NAMES:
        # true parameters lie beyond 4 standard errors once in 16,000
        assert abs(found.params[name] - truth[name]) < 4 * found.standard_errors[name]
    assert (found.standard_errors / pd.Series(truth)).max() < 0.1


def test_simulated_customers_are_consistent():
    sample = KNOWN.simulate(30.0, customers=4000, horizon=10.0, seed=4)
    assert (sample.loc[~sample["alive"], "holdout_frequency"] == 0).all()
    assert ((sample["recency"] > 0) == (sample["frequency"] > 0)).all()
    alive = KNOWN.p_alive(sample)
    # calibration of P(alive): mean within 4.5 binomial errors
    error = np.sqrt((alive * (1 - alive)).sum())
    assert abs(alive.sum() - sample["alive"].sum()) < 4.5 * error
    again = KNOWN.simulate(30.0, customers=4000, horizon=10.0, seed=4)
    pd.testing.assert_frame_equal(sample, again)


def test_drawn_parameters_have_the_covariance_of_the_fit(model):
    drawn = pd.DataFrame(model.draw_parameters(40_000, np.random.default_rng(0)))
    small = drawn.mean() - pd.Series(model.params)
    # the draws are normal on another scale: equal only to first order
    assert (small.abs() < 0.4 * model.standard_errors).all()
    errors = model.standard_errors.to_numpy()
    wanted = model.covariance.to_numpy() / np.outer(errors, errors)
    np.testing.assert_allclose(drawn.corr(), wanted, atol=0.1)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            histories((0, 0.0, 9.0), (0, 0.0, 8.0), (0, 0.0, 7.0), (0, 0.0, 6.0)),
            ["All 4 customers are one-time buyers"],
        ),
        (histories((2, 3.0, 9.0)), ["1 customer cannot teach"]),
        (histories(), ["no rows"]),
        (histories((1, 9.5, 9.0), (1, 3.0, 9.0)), ["recency must not exceed T: 1 of 2"]),
        (histories((1.5, 2.0, 9.0), (-1, 0, 9.0)), ["whole number >= 0: 2 of 2"]),
        (histories((np.nan, 2.0, 9.0), (1, 1.0, 9.0)), ["must be finite numbers: 1 of 2"]),
        (
            histories((0, 2.0, 9.0), (1, 0.0, 9.0)),
            ["0 where frequency is 0", "> 0 where frequency"],
        ),
        (histories((1, 2.0, 9.0)).rename(columns={"T": "t"}), ["column T is missing"]),
        (histories((1, 2.0, 9.0)).assign(n=[-1]), ["n must be a whole number >= 0"]),
        (histories(("two", 2.0, 9.0)), ["frequency must hold numbers", "'two'"]),
    ],
)
def test_bad_summaries_are_named(rows, words):
    with pytest.raises(cx.CxError) as caught:
        BetaGeo().fit(rows)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: BetaGeo().p_alive(histories((1, 2.0, 9.0))), "fit returns the fitted model"),
        (lambda: BetaGeo({"r": 1.0}), "r, alpha, a, b"),
        (lambda: BetaGeo({"r": -1.0, "alpha": 1, "a": 1, "b": 1}), "parameter r = -1.0"),
        (lambda: KNOWN.standard_errors, "given, not fitted"),
        (lambda: KNOWN.expected_purchases(histories((1, 2.0, 9.0)), -1), "horizon must be"),
        (lambda: KNOWN.simulate([[1.0]]), "T must hold finite times"),
    ],
)
def test_bad_requests_are_named(call, words):
    with pytest.raises(cx.CxError, match=words):
        call()


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        ({"r": 0.8, "alpha": 5.0, "a": 1e-6, "b": 5.0}, "no customer leaving"),
        ({"r": 0.8, "alpha": 5.0, "a": 6000.0, "b": 18000.0}, "the same probability"),
        ({"r": 4000.0, "alpha": 20000.0, "a": 0.5, "b": 2.0}, "the same rate"),
    ],
)
def test_a_parameter_at_its_bound_is_flagged(truth, words):
    # Seeds are those for which the estimate runs to the bound; about half of all samples do.
    for seed in range(8):
        sample = BetaGeo(truth).simulate(30.0, customers=600, seed=seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = BetaGeo().fit(sample)
        if words in model.boundary_note:
            break
    else:
        pytest.fail(f"no sample of eight ran to the bound: {model.boundary_note}")
    assert model.at_boundary
    assert any(words in str(w.message) for w in caught)
    assert words in model.summary()
    assert np.isfinite(model.covariance.to_numpy()).all()
    assert np.isfinite(model.expected_purchases(sample, 50)).all()


def test_summary_and_frame_name_the_uncertainty(model):
    assert "standard error 0.013" in model.summary()
    frame = model.to_frame()
    assert list(frame.index) == NAMES
    assert ((frame["low"] < frame["estimate"]) & (frame["estimate"] < frame["high"])).all()
    with pytest.raises(AttributeError):
        model.log_likelihood = 0.0
