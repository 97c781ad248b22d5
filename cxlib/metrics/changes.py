"""Changes of many segments at once: which are news, where every twentieth would be by luck."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.metrics.answers import read_answers
from cxlib.metrics.nps_groups import segment_score
from cxlib.metrics.votes import cast_votes, check_scores, nps_rows, require_columns, weighty
from cxlib.stats.checks import check_level
from cxlib.stats.multiplicity import adjust_p
from cxlib.stats.netscore import net_score_difference

__all__ = ["nps_changes"]

SCALE = (0, 10)


def nps_changes(
    before: pd.DataFrame,
    after: pd.DataFrame,
    by: str | Sequence[str],
    *,
    level: float = 0.95,
    score_col: str = "score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    min_cell: int = MIN_CELL,
    scale: str = "ask",
) -> pd.DataFrame:
    """Change of the net promoter score in every segment, with the rate of false news controlled.

    With many segments some interval leaves 0 out by luck alone. ``news`` is true where the p-value,
    adjusted after Benjamini and Hochberg, is at most 1 - level: of all that is called news, a share
    of at most 1 - level is expected to be luck. What was picked for being large is also
    overestimated; of R pieces of news among m segments the interval ``news_low`` to ``news_high``
    at level ``1 - (1 - level) R / m`` allows for that.

    Parameters
    ----------
    before, after : DataFrame
        Answers; with a column ``question`` the rows of question nps. Disjoint: no answer in both.
    by : str or list of str
        Columns that name the segment.
    level : float
    score_col, weight_col : str
    cluster_col : str, optional
        Rows of one label depend on each other within a side; a customer on both sides makes a
        change a little surer than is shown.
    min_cell : int
        Segments with fewer answers on either side are left out with a warning.
    scale : {"ask", "0-10", "1-10"}
        As in `cx.nps`; asked about frame by frame.

    Returns
    -------
    DataFrame
        One row a segment with answers on both sides, the largest change first: columns of `by`,
        n (the smaller side), n_before, n_after, nps_before, nps_after, change, low, high, p,
        p_adjusted, news, news_low, news_high (missing where nothing is news).

    Raises
    ------
    CxError
        Missing columns, answers off the scale, a scale that must be asked about, no segment with
        enough answers on both sides.

    References
    ----------
    Benjamini & Hochberg 1995, JRSS B 57(1), doi:10.1111/j.2517-6161.1995.tb02031.x. Benjamini &
    Yekutieli 2005, JASA 100(469), doi:10.1198/016214504000001907 (intervals of what was selected).

    Examples
    --------
    >>> before = pd.DataFrame({"score": [9, 3] * 60, "plan": ["a"] * 60 + ["b"] * 60})
    >>> after = before.assign(score=[9, 3] * 30 + [9] * 60)
    >>> nps_changes(before, after, by="plan")[["plan", "change", "news"]]
      plan  change   news
    0    b   100.0   True
    1    a     0.0  False
    """
    keys = [by] if isinstance(by, str) else list(by)
    check_level(level)
    if not keys:
        raise CxError("by names no column: what are the segments?")
    parts = []
    for frame in (before, after):
        require_columns(frame, [*keys, score_col, weight_col, cluster_col])
        frame = nps_rows(frame)
        check_scores(frame, score_col, weight_col, scale)
        given = weighty(frame[frame[score_col].notna()], weight_col)
        parts.append(dict(list(given.groupby(keys, observed=True, dropna=True))))
    shared = [key for key in parts[0] if key in parts[1]]
    if not shared:
        raise CxError(f"No segment of {', '.join(keys)} has answers before and after.")
    tallies = np.array(
        [
            [_tally(part[key], score_col, weight_col, cluster_col) for key in shared]
            for part in parts
        ]
    )  # side, segment, (up, down, worth, n)
    (before_up, before_down, before_n), (after_up, after_down, after_n) = (
        side.T[:3] for side in tallies
    )
    n = tallies[:, :, 3].astype(int)
    table = pd.DataFrame(shared, columns=keys).assign(
        n=n.min(axis=0),
        n_before=n[0],
        n_after=n[1],
        nps_before=100 * (before_up - before_down) / before_n,
        nps_after=100 * (after_up - after_down) / after_n,
    )
    enough = leave_out_small(table, table["n"], min_cell, noun="segments")
    if enough.empty:
        raise CxError(
            f"None of {len(table):,} segments has {min_cell} answers before and after. Form larger "
            "segments, or pass a smaller min_cell where that is allowed."
        )

    def difference(rows, level):
        sides = (side[rows, :3].T for side in tallies[::-1])
        return net_score_difference(*sides, level=level)

    found = difference(enough.index, level)
    table = enough.assign(change=found.estimate, low=found.low, high=found.high, p=found.p)
    table["p_adjusted"] = adjust_p(table["p"], method="benjamini_hochberg")
    table = table.assign(
        news=table["p_adjusted"] <= 1 - level + 1e-12, news_low=np.nan, news_high=np.nan
    )
    if table["news"].any():
        told = table.index[table["news"]]
        wider = difference(told, 1 - (1 - level) * len(told) / len(table))
        table.loc[told, "news_low"], table.loc[told, "news_high"] = wider.low, wider.high
    return table.sort_values("change", key=lambda c: -c.abs(), kind="stable", ignore_index=True)


def _tally(part: pd.DataFrame, score_col, weight_col, cluster_col) -> tuple:
    """Promoters and detractors among the answers that a segment is worth, and its answers."""
    if weight_col is None and (cluster_col is None or not part[cluster_col].duplicated().any()):
        votes = cast_votes(read_answers(part[score_col], SCALE).scores)
        return (votes == 1).sum(), (votes == -1).sum(), len(votes), len(votes)
    found = segment_score(part, score_col, weight_col, cluster_col, 0.95)
    share = found.effective_n / (found.promoters + found.passives + found.detractors)
    return found.promoters * share, found.detractors * share, found.effective_n, found.n
