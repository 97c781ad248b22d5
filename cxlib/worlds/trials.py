"""Randomised arms that are not woven into a purchase: watch list, asking and offering (mechanism).

Watch list: app customers whose logins of four weeks fell by 30 % against the four before; a coin
decides on a call, which keeps `call_saves` of those about to leave. Asking x offering: a coin
each, once, to every customer of the shop; extra orders come within the weeks of the trial. The
checkout, surprise and win-back arms live with purchases, deliveries and leaving.
"""

from __future__ import annotations

import numpy as np

from cxlib.worlds.app import RING_WEEKS, using
from cxlib.worlds.company import DAYS
from cxlib.worlds.people import eligible, present
from cxlib.worlds.state import State
from cxlib.worlds.surveys import ask_intention

__all__ = ["extra_order_chance", "offers", "start", "watch_list"]

WATCH_FALL = 0.30
WATCH_PAUSE_WEEKS = 26


def start(state: State) -> None:
    state.listed_week = np.full(state.customers, -10_000)
    state.extra_week = np.full(state.customers, -1)


def watch_list(state: State, week: int) -> None:
    event = state.event("watch_list")
    if event is None or not event.active(week) or week < RING_WEEKS:
        return
    who = using(state, week)
    who = who[week - state.listed_week[who] > WATCH_PAUSE_WEEKS]
    slots = np.arange(week - RING_WEEKS, week) % RING_WEEKS
    place = state.app_place[who]
    before = state.usage_ring[slots[:4]].sum(axis=0)[place]
    lately = state.usage_ring[slots[4:]].sum(axis=0)[place]
    fell = (before > 0) & (lately <= (1 - WATCH_FALL) * before)
    who, fall = who[fell], 1 - lately[fell] / before[fell]
    state.listed_week[who] = week
    called = state.streams.uniform("trial call", who, week) < event.size
    called = np.broadcast_to(state.do.get("called", called), who.size)
    about_to_leave = state.leaving[who].copy()
    saved = called & about_to_leave
    saved &= state.streams.uniform("trial call saves", who, week) < state.dials.call_saves
    state.leaving[who[saved]], state.leave_cause[who[saved]] = False, -1
    state.log(
        "watch",
        customer=who,
        day=np.full(who.size, week * DAYS + 1),
        called=called,
        leaving=about_to_leave,
        fall=fall,
    )


def extra_order_chance(dials, intention, asked, offered) -> np.ndarray:
    """Chance of an extra order, by arm; offers work better on customers of high intention."""
    offer = dials.offer_effect * np.exp(0.4 * intention - 0.08)
    offer = offer * np.where(asked, 1 + dials.asking_lifts_offer, 1.0)
    return np.clip(offered * offer + asked * dials.asking_effect, 0.0, 0.95)


def offers(state: State, week: int) -> None:
    event = state.event("offer_trial")
    if event is None or week != event.week:
        return
    draw = state.streams
    who = np.flatnonzero(present(state, week) & eligible(state, week) & state.in_shop)
    asked = draw.uniform("trial asked", who) < 0.5
    offered = draw.uniform("trial offered", who) < event.size
    ask_intention(state, week, who[asked])
    chance = extra_order_chance(state.dials, state.intention[who], asked, offered)
    buys = draw.uniform("trial extra order", who) < chance
    day = week * DAYS + 1 + np.floor(draw.uniform("trial order day", who) * DAYS * event.weeks)
    day = np.minimum(day, (week + event.weeks) * DAYS - 1).astype(np.int64)
    state.later("extra order", day[buys], customer=who[buys])
    state.log(
        "offer trial",
        customer=who,
        day=np.full(who.size, week * DAYS),
        asked=asked,
        offered=offered,
        intention=state.intention[who],
        buys=buys,
    )
