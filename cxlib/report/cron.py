"""Five fields of cron: read as cron reads them, asked for due times, told to systemd."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

__all__ = ["Cron", "read_cron"]

_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, tuple(m.lower() for m in calendar.month_abbr)),
    ("day of week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_ITEM = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9]\d*))?")
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_SEARCHED_DAYS = 41 * 366  # 29 February meets each weekday at least once in 40 years
_DUE_TIMES_OF_INTERVAL = 8


@dataclass(frozen=True)
class Cron:
    """When something is due, by the clock on the wall.

    Attributes
    ----------
    text : str
        As it was written.
    minutes, hours, days, months, weekdays : frozenset of int
        What each field allows; weekday 0 is Sunday.
    either_day : bool
        Whether a day is due by its number or by its weekday. Cron needs both where one of the two
        fields begins with a star, else either.
    every_hour : bool
        Whether the hour field begins with a star; then an hour that the clock repeats counts twice
        and one that it skips not at all.
    """

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] = field(repr=False)
    months: frozenset[int] = field(repr=False)
    weekdays: frozenset[int] = field(repr=False)
    either_day: bool = False
    every_hour: bool = False

    def next_after(self, moment: datetime, zone: tzinfo | None = None) -> datetime:
        """The first due time after a moment.

        Parameters
        ----------
        moment : datetime
            With its zone.
        zone : tzinfo, optional
            Where the clock hangs; this machine's own zone by default.

        Returns
        -------
        datetime
            In UTC.

        Examples
        --------
        >>> from datetime import timezone
        >>> noon = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
        >>> print(read_cron("0 6 * * 1").next_after(noon, timezone.utc))
        2026-11-30 06:00:00+00:00
        """
        start = moment.astimezone(zone).date()
        for step in range(_SEARCHED_DAYS):
            later = [t for t in self._due(start + timedelta(step), zone) if t > moment]
            if later:
                return later[0]
        raise AssertionError(f"{self.text} is never due")  # read_cron refuses such schedules

    def last_before(self, moment: datetime, zone: tzinfo | None = None) -> datetime:
        """The latest due time that is not after a moment; otherwise as `next_after`."""
        start = moment.astimezone(zone).date()
        for step in range(_SEARCHED_DAYS):
            earlier = [t for t in self._due(start - timedelta(step), zone) if t <= moment]
            if earlier:
                return earlier[-1]
        raise AssertionError(f"{self.text} is never due")

    def interval(self, moment: datetime, zone: tzinfo | None = None) -> timedelta:
        """The longest time between two of the last eight due times before a moment.

        Examples
        --------
        >>> read_cron("0 6 * * 1-5").interval(datetime(2026, 11, 24, 12, tzinfo=UTC), UTC).days
        3
        """
        times = [self.last_before(moment, zone)]
        while len(times) < _DUE_TIMES_OF_INTERVAL:
            times.append(self.last_before(times[-1] - timedelta(microseconds=1), zone))
        return max(a - b for a, b in pairwise(times))

    def on_calendar(self) -> list[str]:
        """The same times as values of systemd's ``OnCalendar=``; their union where it is several.

        Examples
        --------
        >>> read_cron("0 6 1 * 1").on_calendar()
        ['*-*-01 06:00:00', 'Mon *-*-* 06:00:00']
        """
        clock = f"{_listed(self.hours, range(24))}:{_listed(self.minutes, range(60))}:00"
        months = _listed(self.months, range(1, 13))
        days = _listed(self.days, range(1, 32))
        week = ",".join(_WEEKDAYS[d] for d in sorted(self.weekdays, key=lambda d: d or 7))
        weekday = "" if len(self.weekdays) == 7 else f"{week} "
        if self.either_day:
            return [f"*-{months}-{days} {clock}", f"{weekday}*-{months}-* {clock}"]
        return [f"{weekday}*-{months}-{days} {clock}"]

    def _is_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        numbered, named = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (numbered or named) if self.either_day else (numbered and named)

    def _due(self, day: date, zone: tzinfo | None) -> list[datetime]:
        if not self._is_day(day):
            return []
        found = set()
        for hour in self.hours:
            for minute in self.minutes:
                found |= self._instants(datetime.combine(day, time(hour, minute)), zone)
        return sorted(found)

    def _instants(self, wall: datetime, zone: tzinfo | None) -> set[datetime]:
        """A time on the wall as instants: a skipped one is due by the old clock, one shown twice
        at the first, unless every hour counts."""
        first, second = (_instant(wall.replace(fold=fold), zone) for fold in (0, 1))
        if first == second or not self.every_hour:
            return {first}
        skipped = first.astimezone(zone).replace(tzinfo=None) != wall
        return set() if skipped else {first, second}


def _instant(wall: datetime, zone: tzinfo | None) -> datetime:
    return (wall.astimezone() if zone is None else wall.replace(tzinfo=zone)).astimezone(UTC)


def _listed(chosen: frozenset[int], whole: range) -> str:
    return "*" if len(chosen) == len(whole) else ",".join(f"{n:02d}" for n in sorted(chosen))


def read_cron(text: str) -> Cron:
    """Read five fields of cron: minute, hour, day of month, month, day of week.

    Numbers, ranges ``1-5``, lists ``1,15``, steps ``*/15`` and ``8-18/2``, and the first three
    letters of months and weekdays.

    Parameters
    ----------
    text : str

    Returns
    -------
    Cron

    Raises
    ------
    ValueError
        With the field and the reason; also for what never comes, such as 30 February.

    Examples
    --------
    >>> sorted(read_cron("*/20 6 * * mon-fri").minutes)
    [0, 20, 40]
    >>> read_cron("0 24 * * *")
    Traceback (most recent call last):
    ValueError: '0 24 * * *' is not five fields of cron such as "0 6 * * 1": hour takes 0 to 23,
    not '24'
    """
    try:
        fields = text.split()
        if len(fields) != len(_FIELDS):
            raise ValueError(f"it has {len(fields)} fields")
        sets = [_allowed(entry, *kind) for entry, kind in zip(fields, _FIELDS, strict=True)]
        minutes, hours, days, months, weekdays = sets
        starred = fields[2].startswith("*") or fields[4].startswith("*")
        if starred and not any(min(days) <= _DAYS_OF_MONTH[month - 1] for month in months):
            raise ValueError("no such day is ever in the calendar")
    except ValueError as error:
        raise ValueError(
            f'{text!r} is not five fields of cron such as "0 6 * * 1": {error}'
        ) from None
    weekdays = frozenset(day % 7 for day in weekdays)
    return Cron(
        text, minutes, hours, days, months, weekdays, not starred, fields[1].startswith("*")
    )


def _allowed(entry: str, name: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    allowed: set[int] = set()
    for item in entry.split(","):
        match = _ITEM.fullmatch(item)
        if not match:
            raise ValueError(f"{name} takes no {item!r}")
        start, end, step = match.groups()
        if start and step and not end:  # crons disagree on what 5/15 means
            raise ValueError(f"write {name} {item!r} as {start}-{high}/{step}")
        first = low if start is None else _number(start, name, low, high, names)
        last = (high if start is None else first) if end is None else None
        last = _number(end, name, low, high, names) if last is None else last
        if first > last:
            raise ValueError(f"{name} {item!r} runs backwards")
        allowed |= set(range(first, last + 1, int(step or 1)))
    return frozenset(allowed)


def _number(text: str, name: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if text and text.lower() in names:
        return names.index(text.lower())
    if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
        raise ValueError(f"{name} takes {low} to {high}, not {text!r}")
    return int(text)
