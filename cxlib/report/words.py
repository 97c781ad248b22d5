"""How numbers, times and values read on a page: the filters that report and shelf share."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

__all__ = ["WORDS", "duration", "figure", "interval", "label", "moment", "number", "value_text"]


LIMITS = ("low", "high")


def number(value: float | None) -> str:
    """Three to four digits, thousands set off.

    Examples
    --------
    >>> [number(v) for v in (None, 12345.6, 123.45, 39.84, 0.01234, -4.0, 0.0)]
    ['not available', '12,346', '123.5', '39.84', '0.0123', '−4', '0']
    """
    if value is None:
        return "not available"
    if value == 0:
        return f"{abs(value):g}"
    size = math.floor(math.log10(abs(value)))
    decimals = 0 if size >= 3 else 1 if size == 2 else 2 if size >= 0 else min(2 - size, 9)
    text = f"{value:,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def figure(entry: Mapping[str, Any]) -> str:
    """A key figure with its unit; a share reads as per cent.

    Examples
    --------
    >>> figure({"value": 0.4375, "unit": "share"}), figure({"value": 650.0, "unit": "EUR"})
    ('43.75 %', '650 EUR')
    """
    return _with_unit(entry, _number(entry, "value"), entry["value"] is None)


def interval(entry: Mapping[str, Any]) -> str:
    """Its interval with the level; nothing where there is none.

    Examples
    --------
    >>> interval({"value": 0.5, "low": 0.4, "high": 0.61, "unit": "share", "level": 0.95})
    '95 % interval 40 to 61 %'
    >>> interval({"value": -4.0, "low": -11.2, "high": 3.1, "unit": "points", "level": 0.95})
    '95 % interval −11.2 to 3.1'
    """
    if entry.get("low") is None:
        return ""
    low, high = (_number(entry, key) for key in ("low", "high"))
    share = " %" if entry["unit"] == "share" else ""
    return f"{100 * entry['level']:g} % interval {low} to {high}{share}"


def target(entry: Mapping[str, Any]) -> str:
    """Its target with the unit; nothing where there is none."""
    return (
        "" if entry.get("target") is None else _with_unit(entry, number(_scaled(entry, "target")))
    )


def _number(entry: Mapping[str, Any], key: str) -> str:
    """With an interval, as many decimals as half its width has use for: two digits of it."""
    low, high = (_scaled(entry, end) if entry.get(end) is not None else None for end in LIMITS)
    value = _scaled(entry, key)
    if low is None or value is None or not high > low:
        return number(value)
    decimals = min(max(0, 1 - math.floor(math.log10((high - low) / 2))), 9)
    return f"{value:,.{decimals}f}".replace("-", "−")


def _scaled(entry: Mapping[str, Any], key: str) -> float | None:
    value = entry[key]
    return 100 * value if value is not None and entry["unit"] == "share" else value


def _with_unit(entry: Mapping[str, Any], text: str, bare: bool = False) -> str:
    unit = "%" if entry["unit"] == "share" else entry["unit"]
    return text if bare or not unit else f"{text} {unit}"


def label(name: str) -> str:
    """A name as words.

    Examples
    --------
    >>> label("top_share_of_spend")
    'Top share of spend'
    """
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def value_text(value: Any) -> str:
    """A parameter's value as a person writes it."""
    if value is None:
        return "none"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def moment(stamp: str) -> str:
    """A stored time for people, in UTC.

    Examples
    --------
    >>> moment("2026-03-01T09:05:11+00:00")
    '1 March 2026, 09:05 UTC'
    """
    at = datetime.fromisoformat(stamp).astimezone(UTC)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def duration(seconds: float) -> str:
    """A duration in words.

    Examples
    --------
    >>> duration(3.21), duration(75)
    ('3.2 s', '1 min 15 s')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


WORDS = {
    "number": number,
    "figure_text": figure,
    "interval_text": interval,
    "target_text": target,
    "label": label,
    "value_text": value_text,
    "moment": moment,
    "duration": duration,
}
