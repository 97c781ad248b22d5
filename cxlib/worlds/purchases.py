"""The shop: orders by BG/NBD, spend by Gamma-Gamma, bent by season, trend and trials (mechanism).

A customer fills carts at the Poisson rate lambda / c5, where lambda ~ Gamma(r, alpha) and c5 is
the share of carts paid in the usual checkout of five steps; thinning keeps orders Poisson with
rate lambda. After every repeat order the customer leaves the shop for good with probability
p ~ Beta(a, b). Waiting times are exponential on a common clock (`clock[week]`), which season and
trend bend without new draws; `next_cart` is its reading at each customer's next cart, so that a
week touches only those who fill one. Order values follow z ~ Gamma(p, nu), nu ~ Gamma(q, gamma).

Sources: Fader, Hardie & Lee 2005, doi:10.1287/mksc.1040.0098; Fader & Hardie 2013 (Gamma-Gamma).
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, gammaincinv, ndtr, ndtri

from cxlib.worlds.company import DAYS, ORDER_CHANNEL_SHARES, PROMISED_DAYS, choose, logit
from cxlib.worlds.leaving import leave
from cxlib.worlds.state import State

__all__ = ["price_level", "rate_factor", "start", "step"]

WEEKS_A_YEAR = 365.25 / 7
SPEND_GRID = np.linspace(-8.3, 8.2, 4_126)  # normal scores; interpolation is right to 1e-5
SLOWEST = 1e-100  # orders a week: never, but still a number to divide by
BOUGHT = dict.fromkeys(("customer", "number", "row", "day"), np.int64) | {"two_steps": bool}
EXTRA = 1_000_000  # counters of orders that no cart of the customer's own led to


def start(state: State) -> None:
    draw, dials = state.streams, state.dials
    u = np.clip(draw.uniform("purchases rate"), 1e-12, 1 - 1e-12)
    mean_rate = dials.orders_per_year / WEEKS_A_YEAR
    rate = gammaincinv(dials.rate_shape, u) * mean_rate / dials.rate_shape
    state.rate = np.maximum(rate, SLOWEST)
    state.rate_z = ndtri(u)
    a = dials.dropout_mean * dials.dropout_concentration
    b = dials.dropout_concentration - a
    chance = betaincinv(a, b, draw.uniform("purchases dropout"))
    state.dropout = np.clip(chance, 1e-12, 1 - 1e-12)
    gamma = dials.spend_mean * (dials.spend_q - 1) / dials.spend_p
    nu = gammaincinv(dials.spend_q, np.clip(draw.uniform("purchases spend"), 1e-9, None)) / gamma
    tied = np.exp(dials.spend_by_rate * state.rate_z - 0.5 * dials.spend_by_rate**2)
    state.spend_scale = tied / nu
    state.mean_spend = dials.spend_p * state.spend_scale

    state.spend_quantile = gammaincinv(dials.spend_p, ndtr(SPEND_GRID))

    state.in_shop = np.ones(state.customers, bool)
    state.shop_left_day = np.full(state.customers, -1)
    state.shop_cause = np.full(state.customers, -1, np.int8)
    state.carts = np.zeros(state.customers, np.int64)
    state.orders = np.zeros(state.customers, np.int64)
    state.last_order_week = np.where(state.established, 0, -10_000)
    week_work = [rate_factor(state, week) for week in range(state.weeks)]
    state.clock = np.concatenate([[0.0], np.cumsum(week_work)])
    joined = np.clip(state.joined_time, 0.0, state.weeks)
    first = np.interp(joined, np.arange(state.weeks + 1), state.clock)
    state.next_cart = first + _wait(state, state.everybody)
    state.two_steps = draw.uniform("trial checkout") < _share(state, "checkout_trial")


def _share(state: State, kind: str) -> float:
    event = state.event(kind)
    return event.size if event else 0.0


def rate_factor(state: State, week: int) -> float:
    """Season and trend: what every order rate is multiplied by in a week."""
    dials = state.dials
    wave = np.cos(2 * np.pi * (week - dials.season_peak_week) / WEEKS_A_YEAR)
    return float((1 + dials.season * wave) * (1 + dials.trend) ** (week / WEEKS_A_YEAR))


def price_level(state: State, week: int) -> float:
    """Prices in a week against those of week 0."""
    rises = [1 + e.size for e in state.events if e.kind == "price_rise" and e.week <= week]
    return float(np.prod(rises))


def step(state: State, week: int) -> None:
    """Carts, orders and goodbyes of one week; the week's orders are left in `bought`."""
    state.bought = {key: [np.zeros(0, dtype)] for key, dtype in BOUGHT.items()}
    joining = (state.joined_day // DAYS == week) & ~state.established
    _first_orders(state, week, np.flatnonzero(joining))
    _extra_orders(state, week)

    back = state.due("back in shop", week)
    if back is not None:
        state.next_cart[back["customer"]] = state.clock[week] + _wait(state, back["customer"])
    shopping = state.in_shop & ~state.left & (state.joined_day < (week + 1) * DAYS)
    at_risk = np.count_nonzero(shopping)
    tied = state.dials.rate_by_satisfaction
    start, end = state.clock[week : week + 2]
    who = np.flatnonzero(shopping if tied else shopping & (state.next_cart < end))
    pace = (end - start) * np.exp(tied * state.core[who])
    now = np.maximum(state.joined_time[who] - week, 0.0)
    expected = leavers = 0.0
    while who.size:
        until_cart = (state.next_cart[who] - start - now * (end - start)) / pace
        fills = until_cart < 1.0 - now
        if tied:  # who fills none has come further, or less far, than the common clock
            state.next_cart[who[~fills]] -= ((pace - end + start) * (1.0 - now))[~fills]
        who, pace = who[fills], pace[fills]
        now = now[fills] + until_cart[fills]
        stays, chance = _carts(state, week, who, now)
        expected += chance.sum()
        leavers += np.count_nonzero(~stays)
        who, pace, now = who[stays], pace[stays], now[stays]
    state.log(
        "shop hazard", week=np.array([week]), at_risk=at_risk, left=leavers, expected=expected
    )
    state.bought = {key: np.concatenate(parts) for key, parts in state.bought.items()}


def _wait(state: State, who: np.ndarray) -> np.ndarray:
    """How long until the next cart, on the common clock."""
    work = -np.log(state.streams.uniform("purchases wait", who, state.carts[who]))
    return work * state.dials.completion_five_steps / state.rate[who]


def _carts(state: State, week: int, who: np.ndarray, now: np.ndarray) -> tuple:
    """Fill one cart each; return who goes on shopping, and the chances of leaving."""
    draw, dials = state.streams, state.dials
    number = state.carts[who]
    state.carts[who] += 1
    here = np.interp(week + now, [week, week + 1], state.clock[week : week + 2])
    state.next_cart[who] = here + _wait(state, who)
    share = np.full(who.size, dials.completion_five_steps)
    trial = state.event("checkout_trial")
    in_trial = trial is not None and trial.active(week)
    short = np.zeros(who.size, bool)
    if in_trial:
        short = np.broadcast_to(state.do.get("two_steps", state.two_steps[who]), who.size)
        share = np.where(short, dials.completion_two_steps, share)
    paid = draw.uniform("purchases paid", who, number) < share
    day = np.floor((week + now) * DAYS).astype(np.int64)
    if in_trial:
        state.log("checkout", customer=who, day=day, two_steps=short, paid=paid)

    buyers = who[paid]
    _orders(state, week, buyers, day[paid], number[paid], short[paid])
    u = draw.uniform("purchases goodbye", buyers, number[paid])
    gone, cause, chance = leave(state, week, buyers, logit(state.dropout[buyers]), u)
    state.in_shop[buyers[gone]] = False
    state.shop_left_day[buyers[gone]] = day[paid][gone]
    state.shop_cause[buyers[gone]] = cause
    stays = np.ones(who.size, bool)
    stays[np.flatnonzero(paid)[gone]] = False
    return stays, chance


def _first_orders(state: State, week: int, who: np.ndarray) -> None:
    number = np.full(who.size, EXTRA)
    _orders(state, week, who, state.joined_day[who], number)


def _extra_orders(state: State, week: int) -> None:
    extra = state.due("extra order", week)
    if extra is not None:
        keep = state.in_shop[extra["customer"]] & ~state.left[extra["customer"]]
        who = extra["customer"][keep]
        _orders(state, week, who, extra["day"][keep], np.full(who.size, EXTRA + 1 + week))


def _orders(state: State, week: int, who, day, number, two_steps=False) -> None:
    """Log orders and send their parcels on the way."""
    if not who.size and state.has_logged("orders"):
        return
    draw, dials = state.streams, state.dials
    state.orders[who] += 1
    state.last_order_week[who] = week
    u = draw.uniform("order amount", who, number)
    unit = np.interp(ndtri(u), SPEND_GRID, state.spend_quantile)
    amount = unit * state.spend_scale[who] * price_level(state, week)
    amount = np.maximum(np.round(amount, 2), 0.01)
    promised = day + PROMISED_DAYS[state.country[who]]
    u_late = draw.uniform("order late", who, number)
    days = 1 + np.floor(-np.log(u_late / dials.late_share) * 1.2) if dials.late_share else 0
    late = np.where(u_late < dials.late_share, days, 0)
    carrier = state.strength("new_carrier", week)
    if carrier:
        late = late + np.floor(carrier * 2 * draw.uniform("order carrier", who, number) + 0.5)
    early = draw.uniform("order early", who, number) < 0.25
    late = np.where((late == 0) & early, -1, np.minimum(late, 21)).astype(np.int64)
    rows = state.log(
        "orders",
        customer=who,
        number=number,
        day=day,
        amount=amount,
        margin=np.round(amount * dials.margin_share, 2),
        channel=choose(ORDER_CHANNEL_SHARES, draw.uniform("order channel", who, number)),
        promised=promised,
        delivered=promised + late,
    )
    state.later("parcel", promised + late, customer=who, number=number, row=rows, late=late)
    bought = (who, number, rows, day, np.broadcast_to(two_steps, who.size))
    for part, values in zip(state.bought.values(), bought, strict=True):
        part.append(values)
