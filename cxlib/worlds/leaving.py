"""Why customers leave, what they say about it, and who comes back (mechanism).

The chance to leave is logistic: a base, plus unfinished onboarding, plus the price rise times the
customer's price sensitivity, plus experience (satisfaction, remembered failures, the hidden
cause). Causes take their share of one uniform draw in that order, so the cause of a goodbye is
the term without which the customer would have stayed.

Contracts end at yearly renewals. The decision falls `usage_decline_weeks` before, usage declines
from then on, and a call to a customer on the watch list may turn it round.
"""

from __future__ import annotations

import numpy as np

from cxlib.worlds.company import (
    CAUSES,
    DAYS,
    DELAY_FACTOR,
    DELAYS,
    DELIVERY_CAUSE,
    FIT_FACTOR,
    FITTING_OFFER,
    NEED,
    NO_SUCCESS,
    OFFERS,
    PRICE,
    PRODUCT,
    SERVICE,
    WIN_BACK_CHANNEL_FACTOR,
    WIN_BACK_CHANNELS,
    expit,
    logit,
)
from cxlib.worlds.experience import delivery, quality, service
from cxlib.worlds.state import State

__all__ = ["decide", "leave", "renew", "return_chance", "start", "win_back"]

CONTRACT_WEEKS = 52
PRICE_MEMORY_WEEKS = 52
PRICE_PER_TEN_PERCENT = 0.1


def start(state: State) -> None:
    state.leaving = np.zeros(state.customers, bool)  # decided, not yet gone
    state.leave_cause = np.full(state.customers, -1, np.int8)
    state.leave_chance = np.zeros(state.customers)
    state.stated = np.full(state.customers, -1, np.int8)
    state.returned_week = np.full(state.customers, -1)


def price_push(state: State, week: int, who: np.ndarray) -> np.ndarray:
    """Log-odds of leaving by price rises, fading over a year."""
    push = 0.0
    for event in state.events:
        since = week - event.week
        if event.kind == "price_rise" and 0 <= since < PRICE_MEMORY_WEEKS:
            push += event.size / PRICE_PER_TEN_PERCENT * (1 - since / PRICE_MEMORY_WEEKS)
    return state.dials.price_leaving * push * state.price_sensitivity[who]


def leave(state: State, week: int, who: np.ndarray, base, u: np.ndarray, hardship=0.0) -> tuple:
    """Who leaves, why those who leave do, and everybody's probability.

    Parameters
    ----------
    base : array
        Log-odds of leaving for reasons of the customer's own.
    u : array
        One uniform draw each.
    hardship : array
        Log-odds added by an unfinished onboarding.
    """
    dials = state.dials
    experience = (
        -dials.leaving_by_satisfaction * state.core[who]
        + state.scar["dropout"][who]
        + 0.5 * state.hidden[who]
    )
    price = base + hardship + price_push(state, week, who)
    chance = expit(price + experience)
    gone = u < chance
    if not gone.any():
        return gone, np.zeros(0, np.int8), chance
    who, u = who[gone], u[gone]
    base, hardship, price = (np.broadcast_to(x, gone.size)[gone] for x in (base, hardship, price))
    parts = np.stack(
        [
            dials.weight_quality * quality(state, who),
            dials.weight_service * service(state, who) + state.scar["satisfaction"][who],
            dials.weight_delivery * delivery(state, who),
        ]
    )
    worst = np.array([PRODUCT, SERVICE, DELIVERY_CAUSE])[np.argmin(parts, axis=0)]
    within = [u < expit(base), u < expit(base + hardship), u < expit(price)]
    cause = np.select(within, [NEED, NO_SUCCESS, PRICE], default=worst)
    return gone, cause.astype(np.int8), chance


def contract_base(state: State, who) -> tuple[np.ndarray, np.ndarray]:
    """Log-odds of giving up a contract: the usual ones, and those of unfinished onboarding."""
    dials = state.dials
    base = logit(dials.contract_leaving) - dials.onboarding_effect * (1 - dials.onboarding_share)
    hardship = np.where(state.onboarded[who], 0.0, dials.onboarding_effect)
    return np.full(hardship.size, base), hardship


def decide(state: State, week: int) -> None:
    """Contracts that will not be renewed are given up in the minds of customers."""
    lead = int(state.dials.usage_decline_weeks)
    due = state.renewal_week == week + lead
    if week == 0:
        due = (state.renewal_week >= 0) & (state.renewal_week <= lead)
    who = np.flatnonzero(due & state.contract & ~state.left & ~state.leaving)
    base, hardship = contract_base(state, who)
    renewal = state.renewal_week[who]
    u = state.streams.uniform("leaving contract", who, renewal)
    gone, cause, chance = leave(state, week, who, base, u, hardship)
    state.leaving[who[gone]] = True
    state.leave_cause[who[gone]] = cause
    state.leave_chance[who] = chance
    state.log("decision", customer=who, week=week, renewal=renewal, chance=chance, gone=gone)


def renew(state: State, week: int) -> None:
    """Renewal days: the contract goes on for a year, or the customer leaves."""
    running = state.contract & ~state.left & (state.joined_day <= week * DAYS)
    who = np.flatnonzero(running & (state.renewal_week == week))
    gone = state.leaving[who]
    state.log(
        "contract hazard",
        week=np.array([week]),
        at_risk=np.count_nonzero(running),
        left=np.count_nonzero(gone),
        expected=state.leave_chance[who].sum(),
    )
    stays, leavers = who[~gone], who[gone]
    state.renewal_week[stays] += CONTRACT_WEEKS
    state.log("renewed", customer=stays, day=np.full(stays.size, week * DAYS))
    state.leaving[leavers] = False
    state.left[leavers] = True
    state.left_day[leavers] = week * DAYS
    state.stated[leavers] = _stated(state, leavers, week)
    state.log(
        "goodbye",
        customer=leavers,
        day=np.full(leavers.size, week * DAYS),
        cause=state.leave_cause[leavers],
        stated=state.stated[leavers],
    )
    _plan_win_back(state, week, leavers)


def _stated(state: State, who: np.ndarray, week: int) -> np.ndarray:
    """Stated reasons: `reason_misstated` of them are not the cause; price is the polite excuse."""
    draw = state.streams
    cause = state.leave_cause[who].astype(np.int64)
    false = draw.uniform("leaving misstated", who, week) < state.dials.reason_misstated
    shift = 1 + np.floor(draw.uniform("leaving excuse", who, week) * (len(CAUSES) - 1)).astype(int)
    other = (cause + shift) % len(CAUSES)
    polite = draw.uniform("leaving polite", who, week) < 0.7
    other = np.where(polite & (cause != PRICE), PRICE, other)
    return np.where(false, other, cause).astype(np.int8)


def _plan_win_back(state: State, week: int, who: np.ndarray) -> None:
    """Draw the lottery: offer or none, after how long, by which channel, with which offer."""
    event = state.event("win_back")
    if event is None or not event.active(week):
        return
    draw = state.streams
    offered = draw.uniform("win-back lottery", who) < event.size
    delay = np.floor(draw.uniform("win-back delay", who) * len(DELAYS)).astype(int)
    channel = np.floor(draw.uniform("win-back channel", who) * len(WIN_BACK_CHANNELS)).astype(int)
    offer = np.floor(draw.uniform("win-back offer", who) * len(OFFERS)).astype(int)
    fit = offer == FITTING_OFFER[state.stated[who]]
    true_fit = offer == FITTING_OFFER[state.leave_cause[who]]
    chance = return_chance(state.dials, offered, delay, channel, true_fit)
    back = draw.uniform("win-back returns", who) < chance
    at = week * DAYS + np.array(DELAYS)[delay] * DAYS
    state.log(
        "win-back",
        customer=who,
        day=week * DAYS,
        offer_day=at,
        offered=offered,
        delay=delay,
        channel=channel,
        offer=offer,
        fit=fit,
        true_fit=true_fit,
        back=back,
    )
    after = at + DAYS + np.floor(draw.uniform("win-back pause", who) * 14).astype(int)
    state.later("return", after[back], customer=who[back])


def return_chance(dials, offered, delay, channel, fit) -> np.ndarray:
    """Chance that a leaver returns, by arm; `fit` is the offer's fit to the true cause."""
    factor = DELAY_FACTOR[delay] * WIN_BACK_CHANNEL_FACTOR[channel] * np.where(fit, FIT_FACTOR, 1.0)
    return np.where(offered, np.minimum(dials.win_back_base * factor, 0.95), dials.win_back_unasked)


def win_back(state: State, week: int) -> None:
    """Customers who return this week start again with a new contract."""
    back = state.due("return", week)
    if back is None:
        return
    who = back["customer"]
    state.left[who] = False
    state.in_shop[who] = True
    state.shop_left_day[who], state.shop_cause[who] = -1, -1
    state.returned_week[who] = week
    state.renewal_week[who] = week + CONTRACT_WEEKS
    state.later("back in shop", back["day"], customer=who)
    state.log("returned", customer=who, day=back["day"])
