"""The parts of a reading: a column's cells, the value they give, and the rules they may break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cxlib.errors import Problem

__all__ = ["SPACES", "Cells", "Reading", "Rule", "matches", "quoted"]

SPACES = "\u00a0\u202f "


@dataclass(frozen=True)
class Rule:
    """A condition in SQL that is true for the cells that break it, and how to say so.

    Parameters
    ----------
    condition : str
    must : str
        "must be a number", after the name of the column.
    noun : str
        Replaces the column's name in the sentence, if given.
    shown : int
        How many of the offending texts a message lists.
    cause : callable
        From the offending texts (first ones) to a likely cause, or "".
    """

    condition: str
    must: str
    noun: str = ""
    cause: Callable[[list[str]], str] = lambda texts: ""
    allowed: str = ""
    shown: int = 5


@dataclass(frozen=True)
class Reading:
    """How a column is read.

    Parameters
    ----------
    text, value : str
        SQL of the cleaned cell (NULL where missing) and of its value.
    rules : tuple of Rule
    problem : Problem, optional
        Why the column as a whole cannot be read.
    note : str
        The habit that was found, for the reader.
    timed, naive, offset : bool
        For times: some have a time of day; some of them are without and some with a zone.
    utc : str
        For times: SQL that is true where the value is in UTC.
    """

    text: str
    value: str
    rules: tuple[Rule, ...] = ()
    problem: Problem | None = None
    note: str = ""
    timed: bool = False
    naive: bool = False
    offset: bool = False
    utc: str = "false"


@dataclass(frozen=True)
class Cells:
    """One column of the source, and a way to ask DuckDB for counts over it.

    Parameters
    ----------
    cell : str
        SQL of the raw cell.
    kind : str
        What the source holds: text, number, time, zoned, flag, other.
    label : str
        Their name for it.
    codes : tuple
        Further codes that mean "no answer".
    count : callable
        From SQL aggregates to the row of their values.
    """

    cell: str
    kind: str
    label: str
    codes: tuple
    count: Callable[..., tuple]


def quoted(text) -> str:
    """An SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def matches(text: str, pattern: str) -> str:
    """SQL: the whole text matches the pattern."""
    return f"regexp_full_match({text}, {quoted(pattern)})"
