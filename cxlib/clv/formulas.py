"""The two textbook formulas of customer value, with their timing said aloud."""

from __future__ import annotations

import math

from cxlib.errors import CxError, Problem

__all__ = ["retention_value", "simple_value"]

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
    more and more the loyal ones (Fader & Hardie 2010, doi:10.1287/mksc.1080.0482).

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


def check_numbers(**values):
    problems = [
        Problem(f"{name} = {value!r}", allowed=f"a finite number from {low:g} to {high:g}")
        for name, (value, low, high) in values.items()
        if not (isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high)
    ]
    if problems:
        raise CxError("The formula cannot be evaluated.", problems)
