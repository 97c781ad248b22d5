"""How a customer feels: experience, expectation, emotions, satisfaction (mechanism).

Lasting satisfaction, in SD of customers::

    core = taste + w_quality quality + w_service service + w_delivery delivery
           - w_expectation expectation + w_peak peak + w_end end

Quality, service and delivery are a lasting trait plus what happened lately. Each touchpoint gives
an emotion (-3 to 3) from its kind, the phase of the life cycle, what was experienced, and chance;
`end` is the latest emotion, `peak` the strongest, both fading. Of several touchpoints of one kind
in one week the last counts. Satisfaction, recommendation and intention are core plus their scars
(see failures) plus, for the latter two, something of their own.
"""

from __future__ import annotations

import numpy as np

from cxlib.worlds.company import (
    DAYS,
    LARGE,
    ONBOARDING,
    PHASE_JOY,
    PHASES,
    RENEWAL,
    TOUCHPOINT_JOY,
    VISIT,
)
from cxlib.worlds.failures import heal
from cxlib.worlds.people import present
from cxlib.worlds.state import State

__all__ = ["fade", "feel", "phase", "start", "step"]

FADING_WEEKS = 13.0
BEFORE_WEEKS, PASSIVE_WEEKS = 8, 26
OWN_RECOMMENDATION, OWN_INTENTION = 0.5, 0.6
CORE_IN_RECOMMENDATION, CORE_IN_INTENTION = 0.85, 0.7
PRICE_ON_INTENTION = 0.15


def start(state: State) -> None:
    draw = state.streams
    shift, dials = state.do.get("shift", {}), state.dials
    state.quality_trait = draw.normal("journey quality") + shift.get("quality", 0.0)
    state.service_trait += shift.get("service", 0.0)
    state.delivery_trait += shift.get("delivery", 0.0)
    state.expectation += shift.get("expectation", 0.0)
    state.lasting = (
        state.taste
        + dials.weight_quality * state.quality_trait
        + dials.weight_service * state.service_trait
        + dials.weight_delivery * state.delivery_trait
        - dials.weight_expectation * state.expectation
    )
    state.peak = np.zeros(state.customers)
    state.end = np.zeros(state.customers)
    state.own_recommendation = OWN_RECOMMENDATION * draw.normal("journey recommendation")
    state.own_intention = OWN_INTENTION * draw.normal("journey intention")
    _update(state, 0)


def phase(state: State, week: int, who=slice(None)) -> np.ndarray:
    """Phase of the life cycle: 0 before steady use, 1 active, 2 passive."""
    passive = week - state.last_order_week[who] > PASSIVE_WEEKS
    young = week - state.joined_time[who] < BEFORE_WEEKS
    active = PHASES.index("active")
    return np.where(young, PHASES.index("before"), active + passive).astype(np.int8)


def feel(state: State, week: int, touchpoint: int, who, experience, remembered=True) -> np.ndarray:
    """Emotion of customers at a touchpoint; kept in peak and end unless a failure was handled."""
    if not who.size:
        return np.zeros(0)
    noise = 0.8 * state.streams.normal(f"journey emotion {touchpoint}", who, week)
    emotion = TOUCHPOINT_JOY[touchpoint] + PHASE_JOY[phase(state, week, who)] + experience + noise
    emotion = np.clip(emotion, -3.0, 3.0)
    kept = np.broadcast_to(remembered, who.size)
    state.end[who[kept]] = emotion[kept]
    stronger = kept & (np.abs(emotion) > np.abs(state.peak[who]))
    state.peak[who[stronger]] = emotion[stronger]
    return emotion


def step(state: State, week: int) -> None:
    """Visits, onboarding and renewals are felt; then feelings are drawn up."""
    draw, dials = state.streams, state.dials
    here = (state.joined_day < (week + 1) * DAYS) & ~state.left
    large = np.flatnonzero(present(state, week) & (state.segment == LARGE))
    seen = large[draw.uniform("journey visit", large, week) < dials.visits_per_year / 52.18]
    feel(state, week, VISIT, seen, 0.0)
    state.log("visit", customer=seen, day=np.full(seen.size, week * DAYS + 2))
    ready = np.flatnonzero(state.onboarded & here & (state.onboarded_day // DAYS == week))
    feel(state, week, ONBOARDING, ready, 0.0)
    renewed = np.flatnonzero(state.contract & here & (state.renewal_week == week + 52))
    feel(state, week, RENEWAL, renewed, 0.0)

    _update(state, week)


def fade(state: State, week: int) -> None:
    """A week passes: emotions, recent experiences and scars lose strength."""
    fading = 0.5 ** (1.0 / FADING_WEEKS)
    for memory in (state.peak, state.end, state.service_run, state.delivery_run):
        memory *= fading
    heal(state)


def _update(state: State, week: int) -> None:
    dials, scar = state.dials, state.scar
    state.release = state.strength("faulty_release", week)
    core = dials.weight_service * state.service_run
    core += state.lasting
    core += dials.weight_delivery * state.delivery_run
    core += dials.peak_weight * state.peak
    core += dials.end_weight * state.end
    if state.release:
        core -= dials.weight_quality * state.release * (state.contract & ~state.left)
    state.core = core
    state.satisfaction = core + scar["satisfaction"]
    state.recommendation = CORE_IN_RECOMMENDATION * core
    state.recommendation += state.own_recommendation
    state.recommendation += scar["recommendation"]
    state.intention = CORE_IN_INTENTION * core
    state.intention += state.own_intention
    state.intention += scar["intention"]
    raised = sum(e.kind == "price_rise" and week >= e.week for e in state.events)
    if raised:
        state.intention -= PRICE_ON_INTENTION * raised * state.price_sensitivity
