"""Small groups: left out of tables and plots, counted aloud, shown on request."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.clv.plot_repeats import plot_repeat_purchases
from cxlib.errors import CxError, CxWarning
from cxlib.figures.small_groups import leave_out_small, small_groups

ANSWERS = pd.DataFrame(
    {
        "question": "nps",
        "country": np.repeat(["AT", "CH", "DE", "FR"], [5, 4, 30, 20]),
        "score": [9, 3, 10, 8, 7] * 11 + [9] * 4,
        "customer_id": [*range(39), *[1, 2] * 10],
    }
)


def test_segments_of_few_answers_or_few_customers_are_left_out_and_counted():
    with pytest.warns(CxWarning, match=r"2 of 4 segments are not shown: fewer than 5"):
        shown = cx.nps_by(ANSWERS, by=["country"])
    assert list(shown["country"]) == ["AT", "DE"]
    assert list(shown.index) == [0, 1]
    assert shown.attrs["suppressed"] == 2
    with pytest.warns(CxWarning, match="1 of 4 segments is not shown"):
        shown = cx.nps_by(ANSWERS.drop(columns="customer_id"), by="country")
    assert list(shown["country"]) == ["AT", "DE", "FR"]


def test_one_shows_every_segment_without_a_word():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = cx.nps_by(ANSWERS, by=["country"], min_cell=1)
    assert list(shown["n"]) == [5, 4, 30, 20]
    assert shown.attrs["suppressed"] == 0
    assert shown["shrunken"].notna().all()


def test_the_empty_answers_of_a_segment_do_not_fill_it():
    gaps = ANSWERS[ANSWERS["country"].isin(["DE", "CH"])]
    gaps = pd.concat([gaps, gaps[gaps["country"] == "CH"].assign(score=np.nan, customer_id=99)])
    with pytest.warns(CxWarning):
        assert list(cx.nps_by(gaps, by="country")["country"]) == ["DE"]


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
def test_nothing_large_enough_is_an_error_with_the_way_out():
    with pytest.raises(CxError, match=r"None of the 4 segments has 50 .* largest has 30"):
        cx.nps_by(ANSWERS, by=["country"], min_cell=50)


@pytest.mark.parametrize("min_cell", [0, -3, 2.5, True, "5"])
def test_an_impossible_limit_is_refused(min_cell):
    with pytest.raises(CxError, match="min_cell must be a whole number"):
        small_groups([3], min_cell)


def test_empty_groups_and_an_index_of_names_stay():
    frame = pd.DataFrame({"n": [0, 3, 9]}, index=["a", "b", "c"])
    with pytest.warns(CxWarning, match="1 of 3 groups"):
        assert list(leave_out_small(frame, frame["n"]).index) == ["a", "c"]


def test_a_table_leaves_small_rows_out(capsys):
    frame = pd.DataFrame({"team": ["red", "blue"], "n": [4, 12], "score": [1.0, 2.0]})
    with pytest.warns(CxWarning, match="1 of 2 rows is not shown"):
        cx.table(frame, caption="Teams.")
    assert "red" not in capsys.readouterr().out
    cx.table(frame, caption="Teams.", min_cell=1)
    assert "red" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("counts", "given"),
    [
        ({"customers": [4, 12]}, {}),
        ({"answers": [3.0, 12.0]}, {}),
        ({"n_before": [40, 12], "n_after": [1, 12]}, {}),
        ({"Fälle": [4, 12]}, {"n_col": "Fälle"}),
        ({"n": [90, 90], "people": [4, 12]}, {"n_col": ["n", "people"]}),
        ({"people": pd.array([4, 12], dtype="Int64")}, {"n_col": "people"}),
    ],
)
def test_a_table_goes_by_any_column_of_counts(counts, given, capsys):
    frame = pd.DataFrame({"team": ["red", "blue"], **counts})
    with pytest.warns(CxWarning, match="1 of 2 rows is not shown: fewer than 5"):
        cx.table(frame, caption="Teams.", **given)
    assert "red" not in capsys.readouterr().out
    cx.table(frame, caption="Teams.", min_cell=1, **given)
    assert "red" in capsys.readouterr().out


def test_a_table_goes_by_counts_under_common_headings_too(capsys):
    frame = pd.DataFrame({("", "team"): ["A", "B"], ("then", "n"): [40, 3], ("now", "n"): [50, 60]})
    with pytest.warns(CxWarning, match="1 of 2 rows"):
        cx.table(frame, caption="Then and now.")
    assert "60" not in capsys.readouterr().out


def test_a_share_is_no_count_and_an_empty_group_hides_nobody(capsys):
    frame = pd.DataFrame({"team": ["red"], "customers": [0.25], "n": [0], "calls": [1]})
    cx.table(frame, caption="Teams.")
    assert "red" in capsys.readouterr().out
    with pytest.raises(CxError, match=r"n_col names 'cals', 'team'.*Allowed: customers, n, calls"):
        cx.table(frame, caption="Teams.", n_col=["cals", "team"])


def test_a_timeline_leaves_small_points_out():
    days = pd.to_datetime(["2026-01-01", "2026-02-01"])
    frame = pd.DataFrame({"estimate": [1, 2], "low": [0, 1], "high": [2, 3], "n": [3, 40]}, days)
    with pytest.warns(CxWarning, match="1 of 2 points"):
        ax = cx.plot_timeline(frame)
    assert len(ax.lines[0].get_xdata()) == 1
    assert len(cx.plot_timeline(frame, min_cell=1, ax=plt.figure().gca()).lines[0].get_xdata()) == 2


def test_bars_of_few_customers_are_left_out():
    bought = np.repeat([0, 1, 2, 3], [20, 10, 2, 6])
    summary = pd.DataFrame({"frequency": bought, "monetary": np.where(bought > 0, 10.0, 0.0)})
    with pytest.warns(CxWarning, match="1 of 4 bars"):
        ax = plot_repeat_purchases(summary)
    assert [round(bar.get_height() * 38) for bar in ax.patches] == [20, 10, 6]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "3"]


def test_a_trend_of_small_periods_says_so_and_levels_begin_where_a_period_is_shown():
    scores = [9] * 40 + [3] * 2 + [3] * 40
    when = (
        ["2024-01"] * 20 + ["2024-02"] * 20 + ["2024-03"] * 2 + ["2024-04"] * 20 + ["2024-05"] * 20
    )
    trend = cx.nps_trend(pd.DataFrame({"score": scores, "when": when}), period_col="when")
    changes = pd.DataFrame({"period": ["2024-03"], "before": [100.0], "after": [-100.0]})
    with pytest.warns(cx.CxWarning, match="1 of 5 periods"):
        ax = cx.plot_nps_trend(trend.periods, changes=changes)
    starts = [
        line.get_segments()[0][0, 0]
        for line in ax.collections
        if line.get_label() == "supported level"
    ]
    assert starts == [-0.4]
    small = trend.periods.assign(n=2)
    with pytest.raises(cx.CxError, match="None of 5 periods has 5 answers"):
        cx.plot_nps_trend(small)
