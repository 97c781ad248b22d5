"""Turning one dial, or adding a mechanism, leaves every draw that is not downstream as it was."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cxlib.worlds.assemble import assemble
from cxlib.worlds.calendar import read_events_dial
from cxlib.worlds.declarations import DIALS
from cxlib.worlds.world import World, simulate

JOINING = {"newcomer_share", "join_weeks"}
SPEND = {"spend_mean", "spend_p", "spend_q", "spend_by_rate"}
DROPOUT = {"dropout_mean", "dropout_concentration"}
CONSENT = {"consent_share", "consent_by_trust"}
SURVEYS = {d.name for d in DIALS if d.group == "surveys"} - CONSENT

# Column of truth or table -> the dials that may change it on rows both worlds have.
CUSTOMER_COLUMNS = {
    "joined_at": JOINING,
    "segment": set(),
    "country": set(),
    "role": set(),
    "plan": {"subscription_share"},
    "onboarded_at": {*JOINING, "subscription_share", "onboarding_share"},
    "acquisition_cost": {"acquisition_cost"},
}
TRUTH_COLUMNS = {
    "rate_per_week": {"orders_per_year", "rate_shape"},
    "dropout_per_order": DROPOUT,
    "mean_spend": SPEND,
    "seats": {"seats_mean", "subscription_share"},
    "price_sensitivity": set(),
    "expectation": set(),
    "trust": set(),
    "tracking_consent": CONSENT,
    "hidden_confounder": {"hidden_confounder"},
}
ORDER_COLUMNS = {"amount": SPEND, "channel": set(), "promised_at": set()}
CONTACT_COLUMNS = {
    "channel": set(),
    "steps": set(),
    "channel_switches": set(),
    "transfers": set(),
    "waiting_minutes": set(),
}
# Dials that end in a few columns: everything else is equal, row by row.
LEAVES = {
    **{name: {"responses": None} for name in SURVEYS},
    **{name: {"events": None} for name in CONSENT},
    **{name: {"transactions": ["amount", "margin"]} for name in SPEND},
    "margin_share": {"transactions": ["margin"]},
    "contact_cost": {"contacts": ["cost"]},
    "acquisition_cost": {"customers": ["acquisition_cost"]},
    "reason_misstated": {"customers": ["leave_reason"]},
    "seat_price": {},
    "app_margin_share": {},
}


def turned(dial) -> float:
    """Another value of the dial, well away from its default."""
    reach = dial.high if dial.high - dial.default > dial.default - dial.low else dial.low
    return dial.default + 0.2 * (reach - dial.default)


@pytest.fixture(scope="module")
def base(early_events):
    return World(5, 120, 14, events=early_events)


def shared(a: pd.DataFrame, b: pd.DataFrame, keys: list[str]) -> tuple:
    """Rows that both frames have, in the same order."""
    a, b = (f.assign(**{k: f[k].astype(str) for k in keys}).set_index(keys) for f in (a, b))
    both = a.index.intersection(b.index)
    return a.loc[both], b.loc[both]


@pytest.mark.parametrize("dial", DIALS, ids=lambda d: d.name)
def test_turning_a_dial_changes_only_what_is_downstream(dial, base, early_events):
    other = World(5, 120, 14, events=early_events, **{dial.name: turned(dial)})
    for column, causes in CUSTOMER_COLUMNS.items():
        if dial.name not in causes:
            pd.testing.assert_series_equal(base.customers[column], other.customers[column])
    for column, causes in TRUTH_COLUMNS.items():
        if dial.name not in causes:
            mine, theirs = base.truth.customers[column], other.truth.customers[column]
            pd.testing.assert_series_equal(mine, theirs)
    for table, keys, columns in (
        ("transactions", ["order_id", "ordered_at"], ORDER_COLUMNS),
        ("contacts", ["contact_id"], CONTACT_COLUMNS),
    ):
        mine, theirs = shared(base.tables[table], other.tables[table], keys)
        assert len(mine) > 0
        for column, causes in columns.items():
            if dial.name not in causes:
                assert (mine[column].astype(str) == theirs[column].astype(str)).all(), column
    if dial.name in LEAVES:
        for table, frame in base.tables.items():
            changed = LEAVES[dial.name].get(table, [])
            if changed is not None:
                pd.testing.assert_frame_equal(
                    frame.drop(columns=changed), other.tables[table].drop(columns=changed)
                )


@pytest.mark.parametrize("name", ["season", "weight_quality", "answer_share", "contract_leaving"])
def test_a_turned_dial_does_change_something(name, base, early_events):
    dial = next(d for d in DIALS if d.name == name)
    other = World(5, 120, 14, events=early_events, **{name: turned(dial)})
    assert any(not frame.equals(other.tables[table]) for table, frame in base.tables.items())


def test_removing_a_later_event_leaves_the_weeks_before_it(base, early_events):
    other = World(5, 120, 14, events=[e for e in early_events if e["kind"] != "price_rise"])
    day = pd.Timestamp("2024-01-01") + pd.Timedelta(weeks=6)
    for table, column in (("transactions", "ordered_at"), ("contacts", "opened_at")):
        mine, theirs = base.tables[table], other.tables[table]
        mine, theirs = mine[mine[column] < day], theirs[theirs[column] < day]
        columns = [c for c in mine if c not in ("order_id", "contact_id", "repeat_of")]
        left, right = mine[columns], theirs[columns]
        known_later = [c for c in ("delivered_at", "closed_at", "failure", "severity") if c in left]
        pd.testing.assert_frame_equal(
            left.drop(columns=known_later), right.drop(columns=known_later)
        )


def test_a_further_mechanism_changes_no_other_draw(base, early_events):
    def start(state):
        state.weather = state.streams.normal("weather")

    def step(state, week):
        state.weather += state.streams.normal("weather week", at=week)

    calendar, _ = read_events_dial(early_events)
    dummy = SimpleNamespace(start=start, step=step)
    state = simulate(5, 120, 14, base.dials, calendar, more=[dummy])
    assert np.ptp(state.weather) > 0
    for table, frame in assemble(state).items():
        pd.testing.assert_frame_equal(frame, base.tables[table])


def test_same_seed_same_tables_other_seed_other_tables(base, early_events):
    again, other = World(5, 120, 14, events=early_events), World(6, 120, 14, events=early_events)
    for table, frame in base.tables.items():
        pd.testing.assert_frame_equal(frame, again.tables[table])
        assert not frame.equals(other.tables[table]), table


def test_a_longer_run_begins_like_the_shorter_one(base):
    longer = base.twin(weeks=20)
    short, long = base.transactions, assemble(longer)["transactions"]
    long = long[long["ordered_at"] < pd.Timestamp("2024-01-01") + pd.Timedelta(weeks=14)]
    columns = ["ordered_at", "amount", "promised_at"]
    pd.testing.assert_frame_equal(short[columns], long[columns])


def test_more_customers_leave_the_first_ones_as_they_were(base, early_events):
    other = World(5, 240, 14, events=early_events)
    frame = other.transactions
    first = frame[frame["customer_id"].cat.codes < 120].reset_index(drop=True)
    columns = ["ordered_at", "amount", "promised_at", "margin"]
    pd.testing.assert_frame_equal(first[columns], base.transactions[columns])
