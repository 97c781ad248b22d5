"""What passes from a notebook to its report: key figures, checked once, and agreed names."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date
from typing import Any

from cxlib.errors import CxError, Problem
from cxlib.report.periods import name_period
from cxlib.report.segments import read_segments

__all__ = ["RECORD_TYPE", "TABLES_VARIABLE", "make_record", "record_line"]

RECORD_TYPE = "application/vnd.cxlib.record+json"
TABLES_VARIABLE = "CXLIB_TABLES"


def make_record(
    name: str,
    value: Any,
    low: Any,
    high: Any,
    unit: str,
    n: Any,
    level: float,
    period: Any,
    target: Any,
    better: str | None,
    segments: Any = None,
    events: Iterable[tuple[Any, str]] = (),
) -> dict[str, Any]:
    """Check a key figure, all problems at once, and write it as plain numbers and texts.

    Raises
    ------
    CxError
        For a name that is no identifier, a number that is infinite, limits without the value
        between them, an impossible n, level or direction, segments that do not make up the value,
        or an event without a day.
    """
    figures = {"value": value, "low": low, "high": high, "target": target, "n": n}
    problems = []
    if not isinstance(name, str) or not name.isidentifier():
        problems.append(
            Problem(f"the name {name!r} is no identifier", allowed="such as nps_change")
        )
    for key, number in figures.items():
        figures[key], reason = _finite(number)
        if reason:
            problems.append(Problem(f"{key} {reason}", allowed="a finite number, NaN or None"))
    if not problems:
        problems += _contradictions(**figures, level=level, better=better)
    cells: dict[str, dict[str, Any]] = {}
    if segments is not None and not problems:
        cells, problems = read_segments(segments, figures["value"], figures["low"], figures["high"])
    dated, unreadable = _dated(events)
    problems += unreadable
    if problems:
        raise CxError(f"record cannot take {name!r}.", problems)
    return {
        "name": name,
        **figures,
        "n": None if figures["n"] is None else int(figures["n"]),
        "unit": str(unit),
        "level": float(level),
        "period": name_period(period),
        "better": better,
        **({"segments": cells} if cells else {}),
        **({"events": dated} if dated else {}),
    }


def _dated(events: Iterable[tuple[Any, str]]) -> tuple[list[list[str]], list[Problem]]:
    """Events as [day, text] in the order of their days."""
    dated, problems = [], []
    for event in events:
        try:
            at, text = event
            dated.append([date.fromisoformat(str(at)[:10]).isoformat(), str(text)])
        except (TypeError, ValueError):
            allowed = 'a day and a text such as ("2025-05-12", "new carrier")'
            problems.append(Problem(f"the event {event!r} has no day and text", allowed=allowed))
    return sorted(dated), problems


def _finite(number: Any) -> tuple[float | None, str]:
    if number is None:
        return None, ""
    try:
        number = float(number)
    except (TypeError, ValueError):
        return None, f"is {number!r}"
    if math.isinf(number):
        return None, f"is {number}"
    return None if math.isnan(number) else number, ""


def _contradictions(*, value, low, high, target, n, level, better):
    limits = [number for number in (low, value, high) if number is not None]
    if limits != sorted(limits):
        yield Problem(f"the value {value} lies outside its interval [{low}, {high}]")
    if (low is None) != (high is None):
        yield Problem("one limit of the interval is missing")
    if n is not None and (n < 0 or n != int(n)):
        yield Problem(f"n is {n}", allowed="a whole number of at least 0")
    if not 0 < level < 1:
        yield Problem(f"level is {level}", allowed="a share between 0 and 1 such as 0.95")
    if better not in ("up", "down", None):
        yield Problem(f"better is {better!r}", allowed='"up", "down" or None')


def record_line(entry: dict[str, Any]) -> str:
    """A key figure in one line, for the notebook."""
    shown = "not available" if entry["value"] is None else f"{entry['value']:,.4g}"
    unit = f" {entry['unit']}" if entry["unit"] and entry["value"] is not None else ""
    text = f"{entry['name']} = {shown}{unit}"
    if entry["low"] is not None:
        text += f", {100 * entry['level']:g} % interval [{entry['low']:,.4g}, {entry['high']:,.4g}]"
    return text + (f", n = {entry['n']:,}" if entry["n"] is not None else "")
