"""Customers who do not answer: what weights, a stated delta and worst-case bounds are worth.

A data set is a population of its own, drawn at random from the customers of one simulated company,
each with the answer that he or she would give. Who answers is drawn afresh by the company's own
chances (`cxlib.worlds.answers`): by country and tenure alone, or by satisfaction as well. The
truth is the score of the whole population, silent customers included.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from types import SimpleNamespace

import numpy as np
import pandas as pd

from cxlib.metrics.nonresponse import nps_nonresponse, nps_reweighted
from cxlib.metrics.promoter import NpsResult, nps
from cxlib.metrics.sittings import TENURE
from cxlib.metrics.votes import cast_votes
from cxlib.stats.calibration import FEW, Cell
from cxlib.stats.checks import critical_value
from cxlib.stats.design import weighted_net_score
from cxlib.stats.netscore import net_score_limits
from cxlib.stats.survey import inverse_probability_weights
from cxlib.worlds import answers
from cxlib.worlds.company import DAYS
from cxlib.worlds.dials import resolve
from cxlib.worlds.world import simulate

CUSTOMERS, WEEKS, SEED = 12_000, 27, 5
DIALS = {"style_by_country": 2.0, "answer_by_country": 1.5}
KNOWN = ["country", "tenure"]
COLUMNS, SATISFACTION = "by known columns", "by satisfaction itself"
BY_SATISFACTION = {COLUMNS: 0.0, SATISFACTION: 0.8}  # log-odds per SD
DELTAS = (-40, -30, -20, -10, 0)


@cache
def company(who_answers: str, answer_share: float) -> pd.DataFrame:
    """Everybody present in the last week: what is known, the score, the chance to answer."""
    more = {"answer_by_satisfaction": BY_SATISFACTION[who_answers], "answer_share": answer_share}
    dials, problems = resolve(SEED, CUSTOMERS, WEEKS, DIALS | more)
    assert not problems
    state, week = simulate(SEED, CUSTOMERS, WEEKS, dials, []), WEEKS - 1
    who = np.flatnonzero(state.history["present"][week])
    feeling, mood = (state.history[k][week, who] for k in ("recommendation", "satisfaction"))
    age = week * DAYS - state.joined_day[who]
    return pd.DataFrame(
        {
            "country": state.country[who],
            "tenure": np.digitize(age, list(TENURE.values())),
            "would": answers.nps_answer(state, who, week, feeling).astype(float),
            "chance": answers.answer_chance(state, week, who, mood),
        }
    )


@cache
def true_delta(who_answers: str, answer_share: float) -> float:
    """How many points the silent score above the weighted answers, in the company as a whole."""
    whole = company(who_answers, answer_share)
    votes, chance = 100.0 * cast_votes(whole["would"]), whole["chance"]
    parts = whole.assign(up=votes * chance).groupby(KNOWN)
    cells = parts.agg(up=("up", "sum"), chance=("chance", "sum"), n=("would", "size"))
    weighted = np.average(cells["up"] / cells["chance"], weights=cells["n"])
    return float((votes.mean() - weighted) / (1 - chance.mean()))


def draw(rng, estimate, who_answers=COLUMNS, customers=800, answer_share=0.35):
    """Truth and the NpsResult of one method, whose interval `at_level` makes at each level."""
    whole = company(who_answers, answer_share)
    asked = whole.iloc[rng.choice(len(whole), customers, replace=False)]
    asked = asked.assign(score=asked["would"].where(rng.random(customers) < asked["chance"]))
    return 100.0 * cast_votes(asked["would"]).mean(), estimate(asked)


def as_it_stands(asked):
    return nps(asked["score"], scale="0-10")


def reweighted(asked):
    return nps_reweighted(asked, KNOWN, scale="0-10")


def without_correction(asked):
    rows = asked.assign(row=range(len(asked)))
    return nps_reweighted(rows, KNOWN, cluster_col="row", scale="0-10")


def known_chances(asked):
    answered = asked[asked["score"].notna()]
    weights = inverse_probability_weights(answered["chance"])
    votes = cast_votes(answered["score"])
    found = weighted_net_score(votes, weights, population=len(asked))
    up, mid, down = (float(weights[votes == side].sum()) for side in (1, 0, -1))
    return NpsResult(
        found.estimate, found.low, found.high, len(votes), 0, up, mid, down, found.method,
        found.level, found.effective_n, found.standard_error,
    )  # fmt: skip


def at_level(found: NpsResult, level: float) -> NpsResult:
    """The same score with its score interval at another level."""
    weight = found.promoters + found.passives + found.detractors
    up, down = (found.effective_n * part / weight for part in (found.promoters, found.detractors))
    critical = critical_value(level, np.inf if found.method == "score" else found.n - 1)
    limits = net_score_limits(up, down, found.effective_n, float(critical))
    low, high = (float(100 * limit) for limit in limits)
    return replace(found, low=low, high=high, level=level)


def _silent(found, level, deltas, customers=800):
    return nps_nonresponse(at_level(found, level), customers, deltas=deltas)


def delta_known(found, level, delta=0.0):
    row = _silent(found, level, [delta]).by_delta.iloc[0]
    return SimpleNamespace(estimate=row["estimate"], low=row["low"], high=row["high"])


def delta_range(found, level):
    reach = _silent(found, level, DELTAS)
    ends = reach.by_delta
    return SimpleNamespace(estimate=reach.estimate, low=ends["low"].min(), high=ends["high"].max())


def bounds(found, level):
    reach = _silent(found, level, [0.0])
    return SimpleNamespace(estimate=reach.estimate, low=reach.bound_low, high=reach.bound_high)


def nps_cells() -> list[Cell]:
    """Cells named "NPS, who answers, how many customers: method"."""
    small, hidden = {"customers": 250, "answer_share": 0.6}, {"who_answers": SATISFACTION}
    delta = true_delta(SATISFACTION, 0.35)
    wide, shown = "promises at least its level", "what it assumes does not hold"
    settings = [
        ({}, "as it stands", as_it_stands, at_level, "must fail", shown),
        ({}, "reweighted", reweighted, at_level, "two-sided", ""),
        ({}, "known chances", known_chances, at_level, "two-sided", ""),
        (small, "reweighted", reweighted, at_level, "two-sided", ""),
        (small, "reweighted as of no end of customers", without_correction, at_level, "at least",
         "without the finite-population correction: too wide"),
        (hidden, "as it stands", as_it_stands, at_level, "must fail", shown),
        (hidden, "reweighted", reweighted, at_level, "must fail", shown),
        (hidden, "reweighted and the true delta", reweighted, partial(delta_known, delta=delta),
         "two-sided", ""),
        (hidden, "range of delta from -40 to 0", reweighted, delta_range, "at least", wide),
        (hidden, "worst-case bounds", reweighted, bounds, "at least", wide),
    ]  # fmt: skip
    cells = []
    for given, method, estimate, interval, rule, note in settings:
        who, many = given.get("who_answers", COLUMNS), given.get("customers", 800)
        name = f"NPS, answering {who}, {many} customers: {method}"
        drawn = partial(draw, estimate=estimate, **given)
        cells.append(Cell(name, drawn, interval, rule, note, FEW))
    return cells
