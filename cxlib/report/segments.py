"""Why a mean changed: in which segment, and whether its value moved or its share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cxlib.errors import Problem

__all__ = ["MIN_CELL", "MOST_SEGMENTS", "OTHERS", "main_cause", "parts_of_change", "read_segments"]

MIN_CELL = 5
MOST_SEGMENTS = 50
OTHERS = "other groups"
_FIELDS = ("n", "value", "low", "high")


def read_segments(
    segments: Any, value: float | None, low: float | None, high: float | None
) -> tuple[dict[str, dict[str, Any]], list[Problem]]:
    """Check the segments of a key figure and pool those that hold too few people to be shown.

    Parameters
    ----------
    segments : mapping or pandas.DataFrame
        Segment -> (n, value) or (n, value, low, high); a frame has these columns, and the segments
        as its index or in a column ``segment``.
    value, low, high : float or None
        The key figure, which the segments' mean, weighted by n, has to meet.

    Returns
    -------
    (dict, list of Problem)
        Segment -> n, value, low, high. Groups below `MIN_CELL`, as many of the next larger ones
        as it takes to hide them, and all but the `MOST_SEGMENTS` largest, are one group named
        ``other groups``, which has as ``groups`` how many they are.

    Examples
    --------
    >>> found, problems = read_segments({"DE": (60, 40.0), "AT": (37, 20.0), "CH": (3, 10.0)},
    ...     31.7, None, None)
    >>> found
    {'DE': {'n': 60, 'value': 40.0, 'low': None, 'high': None},
     'other groups': {'n': 40, 'value': 19.25, 'low': None, 'high': None, 'groups': 2}}
    """
    rows = _rows(segments)
    if rows is None:
        form = "a mapping segment -> (n, value[, low, high]), or a frame with these columns"
        return {}, [Problem(f"segments is {type(segments).__name__}", allowed=form)]
    problems = [
        Problem(f"segment {name!r} {reason}", allowed="(n, value) or (n, value, low, high)")
        for name, row in rows.items()
        if (reason := _flaw(row))
    ]
    if problems:
        return {}, problems
    cells = {
        str(name): dict(zip(_FIELDS, (int(row[0]), *map(float, row[1:]), None, None), strict=False))
        for name, row in rows.items()
        if row[0] > 0
    }
    if value is not None and cells:
        mean = _pooled(list(cells.values()))["value"]
        slack = 1e-6 * max(abs(value), *(abs(cell["value"]) for cell in cells.values()), 1e-9)
        least, most = (value if end is None else end for end in (low, high))
        if not least - slack <= mean <= most + slack:
            cause = "Do the segments hold the same people as the key figure?"
            what = f"the segments' mean, weighted by n, is {mean:,.6g}, the value {value:,.6g}"
            problems.append(Problem(what, cause=cause))
    return _pooling_small(cells), problems


def _rows(segments: Any) -> dict[Any, tuple] | None:
    if hasattr(segments, "columns"):
        if "segment" in segments.columns:
            segments = segments.set_index("segment")
        fields = [name for name in _FIELDS if name in segments.columns]
        if fields not in (list(_FIELDS), list(_FIELDS[:2])) or not segments.index.is_unique:
            return None
        return {row[0]: tuple(row[1:]) for row in segments[fields].itertuples()}
    if not isinstance(segments, Mapping):
        return None
    return {
        name: tuple(row) if isinstance(row, tuple | list) else () for name, row in segments.items()
    }


def _flaw(row: tuple) -> str:
    if len(row) not in (2, 4):
        return "has no n and value"
    try:
        numbers = [float(number) for number in row]
    except (TypeError, ValueError):
        return f"holds {row!r}"
    n, value, *limits = numbers
    if n < 0 or n != int(n):
        return f"has n = {row[0]}"
    if n == 0:
        return ""
    if not all(map(math.isfinite, numbers)):
        return f"holds {row!r}, which is not finite"
    return "" if not limits or limits[0] <= value <= limits[1] else "lies outside its interval"


def _pooled(cells: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The groups as one: the mean weighted by n, half-widths by the root of summed squares."""
    total = sum(cell["n"] for cell in cells)
    value = sum(cell["n"] * cell["value"] for cell in cells) / total
    low = high = None
    if all(cell["low"] is not None for cell in cells):
        low = value - math.hypot(*(c["n"] / total * (c["value"] - c["low"]) for c in cells))
        high = value + math.hypot(*(c["n"] / total * (c["high"] - c["value"]) for c in cells))
    return {"n": total, "value": value, "low": low, "high": high}


def _pooling_small(cells: dict[str, dict]) -> dict[str, dict]:
    names = sorted(cells, key=lambda name: cells[name]["n"])
    beyond = set(names[: max(0, len(names) - MOST_SEGMENTS)])
    small = [n for n in names if cells[n]["n"] < MIN_CELL or n == OTHERS or n in beyond]
    if not small:
        return cells
    # One hidden group could be told from the whole, so that at least two are pooled.
    for name in names:
        if len(small) > 1 and sum(cells[other]["n"] for other in small) >= MIN_CELL:
            break
        if name not in small:
            small.append(name)
    pool = _pooled([cells[name] for name in small]) | {"groups": len(small)}
    kept = {name: cell for name, cell in cells.items() if name not in small}
    return kept | {OTHERS: pool} if pool["n"] >= MIN_CELL else kept


def parts_of_change(
    before: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    r"""Split the change of a mean exactly into what happened within segments and in their mix.

    .. math::
        \Delta = \sum_s \bar w_s \Delta x_s + \sum_s \Delta w_s (\bar x_s - c)

    with shares w, values x, bars for the average of the two periods, and c the average of the two
    means, so that a growing segment counts by how far it lies above or below the whole. A segment
    that only one of the periods knows joins the other groups; where there are none on one side,
    it counts as mix alone.

    Parameters
    ----------
    before, now : mapping
        As `read_segments` returns them.

    Returns
    -------
    list of dict
        Two entries a segment: segment, kind (``within`` or ``mix``), part, low, high, n_before,
        n_now, share_before, share_now. The parts sum to the change of the mean.

    Examples
    --------
    >>> cell = lambda n, value: {"n": n, "value": value, "low": None, "high": None}
    >>> parts = parts_of_change({"DE": cell(50, 40.0), "AT": cell(50, 20.0)},
    ...     {"DE": cell(30, 40.0), "AT": cell(70, 18.0)})
    >>> [(p["segment"], p["kind"], round(p["part"], 2)) for p in parts]
    [('DE', 'within', 0.0), ('DE', 'mix', -2.54), ('AT', 'within', -1.2), ('AT', 'mix', -1.66)]
    """
    common = (before.keys() & now.keys()) - {OTHERS}
    before, now = _common(before, common), _common(now, common)
    whole = [_pooled(list(cells.values()))["value"] for cells in (before, now)]
    totals = [sum(cell["n"] for cell in cells.values()) for cells in (before, now)]
    centre, parts = sum(whole) / 2, []
    for name in dict.fromkeys([*now, *before]):
        old, new = before.get(name), now.get(name)
        counts = [cell["n"] if cell else 0 for cell in (old, new)]
        old, new = old or new, new or old
        shares = [n / total for n, total in zip(counts, totals, strict=True)]
        share, moved = sum(shares) / 2, new["value"] - old["value"]
        low = high = None
        if old["low"] is not None and new["low"] is not None and old is not new:
            down = math.hypot(new["value"] - new["low"], old["high"] - old["value"])
            up = math.hypot(new["high"] - new["value"], old["value"] - old["low"])
            low, high = share * (moved - down), share * (moved + up)
        level = (old["value"] + new["value"]) / 2 - centre
        about = {"n_before": counts[0], "n_now": counts[1]}
        about |= {"share_before": shares[0], "share_now": shares[1]}
        within = {"segment": name, "kind": "within", "part": share * moved}
        mix = {"segment": name, "kind": "mix", "part": (shares[1] - shares[0]) * level}
        parts += [
            within | {"low": low, "high": high} | about,
            mix | {"low": None, "high": None} | about,
        ]
    return parts


def _common(cells: Mapping[str, Mapping], common: set[str]) -> dict[str, Mapping]:
    rest = [cell for name, cell in cells.items() if name not in common]
    kept = {name: cell for name, cell in cells.items() if name in common}
    return kept | {OTHERS: _pooled(rest)} if rest else kept


def main_cause(
    before: Mapping[str, Mapping] | None, now: Mapping[str, Mapping] | None
) -> dict[str, Any] | None:
    """The part with the largest share in the change, in its direction; None without segments."""
    if not before or not now:
        return None
    parts = parts_of_change(before, now)
    change = sum(part["part"] for part in parts)
    sign = math.copysign(1, change)
    cause = max(parts, key=lambda part: sign * part["part"])
    return None if sign * cause["part"] <= 0 else cause | {"whole": change}
