"""Truth and models against what many simulated customers did: counted, not derived."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.worlds import company
from cxlib.worlds.dials import PLAIN_PURCHASES
from cxlib.worlds.failures import failure_risk
from cxlib.worlds.leaving import return_chance
from cxlib.worlds.world import World, simulate

BAND = 4.0  # standard errors; the seeds are fixed


FITTED_WEEKS = 104


@pytest.fixture(scope="module")
def plain():
    """Rare orders, as the summary merges those of one day: one in a hundred at four a year."""
    return World(5, 20_000, FITTED_WEEKS + 26, orders_per_year=1.5, **PLAIN_PURCHASES)


@pytest.fixture(scope="module")
def fitted(plain):
    until = plain.start + pd.Timedelta(weeks=FITTED_WEEKS)
    early = plain.transactions[plain.transactions["ordered_at"] < until]
    summary = cx.clv.summarize(early, until=until - pd.Timedelta(days=1))
    return cx.clv.BetaGeo().fit(summary), summary


def test_bg_nbd_finds_the_dials_again_within_three_standard_errors(plain, fitted):
    model, dials = fitted[0], plain.dials
    a = dials.dropout_mean * dials.dropout_concentration
    r, alpha = dials.rate_shape, dials.rate_shape / (dials.orders_per_year / (365.25 / 7))
    true = {"r": r, "alpha": alpha, "a": a, "b": dials.dropout_concentration - a}
    for name, value in true.items():
        assert abs(model.params[name] - value) < 3 * model.standard_errors[name], name


def test_gamma_gamma_finds_the_dials_again_within_three_standard_errors(plain):
    summary = cx.clv.summarize(plain.transactions)
    model, dials = cx.clv.GammaGamma().fit(summary), plain.dials
    gamma = dials.spend_mean * (dials.spend_q - 1) / dials.spend_p
    true = {"p": dials.spend_p, "q": dials.spend_q, "gamma": gamma}
    assert set(model.params) == set(true)
    for name, value in true.items():
        assert abs(model.params[name] - value) < 3 * model.standard_errors[name], name


def test_expected_purchases_meet_the_future_by_tenth_of_customers(plain, fitted):
    model, summary = fitted
    expected = model.expected_purchases(summary, 26)
    late = plain.transactions["ordered_at"] >= plain.start + pd.Timedelta(weeks=FITTED_WEEKS)
    counts = plain.transactions[late].groupby("customer_id", observed=True).size()
    came = counts.reindex(summary.index, fill_value=0).to_numpy()
    for part in np.array_split(np.argsort(np.asarray(expected)), 10):
        error = came[part].std() / np.sqrt(part.size)
        assert abs(came[part].mean() - np.asarray(expected)[part].mean()) < BAND * error


def test_the_risk_of_failure_is_how_often_failures_come():
    size, weeks = 20_000, 40
    world = World(3, size, weeks, events=[])
    risks = {}

    def step(state, week):
        risks[week] = failure_risk(state, week)

    watch = SimpleNamespace(start=lambda state: None, step=step)
    state = simulate(3, size, weeks, world.dials, (), more=[watch])
    outside, desk = (pd.DataFrame(state.logged(name)) for name in ("failure", "contacts"))
    wrong = desk[desk["failure"] == company.WRONG_ADVICE]
    expected = met = 0.0
    for week in range(2, weeks):
        hit = np.zeros(size, bool)
        hit[outside["customer"][outside["week"] == week]] = True
        hit[wrong["customer"][wrong["day"] // company.DAYS == week]] = True
        here = state.history["present"][week]
        expected, met = expected + risks[week][here].sum(), met + hit[here].sum()
    assert met > 3000
    assert abs(met - expected) < BAND * np.sqrt(expected)


def test_contracts_at_risk_have_begun_and_leave_as_expected():
    world = World(4, 8000, 60, subscription_share=1.0, events=[])
    contract = world.truth.hazard_by_week().query("relation == 'contract'")
    joined = (world.customers["joined_at"] <= world.start).sum()
    assert contract["at_risk"].iloc[0] == joined
    due = (contract["expected"] * contract["at_risk"]).sum()
    assert contract["left"].sum() == world._truth._state.logged("goodbye")["customer"].size
    assert abs(contract["left"].sum() - due) < BAND * np.sqrt(due)


def test_the_whole_company_s_future_is_what_remaining_value_expects(company):
    truth = company.truth
    value, future = truth.remaining_value(discount_rate=0.0), truth.realised_future(52)
    for expected, realised in (("shop", "margin"), ("contract", "contract_margin")):
        rest = future[realised] - value[expected]
        assert abs(rest.mean()) < BAND * rest.std() / np.sqrt(len(rest))


def test_win_back_returns_as_often_as_the_chance_of_each_leaver():
    events = [{"week": 0, "kind": "win_back"}]
    world = World(6, 8000, 52, subscription_share=1.0, contract_leaving=0.4, events=events)
    rows = world._truth._state.logged("win-back")
    arms = (rows[name] for name in ("offered", "delay", "channel", "true_fit"))
    chance = return_chance(world.dials, *arms)
    error = np.sqrt((chance * (1 - chance)).sum())
    assert abs(rows["back"].sum() - chance.sum()) < BAND * error


def test_who_was_kept_by_a_call_has_no_cause_of_leaving_and_who_returned_has_not_left():
    events = [{"week": 8, "kind": "watch_list"}, {"week": 0, "kind": "win_back"}]
    world = World(
        2, 4000, 40, subscription_share=1.0, contract_leaving=0.5, events=events,
        call_saves=1.0, win_back_base=0.5,
    )  # fmt: skip
    truth, state = world.truth.customers, world._truth._state
    causeless = truth["contract_leave_cause"].isna().to_numpy()
    assert (causeless == ((state.left_day < 0) & ~state.leaving)).all()
    here = truth["in_shop"].to_numpy()
    assert (state.returned_week[here] >= 0).sum() > 100
    assert truth["left_shop_at"][here].isna().all()


def test_shop_revenue_is_on_record_while_renewals_slip(company):
    year = company.transactions["ordered_at"].dt.isocalendar().year
    revenue = company.transactions["amount"].groupby(year).sum()
    assert revenue.loc[2025] > 1.02 * revenue.loc[2024]
    shop = company.truth.hazard_by_week().query("relation == 'shop'")
    assert 3.7 < len(company.transactions) / shop["at_risk"].sum() * 365.25 / 7 < 4.3
    state = company._truth._state
    kept, gone = (state.logged(name)["day"] // 364 for name in ("renewed", "goodbye"))
    first, second = ((kept == y).sum() / ((kept == y).sum() + (gone == y).sum()) for y in (0, 1))
    assert 0.85 < first < 0.93
    assert second < first - 0.02


def test_a_failure_at_its_worst_shows_in_the_next_survey():
    """Tables alone: satisfaction of complainers by the recovery they met, most to least."""
    dials = {"answer_share": 0.9, "invite_share": 1.0, "recovery_none_satisfaction": -2.0}
    world = World(8, 6000, 40, events=[], forgiveness=0.0, repeat_cost=0.0, **dials)
    failed = world.contacts.dropna(subset=["recovery"]).drop_duplicates("customer_id")
    asked = world.responses.query("question == 'csat' and touchpoint == 'relationship'")
    both = asked.dropna(subset=["score"]).merge(
        failed[["customer_id", "opened_at", "recovery"]].astype({"recovery": str}), on="customer_id"
    )
    days = (both["invited_at"] - both["opened_at"]).dt.days
    after = both[(days > 0) & (days < 40)].groupby("recovery")["score"].mean()
    before = both[days < 0].groupby("recovery")["score"].mean()
    change = after - before
    assert change["none"] < -1.0
    assert change["none"] < change["poor"] < change["adequate"] < change["excellent"]


def test_making_a_world_meets_no_deprecated_call():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        World(1, 50, 8)
