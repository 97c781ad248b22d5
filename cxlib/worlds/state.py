"""What mechanisms read and add: one `State` per run of a world.

Shape of a run
--------------
A mechanism is a module with ``start(state)``, which adds columns (one value per customer), and
functions of ``(state, week)``, which move them on. A column is an attribute holding an array of
length `customers`. Rows that will become table rows are collected by `log`, things that will
happen in a later week wait in `later` until `due` asks for them, and what truth needs from week
to week is kept in `history` (customers x weeks, float32). `do` holds interventions: what is
forced to happen, to everybody, in a twin of this world; mechanisms ask it by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from cxlib.worlds.calendar import CompanyEvent
from cxlib.worlds.company import DAYS
from cxlib.worlds.dials import Dials
from cxlib.worlds.streams import Streams

__all__ = ["State"]


class State:
    """The company in one run; see the module's text for its shape."""

    def __init__(
        self,
        seed: int,
        customers: int,
        weeks: int,
        dials: Dials,
        events: Sequence[CompanyEvent],
        *,
        span: int,
        do: Mapping[str, object],
    ):
        self.customers, self.weeks, self.span = customers, weeks, span
        self.dials, self.events, self.do = dials, tuple(events), do
        self.streams = Streams(seed, customers)
        self.everybody = np.arange(customers)
        self.history: dict[str, np.ndarray] = {}
        self._logs: dict[str, list[tuple]] = defaultdict(list)
        self._counts: dict[str, int] = defaultdict(int)
        self._waiting: dict[tuple[str, int], list[dict]] = defaultdict(list)

    def event(self, kind: str) -> CompanyEvent | None:
        """The first event of a kind, or None."""
        return next((e for e in self.events if e.kind == kind), None)

    def strength(self, kind: str, week: int) -> float:
        """Summed size of all events of a kind in a week, each fading out over its duration."""
        return sum(e.size * e.fading(week) for e in self.events if e.kind == kind)

    def log(self, name: str, **columns) -> np.ndarray:
        """Add rows; scalars are repeated. Returns the row numbers."""
        size = next(len(column) for column in columns.values() if isinstance(column, np.ndarray))
        first = self._counts[name]
        if size or not self._logs[name]:  # an empty first batch keeps the columns and their types
            self._logs[name].append((size, columns))
            self._counts[name] += size
        return np.arange(first, first + size)

    def has_logged(self, name: str) -> bool:
        """Whether the columns of a log are known: an empty batch adds nothing then."""
        return bool(self._logs.get(name))

    def logged(self, name: str) -> dict[str, np.ndarray]:
        """All rows logged under a name, by column; an empty mapping if it was never called."""
        batches = self._logs.get(name, [])
        keys = batches[0][1] if batches else ()
        return {key: _stack([(size, rows[key]) for size, rows in batches]) for key in keys}

    def later(self, name: str, day: np.ndarray, **columns) -> None:
        """Keep rows until the week of their day; what lies beyond the last week is lost."""
        weeks = day // DAYS
        for week in np.unique(weeks[weeks < self.weeks]):
            chosen = weeks == week
            rows = {key: column[chosen] for key, column in columns.items()}
            self._waiting[name, int(week)].append({"day": day[chosen], **rows})

    def due(self, name: str, week: int) -> dict[str, np.ndarray] | None:
        """What waits for this week, or None."""
        batches = self._waiting.pop((name, week), None)
        if batches is None:
            return None
        return {key: np.concatenate([b[key] for b in batches]) for key in batches[0]}

    def remember(self, name: str, week: int, values: np.ndarray) -> None:
        if name not in self.history:
            dtype = bool if values.dtype == bool else np.float32
            self.history[name] = np.empty((self.weeks, self.customers), dtype)
        self.history[name][week] = values


def _stack(parts: list[tuple]) -> np.ndarray:
    """Concatenate columns; a scalar stands for as many equal rows."""
    dtype = np.result_type(*{np.asarray(column).dtype for _, column in parts})
    column = np.empty(sum(size for size, _ in parts), dtype)
    first = 0
    for size, values in parts:
        column[first : first + size] = values
        first += size
    return column
