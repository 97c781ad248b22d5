"""Numbers as people write them: 1234.5, 1,234.50, 1.234,50, 1'234.50.

The decimal sign is taken from the whole column; where nothing decides, the reading is refused.
"""

from __future__ import annotations

import re

from cxlib.errors import Problem
from cxlib.tables.cells import SPACES, Cells, Reading, Rule, matches, quoted

__all__ = ["read_numbers", "read_plain_numbers"]

_GROUP = f"['’{SPACES}]"
_PLAIN = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
_POINT = (
    rf"[+-]?((\d+|[1-9]\d{{0,2}}((,\d{{3}})+|({_GROUP}\d{{3}})+))(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
)
_COMMA = rf"[+-]?((\d+|[1-9]\d{{0,2}}((\.\d{{3}})+|({_GROUP}\d{{3}})+))(,\d*)?|,\d+)([eE][+-]?\d+)?"
_POINT_UNCLEAR = r"[+-]?[1-9]\d{0,2}\.\d{3}"
_UNCLEAR = r"[+-]?[1-9]\d{0,2}[.,]\d{3}"


def read_plain_numbers(cells: Cells) -> Reading | None:
    """The quick way for a column of nothing but plain numbers; None where it is not one."""
    text = cells.cell
    total, plain, pointed, unclear = cells.count(
        f"count({text})",
        f"count(*) FILTER ({matches(text, _PLAIN)})",
        f"count(*) FILTER (contains({text}, '.'))",
        f"count(*) FILTER ({matches(text, _POINT_UNCLEAR)})",
    )
    if total > plain or (pointed and pointed == unclear):
        return None
    value = f"TRY_CAST({text} AS DOUBLE)"
    return Reading(text, value, (_finite(text, value),), note="." if pointed else "")


def read_numbers(cells: Cells, text: str, decimal: str | None) -> Reading:
    """Numbers with either decimal sign, by the evidence of the column or as the caller says."""
    if cells.kind == "number":
        value = f"CASE WHEN {text} IS NOT NULL THEN CAST({cells.cell} AS DOUBLE) END"
        rule = Rule(f"isinf(CAST({cells.cell} AS DOUBLE))", "must be finite")
        return Reading(text, value, (rule,))
    point, comma, unclear = cells.count(
        f"count(*) FILTER ({matches(text, _POINT)} AND NOT {matches(text, _COMMA)})",
        f"count(*) FILTER ({matches(text, _COMMA)} AND NOT {matches(text, _POINT)})",
        f"count(*) FILTER ({matches(text, _UNCLEAR)})",
    )
    if decimal is None and unclear and not point and not comma:
        return Reading(text, "NULL", problem=_unclear_number(cells, text, unclear))
    sign = decimal or ("," if comma > point else ".")
    mixed = bool(point and comma)
    drop, pattern = (f"[,'’{SPACES}]", _POINT) if sign == "." else (f"[.'’{SPACES}]", _COMMA)
    bare = f"regexp_replace({text}, {quoted(drop)}, '', 'g')"
    if sign == ",":
        bare = f"replace({bare}, ',', '.')"
    value = f"CASE WHEN {matches(text, pattern)} THEN TRY_CAST({bare} AS DOUBLE) END"
    rule = _finite(text, value, lambda texts: _number_cause(texts, sign, mixed))
    return Reading(text, value, (rule,), note=sign if point or comma or decimal else "")


def _finite(text: str, value: str, cause=lambda texts: "") -> Rule:
    broken = f"({text}) IS NOT NULL AND coalesce(isinf({value}), true)"
    return Rule(broken, "must be a number", cause=cause)


def _unclear_number(cells: Cells, text: str, count: int) -> Problem:
    (example,) = cells.count(f"any_value({text}) FILTER ({matches(text, _UNCLEAR)})")
    digits = re.sub(r"[.,]", "", example)
    other = example.replace(",", ".")
    sign = "." if "." in example else ","
    return Problem(
        f'{cells.label} can be read in two ways: "{example}" is {digits} or {other}, '
        f"and no other value of the column decides",
        where=f"{count:,} of its values",
        cause=f'Pass decimal="{sign}" if "{sign}" is the decimal sign, '
        f'else decimal="{"," if sign == "." else "."}"',
        count=count,
    )


def _number_cause(texts: list[str], sign: str, mixed: bool) -> str:
    for text in texts:
        if re.search(r"\d[OoIl]|[OoIl]\d|[.,][OoIl]", text) and not re.search(
            r"[^\dOoIl.,+\- ]", text
        ):
            letter = re.search(r"[OoIl]", text).group()
            digit = "0" if letter in "Oo" else "1"
            return f'Is the letter {letter} in "{text}" meant as the digit {digit}?'
        if re.search(r"[€$£%]|EUR|CHF|USD|GBP", text):
            return "Take units and currency signs out of the column"
    if mixed or any(re.fullmatch(_COMMA if sign == "." else _POINT, text) for text in texts):
        return f'The column is read with "{sign}" as decimal sign; pass decimal= to say otherwise'
    return 'Is it a code for "no answer"? Then pass missing='
