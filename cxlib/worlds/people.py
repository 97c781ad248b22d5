"""Who the customers are: country, segment, role, tenure and lasting traits (mechanism)."""

from __future__ import annotations

import numpy as np

from cxlib.worlds.company import (
    COUNTRY_SHARES,
    COUNTRY_STYLE,
    DAYS,
    ROLE_PRICE,
    ROLE_SHARES,
    SEGMENT_MOOD,
    SEGMENT_SHARES,
    choose,
    expit,
    logit,
)
from cxlib.worlds.state import State

__all__ = ["eligible", "present", "start", "tenure"]

LONGEST_TENURE_WEEKS = 260
KNOWN_WEEKS = 52


def start(state: State) -> None:
    """Add what does not change: place, size, role, the day of joining, and traits in SD."""
    draw, dials = state.streams, state.dials
    state.country = choose(COUNTRY_SHARES, draw.uniform("people country"))
    state.segment = choose(SEGMENT_SHARES, draw.uniform("people segment"))
    state.role = choose(ROLE_SHARES, draw.uniform("people role"))

    when = draw.uniform("people joined")
    state.established = draw.uniform("people newcomer") >= dials.newcomer_share
    within = dials.join_weeks or state.span
    first = -np.floor(when * LONGEST_TENURE_WEEKS * DAYS) - 1
    state.joined_time = np.where(state.established, first / DAYS, when * min(within, state.span))
    state.joined_day = np.floor(state.joined_time * DAYS).astype(np.int64)
    state.left = np.zeros(state.customers, bool)
    state.left_day = np.full(state.customers, -1)

    state.hidden = draw.normal("people hidden") * dials.hidden_confounder
    # its mean is 1, so that the dial ties failures to gloom and makes them no more frequent
    state.failure_odds = np.exp(state.hidden - 0.5 * dials.hidden_confounder**2)
    state.taste = (
        0.71 * draw.normal("people taste") + SEGMENT_MOOD[state.segment] - 0.5 * state.hidden
    )
    state.expectation = draw.normal("people expectation")
    state.trust = draw.normal("people trust")
    own = np.exp(0.6 * draw.normal("people price") - 0.18)
    state.price_sensitivity = own * np.exp(ROLE_PRICE[state.role] - 0.35)
    personal = 0.35 * draw.normal("people style")
    state.style = personal + dials.style_by_country * COUNTRY_STYLE[state.country]
    consent = logit(np.clip(dials.consent_share, 1e-9, 1 - 1e-9))
    consent = expit(consent + dials.consent_by_trust * state.trust)
    state.consent = draw.uniform("people consent") < consent
    cost = np.exp(0.4 * draw.normal("people acquisition") - 0.08)
    state.acquisition_cost = dials.acquisition_cost * cost


def tenure(state: State, week: int, who) -> np.ndarray:
    """Standardised tenure: 0 at two and a half years, 1 a year and a half later."""
    return np.clip((week - state.joined_time[who] - 130.0) / 80.0, -2.0, 2.0)


def present(state: State, week: int) -> np.ndarray:
    """Customers on the Monday of a week: joined, not gone, neither openly nor in silence."""
    return (state.joined_day < week * DAYS) & ~state.left & (state.in_shop | state.contract)


def eligible(state: State, week: int) -> np.ndarray:
    """Customers the company believes it has: not openly gone, and a purchase or contract lately."""
    known = (week - state.last_order_week <= KNOWN_WEEKS) | state.contract
    return (state.joined_day < (week - 4) * DAYS) & ~state.left & known
