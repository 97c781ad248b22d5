"""The company's dated events: what happened to everybody, in which week, with which known effect.

Every event is a mapping ``{"week": 40, "kind": "price_rise", "size": 0.06, "weeks": 1}``; size and
weeks have defaults by kind. A world's ``events=[...]`` replaces the whole list `DEFAULT_EVENTS`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real

from cxlib.errors import Problem

__all__ = ["DEFAULT_EVENTS", "KINDS", "CompanyEvent", "Kind", "read_events_dial"]


@dataclass(frozen=True)
class Kind:
    """A kind of event: default size with range and unit, default duration, meaning."""

    size: float
    low: float
    high: float
    unit: str
    weeks: int
    meaning: str


KINDS: Mapping[str, Kind] = {
    "new_carrier": Kind(1.5, 0, 20, "days", 12, "deliveries take longer than promised, fading out"),
    "price_rise": Kind(0.06, -0.5, 2, "share", 1, "all prices rise for good"),
    "checkout_trial": Kind(0.5, 0, 1, "share in two steps", 12, "checkout in five steps or two"),
    "survey_mode": Kind(
        -0.3, -3, 3, "points", 1, "the survey moves to e-mail for good; fewer answer"
    ),
    "win_back": Kind(0.67, 0, 1, "share with offer", 52, "lottery of win-back offers to leavers"),
    "faulty_release": Kind(
        1.2, 0, 5, "SD", 6, "app quality falls, outages multiply, both fade out"
    ),
    "surprise_trial": Kind(
        0.5, 0, 1, "share surprised", 12, "a surprise with every second delivery"
    ),
    "offer_trial": Kind(
        0.5, 0, 1, "share offered", 4, "asked for the intention or not x offer or none"
    ),
    "watch_list": Kind(0.5, 0, 1, "share called", 520, "calls to customers whose usage fell"),
}


@dataclass(frozen=True)
class CompanyEvent:
    """One dated event; it acts in weeks week .. week + weeks - 1, or for good."""

    week: int
    kind: str
    size: float
    weeks: int

    def active(self, week: int) -> bool:
        return self.week <= week < self.week + self.weeks

    def fading(self, week: int) -> float:
        """Strength 1 at the start, falling in a straight line to 0 at the end."""
        return 1.0 - (week - self.week) / self.weeks if self.active(week) else 0.0


def _event(week: int, kind: str) -> CompanyEvent:
    return CompanyEvent(week, kind, KINDS[kind].size, KINDS[kind].weeks)


DEFAULT_EVENTS: tuple[CompanyEvent, ...] = (
    _event(20, "new_carrier"),
    _event(26, "watch_list"),
    _event(30, "surprise_trial"),
    _event(40, "price_rise"),
    _event(52, "checkout_trial"),
    _event(60, "survey_mode"),
    _event(66, "offer_trial"),
    _event(70, "win_back"),
    _event(78, "faulty_release"),
)


def _is_whole(value) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _one(number: int, entry) -> tuple[CompanyEvent | None, list[Problem]]:
    place = f"events[{number}]"
    if isinstance(entry, CompanyEvent):
        entry = vars(entry)
    if not isinstance(entry, Mapping):
        return None, [Problem(f"{place} must be a mapping, not {entry!r}", allowed="week, kind")]
    problems = [
        Problem(f"{place} has an unknown field {name!r}", allowed="week, kind, size, weeks")
        for name in entry
        if name not in ("week", "kind", "size", "weeks")
    ]
    kind = KINDS.get(str(entry.get("kind")))
    if kind is None:
        near = difflib.get_close_matches(str(entry.get("kind")), KINDS, n=2)
        cause = f"Did you mean {' or '.join(near)}?" if near else ""
        text = f"{place} has no known kind: {entry.get('kind')!r}"
        return None, [*problems, Problem(text, allowed=", ".join(KINDS), cause=cause)]
    week, weeks = entry.get("week"), entry.get("weeks", kind.weeks)
    size = entry.get("size", kind.size)
    if not _is_whole(week) or not 0 <= week <= 1040:
        problems.append(Problem(f"{place} week = {week!r}", allowed="a whole number, 0 to 1040"))
    if not _is_whole(weeks) or weeks < 1:
        problems.append(Problem(f"{place} weeks = {weeks!r}", allowed="a whole number from 1"))
    if not isinstance(size, Real) or isinstance(size, bool) or not kind.low <= size <= kind.high:
        allowed = f"{kind.low:g} to {kind.high:g} [{kind.unit}]"
        problems.append(Problem(f"{place} size = {size!r}", allowed=allowed))
    if problems:
        return None, problems
    return CompanyEvent(int(week), str(entry["kind"]), float(size), int(weeks)), []


def read_events_dial(entries: Iterable | None) -> tuple[tuple[CompanyEvent, ...], list[Problem]]:
    """Check ``events=[...]``; None gives the default list. All problems at once."""
    if entries is None:
        return DEFAULT_EVENTS, []
    if isinstance(entries, str | Mapping) or not isinstance(entries, Iterable):
        return (), [
            Problem("events must be a list of mappings", allowed="[{'week': .., 'kind': ..}]")
        ]
    found, problems = [], []
    for number, entry in enumerate(entries):
        event, wrong = _one(number, entry)
        problems += wrong
        if event is not None:
            found.append(event)
    twice = {e.kind for e in found if sum(o.kind == e.kind for o in found) > 1}
    trials = sorted(twice - {"new_carrier", "price_rise", "faulty_release"})
    if trials:
        problems.append(Problem(f"these kinds can happen once only: {', '.join(trials)}"))
    return tuple(sorted(found, key=lambda e: (e.week, e.kind))), problems
