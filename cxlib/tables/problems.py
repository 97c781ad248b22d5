"""All cells that break a rule, counted in one pass and told with their lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cxlib.errors import Problem
from cxlib.tables.cells import Rule, quoted
from cxlib.tables.columns import Field
from cxlib.tables.private import to_pseudonyms
from cxlib.tables.request import Request
from cxlib.tables.rules import within
from cxlib.tables.schema import Table
from cxlib.tables.sources import Source

__all__ = ["Finding", "find", "find_repeated_keys", "placed"]

DEFAULT_SCALES = {"nps": (0, 10)}
_SHORT = r"-?\d{1,3}"  # a score rather than somebody


@dataclass(frozen=True)
class Finding:
    """A broken rule: how often, by which texts, first in which rows.

    Parameters
    ----------
    sentence : str
        "scores must lie in 0-10".
    total, count, distinct : int
    samples : list of (text or None, count, row)
        The first distinct texts.
    """

    sentence: str
    total: int
    count: int
    distinct: int
    samples: list[tuple[str | None, int, int]]
    cause: Callable[[list[str]], str] = lambda texts: ""
    allowed: str = ""
    prose: str = ""
    rows: list[int] = field(default_factory=list)

    @classmethod
    def of_rows(cls, sentence, total, count, prose, rows, cause="") -> Finding:
        """A finding about whole rows; ``rows`` are the first one and those it clashes with."""
        return cls(sentence, total, count, 1, [], lambda texts: cause, "", prose, rows)


def find(con, table: Table, request: Request, fields: list[Field]) -> list[Finding]:
    """Every rule of every column, in one pass over the cells."""
    rules = [(f, rule) for f in fields for rule in _rules(table, request, fields, f)]
    if not rules:
        return []
    counts = con.execute(
        "SELECT "
        + ", ".join(f"count(*) FILTER ({rule.condition})" for _, rule in rules)
        + " FROM raw"
    ).fetchone()
    findings = [
        _finding(con, f, rule, count)
        for (f, rule), count in zip(rules, counts, strict=True)
        if count
    ]
    return _without_ids(con, fields, findings) if request.private else findings


def _without_ids(con, fields: list[Field], findings: list[Finding]) -> list[Finding]:
    """Pseudonyms for shown texts that are customers' ids, which slipped into another column."""
    texts = {t for f in findings for t, _, _ in f.samples if t and not re.fullmatch(_SHORT, t)}
    owner = next((f.reading.text for f in fields if f.name == "customer_id"), None)
    if owner is None or not texts:
        return findings
    marks = ", ".join("?" * len(texts))
    found = con.execute(
        f"SELECT DISTINCT {owner} FROM raw WHERE {owner} IN ({marks})", [*texts]
    ).fetchall()
    ids = [name for (name,) in found]
    names = dict(zip(ids, to_pseudonyms(ids), strict=True))
    return [
        replace(f, samples=[(names.get(text, text), *rest) for text, *rest in f.samples])
        for f in findings
    ]


def _rules(table: Table, request: Request, fields: list[Field], f: Field) -> list[Rule]:
    reading = f.reading
    if reading.problem or f.column is None:
        return []
    rules = list(reading.rules)
    by_choice = f.name == "customer_id" and request.no_customer == "drop"
    if f.column.filled and not by_choice:
        cause = ""
        if f.name == "customer_id":
            cause = 'Pass no_customer="drop" to leave these rows out'
        rules.append(
            Rule(f"({reading.text}) IS NULL", "must not be empty", cause=lambda texts: cause)
        )
    if reading.naive:
        rules += _clock_rules(f, request)
    if f.name == table.scored:
        rules += _scale_rules(request, fields, f)
    return rules


def _clock_rules(f: Field, request: Request) -> list[Rule]:
    value, utc = f.reading.value, f.reading.utc
    clock = f"({value}) <> date_trunc('day', {value}) AND NOT {utc}"
    if request.timezone is None:
        return [
            Rule(
                clock,
                "must be a whole date, or a time of day with its zone",
                cause=lambda texts: 'Pass timezone=, for example timezone="Europe/Berlin"',
            )
        ]
    zone = quoted(request.timezone)
    there_and_back = f"timezone({zone}, timezone({zone}, {value}))"
    return [
        Rule(
            f"{clock} AND {there_and_back} <> {value}",
            f"must be a time that exists in {request.timezone}",
            cause=lambda texts: "Clocks go forward there; are the times of another zone?",
        )
    ]


def _scale_rules(request: Request, fields: list[Field], f: Field) -> list[Rule]:
    scales = {**DEFAULT_SCALES, **request.scale}
    noun = f"column {f.theirs}: scores" if f.theirs != f.name else "scores"
    key = f.name if sum(bool(g.question) for g in fields) <= 1 else f.theirs
    if f.question:
        limits = scales.get(f.question)
        return [within(f.name, f.reading.value, *limits, noun, key)] if limits else []
    asked = next((g for g in fields if g.name == "question"), None)
    if asked is None:
        return []
    rules = []
    for question, limits in scales.items():
        rule = within(f.name, f.reading.value, *limits, noun, key)
        only = f"lower({asked.reading.value}) = {quoted(question.lower())}"
        rules.append(replace(rule, condition=f"{only} AND ({rule.condition})"))
    return rules


def _finding(con, f: Field, rule: Rule, count: int) -> Finding:
    text = f.reading.text
    counted = "*" if rule.must == "must not be empty" else text
    total, distinct = con.execute(
        f"SELECT count({counted}), count(DISTINCT {text}) FILTER ({rule.condition}) FROM raw"
    ).fetchone()
    samples = con.execute(
        f"SELECT {text}, count(*), min(rowid) FROM raw WHERE {rule.condition} "
        f"GROUP BY 1 ORDER BY 3 LIMIT {rule.shown}"
    ).fetchall()
    rows = con.execute(
        f"SELECT rowid FROM raw WHERE {rule.condition} ORDER BY 1 LIMIT 3"
    ).fetchall()
    sentence = f"{rule.noun or f.label} {rule.must}"
    return Finding(
        sentence,
        total,
        count,
        distinct,
        samples,
        rule.cause,
        rule.allowed,
        rows=[row for (row,) in rows],
    )


def find_repeated_keys(
    con, table: Table, fields: list[Field], private: bool = False
) -> list[Finding]:
    """Keys that occur more than once in ``parsed``, apart from repeated lines left out anyway."""
    if not table.key:
        return []
    key = ", ".join(f'"{k}"' for k in table.key)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE clashes AS
        SELECT "row", min("row") OVER (PARTITION BY {key}) AS first, {key} FROM parsed
        WHERE "row" NOT IN (SELECT "row" FROM repeated) AND {table.key[0]} IS NOT NULL
        QUALIFY count(*) OVER (PARTITION BY {key}) > 1"""
    )
    count, total = con.execute(
        'SELECT count(*) FILTER ("row" > first), (SELECT count(*) FROM parsed) FROM clashes'
    ).fetchone()
    if not count:
        return []
    again, first, *values = con.execute(
        f'SELECT "row", first, {key} FROM clashes WHERE "row" > first ORDER BY 1 LIMIT 1'
    ).fetchone()
    named = " and ".join(table.key)
    if private and "customer_id" in table.key:
        at = table.key.index("customer_id")
        values[at : at + 1] = to_pseudonyms([str(values[at])])
    found = " and ".join(str(v) for v in values)
    return [
        Finding.of_rows(
            f"{named} may not repeat",
            total,
            count,
            f'repeated, the first "{found}"',
            [again, first],
            'If whole lines were written twice, pass duplicates="drop"',
        )
    ]


def placed(findings: list[Finding], source: Source) -> list[Problem]:
    """Findings as problems, with the lines that people see."""
    rows = {row for f in findings for row in f.rows}
    rows |= {row for f in findings for _, _, row in f.samples}
    lines = source.locate(sorted(rows)) if rows else {}
    return [_problem(f, source.place, lines) for f in findings]


def _problem(f: Finding, place: str, lines: dict[int, int]) -> Problem:
    verb = "is" if f.count == 1 else "are"
    head = f"{f.sentence}: {f.count:,} of {f.total:,} {verb}"
    first = f"{'in' if f.count == 1 else 'first in'} {place} {lines[f.rows[0]]:,}"
    texts = [text for text, _, _ in f.samples if text is not None]
    cause = f.cause(texts if f.distinct <= len(texts) else [*texts, "..."])
    if f.prose:
        head += f" {f.prose}"
        where = f"{first}, as in {place} {lines[f.rows[1]]:,}"
    elif not texts:
        head += " empty"
        where = first + _then(f, place, lines)
    elif f.distinct == 1:
        head += f" {_shown(texts[0])}"
        where = first
    else:
        head += " not"
        listed = [
            f"{_shown(text)} in {place} {lines[row]:,}"
            + (f" ({count:,} times)" if count > 1 else "")
            for text, count, row in f.samples
        ]
        more = f.distinct - len(listed)
        where = "; ".join(listed) + (f"; and {more:,} more texts" if more > 0 else "")
    return Problem(head, where=where, allowed=f.allowed, cause=cause, count=f.count)


def _then(f: Finding, place: str, lines: dict[int, int]) -> str:
    others = [f"{lines[row]:,}" for row in f.rows[1:]]
    return f", then {', '.join(others)}" + (", ..." if f.count > 3 else "") if others else ""


def _shown(text: str) -> str:
    """A cell as shown: numbers bare, other texts quoted, long ones cut."""
    try:
        float(text)
    except ValueError:
        return f'"{text[:40]}..."' if len(text) > 40 else f'"{text}"'
    return text if text[:1].isdigit() or text[:1] in "+-." else f'"{text}"'
