"""From transactions to one row a customer: frequency, recency, T, monetary."""

from __future__ import annotations

import difflib
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning, Problem

__all__ = ["UNITS", "Unit", "summarize", "unit_of"]

COLUMNS = ("customer_id", "ordered_at", "amount")
EPOCH = date(1970, 1, 5)


@dataclass(frozen=True)
class Unit:
    """A unit of time: which purchases merge, and how long one unit is."""

    name: str
    plural: str
    period_days: int
    periods_per_unit: float

    @property
    def per_year(self) -> float:
        """Units in a year of 365.25 days."""
        return 365.25 / (self.period_days * self.periods_per_unit)


UNITS = {
    "D": Unit("D", "days", 1, 1.0),
    "W": Unit("W", "weeks", 1, 7.0),
    "M": Unit("M", "months", 1, 365.25 / 12),
    "week": Unit("week", "weeks", 7, 1.0),
}


def summarize(
    transactions: pd.DataFrame | str | Path,
    *,
    unit: str = "W",
    until: str | date | None = None,
    calibration_until: str | date | None = None,
    newcomers: str = "error",
) -> pd.DataFrame:
    """Purchase histories, one row a customer.

    With unit ``"W"`` the purchases of a day are one purchase, and time is elapsed days / 7::

        frequency = purchase days after the first
        recency   = (last purchase day - first purchase day) / 7
        T         = (last day observed - first purchase day) / 7
        monetary  = mean spend of the purchase days after the first

    DuckDB runs ``cxlib/clv/summary.sql`` in process, on the frame or on a Parquet file.

    Parameters
    ----------
    transactions : DataFrame or path of a Parquet file
        Columns customer_id, ordered_at, amount (>= 0), one row a purchase or an order line.
        Of times with a zone the local date counts. An amount of zero is a purchase like any other.
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

    Returns
    -------
    DataFrame
        Index customer_id, sorted. Columns frequency (int), recency, T (in ``unit``) and monetary
        (in the currency of amount; 0.0 without a repeat purchase, as in lifetimes and
        pymc-marketing). With ``calibration_until`` also holdout_frequency (purchase days in the
        holdout), holdout_spend (their total) and holdout_duration (in ``unit``).
        ``attrs["summarize"]`` holds unit, until, calibration_until and counts.

    Raises
    ------
    CxError
        A column is missing, a value is missing or negative, no or a single purchase, dates outside
        the data, or customers seen in the holdout only.

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
    chosen = check_choices(unit, newcomers)
    last = to_day(until, "until")
    halved = calibration_until == "middle"
    split = None if halved else to_day(calibration_until, "calibration_until")
    with opened(transactions) as connection:
        facts = connection.sql(sql_text("summary_facts.sql")).df().iloc[0]
        check_facts(facts)
        first_day, last_day = to_day(facts.first_day), to_day(facts.last_day)
        last = last or last_day
        if halved:
            split = first_day + (last - first_day) // 2
        check_dates(first_day, last_day, last, split)
        table = connection.execute(
            sql_text("summary.sql"),
            {
                "period_days": chosen.period_days,
                "periods_per_unit": chosen.periods_per_unit,
                "until": last,
                "calibration_period": period_of(split or last, chosen),
            },
        ).df()
        after = "SELECT COUNT(*) FROM transactions WHERE CAST(ordered_at AS DATE) > $until"
        ignored = connection.execute(after, {"until": last}).fetchone()[0]
    late = table["first_period"] > period_of(split or last, chosen)
    check_newcomers(table[late], len(table), chosen, split, newcomers)
    if split and chosen.period_days == 7 and split.weekday() != 6:
        warnings.warn(
            f"calibration_until {split:%Y-%m-%d} is a {split:%A}; in whole weeks the calibration "
            "ends with the Sunday of that week.",
            CxWarning,
            stacklevel=2,
        )
    frame = finish(table[~late], split, chosen, last)
    frame.attrs["summarize"] = {
        "unit": unit,
        "until": f"{last:%Y-%m-%d}",
        "calibration_until": f"{split:%Y-%m-%d}" if split else None,
        "rows": int(facts.rows_read),
        "rows_after_until": int(ignored),
        "newcomers_dropped": int(late.sum()),
    }
    return frame


def unit_of(summary: pd.DataFrame, unit: str | None = None) -> Unit:
    """The unit of time of a summary: as named, else as ``summarize`` noted it, else weeks, aloud.

    Examples
    --------
    >>> unit_of(pd.DataFrame(), "D").plural
    'days'
    """
    if unit is None:
        unit = summary.attrs.get("summarize", {}).get("unit")
    if unit is None:
        unit = "W"
        warnings.warn(
            'The summary does not say its unit of time; weeks are taken. Pass unit="W" (or "D", '
            '"M", "week") to say so.',
            CxWarning,
            stacklevel=3,
        )
    return check_choices(unit)


def finish(table, split, unit, last):
    frame = table.set_index("customer_id")
    if isinstance(frame.index, pd.CategoricalIndex):
        frame = frame.set_axis(frame.index.astype(str)).rename_axis("customer_id").sort_index()
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


@contextmanager
def opened(transactions):
    """A DuckDB connection with a view ``transactions`` of the three columns."""
    connection = duckdb.connect()
    try:
        if isinstance(transactions, (str, Path)):
            register_parquet(connection, Path(transactions))
        else:
            connection.register("transactions", plain_frame(transactions))
        yield connection
    finally:
        connection.close()


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
    if types["ordered_at"] not in {"DATE", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS"}:
        raise CxError(
            f"ordered_at in {path} is of type {types['ordered_at']}; a Parquet file keeps no local "
            "date of times with a zone, nor may a date be text. Read it by "
            "cxlib.read_transactions(path, timezone=...)."
        )
    columns.create_view("transactions")


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


def check_choices(unit, newcomers="error"):
    problems = []
    if unit not in UNITS:
        problems.append(Problem(f"unit {unit!r} is unknown", allowed=", ".join(UNITS)))
    if newcomers not in {"error", "drop"}:
        problems.append(Problem(f"newcomers={newcomers!r} is unknown", allowed="error, drop"))
    if problems:
        raise CxError("summarize cannot do what was asked.", problems)
    return UNITS[unit]


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


def check_facts(facts):
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
    if facts.negative:
        problems.append(
            Problem(
                f"amounts must be >= 0: {int(facts.negative):,} of {rows:,} are negative "
                f"(smallest {facts.smallest:g})",
                cause='Returns are not purchases: read with negative="net" or negative="drop".',
            )
        )
    if facts.largest == np.inf:
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
    day = EPOCH + pd.Timedelta(days=int(first.first_period) * unit.period_days)
    raise CxError(
        f"{len(late):,} of {customers:,} customers bought for the first time after "
        f"{split:%Y-%m-%d}, the first of them {first.customer_id!r} on {day:%Y-%m-%d}: nothing "
        "is known of them in the calibration, so no model can foresee them. Pass "
        'newcomers="drop" to leave them out (and count them among the misses), or move '
        "calibration_until."
    )


def to_day(value, name="date"):
    """A plain date; of a time with a zone, its local date."""
    if value is None:
        return None
    try:
        stamp = pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise CxError(f'{name} must be a date such as "1997-09-30", not {value!r}') from error
    if stamp is pd.NaT:
        raise CxError(f'{name} must be a date such as "1997-09-30", not {value!r}')
    return stamp.date()


def period_of(day, unit):
    return (day - EPOCH).days // unit.period_days


def sql_text(name):
    return files("cxlib.clv").joinpath(name).read_text(encoding="utf-8")
