"""The weak spot of BG/NBD, looked at: customers with a single purchase."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.histories import require_columns
from cxlib.clv.holdout_check import Holdout
from cxlib.clv.interval import in_words, percent
from cxlib.stats.interval import Interval

__all__ = ["OneTimeBuyers", "one_time_buyers"]


@dataclass(frozen=True)
class OneTimeBuyers:
    """What the model says of customers with and without a repeat purchase, and what came.

    Attributes
    ----------
    table : DataFrame
        Index group ("one purchase", "came back", where there are any); columns customers, p_alive
        (mean), bought_again (share with a purchase in the holdout), expected and actual (mean
        purchases in it).
    expected : Interval or None
        Purchases of all one-time buyers in the holdout, with prediction interval; None without any.
    actual : int
        What they really bought.
    """

    table: pd.DataFrame = field(repr=False)
    expected: Interval | None
    actual: int

    def to_frame(self) -> pd.DataFrame:
        """One row a group, as in ``table``."""
        return self.table.copy()

    def elsewhere(self) -> str:
        """Predicted over actual among those who came back, to tell a common cause by."""
        if "came back" not in self.table.index:
            return ""
        back = self.table.loc["came back"]
        return (
            f". Those who came back were expected to make {back['expected']:.2f} purchases each "
            f"and made {back['actual']:.2f}: where both groups miss alike, the cause is not the "
            "peculiarity but something common to all, such as a season"
        )

    def summary(self) -> str:
        """Whether the model expects too much of one-time buyers here."""
        if self.expected is None:
            return "Nobody bought only once, so the peculiarity of one-time buyers has no effect."
        e, row = self.expected, self.table.loc["one purchase"]
        if self.actual < e.low:
            verdict = f"fewer than the model can explain{self.elsewhere()}"
        elif self.actual > e.high:
            verdict = f"more than the model can explain{self.elsewhere()}"
        else:
            verdict = "inside the interval, so the peculiarity does no visible harm here"
        active = "all" if row["p_alive"] == 1 else percent(row["p_alive"])
        return (
            f"Of {row['customers']:,.0f} customers with a single purchase, {active} of them "
            f"active to the model, it expected {in_words(e, digits=0)} purchases "
            f"({percent(e.level)} prediction interval) and {self.actual:,} came: {verdict}."
        )


def one_time_buyers(model, summary: pd.DataFrame, check: Holdout) -> OneTimeBuyers:
    """Judge P(alive) = 1 of one-time buyers by what they did in the holdout.

    In BG/NBD customers leave only after a repeat purchase, so P(alive) of a one-time buyer is 1
    however long the silence. "Active" is not "will buy", so purchases are what counts. MBG/NBD and
    Pareto/NBD know no such peculiarity and may be judged alike.

    Parameters
    ----------
    model : BetaGeo
    summary : DataFrame
        With holdout columns, from ``summarize(..., calibration_until=...)``.
    check : Holdout
        Of the same model and summary: brings the prediction interval.

    Returns
    -------
    OneTimeBuyers

    Raises
    ------
    CxError
        A column is missing.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo, holdout
    >>> truth = BetaGeo({"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5})
    >>> summary = truth.simulate(40.0, customers=500, horizon=20.0, seed=3)
    >>> found = one_time_buyers(truth, summary, holdout(truth, summary))
    >>> float(found.table.loc["one purchase", "p_alive"])
    1.0
    >>> "inside the interval" in found.summary()
    True
    """
    require_columns(summary, ("holdout_frequency", "holdout_duration"))
    came_back = (summary["frequency"] > 0).map({False: "one purchase", True: "came back"})
    columns = pd.DataFrame(
        {
            "customers": 1,
            "p_alive": model.p_alive(summary),
            "bought_again": (summary["holdout_frequency"] > 0).astype(float),
            "expected": model.expected_purchases(summary, summary["holdout_duration"]),
            "actual": summary["holdout_frequency"],
        }
    ).groupby(came_back.rename("group"))
    table = columns.mean().assign(customers=columns.size()).sort_index(ascending=False)
    row = check.by_frequency.reindex([0]).iloc[0]
    if np.isnan(row["customers"]):
        return OneTimeBuyers(table, None, 0)
    count = int(row["customers"])
    ends = sorted(row[["low", "predicted", "high"]] * count)
    expected = Interval(
        row["predicted"] * count, ends[0], ends[2], check.level, count, "prediction", "purchases"
    )
    return OneTimeBuyers(table, expected, round(row["actual"] * count))
