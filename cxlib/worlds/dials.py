"""What a caller may turn: dials by name, checked all together.

`resolve` turns what a caller asked for into `Dials` and every problem at once, `refuse` makes one
`CxError` of them. `PLAIN_PURCHASES` are the settings under which the shop's
purchases follow BG/NBD with Gamma-Gamma spend exactly.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np

from cxlib.errors import CxError, Problem
from cxlib.worlds.declarations import DIALS, RECOVERY_LEVELS, Dial

__all__ = ["PLAIN_PURCHASES", "Dials", "from_text", "refuse", "resolve"]

_BY_NAME = {dial.name: dial for dial in DIALS}

# Whole cohort bought within twelve weeks; nothing but BG/NBD and Gamma-Gamma acts on an order.
PLAIN_PURCHASES: Mapping[str, float | list] = MappingProxyType(
    {
        "subscription_share": 0.0,
        "newcomer_share": 1.0,
        "join_weeks": 12.0,
        "leaving_by_satisfaction": 0.0,
        **{f"recovery_{level}_dropout": 0.0 for level in RECOVERY_LEVELS},
        "severity_cost": 0.0,
        "repeat_cost": 0.0,
        "events": [],
    }
)


class Dials(Mapping):
    """Every dial with its value: ``dials["season"]`` or ``dials.season``; read only."""

    def __init__(self, values: Mapping[str, float]):
        self.__dict__.update(values)

    def __getitem__(self, name: str) -> float:
        return self.__dict__[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    def __setattr__(self, name, value):
        raise AttributeError("dials are set when a world is made: World(..., name=value)")

    def replace(self, **changes: float) -> Dials:
        return Dials({**self, **changes})


def _whole(name: str, value, low: int, high: int) -> list[Problem]:
    if isinstance(value, bool) or (not isinstance(value, int) and not hasattr(value, "__index__")):
        return [
            Problem(f"{name} must be a whole number, not {value!r}", allowed=f"{low} to {high}")
        ]
    if not low <= value <= high:
        return [Problem(f"{name} = {value} is out of range", allowed=f"{low} to {high}")]
    return []


def _number(dial: Dial, value) -> list[Problem]:
    allowed = f"{dial.low:g} to {dial.high:g} [{dial.unit}], default {dial.default:g}"
    try:
        number = math.nan if isinstance(value, bool | np.bool_ | str | bytes) else float(value)
    except (TypeError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        return [Problem(f"{dial.name} must be a finite number, not {value!r}", allowed=allowed)]
    if not dial.low <= number <= dial.high:
        return [Problem(f"{dial.name} = {value} is out of range", allowed=allowed)]
    return []


def _near(name: str) -> list[str]:
    """Names that look alike, else those that share a word with it, as it may be misspelt."""
    names = [*_BY_NAME, "events", "sealed"]
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.75)
    words = [word for word in name.split("_") if len(word) >= 4]
    shared = {
        known: sum(bool(difflib.get_close_matches(w, known.split("_"), cutoff=0.8)) for w in words)
        for known in names
    }
    most = max(shared.values())
    return close or [known for known in names if most and shared[known] == most][:4]


def resolve(seed, customers, weeks, given: Mapping[str, object]) -> tuple[Dials, list[Problem]]:
    """Fill in defaults and collect every problem of seed, size and dials.

    Returns
    -------
    Dials, list of Problem
        The dials are usable only when the list is empty.
    """
    problems = _whole("seed", seed, 0, 2**63 - 1)
    problems += _whole("customers", customers, 1, 5_000_000)
    problems += _whole("weeks", weeks, 4, 1040)
    values = {dial.name: dial.default for dial in DIALS}
    for name, value in given.items():
        dial = _BY_NAME.get(name)
        if dial is None:
            near = _near(name)
            hint = (
                f"Did you mean {' or '.join(near)}?"
                if near
                else "World.list_dials() and `cxlib world --dials` show them all."
            )
            problems.append(Problem(f"there is no dial {name!r}", cause=hint))
            continue
        found = _number(dial, value)
        problems += found
        if not found:
            values[name] = float(value)
    return Dials(values), problems


def from_text(given: Mapping[str, str]) -> dict[str, float | str]:
    """Dials from a command line; what is no number stays text, to be refused with all the rest.

    Examples
    --------
    >>> from_text({"season": "0.3", "trend": "up"})
    {'season': 0.3, 'trend': 'up'}
    """
    refuse(
        [
            Problem(f"{name} is no dial", cause="It is set when a world is made, not turned.")
            for name in ("seed", "customers", "weeks", "sealed", "events")
            if name in given
        ]
    )
    return {name: _number_or_text(value) for name, value in given.items()}


def _number_or_text(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value


def refuse(problems: list[Problem]) -> None:
    """Raise one `CxError` for all problems, if there are any."""
    if problems:
        raise CxError("This world cannot be built.", problems)
