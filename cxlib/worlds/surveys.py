"""Who is asked, who answers, what they say: every quarter and after touchpoints (mechanism).

Quarterly (Monday): nps, intent and csat in one invitation; the account manager's pulse of large
accounts. After contacts: ces in one of two wordings, and the emotion. After deliveries: csat and
item ratings, and the emotion. After carts: ces. Leavers cannot answer: those known to have left
are not invited, those who left the shop in silence are, in vain.
"""

from __future__ import annotations

import numpy as np

from cxlib.worlds import answers
from cxlib.worlds.comments import comment
from cxlib.worlds.company import (
    CONTACT,
    DAYS,
    DELIVERY,
    ITEMS,
    LARGE,
    ORDER,
    RELATIONSHIP,
    expit,
)
from cxlib.worlds.experience import delivery, quality, service
from cxlib.worlds.journey import phase
from cxlib.worlds.people import eligible, present
from cxlib.worlds.state import State

__all__ = ["QUESTIONS", "WORDINGS", "ask_intention", "quarterly", "start", "touchpoints"]

QUESTIONS = ("nps", "intent", "csat", "ces", "rating", "emotion", "pulse")
NPS, INTENT, CSAT, CES, RATING, EMOTION, PULSE = range(len(QUESTIONS))
WORDINGS = ("effort", "easy")
QUARTER_WEEKS = 13
ASKED_AFTER_CONTACT, ASKED_AFTER_PARCEL, ASKED_AFTER_ORDER = 0.6, 0.25, 0.08
ANSWER_LIFT_AT_TOUCHPOINT = 0.3
# shares of answers 1..k of a contact of typical effort
CES_EASY_CUTS = np.array([-2.9, -2.1, -1.4, -0.6, 0.5, 1.8])
CES_EFFORT_CUTS = np.array([-1.2, 0.3, 1.4, 2.6])
CHECKOUT_EFFORT = {False: 0.9, True: 0.0}
TYPICAL_EFFORT = 1.2


def start(state: State) -> None:
    state.survey_phase = np.floor(state.streams.uniform("survey phase") * QUARTER_WEEKS).astype(int)


NO_SCORE = -128
BLANK = {
    "item": np.int8(-1),
    "wording": np.int8(-1),
    "phase": np.int8(-1),
    "touchpoint": np.int8(RELATIONSHIP),
    "emotion": np.int8(-1),
    "contact": np.int32(-1),
    "order": np.int32(-1),
    "comment": np.int32(-1),
    "weight": np.float32(1.0),
}


def _rows(state: State, week: int, who, question: int, score, given, invited, **more) -> None:
    """Log invitations of the weeks shown; `score` holds the answers of those who have given one."""
    scores = np.full(who.size, NO_SCORE, np.int8)
    scores[given] = score
    last = state.weeks * DAYS
    invited = np.broadcast_to(np.asarray(invited, np.int32), who.size)
    if invited.size and invited.max() >= last:
        kept = invited < last
        more = {key: c[kept] if isinstance(c, np.ndarray) else c for key, c in more.items()}
        who, given, invited, scores = who[kept], given[kept], invited[kept], scores[kept]
    answers_at = np.flatnonzero(given)
    them = who[answers_at]
    delay = state.streams.uniform("survey delay", them, week * 8 + question)
    when = invited[answers_at] + 1 + (4 * delay).astype(np.int32)
    late = (when >= last) | (state.leaving[them] & (when >= state.renewal_week[them] * DAYS))
    answered = np.full(who.size, -1, np.int32)
    answered[answers_at] = when
    answered[answers_at[late]] = -1
    scores[answers_at[late]] = NO_SCORE
    cells = {
        key: value.astype(BLANK[key].dtype) if isinstance(value, np.ndarray) else np.int8(value)
        for key, value in more.items()
    }
    state.log(
        "responses",
        customer=who.astype(np.int32),
        question=np.int8(question),
        score=scores,
        answered=answered,
        invited=invited,
        **{**BLANK, **cells},
    )


def quarterly(state: State, week: int) -> None:
    draw, dials = state.streams, state.dials
    here, known = present(state, week), eligible(state, week)
    state.remember("satisfaction", week, state.satisfaction)
    state.remember("recommendation", week, state.recommendation)
    state.remember("present", week, here)
    state.remember("eligible", week, known)
    turn = np.flatnonzero(known & ((week - state.survey_phase) % QUARTER_WEEKS == 0))
    invite = answers.invite_chance(state, week, turn)
    asked = draw.uniform("survey invitation", turn, week) < invite
    who, weight = turn[asked], 1 / invite[asked]
    willing = answers.answer_chance(state, week, who, state.satisfaction[who])
    given = (draw.uniform("survey answer", who, week) < willing) & here[who]
    monday = week * DAYS
    them = who[given]
    nps = answers.nps_answer(state, them, week, state.recommendation[them])
    words = np.full(who.size, -1)
    words[given] = comment(state, week, them, nps)
    common = {"given": given, "invited": monday, "weight": weight, "phase": phase(state, week, who)}
    _rows(state, week, who, NPS, nps, comment=words, **common)
    intent = answers.intent_answer(state, them, week, state.intention[them])
    _rows(state, week, who, INTENT, intent, **common)
    csat = answers.csat_answer(state, them, week, state.satisfaction[them])
    _rows(state, week, who, CSAT, csat, **common)

    managed = np.flatnonzero(
        here & (state.segment == LARGE) & ((week - state.survey_phase) % QUARTER_WEEKS == 6)
    )
    true = np.sqrt(dials.pulse_reliability) * state.satisfaction[managed]
    false = np.sqrt(1 - dials.pulse_reliability) * draw.normal("survey pulse", managed, week)
    pulse = np.clip(np.round(answers.PULSE_MEAN + answers.PULSE_SLOPE * (true + false)), 1, 5)
    everyone = {"given": np.ones(managed.size, bool), "phase": phase(state, week, managed)}
    _rows(state, week, managed, PULSE, pulse, invited=monday, **everyone)


def ask_intention(state: State, week: int, who: np.ndarray) -> None:
    """The question of intention alone, outside the quarterly survey: an arm of the offer trial."""
    willing = answers.answer_chance(state, week, who, state.satisfaction[who])
    given = state.streams.uniform("survey answer intention", who, week) < willing
    intent = answers.intent_answer(state, who[given], week, state.intention[who[given]])
    phases = phase(state, week, who)
    _rows(state, week, who, INTENT, intent, given=given, invited=week * DAYS, phase=phases)


def _touched(state: State, week: int, name: str, who, at, asked: float) -> tuple:
    """Who is asked after a touchpoint, and which of them answer."""
    chosen = state.streams.uniform(f"survey after {name}", who, at) < asked
    who, at = who[chosen], np.broadcast_to(at, chosen.size)[chosen]
    odds = answers.answer_chance(state, week, who, state.satisfaction[who])
    odds = odds * np.exp(ANSWER_LIFT_AT_TOUCHPOINT)
    given = state.streams.uniform(f"survey answer {name}", who, at) < odds
    return chosen, given & ~state.left[who] & (state.in_shop[who] | state.contract[who])


def touchpoints(state: State, week: int) -> None:
    _after_contacts(state, week)
    _after_parcels(state, week)
    _after_carts(state, week)


def _emotion_code(emotion: np.ndarray) -> np.ndarray:
    return np.digitize(emotion, [-1.5, -0.5, 0.5, 1.5]).astype(np.int8)


def _emotion_rows(state, week, who, emotion, given, **more) -> None:
    score = np.clip(np.round(4 + emotion[given]), 1, 7)
    named = np.where(given, _emotion_code(emotion), -1)
    _rows(state, week, who, EMOTION, score, given, emotion=named, **more)


def ces_answer(state: State, stream: str, who, at, effort: np.ndarray, given) -> tuple:
    """Wording asked of all (0 effort 1-5, 1 easy 1-7), and the given ordered-logit answers."""
    draw = state.streams
    wording = (draw.uniform(f"{stream} wording", who, at) < 0.5).astype(np.int8)
    u = draw.uniform(stream, who[given], at[given])
    strain = effort[given] - TYPICAL_EFFORT + np.log(u) - np.log1p(-u)
    hard = 1 + np.searchsorted(CES_EFFORT_CUTS, strain)
    easy = 1 + np.searchsorted(CES_EASY_CUTS, -strain)
    return wording, np.where(wording[given] == 1, easy, hard)


def share_easy(effort: np.ndarray) -> np.ndarray:
    """Probability of an answer of 5 or more to the easy wording."""
    return expit(-(effort - TYPICAL_EFFORT) - CES_EASY_CUTS[3])


def expected_effort_score(effort: np.ndarray) -> np.ndarray:
    """Mean answer 1-5 to the effort wording."""
    strain = (effort - TYPICAL_EFFORT)[..., None]
    return 1 + expit(strain - CES_EFFORT_CUTS).sum(axis=-1)


def _after_contacts(state: State, week: int) -> None:
    desk = state.desk
    who, at = desk["customer"], desk["at"]
    chosen, given = _touched(state, week, "contact", who, at, ASKED_AFTER_CONTACT)
    who, at, effort = who[chosen], at[chosen], desk["effort"][chosen]
    wording, score = ces_answer(state, "survey ces", who, at, effort, given)
    about = {
        "given": given,
        "invited": desk["closed"][chosen] + 1,
        "touchpoint": CONTACT,
        "contact": desk["row"][chosen],
        "phase": phase(state, week, who),
    }
    _rows(state, week, who, CES, score, wording=wording, **about)
    _emotion_rows(state, week, who, desk["emotion"][chosen], **about)


def _after_parcels(state: State, week: int) -> None:
    parcels = state.parcels
    if parcels is None:
        return
    dials, draw = state.dials, state.streams
    who, number = parcels["customer"], parcels["number"]
    chosen, given = _touched(state, week, "parcel", who, number, ASKED_AFTER_PARCEL)
    who, number = who[chosen], number[chosen]
    about = {
        "invited": parcels["day"][chosen] + 1,
        "touchpoint": DELIVERY,
        "order": parcels["row"][chosen],
        "phase": phase(state, week, who),
    }
    them, parcel = who[given], number[given]
    feeling = state.satisfaction[them]
    to_seven = (answers.CSAT_MEAN, answers.CSAT_SLOPE, 1, 7)
    csat = answers.score(state, "survey parcel", them, parcel, feeling, *to_seven)
    _rows(state, week, who, CSAT, csat, given, **about)
    price = -0.6 * np.log(state.price_sensitivity[them])
    met = (quality(state, them), service(state, them), delivery(state, them))
    for item, own in enumerate((*met, price, state.expectation[them])):
        mixed = (1 - dials.halo) * own + dials.halo * feeling
        stream = f"survey rating {ITEMS[item]}"
        rating = answers.score(state, stream, them, parcel, mixed, *to_seven)
        rated = draw.uniform(f"{stream} missing", them, parcel) >= dials.item_missing
        filled = given.copy()
        filled[given] = rated
        _rows(state, week, who, RATING, rating[rated], filled, item=item, **about)
    _emotion_rows(state, week, who, parcels["emotion"][chosen], given, **about)


def _after_carts(state: State, week: int) -> None:
    carts = state.bought
    who, number = carts["customer"], carts["number"]
    chosen, given = _touched(state, week, "cart", who, number, ASKED_AFTER_ORDER)
    who, number = who[chosen], number[chosen]
    effort = np.where(carts["two_steps"][chosen], CHECKOUT_EFFORT[True], CHECKOUT_EFFORT[False])
    wording, score = ces_answer(state, "survey checkout", who, number, effort, given)
    about = {"order": carts["row"][chosen], "touchpoint": ORDER, "wording": wording}
    about |= {"invited": carts["day"][chosen] + 1, "phase": phase(state, week, who)}
    _rows(state, week, who, CES, score, given, **about)
