"""Units of time of a purchase summary: which purchases merge, and how long one unit is."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from cxlib.errors import CxError, CxWarning, Problem

__all__ = ["EPOCH", "UNITS", "Unit", "check_choices", "day_of", "period_of", "to_day", "unit_of"]

EPOCH = date(1970, 1, 5)
NEWCOMERS = ("error", "drop")
NEGATIVE = ("error", "drop", "net")


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


def check_choices(unit, newcomers="error", negative="error") -> Unit:
    """The unit by its name; a CxError of all choices that are none."""
    problems = []
    if unit not in UNITS:
        problems.append(Problem(f"unit {unit!r} is unknown", allowed=", ".join(UNITS)))
    for name, choice, allowed in (
        ("newcomers", newcomers, NEWCOMERS),
        ("negative", negative, NEGATIVE),
    ):
        if choice not in allowed:
            problems.append(Problem(f"{name}={choice!r} is unknown", allowed=", ".join(allowed)))
    if problems:
        raise CxError("summarize cannot do what was asked.", problems)
    return UNITS[unit]


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


def period_of(day: date, unit: Unit) -> int:
    """The period a day lies in; period 0 begins on Monday, 5 January 1970."""
    return (day - EPOCH).days // unit.period_days


def day_of(period: int, unit: Unit) -> date:
    """The first day of a period."""
    return EPOCH + timedelta(days=int(period) * unit.period_days)
