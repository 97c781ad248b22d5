"""Which days a period's text names, and which periods lie apart."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import CxError
from cxlib.report.periods import name_period, read_period


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2025", date(2025, 1, 1), date(2025, 12, 31)),
        ("2025Q1", date(2025, 1, 1), date(2025, 3, 31)),
        ("2025-q4", date(2025, 10, 1), date(2025, 12, 31)),
        ("2025H2", date(2025, 7, 1), date(2025, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2025-12", date(2025, 12, 1), date(2025, 12, 31)),
        ("2025W01", date(2024, 12, 30), date(2025, 1, 5)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2025-11-30", date(2025, 11, 30), date(2025, 11, 30)),
        ("2025-01-01/2025-03-31", date(2025, 1, 1), date(2025, 3, 31)),
        ("2025Q1/2025Q2", date(2025, 1, 1), date(2025, 6, 30)),
    ],
)
def test_a_text_names_its_first_and_last_day(text, first, last):
    period = read_period(text)
    assert (period.first, period.last) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "next 52 weeks", "2025Q5", "2025-13", "2025-02-30", "2025W53", "0000"),
        *("25Q1", "2025-03-31/2025-01-01", "2025/2026/2027", "2025-01-01/", "٢٠٢٥x"),
    ],
)
def test_what_names_no_days_is_no_period(text):
    assert read_period(text) is None


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("2025Q3", "2025Q4", True),
        ("2025-09-30", "2025-10-01", True),
        ("2025Q3", "2025-09", False),
        ("2025W40", "2025Q4", False),  # 29 September to 5 October
        ("2025Q4", "2025Q3", False),
    ],
)
def test_one_precedes_the_other_only_without_a_day_in_common(one, other, apart):
    assert read_period(one).precedes(read_period(other)) is apart


def test_a_period_of_days_runs_from_the_first_to_the_last():
    days = pd.Series(pd.to_datetime(["2025-03-31", None, "2025-01-02"]))
    assert name_period(days) == name_period(list(days)) == "2025-01-02/2025-03-31"
    assert read_period(name_period(days)).first == date(2025, 1, 2)
    assert name_period(days[1:2]) is name_period(None) is None
    assert name_period("next 52 weeks") == "next 52 weeks"


def test_days_come_in_any_container():
    days = [date(2025, 3, 31), date(2025, 1, 2)]
    zoned = pd.Series(pd.to_datetime(days)).dt.tz_localize("UTC")
    plain = [days, tuple(days), set(days), (day for day in days), [*days, None, pd.NaT]]
    for given in (*plain, np.array(days, "M8[D]"), pd.Series(days), pd.Categorical(days), zoned):
        assert name_period(given) == "2025-01-02/2025-03-31"
    assert name_period(pd.PeriodIndex(["2025Q1", "2025Q2"], freq="Q")) == "2025-01-01/2025-06-30"
    assert name_period(pd.Period("2025Q4")) == "2025Q4"
    assert name_period(pd.Series([None, None])) is name_period(pd.to_datetime([])) is None


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (["2025-01-02", "2025-03-31"], "2 of 2 days are no dates, the first '2025-01-02'"),
        (pd.Series(["2025-01-02", None]), "1 of 1 days"),
        (pd.Series([20250102, 20250331]), "the first 20250102"),
        ([date(2025, 1, 2), 7.5], "1 of 2 days"),
        (pd.Categorical(["2025Q1", "2025Q2"]), "the first '2025Q1'"),
    ],
)
def test_days_that_are_no_dates_are_refused(given, text):
    with pytest.raises(CxError, match=text):
        name_period(given)
