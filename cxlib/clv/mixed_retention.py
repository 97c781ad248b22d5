"""What one retention rate for all hides: the value of customers who differ in how they stay."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import hyp2f1, polygamma

from cxlib.clv.formulas import check_numbers, retention_value
from cxlib.clv.interval import percent
from cxlib.errors import CxError

__all__ = ["RetentionBias", "leaving_from_rates", "retention_bias"]

REACH, NODES = 12.0, 2001


@dataclass(frozen=True)
class RetentionBias:
    """The value of mixed customers beside what the retention formula makes of their mean rate.

    Attributes
    ----------
    value : float
        Expected value of a customer, mean over the customers.
    naive : float
        The retention formula at the aggregate rate ``retention``.
    lifetime, naive_lifetime : float
        Expected years still to come: renewals, undiscounted; inf where the mean has no end.
    retention : float
        Share of the customers who renew next time.
    by_renewals : DataFrame
        By renewals made so far: customers, retention (of the next renewal), value, naive (the
        formula at the aggregate rate, the same for all).
    timing : str
    """

    value: float
    naive: float
    lifetime: float
    naive_lifetime: float
    retention: float
    by_renewals: pd.DataFrame = field(repr=False)
    timing: str

    @property
    def bias(self) -> float:
        """naive / value - 1: negative, as the formula undervalues; NaN where the value is 0."""
        return self.naive / self.value - 1 if self.value else float("nan")

    def to_frame(self) -> pd.DataFrame:
        """Mixed, naive and their ratio less 1, for value and lifetime."""
        found = pd.DataFrame(
            {
                "mixed": [self.value, self.lifetime],
                "naive": [self.naive, self.naive_lifetime],
            },
            index=pd.Index(["value", "lifetime"], name="quantity"),
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return found.assign(bias=found["naive"] / found["mixed"] - 1)

    def summary(self) -> str:
        """One sentence: both values and the bias."""
        return (
            f"Customers who differ are worth {self.value:,.2f} each; the retention formula at "
            f"their aggregate rate of {percent(self.retention, 1)} says {self.naive:,.2f}, "
            f"a bias of {percent(self.bias, 1, sign=True)} (timing: {self.timing})."
        )


def retention_bias(
    margin_per_year: float,
    a: float,
    b: float,
    discount_rate: float,
    *,
    renewals=0,
    customers=None,
    timing: str = "renewal",
) -> RetentionBias:
    """How far the retention formula misses the value of customers who differ (Fader & Hardie).

    Each customer leaves at a renewal with a probability p of their own, p ~ Beta(a, b). Of those
    who renewed k times already, the loyal remain, p ~ Beta(a, b+k), so that with v = 1/(1+i)::

        value(k) = m * E[(1-p)/(i+p)] = m * (b+k)/(a+b+k) v 2F1(1, b+k+1; a+b+k+1; v)
        lifetime(k) = (b+k)/(a-1)  for a > 1, else infinite
        naive = m r/(1+i-r),  r the mean of (b+k)/(a+b+k) over the customers

    r/(1+i-r) bends upwards in r, so that the value at the mean rate lies below the mean of the
    values: the bias is never positive where all customers renewed equally often, and 0 only where
    they are alike.

    Parameters
    ----------
    margin_per_year : float
    a, b : float
        Above 0; mean probability of leaving a/(a+b). ``leaving_from_rates`` finds them.
    discount_rate : float
        Yearly, >= 0. At 0 the value is finite only for a > 1.
    renewals : int or sequence of int
        Renewals made so far; one number a group of customers.
    customers : sequence of float, optional
        Customers in each group; default 1 each.
    timing : {"renewal", "start", "end"}
        As for ``retention_value``.

    Returns
    -------
    RetentionBias

    Raises
    ------
    CxError
        Impossible numbers, groups of different lengths, or an infinite value.

    References
    ----------
    Fader & Hardie (2010), doi:10.1287/mksc.1080.0482.

    Examples
    --------
    >>> found = retention_bias(100, a=0.7, b=1.2, discount_rate=0.1)
    >>> round(found.value), round(found.naive), round(found.bias, 2)
    (273, 135, -0.51)
    """
    check_numbers(
        margin_per_year=(margin_per_year, -np.inf, np.inf),
        discount_rate=(discount_rate, 0, np.inf),
        a=(a, 1e-9, np.inf),
        b=(b, 1e-9, np.inf),
    )
    made = np.atleast_1d(np.asarray(renewals, float))
    size = np.ones(len(made)) if customers is None else np.atleast_1d(np.asarray(customers, float))
    whole = np.isfinite(made) & (made >= 0) & (made % 1 == 0)
    if made.ndim != 1 or not made.size or not whole.all():
        raise CxError(f"renewals must be whole numbers >= 0, not {renewals!r}")
    if size.shape != made.shape or not (np.isfinite(size) & (size >= 0)).all() or not size.sum():
        raise CxError(
            f"customers must be one count >= 0 for each of {len(made)} renewals, at least one "
            f"customer in all, not {customers!r}"
        )
    if discount_rate == 0 and a <= 1:
        raise CxError(
            f"The value is infinite: with a = {a:g} <= 1 too many hardly ever leave, and nothing "
            "is discounted. Give a discount_rate above 0."
        )
    stays = (b + made) / (a + b + made)
    retention = float(size @ stays / size.sum())
    naive = retention_value(margin_per_year, retention, discount_rate, timing=timing)
    years = np.array([discounted_years(a, b + k, discount_rate) for k in made])
    factor = {"renewal": years, "start": 1 + years, "end": (1 + years) / (1 + discount_rate)}
    value = margin_per_year * factor[timing]
    lifetime = (b + made) / (a - 1) if a > 1 else np.full(len(made), np.inf)
    table = pd.DataFrame(
        {"customers": size, "retention": stays, "value": value, "naive": naive},
        index=pd.Index(made.astype(int), name="renewals"),
    )
    return RetentionBias(
        value=float(size @ value / size.sum()),
        naive=naive,
        lifetime=float(size @ lifetime / size.sum()) if a > 1 else float("inf"),
        naive_lifetime=retention / (1 - retention),
        retention=retention,
        by_renewals=table,
        timing=timing,
    )


def leaving_from_rates(first: float, second: float) -> tuple[float, float]:
    """a, b of Beta-distributed leaving, from the retention of a cohort's first and second year.

    With r1 = b/(a+b) and r2 = (b+1)/(a+b+1): a + b = (1-r2)/(r2-r1). Retention that rises with
    tenure is what differing customers look like.

    Raises
    ------
    CxError
        Rates outside 0 to 1, or a second that does not lie above the first.

    Examples
    --------
    >>> a, b = leaving_from_rates(0.6, 0.7)
    >>> round(a, 3), round(b, 3)
    (1.2, 1.8)
    """
    check_numbers(first=(first, 0, 1), second=(second, 0, 1))
    if not 0 < first < second < 1:
        raise CxError(
            f"Retention must rise from the first to the second year, within 0 to 1, not from "
            f"{first:g} to {second:g}. Where it does not, customers are alike or change: the mean "
            "rate in retention_value is then all that a mixture could say."
        )
    total = (1 - second) / (second - first)
    return (1 - first) * total, first * total


def discounted_years(a: float, b: float, rate: float) -> float:
    """E[(1-p)/(rate+p)] for p ~ Beta(a, b): renewals to come, discounted."""
    if rate == 0:
        return b / (a - 1)
    factor = 1 / (1 + rate)
    value = b / (a + b) * factor * hyp2f1(1, b + 1, a + b + 1, factor)
    if np.isfinite(value):
        return float(value)
    # hyp2f1 gives up where customers are all but alike; there the integral is narrow and easy
    width = np.sqrt(polygamma(1, a) + polygamma(1, b))
    u = np.log(a / b) + np.linspace(-REACH, REACH, NODES) * width
    p, log_density = 1 / (1 + np.exp(-u)), -a * np.logaddexp(0, -u) - b * np.logaddexp(0, u)
    weight = np.exp(log_density - log_density.max())
    return float(weight @ ((1 - p) / (rate + p)) / weight.sum())
