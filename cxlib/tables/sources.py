"""Whatever people have, as one DuckDB table ``raw`` of cells c0, c1, ... in its order.

Text files give text. Parquet, frames and databases keep their numbers, dates and flags, so that
nothing has to be guessed about them. Each source knows where its rows are: "line 57" or "row 57".
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from cxlib.errors import CxError, Problem, RefusedError
from cxlib.tables.csv_files import load_csv, look_at, physical_lines

__all__ = ["Source", "near", "open_source"]

NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL", "HUGEINT")
_OTHER_FILES = {
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"SQLi": "an SQLite database",
    b"{\\rt": "a text document",
}


@dataclass(frozen=True)
class Source:
    """An opened source; its cells are in the table ``raw``.

    Parameters
    ----------
    label : str
        How messages call it.
    header : tuple of str
        Their column names, in order.
    kinds : tuple of str
        What each column holds: "text", "number", "time", "zoned" (an instant), "flag" or "other".
    place : str
        "line" or "row".
    locate : callable
        From ordinals of rows to the numbers that people see.
    problems : list of Problem
        Rows that could not be split into fields.
    notes : tuple of str
        How the source was read.
    zones : dict
        Time zones of "zoned" columns that carry one.
    """

    label: str
    header: tuple[str, ...]
    kinds: tuple[str, ...]
    place: str
    locate: Callable[[list[int]], dict[int, int]]
    problems: list[Problem] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    zones: dict[str, str] = field(default_factory=dict)


def open_source(
    con: duckdb.DuckDBPyConnection,
    source,
    scratch: Path,
    *,
    label: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Source:
    """Open a file or frame and fill the table ``raw``.

    Parameters
    ----------
    con : DuckDB connection
    source : str, Path or pandas.DataFrame
        CSV or other delimited text, Parquet, Excel, a DuckDB file, or a frame.
    scratch : Path
        Folder for temporary files.
    label : str, optional
        How messages call the source; default the file's name.
    delimiter, encoding : str, optional
        Of a text file; found out if not named.
    sheet : str, optional
        Which sheet of an Excel file, which table of a database.

    Raises
    ------
    RefusedError
        There is nothing to read: no such file, a folder, another kind of file.
    CxError
        The file is empty or no text.
    """
    if isinstance(source, pd.DataFrame):
        return _open_frame(con, source, label or "the frame")
    if not isinstance(source, str | Path):
        raise RefusedError(
            f"cannot read from a {type(source).__name__}. "
            "Allowed: a path (CSV, Parquet, Excel, DuckDB) or a pandas frame."
        )
    path = Path(source)
    _check_path(path)
    with path.open("rb") as file:
        start = file.read(16)
    label = label or path.name
    if start[:4] == b"PAR1":
        return _open_query(con, "SELECT * FROM read_parquet($path)", {"path": str(path)}, label)
    if start[8:12] == b"DUCK":
        return _open_database(con, path, label, sheet)
    if start[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        return _open_excel(con, path, label, sheet)
    other = next((text for magic, text in _OTHER_FILES.items() if start.startswith(magic)), None)
    expected = {".parquet": "Parquet", ".xlsx": "Excel", ".xls": "Excel", ".duckdb": "DuckDB"}
    if other is None and start and path.suffix.lower() in expected:
        other = f"no {expected[path.suffix.lower()]} file, though its name says so"
    if other:
        raise RefusedError(
            f"{label} is {other}. Allowed: CSV and other delimited text, Parquet, Excel, DuckDB."
        )
    return _open_csv(con, path, scratch, label, delimiter, encoding)


def near(name: str, names) -> str:
    """A question that names up to two similar names, or nothing."""
    lowered = {str(n).lower(): str(n) for n in names}
    close = difflib.get_close_matches(str(name).lower(), lowered, n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(lowered[c] for c in close)}?" if close else ""


def _check_path(path: Path) -> None:
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.is_file())[:5]
        holds = f" It holds {', '.join(inside)}." if inside else ""
        raise RefusedError(f"{path} is a folder, not a file.{holds}")
    if path.is_file():
        return
    if str(path).startswith(("http:", "https:", "s3:")):
        raise RefusedError(f"{path} is an address; files are read from disk only.")
    if not path.parent.is_dir():
        raise RefusedError(f"{path} is not there: the folder {path.parent} does not exist.")
    hint = near(path.name, [p.name for p in path.parent.iterdir() if p.is_file()])
    raise RefusedError(f"{path} is not there. {hint}".rstrip())


def _open_csv(con, path, scratch, label, delimiter, encoding) -> Source:
    file = look_at(path, scratch, delimiter, encoding)
    problems, rejected = load_csv(con, file)
    read = con.execute("SELECT count(*) FROM raw").fetchone()[0]
    names = {"\t": "tab", ";": "semicolon", ",": "comma", "|": "bar"}
    notes = [f"fields separated by {names.get(file.delimiter, file.delimiter)}"]
    if file.encoding not in ("utf-8", "utf-8-sig"):
        notes.append(f"text read as {file.encoding}")
    return Source(
        label,
        file.header,
        ("text",) * len(file.header),
        "line",
        lambda records: physical_lines(file, records, read, rejected),
        problems,
        tuple(notes),
    )


def _open_query(con, query: str, parameters: dict, label: str, first_row: int = 1) -> Source:
    described = con.execute(f"DESCRIBE {query}", parameters).fetchall()
    names = ", ".join(f"c{i}" for i in range(len(described)))
    con.execute(f"CREATE TEMP TABLE raw AS SELECT * FROM ({query}) AS given({names})", parameters)
    return Source(
        label,
        tuple(name for name, *_ in described),
        tuple(_kind(type_) for _, type_, *_ in described),
        "row",
        lambda records: {record: record + first_row for record in records},
    )


def _kind(type_: str) -> str:
    if type_ == "VARCHAR" or type_.startswith("ENUM"):
        return "text"
    if type_ == "BOOLEAN":
        return "flag"
    if type_.startswith("TIMESTAMP") and ("TIME ZONE" in type_ or "TZ" in type_):
        return "zoned"
    if type_ == "DATE" or type_.startswith("TIMESTAMP"):
        return "time"
    whole = type_.split("(")[0]
    return "number" if "[" not in type_ and any(n in whole for n in NUMBERS) else "other"


def _open_frame(con, frame: pd.DataFrame, label: str) -> Source:
    arrays = [_arrow(frame.iloc[:, i]) for i in range(frame.shape[1])]
    if not arrays:
        raise CxError(f"{label} is empty: it has no columns.")
    given = pa.table(dict(zip((f"c{i}" for i in range(len(arrays))), arrays, strict=True)))
    con.register("given_frame", given)
    opened = _open_query(con, "SELECT * FROM given_frame", {}, label)
    con.unregister("given_frame")
    header = tuple(str(name) for name in frame.columns)
    zones = {
        str(name): str(dtype.tz)
        for name, dtype in frame.dtypes.items()
        if isinstance(dtype, pd.DatetimeTZDtype)
    }
    return Source(label, header, opened.kinds, "row", opened.locate, zones=zones)


def _arrow(column: pd.Series) -> pa.Array | pa.ChunkedArray:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if column.dtype != object:
        array = pa.array(column, from_pandas=True)
        return pa.nulls(len(column), pa.string()) if pa.types.is_null(array.type) else array
    try:
        array = pa.array(column, from_pandas=True)
        if not pa.types.is_null(array.type):
            return array
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    return _cells_as_text(column)


def _cells_as_text(cells) -> pa.Array:
    return pa.array([_text(cell) for cell in cells], pa.string())


def _text(cell) -> str | None:
    if cell is None or cell is pd.NaT or cell is pd.NA or cell != cell:
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and (cell.hour, cell.minute, cell.second) == (0, 0, 0):
        return cell.date().isoformat()
    return cell.isoformat() if isinstance(cell, date | datetime) else str(cell)


def _open_excel(con, path: Path, label: str, sheet: str | None) -> Source:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_path(str(path))
    except CalamineError as error:
        raise RefusedError(f"{label} cannot be opened as an Excel file: {error}.") from error
    name = _one_of(book.sheet_names, sheet, label, "sheet")
    rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    at = next((i for i, row in enumerate(rows) if any(cell != "" for cell in row)), None)
    if at is None:
        raise CxError(f"{label} is empty: sheet {name} has no header and no rows.")
    header = [str(cell).strip() for cell in rows[at]]
    width = max(i for i, cell in enumerate(header, start=1) if cell)
    kept = [
        (i, row) for i, row in enumerate(rows[at + 1 :], at + 2) if any(cell != "" for cell in row)
    ]
    columns = [[None if row[i] == "" else row[i] for _, row in kept] for i in range(width)]
    table = pa.table({f"c{i}": _excel_column(cells) for i, cells in enumerate(columns)})
    con.register("given_sheet", table)
    opened = _open_query(con, "SELECT * FROM given_sheet", {}, label)
    con.unregister("given_sheet")
    numbers = [number for number, _ in kept]
    notes = (f"sheet {name}",)
    locate = lambda records: {record: numbers[record] for record in records}  # noqa: E731
    return Source(label, tuple(header[:width]), opened.kinds, "row", locate, notes=notes)


def _excel_column(cells: list) -> pa.Array:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds and (kinds <= {int, float} or kinds == {bool}):
        return pa.array(cells)
    if kinds and kinds <= {date, datetime}:
        return pa.array([c and pd.Timestamp(c).to_pydatetime() for c in cells], pa.timestamp("us"))
    return _cells_as_text(cells)


def _open_database(con, path: Path, label: str, sheet: str | None) -> Source:
    quoted = str(path).replace("'", "''")
    try:
        con.execute(f"ATTACH '{quoted}' AS given (READ_ONLY)")
    except duckdb.Error as error:
        raise RefusedError(f"{label} cannot be opened as a DuckDB file: {error}") from error
    rows = con.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_catalog = 'given' ORDER BY 1, 2"
    ).fetchall()
    tables = {name: schema for schema, name in rows}
    name = _one_of(list(tables), sheet, label, "table")
    named = '"given".' + ".".join(
        '"' + part.replace('"', '""') + '"' for part in (tables[name], name)
    )
    opened = _open_query(con, f"SELECT * FROM {named}", {}, f"{label}, table {name}")
    con.execute("DETACH given")
    return opened


def _one_of(names: list[str], wanted: str | None, label: str, what: str) -> str:
    if wanted is None and len(names) == 1:
        return names[0]
    if wanted in names:
        return wanted
    if not names:
        raise CxError(f"{label} is empty: it holds no {what}.")
    listed = ", ".join(names[:12])
    if wanted is None:
        raise RefusedError(
            f"{label} holds {len(names)} {what}s: {listed}. "
            f'Name one, for example sheet="{names[0]}".'
        )
    raise RefusedError(
        f'{label} has no {what} "{wanted}". It holds: {listed}. {near(wanted, names)}'.rstrip()
    )
