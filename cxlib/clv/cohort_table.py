"""Cohorts: who came together, and how many of them still buy at each age."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pandas as pd

from cxlib.clv.interval import percent
from cxlib.clv.sources import opened
from cxlib.clv.summary import read_facts
from cxlib.clv.units import check_choices, to_day
from cxlib.errors import CxError
from cxlib.stats.proportions import proportion

__all__ = ["Cohorts", "cohorts"]

MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Customers by the time of their first purchase, followed by age.

    Attributes
    ----------
    table : DataFrame
        One row a cohort and age, both in calendar steps; age 0 is the step of the first purchase.
        cohort (its first day), age, customers, active (who bought at that age), share =
        active / customers with its Wilson interval low, high; purchases, spend. Steps that
        ``until`` cuts short are left out.
    by : {"month", "quarter", "year"}
    level : float
    """

    table: pd.DataFrame = field(repr=False)
    by: str
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a cohort and age, as in ``table``."""
        return self.table.copy()

    def wide(self, column: str = "share") -> pd.DataFrame:
        """One row a cohort, one column an age; what has not been observed is missing."""
        return self.table.pivot(index="cohort", columns="age", values=column)

    def summary(self) -> str:
        """How the first age differs over cohorts: oldest against newest."""
        first = self.table[self.table["age"] == 1]
        count = self.table["cohort"].nunique()
        if len(first) < 2:
            return f"{count} cohorts by {self.by}; too little time to compare them at one age."
        old, new = first.iloc[0], first.iloc[-1]
        apart = old["low"] > new["high"] or new["low"] > old["high"]
        shares = " against ".join(
            f"{percent(row['share'], 1)} [{percent(row['low'], 1)}, {percent(row['high'], 1)}]"
            for row in (old, new)
        )
        return (
            f"{count} cohorts by {self.by}. In the {self.by} after their first, {shares} bought "
            f"(oldest against newest cohort, {percent(self.level)} intervals): "
            f"{'their intervals do not meet' if apart else 'their intervals overlap'}."
        )

    def plot(self, ax=None):
        """Share of each cohort that buys, by age; see ``plot_cohorts``."""
        from cxlib.clv.plot_validation import plot_cohorts

        return plot_cohorts(self, ax=ax)


def cohorts(
    transactions,
    *,
    by: str = "quarter",
    until: str | date | None = None,
    level: float = 0.95,
    negative: str = "error",
    connection=None,
    memory_mb: int | None = None,
) -> Cohorts:
    """Follow customers by the calendar step of their first purchase.

    Parameters
    ----------
    transactions, until, connection, memory_mb
        As for ``summarize``.
    negative : {"error", "drop"}
        Returns are refused or left out.
    by : {"month", "quarter", "year"}
    level : float
        Of the intervals of shares.

    Returns
    -------
    Cohorts

    Raises
    ------
    CxError
        As ``summarize``, or less than one whole step was observed.

    Examples
    --------
    >>> import pandas as pd
    >>> purchases = pd.DataFrame({
    ...     "customer_id": ["anna", "anna", "ben"],
    ...     "ordered_at": pd.to_datetime(["2025-01-05", "2025-02-08", "2025-02-01"]),
    ...     "amount": [50.0, 30.0, 25.0],
    ... })
    >>> cohorts(purchases, by="month", until="2025-02-28").wide("active")
    age         0    1
    cohort
    2025-01-01  1.0  1.0
    2025-02-01  1.0  NaN
    """
    if by not in MONTHS:
        raise CxError(f"by={by!r} is unknown; cohorts are taken by {', '.join(MONTHS)}")
    if negative == "net":
        raise CxError('cohorts count days with a purchase: negative must be "error" or "drop".')
    check_choices("D", negative=negative)
    months, last = MONTHS[by], to_day(until, "until")
    with opened(transactions, connection, memory_mb) as source:
        facts = read_facts(source, last, negative)
        last = last or facts["last_day"]
        table = source.ask("cohorts", negative, months=months, until=last)
    whole = (pd.Timestamp(last) + pd.Timedelta(days=1)).to_period("M").ordinal + 1970 * 12
    complete = table["cohort"] + table["age"] < whole // months
    table = table[complete & (table["cohort"] < whole // months)]
    if table.empty:
        raise CxError(f"Less than a whole {by} was observed until {last:%Y-%m-%d}.")
    sizes = table.loc[table["age"] == 0].set_index("cohort")["active"]
    # An age at which nobody bought has no row in the answer, but is an observation.
    rows = pd.MultiIndex.from_tuples(
        [(c, age) for c in sizes.index for age in range(whole // months - c)],
        names=["cohort", "age"],
    )
    counts = ["active", "purchases"]
    table = table.set_index(["cohort", "age"]).reindex(rows, fill_value=0).reset_index()
    table[counts] = table[counts].astype("int64")
    table.insert(2, "customers", sizes.loc[table["cohort"]].to_numpy("int64"))
    shares = proportion(table["active"], table["customers"], level=level)
    for place, name in enumerate(("estimate", "low", "high"), start=4):
        table.insert(place, name.replace("estimate", "share"), getattr(shares, name))
    table["spend"] = table["spend"].astype(float)
    month = table["cohort"].to_numpy() * months
    table["cohort"] = pd.to_datetime({"year": month // 12, "month": month % 12 + 1, "day": 1})
    return Cohorts(table, by, level)
