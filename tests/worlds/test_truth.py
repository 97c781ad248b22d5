"""Truth against brute force: twin worlds, counted outcomes, drawn answers."""

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import CxError
from cxlib.worlds import answers
from cxlib.worlds.company import DAYS, PRICE
from cxlib.worlds.declarations import OUTCOMES
from cxlib.worlds.dials import PLAIN_PURCHASES
from cxlib.worlds.failures import harm
from cxlib.worlds.surveys import CES_EASY_CUTS, TYPICAL_EFFORT
from cxlib.worlds.truth import net_promoters
from cxlib.worlds.world import World

BAND = 4.0  # standard errors; the seeds are fixed, so these tests do not flicker


@pytest.fixture(scope="module")
def renewing():
    """Many contracts, many goodbyes, win-back from the start."""
    events = [{"week": 0, "kind": "win_back", "weeks": 60}, {"week": 9, "kind": "watch_list"}]
    return World(
        2, 6000, 40, subscription_share=1.0, contract_leaving=0.5, usage_noise=0.05, events=events
    )


@pytest.mark.parametrize("driver", ["quality", "service", "delivery", "expectation"])
def test_a_turned_experience_moves_satisfaction_by_its_causal_weight(small, driver):
    shifted = small.twin(weeks=3, do={"shift": {driver: 1.0}})
    usual = small.twin(weeks=3)
    change = np.median(shifted.satisfaction - usual.satisfaction)
    # the median customer: a few leave or forgive otherwise because they feel otherwise
    assert change == pytest.approx(small.truth.driver_weights()[driver], abs=1e-9)


def test_default_weights_rank_quality_service_delivery(small):
    weights = small.truth.driver_weights()
    assert weights["quality"] > weights["service"] > weights["delivery"] > 0 == weights["price"]


def effect(frame, level, outcome):
    row = frame[(frame["level"] == level) & (frame["outcome"] == outcome)]
    return float(row["effect"].iloc[0])


def test_default_truth_is_a_paradox_on_satisfaction_alone(small):
    frame = small.truth.recovery_effects(8, horizon_weeks=10)
    d = small.dials.recovery_excellent_satisfaction
    assert d == 0.15
    assert effect(frame, "excellent", "satisfaction") == pytest.approx(d, abs=1e-6)
    for outcome in ("recommendation", "intention"):
        assert effect(frame, "excellent", outcome) == pytest.approx(0.0, abs=1e-6)
    assert effect(frame, "excellent", "repurchase") == pytest.approx(0.0, abs=0.005)
    for outcome in ("satisfaction", "recommendation", "intention"):
        levels = [effect(frame, level, outcome) for level in ("none", "poor", "adequate")]
        assert levels == sorted(levels)
        assert levels[-1] < 0
    assert effect(frame, "none", "churn") > 0


def test_recovery_effects_equal_a_twin_made_by_hand(small):
    week, level = 8, "poor"
    twins = [
        small.twin(weeks=14, do={"failure": {"week": week, "level": chosen, "severity": 3}})
        for chosen in (None, level)
    ]
    who = twins[0].history["present at failure"] & (twins[0].history["failures before"] == 0)
    by_hand = np.diff([t.history["recommendation after"][who].mean() for t in twins])[0]
    frame = small.truth.recovery_effects(week, horizon_weeks=5, severity=3)
    assert effect(frame, level, "recommendation") == pytest.approx(by_hand, abs=1e-6)


def test_populations_differ_and_overlap_is_weighted_by_risk(small):
    truth = small.truth
    potential = truth.potential_outcomes(8, horizon_weeks=10)
    assert set(potential["level"]) == {"no failure", "none", "poor", "adequate", "excellent"}
    wide = potential.pivot_table(
        index="customer_id", columns="level", values="churn", observed=True, aggfunc="first"
    )
    first = potential[potential["level"] == "no failure"].set_index("customer_id")
    first = first[first["failures_before"] == 0]
    weights = first["risk"] * (1 - first["risk"])
    by_hand = np.average((wide["none"] - wide["no failure"]).loc[first.index], weights=weights)
    frame = truth.recovery_effects(8, horizon_weeks=10, population="overlap")
    assert effect(frame, "none", "churn") == pytest.approx(by_hand, abs=1e-12)
    promoters = truth.recovery_effects(8, horizon_weeks=10, population="promoters")
    everyone = truth.recovery_effects(8, horizon_weeks=10)
    for outcome in ("satisfaction", "recommendation", "intention"):  # fans forgive
        assert effect(promoters, "none", outcome) > effect(everyone, "none", outcome)
    with pytest.raises(CxError, match="population must be one of"):
        truth.recovery_effects(8, population="all")


def test_repeated_failure_is_worse_than_the_sum_and_voids_the_paradox(small):
    once, twice = (small.twin(weeks=2) for _ in range(2))
    who = np.flatnonzero((once.failures == 0) & (once.recommendation < 0))
    before = {name: once.scar[name][who].copy() for name in OUTCOMES}
    excellent, mild = np.full(who.size, 3), np.full(who.size, 2)
    harm(once, 2, who, mild, excellent)
    for state_week in (2, 3):
        harm(twice, state_week, who, mild, excellent)
    for name in ("satisfaction", "recommendation", "intention"):
        single = once.scar[name][who] - before[name]
        double = twice.scar[name][who] - before[name]
        assert (single >= -1e-12).all()
        assert (double < 2 * single - 0.1).all()
    assert (twice.scar["dropout"][who] - before["dropout"] > 0.1).all()


def test_graver_failures_cost_more(small):
    mild, grave = (small.truth.recovery_effects(8, horizon_weeks=4, severity=s) for s in (2, 5))
    for outcome in ("satisfaction", "recommendation", "intention"):
        assert effect(grave, "excellent", outcome) < effect(mild, "excellent", outcome)


def test_the_hidden_confounder_joins_failures_and_gloom():
    correlation = {}
    for strength in (0.0, 1.0):
        world = World(3, 3000, 30, hidden_confounder=strength, severity_cost=0.0, events=[])
        state = world._truth._state
        clean = state.satisfaction - state.scar["satisfaction"]
        correlation[strength] = np.corrcoef(clean, state.failures)[0, 1]
    assert abs(correlation[0.0]) < 0.08
    assert correlation[1.0] < -0.15


def test_nps_of_everybody_is_what_everybody_would_answer(company):
    truth, state = company.truth, company._truth._state
    nps = company.responses[company.responses["question"] == "nps"].dropna(subset=["score"])
    week = ((nps["invited_at"] - pd.Timestamp("2024-01-01")).dt.days // DAYS).to_numpy()
    who = nps["customer_id"].cat.codes.to_numpy()
    feeling = state.history["recommendation"][week, who]
    would_be = np.concatenate(
        [answers.nps_answer(state, who[week == w], w, feeling[week == w]) for w in np.unique(week)]
    )
    given = np.concatenate([nps["score"].to_numpy()[week == w] for w in np.unique(week)])
    # feelings are remembered in single precision: a rounding edge may be met once in a while
    assert (would_be == given).mean() > 0.999
    here, ever = truth.population(60), truth.population(60, leavers=True)
    assert set(here) < set(ever)
    assert truth.nps(60) != truth.nps(60, leavers=True)
    by_week = truth.nps_by_week()
    assert by_week.loc[by_week["week"] == 60, "nps"].iloc[0] == truth.nps(60)


def test_nonresponse_bias_is_what_surveys_show(company):
    weeks = range(10, 58)
    expected = [company.truth.nonresponse_bias(w)["nps_answering"] for w in weeks]
    first = pd.Timestamp("2024-01-01")
    nps = company.responses[company.responses["question"] == "nps"].dropna(subset=["score"])
    asked = (nps["invited_at"] >= first + pd.Timedelta(weeks=10)) & (
        nps["invited_at"] < first + pd.Timedelta(weeks=58)
    )
    scores = nps.loc[asked, "score"]
    error = 100 * ((scores >= 9).astype(float) - (scores <= 6)).std() / np.sqrt(len(scores))
    assert abs(net_promoters(scores.to_numpy()) - np.mean(expected)) < BAND * error
    bias = company.truth.nonresponse_bias(50)
    assert bias["non_response"] > 0
    assert bias["bias"] == pytest.approx(bias["invitation"] + bias["non_response"])


def test_without_its_dial_answering_ignores_satisfaction():
    world = World(
        1,
        20_000,
        8,
        newcomer_share=0.0,
        answer_by_satisfaction=0.0,
        answer_by_tenure=0.0,
        answer_by_country=0.0,
        invite_by_tenure=0.0,
        weight_delivery=0.0,
    )
    assert world.truth.nonresponse_bias(4)["non_response"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "column", "step"),
    [("one step more", "steps", 1), ("ten minutes more waiting", "waiting_minutes", 10)],
)
def test_effort_differences_equal_drawn_answers(company, change, column, step):
    state = company._truth._state
    contact, dials = state.logged("contacts"), company.dials
    per = {"steps": dials.effort_per_step, "waiting_minutes": dials.effort_per_ten_minutes / 10}
    rng = np.random.default_rng(1)
    luck = rng.logistic(size=(200, contact["effort"].size))
    strain = contact["effort"] - TYPICAL_EFFORT
    easy = [
        (-(strain + more) + luck > CES_EASY_CUTS[3]).mean() for more in (0.0, step * per[column])
    ]
    frame = company.truth.effort_differences().set_index("change")
    assert frame.loc[change, "share_easy"] == pytest.approx(easy[1] - easy[0], abs=0.001)


def test_answers_about_contacts_follow_the_effort_truth(company):
    answered = company.responses.query("question == 'ces' and wording == 'easy'")
    answered = answered[answered["contact_id"].notna()].dropna(subset=["score"])
    share = (answered["score"] >= 5).mean()
    frame = company.truth.effort_differences()
    error = np.sqrt(share * (1 - share) / len(answered))
    assert abs(share - frame["share_easy_before"].iloc[0]) < BAND * error


def test_checkout_arms_complete_as_often_as_truth_says(company):
    rows, arms = company._truth._state.logged("checkout"), company.truth.arms
    for short, name in ((False, "five steps"), (True, "two steps")):
        paid = rows["paid"][rows["two_steps"] == short]
        mean = arms[(arms["outcome"] == "cart paid") & (arms["arm"] == name)]["mean"].iloc[0]
        assert abs(paid.mean() - mean) < BAND * np.sqrt(mean * (1 - mean) / paid.size)


def test_offer_arms_buy_as_often_as_truth_says(company):
    rows, arms = company._truth._state.logged("offer trial"), company.truth.arms
    names = {(0, 0): "neither", (1, 0): "asked", (0, 1): "offer", (1, 1): "both"}
    for (asked, offered), name in names.items():
        buys = rows["buys"][(rows["asked"] == asked) & (rows["offered"] == offered)]
        mean = arms[(arms["outcome"] == "extra order") & (arms["arm"] == name)]["mean"].iloc[0]
        assert abs(buys.mean() - mean) <= BAND * np.sqrt(mean * (1 - mean) / buys.size)


def test_everybody_of_the_offer_trial_has_a_chance_in_every_arm(company):
    truth, rows = company.truth.offer_trial(), company._truth._state.logged("offer trial")
    assert len(truth) == rows["customer"].size
    assert (truth.loc[truth["sure"], ["neither", "asked", "offer", "both"]] == 1).all(axis=None)
    assert (truth["both"] >= truth["offer"]).all()
    arms = company.truth.arms.query("trial == 'offer'").set_index("arm")["mean"]
    unsure = truth[~truth["sure"]]
    assert (unsure["neither"] == 0).all()
    # who is sure does not depend on how well offers work, up to luck
    assert abs(unsure["offer"].mean() - arms["offer"]) < 0.2 * arms["offer"]
    orders = company.transactions
    day = company.start + pd.Timedelta(weeks=66)
    bought = orders[
        (orders["ordered_at"] > day) & (orders["ordered_at"] <= day + pd.Timedelta(days=28))
    ]
    bought = truth["customer_id"].isin(bought["customer_id"])
    assert bought[truth["sure"]].all()
    plain = truth["arm"] == "neither"
    assert not bought[plain & ~truth["sure"]].any()
    with pytest.raises(CxError, match="offer trial does not lie"):
        World(7, 60, 52).truth.offer_trial()


def test_whereabouts_are_those_of_the_run(company):
    back = company.events.loc[company.events["kind"] == "returned", "customer_id"]
    truth = company.truth.customers
    truth = truth[~truth["customer_id"].isin(back)]
    start, end = company.start + pd.Timedelta(weeks=40), company.start + pd.Timedelta(weeks=80)
    where = company.truth.whereabouts(truth["customer_id"], start, end)
    own = truth.set_index(truth["customer_id"].astype(object))
    left = company.customers.set_index(company.customers["customer_id"].astype(object))["left_at"]
    left = left.loc[own.index]
    day = pd.concat([own["left_shop_at"], left], axis=1).min(axis=1)
    assert (where[day <= start] == "gone before").all()
    assert (where[day.isna() | (day > end)] == "still here").all()
    assert where[(day > start) & (day <= end)].isin(["left over price", "left otherwise"]).all()
    price = own["left_shop_cause"].eq("price") & left.isna()
    assert (where[price & (day > start) & (day <= end)] == "left over price").all()
    with pytest.raises(CxError, match="1 ids are none"):
        company.truth.whereabouts(["nobody"], start, end)


def test_a_surprise_lifts_the_satisfaction_of_those_surprised(company):
    arms = company.truth.arms.query("trial == 'surprise' and arm == 'yes'")
    assert 0.02 < arms["effect"].iloc[0] < 0.3


def test_calls_keep_as_many_as_truth_says(renewing):
    called, silent = (renewing.twin(do={"called": yes}) for yes in (True, False))
    listed = silent.logged("watch")
    who = np.unique(listed["customer"])
    kept = (silent.left_day[who] >= 0).mean() - (called.left_day[who] >= 0).mean()
    due = listed["leaving"].mean() * renewing.dials.call_saves
    arm = renewing.truth.arms.query("trial == 'watch list' and arm == 'call'")
    assert -arm["effect"].iloc[0] == pytest.approx(due, abs=0.02)
    assert kept == pytest.approx(due, abs=0.06)
    assert kept > 0.05


def test_leavers_return_as_often_as_their_arms_promise(renewing):
    rows = renewing._truth._state.logged("win-back")
    arms = renewing.truth.arms.query("trial == 'win-back'").set_index("arm")["mean"]
    assert rows["customer"].size > 500
    unasked = rows["back"][~rows["offered"]]
    assert abs(unasked.mean() - arms["no offer"]) < BAND * np.sqrt(0.03 / unasked.size)
    fits = rows["offered"] & rows["true_fit"]
    rest = rows["offered"] & ~rows["true_fit"]
    assert rows["back"][fits].mean() > rows["back"][rest].mean() > unasked.mean()
    expected = arms[arms.index.str.endswith("not fitting")].mean()
    error = np.sqrt(expected * (1 - expected) / rest.sum())
    assert abs(rows["back"][rest].mean() - expected) < BAND * error


def test_stated_reasons_are_false_as_often_as_the_dial_says(renewing):
    rows = renewing._truth._state.logged("goodbye")
    false = (rows["cause"] != rows["stated"]).mean()
    dial = renewing.dials.reason_misstated
    assert abs(false - dial) < BAND * np.sqrt(dial * (1 - dial) / rows["cause"].size)
    assert (rows["stated"] == PRICE).mean() > (rows["cause"] == PRICE).mean()


def test_promoters_leave_over_price():
    events = [{"week": 2, "kind": "price_rise", "size": 0.2}]
    world = World(2, 6000, 40, subscription_share=1.0, events=events)
    state, rows = world._truth._state, world._truth._state.logged("goodbye")
    fond = state.history["recommendation"][1, rows["customer"]] > 0.3
    assert (rows["cause"][fond] == PRICE).sum() > 50
    calm = World(2, 6000, 40, subscription_share=1.0, events=[])
    assert (calm._truth._state.logged("goodbye")["cause"] == PRICE).sum() == 0


def test_the_hazard_counts_what_its_chances_expect(company):
    frame = company.truth.hazard_by_week()
    shop = frame[frame["relation"] == "shop"]
    expected = (shop["expected"] * shop["at_risk"]).sum()
    assert abs(shop["left"].sum() - expected) < BAND * np.sqrt(expected)


def test_remaining_value_is_what_the_future_brings():
    world = World(5, 20_000, 30, **PLAIN_PURCHASES)
    expected = world.truth.remaining_value(horizon_weeks=26, discount_rate=0.0)["shop"]
    future = world.truth.realised_future(26)["margin"]
    error = np.std(future - expected) / np.sqrt(len(future))
    assert abs(future.mean() - expected.mean()) < BAND * error
    assert np.corrcoef(expected, future)[0, 1] > 0.5
    discounted = world.truth.remaining_value(horizon_weeks=26, discount_rate=0.2)["shop"]
    assert 0.9 * expected.mean() < discounted.mean() < expected.mean()


def test_contracts_bring_what_remaining_value_says():
    world = World(
        5, 20_000, 20, subscription_share=1.0, events=[], leaving_by_satisfaction=0.0,
        delivery_failure=0.0, contact_failure=0.0, app_failure=0.0,
    )  # fmt: skip
    expected = world.truth.remaining_value(horizon_weeks=30, discount_rate=0.0)["contract"]
    future = world.truth.realised_future(30)["contract_margin"]
    settled = ~world.truth.customers["about_to_leave"] & (
        world._truth._state.renewal_week > 20 + world.dials.usage_decline_weeks
    )
    error = np.std(future[settled] - expected[settled]) / np.sqrt(settled.sum())
    assert abs(future[settled].mean() - expected[settled].mean()) < BAND * error


def test_consent_depends_on_trust_and_shows_in_what_is_tracked(company):
    truth = company.truth.customers
    assert truth["trust"][truth["tracking_consent"]].mean() > 0.2
    tracked = company.events.query("kind == 'visit' and value == 'web shop'")["customer_id"]
    assert truth["tracking_consent"][tracked.cat.codes.unique()].all()


def test_the_pulse_is_as_reliable_as_its_dial():
    world = World(3, 6000, 30, pulse_reliability=1.0)
    noise = World(3, 6000, 30, pulse_reliability=0.0)
    for one, low, high in ((world, 0.85, 1.0), (noise, -0.1, 0.1)):
        pulse = one.responses[one.responses["question"] == "pulse"]
        week = ((pulse["invited_at"] - pd.Timestamp("2024-01-01")).dt.days // DAYS).to_numpy()
        state = one._truth._state
        felt = state.history["satisfaction"][week, pulse["customer_id"].cat.codes]
        assert low < np.corrcoef(felt, pulse["score"])[0, 1] < high


@pytest.mark.parametrize("week", [-1, 30, 10_000, 2.5, "2", None])
def test_weeks_outside_the_world_are_refused(small, week):
    with pytest.raises(CxError, match="week must lie in 0 to 29"):
        small.truth.nps(week)


def test_a_company_of_one_answers_or_refuses():
    world = World(1, 1, 4)
    assert world.overview().set_index("table").loc["contacts", "period"] == ""
    with pytest.raises(CxError, match="nobody could be invited in week 2"):
        world.truth.nonresponse_bias(2)


def test_arms_are_of_trials_that_have_begun():
    trials = World(7, 60, 52).truth.arms["trial"]
    assert {"surprise", "watch list"} >= set(trials) >= {"surprise"}
