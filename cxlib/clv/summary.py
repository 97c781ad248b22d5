"""From transactions to one row a customer: frequency, recency, T, monetary."""

from __future__ import annotations

import warnings
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from cxlib.clv.sources import DIALECTS, check_columns, named, opened, sql_for
from cxlib.clv.units import (
    EPOCH,
    UNITS,
    Unit,
    check_choices,
    day_of,
    period_of,
    to_day,
    unit_of,
)
from cxlib.errors import CxError, CxWarning, Problem

__all__ = [
    "EPOCH",
    "UNITS",
    "Unit",
    "check_columns",
    "check_dates",
    "read_facts",
    "summarize",
    "summary_sql",
    "to_day",
    "unit_of",
]

FOREVER = date(9999, 12, 31)


def summarize(
    transactions: pd.DataFrame | str | Path,
    *,
    unit: str = "W",
    until: str | date | None = None,
    calibration_until: str | date | None = None,
    newcomers: str = "error",
    negative: str = "error",
    connection=None,
    memory_mb: int | None = None,
) -> pd.DataFrame:
    """Purchase histories, one row a customer.

    With unit ``"W"`` the purchases of a day are one purchase, and time is elapsed days / 7::

        frequency = purchase days after the first
        recency   = (last purchase day - first purchase day) / 7
        T         = (last day observed - first purchase day) / 7
        monetary  = mean spend of the purchase days after the first

    DuckDB runs ``cxlib/clv/summary.sql`` in process, on the frame or on a Parquet file, spilling
    to disk what memory cannot hold; or a server runs it where the transactions are.

    Parameters
    ----------
    transactions : DataFrame, path of a Parquet file, or text
        Columns customer_id, ordered_at, amount, one row a purchase or an order line.
        Of times with a zone the local date counts. An amount of zero is a purchase like any other.
        With ``connection``: the name of a table, or a SELECT in the server's own SQL.
    unit : {"W", "week", "D", "M"}
        ``"D"``, ``"W"``, ``"M"``: elapsed days, divided by 1, 7 and 30.4375 (a twelfth of
        365.25 days); purchases of a day are merged. ``"week"``: whole calendar weeks, Monday to
        Sunday; purchases of a week are merged, and frequency, recency and T are whole numbers.
    until : date, optional
        The last day observed; default: the day of the last purchase. Rows after it are ignored and
        counted in ``attrs["summarize"]["rows_after_until"]``.
    calibration_until : date, optional
        Splits the time: frequency, recency, T and monetary look up to the end of this day, the
        holdout columns at what follows, up to ``until``; ``"middle"`` halves the time from the
        first purchase to ``until``. With ``unit="week"`` the week of this
        day belongs to the calibration as a whole.
    newcomers : {"error", "drop"}
        What to do with customers whose first purchase lies in the holdout.
    negative : {"error", "drop", "net"}
        Returns, that is negative amounts: refused, left out, or taken off the customer's latest
        purchases before them (``cxlib/clv/netting.sql``), where what is wholly returned is no
        purchase. Returns of the holdout are taken off purchases of the holdout alone, so that the
        calibration knows nothing of them.
    connection : psycopg connection, Spark session or DuckDB connection, optional
        Where the transactions are (extras ``postgres`` and ``spark``). Of times with a zone the
        query must say the local one. An answer of one row a customer is all that travels.
    memory_mb : int, optional
        Bound of DuckDB's memory in this process [megabytes]; what is beyond goes to a temporary
        folder. Default: DuckDB's own, four fifths of the machine.

    Returns
    -------
    DataFrame
        Index customer_id, sorted. Columns frequency (int), recency, T (in ``unit``) and monetary
        (in the currency of amount; 0.0 without a repeat purchase, as in lifetimes and
        pymc-marketing). With ``calibration_until`` also holdout_frequency (purchase days in the
        holdout), holdout_spend (their total) and holdout_duration (in ``unit``).
        ``attrs["summarize"]`` holds unit, until, calibration_until and counts; returns_lost is the
        money of returns that found no purchase.

    Raises
    ------
    CxError
        A column is missing, a value is missing or negative, no or a single purchase, all purchases
        wholly returned, dates outside the data, customers seen in the holdout only, or a query that
        the server refuses.

    References
    ----------
    Fader, Hardie & Lee (2005), doi:10.1287/mksc.1040.0098.

    Examples
    --------
    >>> import pandas as pd
    >>> purchases = pd.DataFrame({
    ...     "customer_id": ["anna", "anna", "anna", "ben"],
    ...     "ordered_at": pd.to_datetime(["2025-01-01", "2025-01-08", "2025-01-22", "2025-01-15"]),
    ...     "amount": [50.0, 30.0, 40.0, 25.0],
    ... })
    >>> summarize(purchases, until="2025-01-29")
                 frequency  recency    T  monetary
    customer_id
    anna                 2      3.0  4.0      35.0
    ben                  0      0.0  2.0       0.0
    """
    chosen = check_choices(unit, newcomers, negative)
    last = to_day(until, "until")
    halved = calibration_until == "middle"
    split = None if halved else to_day(calibration_until, "calibration_until")
    with opened(transactions, connection, memory_mb) as source:
        facts = read_facts(source, last, negative)
        first_day, last = facts["first_day"], last or facts["last_day"]
        if halved:
            split = first_day + (last - first_day) // 2
        check_dates(first_day, facts["last_day"], last, split)
        values = sql_values(chosen, last, split)
        table = source.ask("summary", negative, **values)
        if table.empty:
            raise CxError("All purchases were wholly returned: none is left to sum up.")
        lost = 0.0
        if negative == "net" and facts["negative"]:
            kept = source.ask("summary_facts", negative, **values)["total"].iloc[0]
            lost = max(0.0, float(kept) - facts["total"])
    late = table["first_period"] > period_of(split or last, chosen)
    check_newcomers(table[late], len(table), chosen, split, newcomers)
    if split and chosen.period_days == 7 and split.weekday() != 6:
        warnings.warn(
            f"calibration_until {split:%Y-%m-%d} is a {split:%A}; in whole weeks the calibration "
            "ends with the Sunday of that week.",
            CxWarning,
            stacklevel=2,
        )
    frame = finish(table[~late] if late.any() else table, split, chosen, last)
    frame.attrs["summarize"] = {
        "unit": unit,
        "until": f"{last:%Y-%m-%d}",
        "calibration_until": f"{split:%Y-%m-%d}" if split else None,
        "rows": facts["rows_read"],
        "rows_after_until": facts["after_until"],
        "newcomers_dropped": int(late.sum()),
        "returns": facts["negative"],
        "returns_lost": round(lost, 6),
    }
    return frame


def summary_sql(
    dialect: str = "duckdb",
    *,
    until: str | date,
    calibration_until: str | date | None = None,
    unit: str = "W",
    negative: str = "error",
    table: str = "transactions",
) -> str:
    """The SQL text that ``summarize`` runs, for those who run it themselves.

    Parameters
    ----------
    dialect : {"duckdb", "postgres", "spark"}
    until, calibration_until, unit, negative
        As for ``summarize``.
    table : str
        Name of the table.

    Returns
    -------
    str

    Examples
    --------
    >>> print(summary_sql("postgres", until="2025-01-31").splitlines()[1])
    SELECT customer_id, ordered_at, amount FROM transactions
    """
    chosen = check_choices(unit, negative=negative)
    if dialect not in DIALECTS:
        raise CxError(f"dialect {dialect!r} is unknown; there are {', '.join(DIALECTS)}")
    last, split = to_day(until, "until"), to_day(calibration_until, "calibration_until")
    values = sql_values(chosen, last, split)
    return sql_for("summary", dialect, named(table), negative, **values)


def sql_values(unit, last, split) -> dict:
    return {
        "period_days": unit.period_days,
        "periods_per_unit": unit.periods_per_unit,
        "until": last,
        "calibration_period": period_of(split or last, unit),
    }


def read_facts(source, last=None, negative="error") -> dict:
    """What must be known before the rows are summed up; a CxError where they cannot be."""
    until = last or FOREVER
    facts = source.ask("summary_facts", until=until).iloc[0]
    check_facts(facts, negative)
    found = {name: int(facts[name]) for name in ("rows_read", "after_until", "negative")}
    found["total"] = float(facts["total"])
    if found["negative"]:
        # Days of returns are no days of purchases.
        facts = source.ask("summary_facts", "drop", until=until).iloc[0]
        if not facts["rows_read"]:
            raise CxError("All rows are returns: there is no purchase to sum up.")
    return found | {day: to_day(facts[day]) for day in ("first_day", "last_day")}


def finish(table, split, unit, last):
    frame = table.set_index("customer_id")
    if isinstance(frame.index, pd.CategoricalIndex):
        frame = frame.set_axis(frame.index.astype(str)).rename_axis("customer_id")
    frame = frame.sort_index()
    repeats = frame["frequency"].astype("int64")
    spend = frame["repeat_spend"].to_numpy(float)
    columns = {
        "frequency": repeats,
        "recency": frame["recency"].astype(float),
        "T": frame["T"].astype(float),
        "monetary": spend / np.maximum(repeats.to_numpy(), 1),
    }
    if split:
        periods = period_of(last, unit) - period_of(split, unit)
        columns["holdout_frequency"] = frame["holdout_frequency"].astype("int64")
        columns["holdout_spend"] = frame["holdout_spend"].astype(float)
        columns["holdout_duration"] = periods / unit.periods_per_unit
    return pd.DataFrame(columns, index=frame.index)


def check_facts(facts, negative):
    rows = int(facts.rows_read)
    if rows < 2:
        raise CxError(
            f"{'No purchase' if rows == 0 else 'A single purchase'} is no history: a summary needs "
            "at least two purchases. Was the right file read, or everything filtered away?"
        )
    problems = [
        Problem(f"{name} is missing in {int(count):,} of {rows:,} rows", cause=cause)
        for name, count, cause in (
            ("customer_id", facts.no_customer, "Drop these rows; nobody can be credited."),
            ("ordered_at", facts.no_date, "Drop these rows or find the dates."),
            ("amount", facts.no_amount, "Give 0 where a purchase cost nothing."),
        )
        if count
    ]
    if facts.negative and negative == "error":
        problems.append(
            Problem(
                f"amounts must be >= 0: {int(facts.negative):,} of {rows:,} are negative "
                f"(smallest {facts.smallest:g})",
                cause='Returns are not purchases: pass negative="net" or negative="drop".',
            )
        )
    if facts.infinite:
        problems.append(Problem("amounts must be finite: at least one is infinite"))
    if problems:
        raise CxError("The transactions cannot be summed up.", problems)


def check_dates(first_day, last_day, last, split):
    span = f"{first_day:%Y-%m-%d} to {last_day:%Y-%m-%d}"
    if last < first_day:
        raise CxError(f"until {last:%Y-%m-%d} lies before the first purchase: the data run {span}")
    if split and not first_day <= split < last:
        raise CxError(
            f"calibration_until {split:%Y-%m-%d} leaves no calibration or no holdout: the data run "
            f"{span}, observed until {last:%Y-%m-%d}. Choose a day on or after the first purchase "
            "and before the last day observed."
        )


def check_newcomers(late, customers, unit, split, newcomers):
    if late.empty or newcomers == "drop":
        return
    first = late.sort_values(["first_period", "customer_id"]).iloc[0]
    day = day_of(first.first_period, unit)
    raise CxError(
        f"{len(late):,} of {customers:,} customers bought for the first time after "
        f"{split:%Y-%m-%d}, the first of them {first.customer_id!r} on {day:%Y-%m-%d}: nothing "
        "is known of them in the calibration, so no model can foresee them. Pass "
        'newcomers="drop" to leave them out (and count them among the misses), or move '
        "calibration_until."
    )
