"""How much of the future comes from few of today's customers, named beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.interval import bounds, check_simulation, percent
from cxlib.errors import CxError
from cxlib.stats.interval import Interval

__all__ = ["TopShare", "top_share"]

CELLS = 2_000_000
POINTS = 101


@dataclass(frozen=True, eq=False)
class TopShare:
    """The customers named beforehand, and the share of what really came that they brought.

    Attributes
    ----------
    realised : Interval
        Share of the actual total brought by the named, with a bootstrap interval.
    predicted : float
        The share of predicted value they held.
    hindsight : float
        The share that the truly best ``share`` of customers brought: what no forecast can beat.
    share : float
        Share of customers named.
    named : Index
        Their ids, best first.
    customers : DataFrame
        value and actual of all, best first.
    curve : DataFrame
        By share of customers, best first: predicted, realised, low, high, hindsight; cumulative
        shares of the whole.
    newcomers : float
        Actual total of customers not known beforehand; part of the denominator.
    """

    realised: Interval
    predicted: float
    hindsight: float
    share: float
    named: pd.Index = field(repr=False)
    customers: pd.DataFrame = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    newcomers: float

    def to_frame(self) -> pd.DataFrame:
        """Predicted, realised and hindsight share, one row each."""
        nan = float("nan")
        return pd.DataFrame(
            {
                "share": [self.predicted, self.realised.estimate, self.hindsight],
                "low": [nan, self.realised.low, nan],
                "high": [nan, self.realised.high, nan],
            },
            index=pd.Index(["predicted", "realised", "hindsight"], name="reading"),
        )

    def summary(self) -> str:
        """The realised share with its interval, and what newcomers do to it."""
        r, known = self.realised, self.customers["actual"].sum()
        whole = "all that came, newcomers' spend included" if self.newcomers else "what came"
        new = (
            f" Newcomers brought {percent(self.newcomers / (known + self.newcomers))}; of what the "
            "known customers brought, which is all the model speaks of, the named hold "
            f"{percent(self.realised_of_known)}."
            if self.newcomers
            else " No newcomers are in these data, so they cannot say how much newcomers would "
            "lower the share."
        )
        return (
            f"The {len(self.named):,} customers named beforehand ({percent(self.share)}) "
            f"brought {percent(r.estimate)} of {whole}, {percent(r.level)} interval "
            f"{percent(r.low)} to {percent(r.high)}; the model had expected "
            f"{percent(self.predicted)}, and the best {percent(self.share)} in hindsight brought "
            f"{percent(self.hindsight)}.{new}"
        )

    @property
    def realised_of_known(self) -> float:
        """The named's share of what the customers known beforehand brought."""
        actual = self.customers["actual"]
        return float(actual.loc[self.named].sum() / actual.sum())

    def verdict(self, claimed: float) -> str:
        """Whether the named brought at least ``claimed`` of the whole, judged by the interval.

        "supported" where the interval lies above the claim, "contradicted" where it lies below,
        else "not decided by these data".
        """
        if self.realised.low > claimed:
            return "supported"
        return "contradicted" if self.realised.high < claimed else "not decided by these data"

    def plot(self, ax=None):
        """Cumulative share of the actual total; see ``plot_concentration``."""
        from cxlib.clv.plots import plot_concentration

        return plot_concentration(self, ax=ax)


def top_share(
    value: pd.Series,
    actual: pd.Series,
    share: float = 0.2,
    *,
    newcomers: float = 0.0,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 1,
) -> TopShare:
    """Name the most valuable customers beforehand and count what they bring.

    "80 % from 20 %" is three different claims: what the model expects of the customers it names,
    what those really bring, and what the best ones bring when they are named afterwards. Only the
    second helps anybody, and it alone has an interval here: customers are resampled, and the top
    is named anew in every resample by the same values. ``foreseen_share`` gives the first its
    interval, and says beforehand where the second will lie.

    Parameters
    ----------
    value : Series
        Predicted value by customer, made before ``actual`` happened. Ties are broken by the index.
    actual : Series
        What each customer really brought, >= 0; the same index in any order.
    share : float
        Share of customers to name, above 0 and below 1.
    newcomers : float
        What customers unknown beforehand brought. They belong to the future as well: with them the
        denominator is all that came. Default 0: the share among known customers.
    level, draws, seed
        Of the bootstrap interval.

    Returns
    -------
    TopShare

    Raises
    ------
    CxError
        Different customers in the two, missing or negative values, or a total of 0.

    Examples
    --------
    >>> value = pd.Series({"a": 90.0, "b": 40.0, "c": 30.0, "d": 20.0, "e": 10.0})
    >>> actual = pd.Series({"a": 60.0, "b": 0.0, "c": 20.0, "d": 20.0, "e": 0.0})
    >>> top_share(value, actual).realised.estimate
    0.6
    """
    check_simulation(level, draws)
    frame = checked(value, actual, share, newcomers)
    v, spent = frame["value"].to_numpy(), frame["actual"].to_numpy()
    count = max(1, round(share * len(frame)))
    whole = spent.sum() + newcomers
    steps = np.unique(np.append(np.linspace(0, len(frame), POINTS).astype(int), count))
    drawn = resampled(spent, steps, newcomers, draws, np.random.default_rng(seed))
    low, high = bounds(drawn, level, axis=0)
    realised = up_to(spent, steps) / whole
    curve = pd.DataFrame(
        {
            "predicted": up_to(v, steps) / (v.sum() or 1.0),
            "realised": realised,
            "low": np.minimum(low, realised),
            "high": np.maximum(high, realised),
            "hindsight": up_to(np.sort(spent)[::-1], steps) / whole,
        },
        index=pd.Index(steps / len(frame), name="share"),
    )
    at = curve.iloc[int(np.searchsorted(steps, count))]
    return TopShare(
        realised=Interval(
            float(at["realised"]),
            float(at["low"]),
            float(at["high"]),
            level,
            len(frame),
            "bootstrap",
            "share of what came",
        ),
        predicted=float(at["predicted"]),
        hindsight=float(at["hindsight"]),
        share=share,
        named=frame.index[:count],
        customers=frame,
        curve=curve,
        newcomers=float(newcomers),
    )


def up_to(values, steps):
    return np.append(0.0, values.cumsum(axis=-1))[steps]


def resampled(spent, steps, newcomers, draws, rng):
    """Realised shares of the first ``steps`` customers, best first, in bootstrap resamples."""
    size = len(spent)
    shares = np.empty((draws, len(steps)))
    chunk = max(1, CELLS // size)
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        picked = np.sort(rng.integers(0, size, (rows, size)), axis=1)
        summed = np.zeros((rows, size + 1))
        np.cumsum(spent[picked], axis=1, out=summed[:, 1:])
        whole = summed[:, -1:] + newcomers
        shares[start : start + rows] = summed[:, steps] / np.where(whole > 0, whole, 1.0)
    return shares


def checked(value, actual, share, newcomers):
    if not 0 < share < 1:
        raise CxError(f"share must lie between 0 and 1 (a fifth is 0.2), not {share!r}")
    if not (np.isfinite(newcomers) and newcomers >= 0):
        raise CxError(f"newcomers must be a finite total >= 0, not {newcomers!r}")
    for name, series in (("value", value), ("actual", actual)):
        if not isinstance(series, pd.Series) or not series.index.is_unique:
            raise CxError(f"{name} must be a Series with one row a customer")
        numbers = series.to_numpy(dtype=float, na_value=np.nan)
        bad = ~(np.isfinite(numbers) & (numbers >= 0))
        if bad.any():
            raise CxError(
                f"{name} must hold finite numbers >= 0: {int(bad.sum()):,} of {len(series):,} are "
                f"not, first customer {series.index[int(np.argmax(bad))]!r}"
            )
    if len(value) < 2 or not value.index.sort_values().equals(actual.index.sort_values()):
        raise CxError(
            "value and actual must hold the same customers, at least two: "
            f"{len(value.index.difference(actual.index)):,} only have a value, "
            f"{len(actual.index.difference(value.index)):,} only an actual. Newcomers go into "
            "newcomers=; customers who bought nothing have an actual of 0."
        )
    frame = pd.DataFrame({"value": value.astype(float), "actual": actual.astype(float)})
    if frame["actual"].sum() <= 0:
        raise CxError("Nobody brought anything: there is no whole to take a share of.")
    return frame.sort_index().sort_values("value", ascending=False, kind="stable")
