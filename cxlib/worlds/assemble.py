"""From rows of a run to the six tables: names for codes, dates for days, declared columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.worlds import company
from cxlib.worlds.comments import comment_texts, language, ticket_texts
from cxlib.worlds.declarations import RECOVERY_LEVELS
from cxlib.worlds.purchases import EXTRA
from cxlib.worlds.state import State
from cxlib.worlds.surveys import NO_SCORE, QUESTIONS, WORDINGS

__all__ = ["assemble", "customer_type", "dates"]

MICROSECONDS_A_DAY = 86_400_000_000


def dates(days: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """Days since the first Monday as whole dates; NaT where not known."""
    found = np.asarray(days).astype(np.int64)
    found += company.START.astype(np.int64)
    found *= MICROSECONDS_A_DAY
    found = found.view("datetime64[us]")
    if known is not None:
        found[~known] = np.datetime64("NaT", "us")
    return found


def named(codes: np.ndarray, names) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=list(names))


def _frame(columns: dict) -> pd.DataFrame:
    return pd.DataFrame(columns, copy=False)


def _padded(numbers: np.ndarray, width: int) -> pa.Array:
    return pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width=width, padding="0")


def _id_type(strings: pa.Array) -> pd.CategoricalDtype:
    return pd.CategoricalDtype(pd.Index(strings.to_pandas()))


def customer_type(customers: int) -> pd.CategoricalDtype:
    """C000001, C000002, ..."""
    numbers = _padded(np.arange(1, customers + 1), 6)
    return _id_type(pc.binary_join_element_wise("C", numbers, ""))


def _row_type(
    letter: str, customers: int, customer: np.ndarray, number: np.ndarray
) -> pd.CategoricalDtype:
    who = _padded(np.arange(1, customers + 1), 6).take(pa.array(customer))
    number = pc.cast(pa.array(number), pa.string())
    return _id_type(pc.binary_join_element_wise(letter, who, "-", number, ""))


def _of(codes: np.ndarray, dtype: pd.CategoricalDtype) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, dtype=dtype)


def assemble(state: State) -> dict[str, pd.DataFrame]:
    """The six tables by name."""
    who = customer_type(state.customers)
    orders, contacts = state.logged("orders"), state.logged("contacts")
    number = orders["number"]
    extra = np.where(number == EXTRA, 0, 100_000 + number - EXTRA - 1)
    order_type = _row_type(
        "O", state.customers, orders["customer"], np.where(number < EXTRA, number + 1, extra)
    )
    contact_type = _row_type("K", state.customers, contacts["customer"], contacts["at"])
    return {
        "responses": _responses(state, who, order_type, contact_type),
        "transactions": _transactions(state, who, orders, order_type),
        "contacts": _contacts(state, who, contacts, contact_type),
        "customers": _customers(state, who),
        "usage": _usage(state, who),
        "events": _events(state, who),
    }


def _responses(state, who, order_type, contact_type) -> pd.DataFrame:
    rows = state.logged("responses")
    given = rows["score"] != NO_SCORE
    return _frame(
        {
            "customer_id": _of(rows["customer"], who),
            "question": named(rows["question"], QUESTIONS),
            "score": np.where(given, rows["score"], np.nan),
            "answered_at": dates(rows["answered"], given),
            "invited_at": dates(rows["invited"]),
            "item": named(rows["item"], company.ITEMS),
            "wording": named(rows["wording"], WORDINGS),
            "touchpoint": named(rows["touchpoint"], company.TOUCHPOINTS),
            "phase": named(rows["phase"], company.PHASES),
            "emotion": named(np.where(given, rows["emotion"], -1), company.EMOTIONS),
            "contact_id": _of(rows["contact"], contact_type),
            "order_id": _of(rows["order"], order_type),
            "comment": named(np.where(given, rows["comment"], -1), comment_texts()),
            "weight": np.round(rows["weight"].astype(np.float64), 4),
        }
    )


def _transactions(state, who, rows, order_type) -> pd.DataFrame:
    size = rows["customer"].size
    delivered = rows["delivered"] < state.weeks * company.DAYS
    broken = state.logged("broken")
    severity = np.zeros(size)
    if broken:
        severity[broken["row"]] = broken["severity"]
    return _frame(
        {
            "customer_id": _of(rows["customer"], who),
            "ordered_at": dates(rows["day"]),
            "amount": rows["amount"],
            "order_id": _of(np.arange(size), order_type),
            "margin": rows["margin"],
            "channel": named(rows["channel"], company.CHANNELS),
            "promised_at": dates(rows["promised"]),
            "delivered_at": dates(rows["delivered"], delivered),
            "failure": pd.array(severity > 0, dtype="boolean"),
            "severity": _whole(severity, severity > 0),
        }
    )


def _whole(values: np.ndarray, known: np.ndarray | None = None) -> pd.arrays.IntegerArray:
    unknown = np.zeros(values.size, bool) if known is None else ~known
    return pd.arrays.IntegerArray(values.astype(np.int64), unknown)


def _contacts(state, who, rows, contact_type) -> pd.DataFrame:
    size = rows["customer"].size
    failed = rows["failure"] >= 0
    team = rows["agent"] // company.AGENTS_PER_TEAM
    text = language(state, rows["customer"]) * len(company.TOPICS) + rows["topic"]
    closed = rows["closed"] < state.weeks * company.DAYS
    return _frame(
        {
            "contact_id": _of(np.arange(size), contact_type),
            "customer_id": _of(rows["customer"], who),
            "opened_at": dates(rows["day"]),
            "closed_at": dates(rows["closed"], closed),
            "channel": named(rows["channel"], company.CHANNELS),
            "topic": named(rows["topic"], company.TOPICS),
            "agent": named(rows["agent"], company.AGENTS),
            "team": named(team, company.TEAMS),
            "failure": pd.array(failed, dtype="boolean"),
            "severity": _whole(rows["severity"], failed),
            "steps": _whole(rows["steps"]),
            "channel_switches": _whole(rows["channel_switches"]),
            "transfers": _whole(rows["transfers"]),
            "repeat_of": _of(rows["repeat_row"], contact_type),
            "waiting_minutes": rows["waiting_minutes"],
            "resolved_first_contact": pd.array(rows["resolved"], dtype="boolean"),
            "recovery": named(rows["recovery"], RECOVERY_LEVELS),
            "mood": rows["mood"],
            "text": named(text, ticket_texts()),
            "cost": rows["cost"],
        }
    )


def _customers(state, who) -> pd.DataFrame:
    last = state.weeks * company.DAYS
    everybody = state.everybody
    ready = state.onboarded & (state.onboarded_day < last)
    renewing = state.contract & ~state.left
    return _frame(
        {
            "customer_id": _of(everybody, who),
            "joined_at": dates(state.joined_day),
            "left_at": dates(state.left_day, state.left_day >= 0),
            "leave_reason": named(state.stated, company.CAUSES),
            "segment": named(state.segment, company.SEGMENTS),
            "country": named(state.country, company.COUNTRIES),
            "role": named(state.role, company.ROLES),
            "plan": named(state.contract.astype(np.int8), company.PLANS),
            "renews_at": dates(state.renewal_week * company.DAYS, renewing),
            "onboarded_at": dates(state.onboarded_day, ready),
            "acquisition_cost": np.round(state.acquisition_cost, 2),
        }
    )


def _usage(state, who) -> pd.DataFrame:
    rows = state.logged("usage")
    return _frame(
        {
            "customer_id": _of(rows["customer"], who),
            "week": rows["week"].astype(np.int64),
            "logins": _whole(rows["logins"]),
            "minutes": np.round(rows["minutes"].astype(np.float64), 1),
            "core_features": _whole(rows["core_features"]),
            "seats_active": _whole(rows["seats_active"]),
        }
    )


KINDS = ("visit", "step", "offer", "arm", "call", "milestone", "returned")
CHECKOUT_ARMS = ("checkout: five steps", "checkout: two steps")
SURPRISE_ARMS = ("surprise: no", "surprise: yes")
WATCH_ARMS = ("watch list: no call", "watch list: call")
ASKING_ARMS = (
    "offer trial: neither",
    "offer trial: asked",
    "offer trial: offer",
    "offer trial: both",
)
WIN_BACK_ARMS = ("win-back: no offer", "win-back: offer")


def _events(state, who) -> pd.DataFrame:
    parts: list[tuple] = []

    def add(kind: str, customer, day, values, codes) -> None:
        parts.append((kind, customer, day, values, np.broadcast_to(codes, np.size(customer))))

    def add_once(kind: str, customer, day, values, codes=0) -> None:
        """One row per customer, day and value, however often it happened that day."""
        codes = np.broadcast_to(codes, np.size(customer))
        place = (customer * 100_000 + day) * len(values) + codes
        first = np.unique(place, return_index=True)[1]
        add(kind, customer[first], day[first], values, codes[first])

    last = state.weeks * company.DAYS
    allowed = np.flatnonzero(state.consent)
    joined = np.maximum(state.joined_day[allowed], 0)
    add("milestone", allowed, joined, ("tracking allowed",), 0)
    orders = state.logged("orders")
    seen = (orders["channel"] <= 1) & state.consent[orders["customer"]]
    add_once("visit", orders["customer"][seen], orders["day"][seen], ("web shop",))
    ready = np.flatnonzero(state.onboarded & (state.onboarded_day < last))
    ready = ready[state.onboarded_day[ready] >= 0]
    add("milestone", ready, state.onboarded_day[ready], ("onboarded",), 0)
    for name, kind, value in (
        ("visit", "visit", "field visit"),
        ("renewed", "milestone", "renewed"),
        ("returned", "returned", "win-back"),
    ):
        rows = state.logged(name)
        if rows:
            add(kind, rows["customer"], rows["day"], (value,), 0)
    for name, kind, values, column in (
        ("checkout", "arm", CHECKOUT_ARMS, "two_steps"),
        ("checkout", "step", ("cart", "cart, paid"), "paid"),
        ("surprise", "arm", SURPRISE_ARMS, "surprised"),
        ("watch", "arm", WATCH_ARMS, "called"),
    ):
        rows = state.logged(name)
        if rows:
            put = add_once if kind == "arm" else add
            put(kind, rows["customer"], rows["day"], values, rows[column].astype(np.int64))
    _add_contracts(state, add)
    _add_offers(state, add)
    return _stack_events(state, parts, who)


def _add_contracts(state, add) -> None:
    """The seats of each contract, on the day it begins or is first seen."""
    who = np.flatnonzero(state.contract & (state.joined_day < state.weeks * company.DAYS))
    sizes, code = np.unique(state.seats[who], return_inverse=True)
    texts = tuple(f"contract, {size} seats" for size in sizes)
    add("milestone", who, np.maximum(state.joined_day[who], 0), texts, code)


def _add_offers(state, add) -> None:
    rows = state.logged("watch")
    if rows:
        called = rows["called"]
        add("call", rows["customer"][called], rows["day"][called], ("watch list",), 0)
    rows = state.logged("offer trial")
    if rows:
        arm = rows["asked"] + 2 * rows["offered"]
        add("arm", rows["customer"], rows["day"], ASKING_ARMS, arm)
        offered = rows["offered"]
        add("offer", rows["customer"][offered], rows["day"][offered], ("offer trial",), 0)
    rows = state.logged("win-back")
    if rows:
        add("arm", rows["customer"], rows["day"], WIN_BACK_ARMS, rows["offered"].astype(np.int8))
        sent = rows["offered"] & (rows["offer_day"] < state.weeks * company.DAYS)
        offers = tuple(
            f"win-back: {offer}, {channel}, after {weeks} weeks"
            for offer in company.OFFERS
            for channel in company.WIN_BACK_CHANNELS
            for weeks in company.DELAYS
        )
        code = (rows["offer"] * 3 + rows["channel"]) * 3 + rows["delay"]
        add("offer", rows["customer"][sent], rows["offer_day"][sent], offers, code[sent])


def _stack_events(state, parts, who) -> pd.DataFrame:
    names = list(dict.fromkeys(value for part in parts for value in part[3]))
    code_of = {name: code for code, name in enumerate(names)}
    customer = np.concatenate([part[1] for part in parts]).astype(np.int64)
    day = np.concatenate([part[2] for part in parts]).astype(np.int64)
    kind = np.repeat([KINDS.index(part[0]) for part in parts], [np.size(part[1]) for part in parts])
    value = np.concatenate(
        [np.array([code_of[v] for v in part[3]], np.int64)[part[4]] for part in parts]
    )
    place = ((day * state.customers + customer) * len(KINDS) + kind) * len(names) + value
    order = np.argsort(place)
    return _frame(
        {
            "customer_id": _of(customer[order], who),
            "at": dates(day[order]),
            "kind": named(kind[order], KINDS),
            "value": named(value[order], names),
        }
    )
