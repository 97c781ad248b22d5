"""Ordered logit against MASS::polr, statsmodels and brute force; clusters, Brant, edges."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime
from statsmodels.miscmodels.ordinal_model import OrderedModel

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.ordinal import information, scores

HOUSING = Path(__file__).parents[1] / "reference" / "housing.csv"


@pytest.fixture(scope="module")
def housing():
    table = pd.read_csv(HOUSING, comment="#")
    rows = table.loc[table.index.repeat(table["n"])].reset_index(drop=True)
    answers = rows["satisfaction"].map({"Low": 0, "Medium": 1, "High": 2})
    columns = {
        "InflMedium": rows["influence"] == "Medium",
        "InflHigh": rows["influence"] == "High",
        "Apartment": rows["type"] == "Apartment",
        "Atrium": rows["type"] == "Atrium",
        "Terrace": rows["type"] == "Terrace",
        "ContHigh": rows["contact"] == "High",
    }
    return answers, pd.DataFrame(columns).astype(float)


@pytest.fixture(scope="module")
def fit(housing):
    return stats.ordered_logit(*housing)


def test_housing_equals_polr(fit):
    # Venables & Ripley 2002, Modern Applied Statistics with S, section 7.3: polr(Sat ~ Infl +
    # Type + Cont, weights = Freq)
    expected = [0.5664, 1.2888, -0.5724, -0.3662, -1.0910, 0.3603]
    assert fit.coefficients.to_numpy() == pytest.approx(expected, abs=6e-5)
    assert fit.thresholds.to_numpy() == pytest.approx([-0.4961, 0.6907], abs=6e-5)
    assert fit.log_likelihood == pytest.approx(-1739.575, abs=6e-4)
    errors = [0.10465, 0.12716, 0.11924, 0.15517, 0.15149, 0.09554, 0.1248, 0.1255]
    assert fit.standard_errors.to_numpy() == pytest.approx(errors, abs=6e-5)
    assert fit.n == 1681


def test_thresholds_are_not_statsmodels_increments(fit, housing):
    theirs = OrderedModel(*housing, distr="logit").fit(method="bfgs", disp=0, maxiter=500)
    assert theirs.params.iloc[-1] == pytest.approx(0.1713, abs=1e-4)
    assert theirs.params.iloc[-1] == pytest.approx(np.log(np.diff(fit.thresholds))[0], abs=1e-4)
    assert theirs.llf == pytest.approx(fit.log_likelihood, abs=1e-4)
    # delta method: threshold 2 = threshold 1 + exp(increment)
    covariance = theirs.cov_params().to_numpy()[-2:, -2:]
    gradient = np.array([1.0, np.exp(theirs.params.iloc[-1])])
    assert fit.standard_errors.iloc[-1] ** 2 == pytest.approx(
        gradient @ covariance @ gradient, rel=1e-3
    )


def test_exact_derivatives(housing, fit):
    answers, frame = (v.iloc[::40] for v in housing)
    codes, design = answers.to_numpy(), frame.to_numpy()
    point = np.concatenate([fit.coefficients, fit.thresholds]) + 0.1

    def likelihood(parameters):
        edges = np.concatenate([[-np.inf], parameters[6:], [np.inf]])
        cdf = 1 / (1 + np.exp(-(edges[None, :] - (design @ parameters[:6])[:, None])))
        chances = np.diff(cdf, axis=1)
        return np.log(chances[np.arange(len(codes)), codes]).sum()

    found = scores(codes, design, point).sum(axis=0)
    assert found == pytest.approx(approx_fprime(point, likelihood, 1e-7), abs=1e-4)
    slope = [
        approx_fprime(point, lambda v, i=i: scores(codes, design, v).sum(axis=0)[i], 1e-7)
        for i in range(8)
    ]
    assert information(codes, design, point) == pytest.approx(-np.array(slope), abs=1e-4)
    halves = np.arange(len(codes)) % 2
    parts = information(codes, design, point, halves, 2)
    assert parts.sum(axis=0) == pytest.approx(information(codes, design, point))
    assert parts[1] == pytest.approx(information(codes[1::2], design[1::2], point))


def test_average_difference_by_hand(fit, housing):
    frame = housing[1]
    means = []
    for value in (1.0, 0.0):
        linear = frame.assign(ContHigh=value).to_numpy() @ fit.coefficients.to_numpy()
        means.append((1 / (1 + np.exp(fit.thresholds.iloc[1] - linear))).mean())
    found = fit.average_difference("ContHigh", at_least=2)
    assert found.estimate == pytest.approx(means[0] - means[1])
    assert found.low < found.estimate < found.high
    assert fit.probabilities().sum(axis=1) == pytest.approx(np.ones(1681))


def test_clusters_of_one_and_of_copies():
    rng = np.random.default_rng(1)
    x = rng.normal(size=150)
    y = np.digitize(x + rng.logistic(size=150), [-1, 1])
    single = stats.ordered_logit(y, {"x": x})
    copies = stats.ordered_logit(
        np.tile(y, 4), {"x": np.tile(x, 4)}, cluster=np.tile(np.arange(150), 4)
    )
    naive = stats.ordered_logit(np.tile(y, 4), {"x": np.tile(x, 4)})
    assert copies.coefficients["x"] == pytest.approx(single.coefficients["x"])
    # four copies add nothing: clustered errors stay, naive ones halve
    assert copies.standard_errors["x"] == pytest.approx(single.standard_errors["x"], rel=0.15)
    assert naive.standard_errors["x"] == pytest.approx(single.standard_errors["x"] / 2)
    assert copies.df == 149


def test_one_step_jackknife_is_near_refitting_without_each_cluster():
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(8), 25)
    x = rng.normal(size=200) + rng.normal(size=8)[cluster]
    y = np.digitize(x + rng.normal(size=8)[cluster] + rng.logistic(size=200), [-1, 1])
    fit = stats.ordered_logit(y, {"x": x}, cluster=cluster)
    left = [
        stats.ordered_logit(y[cluster != g], {"x": x[cluster != g]}).coefficients["x"]
        for g in range(8)
    ]
    refitted = np.sqrt(7 / 8 * np.sum((np.array(left) - fit.coefficients["x"]) ** 2))
    assert fit.standard_errors["x"] == pytest.approx(refitted, rel=0.1)


def test_brant_finds_what_is_not_proportional(housing):
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 1500))
    latent = rng.logistic(size=1500)
    y = (latent + 1.5 * x + z > -0.5).astype(int) + (latent + 0.3 * x + z > 1.5)
    test = stats.brant_test(y, {"x": x, "z": z})
    assert test.table.loc["all", "p"] < 1e-6
    assert test.table.loc["x", "p"] < 1e-6 < 0.01 < test.table.loc["z", "p"]
    assert test.coefficients.loc["x"].to_numpy() == pytest.approx([1.5, 0.3], abs=0.4)
    assert "doubtful" in test.summary()
    calm = stats.brant_test(*housing).table
    assert calm.loc["all", "df"] == 6
    assert calm.loc["all", "p"] > 0.05


GOOD = {"x": [0.0, 1, 2, 3, 4, 5]}


@pytest.mark.parametrize(
    ("answers", "covariates", "cluster", "message"),
    [
        ([1, 1, 1, 2, 2, 2], GOOD, None, "separates"),
        ([1, 1, 1, 1, 1, 1], GOOD, None, "All 6 answers equal"),
        ([1, 2, np.nan, 1, 2, 1], GOOD, None, "answers are missing"),
        ([1, 2, 1, 2, 1, 2], {"x": [1.0] * 6}, None, "must vary"),
        ([1, 2, 1, 2, 1, 2], {**GOOD, "y": [0.0, 2, 4, 6, 8, 10]}, None, "determine each other"),
        ([1, 2, 1, 2, 1, 2], {"x": [0, 1, 2, 3, np.inf, 5]}, None, "missing or infinite"),
        ([1, 2, 1, 2], GOOD, None, "One row"),
        ([1, 2, 1, 2, 1, 2], GOOD, [1] * 6, "two clusters"),
    ],
)
def test_bad_input(answers, covariates, cluster, message):
    with pytest.raises(CxError, match=message):
        stats.ordered_logit(answers, covariates, cluster=cluster)


def test_unknown_column_or_category(fit):
    with pytest.raises(CxError, match="Allowed"):
        fit.average_difference("ContHigh", at_least=0)
    with pytest.raises(CxError, match="three answers"):
        stats.brant_test([0, 1, 1, 0, 1, 0], GOOD)
