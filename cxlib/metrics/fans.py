"""Promoters who do not intend to buy: who they are, and the list of those to call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.behaviour import need_columns
from cxlib.metrics.matrix import IntentMatrix
from cxlib.stats.clusters import FEWEST_AMOUNTS
from cxlib.stats.interval import Interval
from cxlib.stats.multiplicity import adjust_p
from cxlib.stats.proportions import risk_difference

__all__ = ["FanCost", "fan_cost", "fan_traits", "quiet_fans"]

PROMOTER = 9
QUIET, LOUD = ("promoter", "low"), ("promoter", "high")


@dataclass(frozen=True)
class FanCost:
    """Promoters of low intention against promoters of high intention.

    Attributes
    ----------
    churned : Interval
        Share who churned, low minus high.
    spend : Interval or None
        Mean later spend, likewise; None where a cell has too few customers for amounts.
    answers : int
        Answers of promoters of low intention.
    """

    churned: Interval
    spend: Interval | None
    answers: int

    def to_frame(self) -> pd.DataFrame:
        """measure, estimate, low, high: per answer, and spend over all answers."""
        rows = [["churned", self.churned.estimate, self.churned.low, self.churned.high]]
        if self.spend is not None:
            found = [self.spend.estimate, self.spend.low, self.spend.high]
            rows += [["spend", *found], ["spend, all", *(self.answers * v for v in found)]]
        return pd.DataFrame(rows, columns=["measure", "estimate", "low", "high"])

    def plot(self, ax=None):
        """The difference of the shares who churned."""
        return self.churned.plot(ax)

    def summary(self, currency: str = "EUR") -> str:
        """What they cost, and what that number is not."""
        churned, spend, n = self.churned, self.spend, self.answers
        text = (
            f"After {n:,} answers of promoters with a low intention {100 * churned.estimate:+z.1f} "
            f"points [{100 * churned.low:.1f}, {100 * churned.high:.1f}] more churned than after "
            "those with a high one"
        )
        if spend is None:
            return f"{text}. They are too few to tell their spend: its long tail needs more."
        return (
            f"{text}, and spend differed by {spend:+,.0f} {currency} each. Together "
            f"that is {n * spend.estimate:+,.0f} {currency}, anywhere between "
            f"{n * spend.low:,.0f} and {n * spend.high:,.0f}: a difference between customers, not "
            "a sum that a call would bring back."
        )


def fan_cost(matrix: IntentMatrix, *, churned: str = "churned", spend: str = "spend") -> FanCost:
    """What promoters of low intention cost, against promoters of high intention.

    Parameters
    ----------
    matrix : IntentMatrix
        With both outcomes.
    churned, spend : str
        Names of the outcomes.

    Raises
    ------
    CxError
        An outcome is missing, or a cell has too few customers (`IntentMatrix.difference`).

    Examples
    --------
    >>> from cxlib.metrics.matrix import intent_matrix
    >>> frame = pd.DataFrame({"customer_id": range(160), "nps": 10, "intent": [2, 9] * 80,
    ...                       "churned": [True, False, False, False] * 40, "spend": range(160)})
    >>> cost = fan_cost(intent_matrix(frame, outcomes=["churned", "spend"]))
    >>> cost.churned.estimate, cost.spend.estimate, cost.answers
    (0.5, -1.0, 80)
    """
    sizes = [matrix.cell(*cell)["customers"] for cell in (QUIET, LOUD)]
    known = min(sizes) >= FEWEST_AMOUNTS
    return FanCost(
        matrix.difference(churned, QUIET, LOUD),
        matrix.difference(spend, QUIET, LOUD) if known else None,
        int(matrix.cell(*QUIET)["n"]),
    )


def fan_traits(matrix: IntentMatrix, traits: Sequence[str], *, level: float = 0.95) -> pd.DataFrame:
    """How promoters of low intention differ from all other promoters, trait by trait.

    Parameters
    ----------
    matrix : IntentMatrix
    traits : sequence of str
        Columns of the matrix' frame: segment, country, role and the like. Missing values are left
        out.
    level : float

    Returns
    -------
    DataFrame
        trait, n (promoters who have it), difference of shares, low, high, p: adjusted for all
        traits looked at (Benjamini-Hochberg), the smallest first. Traits of fewer than
        `matrix.min_cell` promoters are left out.

    Raises
    ------
    CxError
        A column is missing, or either group has fewer customers than `matrix.min_cell`.

    References
    ----------
    Benjamini & Hochberg 1995, Journal of the Royal Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> from cxlib.metrics.matrix import intent_matrix
    >>> frame = pd.DataFrame({"customer_id": range(80), "nps": 10, "intent": [2, 9] * 40,
    ...                       "country": ["DE", "AT", "DE", "DE"] * 20})
    >>> fan_traits(intent_matrix(frame), ["country"])[["trait", "difference"]].values.tolist()
    [['country: AT', -0.5], ['country: DE', 0.5]]
    """
    need_columns(matrix.frame, traits, "Traits of promoters")
    promoters = matrix.frame[matrix.frame["recommendation"] == "promoter"]
    if "answered_at" in promoters:
        promoters = promoters.sort_values("answered_at", kind="stable")
    promoters = promoters.drop_duplicates("customer_id", keep="last")
    low = (promoters["intention"] == "low").to_numpy()
    if min(low.sum(), (~low).sum()) < matrix.min_cell:
        raise CxError(
            f"{int(low.sum())} promoters of low intention and {int((~low).sum())} others: "
            f"{matrix.min_cell} of each are needed to tell who they are."
        )
    rows = []
    for name in traits:
        values = promoters[name].astype(object)
        known = values.notna().to_numpy()
        for value in sorted(values[known].unique(), key=str):
            has = (values == value).to_numpy()
            if matrix.min_cell <= has.sum() < known.sum():
                sides = [(int((has & s).sum()), int((known & s).sum())) for s in (low, ~low)]
                if min(size for _, size in sides) > 0:
                    found = risk_difference(*sides, level=level)
                    ends = [found.estimate, found.low, found.high, found.p]
                    rows.append([f"{name}: {value}", int(has.sum()), *ends])
    table = pd.DataFrame(rows, columns=["trait", "n", "difference", "low", "high", "p"])
    table = table.sort_values("p", kind="stable", ignore_index=True)  # adjusted ones often tie
    if len(table):
        table["p"] = np.atleast_1d(adjust_p(table["p"].to_numpy()))
    return table


def quiet_fans(
    sittings: pd.DataFrame,
    *,
    low_until: float,
    transactions: pd.DataFrame | None = None,
    customers: pd.DataFrame | None = None,
    keep: Sequence[str] = (),
) -> pd.DataFrame:
    """Promoters whose latest stated intention is low and who have not left, best customers first.

    Parameters
    ----------
    sittings : DataFrame
        customer_id, nps, intent, perhaps answered_at.
    low_until : float
        An intention up to this answer is low.
    transactions : DataFrame, optional
        customer_id, amount: adds spent_so_far, which orders the list.
    customers : DataFrame, optional
        With left_at: who has left is not on the list.
    keep : sequence of str
        Further columns to show.

    Returns
    -------
    DataFrame
        customer_id, answered_at, nps, intent, `keep`, spent_so_far.

    Examples
    --------
    >>> said = pd.DataFrame({"customer_id": list("aabc"), "nps": [10, 10, 9, 5],
    ...                      "intent": [9, 2, 4, 0]})
    >>> quiet_fans(said, low_until=5)["customer_id"].tolist()
    ['a', 'b']
    """
    need_columns(sittings, ["customer_id", "nps", "intent", *keep], "A list of promoters")
    given = sittings[sittings["nps"].notna() & sittings["intent"].notna()]
    given = given.assign(customer_id=given["customer_id"].astype(object))
    dated = "answered_at" in given
    given = given.sort_values("answered_at", kind="stable") if dated else given
    latest = given.drop_duplicates("customer_id", keep="last")
    found = latest[(latest["nps"] >= PROMOTER) & (latest["intent"] <= low_until)]
    if customers is not None and "left_at" in customers:
        gone = set(customers.loc[customers["left_at"].notna(), "customer_id"].astype(object))
        found = found[~found["customer_id"].isin(gone)]
    columns = ["customer_id", *(["answered_at"] if dated else []), "nps", "intent", *keep]
    if transactions is not None:
        who = transactions["customer_id"].astype(object)
        spent = transactions["amount"].groupby(who).sum()
        found = found.assign(spent_so_far=found["customer_id"].map(spent).fillna(0.0))
        found = found.sort_values("spent_so_far", ascending=False, kind="stable")
        columns.append("spent_so_far")
    return found[columns].reset_index(drop=True)
