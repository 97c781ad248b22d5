"""The types that a parameter can be declared with, and why a value is none of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

__all__ = ["CONTAINERS", "SCALARS", "Kind", "mismatch"]

SCALARS = {"str": str, "int": int, "float": float, "bool": bool}
_SPOKEN = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false"}
CONTAINERS = {"list": list, "dict": dict}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Kind:
    """A declared type: its name, the types or choices in its brackets, and whether None is one."""

    name: str
    inner: tuple[Kind, ...] = ()
    choices: tuple[str, ...] = ()
    optional: bool = False

    def __str__(self) -> str:
        brackets = ", ".join(self.choices or map(str, self.inner))
        text = f"{self.name}[{brackets}]" if brackets else self.name
        return f"{text} | None" if self.optional else text


def mismatch(kind: Kind, value: Any) -> str:
    """Say why a value is none of this kind; an empty text where it is."""
    if value is None:
        return "" if kind.optional else "is None, which is not allowed here"
    if kind.name == "Choice":
        return "" if value in kind.choices else "is none of the choices"
    if kind.name == "Date":
        return "" if _is_day(value) else "is not a date written YYYY-MM-DD"
    if kind.name == "InputFile":
        return "" if isinstance(value, str) and value else "is not the path of a file"
    if kind.name == "float":
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return f"is {_spoken(value)}, not a number"
        return "" if math.isfinite(value) else "is not finite"
    if kind.name in SCALARS:
        right = type(value) is SCALARS[kind.name]
        return "" if right else f"is {_spoken(value)}, not {_SPOKEN[kind.name]}"
    if type(value) is not CONTAINERS[kind.name]:
        return f"is {_spoken(value)}, not a {kind.name}"
    return _mismatch_inside(kind, value)


def _mismatch_inside(kind: Kind, value: list | dict) -> str:
    if kind.name == "list":
        parts = [(kind.inner[0], item) for item in value] if kind.inner else []
    else:
        odd = next((key for key in value if not isinstance(key, str)), None)
        if odd is not None:
            return f"has a key that is no text: {odd!r}"
        parts = [(kind.inner[1], item) for item in value.values()] if kind.inner else []
    return next(
        (f"holds {item!r}, which {why}" for part, item in parts if (why := mismatch(part, item))),
        _odd_leaf(value),
    )


def _odd_leaf(value: Any) -> str:
    """Say which value inside cannot be written down as JSON, such as a date of TOML."""
    if isinstance(value, (list, dict)):
        inside = value.values() if isinstance(value, dict) else value
        return next((why for item in inside if (why := _odd_leaf(item))), "")
    finite = not isinstance(value, float) or math.isfinite(value)
    if value is None or (isinstance(value, (str, int, float)) and finite):
        return ""
    return f"holds {value}, which is no text, finite number, true or false; put it in quotes"


def _spoken(value: Any) -> str:
    return _SPOKEN.get(type(value).__name__, f"a {type(value).__name__}")


def _is_day(value: Any) -> bool:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
