"""Names and fixed facts of the company: calendar, countries, segments, teams, channels, words."""

from __future__ import annotations

import numpy as np

START = np.datetime64("2024-01-01", "D")  # week 0 begins on this Monday
DAYS = 7

COUNTRIES = ("DE", "AT", "CH", "UK")
COUNTRY_SHARES = (0.60, 0.12, 0.13, 0.15)
PROMISED_DAYS = np.array([2, 3, 3, 3])
# reserved, plain, plain, generous: multiplied by the dials of answering and of style
COUNTRY_ANSWERING = np.array([0.2, 0.6, -0.4, -1.0])
COUNTRY_STYLE = np.array([-0.4, 0.1, -0.1, 1.4])

SEGMENTS = ("small", "medium", "large")
SEGMENT_SHARES = (0.60, 0.30, 0.10)
LARGE = 2
SEGMENT_MOOD = np.array([-0.05, 0.0, 0.30])

ROLES = ("user", "finance", "management")
ROLE_SHARES = (0.5, 0.2, 0.3)
# complexity, budget, missing out: what each role fears
ROLE_PRICE = np.array([0.0, 0.8, 0.2])

PLANS = ("shop", "app")
CHANNELS = ("web", "app", "phone", "e-mail", "chat", "visit")
ORDER_CHANNEL_SHARES = (0.62, 0.14, 0.12, 0.08, 0.02, 0.02)
CONTACT_CHANNEL_SHARES = (0.10, 0.08, 0.38, 0.26, 0.16, 0.02)
CHANNEL_EFFORT = np.array([0.0, -0.1, 0.15, 0.25, -0.25, -0.2])
CHANNEL_COST = np.array([0.3, 0.3, 1.2, 1.0, 0.8, 6.0])

TEAMS = ("north", "south", "app desk")
AGENTS_PER_TEAM = 8
AGENTS = tuple(f"{team} {i:02d}" for team in TEAMS for i in range(1, AGENTS_PER_TEAM + 1))

TOPICS = ("delivery", "product", "price", "invoice", "app", "advice")
FAILURES = ("damaged", "wrong item", "incomplete", "outage", "wrong advice")
OUTAGE, WRONG_ADVICE = 3, 4
ITEMS = ("quality", "service", "delivery", "price", "expectation")
TOUCHPOINTS = ("relationship", "order", "delivery", "contact", "onboarding", "visit", "renewal")
TOUCHPOINT_JOY = np.array([0.0, 0.2, 0.4, -0.5, 0.3, 0.8, -0.2])
RELATIONSHIP, ORDER, DELIVERY, CONTACT, ONBOARDING, VISIT, RENEWAL = range(len(TOUCHPOINTS))
PHASES = ("before", "active", "passive")
PHASE_JOY = np.array([0.3, 0.0, -0.2])
EMOTIONS = ("anger", "annoyance", "indifference", "contentment", "delight")

CAUSES = ("need", "price", "product", "service", "delivery", "no success")
NEED, PRICE, PRODUCT, SERVICE, DELIVERY_CAUSE, NO_SUCCESS = range(len(CAUSES))
OFFERS = ("discount", "personal contact", "training")
# which offer fits which cause; need has none
FITTING_OFFER = np.array([-1, 0, 2, 1, 1, 2])
DELAYS = (1, 4, 12)
DELAY_FACTOR = np.array([1.5, 1.0, 0.6])
WIN_BACK_CHANNELS = ("e-mail", "phone", "visit")
WIN_BACK_CHANNEL_FACTOR = np.array([1.0, 1.4, 1.7])
FIT_FACTOR = 1.6


def choose(shares, u: np.ndarray) -> np.ndarray:
    """Index of the share that a uniform draw falls into."""
    return np.searchsorted(np.cumsum(shares)[:-1], u, side="right").astype(np.int8)


def logit(p):
    return np.log(p) - np.log1p(-p)


def expit(x):
    return 1.0 / (1.0 + np.exp(-x))
