"""The contest of predictors: against brute force, known truths, coverage, bad input."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import cxlib as cx
from cxlib.errors import CxError
from cxlib.stats.prediction_scores import accuracy, auc_pairs, rank_correlation


def by_pairs(scores, events):
    right = [
        (a > b) + 0.5 * (a == b)
        for a, b in itertools.product(scores[events == 1], scores[events == 0])
    ]
    return np.mean(right)


def test_scores_equal_brute_force_on_repeated_rows():
    rng = np.random.default_rng(2)
    scores, events = rng.integers(0, 5, 30).astype(float), rng.integers(0, 2, 30)
    counts = rng.integers(0, 4, (6, 30)).astype(float)
    right, pairs = auc_pairs(scores, events, counts)
    ranks = rank_correlation(scores, events * scores, counts)
    brier = accuracy("brier", scores / 5, events, None, counts)
    for row, count in enumerate(counts.astype(int)):
        s, e = np.repeat(scores, count), np.repeat(events, count)
        assert right[row] / pairs[row] == pytest.approx(by_pairs(s, e))
        assert ranks[row] == pytest.approx(spearmanr(s, e * s).statistic)
        assert brier[row] == pytest.approx(np.mean((s / 5 - e) ** 2))


def told(n=1500, seed=4, slope=0.5):
    rng = np.random.default_rng(seed)
    core = rng.normal(size=n)
    frame = pd.DataFrame({"customer_id": np.arange(n) // 2})
    frame["nps"] = np.clip(np.round(8 + 2 * core + rng.normal(size=n)), 0, 10)
    frame["intent"] = np.clip(np.round(6 + 2 * core + rng.normal(size=n)), 0, 10)
    frame["noise"] = rng.normal(size=n)
    frame["left"] = rng.random(n) < 1 / (1 + np.exp(1 + slope * 2 * core))
    frame["spend"] = np.exp(slope * core + rng.normal(size=n))
    return frame


PREDICTORS = {"NPS": ["nps"], "noise": ["noise"], "both": ["nps", "intent"], "none": []}


@pytest.mark.parametrize("outcome", ["left", "spend"])
def test_the_better_predictor_wins_and_noise_loses(outcome):
    rules = {"outcome": outcome, "predictors": PREDICTORS, "lots": 4, "replicates": 60}
    contest = cx.predictive_power(told(4000, slope=1.0), **rules)
    assert contest.verdict("both") == "better"
    assert contest.verdict("noise") == "worse"
    first = contest.scores.query("predictor == 'none'").iloc[0]
    assert first["estimate"] == (0.5 if outcome == "left" else 0)
    assert contest.customers == 1000
    assert contest.n + contest.fitted_on == 4000
    assert abs(len(contest.predictions) / 4 - contest.n) < 1
    assert not contest.predictions.reset_index().duplicated(["index", "lot"]).any()
    assert set(contest.gains["predictor"]) == {"noise", "both", "none"}
    assert len(contest.to_frame()) == len(contest.scores)
    assert "both better than NPS" in contest.summary()
    assert len(contest.plot().get_yticklabels()) == 4


def test_without_any_power_the_scores_lie_at_chance_and_nobody_wins():
    wins = missed = 0
    for seed in range(150):
        frame = told(400, seed, slope=0.0)
        two = {name: PREDICTORS[name] for name in ("NPS", "both")}
        contest = cx.predictive_power(
            frame, outcome="left", predictors=two, lots=1, replicates=200, seed=seed
        )
        wins += contest.verdict("both") != "cannot tell"
        auc = contest.scores.iloc[0]
        missed += not auc["low"] <= 0.5 <= auc["high"]
    # 150 samples at 5 %: more than 18 have a chance below 1 in 1,000;
    # five folds in turn, with the same resampling, gave 19 and 22
    assert wins <= 18
    assert missed <= 18


def test_several_lots_give_the_mean_of_each_and_depend_less_on_the_seed():
    frame = told(600)
    rules = {"outcome": "left", "predictors": {n: PREDICTORS[n] for n in ("NPS", "both")}}
    rules |= {"replicates": 60}
    one, four = (
        [cx.predictive_power(frame, lots=lots, seed=s, **rules).gain("both") for s in range(8)]
        for lots in (1, 6)
    )
    spread = [np.std([gain["estimate"] for gain in found]) for found in (one, four)]
    assert spread[1] < 0.7 * spread[0]
    widths = [np.mean([gain["high"] - gain["low"] for gain in found]) for found in (one, four)]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)
    contest = cx.predictive_power(frame, lots=4, **rules)
    assert contest.predictions["lot"].nunique() == contest.lots == 4
    means = contest.predictions.groupby(level=0)["both"].mean()
    shown = contest.calibration.query("predictor == 'both'")
    assert np.average(shown["predicted"], weights=shown["n"]) == pytest.approx(means.mean())


def test_a_predictor_is_scored_on_customers_it_has_not_seen():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(120, 40)), columns=[f"x{i}" for i in range(40)])
    frame["customer_id"], frame["left"] = np.arange(120), rng.random(120) < 0.5
    contest = cx.predictive_power(
        frame, outcome="left", predictors={"forty": list(frame.columns[:40])}, lots=3, replicates=39
    )
    auc = contest.scores.query("measure == 'auc'")["estimate"].iloc[0]
    assert 0.3 < auc < 0.7  # in sample forty columns of noise reach 0.9


def test_the_gain_holds_its_level_on_other_customers():
    rng, held = np.random.default_rng(0), 0
    big = told(60_000, 99, slope=0.5).assign(customer_id=range(60_000))
    # nps and intent are alike by construction, so that all fits weigh them nearly alike
    truth = by_rank(big["left"], big["nps"] + big["intent"]) - by_rank(big["left"], big["nps"])
    for seed in rng.integers(0, 2**31, 150):
        frame = told(1000, seed).assign(customer_id=range(1000))
        two = {name: PREDICTORS[name] for name in ("NPS", "both")}
        contest = cx.predictive_power(
            frame, outcome="left", predictors=two, lots=2, replicates=99, seed=int(seed)
        )
        gain = contest.gain("both")
        held += gain["low"] <= truth <= gain["high"]
    # 150 samples at 95 %: nominal less 2 points and 3.3 standard errors
    assert held / 150 > 0.93 - 3.3 * np.sqrt(0.95 * 0.05 / 150)


def by_rank(events, scores):
    right, pairs = auc_pairs(-scores.to_numpy(), events.to_numpy(float), np.ones((1, len(events))))
    return float(right[0] / pairs[0])


def test_calibration_is_close_to_the_line_where_the_model_is_true():
    contest = cx.predictive_power(told(6000), outcome="left", predictors=PREDICTORS, replicates=39)
    both = contest.calibration.query("predictor == 'both'")
    assert len(both) == 5
    assert both["n"].sum() == contest.predictions.index.nunique() > contest.n
    assert np.abs(both["predicted"] - both["observed"]).max() < 0.05
    assert both["predicted"].is_monotonic_increasing
    ax = cx.plot_calibration(contest.calibration)
    assert len(ax.get_legend().get_texts()) == 4


def test_incomplete_rows_are_left_out_for_everybody():
    frame = told()
    frame.loc[:99, "intent"] = np.nan
    contest = cx.predictive_power(frame, outcome="left", predictors=PREDICTORS, replicates=39)
    assert (contest.n + contest.fitted_on, contest.dropped) == (1400, 100)
    assert contest.predictions.index.min() >= 100


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"predictors": {"NPS": "nps"}}, "lists of columns"),
        ({"predictors": {}}, "is none of: nothing"),
        ({"predictors": {"x": ["gone", "lost"]}}, "column gone is missing.*\n.*column lost"),
        ({"predictors": {"x": ["left"]}}, "cannot predict itself"),
        ({"reference": "CES"}, "'CES' is none of: NPS"),
        ({"test_share": 1.0, "groups": 0}, r"groups is 0\. [\s\S]*test_share is 1.0"),
        ({"lots": 0}, r"lots is 0\. Allowed: a whole number, 1 or more"),
        ({"lots": 2.5}, r"lots is 2.5\. "),
        ({"replicates": "many"}, r"replicates is 'many'\. "),
        ({"replicates": 38}, r"replicates is 38\. Allowed: a whole number, 39 or more"),
        ({"replicates": 198, "level": 0.99}, r"replicates is 198\. .*199 or more"),
        ({"level": 95}, "Did you mean 0.95"),
        ({"kind": "event", "outcome": "spend"}, "is no event"),
    ],
)
def test_the_contest_refuses(change, wanted):
    given = {"outcome": "left", "predictors": PREDICTORS} | change
    with pytest.raises(CxError, match=wanted):
        cx.predictive_power(told(), **given)


def test_an_outcome_that_hardly_happens_is_refused_with_the_count():
    frame = told()
    frame["left"] = np.arange(1500) < 7
    with pytest.raises(CxError, match=r"of the rarer kind; 15 are needed"):
        cx.predictive_power(frame, outcome="left", predictors=PREDICTORS)
    with pytest.raises(CxError, match="column nps holds no numbers"):
        cx.predictive_power(frame.astype({"nps": str}), outcome="left", predictors=PREDICTORS)


def numbers_of(contest):
    frames = (contest.scores, contest.gains, contest.calibration.drop(columns="n"))
    return np.concatenate([f.select_dtypes("number").to_numpy().ravel() for f in frames])


@pytest.mark.parametrize("outcome", ["left", "spend"])
def test_a_weight_of_two_is_the_row_twice_and_equal_weights_are_none(outcome):
    rng = np.random.default_rng(6)
    frame = told(600).assign(weight=rng.integers(1, 4, 600))
    rules = {"outcome": outcome, "predictors": PREDICTORS, "replicates": 60}
    weighted = cx.predictive_power(frame, weight_col="weight", **rules)
    repeated = cx.predictive_power(frame.loc[frame.index.repeat(frame["weight"])], **rules)
    assert numbers_of(weighted) == pytest.approx(numbers_of(repeated), rel=1e-6, abs=1e-9)
    plain = cx.predictive_power(frame, **rules)
    equal = cx.predictive_power(frame.assign(weight=7.5), weight_col="weight", **rules)
    assert numbers_of(equal) == pytest.approx(numbers_of(plain), rel=1e-6, abs=1e-9)
    assert np.abs(numbers_of(plain) - numbers_of(weighted)).max() > 0.001


def test_weights_of_zero_leave_rows_out_and_bad_ones_are_named():
    frame = told().assign(weight=1.0)
    frame.loc[:99, "weight"] = 0
    rules = {"outcome": "left", "predictors": PREDICTORS, "replicates": 39, "weight_col": "weight"}
    contest = cx.predictive_power(frame, **rules)
    assert (contest.n + contest.fitted_on, contest.dropped) == (1400, 100)
    for bad, wanted in ((-1.0, "1 of 1,500 are negative"), (np.nan, "missing")):
        frame.loc[3, "weight"] = bad
        with pytest.raises(CxError, match=wanted):
            cx.predictive_power(frame, **rules)
    with pytest.raises(CxError, match="all weights are zero"):
        cx.predictive_power(frame.assign(weight=0), **rules)
    with pytest.raises(CxError, match="column weight is missing"):
        cx.predictive_power(told(), **rules)
