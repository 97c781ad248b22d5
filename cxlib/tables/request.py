"""What the caller asked for, checked as a whole before anything is read."""

from __future__ import annotations

import codecs
import math
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from cxlib.errors import Problem, RefusedError
from cxlib.tables.handling import CHOICES
from cxlib.tables.private import in_kernel
from cxlib.tables.schema import Table
from cxlib.tables.sources import near

__all__ = ["Request", "request_for"]

_SIGNED = ("negative", "zero")
_SCORED = ("questions", "scale", "mapping")


@dataclass(frozen=True)
class Request:
    """The options of a reader, with defaults filled in; see ``read_transactions``."""

    columns: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, list] = field(default_factory=dict)
    timezone: str | None = None
    customer_id: str | None = "customer_id"
    questions: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, tuple] = field(default_factory=dict)
    mapping: Mapping[str, float] = field(default_factory=dict)
    negative: str = "drop"
    zero: str = "keep"
    no_customer: str = "error"
    duplicates: str = "keep"
    decimal: str | None = None
    dayfirst: bool | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    private: bool | None = None


def request_for(table: Table, options: dict) -> tuple[Request, list[Problem]]:
    """The checked request and what is wrong with it.

    Raises
    ------
    RefusedError
        Only for options that the reader does not know; the rest is returned, so that it can be
        told together with what the source shows.
    """
    known = [f.name for f in fields(Request)]
    known = [n for n in known if n not in _SIGNED or table.signed]
    known = [n for n in known if n not in _SCORED or table.scored]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise RefusedError(
            f"read_{table.name} was asked for what it does not know.",
            [
                Problem(f"{n} is no option", allowed=", ".join(known), cause=near(n, known))
                for n in unknown
            ],
        )
    given = {name: value for name, value in options.items() if value is not None}
    given.setdefault("no_customer", table.no_customer)
    given.setdefault("duplicates", table.duplicates)
    given.setdefault("private", in_kernel())
    columns = given.get("columns", {})
    if "customer_id" in options:
        given["customer_id"] = options["customer_id"]
    if isinstance(columns, Mapping) and given.get("customer_id", "customer_id") not in (
        None,
        "customer_id",
    ):
        given["columns"] = {**columns, "customer_id": given["customer_id"]}
    problems = _wrong_types(given)
    if problems:
        return Request(), problems
    request = Request(**given)
    return request, _wrong_values(table, request)


def _wrong_types(given: dict) -> list[Problem]:
    problems = []
    for name in ("columns", "missing", "questions", "scale", "mapping"):
        value = given.get(name, {})
        if not isinstance(value, Mapping):
            problems.append(
                Problem(f"{name} is a {type(value).__name__}", allowed="a mapping {name: ...}")
            )
    return problems


def _wrong_values(table: Table, request: Request) -> list[Problem]:
    problems = []
    for name, allowed in CHOICES.items():
        value = getattr(request, name)
        if value not in allowed:
            problems.append(
                Problem(
                    f'{name}="{value}" is no choice',
                    allowed=", ".join(allowed),
                    cause=near(value, allowed),
                )
            )
    if request.decimal not in (None, ".", ","):
        problems.append(Problem(f"decimal={request.decimal!r} is no sign", allowed='"." or ","'))
    if request.dayfirst not in (None, True, False):
        problems.append(Problem(f"dayfirst={request.dayfirst!r}", allowed="True or False"))
    if request.private not in (True, False):
        problems.append(Problem(f"private={request.private!r}", allowed="True or False"))
    if request.delimiter is not None and len(str(request.delimiter)) != 1:
        problems.append(Problem(f"delimiter={request.delimiter!r}", allowed="one character"))
    if request.encoding is not None and not _is_encoding(request.encoding):
        problems.append(
            Problem(
                f"encoding={request.encoding!r} is unknown", allowed="utf-8, cp1252, latin-1, ..."
            )
        )
    if request.timezone is not None and request.timezone not in zoneinfo.available_timezones():
        problems.append(
            Problem(
                f"timezone={request.timezone!r} is no time zone",
                allowed="names such as Europe/Berlin or UTC",
                cause=near(request.timezone, zoneinfo.available_timezones()),
            )
        )
    if request.customer_id is None and not table.anonymous:
        problems.append(Problem(f"customer_id=None: {table.name} need a customer in every row"))
    ours = [c.name for c in table.columns]
    for name in request.columns:
        if name not in ours:
            problems.append(
                Problem(
                    f'columns names "{name}", which is no column of {table.name}',
                    allowed=", ".join(ours),
                    cause=near(name, ours) or "Extra columns are kept under their own names.",
                )
            )
    problems += _wrong_mapping(request.mapping)
    for question, limits in request.scale.items():
        if not _is_scale(limits):
            problems.append(
                Problem(
                    f'scale of "{question}" is {limits!r}',
                    allowed="(lowest, highest), two finite numbers",
                )
            )
    return problems


def _wrong_mapping(mapping: Mapping) -> list[Problem]:
    """Texts whose score is no number, and spellings of one text that get two scores."""
    problems, seen = [], {}
    for text, score in mapping.items():
        number = isinstance(score, int | float) and not isinstance(score, bool)
        if not (number and math.isfinite(score)):
            what = f'mapping gives "{text}" the score {score!r}'
            problems.append(Problem(what, allowed="a finite number"))
        elif seen.setdefault(str(text).strip().lower(), score) != score:
            what = (
                f'mapping gives "{text}" two scores, {seen[str(text).strip().lower()]} and {score}'
            )
            problems.append(Problem(what, cause="Case and outer spaces do not part texts"))
    return problems


def _is_encoding(name) -> bool:
    try:
        codecs.lookup(name)
    except (LookupError, TypeError):
        return False
    return True


def _is_scale(limits) -> bool:
    try:
        low, high = limits
        return -math.inf < low < high < math.inf
    except (TypeError, ValueError):
        return False
