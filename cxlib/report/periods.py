"""Periods as texts name them: their first and last day, and which lie apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from cxlib.errors import CxError

__all__ = ["Period", "name_period", "read_period"]

_PARTS = re.compile(
    r"(?P<year>\d{4})(?:"
    r"-?Q(?P<quarter>[1-4])|-?H(?P<half>[12])|-?W(?P<week>\d{2})|-(?P<month>\d{2})(?:-(?P<day>\d{2}))?"
    r")?"
)


@dataclass(frozen=True)
class Period:
    """From its first to its last day, both included."""

    first: date
    last: date

    def precedes(self, other: Period) -> bool:
        """Whether it ends before the other begins.

        Examples
        --------
        >>> read_period("2025Q3").precedes(read_period("2025-10"))
        True
        >>> read_period("2025").precedes(read_period("2025Q4"))
        False
        """
        return self.last < other.first

    @property
    def middle(self) -> date:
        """The day halfway."""
        return self.first + (self.last - self.first) / 2


@lru_cache(maxsize=4096)  # a history names the same few again and again
def read_period(text: str | None) -> Period | None:
    """Read a period; None where the text names no days, so that nothing is compared by a guess.

    Parameters
    ----------
    text : str or None
        A year, half-year, quarter, month, ISO week or day (``2025``, ``2025H1``, ``2025Q4``,
        ``2025-11``, ``2025W07``, ``2025-11-30``), or two of them with a slash between.

    Returns
    -------
    Period or None

    Examples
    --------
    >>> read_period("2025Q4")
    Period(first=datetime.date(2025, 10, 1), last=datetime.date(2025, 12, 31))
    >>> read_period("2025-01-01/2025-03-31").last
    datetime.date(2025, 3, 31)
    >>> read_period("next 52 weeks") is None
    True
    """
    ends = [_one(part.strip()) for part in (text or "").upper().split("/")]
    if len(ends) > 2 or None in ends or ends[0].first > ends[-1].last:
        return None
    return Period(ends[0].first, ends[-1].last)


def name_period(given) -> str | None:
    """A period as it is recorded: a text as it is, days by the first and the last of them.

    Parameters
    ----------
    given : str, one period, iterable of dates, or None
        Days that are not known are passed over.

    Returns
    -------
    str or None

    Raises
    ------
    CxError
        Values among the days that are no dates, such as dates as text.

    Examples
    --------
    >>> import pandas as pd
    >>> name_period(pd.to_datetime(["2025-03-31", None, "2025-01-02"]))
    '2025-01-02/2025-03-31'
    >>> name_period("2025Q4"), name_period([date(2025, 4, 7)] * 2), name_period(None)
    ('2025Q4', '2025-04-07', None)
    """
    if given is None or isinstance(given, str):
        return given
    if not hasattr(given, "__iter__"):
        return str(given)
    import pandas as pd

    days = pd.Series(given if hasattr(given, "dtype") else list(given)).dropna()
    if isinstance(days.dtype, pd.PeriodDtype):
        days = pd.concat([days.dt.start_time, days.dt.end_time])
    if days.dtype.kind != "M":
        strange = days[[not isinstance(day, date) for day in days]]
        if len(strange):
            raise CxError(
                f"period: {len(strange):,} of {len(days):,} days are no dates, the first "
                f"{strange.tolist()[0]!r}. Allowed: dates (pandas.to_datetime reads text), or one "
                'text such as "2025Q4".'
            )
        days = pd.to_datetime(pd.Series([date(d.year, d.month, d.day) for d in days]))
    if days.empty:
        return None
    first, last = (f"{day:%Y-%m-%d}" for day in (days.min(), days.max()))
    return first if first == last else f"{first}/{last}"


def _one(text: str) -> Period | None:
    match = _PARTS.fullmatch(text)
    if match is None:
        return None
    found = {name: int(part) for name, part in match.groupdict().items() if part}
    year = found["year"]
    try:
        if "week" in found:
            monday = date.fromisocalendar(year, found["week"], 1)
            return Period(monday, monday + timedelta(days=6))
        if "day" in found:
            day = date(year, found["month"], found["day"])
            return Period(day, day)
        if "half" in found:
            return _months(year, 6 * found["half"] - 5, 6)
        if "quarter" in found:
            return _months(year, 3 * found["quarter"] - 2, 3)
        return _months(year, found["month"], 1) if "month" in found else _months(year, 1, 12)
    except ValueError:  # such as month 13 or week 54
        return None


def _months(year: int, month: int, count: int) -> Period:
    after = date(year + (month + count > 12), (month + count - 1) % 12 + 1, 1)
    return Period(date(year, month, 1), after - timedelta(days=1))
