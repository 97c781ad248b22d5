import subprocess
import sys
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib.clv import summarize, summary_sql
from cxlib.clv.summary import unit_of

FEW = settings(deadline=None, max_examples=8)
COLUMNS = ["frequency", "recency", "T", "monetary"]


def frame(*rows):
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return table.assign(ordered_at=pd.to_datetime(table["ordered_at"], format="ISO8601"))


SMALL = frame(
    ("b", "2025-01-15", 25.0),
    ("a", "2025-01-01", 50.0),
    ("a", "2025-01-08", 10.0),
    ("a", "2025-01-08", 20.0),
    ("a", "2025-01-22", 40.0),
    ("a", "2025-02-02", 9.0),
)


@st.composite
def logs(draw):
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["k1", "k2", "k3", "k10"]),
                st.integers(0, 200),
                st.integers(0, 5000),
            ),
            min_size=2,
            max_size=30,
        )
    )
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta([day for _, day, _ in rows], unit="D")
    return pd.DataFrame(
        {
            "customer_id": [customer for customer, _, _ in rows],
            "ordered_at": days,
            "amount": [cents / 100 for _, _, cents in rows],
        }
    )


def by_hand(log, until):
    """The definition, spelt out customer by customer."""
    rows = {}
    for customer, mine in log.groupby("customer_id"):
        days = mine.groupby("ordered_at")["amount"].sum().sort_index()
        repeats = days.iloc[1:]
        rows[customer] = (
            len(repeats),
            (days.index[-1] - days.index[0]).days / 7,
            (until - days.index[0]).days / 7,
            repeats.mean() if len(repeats) else 0.0,
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=COLUMNS).rename_axis("customer_id")


@FEW
@given(logs())
def test_it_is_the_definition(log):
    found = summarize(log)
    wanted = by_hand(log, log["ordered_at"].max())
    # SUM in DuckDB may add in another order than pandas
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-12, check_index_type=False)


@FEW
@given(logs(), st.randoms())
def test_row_order_changes_nothing(log, random):
    order = list(range(len(log)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(summarize(log.iloc[order]), summarize(log), rtol=1e-12)


@FEW
@given(logs())
def test_relabelled_customers_keep_their_histories(log):
    new = {"k1": "zoe", "k2": "anna", "k3": "ümit", "k10": "007"}
    relabelled = summarize(log.assign(customer_id=log["customer_id"].map(new)))
    wanted = summarize(log).rename(index=new).sort_index()
    pd.testing.assert_frame_equal(relabelled.sort_index(), wanted, rtol=1e-12)


@FEW
@given(logs(), st.sampled_from(["Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"]))
def test_relabelling_the_zone_at_equal_local_dates_changes_nothing(log, zone):
    # just after and just before midnight: in UTC some of these fall on the day before or after
    minutes = np.where(np.arange(len(log)) % 2, 30, 23 * 60 + 30)
    clock = log["ordered_at"] + pd.to_timedelta(minutes, unit="min")
    local = log.assign(ordered_at=clock.dt.tz_localize(zone))
    pd.testing.assert_frame_equal(summarize(local), summarize(log), rtol=1e-12)


@FEW
@given(logs(), st.integers(0, 30))
def test_two_halves_read_together_give_the_same(log, cut):
    halves = pd.concat([log.iloc[cut:], log.iloc[:cut]], ignore_index=True)
    pd.testing.assert_frame_equal(summarize(halves), summarize(log), rtol=1e-12)


def test_cdnow_counts_and_holdout(summary, published):
    assert len(summary) == published["beta_geo"]["cdnow_exact_weeks"]["customers"]
    assert summary["frequency"].sum() + summary["holdout_frequency"].sum() == 4339
    assert summary["holdout_frequency"].sum() == published["holdout"]["cdnow"]["actual"]
    assert (summary["holdout_duration"] == 39.0).all()
    assert summary["T"].max() == 272 / 7


def test_cdnow_agrees_with_the_shipped_two_decimal_summary(summary, two_decimals):
    found = summary[COLUMNS].reset_index(drop=True)
    wanted = two_decimals[COLUMNS].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False, atol=0.0051, rtol=0)


@pytest.mark.parametrize(
    ("unit", "frequency", "recency", "T", "monetary"),
    [
        ("W", 3, 32 / 7, 41 / 7, 79 / 3),
        ("D", 3, 32.0, 41.0, 79 / 3),
        ("M", 3, 32 / 30.4375, 41 / 30.4375, 79 / 3),
        # 1 January 2025 is a Wednesday, 2 February a Sunday, 11 February a Tuesday.
        ("week", 3, 4.0, 6.0, 79 / 3),
    ],
)
def test_units(unit, frequency, recency, T, monetary):
    found = summarize(SMALL, unit=unit, until="2025-02-11").loc["a", COLUMNS]
    np.testing.assert_allclose(found, [frequency, recency, T, monetary], rtol=1e-15)
    assert unit_of(summarize(SMALL, unit=unit)).name == unit


def test_whole_weeks_merge_purchases_of_a_week():
    log = frame(("a", "2025-01-01", 5), ("a", "2025-01-05", 5), ("a", "2025-01-06", 7))
    found = summarize(log, unit="week").loc["a"]
    assert found[COLUMNS].tolist() == [1, 1, 1, 7]


def test_whole_weeks_end_the_calibration_with_a_sunday_aloud():
    with pytest.warns(cx.CxWarning, match="2025-01-20 is a Monday"):
        found = summarize(SMALL, unit="week", calibration_until="2025-01-20")
    assert found.loc["a", ["frequency", "holdout_frequency"]].tolist() == [2, 1]


def test_calibration_and_holdout_share_nothing():
    found = summarize(SMALL, calibration_until="2025-01-22", until="2025-02-05")
    a = found.loc["a"]
    assert a[["frequency", "holdout_frequency", "holdout_spend"]].tolist() == [2, 1, 9]
    assert a[["recency", "T", "monetary", "holdout_duration"]].tolist() == [3, 3, 35, 2]


def test_an_intraday_purchase_on_the_last_calibration_day_belongs_to_it():
    log = frame(("a", "2025-01-01", 5), ("a", "2025-01-08 17:30", 5), ("a", "2025-01-12", 7))
    found = summarize(log, calibration_until="2025-01-08")
    assert found.loc["a", ["frequency", "holdout_frequency"]].tolist() == [1, 1]


def test_rows_after_until_are_ignored_and_counted():
    found = summarize(SMALL, until=date(2025, 1, 20))
    assert found.attrs["summarize"]["rows_after_until"] == 2
    assert found.loc["a", "frequency"] == 1


def test_zero_amounts_are_purchases():
    found = summarize(frame(("a", "2025-01-01", 5), ("a", "2025-01-03", 0), ("a", "2025-01-05", 8)))
    assert found.loc["a", ["frequency", "monetary"]].tolist() == [2, 4]


def test_categories_dates_and_parquet_give_the_same(tmp_path):
    wanted = summarize(SMALL)
    category = SMALL.assign(customer_id=pd.Categorical(SMALL["customer_id"], ["b", "a"]))
    dates = SMALL.assign(ordered_at=SMALL["ordered_at"].dt.date)
    SMALL.to_parquet(tmp_path / "log.parquet")
    for source in (category, dates, tmp_path / "log.parquet"):
        found = summarize(source)
        assert list(found.index) == ["a", "b"]
        pd.testing.assert_frame_equal(found, wanted, check_index_type=False)


def test_newcomers_are_refused_or_dropped():
    with pytest.raises(cx.CxError) as caught:
        summarize(SMALL, calibration_until="2025-01-10")
    message = str(caught.value)
    assert "1 of 2 customers" in message
    assert "'b' on 2025-01-15" in message
    assert 'newcomers="drop"' in message
    found = summarize(SMALL, calibration_until="2025-01-10", newcomers="drop")
    assert list(found.index) == ["a"]
    assert found.attrs["summarize"]["newcomers_dropped"] == 1


@pytest.mark.filterwarnings("ignore:.*handled while reading:cxlib.errors.CxWarning")
@FEW
@given(logs(), st.lists(st.integers(-300, 0), min_size=1, max_size=6), st.randoms())
def test_returns_are_netted_as_the_reader_nets_them(log, cents, random):
    rows = [random.randrange(len(log)) for _ in cents]
    late = pd.to_timedelta([random.randrange(60) for _ in cents], unit="D")
    back = log.iloc[rows].assign(amount=[c / 100 for c in cents])
    both = pd.concat([log, back.assign(ordered_at=back["ordered_at"] + late)])
    until = both["ordered_at"].max()
    try:
        read = cx.read_transactions(both, negative="net", private=False)
    except cx.CxError:
        with pytest.raises(cx.CxError, match="All purchases were wholly returned"):
            summarize(both, negative="net", until=until)
        return
    if len(read) < 2:
        return
    found = summarize(both, negative="net", until=until)
    pd.testing.assert_frame_equal(
        found, summarize(read, until=until), rtol=1e-12, check_index_type=False
    )


def test_returns_of_the_holdout_do_not_reach_back():
    back = frame(("a", "2025-01-24", -40.0), ("a", "2025-02-03", -5.0), ("b", "2025-01-16", -30.0))
    log = pd.concat([SMALL, back])
    found = summarize(log, calibration_until="2025-01-22", until="2025-02-05", negative="net")
    # 40 come back before anything of the holdout was bought: lost, as are 5 of b's 30
    assert found.loc["a", ["frequency", "monetary", "holdout_frequency"]].tolist() == [2, 35, 1]
    assert found.loc["a", "holdout_spend"] == 4
    assert list(found.index) == ["a"]  # b's only purchase was returned
    assert found.attrs["summarize"]["returns"] == 3
    assert found.attrs["summarize"]["returns_lost"] == 45
    whole = summarize(log, negative="drop", until="2025-02-05")
    pd.testing.assert_frame_equal(whole, summarize(SMALL, until="2025-02-05"))


def test_days_of_returns_are_no_days_of_purchases():
    log = pd.concat([SMALL, frame(("a", "2025-03-01", -9.0))])
    for choice in ("drop", "net"):
        assert summarize(log, negative=choice).attrs["summarize"]["until"] == "2025-02-02"


def test_a_duckdb_table_and_a_bound_on_memory_give_the_same(purchases, tmp_path):
    wanted = summarize(purchases)
    with duckdb.connect(tmp_path / "shop.duckdb") as shop:
        shop.execute("CREATE TABLE orders AS SELECT * FROM purchases")
        pd.testing.assert_frame_equal(summarize("orders", connection=shop), wanted, rtol=1e-12)
    pd.testing.assert_frame_equal(summarize(purchases, memory_mb=100), wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        ("duckdb", ["DATE_DIFF('day'", "DATE '2025-01-31'"]),
        ("postgres", ["CAST(ordered_at AS DATE) - CAST('1970-01-05' AS DATE)", "DOUBLE PRECISION"]),
        ("spark", ["DATEDIFF(DAY"]),
    ],
)
def test_the_text_may_be_had_in_every_dialect(dialect, words):
    text = summary_sql(dialect, until="2025-01-31", negative="net", table="shop.orders")
    assert "$" not in text
    for word in ["FROM shop.orders", *words]:
        assert word in text


@pytest.mark.parametrize(
    ("log", "options", "words"),
    [
        (SMALL.iloc[:0], {}, ["No purchase is no history"]),
        (SMALL.iloc[:1], {}, ["A single purchase is no history"]),
        (SMALL.drop(columns="amount"), {}, ["column amount is missing"]),
        (SMALL.rename(columns={"amount": "amounts"}), {}, ["Did you mean amounts?"]),
        (SMALL.assign(amount=[1, 2, 3, 4, 5, -6]), {}, ["1 of 6 are negative", 'negative="net"']),
        (SMALL.assign(amount=[1, 2, np.nan, 4, 5, 6.0]), {}, ["amount is missing in 1 of 6"]),
        (SMALL.assign(amount=[1, 2, np.inf, 4, 5, 6.0]), {}, ["must be finite"]),
        (SMALL.assign(amount=list("123456")), {}, ["amount must hold numbers", "'1'"]),
        (SMALL.assign(ordered_at="yesterday"), {}, ["ordered_at must hold dates", "'yesterday'"]),
        (SMALL.assign(customer_id=[None, *"baaab"]), {}, ["customer_id is missing in 1 of 6"]),
        (SMALL, {"calibration_until": "2026-01-01"}, ["2025-01-01 to 2025-02-02"]),
        (SMALL, {"calibration_until": "2024-12-31"}, ["no calibration or no holdout"]),
        (SMALL, {"until": "2024-12-31"}, ["before the first purchase"]),
        (SMALL, {"until": "soon"}, ["until must be a date", "'soon'"]),
        (SMALL, {"unit": "weeks", "newcomers": "keep"}, ["unit 'weeks'", "newcomers='keep'"]),
        ("nowhere.parquet", {}, ["nowhere.parquet is not there"]),
        (SMALL, {"negative": "keep"}, ["negative='keep'", "error, drop, net"]),
        (SMALL.assign(amount=-1.0), {"negative": "net"}, ["All rows are returns"]),
        (SMALL, {"memory_mb": 10}, ["memory_mb must be", "not 10"]),
        (SMALL, {"connection": duckdb}, ["name of a table or a SELECT", "not DataFrame"]),
        ("orders", {"connection": object()}, ["psycopg connection", "builtins.object"]),
    ],
)
def test_bad_input_is_named(log, options, words):
    with pytest.raises(cx.CxError) as caught:
        summarize(log, **options)
    for word in words:
        assert word in str(caught.value)


def test_an_unknown_unit_is_taken_as_weeks_aloud():
    with pytest.warns(cx.CxWarning, match="does not say its unit"):
        assert unit_of(pd.DataFrame()).name == "W"


def test_nothing_is_printed_into_what_others_read():
    """DuckDB draws a progress bar into long queries wherever Python runs a text by ``-c``."""
    code = (
        "import pandas as pd\nfrom cxlib.clv.sources import opened\n"
        "rows = dict(customer_id=['a'], ordered_at=[pd.Timestamp('2025-01-01')], amount=[1.0])\n"
        "with opened(pd.DataFrame(rows)) as source:\n"
        "    bar = source.run(\"SELECT current_setting('enable_progress_bar') AS bar\")\n"
        "print(bar['bar'].any())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
