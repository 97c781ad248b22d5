"""What the shelf tells the head of customer experience, put together from its reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from cxlib.report.news import FALSE_NEWS_RATE
from cxlib.report.sparkline import event_marks, history_points, sparkline

__all__ = ["drawings", "history_rows", "summary"]


def summary(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sort the changes of all reports into news, no news and not compared.

    Parameters
    ----------
    reports : sequence of mapping
        Entries of the shelf, with ``values`` and ``changes``.

    Returns
    -------
    dict
        ``news`` and ``quiet`` (lists of report, change, entry, and verdict: worse, better or
        changed; news by its p-value, smallest first), ``verdicts`` (how often each is news),
        ``reasons`` (reason and count of what is not judged, most frequent first), ``compared``
        and ``rate``.

    Examples
    --------
    >>> summary([])["compared"]
    0
    """
    told = [
        {"report": report, "change": change, "entry": entry, "verdict": _verdict(change, entry)}
        for report in reports
        for change in report["changes"]
        for entry in (report["values"][change["name"]],)
    ]
    judged = [item for item in told if item["change"]["p"] is not None]
    news = [item for item in judged if item["change"]["news"]]
    left_out = Counter(item["change"]["reason"] for item in told if item["change"]["p"] is None)
    return {
        "news": sorted(news, key=lambda item: item["change"]["p"]),
        "quiet": [item for item in judged if not item["change"]["news"]],
        "verdicts": Counter(item["verdict"] for item in news),
        "reasons": left_out.most_common(),
        "compared": len(judged),
        "rate": FALSE_NEWS_RATE,
    }


def _verdict(change: Mapping[str, Any], entry: Mapping[str, Any]) -> str:
    if entry["better"] is None or not change["change"]:
        return "changed"
    return "better" if (change["change"] > 0) == (entry["better"] == "up") else "worse"


def drawings(
    values: Mapping[str, Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The sparkline of each key figure, with its span and the events marked on it."""
    drawn = {}
    for name, now in values.items():
        points = history_points(name, now, runs)
        marks = event_marks(points, now.get("events", ()))
        picture = sparkline(points, target=now["target"], marks=marks)
        if picture:
            span = f"{points[0].label} to {points[-1].label}"
            drawn[name] = {"picture": picture, "span": span, "marks": marks}
    return drawn


def history_rows(
    values: Mapping[str, Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]
) -> dict[str, list[dict[str, Any]]]:
    """The runs of each key figure, newest first, as rows of a table."""
    return {
        name: [
            {"at": run["started_at"], "entry": run["values"][name]}
            for run in reversed(runs)
            if name in run["values"]
        ]
        for name in values
    }
