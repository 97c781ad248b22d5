"""Dates as people write them: 2025-12-31, 31.12.2025, 12/31/2025, with or without a time of day.

Dotted dates have the day first. For slashes the order is taken from the whole column; where nothing
decides, the reading is refused.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cxlib.errors import Problem
from cxlib.tables.cells import Cells, Reading, Rule, matches, quoted

__all__ = ["read_plain_days", "read_times"]

_CLOCK = r"([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?)?"
_OFFSET = r"( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?"
_ISO_DAY = r"\d{4}-\d{2}-\d{2}"
_ISO = rf"(\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}{_CLOCK}|\d{{8}}){_OFFSET}"
_DOTTED = rf"\d{{1,2}}\.\d{{1,2}}\.\d{{4}}{_CLOCK}{_OFFSET}"
_SLASHED = rf"\d{{1,2}}[/-]\d{{1,2}}[/-]\d{{4}}{_CLOCK}{_OFFSET}"
FIRST_DAY, LAST_DAY = "1900-01-01", "2199-12-31"


def read_plain_days(cells: Cells) -> Reading | None:
    """The quick way for a column of nothing but days as 2025-12-31; None where it is not one."""
    text = cells.cell
    total, days = cells.count(f"count({text})", f"count(*) FILTER ({matches(text, _ISO_DAY)})")
    if total > days:
        return None
    value = f"TRY_CAST({text} AS TIMESTAMP)"
    return Reading(text, value, (_on_calendar(text, value), _within_calendar(value)))


def read_times(cells: Cells, text: str, dayfirst: bool | None) -> Reading:
    """Days and times in ISO, dotted and slashed order, with or without an offset."""
    if cells.kind in ("time", "zoned"):
        value = (
            f"make_timestamp(epoch_us(CAST({cells.cell} AS TIMESTAMPTZ)))"
            if cells.kind == "zoned"
            else f"CAST({cells.cell} AS TIMESTAMP)"
        )
        value = f"CASE WHEN {text} IS NOT NULL THEN {value} END"
        timed = cells.kind == "zoned" or _some_clock(cells, value)
        reading = Reading(text, value, timed=timed, naive=timed and cells.kind == "time")
        utc = "true" if cells.kind == "zoned" else "false"
        return replace(
            reading, rules=(_within_calendar(value),), offset=cells.kind == "zoned", utc=utc
        )
    iso, dotted, slashed, zoned = cells.count(
        f"count(*) FILTER ({matches(text, _ISO)})",
        f"count(*) FILTER ({matches(text, _DOTTED)})",
        f"count(*) FILTER ({matches(text, _SLASHED)})",
        f"count(*) FILTER (regexp_matches({text}, ':.*(Z|UTC|[+-]\\d{{2}}(:?\\d{{2}})?)$'))",
    )
    order, note = "day", ""
    if slashed:
        first, second = cells.count(
            *(
                f"count(*) FILTER ({matches(text, _SLASHED)} AND "
                f"TRY_CAST(regexp_extract({text}, '^(\\d+).(\\d+)', {i}) AS INT) > 12)"
                for i in (1, 2)
            )
        )
        if dayfirst is None and not first and not second:
            return Reading(text, "NULL", problem=_unclear_day(cells, text, slashed))
        order = "day" if (dayfirst if dayfirst is not None else first >= second) else "month"
        note = f"dates with the {order} first"
    elif dotted:
        note = "dates with the day first"
    clean = text
    if dotted:
        clean = _turned(clean, r"^(\d{1,2})\.(\d{1,2})\.(\d{4})", r"\3-\2-\1")
    if slashed:
        target = r"\3-\2-\1" if order == "day" else r"\3-\1-\2"
        clean = _turned(clean, r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4})", target)
    if iso:
        clean = _turned(clean, r"^(\d{4})(\d{2})(\d{2})", r"\1-\2-\3")
    known = " OR ".join(matches(text, p) for p in (_ISO, _DOTTED, _SLASHED))
    return _dated(cells, text, clean, f"({known})", bool(zoned), note)


def _turned(text: str, pattern: str, target: str) -> str:
    return f"regexp_replace({text}, {quoted(pattern)}, {quoted(target)})"


def _dated(cells: Cells, text, clean, known, zoned: bool, note: str) -> Reading:
    """Times from text in year-month-day order: local as written, or in UTC where an offset says."""
    value, utc = f"TRY_CAST({clean} AS TIMESTAMP)", "false"
    if zoned:
        pattern = r" ?(Z|UTC|[+-]\d{2}(:?\d{2})?)$"
        utc = f"regexp_matches({text}, {quoted(':.*' + pattern)})"
        offset = f"regexp_extract({text}, '[+-]\\d{{2}}(:?\\d{{2}})?$')"
        digits = f"rpad(regexp_replace({offset}, '[^0-9]', '', 'g'), 4, '0')"
        minutes = f"(CAST(left({digits}, 2) AS INT) * 60 + CAST(right({digits}, 2) AS INT))"
        sign = f"CASE WHEN left({offset}, 1) = '-' THEN -1 ELSE 1 END"
        bare = f"TRY_CAST(regexp_replace({clean}, {quoted(pattern)}, '') AS TIMESTAMP)"
        value = f"CASE WHEN {utc} THEN {bare} - to_minutes({sign} * {minutes}) ELSE {value} END"
    value = f"CASE WHEN {known} THEN {value} END"
    rules = (
        Rule(
            f"({text}) IS NOT NULL AND NOT {known}",
            "must be a date",
            allowed="2025-12-31, 31.12.2025, 31/12/2025 or 12/31/2025, "
            "with or without a time as in 2025-12-31 18:05",
            cause=_date_cause,
        ),
        _on_calendar(text, value, known),
        _within_calendar(value),
    )
    (naive,) = cells.count(
        f"count(*) FILTER (({value}) <> date_trunc('day', {value}) AND NOT {utc})"
    )
    return Reading(
        text,
        value,
        rules,
        note=note,
        timed=bool(naive) or zoned,
        naive=bool(naive),
        offset=zoned,
        utc=utc,
    )


def _on_calendar(text: str, value: str, known: str = "true") -> Rule:
    return Rule(
        f"({text}) IS NOT NULL AND {known} AND ({value}) IS NULL",
        "must be a day of the calendar",
        cause=lambda texts: (
            "Day and month the other way round? Pass dayfirst= to say which comes first"
            if any("/" in t for t in texts)
            else ""
        ),
    )


def _within_calendar(value: str) -> Rule:
    return Rule(
        f"({value}) NOT BETWEEN TIMESTAMP '{FIRST_DAY}' AND TIMESTAMP '{LAST_DAY} 23:59:59.999999'",
        f"must lie between {FIRST_DAY} and {LAST_DAY}",
        cause=lambda texts: 'Is it a code for "no date"? Then pass it in missing=',
    )


def _some_clock(cells: Cells, value: str) -> bool:
    (timed,) = cells.count(f"count(*) FILTER (({value}) <> date_trunc('day', {value}))")
    return bool(timed)


def _date_cause(texts: list[str]) -> str:
    if any(re.fullmatch(r"\d{5}(\.\d+)?", text) for text in texts):
        return "Is it Excel's day number? Format the column as a date and save again"
    if any(re.fullmatch(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}", text) for text in texts):
        return "Write the year with four digits"
    return ""


def _unclear_day(cells: Cells, text: str, count: int) -> Problem:
    (example,) = cells.count(f"any_value({text}) FILTER ({matches(text, _SLASHED)})")
    return Problem(
        f'{cells.label} can be read in two ways: "{example}" does not say whether day or month '
        "comes first, and no value of the column has a number above 12",
        where=f"{count:,} of its values",
        cause="Pass dayfirst=True or dayfirst=False",
        count=count,
    )
