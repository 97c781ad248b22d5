"""What a failure does: who reports it, how deep it cuts, what recovery makes of it.

Each failure moves four scars at once: on satisfaction, recommendation and intention (SD) and on
dropout (log-odds of leaving). The dials `recovery_LEVEL_OUTCOME` are the moves of a first mild
failure; every point of severity above 2 costs `severity_cost`; a failure within
`repeat_window_weeks` of another costs `repeat_cost` beyond the sum and gains nothing by recovery;
former promoters forgive a share of every loss. Scars heal with half-life `memory_weeks`.
Recovery works through scars alone, so the dials are the whole effect at the time.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from cxlib.worlds.company import DAYS, PROMISED_DAYS, TOPICS, expit, logit
from cxlib.worlds.declarations import OUTCOMES, RECOVERY_LEVELS
from cxlib.worlds.people import present
from cxlib.worlds.state import State

__all__ = [
    "FEELINGS",
    "PROMOTER_LEVEL",
    "aftermath",
    "carrier_factor",
    "failure_risk",
    "force",
    "harm",
    "heal",
    "outage_factor",
    "report",
    "severity_of",
    "start",
    "suppressed",
]

MILD = 2
FEELINGS = ("satisfaction", "recommendation", "intention")
CARRIER_FAILURES = 0.4  # more per day of delay
OUTAGES_AFTER_RELEASE = 8.0  # more per SD of a faulty release
PROMOTER_LEVEL = 0.3  # recommendation in SD from which a customer would answer 9 or 10


def start(state: State) -> None:
    state.scar = {outcome: np.zeros(state.customers) for outcome in OUTCOMES}
    state.failures = np.zeros(state.customers, np.int64)
    state.last_failure = np.full(state.customers, -10_000)
    state.reports = []
    state.severity_steps = binom.cdf(range(4), 4, (state.dials.severity_mean - 1) / 4)
    state.recovery_effect = np.array(
        [[state.dials[f"recovery_{level}_{o}"] for level in RECOVERY_LEVELS] for o in OUTCOMES]
    )


def heal(state: State) -> None:
    for scar in state.scar.values():
        scar *= 0.5 ** (1.0 / state.dials.memory_weeks)


def severity_of(state: State, stream: str, who: np.ndarray, at) -> np.ndarray:
    """Severity 1-5: one plus a binomial count of four, with mean `severity_mean`."""
    return 1 + np.searchsorted(
        state.severity_steps, state.streams.uniform(stream, who, at), side="right"
    )


def suppressed(state: State, week: int) -> bool:
    """Whether a twin forbids natural failures this week."""
    forced = state.do.get("failure")
    return forced is not None and forced["week"] == week


def report(state: State, week, who, day, *, slot, topic, failure, severity, order=-1) -> None:
    """A failure happens: complainers go to the service desk, the silent are harmed unheard."""
    if not who.size and state.has_logged("failure"):
        return
    draw, dials = state.streams, state.dials
    at = week * 64 + np.asarray(slot)
    tendency = logit(np.clip(dials.complain_share, 1e-9, 1 - 1e-9))
    tendency = tendency + 0.35 * (severity - MILD) + 0.25 * state.segment[who]
    speaks = draw.uniform("failure complaint", who, at) < expit(tendency)
    if dials.complain_share in (0.0, 1.0):
        speaks = np.full(who.size, bool(dials.complain_share))
    columns = {
        "customer": who,
        "day": np.minimum(day + (draw.uniform("failure pause", who, at) < 0.5), week * 7 + 6),
        "slot": np.broadcast_to(slot, who.size),
        "topic": np.full(who.size, TOPICS.index(topic)),
        "failure": np.broadcast_to(failure, who.size),
        "severity": severity,
        "order": np.broadcast_to(order, who.size),
    }
    state.reports.append({key: column[speaks] for key, column in columns.items()})
    told = {"week": week, "day": day, "order": order, "failure": failure, "severity": severity}
    state.log("failure", customer=who, **told, silent=~speaks)
    silent = who[~speaks]
    harm(state, week, silent, severity[~speaks], np.zeros(silent.size, np.int64))


def harm(state: State, week: int, who, severity, level) -> None:
    """Move the scars of customers who met a failure of a severity with a level of recovery."""
    if not who.size:
        return
    dials = state.dials
    first = np.zeros(who.size, bool)
    first[np.unique(who, return_index=True)[1]] = True
    again = (week - state.last_failure[who] <= dials.repeat_window_weeks) | ~first
    promoter = state.recommendation[who] >= PROMOTER_LEVEL
    for row, outcome in enumerate(OUTCOMES):
        bad = -1.0 if outcome == "dropout" else 1.0
        move = bad * state.recovery_effect[row, level]
        move = move - dials.severity_cost * np.maximum(severity - MILD, 0)
        move = np.where(again, np.minimum(move, 0.0) - dials.repeat_cost, move)
        move = np.where(promoter & (move < 0), move * (1 - dials.forgiveness), move)
        np.add.at(state.scar[outcome], who, bad * move)
    np.add.at(state.failures, who, 1)
    state.last_failure[who] = week


def force(state: State, week: int) -> None:
    """A twin's forced failure: everybody present meets it, with the recovery asked for."""
    forced = state.do.get("failure")
    if forced is None or forced["week"] != week:
        return
    here = present(state, week)
    state.history["present at failure"] = here
    state.history["failures before"] = state.failures.copy()
    state.history["risk of failure"] = failure_risk(state, week)
    state.history["recommendation before"] = state.recommendation.copy()
    if forced["level"] is not None:
        who = np.flatnonzero(here)
        level = np.full(who.size, RECOVERY_LEVELS.index(forced["level"]))
        harm(state, week, who, np.full(who.size, forced["severity"]), level)


def aftermath(state: State, week: int) -> None:
    """Keep what everybody feels on the Monday after a twin's forced failure."""
    forced = state.do.get("failure")
    if forced is not None and forced["week"] + 1 == week:
        for feeling in FEELINGS:
            state.history[f"{feeling} after"] = getattr(state, feeling).copy()


def failure_risk(state: State, week: int) -> np.ndarray:
    """Each customer's true chance to meet a failure in a week.

    From orders, from the first parcel of who has just joined, from questions, and from the app.
    """
    dials, odds = state.dials, state.failure_odds
    pace = state.clock[week + 1] - state.clock[week]
    parcel = dials.delivery_failure * carrier_factor(state, week) * odds
    outage = dials.app_failure * outage_factor(state, week) * odds
    rate = state.rate * np.exp(dials.rate_by_satisfaction * state.core)
    first = (state.joined_day < week * DAYS) & ~state.established
    first &= state.joined_day + PROMISED_DAYS[state.country] >= week * DAYS
    orders = (rate * pace * state.in_shop + first) * np.minimum(parcel, 0.95)
    wrong = np.minimum(dials.contact_failure * odds, 0.95)
    questions = -np.log1p(-state.question_chance * wrong)
    app = -np.log1p(-np.minimum(outage, 0.95)) * state.contract
    return -np.expm1(-(orders + questions + app))


def carrier_factor(state: State, week: int) -> float:
    """What a new carrier multiplies failures of deliveries by."""
    return 1 + CARRIER_FAILURES * state.strength("new_carrier", week)


def outage_factor(state: State, week: int) -> float:
    """What a faulty release multiplies outages of the app by."""
    return 1 + OUTAGES_AFTER_RELEASE * state.strength("faulty_release", week)
