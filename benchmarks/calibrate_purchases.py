"""Cells of the purchase models: data sets from the model that is then fitted, from its own starts.

Each data set has 200 customers. Of 30 of them the total to come, to +-2 points, one of 2,000 data
sets each. Of single customers, ten of each of 1,000 data sets, the count to come: at least nominal,
as counts are whole, and its randomised probability integral transform, uniform if its central and
lower shares hold to +-2 points (its interval is the central part of 0 to 1). What such ten share,
the error of the parameters, is a small part of what makes one count uncertain.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from cxlib.clv import (
    BetaGeo,
    BetaGeoBetaBinom,
    ModifiedBetaGeo,
    ParetoNBD,
    RegularBetaGeo,
    with_covariates,
)
from cxlib.clv.interval import bounds
from cxlib.clv.purchase_forecast import simulate_counts
from cxlib.stats.calibration import FEW, Cell

CUSTOMERS, TOTAL_OF, SINGLE, DRAWS = 200, 30, 10, 400
HALF = np.full(SINGLE, 0.5)
DROPOUT = {"a": 0.9, "b": 2.2}
TRUTHS = {
    "BG/NBD": BetaGeo({"r": 0.6, "alpha": 5.0, **DROPOUT}),
    "MBG/NBD": ModifiedBetaGeo({"r": 0.9, "alpha": 5.0, **DROPOUT}),
    "Pareto/NBD": ParetoNBD({"r": 0.7, "alpha": 8.0, "s": 0.8, "beta": 12.0}),
    "BG/BB": BetaGeoBetaBinom({"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8}),
    "MBG/CNBD-2": RegularBetaGeo({"r": 1.2, "alpha": 3.0, **DROPOUT}, k=2),
    "BG/NBD with covariates": with_covariates(
        BetaGeo(),
        rate=["app"],
        dropout=["app"],
        params={"r": 0.6, "alpha": 5.0, **DROPOUT, "rate:app": 0.5, "dropout:app": -0.4},
    ),
}


@dataclass(frozen=True)
class Found:
    estimate: np.ndarray | float
    low: np.ndarray | float
    high: np.ndarray | float


def customers_of(truth, rng) -> tuple[pd.DataFrame, float]:
    """A sample with its holdout, and the length of that."""
    T, horizon = (12.0, 6.0) if isinstance(truth, BetaGeoBetaBinom) else (40.0, 20.0)
    options = {"horizon": horizon, "seed": int(rng.integers(2**31))}
    if hasattr(truth, "base"):
        known = pd.DataFrame({"app": rng.integers(0, 2, CUSTOMERS)})
        return truth.simulate(T, known, **options), horizon
    return truth.simulate(T, customers=CUSTOMERS, **options), horizon


def fresh(truth):
    if hasattr(truth, "base"):
        return with_covariates(truth.base, rate=truth.rate, dropout=truth.dropout)
    return RegularBetaGeo(k=truth.k) if isinstance(truth, RegularBetaGeo) else type(truth)()


def drawn_counts(name, rng, count):
    """What really came of the first ``count`` customers, and drawn counts, (count, draws)."""
    table, horizon = customers_of(TRUTHS[name], rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = fresh(TRUTHS[name]).fit(table)
    part, each = table.iloc[:count], np.arange(count)
    drawn = simulate_counts(model, part, each, count, horizon, 0.9, DRAWS, rng)[2]
    return part["holdout_frequency"].to_numpy(), drawn


def draw_total(name, rng):
    came, drawn = drawn_counts(name, rng, TOTAL_OF)
    return came.sum(), drawn.sum(axis=0)


def draw_customers(name, rng):
    return drawn_counts(name, rng, SINGLE)


def draw_transforms(name, rng):
    came, drawn = draw_customers(name, rng)
    less, equal = ((test(drawn, came[:, None])).sum(axis=1) for test in (np.less, np.equal))
    return (less + rng.random(SINGLE) * (equal + 1)) / (DRAWS + 1), None


def of_draws(drawn, level) -> Found:
    return Found(drawn.mean(), *bounds(drawn, level))


def of_counts(drawn, level) -> Found:
    sides = [(1 - level) / 2, (1 + level) / 2]
    return Found(drawn.mean(axis=1), *np.quantile(drawn, sides, axis=1, method="inverted_cdf"))


def central(_, level) -> Found:
    return Found(HALF, HALF * (1 - level), HALF * (1 + level))


def lower(_, level) -> Found:
    return Found(HALF, 0 * HALF, 2 * HALF * level)


def purchase_cells() -> list[Cell]:
    cells = []
    for name in TRUTHS:
        settings = {
            f"total of {TOTAL_OF}": (draw_total, of_draws, "two-sided", "", FEW),
            "one customer": (draw_customers, of_counts, "at least", "counts are whole"),
            "customer's transform, central": (draw_transforms, central),
            "customer's transform, lower": (draw_transforms, lower),
        }
        for what, (draw, *given) in settings.items():
            cells.append(Cell(f"forecast, {name}, {what}", partial(draw, name), *given))
    return cells
