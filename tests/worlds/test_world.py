"""The six tables: the declared columns, plausible numbers, and order of cause and effect."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import betaln, gammaln
from scipy.stats import chi2

from cxlib.errors import CxError
from cxlib.tables.schema import TABLES
from cxlib.worlds.company import DAYS
from cxlib.worlds.dials import PLAIN_PURCHASES
from cxlib.worlds.world import World

START = pd.Timestamp("2024-01-01")


@pytest.fixture(scope="module")
def plain():
    return World(3, 8000, 52, **PLAIN_PURCHASES)


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_declared_columns_in_order(small, name):
    assert list(small.tables[name]) == [c.name for c in TABLES[name].columns]
    assert getattr(small, name) is small.tables[name]
    assert isinstance(small.tables[name]["customer_id"].dtype, pd.CategoricalDtype)


@pytest.mark.parametrize("name", TABLES)
def test_filled_columns_keys_limits_and_choices_hold(small, name):
    frame, table = small.tables[name], TABLES[name]
    for column in table.columns:
        values = frame[column.name]
        if column.filled:
            assert values.notna().all(), column.name
        if column.minimum is not None:
            assert (values.dropna() >= column.minimum).all(), column.name
        if column.maximum is not None:
            assert (values.dropna() <= column.maximum).all(), column.name
        if column.choices:
            assert set(values.dropna().astype(str)) <= set(column.choices), column.name
    if table.key:
        assert not frame.duplicated(list(table.key)).any()


def test_the_company_is_plausible(company):
    """The figures of the company in all notebooks, within loose bounds."""
    customers, orders, answers = company.customers, company.transactions, company.responses
    assert len(customers) == 5000
    assert set(customers["country"]) == {"DE", "AT", "CH", "UK"}
    assert 1100 <= (customers["plan"] == "app").sum() <= 1300
    truth = company.truth.customers
    assert 5 <= truth.loc[truth["seats"] > 0, "seats"].mean() <= 7
    assert 92 <= orders["amount"].mean() <= 112
    assert 3.6 <= truth["rate_per_week"].mean() * 52.18 <= 4.4
    nps = answers[answers["question"] == "nps"]
    assert 0.15 <= nps["score"].notna().mean() <= 0.25
    assert 135 <= customers["acquisition_cost"].mean() <= 165
    state = company._truth._state
    for one in (
        company.truth.customers["satisfaction"],
        state.quality_trait,
        state.service_trait + state.service_run,
        state.delivery_trait + state.delivery_run,
        state.expectation,
    ):
        assert 0.95 <= one.std() <= 1.06  # so that effects in SD are effects in SD


def test_week_zero_begins_on_a_monday(company):
    assert START.day_name() == "Monday"
    assert company.transactions["ordered_at"].min() >= START
    assert company.transactions["ordered_at"].max() < START + pd.Timedelta(weeks=104)


@pytest.mark.parametrize(
    ("table", "before", "after"),
    [
        ("responses", "invited_at", "answered_at"),
        ("transactions", "ordered_at", "delivered_at"),
        ("contacts", "opened_at", "closed_at"),
        ("customers", "joined_at", "left_at"),
        ("customers", "joined_at", "onboarded_at"),
    ],
)
def test_causes_come_before_effects(company, table, before, after):
    frame = company.tables[table].dropna(subset=[before, after])
    assert len(frame) > 50
    assert (frame[before] <= frame[after]).all()


def test_answers_about_contacts_and_orders_come_after_them(company):
    answers = company.responses
    for key, table, column in (
        ("contact_id", company.contacts, "opened_at"),
        ("order_id", company.transactions, "ordered_at"),
    ):
        about = answers.dropna(subset=[key])
        when = about[key].astype(str).map(table.set_index(table[key].astype(str))[column])
        assert len(about) > 1000
        assert (about["invited_at"] >= when).all()


def test_leavers_cannot_answer(company):
    state = company._truth._state
    left = company.customers.set_index("customer_id")["left_at"].dropna()
    for_good = left[state.returned_week[left.index.codes] < 0]
    asked = company.responses[company.responses["customer_id"].isin(for_good.index)]
    asked = asked.dropna(subset=["answered_at"])
    assert len(asked) > 100
    assert (asked["answered_at"] < asked["customer_id"].astype(str).map(for_good.rename(str))).all()
    gone = company.truth.customers.set_index("customer_id")["left_shop_at"].dropna()
    shop = company.customers.set_index("customer_id")["plan"] == "shop"
    gone = gone[shop.loc[gone.index]]
    answers = company.responses
    late = answers[answers["customer_id"].isin(gone.index)]
    late = late[late["question"] == "nps"]
    late = late[late["invited_at"] > late["customer_id"].astype(str).map(gone.rename(str))]
    assert len(late) > 100
    assert late["score"].isna().all()


def test_plain_purchases_follow_bg_nbd(plain):
    """Fader, Hardie & Lee 2005: the likelihood ratio of fitted against true parameters."""
    orders, dials = plain.transactions, plain.dials
    day = (orders["ordered_at"] - START).dt.days.to_numpy() + 0.5
    who = orders["customer_id"].cat.codes.to_numpy()
    born = plain._truth._state.joined_time * DAYS
    count = np.bincount(who, minlength=8000) - 1
    last = np.zeros(8000)
    np.maximum.at(last, who, day)
    x, t_x = count, np.where(count > 0, np.maximum(last - born, 0.01), 0) / DAYS
    length = 52 - born / DAYS
    assert count.min() == 0

    def minus_log_likelihood(logs):
        r, alpha, a, b = np.exp(logs)
        alive = -(r + x) * np.log(alpha + length)
        dead = np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * np.log(alpha + t_x)
        common = betaln(a, b + x) - betaln(a, b) + gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        return -(common + np.where(x > 0, np.logaddexp(alive, dead), alive)).sum()

    # beta(a, b + x) / beta(a, b) is the alive term; a / (b + x - 1) turns it into the dead one
    r = dials.rate_shape
    a = dials.dropout_mean * dials.dropout_concentration
    true = np.log([r, r / (dials.orders_per_year / 52.1786), a, dials.dropout_concentration - a])
    fitted = minimize(minus_log_likelihood, true, method="BFGS")
    ratio = 2 * (minus_log_likelihood(true) - fitted.fun)
    assert ratio < chi2.ppf(1 - 1e-3, 4)  # whole days instead of moments cost a little


def test_plain_spend_follows_gamma_gamma(plain):
    dials = plain.dials
    amount = plain.transactions["amount"]
    mean = dials.spend_mean
    spread = mean**2 / (dials.spend_q - 2) * (dials.spend_q - 1 + dials.spend_p) / dials.spend_p
    by_customer = amount.groupby(plain.transactions["customer_id"], observed=True).first()
    error = np.sqrt(spread / len(by_customer))
    assert abs(by_customer.mean() - mean) < 4 * error


@pytest.mark.parametrize(
    ("dial", "value"), [("season", 0.6), ("trend", 1.0), ("spend_by_rate", 0.5)]
)
def test_dials_that_break_the_model_do(dial, value, plain):
    changed = World(3, 2000, 52, **{**PLAIN_PURCHASES, dial: value}).transactions
    usual = plain.transactions[plain.transactions["customer_id"].cat.codes < 2000]
    if dial == "spend_by_rate":
        counts, spend = (
            changed.groupby("customer_id", observed=True)["amount"].agg(["size", "mean"]).T.values
        )
        assert np.corrcoef(counts, np.log(spend))[0, 1] > 0.2
        return
    late = changed["ordered_at"] >= START + pd.Timedelta(weeks=38)
    late_usual = usual["ordered_at"] >= START + pd.Timedelta(weeks=38)
    assert late.mean() > 1.15 * late_usual.mean()


def test_usage_declines_before_an_end_and_only_then():
    world = World(4, 3000, 60, subscription_share=1.0, contract_leaving=0.5, events=[])
    left = world.customers.dropna(subset=["left_at"])
    week = ((left["left_at"] - START).dt.days // DAYS).to_numpy()
    usage = world.usage.pivot_table(
        index="customer_id", columns="week", values="logins", observed=False, aggfunc="sum"
    ).to_numpy(float, na_value=0.0)
    rows = left["customer_id"].cat.codes.to_numpy()
    keep = week > 20
    rows, week = rows[keep], week[keep]
    lead, depth = int(world.dials.usage_decline_weeks), world.dials.usage_decline_depth

    def total(before):
        return usage[rows, week - before].sum()

    assert total(1) / total(lead + 1) == pytest.approx(1 - depth, abs=0.06)
    assert total(lead + 1) / total(lead + 5) == pytest.approx(1.0, abs=0.06)
    middle = 1 - depth * (lead // 2) / lead
    assert total(lead // 2 + 1) / total(lead + 1) == pytest.approx(middle, abs=0.06)


def test_heaping_noise_and_comments():
    honest = World(2, 2000, 30, heaping=0.0, tone_slip=0.0)
    heaped = World(2, 2000, 30, heaping=1.0)
    scores = heaped.responses.loc[heaped.responses["question"] == "nps", "score"].dropna()
    assert not set(scores) & {1, 4, 6, 7, 9}
    labels, answers = honest.truth.comments, honest.responses
    rows = answers.iloc[labels["row"]]
    assert rows["comment"].notna().all()
    expected = np.select(
        [rows["score"] <= 6, rows["score"] <= 8], ["negative", "neutral"], "positive"
    )
    assert (labels["tone"].to_numpy() == expected).all()
    uk = honest.customers.set_index("customer_id")["country"].loc[rows["customer_id"]] == "UK"
    assert ((labels["language"] == "en").to_numpy() == uk.to_numpy()).all()


def test_a_sealed_world_hides_its_truth_until_it_is_opened():
    world = World(9, 200, 12, sealed=True)
    for name in ("truth", "dials"):
        with pytest.raises(CxError, match="sealed"):
            getattr(world, name)
    truth = world.unseal()
    assert world.truth is truth


def test_sealed_truths_differ_by_seed_keep_given_dials_and_shuffle_weights():
    worlds = [World(s, 20, 4, sealed=True, recovery_excellent_intention=0.4) for s in range(24)]
    for world in worlds:
        world.unseal()
    lifts = {w.dials.recovery_excellent_satisfaction for w in worlds}
    assert lifts == {0.0, 0.1, 0.2, 0.3}
    assert {w.dials.recovery_excellent_intention for w in worlds} == {0.4}
    first = worlds[0].dials
    names = ("weight_quality", "weight_service", "weight_delivery")
    orders = {tuple(w.dials[n] for n in names) for w in worlds}
    assert len(orders) == 6
    assert sorted(first[n] for n in names) == [0.2, 0.35, 0.5]
