"""The timeline draws what it is given: estimates with limits, marks in order, one dot a record."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from cxlib.errors import CxError
from cxlib.figures.timeline import plot_story, plot_timeline

DAYS = pd.to_datetime(["2024-02-15", "2024-05-15", "2024-08-15"])
MEASURED = pd.DataFrame(
    {"estimate": [20.0, 24, 18], "low": [12.0, 17, 9], "high": [30.0, 31, 26]}, index=DAYS
)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_limits_are_drawn_where_they_lie():
    ax = plot_timeline(MEASURED, ax=plt.subplots()[1])
    (bars,) = (c for c in ax.collections if len(c.get_segments()) == 3)
    ends = [(segment[0][1], segment[1][1]) for segment in bars.get_segments()]
    assert ends == [(12, 30), (17, 31), (9, 26)]


def test_events_are_numbered_in_the_legend_after_the_series():
    events = {pd.Timestamp("2024-03-01"): "price rise", pd.Timestamp("2024-06-01"): "new mode"}
    truth = pd.Series([21.0, 22, 20], DAYS)
    ax = plot_timeline(MEASURED, events=events, truth=truth, unit="NPS", ax=plt.subplots()[1])
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert shown == ["truth", "measured, with interval", "1  price rise", "2  new mode"]
    assert [text.get_text() for text in ax.texts] == ["1", "2"]
    assert ax.get_ylabel() == "NPS"


def test_a_timeline_needs_its_limits():
    with pytest.raises(CxError, match="low, high"):
        plot_timeline(MEASURED[["estimate"]])


def test_a_story_shows_this_customer_and_leaves_out_empty_dates():
    orders = pd.DataFrame({"customer_id": ["a", "b", "a"], "ordered_at": DAYS})
    answers = pd.DataFrame({"customer_id": ["a", "a"], "answered_at": [DAYS[0], pd.NaT]})
    left = pd.DataFrame({"customer_id": ["a"], "left_at": pd.to_datetime([None])})
    tables = {
        "orders": (orders, "ordered_at"),
        "answers": (answers, "answered_at"),
        "left": (left, "left_at"),
    }
    ax = plot_story(tables, "a", ax=plt.subplots()[1])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["orders (2)", "answers (1)", "left (0)"]
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [2, 1, 0]
    assert "Customer a" in (ax.get_title(), ax.get_title(loc="left"))
    with pytest.raises(CxError, match="'orders' of a story lacks bought_at"):
        plot_story({"orders": (orders, "bought_at")}, "a")


def test_both_draw_into_the_current_axes():
    first = plt.subplots()[1]
    assert plot_timeline(MEASURED) is first
    second = plt.subplots()[1]
    assert (
        plot_story({"orders": (pd.DataFrame(columns=["customer_id", "at"]), "at")}, "a") is second
    )
    assert np.isfinite(second.get_ylim()).all()
