"""Dials: declared soundly, refused together."""

import pytest

from cxlib.errors import CxError
from cxlib.worlds.calendar import DEFAULT_EVENTS, KINDS
from cxlib.worlds.declarations import DIALS
from cxlib.worlds.world import World

TINY = {"customers": 20, "weeks": 6}


@pytest.mark.parametrize("dial", DIALS, ids=lambda d: d.name)
def test_a_dial_is_declared_whole(dial):
    assert dial.low <= dial.default <= dial.high
    assert dial.low < dial.high
    assert dial.unit
    assert dial.meaning
    assert dial.name.isidentifier()


def test_dial_names_are_unique():
    assert len({d.name for d in DIALS}) == len(DIALS)


@pytest.mark.parametrize("group", sorted({d.group for d in DIALS}))
@pytest.mark.parametrize("end", ["low", "high"])
def test_a_world_stands_at_both_ends_of_every_range(group, end):
    world = World(1, 30, 8, **{d.name: getattr(d, end) for d in DIALS if d.group == group})
    assert len(world.customers) == 30
    assert world.transactions["amount"].notna().all()


def test_everything_impossible_is_named_in_one_message():
    with pytest.raises(CxError) as caught:
        World(
            seed=-1,
            customers=0,
            weeks=2.5,
            seson=0.3,
            season=2,
            trend=float("nan"),
            dropout_mean="high",
            events=[{"week": 3, "kind": "price_rse"}, {"week": -1, "kind": "price_rise"}],
        )
    message = str(caught.value)
    for part in (
        "seed = -1",
        "customers = 0",
        "weeks must be a whole number, not 2.5",
        "no dial 'seson'. Did you mean season",
        "season = 2 is out of range. Allowed: 0 to 0.95 [share]",
        "trend must be a finite number, not nan",
        "dropout_mean must be a finite number, not 'high'",
        "Did you mean price_rise?",
        "events[1] week = -1",
    ):
        assert part in message
    assert len(caught.value.problems) == 9


@pytest.mark.parametrize(
    ("events", "part"),
    [
        ("price_rise", "must be a list"),
        ([3], "events[0] must be a mapping"),
        ([{"week": 3, "kind": "price_rise", "sise": 1}], "unknown field 'sise'"),
        ([{"week": 3, "kind": "price_rise", "size": 9}], "-0.5 to 2 [share]"),
        ([{"week": 3, "kind": "win_back", "weeks": 0}], "weeks = 0"),
        ([{"week": w, "kind": "win_back"} for w in (1, 2)], "once only: win_back"),
        ([{"week": True, "kind": "price_rise"}], "week = True"),
    ],
)
def test_bad_events_are_refused(events, part):
    with pytest.raises(CxError) as caught:
        World(**TINY, events=events)
    assert part in str(caught.value)


def test_the_default_calendar_is_the_company_s():
    weeks = {e.kind: e.week for e in DEFAULT_EVENTS}
    assert weeks["new_carrier"] == 20
    assert weeks["price_rise"] == 40
    assert weeks["checkout_trial"] == 52
    assert weeks["survey_mode"] == 60
    assert weeks["win_back"] == 70
    assert weeks["faulty_release"] == 78
    assert set(weeks) == set(KINDS)


def test_dials_cannot_be_changed_in_place():
    world = World(**TINY)
    with pytest.raises(AttributeError):
        world.dials.season = 0.5
    assert world.dials["season"] == world.dials.season == 0.0
