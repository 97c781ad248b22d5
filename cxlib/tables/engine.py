"""The one way in for all tables: open, match columns, settle habits, find problems, hand over."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandas as pd

from cxlib.errors import CxError, Problem, RefusedError
from cxlib.tables.columns import Field, match_columns
from cxlib.tables.frames import to_frame
from cxlib.tables.handling import (
    handle_no_customer,
    handle_repeated,
    handle_signed,
    mark_repeated,
)
from cxlib.tables.intake import Handled, Intake
from cxlib.tables.private import is_shipped, pseudonymise
from cxlib.tables.problems import Finding, find, find_repeated_keys, placed
from cxlib.tables.request import Request, request_for
from cxlib.tables.schema import Table
from cxlib.tables.sources import Source, open_source

__all__ = ["read_source"]


def read_source(source, table: Table, options: dict, label: str | None = None) -> pd.DataFrame:
    """Read any source as one of the declared tables, without a word on what was handled.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
    table : Table
    options : dict
        As for ``read_transactions``.
    label : str, optional
        How messages call the source.
    """
    if is_shipped(source):
        options = {"private": False, **options}
    request, wishes = request_for(table, options)
    with tempfile.TemporaryDirectory(prefix="cxlib-") as folder:
        con = duckdb.connect(config={"temp_directory": folder})
        try:
            con.execute("SET TimeZone = 'UTC'")
            opened = _open(con, source, Path(folder), label, request, wishes)
            return _Reading(con, opened, table, request, wishes).frame()
        finally:
            con.close()


def _open(con, source, folder: Path, label, request: Request, wishes: list[Problem]) -> Source:
    try:
        return open_source(
            con,
            source,
            folder,
            label=label,
            delimiter=request.delimiter if not wishes else None,
            encoding=request.encoding if not wishes else None,
            sheet=request.sheet,
        )
    except CxError as error:
        if wishes:
            problems = error.problems or (Problem(error.headline),)
            raise RefusedError(
                "the request cannot be carried out.", (*wishes, *problems)
            ) from error
        raise


@dataclass
class _Reading:
    """One table on its way in: the steps of reading, in order."""

    con: duckdb.DuckDBPyConnection
    source: Source
    table: Table
    request: Request
    wishes: list[Problem]

    def frame(self) -> pd.DataFrame:
        fields, unmatched, notes = match_columns(
            self.con, self.source, self.table, self.request, self.wishes
        )
        rows = self.con.execute("SELECT count(*) FROM raw").fetchone()[0]
        if not rows and not (unmatched or self.source.problems):
            raise CxError(f"{self.source.label} holds no rows{self._header_only()}.")
        problems = [*unmatched, *self._split_problems()]
        problems += [f.reading.problem for f in fields if f.reading.problem]
        findings = find(self.con, self.table, self.request, fields)
        repeated = self._repeated(findings, rows)
        if not (problems or findings):
            self._parse(fields)
            findings = find_repeated_keys(self.con, self.table, fields, self.request.private)
        if problems or findings:
            problems += placed(findings, self.source)
            raise CxError(f"{self.source.label} cannot be used as {self.table.name}.", problems)
        handled = self._handle(fields, repeated)
        frame = to_frame(self.con, self.table, fields, self.request)
        if frame.empty:
            gone = "; ".join(h.what for h in handled)
            raise CxError(f"{self.source.label} leaves no row of {self.table.name}: {gone}.")
        if self.request.private and self.request.customer_id is not None:
            frame["customer_id"] = pseudonymise(frame["customer_id"])
            notes = [*notes, "customer ids replaced by pseudonyms (private=True)"]
        record = self._record(frame, rows, handled, notes)
        frame.attrs["intake"] = record.as_record()
        return frame

    def _split_problems(self) -> list[Problem]:
        """What could not be split; a line that may hold a customer's id is not quoted."""
        if not self.request.private:
            return list(self.source.problems)
        return [replace(p, where=p.where.partition(': "')[0]) for p in self.source.problems]

    def _header_only(self) -> str:
        return ", only a header" if self.source.place == "line" else ""

    def _repeated(self, findings: list[Finding], rows: int) -> tuple[int, int, int]:
        if self.request.customer_id is None or not rows:
            self.con.execute('CREATE TEMP TABLE repeated("row" BIGINT, original BIGINT)')
            return 0, -1, -1
        count, first, original = mark_repeated(self.con, len(self.source.header))
        if count and self.request.duplicates == "error":
            findings.append(
                Finding.of_rows(
                    "rows must differ",
                    rows,
                    count,
                    "equal to an earlier one in every cell",
                    [first, original],
                    'Pass duplicates="drop" to keep the first of each',
                )
            )
        return count, first, original

    def _parse(self, fields: list[Field]) -> None:
        """Fill ``parsed``: one row a row, or one row a question of a wide file."""
        questions = [f for f in fields if f.question]
        if not questions:
            values = ", ".join(f"{f.value(self.request)} AS {f.quoted}" for f in fields)
            self.con.execute(
                f'CREATE TEMP TABLE parsed AS SELECT rowid AS "row", {values} FROM raw'
            )
            return
        plain = [f for f in fields if not f.question]
        shared = ", ".join(f"{f.value(self.request)} AS {f.quoted}" for f in plain)
        parts = [
            f"""SELECT rowid AS "row", {i} AS part, {shared}{", " if shared else ""}
            {f.value(self.request)} AS {f.quoted}, {f.question_sql} AS question FROM raw"""
            for i, f in enumerate(questions)
        ]
        self.con.execute(
            "CREATE TEMP TABLE parsed AS SELECT * EXCLUDE (part) FROM "
            f'({" UNION ALL ".join(parts)}) ORDER BY "row", part'
        )

    def _handle(self, fields: list[Field], repeated: tuple[int, int, int]) -> list[Handled]:
        count, first, _ = repeated
        line = self.source.locate([first]).get(first, first) if count else -1
        handled = self._told_in_utc(fields) + handle_no_customer(self.con)
        place = self.source.place
        handled += handle_repeated(self.con, self.request.duplicates, (count, line), place)
        if self.table.signed:
            choices = {"negative": self.request.negative, "zero": self.request.zero}
            present = {f.name for f in fields}
            handled += handle_signed(self.con, self.table.signed, self.table.time, present, choices)
        return handled

    def _told_in_utc(self, fields: list[Field]) -> list[Handled]:
        """Times with an offset, where nobody named the zone whose date counts."""
        names = [f for f in fields if f.reading.offset and not (self.request.timezone or f.zone)]
        if not names:
            return []
        utc = " OR ".join(f.reading.utc for f in names)
        (count,) = self.con.execute(f"SELECT count(*) FILTER ({utc}) FROM raw").fetchone()
        return [
            Handled(
                f"times with an offset in {', '.join(f.theirs for f in names)} are told in UTC",
                count,
                "timezone=None",
                "Pass timezone= for the place whose date counts",
            )
        ]

    def _record(self, frame, rows: int, handled, notes) -> Intake:
        start = end = ""
        if self.table.time in frame:
            times = frame[self.table.time].dropna()
            if len(times):
                first, last = times.min(), times.max()
                dated = isinstance(first, pd.Timestamp)
                start, end = (str(t.date()) if dated else str(t) for t in (first, last))
        empty = [(name, int(n)) for name, n in frame.isna().sum().items() if n]
        return Intake(
            self.table.name,
            self.source.label,
            rows,
            len(frame),
            start,
            end,
            tuple(empty),
            tuple(handled),
            (*self.source.notes, *notes),
        )
