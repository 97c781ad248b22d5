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
from cxlib.worlds.journey import phase
from cxlib.worlds.state import State

__all__ = ["QUESTIONS", "ask_intention", "eligible", "present", "quarterly", "start", "touchpoints"]

QUESTIONS = ("nps", "intent", "csat", "ces", "rating", "emotion", "pulse")
NPS, INTENT, CSAT, CES, RATING, EMOTION, PULSE = range(len(QUESTIONS))
WORDINGS = ("effort", "easy")
QUARTER_WEEKS = 13
KNOWN_WEEKS = 52
ASKED_AFTER_CONTACT, ASKED_AFTER_PARCEL, ASKED_AFTER_ORDER = 0.6, 0.25, 0.08
ANSWER_LIFT_AT_TOUCHPOINT = 0.3
# shares of answers 1..k of a contact of typical effort
CES_EASY_CUTS = np.array([-2.9, -2.1, -1.4, -0.6, 0.5, 1.8])
CES_EFFORT_CUTS = np.array([-1.2, 0.3, 1.4, 2.6])
CHECKOUT_EFFORT = {False: 0.9, True: 0.0}
TYPICAL_EFFORT = 1.2


def start(state: State) -> None:
    state.survey_phase = np.floor(state.streams.uniform("survey phase") * QUARTER_WEEKS).astype(int)


def present(state: State, week: int) -> np.ndarray:
    """Customers on the Monday of a week: joined, not gone, neither openly nor in silence."""
    return (state.joined_day < week * DAYS) & ~state.left & (state.in_shop | state.contract)


def eligible(state: State, week: int) -> np.ndarray:
    """Customers the company believes it has: not openly gone, and a purchase or contract lately."""
    known = (week - state.last_order_week <= KNOWN_WEEKS) | state.contract
    return (state.joined_day < (week - 4) * DAYS) & ~state.left & known


BLANK = {
    "item": np.int8(-1),
    "wording": np.int8(-1),
    "touchpoint": np.int8(RELATIONSHIP),
    "emotion": np.int8(-1),
    "contact": np.int32(-1),
    "order": np.int32(-1),
    "comment": np.int32(-1),
    "weight": np.float32(1.0),
}


def _rows(state: State, week: int, who, question: int, score, given, invited, **more) -> None:
    """Log invitations, answered (score) or not (-128)."""
    delay = state.streams.uniform("survey delay", who, week * 8 + question)
    answered = invited + 1 + (4 * delay).astype(np.int32)
    gone_by_then = state.leaving[who] & (answered >= state.renewal_week[who] * DAYS)
    given = given & ~gone_by_then
    cells = {
        key: value.astype(BLANK[key].dtype) if isinstance(value, np.ndarray) else np.int8(value)
        for key, value in more.items()
    }
    state.log(
        "responses",
        customer=who.astype(np.int32),
        question=np.int8(question),
        score=np.where(given, score, -128).astype(np.int8),
        answered=np.where(given, answered, -1).astype(np.int32),
        invited=invited.astype(np.int32) if isinstance(invited, np.ndarray) else np.int32(invited),
        phase=phase(state, week, who),
        **{**BLANK, **cells},
    )


def quarterly(state: State, week: int) -> None:
    draw, dials = state.streams, state.dials
    here, known = present(state, week), eligible(state, week)
    for feeling in ("satisfaction", "recommendation", "intention"):
        state.remember(feeling, week, getattr(state, feeling))
    state.remember("present", week, here)
    state.remember("eligible", week, known)
    turn = np.flatnonzero(known & ((week - state.survey_phase) % QUARTER_WEEKS == 0))
    invite = answers.invite_chance(state, week, turn)
    asked = draw.uniform("survey invitation", turn, week) < invite
    who, weight = turn[asked], 1 / invite[asked]
    willing = answers.answer_chance(state, week, who, state.satisfaction[who])
    given = (draw.uniform("survey answer", who, week) < willing) & here[who]
    monday = week * DAYS
    nps = answers.nps_answer(state, who, week, state.recommendation[who])
    words = comment(state, week, who, given, nps)
    common = {"given": given, "invited": monday, "weight": weight}
    _rows(state, week, who, NPS, nps, comment=words, **common)
    intent = answers.intent_answer(state, who, week, state.intention[who])
    _rows(state, week, who, INTENT, intent, **common)
    csat = answers.csat_answer(state, who, week, state.satisfaction[who])
    _rows(state, week, who, CSAT, csat, **common)

    managed = np.flatnonzero(
        here & (state.segment == LARGE) & ((week - state.survey_phase) % QUARTER_WEEKS == 6)
    )
    true = np.sqrt(dials.pulse_reliability) * state.satisfaction[managed]
    false = np.sqrt(1 - dials.pulse_reliability) * draw.normal("survey pulse", managed, week)
    pulse = np.clip(np.round(answers.PULSE_MEAN + answers.PULSE_SLOPE * (true + false)), 1, 5)
    _rows(state, week, managed, PULSE, pulse, given=np.ones(managed.size, bool), invited=monday)


def ask_intention(state: State, week: int, who: np.ndarray) -> None:
    """The question of intention alone, outside the quarterly survey: an arm of the offer trial."""
    willing = answers.answer_chance(state, week, who, state.satisfaction[who])
    given = state.streams.uniform("survey answer intention", who, week) < willing
    intent = answers.intent_answer(state, who, week, state.intention[who])
    _rows(state, week, who, INTENT, intent, given=given, invited=week * DAYS)


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


def _emotion_rows(state, week, who, emotion, given, invited, touchpoint, **more) -> None:
    score = np.clip(np.round(4 + emotion), 1, 7)
    named = np.where(given, _emotion_code(emotion), -1)
    given_rows = {"given": given, "invited": invited, "touchpoint": touchpoint, "emotion": named}
    _rows(state, week, who, EMOTION, score, **given_rows, **more)


def ces_answer(state: State, stream: str, who, at, effort: np.ndarray) -> tuple:
    """Wording asked (0 effort 1-5, 1 easy 1-7) and the ordered-logit answer."""
    draw = state.streams
    wording = (draw.uniform(f"{stream} wording", who, at) < 0.5).astype(np.int8)
    u = draw.uniform(stream, who, at)
    strain = effort - TYPICAL_EFFORT + np.log(u) - np.log1p(-u)
    hard = 1 + np.searchsorted(CES_EFFORT_CUTS, strain)
    easy = 1 + np.searchsorted(CES_EASY_CUTS, -strain)
    return wording, np.where(wording == 1, easy, hard)


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
    wording, score = ces_answer(state, "survey ces", who, at, effort)
    about = {"contact": desk["row"][chosen]}
    invited = desk["closed"][chosen] + 1
    given = given & (invited < state.weeks * DAYS)
    common = {"given": given, "invited": invited, "touchpoint": CONTACT}
    _rows(state, week, who, CES, score, wording=wording, **common, **about)
    _emotion_rows(state, week, who, desk["emotion"][chosen], given, invited, CONTACT, **about)


def _after_parcels(state: State, week: int) -> None:
    parcels = state.parcels
    if parcels is None:
        return
    dials, draw = state.dials, state.streams
    who, number = parcels["customer"], parcels["number"]
    chosen, given = _touched(state, week, "parcel", who, number, ASKED_AFTER_PARCEL)
    who, number = who[chosen], number[chosen]
    invited = parcels["day"][chosen] + 1
    about = {"order": parcels["row"][chosen], "touchpoint": DELIVERY, "invited": invited}
    feeling = state.satisfaction[who]
    csat = answers.score(
        state, "survey parcel", who, number, feeling, answers.CSAT_MEAN, answers.CSAT_SLOPE, 1, 7
    )
    _rows(state, week, who, CSAT, csat, given=given, **about)
    price = -0.6 * np.log(state.price_sensitivity[who])
    felt = (state.quality, state.service, state.delivery, None, state.expectation)
    for item, column in enumerate(felt):
        own = price if column is None else column[who]
        mixed = (1 - dials.halo) * own + dials.halo * feeling
        stream = f"survey rating {ITEMS[item]}"
        mean, slope = answers.CSAT_MEAN, answers.CSAT_SLOPE
        rating = answers.score(state, stream, who, number, mixed, mean, slope, 1, 7)
        left_out = draw.uniform(f"{stream} missing", who, number) < dials.item_missing
        _rows(state, week, who, RATING, rating, given=given & ~left_out, item=item, **about)
    emotion = parcels["emotion"][chosen]
    _emotion_rows(state, week, who, emotion, given, invited, DELIVERY, order=about["order"])


def _after_carts(state: State, week: int) -> None:
    carts = state.bought
    who, number = carts["customer"], carts["number"]
    chosen, given = _touched(state, week, "cart", who, number, ASKED_AFTER_ORDER)
    who, number = who[chosen], number[chosen]
    effort = np.where(carts["two_steps"][chosen], CHECKOUT_EFFORT[True], CHECKOUT_EFFORT[False])
    wording, score = ces_answer(state, "survey checkout", who, number, effort)
    about = {"order": carts["row"][chosen], "touchpoint": ORDER, "wording": wording}
    _rows(state, week, who, CES, score, given=given, invited=carts["day"][chosen] + 1, **about)
