"""Remaining value of each customer from the true rates, in closed form (plain functions)."""

from __future__ import annotations

import numpy as np

from cxlib.worlds.company import logit
from cxlib.worlds.leaving import CONTRACT_WEEKS, contract_base, leave
from cxlib.worlds.purchases import WEEKS_A_YEAR, price_level, rate_factor
from cxlib.worlds.state import State

__all__ = ["contract_margin", "remaining_value"]

MONTHS = 12


def contract_margin(state: State) -> np.ndarray:
    """Margin of one year of each customer's contract, EUR."""
    return state.seats * state.dials.seat_price * MONTHS * state.dials.app_margin_share


def remaining_value(
    state: State, horizon_weeks: float, discount_rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Expected discounted margin within the horizon, EUR per customer: shop, contract.

    Shop: a living customer orders at rate lambda until the first goodbye, which comes at rate
    lambda p, so that with discount force d the expected orders are
    lambda (1 - exp(-(lambda p + d) h)) / (lambda p + d). Contract: paid for a year at each
    renewal, kept with the chance of today.
    """
    dials, week = state.dials, state.weeks - 1
    force = np.log1p(discount_rate) / WEEKS_A_YEAR
    who = state.everybody
    u = np.ones(state.customers)
    _, _, chance = leave(state, week, who, logit(state.dropout), u)
    rate = state.rate * rate_factor(state, week)
    if dials.rate_by_satisfaction:
        rate = rate * np.exp(dials.rate_by_satisfaction * state.core)
    decay = rate * chance + force
    orders = rate * -np.expm1(-decay * horizon_weeks) / decay
    shop = orders * state.mean_spend * price_level(state, week) * dials.margin_share
    shop = np.where(state.in_shop & ~state.left, shop, 0.0)

    base, hardship = contract_base(state, who)
    _, _, gone = leave(state, week, who, base, u, hardship)
    keep = np.where(state.leaving, 0.0, 1 - gone)
    contract = np.zeros(state.customers)
    wait = state.renewal_week - state.weeks
    for renewal in range(int(horizon_weeks // CONTRACT_WEEKS) + 1):
        due = wait + renewal * CONTRACT_WEEKS
        paid = keep ** (renewal + 1) * contract_margin(state) * np.exp(-force * due)
        contract += np.where(due < horizon_weeks, paid, 0.0)
    return shop, np.where(state.contract & ~state.left, contract, 0.0)
