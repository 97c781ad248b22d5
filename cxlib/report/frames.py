"""Frames for people: as CSV that a spreadsheet opens safely, as a table that reads well."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

__all__ = ["formula_safe", "reader_table", "side_by_side"]

# The last four are the full-width signs, which some spreadsheets read like the plain ones.
_FORMULA_STARTS = (*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def formula_safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before text that a spreadsheet would take for a formula.

    Headings become texts, too; the index and numbers stay as they are.

    Examples
    --------
    >>> formula_safe(pd.DataFrame({"=x": ["@y", "z"], "n": [-1, 2]})).to_dict("list")
    {"'=x": ["'@y", 'z'], 'n': [-1, 2]}
    """

    def guard(cell):
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell

    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in frame.dtypes]
    safe = {
        at: column if number else column.astype(object).map(guard)
        for at, (number, (_, column)) in enumerate(zip(numeric, frame.items(), strict=True))
    }
    guarded = pd.DataFrame(safe, index=frame.index)
    names = [" ".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in frame.columns]
    guarded.columns = [guard(name) for name in names]
    return guarded


def reader_table(frame: pd.DataFrame, decimals: int | None = None) -> GT:
    """A Great Tables object: numbers right-aligned, with ``decimals`` or as many as make sense.

    Columns of whole numbers by their type (counts) have none. Headings of two levels become
    columns under common headings, right-aligned whatever they hold; an empty upper level has none.
    """
    shown = frame.copy()
    shown.columns = [
        " ".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in frame.columns
    ]
    finished = GT(shown)
    if frame.columns.nlevels == 2:
        finished = _under_common_headings(finished, frame.columns)
    for name in shown.columns:
        column = shown[name]
        if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
            continue
        whole = pd.api.types.is_integer_dtype(column)
        places = 0 if whole else _decimals(column) if decimals is None else decimals
        finished = finished.fmt_number(name, decimals=places).sub_missing(name)
    return finished


def side_by_side(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows as columns under their words in the first column; the other headings become the first.

    Examples
    --------
    >>> side_by_side(pd.DataFrame({"of": ["a", "b"], "n": [1, 2]})).to_dict("list")
    {'of': ['n'], 'a': [1], 'b': [2]}
    """
    first = frame.columns[0]
    return frame.set_index(first).T.rename_axis(columns=None, index=first).reset_index()


def _under_common_headings(finished: GT, headings: pd.MultiIndex) -> GT:
    for upper in dict.fromkeys(upper for upper, _ in headings):
        mine = {f"{u} {lower}": str(lower) for u, lower in headings if u == upper}
        finished = finished.cols_label(mine)
        if upper:
            finished = finished.tab_spanner(label=str(upper), columns=list(mine))
            finished = finished.cols_align("right", columns=list(mine))
    return finished


def _decimals(column: pd.Series) -> int:
    """Enough for three to four digits of the largest number; none for whole numbers."""
    numbers = column.dropna().astype(float)
    if numbers.empty or (numbers == numbers.round()).all():
        return 0
    largest = numbers.abs().max()
    return 1 if largest >= 100 else 2 if largest >= 1 else 3
