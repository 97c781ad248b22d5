"""A company in one call: mechanisms in their weekly order, the six tables, and the truth.

`simulate` runs the mechanisms and returns the final `State`; `World` checks the dials, runs once
and keeps what was asked for. A twin is the same world with something forced to be otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.tables.schema import TABLES
from cxlib.worlds import (
    app,
    company,
    deliveries,
    failures,
    journey,
    leaving,
    people,
    purchases,
    service,
    surveys,
    trials,
)
from cxlib.worlds.assemble import assemble
from cxlib.worlds.calendar import CompanyEvent, read_events_dial
from cxlib.worlds.declarations import DIALS
from cxlib.worlds.dials import Dials, refuse, resolve
from cxlib.worlds.sealed import seal
from cxlib.worlds.state import State
from cxlib.worlds.truth import Truth

__all__ = ["World", "simulate"]

STARTS = (
    people.start,
    purchases.start,
    app.start,
    leaving.start,
    failures.start,
    deliveries.start,
    service.start,
    journey.start,
    surveys.start,
    trials.start,
)
# Monday: who is here, who goes; the week: use, orders, parcels, service; Sunday: how it felt.
STEPS = (
    leaving.win_back,
    leaving.decide,
    trials.watch_list,
    leaving.renew,
    surveys.quarterly,
    failures.aftermath,
    journey.fade,
    trials.offers,
    app.step,
    app.outages,
    purchases.step,
    deliveries.step,
    service.step,
    failures.force,
    journey.step,
    surveys.touchpoints,
)


def simulate(
    seed: int,
    customers: int,
    weeks: int,
    dials: Dials,
    events: Sequence[CompanyEvent],
    *,
    span: int | None = None,
    do: Mapping[str, object] | None = None,
    more: Sequence = (),
) -> State:
    """Run all mechanisms week by week.

    Parameters
    ----------
    span : int, optional
        Weeks within which newcomers join; default `weeks`. A run of more weeks with the old span
        begins exactly like the shorter run.
    do : mapping, optional
        Interventions of a twin: ``failure``, ``two_steps``, ``surprised``, ``called``, ``shift``.
    more : sequence of modules
        Further mechanisms with ``start(state)`` and ``step(state, week)``, run last; where there
        is a ``meet(state, week)``, it is run before the service desk opens.
    """
    state = State(seed, customers, weeks, dials, events, span=span or weeks, do=do or {})
    for start in (*STARTS, *(module.start for module in more)):
        start(state)
    desk = STEPS.index(service.step)
    meet = (module.meet for module in more if hasattr(module, "meet"))
    steps = (*STEPS[:desk], *meet, *STEPS[desk:], *(module.step for module in more))
    for week in range(weeks):
        for step in steps:
            step(state, week)
    return state


class World:
    """A simulated supplier of craft businesses that knows its own truth.

    Parameters
    ----------
    seed : int
        Same seed, size and dials give equal tables.
    customers, weeks : int
        Size; week 0 begins on Monday, 1 January 2024.
    events : list of mapping, optional
        Dated events of the company in place of the default list, for example
        ``[{"week": 40, "kind": "price_rise", "size": 0.06}]``; see `cxlib.worlds.calendar`.
    sealed : bool
        Draw the effects of recovery and the causal weights at random and hide them until
        `unseal` is called: for a class that bets before it looks. The seed is the key.
    **dials : float
        Any dial by name; `World.list_dials` shows them all.

    Attributes
    ----------
    responses, transactions, contacts, customers, usage, events : pandas.DataFrame
        The six tables; ids and texts are categorical, dates are whole and naive.
    truth : Truth
    dials : Dials

    Raises
    ------
    CxError
        One message for everything impossible about seed, size, dials and events.

    Examples
    --------
    >>> world = World(seed=7, customers=200, weeks=26)
    >>> len(world.customers), sorted(world.tables)[:2]
    (200, ['contacts', 'customers'])
    """

    def __init__(
        self,
        seed: int = 7,
        customers: int = 5000,
        weeks: int = 104,
        *,
        events: Sequence[Mapping] | None = None,
        sealed: bool = False,
        **dials: float,
    ):
        values, problems = resolve(seed, customers, weeks, dials)
        calendar, wrong = read_events_dial(events)
        if not isinstance(sealed, bool):
            wrong.append(Problem(f"sealed = {sealed!r}", allowed="True or False"))
        refuse([*problems, *wrong])
        if sealed:
            values = seal(int(seed), values, chosen=dials)
        self.seed, self.size, self.weeks = int(seed), int(customers), int(weeks)
        self.calendar = calendar
        self._dials, self._sealed = values, bool(sealed)
        state = simulate(self.seed, self.size, self.weeks, values, calendar)
        self.tables: dict[str, pd.DataFrame] = assemble(state)
        self._truth = Truth(self, state)

    @staticmethod
    def list_dials() -> pd.DataFrame:
        """Every dial: name, group, unit, default, lowest and highest value, meaning.

        Examples
        --------
        >>> World.list_dials().loc[0, ["dial", "group", "unit"]].tolist()
        ['orders_per_year', 'purchases', 'orders']
        """
        return pd.DataFrame([vars(dial) for dial in DIALS]).rename(columns={"name": "dial"})

    @property
    def responses(self) -> pd.DataFrame:
        return self.tables["responses"]

    @property
    def transactions(self) -> pd.DataFrame:
        return self.tables["transactions"]

    @property
    def contacts(self) -> pd.DataFrame:
        return self.tables["contacts"]

    @property
    def customers(self) -> pd.DataFrame:
        return self.tables["customers"]

    @property
    def usage(self) -> pd.DataFrame:
        return self.tables["usage"]

    @property
    def events(self) -> pd.DataFrame:
        return self.tables["events"]

    @property
    def start(self) -> pd.Timestamp:
        """The Monday on which week 0 begins."""
        return pd.Timestamp(company.START)

    def overview(self) -> pd.DataFrame:
        """The six tables: name, what one row is, rows, columns, first and last date."""
        rows = []
        for name, frame in self.tables.items():
            table = TABLES[name]
            when = frame[table.time] if table.time in frame.select_dtypes("datetime") else None
            empty = when is None or when.isna().all()
            period = "" if empty else f"{when.min():%Y-%m-%d} to {when.max():%Y-%m-%d}"
            rows.append([name, table.one_row, len(frame), len(frame.columns), period])
        return pd.DataFrame(rows, columns=["table", "one row is", "rows", "columns", "period"])

    def events_by_date(self) -> dict[pd.Timestamp, str]:
        """What happened to everybody within the weeks simulated: date and kind in words."""
        dated = [event for event in self.calendar if event.week < self.weeks]
        return {
            self.start + pd.Timedelta(weeks=event.week): event.kind.replace("_", " ")
            for event in dated
        }

    @property
    def is_sealed(self) -> bool:
        return self._sealed

    @property
    def dials(self) -> Dials:
        self._closed()
        return self._dials

    @property
    def truth(self) -> Truth:
        self._closed()
        return self._truth

    def unseal(self) -> Truth:
        """Open a sealed world and return its truth."""
        self._sealed = False
        return self._truth

    def _closed(self) -> None:
        if self._sealed:
            raise CxError("The truth of this world is sealed. Place your bets, then call unseal().")

    def twin(
        self,
        *,
        weeks: int | None = None,
        do: Mapping[str, object] | None = None,
        more: Sequence = (),
    ) -> State:
        """Run this world again with the same draws, longer, with something forced or added."""
        self._closed()
        return simulate(
            self.seed,
            self.size,
            weeks or self.weeks,
            self._dials,
            self.calendar,
            span=self.weeks,
            do=do,
            more=more,
        )
