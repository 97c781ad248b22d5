"""After a price rise: did those who would recommend stay, and did the rise move the answers?"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.behaviour import follow_up, need_columns
from cxlib.stats.clusters import cluster_difference
from cxlib.stats.interval import Difference, Interval
from cxlib.stats.proportions import proportion, risk_difference

__all__ = ["PriceRise", "after_price_rise"]

QUESTIONS = ("nps", "intent")


@dataclass(frozen=True)
class PriceRise:
    """Churn after a price rise, by the latest recommendation before it.

    Attributes
    ----------
    promoters : Interval
        Share of promoters who churned.
    protection : Difference
        Share of all others who churned minus that of promoters: what recommendation holds.
    moved : dict of str to Interval
        Mean answer after the rise minus before, by question.
    customers : DataFrame
        The customers followed, with nps and churned.
    day : Timestamp
    wait_weeks, horizon_weeks : float
    """

    promoters: Interval
    protection: Difference
    moved: dict[str, Interval]
    customers: pd.DataFrame = field(repr=False)
    day: pd.Timestamp
    wait_weeks: float
    horizon_weeks: float

    @property
    def end(self) -> pd.Timestamp:
        """Last day that is looked at."""
        return self.day + pd.Timedelta(weeks=self.wait_weeks + self.horizon_weeks)

    def to_frame(self) -> pd.DataFrame:
        """measure, estimate, low, high, n."""
        found = {"promoters who churned": self.promoters, "protection": self.protection}
        found |= {f"answers to {name} moved": interval for name, interval in self.moved.items()}
        rows = [[name, f.estimate, f.low, f.high, f.n] for name, f in found.items()]
        return pd.DataFrame(rows, columns=["measure", "estimate", "low", "high", "n"])

    def summary(self) -> str:
        """One sentence: how many promoters were lost, and how much better held they were."""
        lost, held = self.promoters, self.protection
        return (
            f"Of {lost.n:,.0f} promoters before the rise of {self.day:%Y-%m-%d}, "
            f"{100 * lost.estimate:.0f} % [{100 * lost.low:.0f}, {100 * lost.high:.0f}] had "
            f"churned by {self.end:%Y-%m-%d}; of all others "
            f"{100 * held.estimate:+z.1f} points "
            f"[{100 * held.low:z.1f}, {100 * held.high:z.1f}] more "
            f"({100 * lost.level:g} % intervals, n = {held.n:,.0f})."
            + "".join(
                f" The mean answer to {name} moved by {moved:+z.2f}."
                for name, moved in self.moved.items()
            )
        )

    def plot(self, ax=None):
        """Share who churned of promoters and of all others."""
        from cxlib.figures.prediction import plot_contest

        fan = self.customers["nps"] >= 9
        rows = []
        for name, part in (("promoters", fan), ("all others", ~fan)):
            share = _share(self.customers.loc[part, "churned"], self.promoters.level)
            rows.append([name, share.estimate, share.low, share.high])
        columns = ["predictor", "estimate", "low", "high"]
        return plot_contest(pd.DataFrame(rows, columns=columns), label="share who churned", ax=ax)


def after_price_rise(
    sittings: pd.DataFrame,
    transactions: pd.DataFrame,
    day,
    *,
    wait_weeks: float = 26,
    horizon_weeks: float = 26,
    window_weeks: float = 26,
    customers: pd.DataFrame | None = None,
    fewest: int = 20,
    level: float = 0.95,
) -> PriceRise:
    """Who churned after a price rise, by the latest recommendation before it.

    Churned: no purchase in the `horizon_weeks` that begin `wait_weeks` after the rise, or a
    contract that ended since. The wait is needed: who leaves over the price has bought at it at
    least once, and would not be missed in the first weeks.

    Where all prices rose on one day, nobody is left to compare with: a season or a competitor
    may have come with it. What can be said is how many promoters churned, whether fewer than of
    the others, and how far answers moved.

    Parameters
    ----------
    sittings : DataFrame
        customer_id, answered_at, nps, perhaps intent (`cx.answers_side_by_side`).
    transactions : DataFrame
    day : date
        When prices rose.
    wait_weeks, horizon_weeks : float
        When customers begin to be looked at, and for how long.
    window_weeks : float
        How far before and after the day answers are taken.
    customers : DataFrame, optional
        With left_at.
    fewest : int
        Promoters, and others, that are needed.
    level : float

    Returns
    -------
    PriceRise

    Raises
    ------
    CxError
        The rise or its horizon lies outside the data, or too few customers answered before it.

    Examples
    --------
    >>> who = [f"c{i}" for i in range(80)]
    >>> said = pd.DataFrame({"customer_id": who, "answered_at": pd.Timestamp("2025-02-01"),
    ...                      "nps": [10, 5] * 40})
    >>> orders = pd.DataFrame({"customer_id": [*who, *who[::2], who[0]], "amount": 9.0,
    ...     "ordered_at": pd.to_datetime(["2025-01-20"] * 80 + ["2025-11-20"] * 40
    ...                                  + ["2026-12-31"])})
    >>> found = after_price_rise(said, orders, "2025-03-01")
    >>> found.promoters.estimate, found.protection.estimate
    (0.0, 1.0)
    """
    if day is None or transactions is None:
        raise CxError(
            "A price rise needs the date of the rise and a file of transactions: "
            f"{'the date' if day is None else 'the file'} is missing."
        )
    need_columns(sittings, ["customer_id", "answered_at", "nps"], "A price rise")
    need_columns(transactions, ["ordered_at"], "A price rise")
    day, window = pd.Timestamp(day), pd.Timedelta(weeks=window_weeks)
    when = _naive(sittings["answered_at"])
    bought = _naive(transactions["ordered_at"])
    weeks = wait_weeks + horizon_weeks
    if not bought.min() < day <= bought.max() - pd.Timedelta(weeks=weeks):
        raise CxError(
            f"The price rise of {day:%Y-%m-%d} and {weeks:g} weeks after it must lie "
            f"within the purchases, {bought.min():%Y-%m-%d} to {bought.max():%Y-%m-%d}."
        )
    near = sittings.assign(answered_at=when)[(when >= day - window) & (when < day + window)]
    earlier = near["answered_at"] < day
    before = near[earlier].sort_values("answered_at").drop_duplicates("customer_id", keep="last")
    fans = int((before["nps"] >= 9).sum())
    if min(fans, len(before) - fans) < fewest:
        raise CxError(
            f"A price rise needs {fewest} promoters and {fewest} others who answered in the "
            f"{window_weeks:g} weeks before {day:%Y-%m-%d}: found {fans} and {len(before) - fans}."
        )
    about = {"customers": customers, "when_col": "day"}
    after = follow_up(before.assign(day=day), transactions, horizon_weeks=weeks, **about)
    late = after[["customer_id"]].assign(day=day + pd.Timedelta(weeks=wait_weeks))
    late = follow_up(
        late, transactions, horizon_weeks=horizon_weeks, before_weeks=None, when_col="day"
    )
    left = after.get("left", False)
    after = after.assign(churned=late["quiet"].to_numpy() | left)
    fan = after["nps"] >= 9
    sides = [after.loc[part, "churned"] for part in (~fan, fan)]
    if min(map(len, sides)) < fewest:
        raise CxError(
            f"A price rise needs {fewest} promoters and {fewest} others who had been buying: "
            f"found {len(sides[1])} and {len(sides[0])}."
        )
    moved = {}
    for name in QUESTIONS:
        given = near[near[name].notna()] if name in near else near[:0]
        late = (given["answered_at"] >= day).to_numpy()
        groups = [given.loc[part, "customer_id"].nunique() for part in (late, ~late)]
        if min(groups) >= fewest:
            scores = given[name].astype(float)
            moved[name] = cluster_difference(
                scores, late, ~late, given["customer_id"].astype(object), level=level
            )
    protection = risk_difference(*((int(s.sum()), len(s)) for s in sides), level=level)
    protection = Difference(**{**vars(protection), "n": len(after)})
    lost = _share(sides[1], level)
    return PriceRise(lost, protection, moved, after, day, float(wait_weeks), float(horizon_weeks))


def _share(churned, level: float) -> Interval:
    return proportion(int(np.sum(churned)), len(churned), level=level)


def _naive(when: pd.Series) -> pd.Series:
    when = pd.to_datetime(when)
    return when.dt.tz_localize(None) if when.dt.tz is not None else when
