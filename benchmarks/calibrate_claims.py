"""Cells of recommendation, intention and behaviour: clusters, the 2 x 2 trial, gains, verdicts.

A cell "claim: ..." measures how often a verdict is wrongly given: it is covered unless the claim is
called supported where the effect is 0 (or too small to matter where it is the smallest that
matters), at a nominal error of one minus the level.
"""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy import stats as sps

from cxlib import stats as st
from cxlib.metrics.prediction import predictive_power
from cxlib.stats.calibration import FEW, MANY, Cell
from cxlib.stats.factorial import trial_contrasts

AT_LEAST, CAUTIOUS = "at least", "a verdict may be given less often than its rate, never more often"
ALIKE = 0.6  # correlation of what one customer does after several answers
SEVERAL = 5  # lots of a contest; more of them are dearer and err still less
MEAN_AMOUNT = 0.65 * 150 * np.exp(0.9**2 / 2)


def _answers(rng, customers, shared):
    """Customers of two cells, each with 1 + Poisson(.5) answers; some customers stand in both."""
    n1, n2 = customers
    both = int(shared * n1)
    who = [np.arange(n1), np.concatenate([np.arange(both), n1 + np.arange(n2 - both)])]
    who = [np.repeat(w, 1 + rng.poisson(0.5, len(w))) for w in who]
    first = np.repeat([True, False], [len(w) for w in who])
    who = np.concatenate(who)
    lasting = rng.normal(size=n1 + n2)[who]
    return who, first, np.sqrt(ALIKE) * lasting + np.sqrt(1 - ALIKE) * rng.normal(size=len(who))


def _amounts(latent):
    """Nothing for a third, log-normal for the rest."""
    u = sps.norm.cdf(latent)
    bought = np.clip((u - 0.35) / 0.65, 1e-9, 1 - 1e-9)
    return np.where(u < 0.35, 0.0, 150 * np.exp(0.9 * sps.norm.ppf(bought)))


def draw_cells(rng, customers=(80, 150), shared=0.3, shares=None):
    """Two cells of the matrix: shares who churned, or amounts of one distribution."""
    who, first, latent = _answers(rng, customers, shared)
    if shares is None:
        return 0.0, (_amounts(latent), first, ~first, who)
    done = latent < sps.norm.ppf(np.where(first, *shares))
    return shares[0] - shares[1], (done.astype(float), first, ~first, who)


def draw_one_cell(rng, customers=80, share=None):
    who, first, latent = _answers(rng, (customers, 0), 0.0)
    values = _amounts(latent) if share is None else (latent < sps.norm.ppf(share)).astype(float)
    return MEAN_AMOUNT if share is None else share, (values[first], who[first])


def draw_trial(rng, each=120, shares=(0.23, 0.24, 0.28, 0.30), what="interaction", batch=250):
    counts = rng.binomial(each, np.array(shares)[:, None], (4, batch))
    p0, p1, p2, p3 = shares
    truth = {"interaction": p3 - p1 - p2 + p0, "second_average": (p2 - p0 + p3 - p1) / 2}
    return np.full(batch, truth[what]), (counts, np.full((4, batch), each))


def _trial(what, data, level):
    return trial_contrasts(*data, level=level)[what]


def _logistic(x):
    return 1 / (1 + np.exp(-x))


def _survey(rng, n, helps):
    """Recommendation foretells churn; intention is a second look at the same feeling, or noise."""
    core = rng.normal(size=n)
    other = core if helps else rng.normal(size=n)
    nps = np.clip(np.round(8 + 2 * core + rng.normal(size=n)), 0, 10)
    intent = np.clip(np.round(8 + 2 * other + rng.normal(size=n)), 0, 10)
    churned = rng.random(n) < _logistic(-1 - core)
    return pd.DataFrame({"nps": nps, "intent": intent, "churned": churned})


def _tally(helps):
    """Churned and staying customers by (recommendation, intention), of a large population."""
    big = _survey(np.random.default_rng(8), 200_000, helps)
    cell = (11 * big["nps"] + big["intent"]).astype(int)
    return [np.bincount(cell[big["churned"] == event], minlength=121) for event in (True, False)]


POPULATION = {helps: _tally(helps) for helps in (True, False)}


def _auc(scores, helps):
    """Chance that a churned customer of the population has the higher score; ties count half."""
    churned, staying = POPULATION[helps]
    _, place = np.unique(np.round(scores, 9), return_inverse=True)
    up, down = (np.bincount(place, weights=w) for w in (churned, staying))
    return (up * (np.cumsum(down) - down / 2)).sum() / (up.sum() * down.sum())


def draw_survey(rng, n=400, helps=True):
    return 0.0, (_survey(rng, n, helps), int(rng.integers(2**31)), helps)


def _contest(data, level, lots):
    frame, seed, _ = data
    predictors = {"NPS": ["nps"], "both": ["nps", "intent"]}
    rules = {"outcome": "churned", "predictors": predictors, "lots": lots, "replicates": 199}
    return predictive_power(frame, level=level, seed=seed, **rules)


def _gain(data, level):
    return _contest(data, level, SEVERAL).gain_interval("both")


def _gain_less_truth(lots, data, level):
    """The interval less what the same fitted models gain in the population, a lot's on average."""
    frame, _, helps = data
    contest = _contest(data, level, lots)
    everyone = np.column_stack([np.ones(121), *(v.ravel() for v in np.mgrid[:11, :11])])
    truth = 0.0
    for _, told in contest.predictions.groupby("lot"):
        held = frame.loc[told.index, ["nps", "intent"]]
        columns = np.column_stack([np.ones(len(held)), held])
        for name, sign in (("both", 1), ("NPS", -1)):
            odds = np.log(told[name] / (1 - told[name]))
            weights = np.linalg.lstsq(columns, odds, rcond=None)[0]
            truth += sign * _auc(everyone @ weights, helps) / lots
    found = contest.gain_interval("both")
    return SimpleNamespace(
        estimate=found.estimate - truth, low=found.low - truth, high=found.high - truth
    )


def _wrongly_supported(interval, data, level):
    """The lower limit at which `judge_claim` says supported, as a one-sided interval."""
    found = interval(data, 2 * level - 1)
    above = np.full(np.shape(found.low), np.inf)
    return SimpleNamespace(estimate=found.estimate, low=found.low, high=above)


def _wrongly_small(interval, data, level):
    found = interval(data, 2 * level - 1)
    return SimpleNamespace(estimate=found.estimate, low=-np.inf, high=found.high)


def _difference(data, level):
    return st.cluster_difference(*data, level=level)


def _mean(data, level):
    return st.cluster_mean(*data, level=level)


def claim_cells() -> list[Cell]:
    shares = partial(draw_cells, customers=(15, 150), shares=(0.35, 0.30))
    interaction, average = partial(_trial, "interaction"), partial(_trial, "second_average")
    draw_average = partial(draw_trial, what="second_average")
    cells = [
        Cell(
            "clusters: share, 12 customers", partial(draw_one_cell, customers=12, share=0.3), _mean
        ),
        Cell(
            "clusters: share, 40 customers", partial(draw_one_cell, customers=40, share=0.3), _mean
        ),
        Cell("clusters: amount, 80 customers", draw_one_cell, _mean),
        Cell("clusters: difference of shares, 15 and 150 customers", shares, _difference),
        Cell("clusters: difference of amounts, 80 and 150 customers", draw_cells, _difference),
        Cell("2 x 2 trial: interaction, 120 an arm", draw_trial, interaction),
        Cell("2 x 2 trial: average effect, 120 an arm", draw_average, average),
        Cell(
            "prediction: gain of a second question, 400 customers, one lot",
            draw_survey,
            partial(_gain_less_truth, 1),
            datasets=FEW,
        ),
        Cell(
            f"prediction: gain of a second question, 400 customers, {SEVERAL} lots",
            draw_survey,
            partial(_gain_less_truth, SEVERAL),
            AT_LEAST,
            "several lots err less than one, and their mean limits are as wide",
            datasets=FEW,
        ),
    ]
    none = {
        "a gain of prediction": (partial(draw_survey, helps=False), _gain),
        "a difference of shares": (
            partial(draw_cells, customers=(15, 150), shares=(0.3, 0.3)),
            _difference,
        ),
        "a difference of amounts": (draw_cells, _difference),
        "an interaction": (partial(draw_trial, shares=(0.2, 0.24, 0.26, 0.3)), interaction),
        "an effect of offers": (partial(draw_average, shares=(0.25,) * 4), average),
    }
    for name, (draw, interval) in none.items():
        judged = partial(_wrongly_supported, interval)
        name, many = f"claim: {name} wrongly supported", FEW if interval is _gain else MANY
        cells.append(Cell(name, draw, judged, AT_LEAST, CAUTIOUS, many))
    small = partial(_wrongly_small, _difference)
    cells.append(
        Cell("claim: a difference of shares wrongly too small", shares, small, AT_LEAST, CAUTIOUS)
    )
    return cells
