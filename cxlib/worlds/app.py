"""The job-planning app: contracts, seats, onboarding, weekly usage and outages (mechanism).

Usage is seats x logins per seat x the customer's habit x noise. Once a customer has decided not
to renew it falls in a straight line over the last `usage_decline_weeks` weeks, by
`usage_decline_depth` in the last one.
"""

from __future__ import annotations

import numpy as np

from cxlib.worlds.company import DAYS, OUTAGE
from cxlib.worlds.failures import outage_factor, report, severity_of, suppressed
from cxlib.worlds.leaving import CONTRACT_WEEKS
from cxlib.worlds.state import State

__all__ = ["RING_WEEKS", "outages", "start", "step", "using"]

RING_WEEKS = 8
CORE_FEATURES = 8


def start(state: State) -> None:
    draw, dials = state.streams, state.dials
    state.contract = draw.uniform("app contract") < dials.subscription_share
    size = np.exp(0.7 * draw.normal("app seats") - 0.245) * np.array([0.7, 1.1, 2.5])[state.segment]
    state.seats = np.maximum(np.round(size * dials.seats_mean), 1).astype(np.int64)
    first = np.floor(draw.uniform("app renewal") * CONTRACT_WEEKS).astype(np.int64)
    joined_week = state.joined_day // DAYS
    begins = np.where(state.established, first - CONTRACT_WEEKS, joined_week)
    state.renewal_week = np.where(state.contract, begins + CONTRACT_WEEKS, -1)
    state.onboarded = state.contract & (draw.uniform("app onboarding") < dials.onboarding_share)
    takes = 14 + np.floor(draw.uniform("app onboarding days") * 42).astype(np.int64)
    state.onboarded_day = state.joined_day + takes
    state.habit = np.exp(0.4 * draw.normal("app habit") + np.where(state.onboarded, 0.15, -0.2))
    state.app_users = np.flatnonzero(state.contract)
    state.app_place = np.cumsum(state.contract) - 1  # of a contract among the app's users
    state.usage_ring = np.zeros((RING_WEEKS, state.app_users.size), np.int64)


def using(state: State, week: int) -> np.ndarray:
    """Customers with a running contract, by number."""
    who = state.app_users
    return who[~state.left[who] & (state.joined_day[who] <= week * DAYS)]


def step(state: State, week: int) -> None:
    draw, dials = state.streams, state.dials
    who = using(state, week)
    if not who.size and state.has_logged("usage"):
        state.usage_ring[week % RING_WEEKS] = 0
        return
    lead = int(dials.usage_decline_weeks)
    gone = np.clip((week + 1 - state.renewal_week[who] + lead) / lead, 0.0, 1.0)
    level = 1.0 - dials.usage_decline_depth * np.where(state.leaving[who], gone, 0.0)
    noise = np.exp(dials.usage_noise * draw.normal("app usage", who, week))
    mean = state.seats[who] * dials.logins_per_seat * state.habit[who] * level * noise
    u = draw.uniform("app rounding", who, week)
    logins = np.floor(mean + u).astype(np.int64)
    share = 1 - np.exp(-logins / (state.seats[who] * dials.logins_per_seat) * 1.6)
    seats_active = np.minimum(np.ceil(state.seats[who] * share), logins).astype(np.int64)
    features = np.floor(CORE_FEATURES * share * (0.6 + 0.4 * u)).astype(np.int64)
    state.usage_ring[week % RING_WEEKS] = 0
    state.usage_ring[week % RING_WEEKS, state.app_place[who]] = logins
    state.log(
        "usage",
        customer=who.astype(np.int32),
        week=np.int16(week),
        logins=logins.astype(np.int32),
        minutes=np.round(logins * (4 + 8 * u), 1).astype(np.float32),
        core_features=np.minimum(features, logins).astype(np.int16),
        seats_active=seats_active.astype(np.int32),
    )


def outages(state: State, week: int) -> None:
    """Contracts that meet an outage this week; a faulty release multiplies them."""
    draw, dials = state.streams, state.dials
    if suppressed(state, week):
        return
    who = using(state, week)
    wave = outage_factor(state, week)
    chance = np.minimum(dials.app_failure * wave * state.failure_odds[who], 0.95)
    hit = who[draw.uniform("app outage", who, week) < chance]
    day = week * DAYS + np.floor(draw.uniform("app outage day", hit, week) * 5).astype(np.int64)
    severity = severity_of(state, "app severity", hit, week)
    report(state, week, hit, day, slot=1, topic="app", failure=OUTAGE, severity=severity)
