"""How a column of text becomes values: one reading per type, in SQL, settled on the whole column.

A reading says how to get the value and which cells break which rule. Nothing here looks at single
rows in Python.
"""

from __future__ import annotations

import re
from dataclasses import replace

from cxlib.tables.cells import SPACES, Cells, Reading, Rule, matches, quoted
from cxlib.tables.numbers import read_numbers, read_plain_numbers
from cxlib.tables.schema import Column
from cxlib.tables.times import read_plain_days, read_times

__all__ = ["BLANKS", "read_column", "within"]

BLANKS = ("na", "n/a", "#n/a", "#na", "nan", "nat", "null", "none", "<na>", "-", "--", "k.a.")
YES = ("true", "yes", "ja", "y", "j", "t", "1", "1.0", "wahr", "oui", "si")
NO = ("false", "no", "nein", "n", "f", "0", "0.0", "falsch", "non")


def read_column(cells: Cells, column: Column | None, *, decimal=None, dayfirst=None) -> Reading:
    """Settle how a column is read.

    Parameters
    ----------
    cells : Cells
    column : Column or None
        Its declaration; None for an extra column, which is kept as it is.
    decimal : {".", ","}, optional
    dayfirst : bool, optional
        What the caller says about habits; None takes the evidence of the column.
    """
    if column is None:
        return Reading(cells.cell, cells.cell)
    reading = None
    if cells.kind == "text" and not cells.codes and decimal != ",":
        reading = _read_plain(cells, column)
    reading = reading or _read_any(cells, column, decimal, dayfirst)
    if column.type in ("number", "integer"):
        return replace(reading, rules=reading.rules + _number_rules(column, reading.value))
    return reading


def _read_plain(cells: Cells, column: Column) -> Reading | None:
    """The quick way for columns of nothing but plain numbers, or days as 2025-12-31."""
    if column.type in ("number", "integer"):
        return read_plain_numbers(cells)
    return read_plain_days(cells) if column.type == "time" else None


def _read_any(cells: Cells, column: Column, decimal, dayfirst) -> Reading:
    text = _cleaned(cells, column)
    if column.type in ("number", "integer"):
        return read_numbers(cells, text, decimal)
    if column.type == "time":
        return read_times(cells, text, dayfirst)
    if column.type == "flag":
        return _flag(cells, text)
    if column.choices:
        value = f"lower({text})"
        rule = Rule(
            f"{value} NOT IN ({_listed(column.choices)})",
            f"must be one of {', '.join(column.choices)}",
        )
        return Reading(text, value, (rule,))
    return Reading(text, text)


def _listed(values) -> str:
    return ", ".join(quoted(v) for v in values)


def _cleaned(cells: Cells, column: Column) -> str:
    """SQL of the cell without surrounding space, NULL where it says that nothing was given."""
    if cells.kind == "number" and column.type == "id":
        whole = f"{cells.cell} = floor({cells.cell})"
        base = f"CASE WHEN isnan(CAST({cells.cell} AS DOUBLE)) THEN NULL WHEN {whole} THEN "
        base += f"CAST(CAST({cells.cell} AS BIGINT) AS VARCHAR) "
        base += f"ELSE CAST({cells.cell} AS VARCHAR) END"
    else:
        base = f"CAST({cells.cell} AS VARCHAR)"
    blanks = [] if column.type == "text" and not column.choices else list(BLANKS)
    blanks = [b for b in blanks if b not in column.choices]
    blanks += [form for code in cells.codes for form in _code_forms(code)]
    odd = "|".join(["", r"\s.*", r".*\s", f"[{SPACES}].*", f".*[{SPACES}]"])
    odd += "".join("|" + re.escape(b) for b in blanks)
    (found,) = cells.count(f"count(*) FILTER ({matches(base, f'(?is)({odd})')})")
    if not found:
        return base
    edges = rf"^[\s{SPACES}]+|[\s{SPACES}]+$"
    bare = f"nullif(regexp_replace({base}, {quoted(edges)}, '', 'g'), '')"
    hit = f"lower({bare}) IN ({_listed(blanks)})"
    return f"CASE WHEN {hit} THEN NULL ELSE {bare} END" if blanks else bare


def _code_forms(code) -> list[str]:
    forms = [str(code).strip().lower()]
    if isinstance(code, int | float) and not isinstance(code, bool) and float(code).is_integer():
        forms = [f"{int(code)}", f"{int(code)}.0", f"{int(code)},0"]
    return forms


def _number_rules(column: Column, value: str) -> tuple[Rule, ...]:
    rules = []
    if column.type == "integer":
        rules.append(Rule(f"({value}) <> floor({value})", "must be a whole number"))
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        rules.append(within(column.name, value, low, high))
    elif low is not None:
        rules.append(Rule(f"({value}) < {low}", f"must be at least {low:g}"))
    return tuple(rules)


def within(name: str, value: str, low: float, high: float, noun: str = "", key: str = "") -> Rule:
    """The rule that values lie between two limits, with the question for a code."""

    def cause(texts: list[str]) -> str:
        if len(texts) > 4:
            return "Are these per cent, or answers on another scale?" if high < 100 else ""
        codes = ", ".join(texts)
        many = f"Are {codes} codes" if len(texts) > 1 else f"Is {codes} a code"
        return f'{many} for "no answer"? Pass missing={{"{key or name}": [{codes}]}}.'

    return Rule(
        f"({value}) NOT BETWEEN {low} AND {high}",
        f"must lie in {low:g}-{high:g}",
        noun=noun,
        cause=cause,
    )


def _flag(cells: Cells, text: str) -> Reading:
    if cells.kind == "flag":
        return Reading(text, f"CASE WHEN {text} IS NOT NULL THEN {cells.cell} END")
    low = f"lower({text})"
    value = f"CASE WHEN {low} IN ({_listed(YES)}) THEN true"
    value += f" WHEN {low} IN ({_listed(NO)}) THEN false END"
    rule = Rule(
        f"({text}) IS NOT NULL AND ({value}) IS NULL",
        "must say yes or no",
        allowed="true/false, yes/no, ja/nein, 1/0",
    )
    return Reading(text, value, (rule,))
