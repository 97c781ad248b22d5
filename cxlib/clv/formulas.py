"""The two textbook formulas of customer value, with their timing said aloud."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem

__all__ = ["less_churn_value", "retention_value", "simple_value"]

TIMINGS = {
    "renewal": "the first margin comes after a year, if the customer is still there",
    "start": "a margin comes at the start of each year, the first at once",
    "end": "a margin comes at the end of each year from all who began it",
}


def simple_value(
    order_value: float, orders_per_year: float, years: float, costs: float = 0.0
) -> float:
    """Order value x orders a year x years - costs, in the currency of ``order_value``.

    It knows neither discounting nor differences between customers, and takes the years as given.

    Raises
    ------
    CxError
        A value is not finite, or order value, orders or years are negative.

    Examples
    --------
    >>> simple_value(order_value=100, orders_per_year=4, years=2, costs=150)
    650.0
    """
    check_numbers(
        order_value=(order_value, 0, math.inf),
        orders_per_year=(orders_per_year, 0, math.inf),
        years=(years, 0, math.inf),
        costs=(costs, -math.inf, math.inf),
    )
    return float(order_value * orders_per_year * years - costs)


def retention_value(
    margin_per_year: float,
    retention: float,
    discount_rate: float,
    *,
    timing: str = "renewal",
    costs: float = 0.0,
) -> float:
    """Value to infinity at a constant retention rate r and yearly discount rate i.

    ========== ================================================== =======================
    timing     when the margin m comes                            value
    ========== ================================================== =======================
    renewal    after each year, if the customer is still there    m r / (1 + i - r)
    start      at the start of each year, the first at once       m (1 + i) / (1 + i - r)
    end        at the end of each year, from all who began it     m / (1 + i - r)
    ========== ================================================== =======================

    The three differ by a year's margin and more, so a value without its timing says little. One
    retention rate for all customers understates the value of a mixed group: those who stay are
    more and more the loyal ones (Fader & Hardie 2010, doi:10.1287/mksc.1080.0482);
    ``retention_bias`` computes by how much.

    Parameters
    ----------
    margin_per_year : float
    retention : float
        Share of customers who stay from one year to the next, 0 to 1.
    discount_rate : float
        Yearly, >= 0; 0.1 is ten per cent. With retention 1 it must be above 0.
    timing : {"renewal", "start", "end"}
    costs : float
        Subtracted once, undiscounted, such as the cost of acquisition.

    Examples
    --------
    >>> retention_value(200, retention=0.8, discount_rate=0.1)
    533.33...
    >>> round(retention_value(200, retention=0.8, discount_rate=0.1, timing="start"), 2)
    733.33
    """
    check_numbers(
        margin_per_year=(margin_per_year, -math.inf, math.inf),
        retention=(retention, 0, 1),
        discount_rate=(discount_rate, 0, math.inf),
        costs=(costs, -math.inf, math.inf),
    )
    if timing not in TIMINGS:
        raise CxError(
            f"timing {timing!r} is unknown. Allowed: "
            + "; ".join(f"{name} ({meaning})" for name, meaning in TIMINGS.items())
        )
    if retention == 1 and discount_rate == 0:
        raise CxError("The value is infinite: nobody leaves (retention 1), nothing is discounted")
    factor = {"renewal": retention, "start": 1 + discount_rate, "end": 1.0}[timing]
    return float(margin_per_year * factor / (1 + discount_rate - retention) - costs)


def less_churn_value(
    margin_per_year: float,
    retention: float,
    discount_rate: float,
    *,
    less=(0.01, 0.02, 0.05, 0.1, 0.2),
    timing: str = "renewal",
) -> pd.DataFrame:
    """What less churn is worth by the retention formula, in both readings of "5 % less".

    ``points``: retention rises by so many percentage points, at most to 1. ``leavers``: so large a
    share of those who would have left stays. At 80 % retention "5 % less churn" means 85 % in the
    first reading and 81 % in the second: the same words, a fivefold difference.

    Parameters
    ----------
    margin_per_year, retention, discount_rate, timing
        As for ``retention_value``.
    less : float or sequence of float
        Shares from 0 to 1.

    Returns
    -------
    DataFrame
        One row a value of ``less`` and reading: less, reading, retention, value, change (share of
        the value at the retention given; NaN where that is 0). It assumes that the margin stays
        and that keeping more costs nothing.

    Examples
    --------
    >>> less_churn_value(200, 0.8, 0.1, less=0.05).round(3)
       less  reading  retention    value  change
    0  0.05   points       0.85  680.000   0.275
    1  0.05  leavers       0.81  558.621   0.047
    """
    steps = np.atleast_1d(np.asarray(less, float))
    if not ((steps >= 0) & (steps <= 1)).all():
        raise CxError(f"less must hold shares from 0 to 1 (five per cent is 0.05), not {less!r}")
    now = retention_value(margin_per_year, retention, discount_rate, timing=timing)
    rows = []
    for step in steps.tolist():
        readings = {
            "points": min(retention + step, 1.0),
            "leavers": 1 - (1 - retention) * (1 - step),
        }
        for reading, kept in readings.items():
            value = retention_value(margin_per_year, kept, discount_rate, timing=timing)
            change = value / now - 1 if now else math.nan
            rows.append((step, reading, kept, value, change))
    return pd.DataFrame(rows, columns=["less", "reading", "retention", "value", "change"])


def check_numbers(**values):
    problems = [
        Problem(f"{name} = {value!r}", allowed=f"a finite number from {low:g} to {high:g}")
        for name, (value, low, high) in values.items()
        if not (isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high)
    ]
    if problems:
        raise CxError("The formula cannot be evaluated.", problems)
