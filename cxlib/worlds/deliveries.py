"""Parcels: late or not against the promise, whole or not, some with a surprise (mechanism)."""

from __future__ import annotations

import numpy as np

from cxlib.worlds.company import DELIVERY
from cxlib.worlds.failures import carrier_factor, report, severity_of, suppressed
from cxlib.worlds.journey import feel
from cxlib.worlds.state import State

__all__ = ["start", "step"]

EARLY_JOY = 0.05
LONGEST_LATENESS_FELT = 7


def start(state: State) -> None:
    state.delivery_trait = state.streams.normal("delivery trait")
    state.delivery_run = np.zeros(state.customers)
    state.parcels = None


def step(state: State, week: int) -> None:
    state.parcels = parcels = state.due("parcel", week)
    if parcels is None:
        return
    draw, dials = state.streams, state.dials
    who, number, late = parcels["customer"], parcels["number"], parcels["late"]
    felt = np.minimum(np.maximum(late, 0), LONGEST_LATENESS_FELT)
    change = EARLY_JOY * (late < 0) - 0.4 * dials.lateness_cost * felt
    np.add.at(state.delivery_run, who, change)

    trial = state.event("surprise_trial")
    surprised = np.zeros(who.size, bool)
    if trial is not None and trial.active(week):
        surprised = draw.uniform("trial surprise", who, number) < trial.size
        surprised = np.broadcast_to(state.do.get("surprised", surprised), who.size)
    experience = -dials.lateness_cost * felt + dials.surprise_joy * surprised
    parcels["emotion"] = feel(state, week, DELIVERY, who, experience)
    if trial is not None and trial.active(week):
        rows = {"day": parcels["day"], "surprised": surprised, "emotion": parcels["emotion"]}
        state.log("surprise", customer=who, **rows)

    if not suppressed(state, week):
        _failures(state, week, parcels)


def _failures(state: State, week: int, parcels: dict) -> None:
    draw, dials = state.streams, state.dials
    who, number = parcels["customer"], parcels["number"]
    chance = dials.delivery_failure * carrier_factor(state, week) * state.failure_odds[who]
    fails = draw.uniform("delivery failure", who, number) < np.minimum(chance, 0.95)
    hit = who[fails]
    severity = severity_of(state, "delivery severity", hit, number[fails])
    kind = np.floor(draw.uniform("delivery kind", hit, number[fails]) * 3).astype(np.int64)
    report(
        state,
        week,
        hit,
        parcels["day"][fails],
        slot=8 + number[fails] % 56,
        topic="delivery",
        failure=kind,
        severity=severity,
        order=parcels["row"][fails],
    )
    state.log("broken", row=parcels["row"][fails], severity=severity)
