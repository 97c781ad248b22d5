"""Frames for people: as CSV that a spreadsheet opens safely, as a table that reads well."""

from __future__ import annotations

import pandas as pd
from great_tables import GT

from cxlib.errors import CxError

__all__ = ["formula_safe", "reader_table", "side_by_side", "turned_table"]

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
        if _is_number(column):
            places = _places(column, decimals)
            finished = finished.fmt_number(name, decimals=places).sub_missing(name)
    return finished


def turned_table(frame: pd.DataFrame, decimals: int | None = None) -> GT:
    """What `reader_table` makes of a frame, its rows side by side (`side_by_side`)."""
    shown = side_by_side(frame)
    shown.columns = [str(name) for name in shown.columns]
    words = list(shown.columns[1:])
    finished = GT(shown).cols_align("right", columns=words)
    for row, name in enumerate(frame.columns[1:]):
        if words and _is_number(frame[name]):
            places = _places(frame[name], decimals)
            finished = finished.fmt_number(words, rows=[row], decimals=places)
    return finished.sub_missing(words) if words else finished


def side_by_side(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows as columns under their words in the first column; the other headings become the first.

    Raises
    ------
    CxError
        There is no column, or a word of the first comes twice.

    Examples
    --------
    >>> side_by_side(pd.DataFrame({"of": ["a", "b"], "n": [1, 2]})).to_dict("list")
    {'of': ['n'], 'a': [1], 'b': [2]}
    """
    if frame.columns.nlevels > 1 or frame.shape[1] == 0:
        raise CxError("A table is turned that has one heading a column, and a column at least.")
    first = frame.columns[0]
    words = [str(first), *map(str, frame[first])]
    if twice := sorted({word for word in words if words.count(word) > 1}):
        raise CxError(
            f"A turned table has a column for each word of {str(first)!r}: {', '.join(twice)} "
            "would come twice. Allowed: words that differ, and not the heading itself."
        )
    cells = frame.set_index(first).astype(object)  # each column keeps its own kind of number
    return cells.T.rename_axis(columns=None, index=first).reset_index()


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _places(column: pd.Series, decimals: int | None) -> int:
    whole = pd.api.types.is_integer_dtype(column)
    return 0 if whole else _decimals(column) if decimals is None else decimals


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
