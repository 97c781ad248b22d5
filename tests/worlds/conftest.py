"""Worlds that several tests share, built once."""

import pytest

from cxlib.worlds.world import World

EARLY_EVENTS = [
    {"week": 2, "kind": "new_carrier"},
    {"week": 3, "kind": "surprise_trial"},
    {"week": 3, "kind": "win_back"},
    {"week": 6, "kind": "price_rise"},
    {"week": 7, "kind": "checkout_trial", "weeks": 6},
    {"week": 8, "kind": "watch_list"},
    {"week": 9, "kind": "survey_mode"},
    {"week": 10, "kind": "offer_trial"},
    {"week": 12, "kind": "faulty_release"},
]


@pytest.fixture(scope="session")
def early_events():
    """A calendar whose every event falls into the first thirteen weeks."""
    return EARLY_EVENTS


@pytest.fixture(scope="session")
def small():
    """A small company whose whole calendar happens within thirteen weeks."""
    return World(11, 250, 30, events=EARLY_EVENTS)


@pytest.fixture(scope="session")
def company():
    """The company of all notebooks."""
    return World()
