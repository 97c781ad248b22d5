"""Where transactions lie: a frame or Parquet file read by DuckDB in process, or a server's table.

Every question is one SQL text of this folder, written for DuckDB; sqlglot translates it for
Postgres and Spark. Only the answer comes into this process.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pandas as pd

from cxlib.errors import CxError, Problem

__all__ = ["COLUMNS", "DIALECTS", "Source", "check_columns", "opened", "sql_for"]

COLUMNS = ("customer_id", "ordered_at", "amount")
DIALECTS = ("duckdb", "postgres", "spark")
GIVEN = f"SELECT {', '.join(COLUMNS)} FROM given"
TREATED = {"error": GIVEN, "drop": f"{GIVEN} WHERE amount >= 0"}
NAIVE = {
    "duckdb": ("DATE", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S"),
    "postgres": ("date", "timestamp"),
    "spark": ("date", "timestamp_ntz"),
}
LOCAL = {
    "duckdb": "timezone('Europe/Berlin', ordered_at) AS ordered_at",
    "postgres": "ordered_at AT TIME ZONE 'Europe/Berlin' AS ordered_at",
    "spark": "CAST(ordered_at AS TIMESTAMP_NTZ) AS ordered_at (in the session's time zone)",
}


@dataclass(frozen=True)
class Source:
    """Transactions that answer questions.

    Attributes
    ----------
    dialect : str
        One of ``DIALECTS``.
    run : callable
        From a SQL text to a DataFrame.
    query : str
        The SELECT that gives customer_id, ordered_at and amount.
    """

    dialect: str
    run: Callable[[str], pd.DataFrame]
    query: str

    def ask(self, name: str, negative: str = "error", **values) -> pd.DataFrame:
        """The answer to the text ``name`` of this folder, with its ``$values`` filled in."""
        return self.run(sql_for(name, self.dialect, self.query, negative, **values))


def sql_for(name: str, dialect: str, query: str, negative: str = "error", **values) -> str:
    """The text ``name`` in a dialect, on the rows of ``query``, returns treated as chosen.

    Examples
    --------
    >>> text = sql_for("summary_facts", "spark", "SELECT * FROM orders", until=date(2025, 1, 31))
    >>> print(text[:40])
    WITH given AS (
    SELECT * FROM orders
    ),
    """
    treated = sql_text("netting") if negative == "net" else TREATED[negative]
    # A server's own text stays as it was written: only ours is translated.
    parts = {
        "given": query,
        "transactions": translated(filled(treated, values), dialect),
    }
    body = translated(filled(sql_text(name), values), dialect)
    opening = ",\n".join(f"{part} AS (\n{text.strip()}\n)" for part, text in parts.items())
    return f"WITH {opening}{joined(body)}"


def joined(body: str) -> str:
    """The rest of a text after other common table expressions."""
    return f",\n{body.removeprefix('WITH ')}" if body.startswith("WITH ") else f"\n{body}"


def sql_text(name: str) -> str:
    return files("cxlib.clv").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def filled(text: str, values: dict) -> str:
    """The text without comments, its ``$names`` replaced by literals."""
    bare = re.sub(r"^--.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\$(\w+)", lambda name: literal(values[name[1]]), bare)


def literal(value: int | float | date) -> str:
    return f"DATE '{value:%Y-%m-%d}'" if isinstance(value, date) else repr(value)


def translated(text: str, dialect: str) -> str:
    if dialect == "duckdb":
        return text
    import sqlglot

    return sqlglot.transpile(text, read="duckdb", write=dialect, pretty=True)[0]


@contextmanager
def opened(transactions, connection=None, memory_mb=None):
    """The source of a frame, of a Parquet file, or of a table or query on a server."""
    if connection is not None:
        yield on_server(transactions, connection, memory_mb)
        return
    with TemporaryDirectory(prefix="cxlib_") as spill:
        # Row order means nothing here, and keeping it costs memory.
        config = {"temp_directory": spill, "preserve_insertion_order": "false"}
        if memory_mb is not None:
            config["memory_limit"] = f"{check_memory(memory_mb)}MB"
        own = duckdb.connect(config=config)
        try:
            silence(own)
            if isinstance(transactions, (str, Path)):
                register_parquet(own, Path(transactions))
            else:
                own.register("purchase_rows", plain_frame(transactions))
            yield Source("duckdb", lambda text: own.execute(text).df(), named("purchase_rows"))
        finally:
            own.close()


def silence(connection) -> None:
    """No progress bar; where it is off already, Jupyter may refuse to hear of it."""
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0]:
        connection.execute("SET enable_progress_bar = false")


def check_memory(memory_mb) -> int:
    if not (isinstance(memory_mb, int) and memory_mb >= 100):
        raise CxError(f"memory_mb must be a whole number of at least 100, not {memory_mb!r}")
    return memory_mb


def on_server(text, connection, memory_mb) -> Source:
    if memory_mb is not None:
        raise CxError("memory_mb bounds DuckDB in this process; a server has settings of its own.")
    if not (isinstance(text, str) and text.strip()):
        raise CxError(
            "With connection= the first argument is the name of a table or a SELECT that gives "
            f"{', '.join(COLUMNS)}, not {type(text).__name__}."
        )
    query = text.strip().rstrip(";")
    if not re.match(r"(?i)(select|with|\()", query):
        query = f"SELECT * FROM {query}"
    home = type(connection).__module__.partition(".")[0]
    opening = {"psycopg": of_postgres, "pyspark": of_spark, "_duckdb": of_duckdb}
    opening["duckdb"] = of_duckdb
    if home not in opening:
        raise CxError(
            f"connection= takes a psycopg connection, a Spark session or a DuckDB connection, not "
            f"{type(connection).__module__}.{type(connection).__qualname__}"
        )
    dialect, run, types = opening[home](connection)
    try:
        found = types(f"WITH given AS (\n{query}\n)\nSELECT * FROM given LIMIT 0")
    except Exception as error:
        raise CxError(f"The server refuses the query: {str(error).strip().splitlines()[0]}") from (
            error
        )
    check_columns(found)
    check_local(found["ordered_at"], dialect, "the query")
    return Source(dialect, run, query)


def of_postgres(connection):
    def run(text):
        with connection.cursor(binary=True) as cursor:
            cursor.execute(text)
            return pd.DataFrame.from_records(
                cursor.fetchall(), columns=[column.name for column in cursor.description]
            )

    def types(text):
        # What the server refuses must not spoil the caller's own transaction.
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(text)
            return {column.name: column.type_display for column in cursor.description}

    return "postgres", run, types


def of_spark(session):
    def types(text):
        return {field.name: field.dataType.simpleString() for field in session.sql(text).schema}

    return "spark", lambda text: session.sql(text).toArrow().to_pandas(), types


def of_duckdb(connection):
    def types(text):
        relation = connection.sql(text)
        return dict(zip(relation.columns, map(str, relation.types), strict=True))

    return "duckdb", lambda text: connection.execute(text).df(), types


def named(view: str) -> str:
    return f"SELECT {', '.join(COLUMNS)} FROM {view}"


def register_parquet(connection, path):
    if not path.is_file():
        raise CxError(f"{path} is not there: summarize takes a frame or the path of a Parquet file")
    try:
        columns = connection.read_parquet(str(path))
    except duckdb.Error as error:
        raise CxError(
            f"{path} is not a Parquet file DuckDB can read. "
            "Read other files by cxlib.read_transactions first."
        ) from error
    check_columns(columns.columns)
    types = dict(zip(columns.columns, map(str, columns.types), strict=True))
    check_local(types["ordered_at"], "duckdb", path)
    columns.create_view("purchase_rows")


def check_local(kind: str, dialect: str, where) -> None:
    """Refuse times that are instants or text: which local date counts, nobody has said."""
    if re.sub(r"\(\d+\)", "", kind) in NAIVE[dialect]:
        return
    if isinstance(where, Path):
        raise CxError(
            f"ordered_at in {where} is of type {kind}; a Parquet file keeps no local "
            "date of times with a zone, nor may a date be text. Read it by "
            "cxlib.read_transactions(path, timezone=...)."
        )
    raise CxError(
        f"ordered_at is of type {kind} in {where}: it must be a date or a time without a zone, "
        f"so that the local date is sure. Write {LOCAL[dialect]}, or cast text to a date."
    )


def plain_frame(transactions):
    """The three columns, with naive local dates in ordered_at."""
    check_columns(transactions.columns)
    frame = transactions.loc[:, list(COLUMNS)].reset_index(drop=True)
    days = frame["ordered_at"]
    if days.dtype == object and days.map(lambda d: isinstance(d, date) or pd.isna(d)).all():
        days = pd.to_datetime(
            days.map(
                lambda d: (
                    d if pd.isna(d) else pd.Timestamp(d.date() if isinstance(d, datetime) else d)
                )
            )
        )
    problems = []
    if not pd.api.types.is_datetime64_any_dtype(days):
        problems.append(
            Problem(
                f"ordered_at must hold dates, not {days.dtype}",
                where=f"first value {days.iloc[0]!r}" if len(days) else "",
                cause="Read the file by cxlib.read_transactions, or convert by pandas.to_datetime.",
            )
        )
    if not pd.api.types.is_numeric_dtype(frame["amount"]):
        problems.append(
            Problem(
                f"amount must hold numbers, not {frame['amount'].dtype}",
                where=f"first value {frame['amount'].iloc[0]!r}" if len(frame) else "",
                cause="Read the file by cxlib.read_transactions, which names every bad cell.",
            )
        )
    if problems:
        raise CxError("The transactions cannot be summed up.", problems)
    frame["ordered_at"] = days.dt.tz_localize(None)
    return frame


def check_columns(columns):
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        near = {name: difflib.get_close_matches(name, map(str, columns), 1) for name in missing}
        raise CxError(
            "The transactions lack what a summary needs.",
            [
                Problem(
                    f"column {name} is missing",
                    where=f"there are {', '.join(map(str, columns)) or 'none'}",
                    cause=f"Did you mean {near[name][0]}?" if near[name] else "",
                )
                for name in missing
            ],
        )
