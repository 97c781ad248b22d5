"""Cells of effort: average differences within agents, priorities, shares of variance, a trial."""

from __future__ import annotations

from functools import cache, partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.special import expit

from cxlib import stats as st
from cxlib.metrics.effort_drivers import _difference, effort_drivers
from cxlib.stats.calibration import FEW, Cell

CUTS = np.array([-3.6, -2.6, -1.8, -0.9, 0.4])  # of answers 1 to 6; easy is 4 and more
AGENT_SD, SKILL = 0.35, 0.5
POPULATION = 1_000_000


def _contacts(rng, size, skill):
    transfers = np.minimum(rng.poisson(0.4, size), 3)
    chance = expit(0.6 + SKILL * skill - 0.4 * transfers)
    return {"transfers": transfers, "resolved_first_contact": rng.random(size) < chance}


def _ease(contact, skill):
    return AGENT_SD * skill - 0.5 * contact["transfers"] + 0.7 * contact["resolved_first_contact"]


def draw_agents(rng, what="transfers", n=900, agents=24):
    """Agents who are easier to deal with also solve more at once."""
    agent = rng.integers(0, agents, n)
    skill = rng.normal(size=agents)[agent]
    contact = _contacts(rng, n, skill)
    score = 1 + np.searchsorted(CUTS, _ease(contact, skill) + rng.logistic(size=n))
    cases = pd.DataFrame({**contact, "score": score, "agent": agent})
    found = effort_drivers(cases, scale=(1, 6), high_means="easy", cluster_col="agent")
    return _truth(what), (found, what)


@cache
def _truth(what: str) -> float:
    """Over many contacts of many agents, the mean change of the chance of 4 or more."""
    rng = np.random.default_rng(12)
    skill = rng.normal(size=POPULATION)
    contact = _contacts(rng, POPULATION, skill)
    before, after = dict(contact), dict(contact)
    if what == "transfers":
        after["transfers"] = contact["transfers"] + 1
    elif what == "no transfer":
        after["transfers"] = 0 * contact["transfers"]
    else:
        before[what], after[what] = np.zeros(POPULATION), np.ones(POPULATION)
    easy = [expit(_ease(side, skill) - CUTS[2]).mean() for side in (before, after)]
    return float(easy[1] - easy[0])


def _effect(data, level):
    found, what = data
    if what != "no transfer":
        row = _difference(found.fit, found.design, what, found.at_least, level)
        return SimpleNamespace(**{key: row[key] for key in ("estimate", "low", "high")})
    after = found.design.assign(transfers=0.0)
    return found.fit.average_contrast(found.design, after, at_least=found.at_least, level=level)


SLOPES = np.array([0.9, 0.7, 0.5, 0.3])  # of one driver at each threshold: not proportional
FREE_CUTS = np.array([-1.5, -0.4, 0.5, 1.6])
COUNTS = np.array([0.4, 0.3, 0.2, 0.1])  # of 0 to 3 steps beyond the first


def draw_free(rng, n=800):
    """A driver that keeps people from the best answers less than it drives them to the worst."""
    steps = rng.choice(4, n, p=COUNTS)
    above = expit(-np.outer(steps, SLOPES) - FREE_CUTS)
    cases = pd.DataFrame({"steps": steps, "score": 1 + (rng.random((n, 1)) < above).sum(axis=1)})
    truth = COUNTS @ (
        expit(-SLOPES[2] * (np.arange(4) + 1) - FREE_CUTS[2])
        - expit(-SLOPES[2] * np.arange(4) - FREE_CUTS[2])
    )
    fit = st.ordered_logit(cases["score"], cases[["steps"]], free=["steps"])
    return float(truth), fit


def _free(fit, level):
    more = fit.design + 1
    return fit.average_contrast(fit.design, more, at_least=4, level=level)


KIND_SHARES = np.array([0.3, 0.25, 0.2, 0.15, 0.1])
KINDS = np.array([0.0, 0.5, -0.5, 1.0, -1.0])


def draw_crossed(rng, which="between units", spread=1.0, customers=500):
    effects = spread * KINDS
    pairs = np.outer(KIND_SHARES, KIND_SHARES) * (effects[:, None] - effects) ** 2 / 2
    parts = {"between units": 0.6, "between kinds": pairs.sum() / (1 - (KIND_SHARES**2).sum())}
    parts["within"] = 1.2
    who = np.repeat(np.arange(customers), 1 + rng.poisson(1.0, customers))
    kind = rng.choice(5, len(who), p=KIND_SHARES)
    noise = np.sqrt(parts["within"]) * rng.normal(size=len(who))
    y = np.sqrt(parts["between units"]) * rng.normal(size=customers)[who] + effects[kind] + noise
    return parts[which] / sum(parts.values()), (y, who, kind, which)


def _share(data, level):
    *given, which = data
    return st.variance_shares(*given, level=level, replicates=400).table.loc[which]


def draw_trial(rng, customers=150):
    """Carts of customers who differ in how often they pay; the arm is the customer's."""
    arm = rng.integers(0, 2, customers)
    who = np.repeat(np.arange(customers), 1 + rng.poisson(1.2, customers))
    own = rng.beta(6.2 + 0.8 * arm, 3.8 - 0.8 * arm)
    paid = rng.random(len(who)) < own[who]
    return 0.08, (paid, arm[who], who)


def _trial(data, level):
    return st.trial_effect(*data, level=level)


def effort_cells() -> list[Cell]:
    names = {
        "transfers": "share easy, one transfer more, 24 agents",
        "resolved_first_contact": "share easy, solved at once by the abler of 24 agents",
        "no transfer": "priority, gain of no transfer, 24 agents",
    }
    cells = [
        Cell(name, partial(draw_agents, what=what), _effect, datasets=FEW)
        for what, name in names.items()
    ]
    cells += [
        Cell("ordered logit, free slopes, average difference, n = 800", draw_free, _free),
        Cell("share of variance between units, 500 units", draw_crossed, _share, datasets=FEW),
        Cell(
            "share of variance between kinds, 500 units",
            partial(draw_crossed, which="between kinds"),
            _share,
            datasets=FEW,
        ),
        Cell(
            "share of variance between kinds that is zero, 500 units",
            partial(draw_crossed, which="between kinds", spread=0.0),
            _share,
            "at least",
            "a share of 0 lies on the border, so it is covered too often",
            FEW,
        ),
        Cell("trial of two shares, 150 customers with several carts", draw_trial, _trial),
    ]
    return cells
