"""Dials: declared soundly, refused together."""

from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("quality_wieght", "Did you mean weight_quality?"),
        ("answr_share", "Did you mean answer_share?"),
        ("nonsense", "World.list_dials()"),
    ],
)
def test_a_dial_that_is_not_there_is_answered_by_its_likeliest_names(name, hint):
    with pytest.raises(CxError) as caught:
        World(1, 30, 8, **{name: 1})
    assert hint in str(caught.value)


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
        ([{"week": 3, "kind": ["price_rise"]}], "no known kind: ['price_rise']"),
        ([{"week": 3, "kind": "price_rise", "size": 10**400}], "-0.5 to 2 [share]"),
        ([{"week": 3, "kind": "price_rise", "size": float("nan")}], "size = nan"),
    ],
)
def test_bad_events_are_refused(events, part):
    with pytest.raises(CxError) as caught:
        World(**TINY, events=events)
    assert part in str(caught.value)


@pytest.mark.parametrize("value", [10**400, b"0.3", np.True_, None, [0.1]])
def test_what_is_no_number_turns_no_dial(value):
    with pytest.raises(CxError, match="season must be a finite number"):
        World(**TINY, season=value)


def test_sealed_is_yes_or_no():
    with pytest.raises(CxError, match=r"sealed = 'no'\. Allowed: True or False"):
        World(**TINY, sealed="no")


def test_numbers_of_numpy_are_numbers():
    event = {"week": np.int64(3), "kind": "price_rise", "size": np.float32(0.25)}
    world = World(np.int64(1), np.int32(20), np.int64(6), season=np.float32(0.5), events=[event])
    assert world.calendar == World(**TINY, events=[event | {"week": 3, "size": 0.25}]).calendar
    assert world.dials.season == 0.5


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


README = (Path(__file__).parents[2] / "data" / "README.md").read_text("utf-8")


def table_after(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading of the data dictionary."""
    lines = README.partition(f"{heading}\n")[2].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("|---")) + 1
    count = next(i for i, line in enumerate(lines[first:]) if not line.startswith("|"))
    return [[c.strip() for c in line.split("|")[1:-1]] for line in lines[first : first + count]]


def test_the_data_dictionary_lists_every_dial_and_event_as_declared():
    dials = [
        [d.name, f"{d.default:g}", f"{d.low:g} to {d.high:g}", d.unit, d.meaning] for d in DIALS
    ]
    assert table_after("### Its dials") == dials
    week = {e.kind: str(e.week) for e in DEFAULT_EVENTS}
    kinds = [
        [
            name,
            week[name],
            f"{k.size:g}",
            f"{k.low:g} to {k.high:g}",
            k.unit,
            str(k.weeks),
            k.meaning,
        ]
        for name, k in KINDS.items()
    ]
    assert table_after("### Its dated events") == kinds


def test_the_list_of_dials_is_the_declarations():
    frame = World.list_dials()
    assert frame.values.tolist() == [list(vars(d).values()) for d in DIALS]
    assert list(frame) == ["dial", "group", "unit", "default", "low", "high", "meaning"]
