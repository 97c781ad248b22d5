"""What changed since an earlier period, and which of it is news rather than chance."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any

from cxlib.report.periods import read_period
from cxlib.report.segments import main_cause

__all__ = [
    *("FALSE_NEWS_RATE", "before", "change_of", "changes", "earlier_runs", "page_changes"),
    "read_index",
]

FALSE_NEWS_RATE = 0.05
_KEPT = ("value", "low", "high", "unit", "n", "level", "period")


def change_of(
    name: str, now: Mapping[str, Any], earlier: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    r"""Compare a key figure with the latest earlier period that has no day in common with its own.

    .. math::
        d = x_1 - x_0, \quad d_l = d - \sqrt{(x_1 - l_1)^2 + (u_0 - x_0)^2}, \quad
        d_u = d + \sqrt{(u_1 - x_1)^2 + (x_0 - l_0)^2}

    The p-value takes the half-width on the side of no change for normal, so that it falls below
    1 - level exactly where the interval leaves out zero.

    Parameters
    ----------
    name : str
    now : mapping
        As in a manifest's values.
    earlier : iterable of mapping
        Earlier runs, oldest first, each with ``values``.

    Returns
    -------
    dict
        name, change, low, high, p, news (False until `changes` judges), since, before, reason (why
        there is nothing to judge; empty otherwise) and why (the main part of the change, where
        both runs have segments).

    References
    ----------
    Zou & Donner (2008), https://doi.org/10.1002/sim.3095.

    Examples
    --------
    >>> old = {"value": 44.0, "low": 41.0, "high": 47.0, "unit": "points", "level": 0.95,
    ...     "period": "2025Q3"}
    >>> new = old | {"value": 39.0, "low": 35.0, "high": 43.0, "period": "2025Q4"}
    >>> found = change_of("nps", new, [{"values": {"nps": old}}])
    >>> found["change"], found["low"], found["high"], round(found["p"], 4)
    (-5.0, -10.0, 0.0, 0.05)
    """
    empty = ("change", "low", "high", "p", "since", "before", "why")
    found = {"name": name, **dict.fromkeys(empty)}
    found |= {"news": False, "reason": ""}
    old, found["reason"] = _earlier_figure(name, now, earlier)
    if old is None:
        return found
    found |= {"since": old["period"], "before": old["value"]}
    found["change"] = now["value"] - old["value"]
    if any(entry.get(end) is None for entry in (now, old) for end in ("low", "high")):
        return found | {"reason": "without an interval on both sides it is never news"}
    down = math.hypot(now["value"] - now["low"], old["high"] - old["value"])
    up = math.hypot(now["high"] - now["value"], old["value"] - old["low"])
    found |= {"low": found["change"] - down, "high": found["change"] + up}
    half = down if found["change"] > 0 else up
    if half == 0:
        return found | {"reason": "with an interval of no width it is never news"}
    z = abs(found["change"]) / half * NormalDist().inv_cdf((1 + now["level"]) / 2)
    found["p"] = math.erfc(z / math.sqrt(2))
    found["why"] = main_cause(old.get("segments"), now.get("segments"))
    return found


def _earlier_figure(
    name: str, now: Mapping[str, Any], earlier: Iterable[Mapping[str, Any]]
) -> tuple[Mapping[str, Any] | None, str]:
    """The figure to compare with, or the reason why there is none."""
    if now["value"] is None:
        return None, "there is no value"
    if not now.get("period"):
        return None, "no period is named"
    period = read_period(now["period"])
    if period is None:
        return None, f"the period {now['period']!r} names no days"
    known = [run["values"][name] for run in earlier if name in run["values"]]
    dated = [
        (past, entry)
        for entry in known
        if entry["value"] is not None and (past := read_period(entry.get("period")))
    ]
    apart = [(past, entry) for past, entry in dated if past.precedes(period)]
    alike = [
        (past, entry)
        for past, entry in apart
        if (entry["unit"], entry["level"]) == (now["unit"], now["level"])
    ]
    if alike:
        return max(alike, key=lambda pair: (pair[0].last, alike.index(pair)))[1], ""
    if apart:
        return None, "earlier runs have another unit or level"
    if any(entry.get("period") != now["period"] for entry in known):
        return None, "no earlier run has a period that ends before this one begins"
    return None, "no earlier period is on the shelf"


def changes(
    reports: Sequence[Mapping[str, Any]], other_p: Iterable[float] = ()
) -> list[list[dict[str, Any]]]:
    """The changes of all reports, with a verdict that holds for all of them together.

    A change is news where its p-value passes Benjamini and Hochberg's procedure over every figure
    compared, so that of all that is called news at most 5 % is expected to be chance.

    Parameters
    ----------
    reports : sequence of mapping
        Each with ``values`` and ``earlier`` (runs, oldest first).
    other_p : iterable of float
        Of figures that are judged along but not returned.

    Returns
    -------
    list of list of dict
        As `change_of`, one list a report.

    References
    ----------
    Benjamini & Hochberg (1995), https://doi.org/10.1111/j.2517-6161.1995.tb02031.x.

    Examples
    --------
    >>> old = {"value": 44.0, "low": 41.0, "high": 47.0, "unit": "points", "level": 0.95,
    ...     "period": "2025Q3"}
    >>> new = old | {"value": 38.0, "low": 35.0, "high": 41.0, "period": "2025Q4"}
    >>> report = {"values": {"nps": new}, "earlier": [{"values": {"nps": old}}]}
    >>> changes([report])[0][0]["news"], changes([report], other_p=[0.9] * 99)[0][0]["news"]
    (True, False)
    """
    found = [
        [change_of(name, value, report["earlier"]) for name, value in report["values"].items()]
        for report in reports
    ]
    judged = [change for entry in found for change in entry if change["p"] is not None]
    p_values = sorted([*(change["p"] for change in judged), *other_p])
    limit = max(
        (p for k, p in enumerate(p_values, 1) if p <= k / len(p_values) * FALSE_NEWS_RATE),
        default=-1.0,
    )
    for change in judged:
        change["news"] = change["p"] <= limit
    return found


def earlier_runs(folder: Path) -> list[dict[str, Any]]:
    """The good runs in a report's history, oldest first, as far as a comparison needs them."""
    runs = []
    # A second run in the same second is named ...Z-1.json.
    for path in sorted((folder / "history").glob("*.json"), key=lambda p: (len(p.stem), p.stem)):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            values = {
                name: {field: entry[field] for field in _KEPT}
                | ({"segments": entry["segments"]} if entry.get("segments") else {})
                for name, entry in manifest["values"].items()
            }
            runs.append({"started_at": manifest["started_at"], "values": values})
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            continue  # a run that can no longer be read is one to which nothing is compared
    return sorted(runs, key=lambda run: run["started_at"])


def read_index(out: Path) -> dict[str, Any]:
    """The shelf's index.json; empty where there is none that can be read."""
    try:
        index = json.loads((out / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    entries = index.get("reports") if isinstance(index, dict) else None
    whole = isinstance(entries, list) and all(
        isinstance(entry, dict) and {"folder", "started_at", "values"} <= entry.keys()
        for entry in entries
    )
    return index if whole else {}


def before(out: Path, folder: str) -> dict[str, Any]:
    """What a run has to know of the shelf to judge its own changes.

    Parameters
    ----------
    out : Path
        The shelf's folder.
    folder : str
        The report's folder on it.

    Returns
    -------
    dict
        ``earlier`` runs, and ``other_p`` of the other reports' figures; one not yet compared
        counts as unchanged, which makes the verdict no easier.
    """
    others = [entry for entry in read_index(out).get("reports", ()) if entry["folder"] != folder]
    known = [{c["name"]: c["p"] for c in entry.get("changes", ())} for entry in others]
    other_p = [
        1.0 if p.get(name) is None else p[name]
        for entry, p in zip(others, known, strict=True)
        for name, value in entry["values"].items()
        if value["low"] is not None and read_period(value["period"])
    ]
    return {"earlier": earlier_runs(out / folder), "other_p": other_p}


def page_changes(
    values: Mapping[str, Any], known: Mapping[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """The changes of one run, by name, from what `before` told it."""
    known = known or {"earlier": [], "other_p": []}
    report = {"values": values, "earlier": known["earlier"]}
    return {change["name"]: change for change in changes([report], known["other_p"])[0]}
