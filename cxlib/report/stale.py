"""Stale inputs: files that are older than a report's schedule allows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cxlib.report.cron import read_cron

__all__ = ["stale"]

_INTERVALS = 2


def stale(manifest: Mapping[str, Any], now: datetime | None = None) -> str | None:
    """Say which input files of a report are too old; None where none is.

    Too old is what was last written more than ``stale_after_days`` ago; without it, more than
    twice the time between two due times of the job's schedule. Files that ship with cxlib do not
    age, and a job with neither a schedule nor a limit has no stale inputs.

    Parameters
    ----------
    manifest : mapping
        With ``inputs`` (name, modified_at), ``schedule`` and ``stale_after_days``.
    now : datetime, optional
        With its zone.

    Returns
    -------
    str or None

    Examples
    --------
    >>> report = {
    ...     "schedule": "0 6 * * 1",
    ...     "inputs": [{"name": "sales.csv", "modified_at": "2026-10-20T09:00:00+00:00"}],
    ... }
    >>> stale(report, datetime(2026, 11, 24, 12, tzinfo=UTC))
    'Stale input: sales.csv was last written 35 days ago (20 October 2026); the schedule allows
    14 days.'
    """
    now = now or datetime.now(UTC)
    days = manifest.get("stale_after_days")
    if days is not None:
        allowed, by = timedelta(days=days), "the job allows"
    elif manifest.get("schedule"):
        allowed = _INTERVALS * _interval(manifest["schedule"], now)
        by = "the schedule allows"
    else:
        return None
    old = []
    for entry in manifest.get("inputs") or ():
        if entry.get("modified_at"):
            written = datetime.fromisoformat(entry["modified_at"])
            if now - written > allowed:
                day = f"{written.day} {written:%B %Y}"
                old.append(f"{entry['name']} was last written {_span(now - written)} ago ({day})")
    if not old:
        return None
    return f"Stale input: {'; '.join(old)}; {by} {_span(allowed)}."


@lru_cache(maxsize=64)  # many jobs share a schedule
def _interval(schedule: str, now: datetime) -> timedelta:
    return read_cron(schedule).interval(now)


def _span(length: timedelta) -> str:
    hours = length.total_seconds() / 3600
    number, unit = (hours / 24, "day") if hours >= 48 else (hours, "hour")
    if hours < 2:
        number, unit = 60 * hours, "minute"
    shown = f"{number:.1f}".removesuffix(".0") if number < 10 else f"{number:.0f}"
    return f"{shown} {unit}{'' if shown == '1' else 's'}"
