"""Cells of the purchase models: 2,000 data sets each from the model that is then fitted.

Totals of 300 customers to +-2 points; of one customer's count at least nominal, as counts are
whole; and the randomised probability integral transform of that count, uniform if its central
shares hold to +-2 points (its interval is the central part of 0 to 1).
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
from cxlib.stats.calibration import Cell

CUSTOMERS, DRAWS = 300, 400
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
    estimate: float
    low: float
    high: float


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


def drawn_counts(name, rng, chosen):
    """What really came of the chosen customers together, and drawn totals of them."""
    table, horizon = customers_of(TRUTHS[name], rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = fresh(TRUTHS[name]).fit(table)
    part = table.iloc[chosen]
    codes = np.zeros(len(part), int)
    totals = simulate_counts(model, part, codes, 1, horizon, 0.9, DRAWS, rng)[2][0]
    return part["holdout_frequency"].sum(), totals


def draw_total(name, rng):
    return drawn_counts(name, rng, slice(None))


def draw_customer(name, rng):
    return drawn_counts(name, rng, slice(0, 1))


def draw_transform(name, rng):
    came, drawn = draw_customer(name, rng)
    less, equal = (drawn < came).sum(), (drawn == came).sum()
    return (less + rng.random() * (equal + 1)) / (DRAWS + 1), None


def of_draws(drawn, level) -> Found:
    return Found(drawn.mean(), *bounds(drawn, level))


def of_counts(drawn, level) -> Found:
    sides = [(1 - level) / 2, (1 + level) / 2]
    return Found(drawn.mean(), *np.quantile(drawn, sides, method="inverted_cdf"))


def central(_, level) -> Found:
    return Found(0.5, (1 - level) / 2, (1 + level) / 2)


def lower(_, level) -> Found:
    return Found(0.5, 0.0, level)


def purchase_cells() -> list[Cell]:
    cells = []
    for name in TRUTHS:
        cells += [
            Cell(f"forecast, {name}, total of 300", partial(draw_total, name), of_draws),
            Cell(
                f"forecast, {name}, one customer",
                partial(draw_customer, name),
                of_counts,
                "at least",
                "counts are whole",
            ),
            Cell(
                f"forecast, {name}, customer's transform, central",
                partial(draw_transform, name),
                central,
            ),
            Cell(
                f"forecast, {name}, customer's transform, lower",
                partial(draw_transform, name),
                lower,
            ),
        ]
    return cells
