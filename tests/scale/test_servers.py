"""The same SQL text on real servers: the same numbers as DuckDB's in process, to 1e-9."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

SPLIT = "1970-09-30"
CASES = {
    "weeks, holdout, returns netted": {"calibration_until": SPLIT, "negative": "net"},
    "days until, returns netted": {"unit": "D", "until": "1971-01-15", "negative": "net"},
    "months": {"unit": "M"},
    "whole weeks, holdout": {"unit": "week", "calibration_until": "1970-10-04"},
}
COLUMNS = {
    "postgres": "customer_id text, ordered_at timestamp, amount numeric(12, 2)",
    "spark": "customer_id string, ordered_at timestamp_ntz, amount decimal(12, 2)",
}


@pytest.fixture(scope="module", params=["postgres", "spark"])
def server(request, log):
    """A server that holds the purchases in a table ``orders``, as (name, connection)."""
    name = request.param
    connection = request.getfixturevalue(name)
    if name == "postgres":
        connection.execute(f"CREATE TABLE orders ({COLUMNS[name]})")
        with connection.cursor().copy("COPY orders FROM STDIN") as copy:
            for row in log.itertuples(index=False):
                copy.write_row(row)
    else:
        rows = connection.createDataFrame(log.astype({"ordered_at": str}))
        rows.createOrReplaceTempView("text_orders")
        cast = ", ".join(
            f"CAST({column.split()[0]} AS {column.split(' ', 1)[1]}) AS {column.split()[0]}"
            for column in COLUMNS[name].replace("(12, 2)", "(12,2)").split(", ")
        )
        connection.sql(f"SELECT {cast} FROM text_orders").createOrReplaceTempView("orders")
    return name, connection


@pytest.mark.parametrize("case", CASES)
def test_summaries_equal_duckdbs(server, log, case):
    options = {"newcomers": "drop", "negative": "drop"} | CASES[case]
    wanted = cx.clv.summarize(log, **options)
    found = cx.clv.summarize("orders", connection=server[1], **options)
    assert len(wanted) > 200
    assert found.index.tolist() == wanted.index.tolist()
    assert found.columns.tolist() == wanted.columns.tolist()
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-9, atol=1e-9, err_msg=name)
    lost = "returns_lost"
    notes, own = found.attrs["summarize"], wanted.attrs["summarize"]
    assert notes | {lost: 0} == own | {lost: 0}
    assert abs(notes[lost] - own[lost]) < 1e-5


def test_cohorts_equal_duckdbs(server, log):
    bought = log[log["amount"] >= 0]
    wanted = cx.clv.cohorts(bought, by="quarter").to_frame()
    query = "SELECT * FROM orders WHERE amount >= 0;"
    found = cx.clv.cohorts(query, by="quarter", connection=server[1]).to_frame()
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-9)


def test_tracking_equals_duckdbs(server, log):
    model = cx.clv.BetaGeo({"r": 0.8, "alpha": 8.0, "a": 0.6, "b": 4.0})
    bought = log[log["amount"] >= 0]
    options = {"calibration_until": SPLIT, "draws": 50, "step_days": 28}
    wanted = cx.clv.tracking(model, bought, **options).to_frame()
    query = "SELECT * FROM orders WHERE amount >= 0"
    found = cx.clv.tracking(model, query, connection=server[1], **options).to_frame()
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-9)


def test_a_query_may_rename_and_filter_in_the_servers_own_words(server, log):
    name, connection = server
    own = {"postgres": "customer_id ~ '^c[0-9]'", "spark": "customer_id RLIKE '^c[0-9]'"}[name]
    query = f"SELECT customer_id, ordered_at, amount FROM orders WHERE {own} AND amount >= 0"
    found = cx.clv.summarize(query, connection=connection)
    mine = log[log["customer_id"].str.match("^c[0-9]") & (log["amount"] >= 0)]
    assert found["frequency"].sum() == cx.clv.summarize(mine)["frequency"].sum()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("amount AS amout", ["column amount is missing", "Did you mean amout?"]),
        ("CAST(NULL AS DOUBLE PRECISION) AS amount", ["amount is missing in"]),
        ("CAST('NaN' AS DOUBLE PRECISION) AS amount", ["amount is missing in"]),
        ("CAST('Infinity' AS DOUBLE PRECISION) AS amount", ["must be finite"]),
        ("amount - 100 AS amount", ["are negative", 'negative="net"']),
        ("no_such_column AS amount", ["The server refuses the query", "no_such_column"]),
    ],
)
def test_bad_rows_are_named(server, change, words):
    name, connection = server
    if name == "spark":
        change = change.replace("DOUBLE PRECISION", "DOUBLE")
    query = f"SELECT customer_id, ordered_at, {change} FROM orders"
    with pytest.raises(cx.CxError) as caught:
        cx.clv.summarize(query, connection=connection)
    for word in words:
        assert word in str(caught.value)


def test_times_with_a_zone_must_say_the_local_one(server, log):
    name, connection = server
    kind = {"postgres": "timestamptz", "spark": "timestamp"}[name]
    query = f"SELECT customer_id, CAST(ordered_at AS {kind}) AS ordered_at, amount FROM orders"
    with pytest.raises(cx.CxError, match="the local date is sure") as caught:
        cx.clv.summarize(query, connection=connection)
    assert "AS ordered_at" in str(caught.value)
