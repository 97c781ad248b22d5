"""A score over time: which wiggle is news, and where its level really changed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError, CxWarning, Problem
from cxlib.metrics.promoter import nps, nps_difference
from cxlib.metrics.votes import naive_dates, read_votes, require_columns
from cxlib.stats.changepoints import FEWEST, change_points
from cxlib.stats.charts import net_score_chart

__all__ = ["NpsTrend", "nps_trend"]

DATES = ("answered_at", "invited_at")


@dataclass(frozen=True)
class NpsTrend:
    """Net promoter scores of disjoint periods, with control limits and supported changes.

    Attributes
    ----------
    periods : DataFrame
        One row a period: period, start, estimate, low, high, n, effective_n, promoters, passives,
        detractors, centre, control_low, control_high, signal; control limits are missing where
        fewer than two periods set them.
    changes : DataFrame
        One row a supported change of level: period (the first of the new level), before, after,
        p. Empty where luck explains the series.
    last : Difference or None
        The last period minus the one before.
    level : float
    """

    periods: pd.DataFrame
    changes: pd.DataFrame
    last: object = field(repr=False)
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a period."""
        return self.periods.copy()

    def summary(self) -> str:
        """Two sentences: the last move with its interval, and what the whole series supports."""
        only = self.periods.iloc[0]
        text = (
            f"One period, {only['period']}: {only['estimate']:.1f} [{only['low']:.1f}, "
            f"{only['high']:.1f}]."
        )
        if self.last is not None:
            news = "is news" if self.last.low > 0 or self.last.high < 0 else "may be luck"
            text = (
                f"From {self.periods['period'].iloc[-2]} to {self.periods['period'].iloc[-1]} the "
                f"score moved by {self.last.estimate:+z.1f} points "
                f"[{self.last.low:z.1f}, {self.last.high:z.1f}], which {news}."
            )
        if len(self.periods) < FEWEST:
            return f"{text} A change of level needs {FEWEST} periods to be looked for."
        if self.changes.empty:
            return f"{text} No change of level is supported by the {len(self.periods)} periods."
        found = "; ".join(
            f"{c.period}: {c.before:.1f} to {c.after:.1f} (p = {c.p:.2g})"
            for c in self.changes.itertuples()
        )
        return f"{text} Supported changes of level: {found}."

    def plot(self, ax=None, *, events=None):
        """The periods with their intervals, control limits and supported levels."""
        from cxlib.figures.trend import plot_nps_trend

        return plot_nps_trend(self.periods, changes=self.changes, events=events, ax=ax)


def nps_trend(
    responses: pd.DataFrame,
    *,
    freq: str = "Q",
    edges: Sequence | None = None,
    period_col: str | None = None,
    date_col: str | None = None,
    baseline: int | None = None,
    level: float = 0.95,
    score_col: str = "score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    scale: str = "ask",
) -> NpsTrend:
    """Net promoter scores of disjoint periods, with a control chart and supported changes of level.

    Every answer belongs to one period: moving averages, whose neighbours share answers and so
    look like trends, are not offered. Weighted or clustered answers enter with their effective n.

    Parameters
    ----------
    responses : DataFrame
        In any order of dates.
    freq : str
        Calendar period: "W", "M", "Q", "Y".
    edges : sequence of dates, optional
        Instead of `freq`: where periods begin, and where the last one ends, in rising order.
    period_col : str, optional
        Instead of dates: a column that names the period, sorted by its values: "week 10" comes
        before "week 9" unless the column is an ordered Categorical.
    date_col : str, optional
        Default invited_at or else answered_at, whichever is there; use the day of invitation, as
        slow answers would move the mix of a period.
    baseline : int, optional
        How many of the first periods set the control limits; all by default.
    level, score_col, weight_col, cluster_col
        As in `nps_decompose`. Clusters are honoured within periods; a customer who answers in two
        periods makes their difference a little surer than is shown.
    scale : {"ask", "0-10", "1-10"}
        As in `cx.nps`; asked about all periods together.

    Returns
    -------
    NpsTrend

    Raises
    ------
    CxError
        Missing columns, edges out of order, no dated answer; dates that cannot be read; a scale
        that must be asked about.

    Warns
    -----
    CxWarning
        Answers without a date or outside the edges were left out.

    References
    ----------
    Laney 2002 as in `cxlib.stats.net_score_chart`; `cxlib.stats.change_points`.

    Examples
    --------
    >>> days = pd.to_datetime(["2024-01-05"] * 60 + ["2024-05-05"] * 60)
    >>> scores = [9] * 40 + [5] * 20 + [9] * 36 + [5] * 24
    >>> table = pd.DataFrame({"score": scores, "invited_at": days})
    >>> trend = nps_trend(table)
    >>> trend.periods[["period", "estimate", "n"]].round(1).values.tolist()
    [['2024Q1', 33.3, 60], ['2024Q2', 20.0, 60]]
    >>> trend.last.low < 0 < trend.last.high
    True
    """
    label, start = _placed(responses, freq, edges, period_col, date_col)
    columns = [score_col, *(c for c in (weight_col, cluster_col) if c)]
    require_columns(responses, columns)
    if not start[responses[score_col].notna()].notna().any() and responses[score_col].notna().any():
        raise CxError("No answer lies in a period: none has a date, or none lies within the edges.")
    kept = [c for c in ("question", *columns) if c in responses]
    table = responses[list(dict.fromkeys(kept))].assign(**{"a period": label, "its start": start})
    votes = read_votes(
        table, ["a period", "its start"], score_col=score_col, weight_col=weight_col,
        cluster_col=cluster_col, scale=scale,
    )  # fmt: skip
    if votes.attrs["unplaced"]:
        text = (
            f"{votes.attrs['unplaced']:,} answers have no period (no date, or outside): left out."
        )
        warnings.warn(CxWarning(text), stacklevel=2)
    rows, results = [], []
    for (begins, name), part in votes.groupby(["its start", "a period"], sort=True, observed=True):
        if not (part["weight"] > 0).any():
            continue
        found = nps(
            part["score"],
            weights=None if weight_col is None else part["weight"],
            cluster=None if cluster_col is None else part["cluster"],
            level=level,
            scale="0-10",
        )
        results.append(found)
        rows.append({"period": name, "start": begins} | vars(found))
    periods = pd.DataFrame(rows).drop(columns=["missing", "method", "level", "breaks"])
    changes = pd.DataFrame(columns=["period", "before", "after", "p"])
    share = (
        periods["effective_n"] / periods[["promoters", "passives", "detractors"]].sum(axis=1)
    ).to_numpy()
    up, down = (periods[c].to_numpy() * share for c in ("promoters", "detractors"))
    worth = periods["effective_n"].to_numpy()
    whole_up, whole_down = up.sum() / worth.sum(), down.sum() / worth.sum()
    single = whole_up + whole_down - (whole_up - whole_down) ** 2
    limits = {"centre": np.nan, "control_low": np.nan, "control_high": np.nan, "signal": False}
    if len(periods) >= 2 and single > 0:
        chart = net_score_chart(up, down, worth, baseline=baseline)
        limits = {
            "centre": chart.centre,
            "control_low": np.maximum(chart.low, -100),
            "control_high": np.minimum(chart.high, 100),
            "signal": chart.signals,
        }
        points = change_points(periods["estimate"], 100 * np.sqrt(single / worth), level=level)
        changes = pd.DataFrame(
            [[periods["period"][p.at], p.before, p.after, p.p] for p in points],
            columns=changes.columns,
        )
    last = nps_difference(*results[:-3:-1], level=level) if len(results) > 1 else None
    return NpsTrend(periods.assign(**limits), changes, last, float(level))


def _placed(responses, freq, edges, period_col, date_col):
    """The period of each row, and where it begins."""
    if period_col is not None:
        require_columns(responses, [period_col])
        label = start = responses[period_col]
        if isinstance(label.dtype, pd.CategoricalDtype) and label.cat.ordered:
            start = label.cat.codes.where(label.notna())
        return label.astype(object), start.astype(object)
    if date_col is None:
        date_col = next((c for c in reversed(DATES) if c in responses), DATES[0])
    require_columns(responses, [date_col])
    dates = naive_dates(responses[date_col], date_col)
    if edges is None:
        try:
            periods = dates.dt.to_period(freq)
        except ValueError as error:
            raise CxError(f'freq must be "W", "M", "Q" or "Y": found {freq!r}.') from error
        known = dates.notna()
        return periods.astype(str).where(known), periods.dt.start_time.where(known)
    ends = pd.to_datetime(pd.Series(list(edges)), errors="coerce", format="ISO8601")
    problems = []
    if len(ends) < 2 or ends.isna().any():
        problems.append(Problem(f"edges: {list(edges)!r}", allowed="two or more dates"))
    elif not ends.is_monotonic_increasing or ends.duplicated().any():
        where = int(np.flatnonzero(ends.diff().dt.days <= 0)[0])
        problems.append(Problem(f"edges are out of order: {ends[where]:%Y-%m-%d} follows "
                                f"{ends[where - 1]:%Y-%m-%d}", allowed="rising dates"))  # fmt: skip
    if problems:
        raise CxError("The periods cannot be formed.", problems)
    starts = pd.cut(dates, ends, right=False, labels=False).map(lambda at: ends[int(at)], "ignore")
    starts = pd.to_datetime(starts)
    return starts.dt.strftime("from %Y-%m-%d").where(starts.notna()), starts
