"""How a feeling becomes a score: noise, response style, survey mode, heaping (plain functions).

Every customer has a would-be answer to every question in every week, whether asked or not: truth
reads them all, surveys keep those that were given.
"""

from __future__ import annotations

import numpy as np

from cxlib.worlds.company import COUNTRY_ANSWERING, expit, logit
from cxlib.worlds.people import tenure
from cxlib.worlds.state import State

__all__ = [
    "NPS_MEAN",
    "NPS_SLOPE",
    "answer_chance",
    "invite_chance",
    "mode_shift",
    "nps_answer",
    "score",
]

NPS_MEAN, NPS_SLOPE = 8.2, 1.8
INTENT_MEAN, INTENT_SLOPE = 6.8, 2.0
CSAT_MEAN, CSAT_SLOPE = 5.1, 1.05
PULSE_MEAN, PULSE_SLOPE = 3.3, 0.9
EMAIL_ANSWERING = -0.35
POPULAR = {1: 0, 4: 5, 6: 5, 7: 8, 9: 10}


def mode_shift(state: State, week: int) -> float:
    """Points by which the way of asking moves scores of 0-10 in a week."""
    event = state.event("survey_mode")
    return event.size if event is not None and week >= event.week else 0.0


def score(state, stream, who, at, feeling, mean, slope, low, high, shift=0.0) -> np.ndarray:
    """Round a feeling in SD to a scale, after noise, style (in points of 0-10) and mode."""
    noise = state.dials.score_noise * state.streams.normal(stream, who, at)
    points = (state.style[who] + shift) * (high - low) / 10
    return np.clip(np.round(mean + slope * (feeling + noise) + points), low, high).astype(np.int8)


def heap(state: State, stream: str, who, at, answers: np.ndarray) -> np.ndarray:
    """Move a share of the answers next to 0, 5, 8 and 10 onto them."""
    onto = np.arange(11, dtype=np.int8)
    for near, popular in POPULAR.items():
        onto[near] = popular
    lazy = state.streams.uniform(stream, who, at) < state.dials.heaping
    return np.where(lazy, onto[answers], answers)


def nps_answer(state: State, who, week: int, feeling, *, as_asked=True) -> np.ndarray:
    """Would-be answers to the question of recommendation in a week."""
    if not as_asked:
        return np.clip(np.round(NPS_MEAN + NPS_SLOPE * feeling), 0, 10).astype(np.int8)
    shift = mode_shift(state, week)
    raw = score(state, "survey nps", who, week, feeling, NPS_MEAN, NPS_SLOPE, 0, 10, shift)
    return heap(state, "survey nps heap", who, week, raw)


def intent_answer(state: State, who, week: int, feeling) -> np.ndarray:
    """Answers 0-10 to "how likely will you order in the next three months"."""
    shift = mode_shift(state, week)
    raw = score(state, "survey intent", who, week, feeling, INTENT_MEAN, INTENT_SLOPE, 0, 10, shift)
    return heap(state, "survey intent heap", who, week, raw)


def csat_answer(state: State, who, at, feeling) -> np.ndarray:
    return score(state, "survey csat", who, at, feeling, CSAT_MEAN, CSAT_SLOPE, 1, 7)


def invite_chance(state: State, week: int, who) -> np.ndarray:
    """Chance to be invited this quarter: older customers and answering countries more often."""
    dials = state.dials
    base = logit(np.minimum(dials.invite_share, 1 - 1e-9))
    place = 0.5 * dials.answer_by_country * COUNTRY_ANSWERING[state.country[who]]
    return expit(base + dials.invite_by_tenure * tenure(state, week, who) + place)


def answer_chance(state: State, week: int, who, feeling) -> np.ndarray:
    """Chance to answer: by tenure, country, mode, and by satisfaction itself."""
    dials = state.dials
    mode = state.event("survey_mode")
    late = EMAIL_ANSWERING if mode is not None and week >= mode.week else 0.0
    return expit(
        logit(np.minimum(dials.answer_share, 1 - 1e-9))
        + late
        + dials.answer_by_tenure * tenure(state, week, who)
        + dials.answer_by_country * COUNTRY_ANSWERING[state.country[who]]
        + dials.answer_by_satisfaction * feeling
    )
