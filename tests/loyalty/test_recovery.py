"""Effects, ladders, bounds and money on one small busy company; verdicts by their rule."""

import dataclasses
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxWarning
from cxlib.loyalty import money
from cxlib.loyalty.comparison import judged
from cxlib.loyalty.followup import OUTCOMES
from cxlib.loyalty.money import PreventionOrRecovery
from cxlib.loyalty.ten_comparisons import COMPARISONS

BUSY = {"orders_per_year": 10.0, "delivery_failure": 0.2, "answer_share": 0.7, "invite_share": 0.9}
WEEKS = {"horizon_weeks": 13, "churn_weeks": 13, "repeat_window_weeks": 13}
LIFTED = {"recovery_excellent_satisfaction": 1.5, "recovery_none_satisfaction": -1.5}


@pytest.fixture(scope="module")
def world():
    return cx.World(seed=11, customers=5000, weeks=67, events=[], **BUSY, **LIFTED)


@pytest.fixture(scope="module")
def study(world):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CxWarning)
        return cx.recovery_study(world, **WEEKS)


@pytest.mark.parametrize(
    ("estimate", "error", "outcome", "word"),
    [
        (0.3, 0.1, "value", "paradox"),
        (-0.3, 0.1, "value", "worse"),
        (-0.3, 0.1, "churn", "paradox"),
        (0.3, 0.1, "churn", "worse"),
        (0.04, 0.01, "value", "trivial"),
        (0.04, 0.03, "value", "equivalent"),
        (0.04, 0.1, "value", "cannot tell"),
    ],
)
def test_the_verdict_follows_the_rule(estimate, error, outcome, word):
    assert judged(estimate, error, np.inf, 0.1, 0.95, outcome)[1] == word


def test_a_true_lift_is_found_and_its_size_too(world, study):
    trial = world.truth.recovery_trial(
        levels=("none", "excellent"), first_week=13, last_week=32, horizon_weeks=13, churn_weeks=8
    )
    ids = world.customers["customer_id"]
    true = cx.true_recovery_effects(study, trial, ids, start=world.start)
    true = true.set_index(["level", "outcome"])["effect"]
    for level, word in (("excellent", "paradox"), ("none", "worse")):
        found = cx.recovery_effect(study, "satisfaction", level, doubly_robust=True)
        assert found.verdict == word
        miss = found.estimate - true[level, "satisfaction"]
        assert abs(miss) < 4 * found.standard_error
    assert true["excellent", "satisfaction"] > 0.4
    assert found.balance["balanced"].all()
    assert found.balance["before"].abs().max() > 0.1
    assert (found.n["seen"] <= found.n["occasions"]).all()
    assert found.effective_n["no failure"] > found.effective_n["none"] > 20


def test_six_outcomes_share_one_rate_of_false_alarms(study):
    six = cx.recovery_outcomes(study, "none", primary="satisfaction")
    assert next(iter(six.effects)) == "satisfaction"
    assert set(six.p_holm) == set(OUTCOMES) - {"satisfaction"}
    raw = [six.effects[o].p_difference for o in six.p_holm]
    assert (np.array(list(six.p_holm.values())) >= raw).all()
    assert six.effects["churn"].unit == "share"
    assert "Holm" in six.summary()
    one = cx.recovery_effect(study, "value", "none")
    assert six.effects["value"].to_frame().equals(one.to_frame())
    labels = [t.get_text() for t in six.plot().get_yticklabels()]
    assert labels[0] == "satisfaction *"


@pytest.mark.parametrize("exposure", ["none", "excellent"])
def test_an_interval_leaves_out_none_where_its_test_does(study, exposure):
    for effect in cx.recovery_outcomes(study, exposure, doubly_robust=True).effects.values():
        apart = effect.low > 0 or effect.high < 0
        assert (effect.p_difference < 0.05) == apart
        assert (effect.verdict in ("paradox", "worse", "trivial")) == apart
        small = effect.p_equivalence < 0.05
        assert (effect.verdict in ("equivalent", "trivial")) == small
        assert effect.low < effect.estimate < effect.high
        if effect.unit == "share":
            same = (effect.high - effect.estimate) / (effect.estimate - effect.low)
            assert same != pytest.approx(1, abs=1e-3)


def test_the_ladder_climbs_in_every_fair_correction(study, world):
    for correction in ("everybody", "change", "weighted"):
        rungs = cx.compare_recovery_levels(study, "satisfaction", correction=correction).rungs
        rungs = rungs.set_index("level")
        assert rungs.loc["excellent", "effect"] > 0.3 > -0.3 > rungs.loc["none", "effect"]
        assert (rungs["low"] < rungs["estimate"]).all()
    # several groups in one population agree with two at a time
    both = cx.compare_recovery_levels(study, "satisfaction").rungs.set_index("level")
    pair = cx.recovery_effect(study, "satisfaction", "excellent", doubly_robust=True)
    assert both.loc["excellent", "effect"] == pytest.approx(pair.estimate, abs=0.1)
    raw = cx.dashboard_levels(world, "value")
    assert (raw.rungs["effect"].dropna() > 0).all()  # heavy buyers meet more failures
    ax = raw.plot(truth={"excellent": 0.0})
    assert ax.get_ylabel() == "value [EUR]"
    assert ax.get_xticklabels()[0].get_text().startswith("no failure")


def test_ten_ways_and_what_is_wrong_with_them(study, world):
    ten = cx.ten_comparisons(study, cx.whole_history(world), "value", "excellent")
    assert ten["comparison"].tolist() == list(COMPARISONS)
    ten = ten.set_index("comparison")
    assert ten.loc["ever against never, whole history", "low"] > 100
    assert abs(ten.loc["overlap, doubly robust", "estimate"]) < 30
    churn = cx.ten_comparisons(study, cx.whole_history(world), "churn").set_index("comparison")
    assert churn["estimate"].isna().sum() == 3


def test_bounds_hold_what_leavers_could_have_said(study):
    found = cx.recovery_bounds(study, "satisfaction", "excellent")
    assert found.bounds_low < found.bounds[0] < found.among_stayers[0] < found.bounds[1]
    assert found.bounds[1] < found.bounds_high
    assert 0 < found.gone[0] < 0.5
    width = found.bounds[1] - found.bounds[0]
    assert width == pytest.approx(6 * (found.gone[0] + found.gone[1]), rel=0.35)
    assert "whatever the leavers thought" in found.summary()
    wider = cx.recovery_bounds(study, "satisfaction", "excellent", scale=(1, 10))
    assert np.ptp(wider.bounds) == pytest.approx(1.5 * width)
    with pytest.raises(cx.CxError, match="answered from 1 to 7, its scale is 1 to 5"):
        cx.recovery_bounds(study, "satisfaction", "excellent", scale=(1, 5))


def test_quantiles_are_those_of_the_weighted_sample(study):
    found = cx.recovery_quantiles(study, "value", "none", replicates=60)
    assert (found["low"] <= found["effect"] + 1e-9).all()
    assert (found["effect"] <= found["high"] + 1e-9).all()
    assert found["control"].is_monotonic_increasing
    with pytest.raises(cx.CxError, match="churn is yes or no"):
        cx.recovery_quantiles(study, "churn", "none")


def test_former_promoters_and_differences(study):
    two = [{"study": study, "exposure": "none"}, {"study": study, "exposure": "excellent"}]
    found = cx.recovery_difference(*two, "satisfaction", names=("none", "excellent"))
    assert found.verdict == "better"
    assert cx.recovery_difference(*two[::-1], "satisfaction").verdict == "worse"
    assert found.estimate == pytest.approx(found.effect_second - found.effect_first)
    fans = [{"study": study, "among": who} for who in ("others", "promoters")]
    assert cx.recovery_difference(*fans, "satisfaction").n[0] > 0


def test_the_hidden_cause_is_measured_by_the_seen_ones(study):
    found = cx.recovery_sensitivity(study, "satisfaction", "none")
    assert found.needed == pytest.approx(abs(found.effect.estimate) / found.effect.sd)
    assert found.e_value > found.e_value_limit > 1
    twice = cx.recovery_sensitivity(study, "satisfaction", "none", times=2)
    reach = found.effect.low - found.low
    assert twice.effect.low - twice.low == pytest.approx(2 * reach)
    assert "were as strong, the effect" in found.summary()
    assert "were 2 times as strong, the effect" in twice.summary()
    assert found.measured["bias"].abs().is_monotonic_decreasing
    assert found.plot().get_xlabel().startswith("imbalance")


def test_the_break_even_map(study):
    found = cx.prevention_or_recovery(study, costs=(20, 25))
    dear, cheap = found.chance(500, 1), found.chance(1, 500)
    assert dear["prevention buys more"] <= cheap["prevention buys more"]
    assert found.map["p_prevention"].between(0, 1).all()
    assert found.prevented[1] < found.prevented[0] < found.prevented[2]
    kept = cx.prevention_or_recovery(study, customer_value=500)
    assert kept.prevented != found.prevented
    assert "EUR" in found.summary()
    assert found.plot().get_xlabel() == "cost of one failure less [EUR]"
    here = found.map.iloc[777]
    alone = found.chance(here["cost_prevention"], here["cost_recovery"])
    assert here["p_prevention"] == pytest.approx(alone["prevention buys more"])
    assert here["p_pays"] == pytest.approx(max(list(alone.values())[1:]))
    draws = np.random.default_rng(1).multivariate_normal(
        [found.prevented[0], found.recovered[0]], found.covariance, 200_000
    )
    gained = draws / np.array([20, 25])
    drawn = [(gained[:, 0] > gained[:, 1]).mean(), *(gained > 1).mean(axis=0)]
    assert list(found.chance(20, 25).values()) == pytest.approx(drawn, abs=0.006)


def test_the_map_says_where_the_data_decide(study):
    found = cx.prevention_or_recovery(study, costs=(20, 25), level=0.8)

    def drawn(result):
        axes = cx.plot_break_even(result)
        names = {text.get_text() for text in axes.texts}
        plt.close(axes.figure)
        return axes.get_title(loc="left"), names

    def with_chances(low, high):
        rising = low + (high - low) * found.map["cost_recovery"] / found.map["cost_recovery"].max()
        return dataclasses.replace(found, map=found.map.assign(p_prevention=rising))

    title, names = drawn(with_chances(0.62, 0.79))
    assert re.fullmatch("The data decide nowhere: chances of 6[23] to 79 %", title)
    assert names == {"your costs", "65 %", "70 %", "75 %"}
    rising = with_chances(0.0, 1.0)
    title, names = drawn(rising)
    assert title == f"The data decide on {100 * rising.decided:.0f} % of the map"
    assert names == {"your costs", "10 %", "50 %", "90 %"}  # the tails of 80 %
    assert drawn(with_chances(0.96, 0.99)) == ("The data decide everywhere", {"your costs"})
    with pytest.raises(cx.CxError, match="level must lie strictly between 0 and 1: found 2"):
        cx.plot_break_even(np.eye(2), np.array([1, 2]), np.array([1, 2]), level=2)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (([[0.1, np.nan], [0.2, 1.5]], [1, 2], [1, 2]), "2 of 4 chances are missing or no prob"),
        (([[0.1, 0.2]], [1, 2], [1]), "y are no costs. Allowed: two or more finite"),
        ((np.eye(2), [2, 1], [-1, 1]), r"(?s)1\. x are no costs.*2\. y are no costs"),
        ((np.eye(2), [1, 2], [1, 2, 3]), r"shape \(2, 2\)\. Allowed: \(y, x\), here \(3, 2\)"),
        ((np.eye(2),), r"(?s)x are no costs.*y are no costs"),
        (("x", [1, 2], [1, 2]), "needs numbers"),
    ],
)
def test_what_is_no_break_even_map_is_refused_in_words(given, text):
    with pytest.raises(cx.CxError, match=text):
        cx.plot_break_even(*given)


def gains(pair, costs=(1, 1)):
    chances = pd.DataFrame({"p_prevention": [0.01, 0.5, 0.98, 1.0]})
    # a difference of six lies at 98 % above zero
    covariance = np.diag([18.0, 18.0]) / 2.053749**2
    sides = [(g, g - 1, g + 1) for g in pair]
    return PreventionOrRecovery(*sides, chances, covariance, costs, 0.95, 26, 0.0)


def test_money_promises_no_more_where_luck_left_out_the_spread(study, monkeypatch):
    value = study.outcomes["value"].copy()
    value[study.mask("excellent")] = np.nanmean(value)
    alike = dataclasses.replace(study, outcomes={**study.outcomes, "value": value})
    cautious = cx.prevention_or_recovery(alike)
    monkeypatch.setattr(money, "_unseen_spread", lambda found: np.zeros(found.own.size))
    bold = cx.prevention_or_recovery(alike)
    assert cautious.recovered[0] == bold.recovered[0]
    assert np.ptp(cautious.recovered[1:]) > 1.05 * np.ptp(bold.recovered[1:])


def test_the_claim_is_judged_by_what_surely_buys_more():
    assert (gains([9.0, 3.0]).verdict, gains([9.0, 3.0]).claim) == ("prevention", "contradicted")
    assert (gains([3.0, 9.0]).verdict, gains([3.0, 9.0]).claim) == ("recovery", "supported")
    even = gains([9.0, 3.0])
    doubt = dataclasses.replace(even, level=0.97)
    assert (doubt.verdict, doubt.claim) == ("cannot tell", "undecided")
    assert "a chance of 98 %, verdict: cannot tell; it pays" in doubt.summary()
    assert "itself with more than 99 %" in doubt.summary()
    assert "recovery with 83 %" in doubt.summary()  # two EUR above its cost, 0.97 SD
    assert even.decided == 0.75
    assert gains([9.0, 3.0], costs=None).verdict is None
    dear = dataclasses.replace(even, costs=(500, 400))
    assert "itself with less than 1 %" in dear.summary()


def test_the_cost_of_excellence_is_read_from_enough_cases():
    cases = pd.DataFrame({"recovery": ["excellent", "adequate"] * 5, "cost": [30.0, 12.0] * 5})
    assert cx.recovery_cost({"contacts": cases}) == 18
    for poor in (cases.iloc[:9], cases.assign(cost=5.0), cases.drop(columns="cost"), None):
        assert cx.recovery_cost({"contacts": poor}) is None


def test_sample_sizes_are_the_known_ones():
    # two-sided t-test, d = .10, power .80; two one-sided tests within .10 at a true zero
    assert cx.recovery_sample_size(0.10).exposed == 1571
    assert cx.recovery_sample_size(smallest_effect=0.10).exposed == 1714
    assert cx.recovery_sample_size(0.5).exposed == 64  # Cohen 1988, table 2.4.1
    many = cx.recovery_sample_size(0.10, controls_each=50, answer_share=0.125)
    assert many.exposed == pytest.approx(1571 * 0.51, rel=0.01)
    assert many.contacts == pytest.approx(8 * many.exposed, abs=8)
    assert cx.recovery_sample_size(0.2).plot().get_yscale() == "log"


def test_a_ladder_is_drawn_as_it_is_or_as_its_rungs(study):
    ladder = cx.compare_recovery_levels(study, "value")
    assert ladder.summary().startswith("Value, overlap weights, doubly robust, against no failure")
    assert ladder.summary().count(" EUR [") == len(ladder.rungs) - 1
    one, two = (cx.plot_recovery_ladder(f, before=f) for f in (ladder, ladder.rungs))
    assert one.get_ylim() == two.get_ylim()
    with pytest.raises(cx.CxError, match="A ladder needs the columns level"):
        cx.plot_recovery_ladder(3)
    with pytest.raises(cx.CxError, match="needs the columns before, after"):
        cx.plot_love(3)


@pytest.mark.parametrize("given", [{"costs": (1,)}, {"costs": 5}, {"costs": (0, 1)}, {"level": 2}])
def test_money_refuses(study, given):
    with pytest.raises(cx.CxError, match=r"two numbers above 0|level must lie"):
        cx.prevention_or_recovery(study, **given)


def test_a_love_plot_needs_its_columns():
    with pytest.raises(cx.CxError, match="before, after"):
        cx.plot_love(pd.DataFrame({"x": [1]}))


def test_more_churn_is_a_worse_effect(study):
    two = [{"study": study, "exposure": name} for name in ("excellent", "none")]
    found = cx.recovery_difference(*two, "churn", level=0.6)
    assert found.low > 0
    assert found.verdict == "worse"
    assert found.summary().endswith("verdict: worse.")
    assert cx.recovery_difference(*two[::-1], "churn", level=0.6).verdict == "better"


def test_other_failures_are_called_so(study):
    found = cx.recovery_effect(study, "repurchase", "excellent", control="failure")
    assert found.control == "any other failure"
    assert list(found.n.index) == ["any other failure", "excellent"]
    others = study.mask("failure") & ~study.mask("excellent")
    assert found.n["occasions"].tolist() == [others.sum(), study.mask("excellent").sum()]


def test_a_declared_scale_bounds_what_leavers_could_have_said():
    small = cx.World(seed=1, customers=3000, weeks=80, events=[], answer_share=0.6)
    weeks = {"horizon_weeks": 13, "churn_weeks": 13}
    usual = cx.recovery_bounds(small, exposure="failure", **weeks)
    tables = dict(small.tables)
    tables["responses"] = tables["responses"].copy()
    tables["responses"].attrs["scale"] = {"csat": [1, 10]}
    wider = cx.recovery_bounds(tables, exposure="failure", **weeks)
    assert np.ptp(wider.bounds) == pytest.approx(1.5 * np.ptp(usual.bounds))
    for wrong in ((1,), 5, (1, np.nan), (7, 1)):
        with pytest.raises(cx.CxError, match="scale"):
            cx.recovery_bounds(small, exposure="failure", scale=wrong, **weeks)


def test_two_sides_of_a_difference_are_checked(study):
    side = {"study": study, "exposure": "poor"}
    for first, told in (
        ({"exposure": "poor"}, "Each side is a mapping with a study"),
        (study, "found RecoveryStudy"),
        (side | {"amnog": "all"}, "amnog"),
        (side, "there is no difference to judge"),
    ):
        with pytest.raises(cx.CxError, match=told):
            cx.recovery_difference(first, side, "value")
    other = side | {"exposure": "adequate"}
    for given in ({"smallest_effect": "x"}, {"smallest_effect": None}, {"names": "ab"}):
        with pytest.raises(cx.CxError, match=next(iter(given))):
            cx.recovery_difference(side, other, "value", **given)


def test_what_bounds_and_quantiles_advise_is_done_by_another_function(study):
    few = study.take(np.flatnonzero(~study.mask("excellent") | (np.arange(len(study)) % 40 == 0)))
    few.outcomes["satisfaction"][few.mask("excellent")] = np.nan
    for ask in (cx.recovery_bounds, cx.recovery_quantiles):
        with pytest.raises(cx.CxError, match="Still possible by recovery_effect: "):
            ask(few, "satisfaction", "excellent")
