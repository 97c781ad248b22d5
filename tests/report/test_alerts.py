"""Alerts: read strictly, fired by values and intervals, never silent where they cannot judge."""

import pytest

from cxlib.report.alerts import fired, read_alert

NPS = {"value": 28.0, "low": 24.1, "high": 31.8, "unit": "points", "n": 610, "level": 0.95}
FELL = {"name": "nps", "change": -6.0, "low": -9.0, "high": -3.0, "since": "2025Q3"}


def told(alert, change=None, **values):
    manifest = {"alert": [alert], "values": {"nps": NPS} | values}
    return [entry["message"] for entry in fired(manifest, [change] if change else [])]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("nps < 30", "is a table"),
        ({"below": 30}, "names a recorded value"),
        ({"value": "n p s", "below": 30}, "names a recorded value"),
        ({"value": "nps"}, "exactly one of below, above and changed; "),
        ({"value": "nps", "below": 1, "changed": True}, "not below and changed"),
        ({"value": "nps", "under": 1}, "does not know under"),
        ({"value": "nps", "below": True}, "finite number, not True"),
        ({"value": "nps", "below": "30"}, "finite number, not '30'"),
        ({"value": "nps", "above": float("nan")}, "finite number, not nan"),
        ({"value": "nps", "above": 3, "sure": "yes"}, "true or false"),
        ({"value": "nps", "changed": False}, "changed = true"),
        ({"value": "nps", "changed": True, "sure": True}, "changed = true"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_reason(entry, reason):
    with pytest.raises(ValueError, match=reason):
        read_alert(entry)


@pytest.mark.parametrize(
    ("alert", "fires"),
    [
        ({"below": 30}, True),
        ({"below": 28}, False),
        ({"above": 28}, False),
        ({"above": 20}, True),
        ({"below": 30, "sure": True}, False),
        ({"below": 31.9, "sure": True}, True),
        ({"above": 24.1, "sure": True}, False),
        ({"above": 24, "sure": True}, True),
    ],
)
def test_limits_are_judged_by_the_value_or_surely_by_the_whole_interval(alert, fires):
    messages = told({"value": "nps"} | alert)
    assert bool(messages) == fires
    if fires:
        assert messages[0].startswith("nps is 28 points, 95 % interval [24.1, 31.8]: ")
        assert str(next(iter(alert.values()))) in messages[0]


def test_changed_fires_on_news_alone():
    alert = {"value": "nps", "changed": True}
    assert told(alert) == []
    assert told(alert, FELL | {"news": False}) == []
    (message,) = told(alert, FELL | {"news": True})
    assert message.startswith("nps fell by 6 points since 2025Q3 [-9, -3]: nps is 28 points")


def test_what_cannot_be_judged_is_said():
    assert "typo was not recorded" in told({"value": "typo", "below": 3})[0]
    assert "the report records nps" in told({"value": "typo", "changed": True})[0]
    many = {f"figure_{number}": NPS for number in range(40)}
    (message,) = fired({"alert": [{"value": "figure_399", "below": 3}], "values": many})
    assert "records figure_39, " in message["message"]
    assert message["message"].endswith(" and 32 more.")
    nothing = NPS | {"value": None, "low": None, "high": None}
    assert "has no value" in told({"value": "nps", "below": 3}, nps=nothing)[0]
    bare = NPS | {"low": None, "high": None}
    assert "has no interval" in told({"value": "nps", "below": 3, "sure": True}, nps=bare)[0]
    assert "28 points, without interval" in told({"value": "nps", "below": 30}, nps=bare)[0]


def test_a_report_without_alerts_is_silent():
    assert fired({"values": {"nps": NPS}}) == fired({"values": {}, "alert": None}) == []
