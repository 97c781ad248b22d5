"""Recommendation crossed with intention: who says both, who says only one, what they do later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, small_groups
from cxlib.metrics.answers import read_answers
from cxlib.metrics.behaviour import clustered_share, need_columns
from cxlib.metrics.intention import ask_for_intent_scale
from cxlib.metrics.votes import settled_scale, told_in_words
from cxlib.stats.checks import critical_value, weighed
from cxlib.stats.clusters import FEWEST_AMOUNTS, cluster_difference, cluster_mean
from cxlib.stats.shrinkage import shrink

__all__ = ["RECOMMENDATION", "IntentMatrix", "intent_matrix"]

RECOMMENDATION = ("detractor", "passive", "promoter")
INTENTION = ("low", "middle", "high")


@dataclass(frozen=True)
class IntentMatrix:
    """Nine cells of recommendation and intention.

    Attributes
    ----------
    cells : DataFrame
        recommendation, intention, n (answers), customers, share, small, and for each outcome NAME,
        NAME_low, NAME_high, NAME_shrunken, NAME_shrunken_low, NAME_shrunken_high; the outcomes of
        small cells are missing.
    frame : DataFrame
        The answers with their two classes.
    outcomes : tuple of str
    intent_scale : (lowest, highest)
    low_until, high_from : float
        Where intention ends to be low, and begins to be high.
    level : float
    min_cell : int
    weights : ndarray
        One a row of `frame`; ones unless given.
    """

    cells: pd.DataFrame = field(repr=False)
    frame: pd.DataFrame = field(repr=False)
    outcomes: tuple[str, ...]
    intent_scale: tuple[float, float]
    low_until: float
    high_from: float
    level: float
    min_cell: int
    weights: np.ndarray = field(repr=False)

    def cell(self, recommendation: str, intention: str) -> pd.Series:
        """One cell by its two classes."""
        at = (self.cells["recommendation"] == recommendation) & (
            self.cells["intention"] == intention
        )
        if not at.any():
            raise CxError(f"There is no cell {recommendation!r}, {intention!r}.")
        return self.cells[at].iloc[0]

    def difference(self, outcome: str, first: tuple[str, str], second: tuple[str, str]):
        """Mean outcome of one cell minus that of another, customers of both counted once.

        Returns
        -------
        Interval
            `cluster_difference`: a customer may have answered into both cells. Long-tailed
            amounts need 80 customers a cell (`cluster_mean`).
        """
        if outcome not in self.outcomes:
            raise CxError(f"{outcome!r} is no outcome here: {', '.join(self.outcomes) or 'none'}.")
        pair = self.frame["recommendation"].astype(object) + "|" + self.frame["intention"]
        sides = [(pair == "|".join(side)).to_numpy() for side in (first, second)]
        who = self.frame["customer_id"].astype(object).to_numpy()
        if any(len(set(who[side])) < max(2, self.min_cell) for side in sides):
            raise CxError(f"One of the cells {first}, {second} has too few customers to compare.")
        given = {"weights": self.weights, "level": self.level}
        return cluster_difference(self.frame[outcome], *sides, who, **given)

    def to_frame(self) -> pd.DataFrame:
        return self.cells.copy()

    def summary(self) -> str:
        """How many say both, and how many recommend without intending to buy."""
        chosen = (self.frame["recommendation"] == "promoter").to_numpy()
        promoters, weights = self.frame[chosen], self.weights[chosen]
        both, only = (self.cell("promoter", end) for end in ("high", "low"))
        if only["customers"] < self.min_cell:
            return f"Fewer than {self.min_cell} promoters state a low intention: too few to show."
        share = clustered_share(
            promoters["intention"] == "low", promoters["customer_id"], weights, level=self.level
        )
        return (
            f"Of {len(promoters):,} answers of promoters, {both['n']:,} state a high intention "
            f"and {only['n']:,} a low one: {100 * share.estimate:.0f} % recommend what they do "
            f"not intend to buy ({100 * self.level:g} % interval {100 * share.low:.0f} to "
            f"{100 * share.high:.0f} %)."
        )

    def plot(self, outcome: str | None = None, *, shrunken: bool = True, ax=None, **style):
        """The nine cells with their sizes, shaded by an outcome; see `cx.plot_matrix`."""
        from cxlib.figures.matrix import plot_matrix

        return plot_matrix(
            self.cells, outcome, shrunken=shrunken, min_cell=self.min_cell, ax=ax, **style
        )


def intent_matrix(
    frame: pd.DataFrame,
    *,
    outcomes: Sequence[str] = (),
    intent_scale: tuple[float, float] | None = None,
    low_until: float | None = None,
    high_from: float | None = None,
    weight_col: str | None = None,
    scale: str = "ask",
    level: float = 0.95,
    min_cell: int = MIN_CELL,
) -> IntentMatrix:
    """Cross recommendation (0-6, 7-8, 9-10) with stated intention (low, middle, high).

    Each outcome gets, by cell, its mean or share with an interval that counts each customer once,
    and an estimate shrunken towards the mean of all cells: with nine cells one always looks
    special. Cells of fewer than `min_cell` customers show their outcomes to nobody.

    Parameters
    ----------
    frame : DataFrame
        One row a sitting, as `cx.answers_side_by_side` gives it: customer_id, nps, intent and the
        outcomes. Rows without both answers are left out.
    outcomes : sequence of str
        Columns of later behaviour, true/false or amounts, without missing values. Amounts need 80
        customers a cell, where their intervals hold what they promise; those of others are missing.
    intent_scale : (lowest, highest), optional
        0 to 10 by default; answers that look like another scale are then asked about.
    low_until, high_from : float, optional
        Intention is low up to and including `low_until`, by default the middle of the scale, and
        high from `high_from`, by default four fifths of its length: 5 and 8 on 0-10, 3 and 4 on
        1-5, 4 and 6 on 1-7.
    weight_col : str, optional
        Weights, 0 or more, of shares and outcomes; n and customers stay counts. Answers of weight
        0 are left out.
    scale : {"ask", "0-10", "1-10"}
        Of the recommendations, as in `cx.nps`.
    level : float
    min_cell : int
        Fewest customers of a cell that is shown.

    Returns
    -------
    IntentMatrix

    Raises
    ------
    CxError
        Columns are missing, answers are off their scales or look like other ones, or the two limits
        cross.

    References
    ----------
    Armstrong, Kolesar & Plagborg-Moller 2022, Econometrica 90(6), doi:10.3982/ECTA18597 (the
    shrunken intervals).

    Examples
    --------
    >>> frame = pd.DataFrame({"customer_id": range(60), "nps": [10, 9, 7, 3] * 15,
    ...                       "intent": [9, 3, 6, 0] * 15, "quiet": [False, True] * 30})
    >>> matrix = intent_matrix(frame, outcomes=["quiet"])
    >>> cell = matrix.cell("promoter", "low")
    >>> int(cell["n"]), float(cell["quiet"])
    (15, 1.0)
    """
    wanted = ["customer_id", "nps", "intent", *outcomes, *([weight_col] if weight_col else [])]
    need_columns(frame, wanted, "A matrix of intention")
    if text := told_in_words(frame, outcomes):
        raise CxError("What happened later must be told in numbers.", text)
    both = frame[frame["nps"].notna() & frame["intent"].notna()].reset_index(drop=True)
    if both.empty:
        raise CxError(
            f"None of {len(frame):,} rows has an answer to both nps and intent. Were they asked on "
            "different days? cx.answers_side_by_side(..., earlier_weeks={'intent': 13}) takes the "
            "latest answer before."
        )
    if weight_col:
        both = both[weighed(both[weight_col], len(both)) > 0].reset_index(drop=True)
    weights = both[weight_col].to_numpy(dtype=float) if weight_col else np.ones(len(both))
    low, high = intent_scale or ask_for_intent_scale(both["intent"])
    low_until = np.floor((low + high) / 2) if low_until is None else low_until
    high_from = np.round(low + 0.8 * (high - low)) if high_from is None else high_from
    if not low <= low_until < high_from <= high:
        raise CxError(
            f"low_until and high_from must part the scale {low:g}-{high:g}: found {low_until:g} "
            f"and {high_from:g}. Allowed: {low:g} <= low_until < high_from <= {high:g}."
        )
    settled_scale(both["nps"], scale)
    said = read_answers(both["nps"], (0, 10), name="answers to nps").scores
    meant = read_answers(both["intent"], (low, high), name="answers of intention").scores
    both["recommendation"] = np.array(RECOMMENDATION)[(said > 6).astype(int) + (said > 8)]
    both["intention"] = np.array(INTENTION)[(meant > low_until).astype(int) + (meant >= high_from)]
    holes = [name for name in outcomes if both[name].isna().any()]
    if holes:
        raise CxError(f"Outcomes have missing values: {', '.join(holes)}. Use cx.follow_up.")
    rows, shares = [], []
    for recommendation in RECOMMENDATION:
        for intention in INTENTION:
            at = (both["recommendation"] == recommendation) & (both["intention"] == intention)
            rows.append(
                [recommendation, intention, int(at.sum()), both.loc[at, "customer_id"].nunique()]
            )
            shares.append(weights[at].sum() / weights.sum())
    cells = pd.DataFrame(rows, columns=["recommendation", "intention", "n", "customers"])
    cells["share"] = shares
    cells["small"] = small_groups(cells["customers"], min_cell)
    for name in outcomes:
        cells = pd.concat([cells, _outcome(both, weights, cells, name, level)], axis=1)
    limits = (low, high), float(low_until), float(high_from)
    return IntentMatrix(cells, both, tuple(outcomes), *limits, float(level), min_cell, weights)


def _outcome(both: pd.DataFrame, weights, cells: pd.DataFrame, name, level) -> pd.DataFrame:
    event = bool(both[name].astype(float).isin((0.0, 1.0)).all())
    shown = cells[~cells["small"] & (cells["customers"] >= (2 if event else FEWEST_AMOUNTS))]
    found, errors = [], []
    for row in shown.itertuples():
        at = (both["recommendation"] == row.recommendation) & (both["intention"] == row.intention)
        given = {"weights": weights[at], "level": level, "event": event}
        mean = cluster_mean(both.loc[at, name], both.loc[at, "customer_id"], **given)
        found.append([mean.estimate, mean.low, mean.high])
        errors.append((mean.high - mean.low) / (2 * float(critical_value(level))))
    result = pd.DataFrame(found, index=shown.index, columns=[name, f"{name}_low", f"{name}_high"])
    ends = [f"{name}_shrunken", f"{name}_shrunken_low", f"{name}_shrunken_high"]
    result[ends] = np.nan
    if len(shown) >= 4 and min(errors) > 0:
        drawn = shrink(result[name], errors, level=level, method="robust")
        result[ends] = np.column_stack([drawn.estimate, drawn.low, drawn.high])
    return result.reindex(cells.index)
