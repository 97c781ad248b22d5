"""Their columns against ours: which is which, what is missing, and how each will be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cxlib.errors import Problem, RefusedError
from cxlib.tables.cells import Cells, Reading, quoted
from cxlib.tables.request import Request
from cxlib.tables.rules import read_column
from cxlib.tables.schema import Column, Table
from cxlib.tables.sources import Source, near
from cxlib.tables.worded import ask_for_words, in_numbers

__all__ = ["Field", "match_columns"]


@dataclass(frozen=True)
class Field:
    """A column on its way in.

    Parameters
    ----------
    name, theirs : str
        Our name and the one in the source.
    reading : Reading
    column : Column or None
        The declaration; None for an extra column.
    question : str
        For one of several answers of a wide file, the question it belongs to.
    zone : str or None
        The time zone that an instant of the source carries.
    """

    name: str
    theirs: str
    reading: Reading
    column: Column | None = None
    question: str = ""
    zone: str | None = None

    @property
    def quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'

    @property
    def question_sql(self) -> str:
        return quoted(self.question)

    @property
    def label(self) -> str:
        """The start of a message about the column."""
        return self.name if self.theirs == self.name else f"column {self.theirs}: {self.name}"

    def zone_for(self, request: Request) -> str | None:
        """The zone in which the column's times are told; None for whole dates."""
        return (request.timezone or self.zone or "UTC") if self.reading.timed else None

    def value(self, request: Request) -> str:
        """SQL of the value: an instant for times of day, else as read."""
        zone, value = self.zone_for(request), self.reading.value
        if zone:
            local, utc = f"timezone({quoted(zone)}, {value})", f"timezone('UTC', {value})"
            return f"CASE WHEN {self.reading.utc} THEN {utc} ELSE {local} END"
        if self.column and self.column.type == "integer":
            return f"CAST({value} AS BIGINT)"
        return value


def match_columns(
    con, source: Source, table: Table, request: Request, wishes: list[Problem]
) -> tuple[list[Field], list[Problem], list[str]]:
    """Match, refuse what was asked wrongly, and settle how each column is read.

    Returns
    -------
    fields : list of Field
        Declared ones in their order, then extra ones.
    problems : list of Problem
        Missing and repeated columns.
    notes : list of str
        Habits found.

    Raises
    ------
    RefusedError
        ``wishes`` already holds problems, or a map names a column that is not there.
    """
    header = [name or f"column {i}" for i, name in enumerate(source.header, start=1)]
    wishes = wishes + _unknown_names(header, table, request)
    problems = _missing_columns(header, table, request) + _repeated_columns(header, source.place)
    if wishes:
        raise RefusedError(f"{source.label} cannot be read as asked.", [*wishes, *problems])

    def read(theirs: str, name: str, column: Column | None, question: str = "") -> Field:
        at = header.index(theirs)
        worded = column is not None and column.name == table.scored
        cells = Cells(
            in_numbers(f"c{at}", request.mapping) if worded else f"c{at}",
            source.kinds[at],
            theirs,
            _codes(request, theirs, name, question),
            _counter(con),
        )
        reading = read_column(cells, column, decimal=request.decimal, dayfirst=request.dayfirst)
        if worded:
            reading = ask_for_words(reading, bool(request.mapping))
        return Field(name, theirs, reading, column, question, source.zones.get(theirs))

    fields, used, notes = [], set(request.columns.values()), []
    for column in table.columns:
        if column.name == "customer_id" and request.customer_id is None:
            number = Reading("'anonymous'", "'anonymous-' || CAST(rowid + 1 AS VARCHAR)")
            fields.append(Field("customer_id", "customer_id", number, column))
            continue
        if column.name == table.scored and request.questions:
            for question, theirs in request.questions.items():
                fields.append(read(theirs, column.name, column, question))
                used.add(theirs)
            continue
        theirs = request.columns.get(column.name, column.name)
        if theirs in header and not (column.name == "question" and request.questions):
            fields.append(read(theirs, column.name, column))
            used.add(theirs)
    taken = {f.name for f in fields} | ({"question"} if request.questions else set())
    for theirs in dict.fromkeys(header):
        if theirs in used:
            continue
        if theirs in taken:
            notes.append(f"their column {theirs} left out: {theirs} is read from another one")
        else:
            fields.append(read(theirs, theirs, None))
    wishes = _unknown_scales(con, request, fields)
    if wishes:
        raise RefusedError(f"{source.label} cannot be read as asked.", [*wishes, *problems])
    return fields, problems, notes + _habits(fields)


def _counter(con) -> Callable[..., tuple]:
    return lambda *what: con.execute(f"SELECT {', '.join(what)} FROM raw").fetchone()


def _codes(request: Request, *names: str) -> tuple:
    codes = []
    for name in dict.fromkeys(n for n in names if n):
        given = request.missing.get(name, ())
        codes += list(given) if isinstance(given, list | tuple | set) else [given]
    return tuple(codes)


def _unknown_names(header: list[str], table: Table, request: Request) -> list[Problem]:
    problems = []
    for option, mapping in (("columns", request.columns), ("questions", request.questions)):
        for ours, theirs in mapping.items():
            if theirs not in header:
                problems.append(
                    Problem(
                        f'{option} looks for "{theirs}" ({ours}), which is not there',
                        allowed=_told(header, request),
                        cause=near(theirs, header),
                    )
                )
    known = {*header, *request.columns, *request.questions, *(c.name for c in table.columns)}
    for name in request.missing:
        if name not in known:
            problems.append(
                Problem(f'missing names "{name}", which is no column', cause=near(name, known))
            )
    return problems


def _unknown_scales(con, request: Request, fields: list[Field]) -> list[Problem]:
    asked = set(request.questions)
    for f in fields if request.scale else ():
        if f.name == "question":
            rows = con.execute(f"SELECT DISTINCT {f.reading.value} FROM raw LIMIT 1000").fetchall()
            asked |= {str(name) for (name,) in rows}
    return [
        Problem(
            f'scale names the question "{name}", which is not asked',
            allowed=_short(sorted(asked)),
            cause=near(name, asked),
        )
        for name in request.scale
        if name not in asked
    ]


def _short(names: list[str]) -> str:
    shown = ", ".join(names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown


def _holds_data(header: list[str]) -> bool:
    return any(n[:1].isdigit() and any(c in n for c in ".-/:,;|@") for n in header)


def _told(header: list[str], request: Request) -> str:
    """The names of the file, unless they are cells of a customer's line."""
    telling = any("@" in name or name.isdecimal() for name in header)
    hidden = request.private and (_holds_data(header) or telling)
    return "not shown here, since it looks like data" if hidden else _short(header)


def _missing_columns(header: list[str], table: Table, request: Request) -> list[Problem]:
    cut = next((d for d in ",;|:" if d in header[0]), None) if len(header) == 1 else None
    if cut:
        cause = f'Is the delimiter right? Pass delimiter="{cut}"'
        told = _told(header, request)
        return [Problem(f'only one column was found, "{told}"', cause=cause)]
    problems = []
    for column in table.columns:
        given = column.name in request.columns or column.name in header
        by_question = bool(request.questions) and column.name in ("question", table.scored)
        numbered = column.name == "customer_id" and request.customer_id is None
        if not column.required or given or by_question or numbered:
            continue
        close = _candidates(column, header)
        if close:
            example = f'{{"{column.name}": "{close[0]}"}}'
            cause = f"Did you mean {' or '.join(close)}? Pass columns={example}."
        elif column.name == "question":
            theirs = request.columns.get(table.scored, table.scored)
            cause = f'If the file holds one question, pass questions={{"nps": "{theirs}"}}.'
        else:
            cause = (
                f'The file has: {_told(header, request)}. Pass columns={{"{column.name}": ...}}.'
            )
            if _holds_data(header):
                cause = f"The first line is {_told(header, request)}: is the header missing?"
        problems.append(Problem(f"column {column.name} is missing", cause=cause))
    return problems


def _candidates(column: Column, header: list[str]) -> list[str]:
    """Columns whose name resembles ours or one that files often use, best first."""
    plain = {h: "".join(c for c in h.lower() if c.isalnum()) for h in header}
    wanted = ["".join(c for c in n.lower() if c.isalnum()) for n in (column.name, *column.also)]
    same = [h for h, p in plain.items() if p in wanted]
    inside = [h for h, p in plain.items() if p and any(w in p for w in wanted if len(w) > 4)]
    question = near(column.name, header)
    similar = question.removeprefix("Did you mean ").rstrip("?").split(" or ") if question else []
    return list(dict.fromkeys([*same, *similar, *inside]))[:2]


def _repeated_columns(header: list[str], place: str) -> list[Problem]:
    problems = []
    for name, count in Counter(header).items():
        if count > 1:
            at = [str(i) for i, h in enumerate(header, start=1) if h == name]
            problems.append(
                Problem(
                    f"column {name} occurs {count} times in the header",
                    where=f"fields {', '.join(at)}",
                    cause="Rename or remove all but one",
                    count=count,
                )
            )
    return problems


def _habits(fields: list[Field]) -> list[str]:
    """Decimal signs and date orders that were found, columns together."""
    found: dict[str, list[str]] = {}
    for f in fields:
        note = f.reading.note
        if note == ".":
            continue
        text = "decimal comma" if note == "," else note
        if text:
            found.setdefault(text, []).append(f.theirs)
        if f.reading.timed and f.reading.offset:
            zone_note = "times with an offset converted"
            found.setdefault(zone_note, []).append(f.theirs)
    return [f"{text} in {', '.join(names)}" for text, names in found.items()]
