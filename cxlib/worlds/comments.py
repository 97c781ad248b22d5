"""What people write: German and English comments built from a topic and a tone (mechanism).

The topic is what weighs most on a customer, with chance; the tone follows the score, except for
`tone_slip` of the comments, whose tone is another. Labels are kept for truth.
"""

from __future__ import annotations

import numpy as np

from cxlib.worlds.company import COUNTRIES
from cxlib.worlds.experience import delivery, quality, service
from cxlib.worlds.state import State

__all__ = ["COMMENT_TOPICS", "LANGUAGES", "TONES", "comment", "comment_texts", "ticket_texts"]

LANGUAGES = ("de", "en")
TONES = ("negative", "neutral", "positive")
COMMENT_TOPICS = ("quality", "service", "delivery", "price", "app")
VARIANTS = 3

_OPENERS = {
    "de": {
        "negative": ("Leider:", "So nicht.", "Wir sind enttäuscht."),
        "neutral": ("Soweit in Ordnung.", "Geht so.", "Nichts Besonderes."),
        "positive": ("Prima!", "Gern wieder.", "Wir sind sehr zufrieden."),
    },
    "en": {
        "negative": ("Sadly:", "Not like this.", "We are disappointed."),
        "neutral": ("All right so far.", "So-so.", "Nothing special."),
        "positive": ("Great!", "Gladly again.", "We are very happy."),
    },
}
_BODIES = {
    "de": {
        "quality": (
            "Die Dichtungen halten nicht.",
            "Das Material ist brauchbar.",
            "Das Material ist top.",
        ),
        "service": (
            "Drei Anrufe, keine Lösung.",
            "Der Service hat geantwortet.",
            "Schnelle und freundliche Hilfe.",
        ),
        "delivery": (
            "Die Lieferung kam viel zu spät.",
            "Lieferung wie angekündigt.",
            "Die Ware war schon am nächsten Tag da.",
        ),
        "price": ("Viel zu teuer geworden.", "Preise wie überall.", "Faire Preise für gute Ware."),
        "app": (
            "Die App stürzt ständig ab.",
            "Die App tut, was sie soll.",
            "Die App spart uns Zeit.",
        ),
    },
    "en": {
        "quality": (
            "The seals do not last.",
            "The material is usable.",
            "The material is first class.",
        ),
        "service": (
            "Three calls and no solution.",
            "Service did reply.",
            "Quick and friendly help.",
        ),
        "delivery": (
            "The parcel came far too late.",
            "Delivery as announced.",
            "It was here the very next day.",
        ),
        "price": (
            "It has become too expensive.",
            "Prices like anywhere.",
            "Fair prices for good stuff.",
        ),
        "app": ("The app keeps crashing.", "The app does its job.", "The app saves us time."),
    },
}
_TICKETS = {
    "de": (
        "Wo bleibt unsere Lieferung?",
        "Frage zum Produkt",
        "Warum ist das teurer geworden?",
        "Die Rechnung stimmt nicht.",
        "Die App lässt sich nicht öffnen.",
        "Welches Material brauchen wir?",
    ),
    "en": (
        "Where is our parcel?",
        "Question about a product",
        "Why has the price gone up?",
        "The invoice is wrong.",
        "The app does not open.",
        "Which material do we need?",
    ),
}


def comment_texts() -> list[str]:
    """All comments, at code ((language x topic) x tone) x variant."""
    return [
        f"{_OPENERS[language][tone][variant]} {_BODIES[language][topic][number]}"
        for language in LANGUAGES
        for topic in COMMENT_TOPICS
        for number, tone in enumerate(TONES)
        for variant in range(VARIANTS)
    ]


def ticket_texts() -> list[str]:
    """All ticket texts, at code language x topic of the contact."""
    return [text for language in LANGUAGES for text in _TICKETS[language]]


def language(state: State, who) -> np.ndarray:
    return (state.country[who] == COUNTRIES.index("UK")).astype(np.int64)


def comment(state: State, week: int, who, nps: np.ndarray) -> np.ndarray:
    """Code of the comment of each who answers, -1 where none is written."""
    draw, dials = state.streams, state.dials
    if not dials.comment_share:
        return np.full(who.size, -1)
    writes = draw.uniform("comment written", who, week) < dials.comment_share
    tone = np.where(nps <= 6, 0, np.where(nps <= 8, 1, 2))
    slip = draw.uniform("comment slip", who, week) < dials.tone_slip
    step = 1 + (draw.uniform("comment other tone", who, week) < 0.5)
    tone = np.where(slip, (tone + step) % 3, tone)
    sign = np.where(tone == 0, -1.0, 1.0)
    good = quality(state, who)
    weight = np.stack(
        [
            dials.weight_quality * good,
            dials.weight_service * service(state, who),
            dials.weight_delivery * delivery(state, who),
            -0.3 * np.log(state.price_sensitivity[who]),
            np.where(state.contract[who], 0.2 * good, -np.inf * sign),
        ]
    )
    chance = [draw.uniform(f"comment topic {topic}", who, week) for topic in COMMENT_TOPICS]
    gumbel = -0.5 * np.log(-np.log(np.stack(chance)))
    topic = np.argmax(weight * sign + gumbel, axis=0)
    variant = np.floor(draw.uniform("comment variant", who, week) * VARIANTS).astype(np.int64)
    code = ((language(state, who) * 5 + topic) * 3 + tone) * VARIANTS + variant
    return np.where(writes, code, -1)
