"""Alerts: conditions on recorded values, declared in jobs.toml and judged after a run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

__all__ = ["Alert", "fired", "read_alert"]

_LISTED = 8
_FORMS = (
    '{value = "nps", below = 30}, {value = "nps", above = 60} (either with sure = true) '
    'or {value = "nps", changed = true}'
)


@dataclass(frozen=True)
class Alert:
    """One condition on one recorded value; exactly one of below, above and changed is set.

    Parameters
    ----------
    value : str
        Name given to ``cx.record``.
    below, above : float, optional
        The limit.
    changed : bool
        Whether a change that is news fires the alert.
    sure : bool
        Whether the whole interval must lie beyond the limit.
    """

    value: str
    below: float | None = None
    above: float | None = None
    changed: bool = False
    sure: bool = False

    @property
    def condition(self) -> str:
        """The condition in words: ``"surely below 30"``."""
        if self.changed:
            return "changed"
        side, limit = ("below", self.below) if self.above is None else ("above", self.above)
        return f"{'surely ' if self.sure else ''}{side} {limit:,g}"


def read_alert(entry: Mapping[str, Any]) -> Alert:
    """Read one entry of a job's ``alert``.

    Parameters
    ----------
    entry : mapping

    Returns
    -------
    Alert

    Raises
    ------
    ValueError
        With the reason, for any other shape.

    Examples
    --------
    >>> read_alert({"value": "nps", "below": 30, "sure": True}).condition
    'surely below 30'
    >>> read_alert({"value": "nps", "below": 30, "above": 60})
    Traceback (most recent call last):
    ValueError: an alert needs exactly one of below, above and changed, not below and above; ...
    """
    if not isinstance(entry, Mapping):
        raise ValueError(f"an alert is a table, not {entry!r}; such as {_FORMS}")
    unknown = [name for name in entry if name not in Alert.__dataclass_fields__]
    if unknown:
        raise ValueError(f"an alert does not know {', '.join(map(str, unknown))}; such as {_FORMS}")
    name = entry.get("value")
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"an alert names a recorded value, not {name!r}; such as {_FORMS}")
    given = [key for key in ("below", "above", "changed") if key in entry]
    if len(given) != 1:
        found = f", not {' and '.join(given)}" if given else ""
        raise ValueError(
            f"an alert needs exactly one of below, above and changed{found}; such as {_FORMS}"
        )
    if given == ["changed"]:
        if entry["changed"] is not True or "sure" in entry:
            raise ValueError(f"changed = true is all that it takes; such as {_FORMS}")
        return Alert(name, changed=True)
    limit, sure = entry[given[0]], entry.get("sure", False)
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        raise ValueError(f"{given[0]} takes a finite number, not {limit!r}")
    if not isinstance(sure, bool):
        raise ValueError(f"sure takes true or false, not {sure!r}")
    return Alert(name, sure=sure, **{given[0]: float(limit)})


def fired(
    manifest: Mapping[str, Any], changes: Iterable[Mapping[str, Any]] = ()
) -> list[dict[str, str]]:
    """The alerts of a report that fired, with those that could not be judged.

    Parameters
    ----------
    manifest : mapping
        With ``alert`` as declared and ``values`` as recorded.
    changes : iterable of mapping
        The report's changes since an earlier period: name, change, low, high, since, news.

    Returns
    -------
    list of dict
        ``value``, ``condition`` and ``message`` of each, in the order of declaration.

    Examples
    --------
    >>> nps = {"value": 28.0, "low": 24.1, "high": 31.8, "unit": "points", "level": 0.95}
    >>> report = {"alert": [{"value": "nps", "below": 30}], "values": {"nps": nps}}
    >>> fired(report)[0]["message"]
    'nps is 28 points, 95 % interval [24.1, 31.8]: below 30.'
    """
    known = {change["name"]: change for change in changes}
    values = manifest.get("values") or {}
    found = []
    for alert in map(read_alert, manifest.get("alert") or ()):
        message = _message(alert, values, known.get(alert.value))
        if message:
            found.append({"value": alert.value, "condition": alert.condition, "message": message})
    return found


def _message(alert: Alert, values: Mapping[str, Any], change: Mapping[str, Any] | None) -> str:
    """What to say of an alert; nothing where it stays silent."""
    if alert.value not in values:
        listed = [*get_close_matches(alert.value, values, n=_LISTED), *values]
        near = list(dict.fromkeys(listed))[:_LISTED]
        more = f" and {len(values) - len(near)} more" if len(values) > len(near) else ""
        return (
            f"{alert.value} was not recorded, so that its alert cannot be judged; "
            f"the report records {', '.join(near) or 'nothing'}{more}."
        )
    figure = values[alert.value]
    if alert.changed:
        if change is None or not change["news"]:
            return ""
        moved = "rose" if change["change"] > 0 else "fell"
        unit = f" {figure['unit']}" if figure.get("unit") else ""
        return (
            f"{alert.value} {moved} by {abs(change['change']):,.4g}{unit} since {change['since']} "
            f"[{change['low']:,.4g}, {change['high']:,.4g}]: {_figure(alert.value, figure)}."
        )
    if figure["value"] is None:
        return f"{alert.value} has no value, so that its alert cannot be judged."
    side = "below" if alert.above is None else "above"
    end = "high" if side == "below" else "low"
    judged = figure.get(end) if alert.sure else figure["value"]
    if judged is None:
        return f"{alert.value} has no interval, so that {alert.condition} cannot be judged."
    beyond = judged < alert.below if side == "below" else judged > alert.above
    return f"{_figure(alert.value, figure)}: {alert.condition}." if beyond else ""


def _figure(name: str, figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return f"{name} has no value"
    unit = f" {figure['unit']}" if figure.get("unit") else ""
    text = f"{name} is {figure['value']:,.4g}{unit}"
    if figure.get("low") is None:
        return f"{text}, without interval"
    level = 100 * figure.get("level", 0.95)
    return f"{text}, {level:g} % interval [{figure['low']:,.4g}, {figure['high']:,.4g}]"
