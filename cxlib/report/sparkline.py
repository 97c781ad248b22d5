"""The history of a key figure as a small picture: values, intervals, target and events."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from markupsafe import Markup

from cxlib.report.periods import Period, read_period
from cxlib.report.words import day, figure

__all__ = ["Point", "event_marks", "history_points", "sparkline"]

WIDTH, HEIGHT, MARGIN = 240, 56, 5


@dataclass(frozen=True)
class Point:
    """One value of the history: its days, what they are called, and the figure as recorded."""

    period: Period
    label: str
    figure: Mapping[str, Any]


def history_points(
    name: str, now: Mapping[str, Any], runs: Iterable[Mapping[str, Any]]
) -> list[Point]:
    """One point a period, its latest run, oldest first; without periods one a day.

    Runs whose figure has another unit or level than the one of now are left out.

    Parameters
    ----------
    name : str
    now : mapping
        The figure of the latest run.
    runs : iterable of mapping
        Oldest first, each with ``started_at`` and ``values``.

    Examples
    --------
    >>> old, new = ({"value": v, "unit": "", "level": 0.95, "period": p}
    ...     for v, p in [(1.0, "2025Q3"), (2.0, "2025Q4")])
    >>> runs = [{"started_at": "2026-01-05T06:00:00+00:00", "values": {"x": v}} for v in (new, old)]
    >>> [point.label for point in history_points("x", new, runs)]
    ['2025Q3', '2025Q4']
    """
    by_period = read_period(now.get("period")) is not None
    points: dict[Any, Point] = {}
    for run in runs:
        entry = run["values"].get(name)
        if entry is None or entry["value"] is None:
            continue
        if (entry["unit"], entry["level"]) != (now["unit"], now["level"]):
            continue
        at = datetime.fromisoformat(run["started_at"]).date()
        period = read_period(entry.get("period")) if by_period else Period(at, at)
        if period:
            points[period] = Point(period, entry["period"] if by_period else day(at), entry)
    return sorted(points.values(), key=lambda point: (point.period.last, point.period.first))


def event_marks(points: Sequence[Point], events: Iterable[Sequence[str]]) -> list[dict[str, Any]]:
    """The events within the days of the history, numbered: number, at, text."""
    if len(points) < 2:
        return []
    first, last = min(p.period.first for p in points), max(p.period.last for p in points)
    dated = [(date.fromisoformat(at), text) for at, text in events]
    within = [(at, text) for at, text in dated if first <= at <= last]
    return [{"number": i, "at": at, "text": text} for i, (at, text) in enumerate(within, 1)]


def sparkline(
    points: Sequence[Point], *, target: float | None = None, marks: Iterable[Mapping] = ()
) -> Markup:
    """Draw a history as SVG; nothing for fewer than two points.

    Parameters
    ----------
    points : sequence of Point
    target : float, optional
        A dashed line.
    marks : iterable of mapping
        As `event_marks` returns them: a dotted line each, with its number.

    Returns
    -------
    Markup
        Its label tells what it shows.
    """
    if len(points) < 2:
        return Markup("")
    days = [p.period.middle.toordinal() for p in points]
    first = min(p.period.first.toordinal() for p in points)
    last = max(p.period.last.toordinal() for p in points)
    ends = [p.figure[k] for p in points for k in ("value", "low", "high") if _known(p, k)]
    ends += [] if target is None else [target]
    least, span = min(ends), (max(ends) - min(ends)) or 1.0
    marks = list(marks)
    top = 14 if marks else MARGIN

    def x(ordinal: float) -> str:
        return f"{MARGIN + (WIDTH - 2 * MARGIN) * (ordinal - first) / max(last - first, 1):.1f}"

    def y(value: float) -> str:
        return f"{HEIGHT - MARGIN - (HEIGHT - MARGIN - top) * (value - least) / span:.1f}"

    drawn = [_line("target", MARGIN, y(target), WIDTH - MARGIN)] if target is not None else []
    for mark in marks:
        at = x(mark["at"].toordinal())
        drawn.append(f'<line class="event" x1="{at}" y1="11" x2="{at}" y2="{HEIGHT}"/>')
        drawn.append(f'<text x="{at}" y="8" text-anchor="middle">{mark["number"]}</text>')
    for bounded, group in groupby(zip(days, points, strict=True), lambda p: _known(p[1], "low")):
        run = list(group)
        if bounded and len(run) > 1:
            upper = [f"{x(at)},{y(p.figure['high'])}" for at, p in run]
            lower = [f"{x(at)},{y(p.figure['low'])}" for at, p in reversed(run)]
            drawn.append(f'<polygon class="band" points="{" ".join(upper + lower)}"/>')
        elif bounded:
            at, ((_, point),) = x(run[0][0]), run
            ends = f'y1="{y(point.figure["low"])}" y2="{y(point.figure["high"])}"'
            drawn.append(f'<line class="whisker" x1="{at}" x2="{at}" {ends}/>')
    line = [f"{x(at)},{y(p.figure['value'])}" for at, p in zip(days, points, strict=True)]
    drawn.append(f'<polyline points="{" ".join(line)}"/>')
    cx, cy = line[-1].split(",")
    drawn.append(f'<circle cx="{cx}" cy="{cy}" r="3"/>')
    return Markup(
        f'<svg class="spark" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'aria-label="{html.escape(_told(points))}">{"".join(drawn)}</svg>'
    )


def _known(point: Point, key: str) -> bool:
    return point.figure.get(key) is not None


def _line(name: str, left: float, at: str, right: float) -> str:
    return f'<line class="{name}" x1="{left}" y1="{at}" x2="{right}" y2="{at}"/>'


def _told(points: Sequence[Point]) -> str:
    lowest, highest = (f(points, key=lambda p: p.figure["value"]) for f in (min, max))
    return (
        f"{len(points)} values from {points[0].label} to {points[-1].label}: lowest "
        f"{figure(lowest.figure)} in {lowest.label}, highest {figure(highest.figure)} in "
        f"{highest.label}, last {figure(points[-1].figure)}"
    )
