"""MBG/CNBD-k: MBG/NBD at k = 1, derivatives, recovery, expectations against simulation."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.clv import ModifiedBetaGeo, RegularBetaGeo, compare_models, forecast, log_gaps
from cxlib.clv.histories import collapse

TRUTH = {"r": 1.5, "alpha": 3.0, "a": 0.7, "b": 2.5}
SPLIT = "1997-09-30"


def known(k):
    return RegularBetaGeo(TRUTH, k=k)


@pytest.fixture(scope="module", params=[2, 4])
def sample(request):
    k = request.param
    return k, known(k).simulate(40.0, customers=2500, horizon=20.0, seed=k)


@pytest.mark.parametrize(
    "params", [TRUTH, {"r": 0.24, "alpha": 4.4, "a": 0.79, "b": 2.4}], ids=["regular", "cdnow"]
)
def test_at_one_it_is_mbg_nbd(params):
    rows = pd.DataFrame(
        {
            "frequency": [0, 600, 0, 3, 40, 0],
            "recency": [0, 3649.0, 0.0, 5.0, 30.0, 0.0],
            "T": [0, 3650.0, 3650.0, 6.0, 35.0, 20.0],
        }
    )
    one, wanted = RegularBetaGeo(params, k=1), ModifiedBetaGeo(params)
    np.testing.assert_allclose(one.p_alive(rows), wanted.p_alive(rows), rtol=1e-12)
    for horizon in (3.0, 50.0, 3650.0):
        found = one.expected_purchases(rows, horizon)
        # sums over purchases against the closed form
        np.testing.assert_allclose(found, wanted.expected_purchases(rows, horizon), rtol=1e-7)
    np.testing.assert_allclose(
        one.purchase_distribution(rows, 50.0), wanted.purchase_distribution(rows, 50.0), atol=1e-12
    )
    found, plain = (m.discounted_purchases(rows, 0.1, unit="W") for m in (one, wanted))
    np.testing.assert_allclose(found, plain, rtol=1e-7)


def test_cdnow_buys_at_random(summary, purchases):
    gaps = log_gaps(purchases, until=SPLIT)
    found = RegularBetaGeo().fit(summary.assign(log_gaps=gaps))
    plain = ModifiedBetaGeo().fit(summary)
    assert found.k == 1
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
    assert dict(found.params) == pytest.approx(dict(plain.params), rel=1e-5)
    assert list(found.profile.index) == [1, 2, 3]
    assert found.profile["log_likelihood"].is_monotonic_decreasing
    table = compare_models(plain, found)
    assert table.loc["MBG/CNBD-1", "parameters"] == 5
    assert table.index[0] == "MBG/NBD"


def test_slopes_are_those_of_the_likelihood(sample):
    k, table = sample
    model = known(k)
    rows = collapse(*model.read(table.head(400)))
    point = 1.2 * np.array(list(TRUTH.values()))
    value, gradient, hessian = model.likelihood(point, rows)
    assert value == pytest.approx(model.likelihood(point, rows, value_only=True), rel=1e-13)
    for i, step in enumerate(np.diag(1e-5 * point)):
        ends = point + step, point - step
        high, low = (model.likelihood(end, rows, value_only=True) for end in ends)
        # central differences keep about six digits
        assert gradient[i] == pytest.approx((high - low) / step.sum() / 2, rel=1e-5, abs=1e-4)
        high, low = (model.likelihood(end, rows)[1] for end in ends)
        np.testing.assert_allclose(hessian[i], (high - low) / step.sum() / 2, rtol=1e-5, atol=1e-5)


def test_the_likelihood_is_that_of_the_paper_integrated_numerically():
    """One customer, three purchases at irregular times, k = 3: rates and dropouts on a grid."""
    times, T, k = np.array([2.0, 5.0, 6.5]), 9.0, 3
    gaps = np.diff(times, prepend=0.0)
    r, alpha, a, b = TRUTH.values()
    rate = np.linspace(1e-6, 30, 200_001)
    density = alpha**r * rate ** (r - 1) * np.exp(-alpha * rate) / 0.8862269254527580
    bought = np.prod([rate**k * g ** (k - 1) * np.exp(-rate * g) / 2 for g in gaps], axis=0)
    wait = rate * (T - times[-1])
    silent = np.exp(-wait) * (1 + wait + wait**2 / 2)
    p = (np.arange(200_000) + 0.5) / 200_000
    weight = p ** (a - 1) * (1 - p) ** (b - 1)
    weight /= weight.sum()
    stay, left = weight @ (1 - p) ** 4, weight @ (p * (1 - p) ** 3)
    wanted = np.trapezoid(density * bought * (stay * silent + left), rate)
    rows = collapse([3.0], [6.5], [9.0])
    found = known(k).likelihood(np.array(list(TRUTH.values())), rows, value_only=True)
    found += (k - 1) * np.log(gaps).sum() - 3 * np.log(2)
    # the grid over p misses some of the singularity at 0
    assert found == pytest.approx(np.log(wanted), abs=2e-3)


def test_profile_finds_k_and_the_parameters(sample):
    k, table = sample
    found = RegularBetaGeo().fit(table)
    assert found.k == k
    assert found.label == f"MBG/CNBD-{k}"
    assert not found.at_boundary
    for name, value in TRUTH.items():
        # true parameters lie beyond 4 standard errors once in 16,000
        assert abs(found.params[name] - value) < 4 * found.standard_errors[name]
    at_one = ModifiedBetaGeo().fit(table)
    assert compare_models(at_one, found).index[0] == found.label


def test_expectation_probability_and_simulation_are_one_model(sample):
    k, table = sample
    model = known(k)
    alive, expected = model.p_alive(table), model.expected_purchases(table, 20.0)
    # sums within 4.5 standard errors
    assert abs(alive.sum() - table["alive"].sum()) < 4.5 * np.sqrt((alive * (1 - alive)).sum())
    miss = table["holdout_frequency"] - expected
    assert abs(miss.sum()) < 4.5 * miss.std() * np.sqrt(len(miss))
    shares = model.newcomer_distribution(40.0, 6)
    counts = table["frequency"].value_counts().reindex(range(7)).to_numpy() / len(table)
    assert (np.abs(counts - shares) < 4.5 * np.sqrt(shares * (1 - shares) / len(table))).all()
    few = table.head(8)
    whole = model.purchase_distribution(few, 20.0, 300)
    np.testing.assert_allclose(whole.sum(axis=1), 1, rtol=1e-9)
    np.testing.assert_allclose(whole @ np.arange(301), expected.head(8), rtol=1e-7, atol=1e-9)
    found = forecast(model, few, horizon=20.0, draws=4000)
    assert found.total.low < expected.head(8).sum() < found.total.high


def test_a_regular_customer_who_is_overdue_has_left_sooner():
    """Ten purchases four weeks apart, then silence: the clock judges faster than chance."""
    rows = pd.DataFrame({"frequency": 10, "recency": 40.0, "T": [41.0, 48.0, 56.0]})
    random = known(1).p_alive(rows)
    regular = RegularBetaGeo(TRUTH | {"alpha": 0.75}, k=4).p_alive(rows)
    assert regular.iloc[0] > 0.99 * random.iloc[0]
    assert (regular.iloc[1:] < random.iloc[1:]).all()


def test_gaps_are_summed_over_merged_days():
    days = ["2025-01-01 09:00", "2025-01-01 18:00", "2025-01-08", "2025-01-22", "2025-03-01"]
    frame = pd.DataFrame(
        {"customer_id": "anna", "ordered_at": pd.to_datetime(days, format="mixed"), "amount": 1.0}
    )
    assert log_gaps(frame, until="2025-01-31").item() == pytest.approx(np.log(1) + np.log(2))
    found = log_gaps(frame, unit="D", until="2025-01-31").item()
    assert found == pytest.approx(np.log(7) + np.log(14))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: RegularBetaGeo(k=0), "k must be a whole number from 1 to 12"),
        (lambda: RegularBetaGeo(TRUTH), "k must be a whole number"),
        (lambda: RegularBetaGeo(k=2.5), "k must be a whole number"),
        (
            lambda: RegularBetaGeo().fit(
                known(2).simulate(20.0, customers=50).drop(columns="log_gaps")
            ),
            "column log_gaps is missing",
        ),
    ],
)
def test_bad_requests_are_named(call, words):
    with pytest.raises(cx.CxError, match=words):
        call()
