"""What was read, what was left out and by which choice: the record that travels with a frame."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import pandas as pd

from cxlib.errors import CxError

__all__ = ["Handled", "Intake", "intake"]


@dataclass(frozen=True)
class Handled:
    """One thing that was handled by a choice.

    Parameters
    ----------
    what : str
        What was found and what became of it.
    count : int
        Rows concerned.
    choice : str
        The choice that was applied, as it is written: ``negative="drop"``.
    change : str
        How to choose otherwise.
    """

    what: str
    count: int
    choice: str
    change: str

    def __str__(self) -> str:
        return f"{self.what} [{self.choice}]. {self.change}."


@dataclass(frozen=True)
class Intake:
    """How a table came in.

    Parameters
    ----------
    table, source : str
    rows_read, rows_kept : int
        Rows of the source, rows of the frame. A wide file of answers gives several rows a line.
    start, end : str
        First and last date (or week) of the table's time column; empty without one.
    missing : tuple of (str, int)
        Empty values per column of the frame, for columns that have any.
    handled : tuple of Handled
    notes : tuple of str
        Habits of the source: delimiter, decimal sign, order of day and month.
    """

    table: str
    source: str
    rows_read: int
    rows_kept: int
    start: str = ""
    end: str = ""
    missing: tuple[tuple[str, int], ...] = ()
    handled: tuple[Handled, ...] = ()
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a fact: fact, count, detail."""
        rows = [("rows read", self.rows_read, self.source), ("rows kept", self.rows_kept, "")]
        if self.start:
            rows.append(("period", None, f"{self.start} to {self.end}"))
        rows += [
            (f"missing in {name}", count, f"{count / max(self.rows_kept, 1):.1%} of rows")
            for name, count in self.missing
        ]
        rows += [(h.what, h.count, f"{h.choice}. {h.change}") for h in self.handled]
        rows += [("read with", None, note) for note in self.notes]
        frame = pd.DataFrame(rows, columns=["fact", "count", "detail"])
        return frame.astype({"count": "Int64"})

    def summary(self) -> str:
        """One sentence: source, rows, period, and how much was handled."""
        period = f", {self.start} to {self.end}" if self.start else ""
        text = (
            f"{self.source}: {_counted(self.rows_kept, self.table)} from "
            f"{_counted(self.rows_read, 'rows')}{period}"
        )
        if self.handled:
            text += "; " + "; ".join(f"{h.what} [{h.choice}]" for h in self.handled)
        return text + "."

    def as_record(self) -> dict:
        """Plain values, as kept in ``frame.attrs`` (so that a frame can still be saved)."""
        return asdict(self)


def _counted(count: int, things: str) -> str:
    return f"{count:,} {things.removesuffix('s') if count == 1 else things}"


def intake(frame: pd.DataFrame) -> Intake:
    """How a frame came in, for a frame made by one of the readers.

    Parameters
    ----------
    frame : pandas.DataFrame
        As returned by ``cx.read_transactions`` and its sisters.

    Returns
    -------
    Intake

    Raises
    ------
    CxError
        The frame carries no record, because it was made or merged elsewhere.

    Examples
    --------
    >>> import pandas as pd
    >>> from cxlib.tables.read import read_customers
    >>> joined = ["2025-01-03", "2025-02-01"]
    >>> people = pd.DataFrame({"customer_id": ["a", "b"], "joined_at": joined})
    >>> print(intake(read_customers(people)).summary())
    the frame: 2 customers from 2 rows, 2025-01-03 to 2025-02-01.
    """
    record = frame.attrs.get("intake")
    if record is None:
        raise CxError(
            "the frame carries no record of its intake. "
            "It is kept by frames straight from a reader, such as cx.read_transactions."
        )
    listed = {
        "missing": tuple((name, count) for name, count in record["missing"]),
        "handled": tuple(Handled(**h) for h in record["handled"]),
        "notes": tuple(record["notes"]),
    }
    return Intake(**{**record, **listed})
