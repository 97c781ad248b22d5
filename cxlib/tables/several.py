"""Several files as our tables at once, with the problems of all of them in one message."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cxlib.errors import CxError, Problem, RefusedError
from cxlib.tables.read import read_table
from cxlib.tables.schema import TABLES
from cxlib.tables.sources import near

__all__ = ["read_tables"]


def read_tables(
    paths: Mapping, *, columns: Mapping | None = None, reading: Mapping | None = None
) -> dict[str, pd.DataFrame]:
    """Read several files, each as one of the tables.

    Parameters
    ----------
    paths : mapping of str to (str, Path, pandas.DataFrame or None)
        By the name of a table: responses, transactions, contacts, customers, usage or events.
        None leaves a table out.
    columns : mapping of str to mapping, optional
        By the same names, our columns to theirs: ``{"contacts": {"recovery": "Loesung"}}``.
    reading : mapping of str to mapping, optional
        By the same names, what the reader of that table takes besides:
        ``{"responses": {"missing": {"score": [99]}}}``; see ``read_transactions``.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables that were given, in the order of `paths`.

    Raises
    ------
    RefusedError
        Nothing was read: no such file, table or option, columns or a way of reading without a file.
    CxError
        The content of a file has problems. Either error lists the problems of all files, each with
        its reader's own message.

    Warns
    -----
    CxWarning
        Rows were handled by a choice, one message a file.

    Examples
    --------
    >>> cases = pd.DataFrame({"contact_id": [1], "Who": ["a"], "opened_at": ["2025-01-03"]})
    >>> people = pd.DataFrame({"customer_id": ["a"], "joined_at": ["2025-02-30"]})
    >>> names = {"contacts": {"customer_id": "Who"}}
    >>> list(read_tables({"contacts": cases, "customers": None}, columns=names))
    ['contacts']
    >>> cases["opened_at"] = "2025-02-31"
    >>> read_tables({"contacts": cases, "customers": people}, columns=names)
    Traceback (most recent call last):
        ...
    cxlib.errors.CxError: 2 of 2 tables cannot be read.
      1. contacts: the frame cannot be used as contacts.
           1. opened_at must be a day of the calendar: 1 of 1 is "2025-02-31" (in row 1).
      2. customers: the frame cannot be used as customers.
           1. joined_at must be a day of the calendar: 1 of 1 is "2025-02-30" (in row 1).
    """
    columns, reading = ({} if said is None else said for said in (columns, reading))
    asked = {"paths": (paths, "file"), "columns": (columns, "{...}"), "reading": (reading, "{...}")}
    no_mapping = [
        Problem(f"{name} is a {type(value).__name__}", allowed=f"a mapping {{table: {holds}}}")
        for name, (value, holds) in asked.items()
        if not isinstance(value, Mapping)
    ]
    if no_mapping:
        raise RefusedError("Nothing was read.", no_mapping)
    given = {name: path for name, path in paths.items() if path is not None}
    problems = _wrong_names(paths) + _wrong_keys("columns", columns, given)
    problems += _wrong_keys("reading", reading, given)
    tables, errors = {}, [RefusedError] if problems else []
    for name in [n for n in given if n in TABLES]:
        try:
            options = _options(columns.get(name), reading.get(name))
            tables[name] = read_table(given[name], TABLES[name], options)
        except CxError as error:
            errors.append(type(error))
            problems.append(Problem(f"{name}: {error}".replace("\n", "\n     ")))
    if problems:
        failed = len(given) - len(tables)
        what = f"{failed} of {len(given)} tables cannot be read." if failed else "Nothing was read."
        refused = all(issubclass(kind, RefusedError) for kind in errors)
        raise (RefusedError if refused else CxError)(what, problems)
    return tables


def _wrong_names(names) -> list[Problem]:
    return [
        Problem(f'"{name}" is no table', allowed=", ".join(TABLES), cause=near(name, TABLES))
        for name in names
        if name not in TABLES
    ]


def _wrong_keys(argument: str, by_table: Mapping, given: Mapping) -> list[Problem]:
    """Keys with something to say about a table that has no file."""
    return [
        Problem(
            f'{argument} speaks of "{name}", of which no file is given',
            allowed=", ".join(given) or "nothing without a file",
            cause=near(name, given) or "It goes by the names of our tables",
        )
        for name, said in by_table.items()
        if name not in given and not _is_nothing(said)
    ]


def _is_nothing(said) -> bool:
    return said is None or (isinstance(said, Mapping) and not said)


def _options(columns, reading) -> dict:
    """What a reader is passed; columns may stand in either place, but in one."""
    reading = {} if reading is None else reading
    if not isinstance(reading, Mapping):
        kind = type(reading).__name__
        raise RefusedError(f'reading is a {kind}. Allowed: a mapping {{"missing": ...}}.')
    if _is_nothing(columns):
        return dict(reading)
    if not _is_nothing(reading.get("columns")):
        raise RefusedError("columns are named twice, in columns and in reading.")
    return {**reading, "columns": columns}
