"""One job, many reports: the values that ``for_each`` stands for, and the folder of each."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cxlib.errors import Problem

__all__ = ["check_for_each", "folder_name", "folder_problems", "read_values"]

MOST_VALUES = 500
_SHAPE = '{country = ["DE", "FR"]} or {country = {column = "country", of = "responses"}}'


def check_for_each(value: Mapping[str, Any]) -> None:
    """Raise a ValueError, with what is allowed, unless this is a ``for_each`` that can be read.

    Examples
    --------
    >>> check_for_each({"country": ["DE", "FR"]})
    >>> check_for_each({"country": "DE"})
    Traceback (most recent call last):
    ValueError: country has neither a list of values nor a column; allowed: {country = ["DE", ...
    """
    if len(value) != 1:
        raise ValueError(f"names {len(value)} parameters; allowed is one: {_SHAPE}")
    ((name, source),) = value.items()
    if isinstance(source, list):
        if not source:
            raise ValueError(f"{name} has an empty list of values; allowed: {_SHAPE}")
        return
    if not isinstance(source, Mapping) or set(source) != {"column", "of"}:
        raise ValueError(f"{name} has neither a list of values nor a column; allowed: {_SHAPE}")
    if not all(isinstance(entry, str) and entry for entry in source.values()):
        raise ValueError(f"{name}: column and of are texts; allowed: {_SHAPE}")


def folder_name(job: str, value: Any) -> str:
    """The folder of a value's report: ``JOB--value``, the value made safe for every file system.

    Examples
    --------
    >>> folder_name("sales", "DE"), folder_name("sales", "a/b: ../c"), folder_name("sales", 1.5)
    ('sales--DE', 'sales--a_b_.._c', 'sales--1.5')
    """
    text = unicodedata.normalize(
        "NFC", str(value).lower() if value in (True, False) else str(value)
    )
    text = re.sub(r"-{2,}", "-", re.sub(r"[^\w.-]+", "_", text)).strip("-.")[:80]
    return f"{job}--{text}"


def folder_problems(job: str, values: Iterable[Any]) -> list[Problem]:
    """Values that leave no name, or the name of another value; folders ignore upper and lower case.

    Examples
    --------
    >>> print(*folder_problems("sales", ["a b", "A_B"]))
    'a b' and 'A_B' would share the folder sales--A_B (field for_each). Rename one of the values.
    """
    problems, taken = [], {}
    for value in values:
        name = folder_name(job, value)
        if name == f"{job}--":
            problems.append(
                Problem(
                    f"{value!r} leaves no name for a folder", "field for_each", "a letter or digit"
                )
            )
        elif name.casefold() in taken:
            other = taken[name.casefold()]
            what = f"{other!r} and {value!r} would share the folder {name}"
            problems.append(Problem(what, "field for_each", cause="Rename one of the values."))
        taken.setdefault(name.casefold(), value)
    return problems


def read_values(column: str, file: str) -> tuple[list[str], list[Problem]]:
    """The distinct values of a column as texts, in order; empty cells have no report.

    Parameters
    ----------
    column : str
        As the file names it.
    file : str
        CSV, TSV or Parquet.

    Returns
    -------
    values : list of str
    problems : list of Problem
        No such column, a file that cannot be read, or more than 500 values.
    """
    import duckdb

    reader = {
        ".csv": "read_csv(?, all_varchar=true{})",
        ".tsv": "read_csv(?, all_varchar=true{})",
        ".parquet": "read_parquet(?)",
    }.get(Path(file).suffix.lower())
    where, name = "field for_each", Path(file).name
    if reader is None:
        return [], [
            Problem(f"{name} has no columns that can be listed", where, "CSV, TSV, Parquet")
        ]
    for encoding in ("", ", encoding='latin-1'"):
        source = reader.format(encoding)
        try:
            with duckdb.connect() as connection:
                columns = [
                    row[0]
                    for row in connection.execute(f"DESCRIBE FROM {source}", [file]).fetchall()
                ]
                if column not in columns:
                    near = difflib.get_close_matches(column, columns, n=2)
                    cause = f"Did you mean {' or '.join(near)}?" if near else ""
                    what = f"{name} has no column {column!r}"
                    return [], [Problem(what, where, ", ".join(columns), cause)]
                quoted = '"' + column.replace('"', '""') + '"'
                query = (
                    f"SELECT DISTINCT {quoted}::VARCHAR AS value FROM {source} "
                    f"WHERE trim({quoted}::VARCHAR) <> '' ORDER BY value LIMIT {MOST_VALUES + 1}"
                )
                values = [row[0] for row in connection.execute(query, [file]).fetchall()]
            break
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
    else:
        return [], [Problem(f"{name} cannot be read: {reason}", where)]
    if not values:
        return [], [Problem(f"column {column} of {name} is empty", where)]
    if len(values) > MOST_VALUES:
        what = f"column {column} of {name} has more than {MOST_VALUES} values"
        return [], [Problem(what, where, cause="Is it an identifier?")]
    return values, []
