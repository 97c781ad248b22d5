"""Fans who will not buy, price rises, offers, promises: by hand, against the truth, bad input."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError

RISE = pd.Timestamp("2024-10-07")


@pytest.fixture(scope="module")
def world():
    return cx.World(seed=11, customers=800, weeks=96, answer_share=0.4)


@pytest.fixture(scope="module")
def sittings(world):
    return cx.answers_side_by_side(world.responses, customers=world.customers)


def test_traits_of_the_customers_stand_beside_the_answers(world, sittings):
    own = world.customers.set_index(world.customers["customer_id"].astype(object))["segment"]
    wanted = own.loc[sittings["customer_id"].astype(object)].astype(object).tolist()
    assert sittings["segment"].tolist() == wanted
    assert {"country", "role", "plan"} <= set(sittings)


def test_the_cost_of_quiet_fans_is_the_difference_of_two_cells():
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"customer_id": rng.integers(0, 600, 1100), "nps": 9})
    frame["intent"], frame["churned"] = rng.integers(0, 11, 1100), rng.random(1100) < 0.3
    frame["spend"] = rng.exponential(100, 1100)
    matrix = cx.intent_matrix(frame, outcomes=["churned", "spend"])
    cost = cx.fan_cost(matrix)
    low, high = (matrix.cell("promoter", end) for end in ("low", "high"))
    assert cost.churned.estimate == pytest.approx(low["churned"] - high["churned"])
    assert cost.spend.estimate == pytest.approx(low["spend"] - high["spend"])
    assert cost.answers == low["n"]
    assert cost.to_frame()["estimate"].iloc[2] == pytest.approx(low["n"] * cost.spend.estimate)
    assert "not a sum that a call would bring back" in cost.summary()
    few = cx.fan_cost(cx.intent_matrix(frame[:200], outcomes=["churned", "spend"]))
    assert few.spend is None
    assert "too few to tell their spend" in few.summary()
    assert len(few.to_frame()) == 1


def test_the_watch_list_holds_those_whose_latest_intention_is_low(world, sittings):
    watch = cx.quiet_fans(
        sittings, low_until=5, transactions=world.transactions, customers=world.customers
    )
    gone = set(world.customers.loc[world.customers["left_at"].notna(), "customer_id"])
    last = sittings.dropna(subset=["intent"]).sort_values("answered_at", kind="stable")
    last = last.drop_duplicates("customer_id", keep="last")
    wanted = last[(last["nps"] >= 9) & (last["intent"] <= 5) & ~last["customer_id"].isin(gone)]
    assert set(watch["customer_id"]) == set(wanted["customer_id"])
    assert watch["spent_so_far"].is_monotonic_decreasing
    own = world.transactions[world.transactions["customer_id"] == watch["customer_id"].iloc[0]]
    assert watch["spent_so_far"].iloc[0] == pytest.approx(own["amount"].sum())


def test_false_traits_are_rare_and_true_ones_are_found():
    rng, false = np.random.default_rng(1), 0
    for _ in range(40):
        frame = pd.DataFrame({"customer_id": range(300), "nps": 10})
        frame["intent"] = rng.choice([3, 9], 300)
        frame["country"] = rng.choice(list("ABCDEF"), 300)
        false += cx.fan_traits(cx.intent_matrix(frame), ["country"])["p"].min() < 0.05
    assert false <= 7  # 2 of 40 expected, more than 7 have a chance below 1 in 1,000
    frame["country"] = np.where(frame["intent"] == 3, "A", frame["country"])
    assert cx.fan_traits(cx.intent_matrix(frame), ["country"])["trait"].iloc[0] == "country: A"


def test_after_a_price_rise_by_brute_force(world, sittings):
    found = cx.after_price_rise(
        sittings, world.transactions, RISE, wait_weeks=13, horizon_weeks=13,
        customers=world.customers,
    )  # fmt: skip
    orders = world.transactions.assign(who=world.transactions["customer_id"].astype(object))
    begin, end = RISE + pd.Timedelta(weeks=13), RISE + pd.Timedelta(weeks=26)
    assert found.end == end
    active = set(orders.loc[(orders["ordered_at"] > begin) & (orders["ordered_at"] <= end), "who"])
    left = world.customers.set_index(world.customers["customer_id"].astype(object))["left_at"]
    for row in found.customers.itertuples():
        gone = RISE < left[row.customer_id] <= end
        assert row.churned == (row.customer_id not in active or gone)
        assert RISE - pd.Timedelta(weeks=26) <= row.answered_at < RISE
    fans = found.customers[found.customers["nps"] >= 9]
    assert found.promoters.estimate == fans["churned"].mean()
    where = world.truth.whereabouts(fans["customer_id"], RISE, found.end)
    here = (where == "still here").to_numpy()
    assert fans.loc[here, "churned"].mean() < fans.loc[~here, "churned"].mean()
    assert {"nps", "intent"} == set(found.moved)
    assert "moved by" in found.summary()


def test_waiting_sees_what_the_price_did():
    """With and without a price rise, on the same customers: at once it hides, later it shows."""
    dials = {"seed": 3, "customers": 1500, "weeks": 78, "price_leaving": 5.0, "answer_share": 0.6}
    rise = [{"week": 26, "kind": "price_rise", "size": 0.1}]
    lost = {}
    for events in ([], rise):
        world = cx.World(**dials, events=events)
        said = cx.answers_side_by_side(world.responses)
        for wait in (0, 26):
            found = cx.after_price_rise(
                said, world.transactions, "2024-07-01", wait_weeks=wait, horizon_weeks=25
            )
            lost[len(events), wait] = found.promoters.estimate
    assert lost[1, 26] - lost[0, 26] > 0.2
    assert lost[1, 0] - lost[0, 0] < 0.5 * (lost[1, 26] - lost[0, 26])


@pytest.mark.parametrize("day", ["2020-01-01", "2025-10-20", "2030-01-01", None])
def test_a_price_rise_outside_the_data_is_refused(world, sittings, day):
    wanted = "the date is missing" if day is None else "must lie within the purchases"
    with pytest.raises(CxError, match=wanted):
        cx.after_price_rise(sittings, world.transactions, day)


def test_a_price_rise_needs_answers_before_it(world, sittings):
    late = sittings[sittings["answered_at"] > RISE]
    with pytest.raises(CxError, match="found 0 and 0"):
        cx.after_price_rise(late, world.transactions, RISE)


@pytest.fixture(scope="module")
def tried(world):
    return cx.offer_trial(world.events, world.transactions, responses=world.responses)


def test_the_trial_counts_everybody_in_the_arm_that_was_drawn(world, tried):
    truth = world.truth.offer_trial()
    assert len(tried.customers) == len(truth) == tried.effects.arms["n"].sum()
    both = truth.merge(tried.customers, on="customer_id", suffixes=("", "_drawn"))
    assert (both["arm"] == both["arm_drawn"]).all()
    assert both.loc[both["sure"], "bought"].all()
    assert tried.groups["n"].sum() == len(truth)
    own = tried.groups.set_index("group").loc["not asked"]
    parts = tried.customers[tried.customers["group"] == "not asked"].groupby("arm")["bought"].mean()
    assert own["sure"] == pytest.approx(parts["neither"])
    assert own["persuaded"] == pytest.approx(parts["offer"] - parts["neither"])
    table = tried.against(truth)
    assert len(table) == 5
    assert table["truth"].iloc[0] == pytest.approx((truth["offer"] - truth["neither"]).mean())


def test_the_trial_recovers_the_true_effects():
    held = []
    for seed in range(4):
        world = cx.World(seed=seed, customers=400, weeks=71, answer_share=0.6)
        found = cx.offer_trial(world.events, world.transactions, responses=world.responses)
        held += found.against(world.truth.offer_trial())["held"].tolist()
    # 20 intervals at 95 %: fewer than 15 have a chance below 1 in 1,000 if independent
    assert np.sum(held) >= 15


@pytest.mark.parametrize("arm", ["neither", "asked", "offer", "both"])
def test_a_missing_arm_is_named(world, arm):
    events = world.events[world.events["value"].astype(object) != f"offer trial: {arm}"]
    with pytest.raises(CxError, match=f"no customer in the arms: {arm}"):
        cx.offer_trial(events, world.transactions)


def test_trials_that_cannot_be_read(world):
    with pytest.raises(CxError, match="events are missing"):
        cx.offer_trial(None, world.transactions)
    arms = world.events[world.events["value"].astype(str).str.startswith("offer trial: ")]
    twice = pd.concat([arms, arms.iloc[:1].assign(value="offer trial: none of these")])
    assert len(cx.offer_trial(twice, world.transactions).customers) == len(arms)
    other = {"offer trial: neither": "offer trial: both"}
    moved = arms.iloc[:1].assign(value=arms["value"].iloc[:1].astype(str).replace(other))
    moved = moved.assign(value="offer trial: both", at=moved["at"] + pd.Timedelta(days=1))
    with pytest.raises(CxError, match="1 customers of 'offer trial' are in two arms"):
        cx.offer_trial(pd.concat([arms, moved]), world.transactions)


def test_a_promise_is_kept_or_not():
    rng = np.random.default_rng(6)
    said = pd.DataFrame({"customer_id": range(2000), "intent": rng.integers(0, 11, 2000)})
    said["answered_at"] = pd.Timestamp("2025-02-01")
    bought = rng.random(2000) < 0.3 + 0.03 * said["intent"]
    orders = pd.concat(
        [
            said.assign(ordered_at=pd.Timestamp("2025-01-10")),
            said[bought].assign(ordered_at=pd.Timestamp("2025-03-01")),
            said[:1].assign(ordered_at=pd.Timestamp("2025-12-31")),
        ]
    ).assign(amount=10.0)
    found = cx.promise_kept(said, orders, weeks=13)
    assert found.stated_apart == pytest.approx(0.65, abs=0.02)  # mean 9 against mean 2.5
    assert found.bought_apart.low < 0.03 * 6.5 < found.bought_apart.high
    assert found.to_frame()["n"].sum() == 2000
    assert "Stated 50 %" in found.summary()


@pytest.mark.parametrize(
    ("highest", "scale", "low", "high"), [(5, (1, 5), 3, 4), (7, (1, 7), 4, 6)]
)
def test_a_scale_other_than_ten_is_asked_about(highest, scale, low, high):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"customer_id": range(200), "nps": rng.integers(0, 11, 200)})
    frame["intent"] = rng.integers(1, highest + 1, 200)
    with pytest.raises(CxError, match=rf"Was the scale 1-{highest}\?"):
        cx.intent_matrix(frame)
    matrix = cx.intent_matrix(frame, intent_scale=scale)
    assert (matrix.intent_scale, matrix.low_until, matrix.high_from) == (scale, low, high)
    as_ten = cx.intent_matrix(frame, intent_scale=(0, 10))
    assert (as_ten.low_until, as_ten.high_from) == (5, 8)


def test_no_shared_sittings_say_how_to_join_them():
    frame = pd.DataFrame({"customer_id": [1, 2], "nps": [9, None], "intent": [None, 4]})
    with pytest.raises(CxError, match=r"None of 2 rows.*earlier_weeks"):
        cx.intent_matrix(frame)


def test_an_empty_cell_equal_intentions_and_one_customer_are_shown_as_such():
    frame = pd.DataFrame({"customer_id": range(60), "nps": [10, 5] * 30, "intent": 9})
    frame["spend"], frame["churned"] = np.arange(60.0), [True, False, False] * 20
    matrix = cx.intent_matrix(frame, outcomes=["churned", "spend"])
    assert matrix.cell("promoter", "low")["n"] == 0
    assert matrix.cell("promoter", "high")["churned"] == pytest.approx(1 / 3)
    assert [t.get_text() for t in matrix.plot("churned").texts].count("0 answers") == 7
    with pytest.raises(CxError, match="too few customers to compare"):
        cx.fan_cost(matrix)
    with pytest.raises(CxError, match="0 promoters of low intention and 30 others"):
        cx.fan_traits(matrix, [])
    one = cx.intent_matrix(frame[:1], outcomes=["churned", "spend"])
    assert one.cell("promoter", "high")["small"]
    assert one.cells["churned"].isna().all()
    assert [t.get_text() for t in one.plot("churned").texts].count("<5") == 1
    assert "too few to show" in one.summary()


def test_amounts_of_few_customers_are_not_shown():
    frame = pd.DataFrame({"customer_id": range(158), "nps": [10, 5] * 79, "intent": 9})
    frame["spend"] = np.arange(158.0)
    matrix = cx.intent_matrix(frame, outcomes=["spend"])
    assert np.isnan(matrix.cell("promoter", "high")["spend"])
    assert "79 answers" in [t.get_text().split("\n")[0] for t in matrix.plot("spend").texts]


def test_everybody_of_a_trial_is_followed():
    orders = pd.DataFrame({"customer_id": ["a", "z"], "amount": 5.0})
    orders["ordered_at"] = pd.to_datetime(["2025-02-10", "2025-12-01"])
    answers = pd.DataFrame({"customer_id": ["a", "b"], "answered_at": pd.Timestamp("2025-02-01")})
    with pytest.raises(CxError, match="2 by customers who were not buying"):
        cx.follow_up(answers, orders, horizon_weeks=4)
    found = cx.follow_up(answers, orders, horizon_weeks=4, before_weeks=None)
    assert found["quiet"].tolist() == [False, True]
    assert found["recency_weeks"].isna().all()
    with pytest.raises(CxError, match="file of transactions is missing"):
        cx.follow_up(answers, None, horizon_weeks=4)


def test_rivals_of_a_survey_without_satisfaction_or_purchases():
    rows, rivals = cx.survey_rivals(pd.DataFrame({"nps": [10, 7, None], "intent": [1, 2, 3]}))
    assert rows["nps_class"].tolist() == [2, 1]
    assert "order book" not in rivals
    assert "satisfaction" not in rivals
    full = pd.DataFrame({"nps": [10], "csat": [7], "earlier_rate": [0.1], "recency_weeks": [3.0]})
    rows, rivals = cx.survey_rivals(full)
    assert rows["top2"].tolist() == [1.0]
    assert rivals["order book and answers"] == ["earlier_rate", "recency_weeks", "nps", "csat"]
