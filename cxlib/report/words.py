"""How numbers, times and values read on a page: the filters that report and shelf share."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

__all__ = [
    *("WORDS", "cause", "change", "day", "duration", "figure", "interval", "label", "moment"),
    *("number", "value_text"),
]


LIMITS = ("low", "high")
_SHARES = {"share": "%", "share difference": "percentage points"}
_MONEY = frozenset(["EUR", "USD", "GBP", "CHF"])
_ABBREVIATIONS = frozenset(["auc", "nps", "ces", "csat", "clv", "cx", "b2b", "eur", "usd", "gbp"])


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
    """A key figure with its unit; a share reads as per cent, a difference of shares as points.

    Examples
    --------
    >>> figure({"value": 0.4375, "unit": "share"}), figure({"value": 650.0, "unit": "EUR"})
    ('43.75 %', '650 EUR')
    >>> figure({"value": -0.03, "unit": "share difference"})
    '−3 percentage points'
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


def change(found: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """How a figure changed, and whether that is news; or why nothing is compared.

    Parameters
    ----------
    found : mapping
        As `cxlib.report.news.change_of` returns it.
    entry : mapping
        The figure: unit, level and the direction that is better.

    Examples
    --------
    >>> found = {"change": -4.0, "low": -9.1, "high": 1.1, "since": "2025Q3", "news": False,
    ...     "reason": ""}
    >>> change(found, {"unit": "points", "level": 0.95, "better": "up"})
    'fell by 4.0 points since 2025Q3 [−9.1, 1.1]: not news'
    >>> change(found | {"high": -0.1, "news": True}, {"unit": "", "level": 0.95, "better": "up"})
    'fell by 4.0 since 2025Q3 [−9.1, −0.1]: news, for the worse'
    """
    if found["change"] is None:
        return f"not compared: {found['reason']}"
    limits = {end: found[end] for end in LIMITS}
    scaled = limits | {"value": found["change"], "unit": entry["unit"]}
    size = _number(scaled, "value").removeprefix("−")
    unit = _SHARES["share difference"] if entry["unit"] in _SHARES else entry["unit"]
    amount = f"{size} {unit}".strip()
    moved = "did not change" if found["change"] == 0 else f"rose by {amount}"
    moved = f"fell by {amount}" if found["change"] < 0 else moved
    text = f"{moved} since {found['since']}"
    if found["reason"]:
        return f"{text}; {found['reason']}"
    text += f" [{_number(scaled, 'low')}, {_number(scaled, 'high')}]"
    if not found["news"]:
        return f"{text}: not news"
    if entry["better"] is None:
        return f"{text}: news"
    good = (found["change"] > 0) == (entry["better"] == "up")
    return f"{text}: news, for the {'better' if good else 'worse'}"


def cause(why: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    """The main part of a change in one sentence: segment, within or mix, and its size.

    Examples
    --------
    >>> why = {"segment": "DE", "kind": "within", "part": -3.1, "low": -5.2, "high": -1.0,
    ...     "whole": -4.0, "n_before": 790, "n_now": 812, "share_before": 0.6, "share_now": 0.61}
    >>> cause(why, {"unit": "points", "level": 0.95})
    'Mainly within DE: −3.1 of −4.0 points, 95 % interval −5.2 to −1.0 (n = 790, then 812).'
    >>> cause(why | {"kind": "mix", "low": None, "share_now": 0.3}, {"unit": "", "level": 0.95})
    'Mainly by the mix: DE went from 60 % to 30 % of the whole, which makes −3.1 of −4 (n = 790,
    then 812).'
    """
    sizes = {
        "unit": entry["unit"],
        "value": why["part"],
        "low": why["low"],
        "high": why.get("high"),
    }
    part = _number(sizes, "value")
    whole = _number(sizes | {"whole": why["whole"]}, "whole")
    unit = _SHARES["share difference"] if entry["unit"] in _SHARES else entry["unit"]
    amount = f"{part} of {whole} {unit}".strip()
    counts = f"(n = {why['n_before']:,}, then {why['n_now']:,})"
    if why["kind"] == "mix":
        shares = f"{why['share_before']:.0%} to {why['share_now']:.0%}".replace("%", " %")
        return (
            f"Mainly by the mix: {why['segment']} went from {shares} of the whole, "
            f"which makes {amount} {counts}."
        )
    sure = interval(sizes | {"level": entry["level"]}) or "without an interval"
    return f"Mainly within {why['segment']}: {amount}, {sure} {counts}."


def _number(entry: Mapping[str, Any], key: str) -> str:
    """With an interval, as many decimals as half its width has use for: two digits of it.

    An amount of money below 10 keeps two digits of its own, down to the cent, however wide the
    interval is: -0.42 EUR is not nothing.

    Examples
    --------
    >>> _number({"value": -0.003, "low": -0.11, "high": 0.1, "unit": "share"}, "value")
    '0'
    >>> _number({"value": -0.42, "low": -12.5, "high": 11.66, "unit": "EUR"}, "value")
    '−0.42'
    """
    low, high = (_scaled(entry, end) if entry.get(end) is not None else None for end in LIMITS)
    value = _scaled(entry, key)
    if low is None or value is None or not high > low:
        return number(value)
    decimals = min(max(0, 1 - math.floor(math.log10((high - low) / 2))), 9)
    if value and entry["unit"] in _MONEY:
        decimals = max(decimals, min(1 - math.floor(math.log10(abs(value))), 2))
    return f"{value:z,.{decimals}f}".replace("-", "−")


def _scaled(entry: Mapping[str, Any], key: str) -> float | None:
    value = entry[key]
    return 100 * value if value is not None and entry["unit"] in _SHARES else value


def _with_unit(entry: Mapping[str, Any], text: str, bare: bool = False) -> str:
    unit = _SHARES.get(entry["unit"], entry["unit"])
    return text if bare or not unit else f"{text} {unit}"


def label(name: str) -> str:
    """A name as words.

    Examples
    --------
    >>> label("top_share_of_spend"), label("nps_change")
    ('Top share of spend', 'NPS change')
    """
    words = [w.upper() if w in _ABBREVIATIONS else w for w in name.split("_") if w]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


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


def day(at: date) -> str:
    """A day for people.

    Examples
    --------
    >>> day(date(2025, 5, 12))
    '12 May 2025'
    """
    return f"{at.day} {at:%B %Y}"


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
    "change_text": change,
    "cause_text": cause,
    "day": day,
    "label": label,
    "value_text": value_text,
    "moment": moment,
    "duration": duration,
}
