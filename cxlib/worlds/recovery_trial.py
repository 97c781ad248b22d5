"""Potential outcomes of a failure at a day of each customer's own: the trial nobody could run.

Twins of one world, equal in every draw, in which each customer meets on its own day a failure with
one level of recovery, on top of what happens anyway, or none; also who has left in silence, whom
the tables still hold for a customer. Outcomes are those a study reads from the tables: answers at
the first survey from the landmark on, as everybody still there would give them; purchases from the
landmark on.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.worlds import answers, company
from cxlib.worlds.assemble import customer_type
from cxlib.worlds.declarations import RECOVERY_LEVELS
from cxlib.worlds.failures import MILD, harm
from cxlib.worlds.people import present
from cxlib.worlds.state import State
from cxlib.worlds.surveys import QUARTER_WEEKS

__all__ = ["recovery_trial"]

NO_FAILURE = "no failure"
ANSWERS = {
    "satisfaction": answers.csat_answer,
    "recommendation": answers.nps_answer,
    "intention": answers.intent_answer,
}


class _Trial:
    """A mechanism: harm in each customer's week, feelings kept on the Monday of the next survey."""

    def __init__(self, level, first: int, last: int, landmark: int):
        self.level, self.span, self.landmark = level, (first, last), landmark

    def start(self, state: State) -> None:
        first, last = self.span
        u = state.streams.uniform("truth recovery week")
        self.day = np.floor((first + u * (last - first + 1)) * company.DAYS).astype(np.int64)
        self.week = self.day // company.DAYS
        self.severity = _severity(state)
        after = -(-self.day // company.DAYS) + self.landmark  # the first Monday from there on
        self.turn = after + (state.survey_phase - after) % QUARTER_WEEKS
        self.felt = {name: np.full(state.customers, np.nan) for name in ANSWERS}
        self.here = np.zeros(state.customers, bool)

    def meet(self, state: State, week: int) -> None:
        """As the service desk hears of it, ahead of what else it hears this week."""
        # who left in silence is known as a customer, and a parcel may still be on its way
        known = (state.joined_day < week * company.DAYS) & ~state.left
        who = np.flatnonzero((self.week == week) & known)
        self.here[who] = True
        if self.level is not None:
            level = np.full(who.size, RECOVERY_LEVELS.index(self.level))
            harm(state, week, who, self.severity[who], level)

    def step(self, state: State, week: int) -> None:
        asked = np.flatnonzero((self.turn == week + 1) & present(state, week + 1))
        for name, felt in self.felt.items():
            felt[asked] = getattr(state, name)[asked]


def _severity(state: State) -> np.ndarray:
    """A severity each, as among failures that are reported by customers of the segment."""
    chance = np.diff(np.concatenate([[0.0], state.severity_steps, [1.0]]))
    share = np.clip(state.dials.complain_share, 1e-9, 1 - 1e-9)
    lean = 0.35 * (np.arange(1, 6) - MILD) + 0.25 * np.arange(len(company.SEGMENTS))[:, None]
    told = chance * company.expit(company.logit(share) + lean)
    steps = np.cumsum(told / told.sum(axis=1, keepdims=True), axis=1)[:, :-1]
    u = state.streams.uniform("truth recovery severity")
    return 1 + (u[:, None] >= steps[state.segment]).sum(axis=1)


def recovery_trial(
    world,
    levels: tuple,
    *,
    first_week: int = 26,
    last_week: int | None = None,
    landmark_weeks: int = 2,
    horizon_weeks: int = 26,
    churn_weeks: int = 26,
) -> pd.DataFrame:
    """Run the twins and read their outcomes.

    Parameters
    ----------
    levels : tuple of str
        Levels of recovery; ``no failure`` always comes first.
    first_week, last_week : int
        Between these every customer's day is drawn; by default until the horizon still lies
        within the weeks shown.
    landmark_weeks, horizon_weeks, churn_weeks : int
        Outcomes count from the landmark: repurchase and value (margin, EUR) over the horizon;
        churn is no running contract after it and no purchase in the churn weeks.

    Returns
    -------
    pandas.DataFrame
        customer_id, level, week, severity (as among reported failures), satisfaction,
        recommendation, intention (answers at the next survey in points of their scales; NaN for
        who has gone), repurchase, churn, value.
    """
    first, landmark, horizon, churn = first_week, landmark_weeks, horizon_weeks, churn_weeks
    last = world.weeks - 1 - landmark - horizon if last_week is None else last_week
    unknown = [level for level in levels if level not in RECOVERY_LEVELS]
    if unknown or not 0 <= first <= last or landmark < 1 or horizon < 1:
        raise CxError(
            f"levels must be of {', '.join(RECOVERY_LEVELS)}, first_week lie in 0 to {last}, weeks "
            f"be 1 or more: found {unknown or first}."
        )
    frames = []
    weeks = last + 2 + landmark + max(horizon + churn, QUARTER_WEEKS + 1)
    for level in (None, *levels):
        trial = _Trial(level, first, last, landmark)
        state = world.twin(weeks=weeks, more=(trial,))
        frames.append(_outcomes(state, trial, level or NO_FAILURE, horizon, churn))
    frame = pd.concat(frames, ignore_index=True)
    ids = pd.Categorical.from_codes(frame.pop("customer"), dtype=customer_type(world.size))
    frame.insert(0, "customer_id", ids)
    return frame


def _outcomes(state: State, trial: _Trial, level: str, horizon: int, churn: int) -> pd.DataFrame:
    who = np.flatnonzero(trial.here)
    start = trial.day + trial.landmark * company.DAYS
    end = start + horizon * company.DAYS
    orders = state.logged("orders")
    customer, day = orders["customer"], orders["day"]
    within = (day >= start[customer]) & (day < end[customer])
    later = (day >= end[customer]) & (day < end[customer] + churn * company.DAYS)

    def total(rows, values=None):
        values = None if values is None else values[rows]
        return np.bincount(customer[rows], values, minlength=state.customers)[who]

    running = state.contract & ((state.left_day < 0) | (state.left_day > end))
    given = {name: _answers(state, trial, name)[who] for name in ANSWERS}
    return pd.DataFrame(
        {
            "customer": who,
            "level": level,
            "week": trial.week[who],
            "severity": trial.severity[who],
            **given,
            "repurchase": (total(within) > 0).astype(float),
            "churn": ((total(later) == 0) & ~running[who]).astype(float),
            "value": total(within, orders["margin"]),
        }
    )


def _answers(state: State, trial: _Trial, name: str) -> np.ndarray:
    """Would-be answers at each customer's next survey; NaN for who has gone."""
    out = np.full(state.customers, np.nan)
    there = ~np.isnan(trial.felt[name])
    for week in np.unique(trial.turn[there]):
        who = np.flatnonzero(there & (trial.turn == week))
        out[who] = ANSWERS[name](state, who, int(week), trial.felt[name][who])
    return out
