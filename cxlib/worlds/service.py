"""The service desk: questions, complaints and repeats; effort, agents, recovery, cost (mechanism).

Effort of a contact, in log-odds of an ordered-logit answer::

    effort = steps + channel switches + transfers + repeat + waiting + solved at once
             + channel + agent + team (+ an equal chance part, logistic, when asked)

Effort of questions moves the service experience. The handling of a failure acts through recovery
alone (see failures), so that recovery effects are what their dials say.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from cxlib.worlds.company import (
    AGENTS_PER_TEAM,
    CHANNEL_COST,
    CHANNEL_EFFORT,
    CONTACT,
    CONTACT_CHANNEL_SHARES,
    DAYS,
    LARGE,
    TEAMS,
    TOPICS,
    WRONG_ADVICE,
    choose,
    expit,
    logit,
)
from cxlib.worlds.failures import harm, severity_of, suppressed
from cxlib.worlds.journey import feel
from cxlib.worlds.people import present
from cxlib.worlds.purchases import WEEKS_A_YEAR
from cxlib.worlds.state import State

__all__ = ["effort_index", "start", "step"]

QUESTION_TOPIC_SHARES = (0.25, 0.22, 0.10, 0.18, 0.10, 0.15)
RECOVERY_CUTS = ndtri([0.12, 0.37, 0.75])
RECOVERY_COST = np.array([0.0, 3.0, 8.0, 25.0])
SPOKEN = np.array([False, False, True, False, True, False])  # phone and chat make people wait
TYPICAL_EFFORT = 1.2
TYPICAL_TRANSFERS = 0.40
COMES_BACK = 0.6


def start(state: State) -> None:
    draw, dials = state.streams, state.dials
    state.service_trait = draw.normal("service trait")
    state.service_run = np.zeros(state.customers)
    team = np.repeat(draw.numbers("service teams", len(TEAMS)), AGENTS_PER_TEAM)
    state.agent_z = draw.numbers("service agents", len(TEAMS) * AGENTS_PER_TEAM)
    state.agent_effort = dials.team_sd * team + dials.agent_sd * state.agent_z
    rate = dials.questions_per_year / WEEKS_A_YEAR * np.where(state.segment == LARGE, 2.0, 1.0)
    state.question_chance = np.minimum(rate, 1.0)  # one a week at most


def effort_index(dials, contact: dict, agent_effort: np.ndarray) -> np.ndarray:
    """Effort of contacts in log-odds, from the columns of the contacts table."""
    return (
        dials.effort_per_step * contact["steps"]
        + dials.effort_per_switch * contact["channel_switches"]
        + dials.effort_per_transfer * contact["transfers"]
        + dials.effort_of_repeat * contact["repeated"]
        + dials.effort_per_ten_minutes * contact["waiting_minutes"] / 10
        + dials.effort_of_first_contact * contact["resolved"]
        + CHANNEL_EFFORT[contact["channel"]]
        + agent_effort[contact["agent"]]
    )


def _questions(state: State, week: int) -> dict:
    draw = state.streams
    here = np.flatnonzero(present(state, week))
    asks = here[draw.uniform("service question", here, week) < state.question_chance[here]]
    day = week * DAYS + np.floor(draw.uniform("service day", asks, week) * 5).astype(np.int64)
    topic = choose(QUESTION_TOPIC_SHARES, draw.uniform("service topic", asks, week))
    topic = np.where(state.contract[asks] | (topic != TOPICS.index("app")), topic, 0)
    zero = np.zeros(asks.size, np.int64)
    wrong = np.minimum(state.dials.contact_failure * state.failure_odds[asks], 0.95)
    fails = (draw.uniform("service wrong", asks, week) < wrong) & (not suppressed(state, week))
    return {
        "customer": asks,
        "day": day,
        "slot": zero,
        "topic": topic.astype(np.int64),
        "failure": np.where(fails, WRONG_ADVICE, -1),
        "severity": np.where(fails, severity_of(state, "service severity", asks, week), 0),
        "order": zero - 1,
        "repeat_row": zero - 1,
    }


def _gather(state: State, week: int) -> dict:
    """All cases of the week, one row each: questions, complaints, repeats."""
    batches = [_questions(state, week)]
    for told in state.reports:
        batches.append({**told, "repeat_row": np.full(told["customer"].size, -1)})
    state.reports = []
    again = state.due("repeat", week)
    if again is not None:
        nothing = np.full(again["customer"].size, -1)
        batches.append({**again, "failure": nothing, "severity": nothing + 1, "order": nothing})
    cases = {key: np.concatenate([b[key] for b in batches]) for key in batches[0]}
    _, first = np.unique(cases["customer"] * 64 + cases["slot"], return_index=True)
    return {key: column[first] for key, column in cases.items()}


def step(state: State, week: int) -> None:
    draw, dials = state.streams, state.dials
    case = _gather(state, week)
    who, at = case["customer"], week * 64 + case["slot"]
    case["at"] = at
    case["channel"] = choose(CONTACT_CHANNEL_SHARES, draw.uniform("contact channel", who, at))
    case["repeated"] = case["repeat_row"] >= 0
    home = np.where(case["topic"] == TOPICS.index("app"), 2, state.country[who] % 2)
    strays = draw.uniform("contact routing", who, at)
    team = np.where(strays < 0.15, (home + 1) % len(TEAMS), home)
    seat = np.floor(draw.uniform("contact agent", who, at) * AGENTS_PER_TEAM).astype(np.int64)
    case["agent"] = team * AGENTS_PER_TEAM + seat
    skill = -state.agent_z[case["agent"]]

    case["steps"] = 1 + np.minimum(
        np.floor(-1.3 * np.log(draw.uniform("contact steps", who, at))), 7
    )
    case["channel_switches"] = choose((0.72, 0.20, 0.08), draw.uniform("contact switch", who, at))
    moved = np.where(strays < 0.15, 0.5, 0.0)
    more = draw.uniform("contact transfer", who, at)
    case["transfers"] = choose((0.72, 0.21, 0.07), np.minimum(more + 0.4 * moved, 1 - 1e-9))
    queue = np.exp(1.7 + 0.8 * draw.normal("contact waiting", who, at))
    case["waiting_minutes"] = np.where(SPOKEN[case["channel"]], np.round(queue, 1), 0.0)
    chance = logit(dials.first_contact_share) + 0.3 * skill
    chance = chance - 0.5 * (case["transfers"] - TYPICAL_TRANSFERS)
    solved = draw.uniform("contact solved", who, at) < expit(chance)
    case["resolved"] = solved & ~case["repeated"]  # in the first contact, as the table says
    case["effort"] = effort_index(dials, case, state.agent_effort)
    takes = 1 + np.floor(5 * draw.uniform("contact days", who, at)).astype(np.int64)
    case["closed"] = case["day"] + np.where(solved, 0, takes)

    failed = case["failure"] >= 0
    good = dials.recovery_mean + 0.4 * skill + 0.5 * (state.segment[who] == LARGE)
    good = good - 0.5 * state.hidden[who] - 0.12
    good = good + draw.normal("contact recovery", who, at)
    case["recovery"] = np.where(failed, np.searchsorted(RECOVERY_CUTS, good), -1)
    harm(state, week, who[failed], case["severity"][failed], case["recovery"][failed])
    _feel(state, week, case, failed)
    _keep(state, week, case, failed, solved)


def _feel(state: State, week: int, case: dict, failed: np.ndarray) -> None:
    who, dials = case["customer"], state.dials
    strain = case["effort"] - TYPICAL_EFFORT
    plain = ~failed
    np.add.at(state.service_run, who[plain], -dials.effort_to_service * strain[plain])
    experience = -0.3 * strain - 0.5 * failed * (case["severity"] / 2)
    case["emotion"] = feel(state, week, CONTACT, who, experience, remembered=plain)
    tension = 0.4 * state.satisfaction[who] - 0.4 * failed * case["severity"] - 0.2 * strain
    tension = tension - 0.6 * state.leaving[who]
    noise = state.streams.normal("contact mood", who, case["at"])
    case["mood"] = np.round(np.tanh(0.5 * tension + 0.4 * noise), 2)


def _keep(state: State, week: int, case: dict, failed: np.ndarray, solved: np.ndarray) -> None:
    draw, dials = state.streams, state.dials
    who, at = case["customer"], case["at"]
    work = 1 + 0.15 * case["steps"] + 0.4 * case["transfers"]
    cost = dials.contact_cost * CHANNEL_COST[case["channel"]] * work
    cost = cost + np.where(failed, RECOVERY_COST[case["recovery"]], 0.0)
    kept = {key: column for key, column in case.items() if key != "slot"}
    case["row"] = state.log("contacts", **kept, cost=np.round(cost, 2))
    returns = ~solved & ~case["repeated"]
    returns &= draw.uniform("contact returns", who, at) < COMES_BACK
    pause = 4 + np.floor(draw.uniform("contact pause", who, at) * 10).astype(np.int64)
    day = np.maximum(case["day"] + pause, (week + 1) * DAYS)
    state.later(
        "repeat",
        day[returns],
        customer=who[returns],
        slot=2 + case["slot"][returns] % 6,
        topic=case["topic"][returns],
        repeat_row=case["row"][returns],
    )
    state.desk = case
