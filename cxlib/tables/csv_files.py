"""Text files as they really come: which encoding, which delimiter, which line a record is on.

One pass over the bytes settles encoding and line ends; a file that is not plain UTF-8 is rewritten
into a temporary one. DuckDB then reads every cell as text and keeps the lines it cannot split.
"""

from __future__ import annotations

import codecs
import csv
import itertools
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb

from cxlib.errors import CxError, Problem, RefusedError

__all__ = ["CsvFile", "load_csv", "look_at", "physical_lines"]

CHUNK = 1 << 24
DELIMITERS = (",", ";", "\t", "|")
SAMPLED_RECORDS = 200
RECORDED_REJECTS = 100_000
LONGEST_LINE = 64_000_000


@dataclass(frozen=True)
class CsvFile:
    """A text file that can be read: where its UTF-8 text lies and how it is laid out.

    Parameters
    ----------
    path : Path
        The text to read; the original file or its rewritten copy.
    encoding, delimiter : str
        What the original is written in.
    header : tuple of str
    header_lines, newlines : int
        Physical lines up to and including the header; line ends in the whole file.
    """

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_lines: int
    newlines: int


def look_at(path: Path, scratch: Path, delimiter: str | None, encoding: str | None) -> CsvFile:
    """Settle encoding, line ends, delimiter and header of a text file.

    Parameters
    ----------
    path : Path
    scratch : Path
        Folder for a rewritten copy, if one is needed.
    delimiter, encoding : str or None
        What the caller named; None finds out.

    Raises
    ------
    CxError
        The file is empty, blank, or holds bytes that are no text.
    """
    if path.stat().st_size == 0:
        raise CxError(f"{path.name} is empty: it has no header and no rows.")
    if encoding:
        spoilt, line = _first_undecodable(path, encoding)
        if spoilt is not None:
            raise _undecodable(path, encoding, spoilt, line)
    else:
        encoding = _encoding(path)
    plain, newlines = _line_ends(path, encoding)
    text = path if plain else _rewrite(path, encoding, scratch / f"{path.stem}.utf8.csv")
    if not plain:
        newlines = _line_ends(text, "utf-8")[1]
    found = delimiter or _delimiter(text)
    with text.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=found)
        header = next((row for row in reader if any(cell.strip() for cell in row)), [])
        header_lines = reader.line_num
    if not header:
        raise CxError(f"{path.name} is empty: it holds blank lines only.")
    names = tuple(cell.strip() for cell in header)
    return CsvFile(text, encoding, found, names, header_lines, newlines)


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in start:
        raise RefusedError(f"{path.name} is no text file: it holds zero bytes.")
    spoilt, line = _first_undecodable(path, "utf-8")
    if spoilt is None:
        return "utf-8"
    if _holds_utf8_letters(path):
        raise _undecodable(path, "utf-8", spoilt, line)
    spoilt, line = _first_undecodable(path, "cp1252")
    if spoilt is not None:
        raise _undecodable(path, "utf-8 or cp1252", spoilt, line)
    return "cp1252"


def _first_undecodable(path: Path, encoding: str) -> tuple[bytes | None, int]:
    """The first bytes that are no text in the encoding, and their line."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with path.open("rb") as file:
        for chunk in itertools.chain(iter(lambda: file.read(CHUNK), b""), [b""]):
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return error.object[error.start : error.end], lines + error.object.count(
                    b"\n", 0, error.start
                )
            lines += chunk.count(b"\n")
    return None, lines


def _holds_utf8_letters(path: Path) -> bool:
    """Whether some line with letters beyond ASCII is right UTF-8: then the others are spoilt."""
    with path.open("rb") as file:
        for line in itertools.islice(file, 1_000_000):
            if not line.isascii():
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError:
                    continue
                return True
    return False


def _undecodable(path: Path, encoding: str, spoilt: bytes, line: int) -> CxError:
    return CxError(
        f"{path.name} cannot be read as text.",
        [
            Problem(
                f"bytes {spoilt.hex(' ')} are no {encoding} text",
                where=f"first in line {line:,}",
                cause="The file may be of another encoding or damaged; "
                'name it, for example encoding="cp1252"',
            )
        ],
    )


def _line_ends(path: Path, encoding: str) -> tuple[bool, int]:
    """Whether DuckDB can read the bytes as they are, and the number of lines (-1 if unknown)."""
    if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig"):
        return False, -1
    feeds = pairs = returns = 0
    last = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            feeds += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
            last = chunk[-1:]
    one_habit = returns == 0 or feeds == pairs == returns
    return one_habit, feeds if last == b"\n" else feeds + 1


def _rewrite(path: Path, encoding: str, target: Path) -> Path:
    """The same text as UTF-8 with line feeds only."""
    with (
        path.open(encoding=encoding, newline=None) as source,
        target.open("w", encoding="utf-8", newline="") as copy,
    ):
        while chunk := source.read(CHUNK):
            copy.write(chunk)
    return target


def _delimiter(path: Path) -> str:
    """The delimiter that splits the first records most evenly into most fields."""
    best, score = ",", (0.0, 1)
    for candidate in DELIMITERS:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=candidate)
            widths = [len(row) for row in itertools.islice(reader, SAMPLED_RECORDS) if row]
        if not widths or widths[0] == 1:
            continue
        even = Counter(widths)[widths[0]] / len(widths)
        if (even, widths[0]) > score:
            best, score = candidate, (even, widths[0])
    return best


def load_csv(con: duckdb.DuckDBPyConnection, file: CsvFile) -> tuple[list[Problem], set[int]]:
    """Fill the table ``raw`` with the cells as text; return what could not be split.

    Returns
    -------
    problems : list of Problem
        Lines with too many or too few fields, and quotes that do not close.
    lines : set of int
        The physical lines that those records begin on.
    """
    fields = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(file.header)))
    con.execute(
        f"""CREATE TEMP TABLE raw AS SELECT * FROM read_csv($path,
            delim=$delimiter, quote='"', escape='"', comment='', header=false, skip=$skip,
            auto_detect=false, columns={{{fields}}}, store_rejects=true,
            rejects_limit={RECORDED_REJECTS}, max_line_size={LONGEST_LINE})""",
        {"path": str(file.path), "delimiter": file.delimiter, "skip": file.header_lines},
    )
    rejects = con.execute(
        """SELECT CAST(error_type AS VARCHAR), line_byte_position, csv_line, error_message
           FROM reject_errors ORDER BY 2, column_idx"""
    ).fetchall()
    seen: dict[int, tuple] = {}
    for kind, position, line, message in rejects:
        seen.setdefault(position, (kind, line, message))
    places = dict(zip(seen, _lines_at(file.path, list(seen)), strict=True))
    problems = []
    for kind in sorted({kind for kind, _, _ in seen.values()}):
        hit = [position for position, value in seen.items() if value[0] == kind]
        problems.append(_split_problem(kind, hit, seen, places, file))
    return problems, set(places.values())


def _lines_at(path: Path, positions: list[int]) -> list[int]:
    """Physical lines of the first text at or after each byte position (from 1, ascending)."""
    lines, line, done = [], 1, 0
    with path.open("rb") as file:
        for position in positions:
            while done < position - 1:
                chunk = file.read(min(CHUNK, position - 1 - done))
                if not chunk:
                    break
                line += chunk.count(b"\n")
                done += len(chunk)
            while (byte := file.read(1)) in (b"\n", b"\r"):
                line += byte == b"\n"
                done += 1
            done += len(byte)
            lines.append(line)
    return lines


_SPLIT_RULES = {
    "TOO MANY COLUMNS": "more fields than the header names",
    "MISSING COLUMNS": "fewer fields than the header names",
    "UNQUOTED VALUE": "a quotation mark that does not close where a field ends",
}


def _split_problem(kind: str, hit: list[int], seen: dict, places: dict, file: CsvFile) -> Problem:
    first = hit[0]
    _, text, message = seen[first]
    text = (text or "").strip().splitlines()[0] if (text or "").strip() else ""
    shown = f': "{text[:60]}{"..." if len(text) > 60 else ""}"' if text else ""
    lines = [places[position] for position in hit[:3]]
    also = f", then {', '.join(f'{line:,}' for line in lines[1:])}" if lines[1:] else ""
    more = ", ..." if len(hit) > 3 else ""
    first_word = "in" if len(hit) == 1 else "first in"
    cause = {
        "TOO MANY COLUMNS": f'An unquoted "{file.delimiter}" inside a field?',
        "MISSING COLUMNS": "A line cut short, or a line break inside an unquoted field?",
    }.get(kind, "A quotation mark opened or closed too few times, or one to be doubled?")
    least = "at least " if len(seen) >= RECORDED_REJECTS else ""
    unit = "line has" if len(hit) == 1 else "lines have"
    return Problem(
        f"{least}{len(hit):,} {unit} {_SPLIT_RULES.get(kind, message)}",
        where=f"{first_word} line {lines[0]:,}{also}{more}{shown}",
        allowed=f'{len(file.header)} fields, separated by "{file.delimiter}"'
        if "COLUMNS" in kind
        else "",
        cause=cause,
        count=len(hit),
    )


def physical_lines(
    file: CsvFile, records: list[int], read: int, rejected: set[int]
) -> dict[int, int]:
    """The physical line that each record begins on.

    Parameters
    ----------
    file : CsvFile
    records : list of int
        Ordinals among the ``read`` records, from 0.
    read : int
        Records that were read.
    rejected : set of int
        Lines of records that could not be read.

    Notes
    -----
    Where the file has one line per record, lines are counted off. Otherwise (line breaks in quoted
    fields, blank or broken lines) the text is walked up to the last record asked for.
    """
    if not rejected and file.newlines == file.header_lines + read:
        return {record: file.header_lines + 1 + record for record in records}
    wanted, lines, ordinal = set(records), {}, -1
    last = max(records, default=-1)
    previous_limit = csv.field_size_limit(LONGEST_LINE)
    try:
        with file.path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(text, delimiter=file.delimiter)
            begin = 1
            for row in reader:
                line, begin = begin, reader.line_num + 1
                blank = not row and len(file.header) > 1
                if line <= file.header_lines or blank or line in rejected:
                    continue
                ordinal += 1
                if ordinal in wanted:
                    lines[ordinal] = line
                if ordinal >= last:
                    break
    finally:
        csv.field_size_limit(previous_limit)
    return lines
