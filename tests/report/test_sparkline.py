"""The small picture of a figure's history."""

import re
import xml.etree.ElementTree as ET
from datetime import date

import pytest

from cxlib.report.sparkline import HEIGHT, WIDTH, event_marks, history_points, sparkline


def figure(value, half=None, period=None, unit="points", level=0.95):
    low, high = (None, None) if half is None else (value - half, value + half)
    return {"value": value, "low": low, "high": high, "unit": unit, "level": level} | {
        "period": period
    }


def points(*figures):
    runs = [
        {"started_at": f"2026-{month:02d}-01T06:00:00+00:00", "values": {"x": entry}}
        for month, entry in enumerate(figures, 1)
    ]
    return history_points("x", figures[-1], runs)


def drawn(svg, name):
    return [node for node in ET.fromstring(str(svg)).iter() if node.get("class") == name]


def test_a_rising_figure_rises_within_its_band_and_its_frame():
    found = points(*(figure(10.0 + n, 2.0, f"2025Q{n}") for n in (1, 2, 3, 4)))
    root = ET.fromstring(str(sparkline(found, target=20.0)))
    line = [tuple(map(float, p.split(","))) for p in root.find("polyline").get("points").split()]
    assert line == sorted(line)
    assert [y for _, y in line] == sorted((y for _, y in line), reverse=True)
    (band,) = drawn(sparkline(found), "band")
    corners = [tuple(map(float, p.split(","))) for p in band.get("points").split()]
    assert len(corners) == 8
    for x, y in corners + line:
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT


def test_the_time_between_points_is_drawn_to_scale():
    found = points(
        figure(1.0, period="2024"), figure(2.0, period="2025-01"), figure(3.0, period="2025-12")
    )
    line = ET.fromstring(str(sparkline(found))).find("polyline").get("points").split()
    first, second, third = (float(p.split(",")[0]) for p in line)
    days = [date(2024, 7, 1), date(2025, 1, 16), date(2025, 12, 16)]
    ratio = (days[1] - days[0]).days / (days[2] - days[0]).days
    assert (second - first) / (third - first) == pytest.approx(ratio, abs=0.005)


def test_a_point_between_points_without_interval_has_a_whisker_of_its_own():
    found = points(
        figure(1.0, None, "2025Q1"), figure(2.0, 1.0, "2025Q2"), figure(3.0, None, "2025Q3")
    )
    assert len(drawn(sparkline(found), "whisker")) == 1
    assert drawn(sparkline(found), "band") == []


def test_other_units_levels_and_missing_values_are_not_drawn():
    found = points(
        figure(1.0, period="2024Q1", unit="share"),
        figure(1.0, period="2024Q2", level=0.9),
        figure(None, period="2024Q3"),
        figure(1.0, period="sometime"),
        figure(5.0, period="2025Q1"),
    )
    assert [point.label for point in found] == ["2025Q1"]
    assert sparkline(found) == ""


def test_without_periods_the_days_of_the_runs_count():
    found = points(figure(1.0), figure(2.0))
    assert [point.label for point in found] == ["1 January 2026", "1 February 2026"]


def test_a_figure_that_never_moved_is_a_flat_line_and_the_label_is_escaped():
    svg = sparkline(points(*(figure(3.0, 0.0, f"2025Q{n}", unit='"<b>') for n in (1, 2))))
    assert (
        len(set(re.findall(r",(\d+\.\d)", ET.fromstring(str(svg)).find("polyline").get("points"))))
        == 1
    )
    assert "<b>" not in svg
    assert '"<b> in 2025Q1' in ET.fromstring(str(svg)).get("aria-label")


def test_events_within_the_history_are_numbered_and_stand_at_their_days():
    found = points(figure(1.0, period="2025Q1"), figure(2.0, period="2025Q4"))
    events = [("2024-12-31", "before"), ("2025-07-02", "carrier"), ("2025-12-31", "last day")]
    marks = event_marks(found, events)
    assert [(m["number"], m["text"]) for m in marks] == [(1, "carrier"), (2, "last day")]
    first, last = (float(n.get("x1")) for n in drawn(sparkline(found, marks=marks), "event"))
    assert first == pytest.approx(WIDTH / 2, abs=1)
    assert last == pytest.approx(WIDTH - 5, abs=0.1)
