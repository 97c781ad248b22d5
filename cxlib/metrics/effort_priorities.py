"""Where an hour of work saves customers most effort: effect times frequency, remedy by remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.metrics.effort_drivers import EffortDrivers, exclusive_of
from cxlib.stats.design import weighted_share
from cxlib.stats.proportions import proportion

__all__ = ["REMEDIES", "EffortPriorities", "effort_priorities"]

REMEDIES = {
    "steps": "-1",
    "channel_switches": 0,
    "transfers": 0,
    "repeat": 0,
    "waiting_minutes": 0,
    "resolved_first_contact": 1,
}
WORDS = {
    "steps": "one step less",
    "channel_switches": "no switch of channel",
    "transfers": "no transfer",
    "repeat": "no repeat contact",
    "waiting_minutes": "no waiting",
    "resolved_first_contact": "solved at once",
}


@dataclass(frozen=True)
class EffortPriorities:
    """What each remedy would bring, sorted by what counts.

    Attributes
    ----------
    table : DataFrame
        One row a remedy: driver, remedy, frequency (share of contacts concerned), effect (change of
        the share easy among them) and gain (over all contacts, per 1,000 of them), each with _low
        and _high; minutes (of work a contact concerned) and per_hour (easy contacts won by an hour)
        with limits where minutes were given; n (answers) and concerned.
    by : {"gain", "per_hour"}
        What it is sorted by.
    level : float
    """

    table: pd.DataFrame
    by: str
    level: float

    def to_frame(self) -> pd.DataFrame:
        """The table of remedies."""
        return self.table.copy()

    def plot(self, ax=None):
        """Effect against frequency with lines of equal gain; returns the Axes."""
        from cxlib.figures.effort import plot_priorities

        return plot_priorities(self.table, level=self.level, ax=ax)

    def summary(self) -> str:
        """One sentence that names the first remedy, its uncertainty, and who may lead as well."""
        first = self.table.iloc[0]
        low, high = first[f"{self.by}_low"], first[f"{self.by}_high"]
        what = "for each hour of work" if self.by == "per_hour" else "of 1,000"
        text = (
            f"First comes {first['remedy']!r}: {first[self.by]:.1f} more easy contacts {what} "
            f"({100 * self.level:g} % interval {low:.1f} to {high:.1f})."
        )
        if len(self.table) > 1:
            rivals = self.table.iloc[1:].query(f"{self.by}_high > @low")["remedy"]
            others = ", ".join(map(repr, rivals))
            if others:
                text += f" Within its interval reach {others}: the order among them may be luck."
        return text


def effort_priorities(
    drivers: EffortDrivers,
    *,
    remedies: Mapping[str, float | str] | None = None,
    minutes: Mapping[str, float] | None = None,
) -> EffortPriorities:
    """Rank remedies by effect times frequency, and by hour of work where its minutes are known.

    A remedy sets a driver to a value for all contacts that have another (``0``: no transfer), or
    moves it by some steps, never below the lowest value seen (``"-1"``: one step less). Frequency
    is the share of contacts it changes, effect the average change of the share easy among these,
    gain their product: g-computation as in `effort_drivers`. Gains of two remedies do not add up.

    Parameters
    ----------
    drivers : EffortDrivers
    remedies : mapping of driver to number or text, optional
        For the known drivers: no switch, no transfer, no repeat, no waiting, one step less, solved
        at once; for others one unit towards ease.
    minutes : mapping of driver to number, optional
        Work that the remedy costs a contact concerned [minutes]: your planning figures, taken as
        exact. An hour of work is spent on 60 / minutes contacts.

    Returns
    -------
    EffortPriorities

    Raises
    ------
    CxError
        Unknown drivers, remedies that are no number, minutes of 0 or less, or none that changes a
        contact.

    Examples
    --------
    >>> from cxlib.metrics.effort_drivers import effort_drivers
    >>> rng = np.random.default_rng(1)
    >>> moved = rng.integers(0, 2, 400)
    >>> score = np.digitize(rng.logistic(size=400) - moved, [-3, -2, -1, 0, 1, 2]) + 1
    >>> found = effort_drivers(pd.DataFrame({"transfers": moved, "score": score}), scale=(1, 7),
    ...                        high_means="easy")
    >>> first = effort_priorities(found, minutes={"transfers": 3}).table.iloc[0]
    >>> bool(np.isclose(first["gain"], 1000 * first["frequency"] * first["effect"]))
    True
    >>> bool(np.isclose(first["per_hour"], 20 * first["effect"]))
    True
    """
    given = dict(remedies) if remedies is not None else {}
    if remedies is None:
        given = {name: _usual(drivers, name) for name in drivers.drivers}
    minutes = dict(minutes or {})
    _check(drivers, given, minutes)
    rows = []
    for name, remedy in given.items():
        row = _remedied(drivers, name, remedy)
        if row is not None:
            rows.append(row | _per_hour(row, minutes.get(name)))
    if not rows:
        raise CxError("No remedy changes a contact: all of them are as the remedies would have it.")
    table = pd.DataFrame(rows)
    by = "per_hour" if table["per_hour"].notna().all() else "gain"
    if not minutes:
        table = table.drop(columns=["minutes", "per_hour", "per_hour_low", "per_hour_high"])
    table = table.sort_values(by, ascending=False, ignore_index=True)
    return EffortPriorities(table, by, drivers.level)


def _usual(drivers: EffortDrivers, name: str) -> float | str:
    """The known remedy; of other drivers one unit towards ease, of flags the easier value."""
    if name in REMEDIES:
        return REMEDIES[name]
    eases = drivers.table.set_index("driver").loc[name, "estimate"] > 0
    if drivers.design[name].isin((0, 1)).all():
        return float(eases)
    return "+1" if eases else "-1"


def _check(drivers, given, minutes) -> None:
    problems = []
    for what, names in (("remedies", given), ("minutes", minutes)):
        problems += [
            Problem(f"{what} names {name!r}", allowed=", ".join(drivers.drivers))
            for name in names
            if name not in drivers.drivers
        ]
    for name, remedy in given.items():
        try:
            float(remedy)
        except (TypeError, ValueError):
            problems.append(
                Problem(f"the remedy of {name} is {remedy!r}", allowed='a value, or "-1"')
            )
    problems += [
        Problem(f"minutes of {name}: {value!r}", allowed="a number above 0")
        for name, value in minutes.items()
        if not (isinstance(value, int | float) and value > 0)
    ]
    if problems:
        raise CxError("The remedies cannot be used.", problems)


def _shown(remedy) -> str:
    return remedy if isinstance(remedy, str) else f"{remedy:g}"


def _remedied(drivers: EffortDrivers, name: str, remedy) -> dict | None:
    design = drivers.design
    before, after = design.copy(), design.copy()
    if isinstance(remedy, str) and remedy[:1] in "+-":
        after[name] = (after[name] + float(remedy)).clip(lower=design[name].min())
    else:
        after[name] = float(remedy)
        if (
            float(remedy) == 1
        ):  # what excludes the remedy (a repeat, a first solution) stays as it is
            barred = design[exclusive_of(design, name)].any(axis=1)
            after[name] = after[name].where(~barred, design[name])
    concerned = (after[name] != before[name]).to_numpy()
    if not concerned.any():
        return None
    contrast = {"at_least": drivers.at_least, "level": drivers.level}
    effect = drivers.fit.average_contrast(before, after, rows=concerned, **contrast)
    gain = drivers.fit.average_contrast(before, after, **contrast)
    cluster = drivers.fit.cluster
    if cluster is None or concerned.all():
        share = proportion(int(concerned.sum()), len(concerned), level=drivers.level)
    else:
        share = weighted_share(concerned, cluster=cluster, level=drivers.level)
    found = {"frequency": (share, 1), "effect": (effect, 1), "gain": (gain, 1000)}
    row = {"driver": name, "remedy": WORDS.get(name, f"{name}: {_shown(remedy)}")}
    if str(remedy) != str(REMEDIES.get(name)):
        row["remedy"] = f"{name}: {_shown(remedy)}"
    for key, (one, scale) in found.items():
        row |= {key: scale * one.estimate, f"{key}_low": scale * one.low}
        row[f"{key}_high"] = scale * one.high
    return row | {"concerned": int(concerned.sum()), "n": len(design)}


def _per_hour(row: dict, cost) -> dict:
    contacts = 60 / cost if cost else np.nan
    return {"minutes": cost or np.nan} | {
        f"per_hour{end}": contacts * row[f"effect{end}"] for end in ("", "_low", "_high")
    }
