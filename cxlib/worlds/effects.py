"""True effects by twin worlds and by g-computation over known chances (plain functions).

A twin shares every draw with its world and differs by one forced thing, so the difference of two
twins is that thing's effect on these customers, free of chance. Where chances are known in
closed form (effort, completion, offers, calls, win-back) the effect is their average over the
customers or contacts concerned.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.worlds import company
from cxlib.worlds.assemble import customer_type
from cxlib.worlds.declarations import RECOVERY_LEVELS
from cxlib.worlds.failures import FEELINGS, PROMOTER_LEVEL
from cxlib.worlds.leaving import return_chance
from cxlib.worlds.people import present
from cxlib.worlds.purchases import EXTRA
from cxlib.worlds.service import effort_index
from cxlib.worlds.state import State
from cxlib.worlds.surveys import expected_effort_score, share_easy
from cxlib.worlds.trials import extra_order_chance
from cxlib.worlds.value import contract_margin

__all__ = [
    "arms",
    "effort_differences",
    "offer_outcomes",
    "potential_outcomes",
    "realised_future",
    "summarise_recovery",
]

NO_FAILURE = "no failure"
POPULATIONS = ("everyone", "overlap", "exposed", "promoters")
ARMS = {"neither": (0, 0), "asked": (1, 0), "offer": (0, 1), "both": (1, 1)}  # asked, offered
RECOVERY_OUTCOMES = (*FEELINGS, "repurchase", "churn", "value")


def effort_differences(state: State) -> pd.DataFrame:
    """Change of the share easy (5 or more of 7) and of the mean effort (1-5), by g-computation.

    The last two are against a first contact that solves nothing.
    """
    contact = state.logged("contacts")
    agents, dials = state.agent_effort, state.dials

    def answers(**change) -> tuple[float, float]:
        effort = effort_index(dials, contact | change, agents)
        return float(share_easy(effort).mean()), float(expected_effort_score(effort).mean())

    yes, no = np.ones(contact["steps"].size), np.zeros(contact["steps"].size)
    unsolved = {"repeated": no, "resolved": no}
    asked = {
        "one step more": (answers(), answers(steps=contact["steps"] + 1)),
        "one switch of channel more": (
            answers(),
            answers(channel_switches=contact["channel_switches"] + 1),
        ),
        "one transfer more": (answers(), answers(transfers=contact["transfers"] + 1)),
        "ten minutes more waiting": (
            answers(),
            answers(waiting_minutes=contact["waiting_minutes"] + 10),
        ),
        "repeat contact": (answers(**unsolved), answers(repeated=yes, resolved=no)),
        "solved at once": (answers(**unsolved), answers(repeated=no, resolved=yes)),
    }
    rows = [(name, b[0] - a[0], b[1] - a[1], a[0], b[0]) for name, (a, b) in asked.items()]
    columns = ["change", "share_easy", "mean_effort", "share_easy_before", "share_easy_after"]
    return pd.DataFrame(rows, columns=columns)


def potential_outcomes(world, week: int, horizon_weeks: int, severity: int) -> pd.DataFrame:
    """Outcomes of every present customer under no failure and under each level of recovery."""
    frames = []
    for level in (None, *RECOVERY_LEVELS):
        forced = {"week": week, "level": level, "severity": severity}
        last = week + 1 + horizon_weeks
        twin = world.twin(weeks=last, do={"failure": forced})
        who = np.flatnonzero(twin.history["present at failure"])
        first_day = (week + 1) * company.DAYS
        orders = twin.logged("orders")
        after = orders["day"] >= first_day
        counts = np.bincount(orders["customer"][after], minlength=twin.customers)
        margin = np.bincount(
            orders["customer"][after], orders["margin"][after], minlength=twin.customers
        )
        frames.append(
            pd.DataFrame(
                {
                    "customer": who,
                    "level": level or NO_FAILURE,
                    **{name: twin.history[f"{name} after"][who] for name in FEELINGS},
                    "repurchase": (counts[who] > 0).astype(float),
                    "churn": 1.0 - present(twin, last)[who],
                    "value": margin[who],
                    "risk": twin.history["risk of failure"][who],
                    "failures_before": twin.history["failures before"][who],
                    "promoter": twin.history["recommendation before"][who] >= PROMOTER_LEVEL,
                }
            )
        )
    frame = pd.concat(frames, ignore_index=True)
    ids = pd.Categorical.from_codes(frame.pop("customer"), dtype=customer_type(world.size))
    frame.insert(0, "customer_id", ids)
    return frame


def summarise_recovery(potential: pd.DataFrame, *, first: bool, population: str) -> pd.DataFrame:
    if population not in POPULATIONS:
        raise CxError(f"population must be one of {', '.join(POPULATIONS)}, not {population!r}.")
    chosen = potential[potential["failures_before"] == 0] if first else potential
    if population == "promoters":
        chosen = chosen[chosen["promoter"]]
    if chosen.empty:
        raise CxError("nobody belongs to this population in this week.")
    without = chosen[chosen["level"] == NO_FAILURE]
    risk = without["risk"].to_numpy()
    weights = {"overlap": risk * (1 - risk), "exposed": risk}.get(population, np.ones(risk.size))
    rows = []
    for level in RECOVERY_LEVELS:
        met = chosen[chosen["level"] == level]
        for outcome in RECOVERY_OUTCOMES:
            base, moved = without[outcome].to_numpy(float), met[outcome].to_numpy(float)
            effect = float(np.average(moved - base, weights=weights))
            mean = float(np.average(base, weights=weights))
            rows.append((level, outcome, effect, mean, float(base.std()), base.size))
    columns = ["level", "outcome", "effect", "no_failure", "sd", "customers"]
    return pd.DataFrame(rows, columns=columns)


def realised_future(world, horizon_weeks: int) -> pd.DataFrame:
    """Orders, amount and margin of each customer in the weeks after the last, and who is left."""
    twin = world.twin(weeks=world.weeks + horizon_weeks)
    orders = twin.logged("orders")
    after = orders["day"] >= world.weeks * company.DAYS
    who = orders["customer"][after]

    def total(column: str) -> np.ndarray:
        return np.bincount(who, orders[column][after], minlength=twin.customers)

    renewed = twin.logged("renewed")
    later = renewed.get("day", np.zeros(0)) >= world.weeks * company.DAYS
    who_renewed = renewed.get("customer", np.zeros(0, int))[later]
    renewals = np.bincount(who_renewed, minlength=twin.customers)

    return pd.DataFrame(
        {
            "customer_id": pd.Categorical.from_codes(
                twin.everybody, dtype=customer_type(twin.customers)
            ),
            "orders": np.bincount(who, minlength=twin.customers),
            "amount": total("amount"),
            "margin": total("margin"),
            "renewals": renewals,
            "contract_margin": renewals * contract_margin(twin),
            "present": present(twin, twin.weeks),
        }
    )


def arms(world, state: State) -> pd.DataFrame:
    """All randomised arms of trials that begin within this world's weeks.

    Checkout: all customers of its first Monday in one arm or the other. Surprise: each parcel of
    the trial with one or without, felt in its last week. Watch list: who had made up their minds
    when listed, so the end that comes within the weeks of declining usage.
    """
    rows: list[tuple] = []
    for kind, compute in (
        ("checkout_trial", _checkout),
        ("surprise_trial", _surprise),
        ("offer_trial", _offer_trial),
        ("watch_list", _watch_list),
        ("win_back", _win_back),
    ):
        trial = state.event(kind)
        if trial is not None and trial.week < state.weeks:
            rows += compute(world, state)
    return pd.DataFrame(rows, columns=["trial", "arm", "outcome", "mean", "effect", "customers"])


def _checkout(world, state: State) -> list[tuple]:
    trial, dials = state.event("checkout_trial"), state.dials
    weeks = min(trial.week + trial.weeks, state.weeks)
    first = trial.week * company.DAYS
    customers = state.history["present"][trial.week]
    here = np.count_nonzero(customers)
    paid = {}
    for short in (False, True):
        twin = world.twin(weeks=weeks, do={"two_steps": short})
        orders = twin.logged("orders")
        paid[short] = np.count_nonzero(customers[orders["customer"]] & (orders["day"] >= first))
    a, b = dials.completion_five_steps, dials.completion_two_steps
    each = [paid[short] / max(here, 1) for short in (False, True)]
    return [
        ("checkout", "five steps", "cart paid", a, 0.0, here),
        ("checkout", "two steps", "cart paid", b, b - a, here),
        ("checkout", "five steps", "orders per customer", each[0], 0.0, here),
        ("checkout", "two steps", "orders per customer", each[1], each[1] - each[0], here),
    ]


def _surprise(world, state: State) -> list[tuple]:
    trial = state.event("surprise_trial")
    weeks = min(trial.week + trial.weeks, state.weeks)
    rows = state.logged("surprise")
    if not rows or not rows["customer"].size:
        return []
    who = np.unique(rows["customer"])
    felt = {}
    for yes in (False, True):
        twin = world.twin(weeks=weeks, do={"surprised": yes})
        felt[yes] = twin.satisfaction[who].mean()
    return [
        ("surprise", "no", "satisfaction", felt[False], 0.0, who.size),
        ("surprise", "yes", "satisfaction", felt[True], felt[True] - felt[False], who.size),
    ]


def _offer_trial(world, state: State) -> list[tuple]:
    rows = state.logged("offer trial")
    if not rows or not rows["customer"].size:
        return []
    size = rows["customer"].size
    mean = {
        (asked, offered): float(
            extra_order_chance(state.dials, rows["intention"], asked, offered).mean()
        )
        for asked in (False, True)
        for offered in (False, True)
    }
    cells = [
        ("offer", name, "extra order", mean[arm], mean[arm] - mean[0, 0], size)
        for name, arm in ARMS.items()
    ]
    both = mean[1, 1] - mean[1, 0] - mean[0, 1] + mean[0, 0]
    return [*cells, ("offer", "interaction", "extra order", mean[1, 1], both, size)]


def offer_outcomes(state: State, trial) -> pd.DataFrame:
    """Chances to buy within the trial's weeks, by arm, of every customer in it."""
    rows, orders = state.logged("offer trial"), state.logged("orders")
    first, last = trial.week * company.DAYS, (trial.week + trial.weeks) * company.DAYS
    own = (orders["day"] > first) & (orders["day"] <= last)
    own &= orders["number"] != EXTRA + 1 + orders["day"] // company.DAYS
    sure = np.isin(rows["customer"], orders["customer"][own])
    frame = pd.DataFrame(
        {
            "customer_id": pd.Categorical.from_codes(
                rows["customer"], dtype=customer_type(state.customers)
            ),
            "arm": np.array(list(ARMS), dtype=object)[rows["asked"] + 2 * rows["offered"]],
            "intention": rows["intention"],
            "sure": sure,
        }
    )
    for name, arm in ARMS.items():
        extra = extra_order_chance(state.dials, rows["intention"], *arm)
        frame[name] = np.where(sure, 1.0, extra)
    return frame


def _watch_list(world, state: State) -> list[tuple]:
    rows = state.logged("watch")
    if not rows or not rows["customer"].size:
        return []
    size, leaving = rows["customer"].size, float(rows["leaving"].mean())
    saved = leaving * state.dials.call_saves
    return [
        ("watch list", "no call", "leaves at renewal", leaving, 0.0, size),
        ("watch list", "call", "leaves at renewal", leaving - saved, -saved, size),
    ]


def _win_back(world, state: State) -> list[tuple]:
    rows = state.logged("win-back")
    size = rows["customer"].size if rows else 0
    unasked = state.dials.win_back_unasked
    cells = [("win-back", "no offer", "returns", unasked, 0.0, size)]
    for fit in (False, True):
        for channel, channel_name in enumerate(company.WIN_BACK_CHANNELS):
            for delay, weeks in enumerate(company.DELAYS):
                chance = float(return_chance(state.dials, True, delay, channel, fit))
                text = f"{channel_name}, after {weeks} weeks, {'fitting' if fit else 'not fitting'}"
                cells.append(("win-back", text, "returns", chance, chance - unasked, size))
    return cells
