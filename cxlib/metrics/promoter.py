"""Recommendation: the net promoter score (NPS) with its uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from numbers import Real

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.figures.small_groups import MIN_CELL, leave_out_small
from cxlib.metrics.answers import members, read_answers
from cxlib.stats.design import weighted_net_score
from cxlib.stats.interval import Difference
from cxlib.stats.netscore import METHODS, net_score, net_score_against, net_score_difference
from cxlib.stats.shrinkage import shrink

__all__ = ["NpsResult", "nps", "nps_by", "nps_difference", "nps_from_counts"]

SCALE = (0, 10)
PROMOTER, DETRACTOR = 9, 6
BREAKS = ((0, 6), (7, 8), (9, 10))
FEWEST_TO_SHRINK = 4


@dataclass(frozen=True)
class NpsResult:
    """A net promoter score in points, -100 to 100, with its interval.

    Attributes
    ----------
    estimate, low, high : float
        In points.
    n, missing : int
        Answers, and rows without one.
    promoters, passives, detractors : float
        Answers of 9-10, 7-8 and 0-6: counts, or sums of weights.
    method : str
    level : float
    effective_n : float
        Answers of a simple random sample of equal precision; n without weights and clusters.
    standard_error : float
        In points.
    breaks : tuple of three (lowest, highest)
        What counts as detractor, passive, promoter.
    df : float
        Degrees of freedom of the interval; infinite without weights and clusters.
    """

    estimate: float
    low: float
    high: float
    n: int
    missing: int
    promoters: float
    passives: float
    detractors: float
    method: str
    level: float
    effective_n: float
    standard_error: float
    breaks: tuple = BREAKS
    df: float = float("inf")

    def to_frame(self) -> pd.DataFrame:
        """One row, one column an attribute."""
        return pd.DataFrame([_flat(self)])

    def summary(self) -> str:
        """One sentence that names the uncertainty.

        Examples
        --------
        >>> nps_from_counts([0, 0, 0, 0, 0, 10, 10, 15, 15, 20, 30]).summary()
        'The NPS is 30.0 points; with 100 answers the 95 % interval is 14.0 to 44.3.'
        """
        return (
            f"The NPS is {self.estimate:.1f} points; with {self.n:,} "
            f"answer{'' if self.n == 1 else 's'} the "
            f"{100 * self.level:g} % interval is {self.low:.1f} to {self.high:.1f}."
        )

    def plot(self, ax=None):
        """Shares of detractors, passives and promoters as one bar; the title is the summary."""
        from cxlib.figures.scores import plot_net_bar

        names = ("detractors", "passives", "promoters")
        ranges = ("-".join(f"{end:g}" for end in sorted({*ends})) for ends in self.breaks)
        return plot_net_bar(
            [self.detractors, self.passives, self.promoters],
            [f"{name} ({ends})" for name, ends in zip(names, ranges, strict=True)],
            title=self.summary(),
            ax=ax,
        )


def _flat(result: NpsResult) -> dict:
    """The attributes as cells of a table; the breaks as text."""
    ranges = (f"{low:g}-{high:g}" for low, high in result.breaks)
    return asdict(result) | {"breaks": " | ".join(ranges)}


def nps(
    scores,
    *,
    weights=None,
    cluster=None,
    level: float = 0.95,
    method: str = "score",
    breaks=BREAKS,
) -> NpsResult:
    """Net promoter score: share of 9-10 minus share of 0-6, in points.

    ``NPS = 100 (p+ - p-)``; one answer (+1, 0, -1) has variance ``p+ + p- - (p+ - p-)^2``.

    Parameters
    ----------
    scores : array_like of shape (n,)
        Whole numbers 0-10; None and NaN are missing.
    weights : array_like, optional
        One a row. The interval is then the score interval through the design's effective n.
    cluster : array_like, optional
        Rows of one label depend on each other: a customer's repeated answers, a flight's.
    level : float
    method : {"score", "adjusted_wald", "wald", "dirichlet"}
        How the interval is made without weights and clusters; see `cxlib.stats.net_score`.
    breaks : three (lowest, highest), optional
        Answers of detractors, passives and promoters on another scale, joined without a gap:
        ``((1, 3), (4, 4), (5, 5))``. Such a score cannot be compared with one on 0-10.

    Returns
    -------
    NpsResult

    Raises
    ------
    CxError
        Answers off the scale, no answer, impossible weights, a method that knows no weights,
        breaks that leave a gap or overlap.

    References
    ----------
    Reichheld 2003, Harvard Business Review 81(12) (the score). Rocks 2016, arXiv:1601.07235 (its
    intervals). Tango 1998, Statistics in Medicine 17(8),
    doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B.

    Examples
    --------
    >>> result = nps([10, 9, 9, 8, 7, 3, None])
    >>> round(result.estimate, 1), result.n, result.missing
    (33.3, 6, 1)
    """
    breaks = _read_breaks(breaks)
    given = read_answers(scores, (breaks[0][0], breaks[2][1]), weights=weights)
    votes = (given.scores >= breaks[2][0]).astype(int) - (given.scores <= breaks[0][1])
    weight = given.weights
    tally = [
        float(np.sum((votes == v) if weight is None else weight[votes == v])) for v in (1, 0, -1)
    ]
    if weight is None and cluster is None:
        return _from_tally(*tally, len(votes), given.missing, level, method, breaks)
    if method != "score":
        raise CxError(f'With weights or clusters the method is "score", not {method!r}.')
    labels = None if cluster is None else np.asarray(cluster, dtype=object)
    if labels is not None:
        if labels.shape != given.kept.shape:
            raise CxError(f"cluster: {labels.size:,} labels for {given.kept.size:,} rows.")
        labels = labels[given.kept]
    found = weighted_net_score(votes, weight, cluster=labels, level=level)
    return NpsResult(
        found.estimate, found.low, found.high, len(votes), given.missing, *tally,
        found.method, found.level, found.effective_n, found.standard_error, breaks, found.df,
    )  # fmt: skip


def _read_breaks(breaks) -> tuple:
    try:
        ends = [(float(low), float(high)) for low, high in breaks]
    except (TypeError, ValueError):
        ends = []
    whole = all(end % 1 == 0 for pair in ends for end in pair)
    if len(ends) != 3 or not whole or any(low > high for low, high in ends):
        raise CxError(
            f"breaks must be three (lowest, highest) of whole numbers such as {BREAKS}, for "
            f"detractors, passives, promoters: found {breaks!r}."
        )
    if any(after[0] != before[1] + 1 for before, after in pairwise(ends)):
        raise CxError(f"breaks must follow each other without a gap or overlap: found {breaks!r}.")
    return tuple((int(low), int(high)) for low, high in ends)


def nps_from_counts(counts, *, level: float = 0.95, method: str = "score") -> NpsResult:
    """Net promoter score of eleven counts, of the answers 0 to 10.

    Parameters
    ----------
    counts : sequence of 11 whole numbers, or mapping or Series from answer to count
    level, method
        As in `nps`.

    Raises
    ------
    CxError
        Not eleven counts, or counts that are negative, broken or all zero.

    Examples
    --------
    >>> round(nps_from_counts([17, 6, 8, 19, 18, 144, 130, 291, 677, 564, 872]).estimate, 2)
    39.84
    """
    if isinstance(counts, dict | pd.Series):
        told = {str(answer).strip().removesuffix(".0"): n for answer, n in dict(counts).items()}
        scale = [str(answer) for answer in range(11)]
        if unknown := [answer for answer in told if answer not in scale]:
            raise CxError(f"Answers must be 0 to 10: found counts for {', '.join(unknown)}.")
        counts = [told.get(answer, 0) for answer in scale]
    tally = np.asarray(counts, dtype=float)
    if tally.shape != (11,):
        raise CxError(f"Eleven counts are needed, of the answers 0 to 10: found {tally.size}.")
    if not (np.isfinite(tally) & (tally >= 0) & (tally % 1 == 0)).all() or not tally.any():
        raise CxError(f"Counts must be whole, 0 or more, and not all zero: found {list(counts)}.")
    down, passive, up = tally[: DETRACTOR + 1].sum(), tally[7:9].sum(), tally[PROMOTER:].sum()
    return _from_tally(up, passive, down, int(tally.sum()), 0, level, method)


def _from_tally(up, passive, down, n, missing, level, method, breaks=BREAKS) -> NpsResult:
    found = net_score(up, down, n, level=level, method=method)
    error = 100 * np.sqrt(((up + down) / n - ((up - down) / n) ** 2) / n)
    return NpsResult(
        found.estimate, found.low, found.high, n, missing, float(up), float(passive), float(down),
        method, float(level), float(n), float(error), breaks,
    )  # fmt: skip


def nps_difference(a, b, *, level: float = 0.95, method: str = "mover") -> Difference:
    """Difference of two independent scores, a minus b, or of one from a given score, in points.

    Parameters
    ----------
    a : NpsResult or array_like of scores
        Of weighted or clustered results the effective n counts, and Student's t by their df.
    b : NpsResult, array_like of scores, or one number
        A number is a given NPS, such as a target: a one-sample test by `a`'s own interval
        (`cxlib.stats.net_score_against`).
    level : float
    method : {"mover", "wald"}
        See `cxlib.stats.net_score_difference`.

    Returns
    -------
    Difference
        estimate, low, high, standard_error, z, p; n counts the answers of both.

    Examples
    --------
    >>> change = nps_difference([10] * 60 + [5] * 40, [10] * 50 + [5] * 50)
    >>> round(change.estimate, 1), change.low < 0 < change.high
    (20.0, True)
    >>> round(nps_difference([10] * 60 + [5] * 40, 0).p, 3)
    0.046
    """
    if isinstance(b, Real):
        return _against(a if isinstance(a, NpsResult) else nps(a), b, level)
    sides = [side if isinstance(side, NpsResult) else nps(side, level=level) for side in (a, b)]
    found = net_score_difference(
        *map(_effective, sides), level=level, method=method, df=[side.df for side in sides]
    )
    return replace(found, n=sum(side.n for side in sides))


def _effective(result: NpsResult) -> tuple[float, float, float]:
    """Promoters, detractors and answers of a simple random sample of equal precision."""
    share = result.effective_n / (result.promoters + result.passives + result.detractors)
    return result.promoters * share, result.detractors * share, result.effective_n


def _against(result: NpsResult, given: float, level: float) -> Difference:
    method = result.method if result.method in METHODS else "score"
    cells = _effective(result)
    return net_score_against(*cells, given, level=level, method=method, df=result.df)


def nps_by(
    responses: pd.DataFrame,
    by: str | Sequence[str],
    *,
    method: str = "score",
    level: float = 0.95,
    score_col: str = "score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    min_cell: int = MIN_CELL,
) -> pd.DataFrame:
    """Net promoter score of every segment, with estimates shrunken towards their common mean.

    A league table of small segments is mostly a table of luck; the shrunken estimate and its
    interval (robust empirical Bayes, see `cxlib.stats.shrink`) hold on average over segments.

    Parameters
    ----------
    responses : DataFrame
        Where it has a column ``question``, the rows of question nps are used.
    by : str or list of str
        Columns that name the segment; rows with a missing value there form no segment.
    method, level
        As in `nps`.
    score_col, weight_col : str
    cluster_col : str, optional
        Rows of one label depend on each other. Shrinkage takes segments for independent.
    min_cell : int
        Segments with fewer answers, or answers of fewer customers where there is a column
        ``customer_id``, are left out and counted; 1 shows every segment.

    Returns
    -------
    DataFrame
        One row a segment that is shown: the columns of `by`, estimate, low, high, n, missing,
        promoters, passives, detractors, and shrunken, shrunken_low, shrunken_high (missing with
        fewer than four segments). ``attrs["unanswered"]`` lists segments without any answer,
        ``attrs["suppressed"]`` counts those left out as too small.

    Raises
    ------
    CxError
        A column is missing, no segment has an answer, or none has enough to be shown.

    Warns
    -----
    CxWarning
        Segments were left out as too small.

    Examples
    --------
    >>> frame = pd.DataFrame({"score": [9, 10, 3, 8, 9, 2], "country": list("AABBCC")})
    >>> nps_by(frame, by=["country"], min_cell=1)[["country", "estimate", "n"]]
      country  estimate  n
    0       A     100.0  2
    1       B     -50.0  2
    2       C       0.0  2
    """
    keys = [by] if isinstance(by, str) else list(by)
    wanted = [*keys, score_col, *(c for c in (weight_col, cluster_col) if c)]
    absent = [Problem(f"column {name} is missing") for name in wanted if name not in responses]
    if absent or not keys:
        raise CxError(f"The responses have {', '.join(map(str, responses.columns))}.", absent)
    if "question" in responses:
        responses = responses[responses["question"].astype(object) == "nps"]
    rows, unanswered, sizes = [], [], []
    for key, part in responses.groupby(keys, observed=True, dropna=True):
        segment = dict(zip(keys, key, strict=True))
        if part[score_col].isna().all():
            unanswered.append(segment)
            continue
        found = _flat(segment_score(part, score_col, weight_col, cluster_col, level, method))
        sizes.append(members(part[part[score_col].notna()]))
        told = ("method", "level", "breaks")
        rows.append(segment | {k: v for k, v in found.items() if k not in told})
    if not rows:
        raise CxError("No segment has an answer.")
    table = leave_out_small(pd.DataFrame(rows), sizes, min_cell, noun="segments")
    if table.empty:
        raise CxError(
            f"None of the {len(rows):,} segments has {min_cell} answers or customers; the largest "
            f"has {max(sizes)}. Form larger segments, or pass min_cell={max(sizes)} where that is "
            "allowed."
        )
    table = table.reset_index(drop=True)
    table[["shrunken", "shrunken_low", "shrunken_high"]] = _shrunken(table, level)
    table.attrs["unanswered"] = unanswered
    return table.drop(columns=["effective_n", "standard_error", "df"])


def segment_score(
    part: pd.DataFrame, score_col, weight_col, cluster_col, level, method="score"
) -> NpsResult:
    """Score of one segment; of a single customer who answered repeatedly nothing is known.

    Rows are independent where no label of `cluster_col` comes twice.
    """
    answered = part[part[score_col].notna()]
    weights = part[weight_col] if weight_col and len(answered) > 1 else None
    labels = answered[cluster_col].astype(object) if cluster_col else pd.Series(dtype=object)
    if not labels.duplicated().any():
        return nps(part[score_col], weights=weights, level=level, method=method)
    if labels.nunique() > 1:
        cluster = part[cluster_col].astype(object)
        return nps(part[score_col], weights=weights, cluster=cluster, level=level, method=method)
    alone = nps(part[score_col], level=level)
    return replace(alone, low=-100.0, high=100.0, effective_n=1.0, method="one customer")


def _shrunken(table: pd.DataFrame, level: float) -> np.ndarray:
    if len(table) < FEWEST_TO_SHRINK:
        return np.full((len(table), 3), np.nan)
    # The error of the adjusted Wald interval, which is above 0 where all answers are equal.
    whole = table[["promoters", "passives", "detractors"]].sum(axis=1)
    share, n = table["effective_n"] / whole, table["effective_n"] + 3
    up, down = table["promoters"] * share + 0.75, table["detractors"] * share + 0.75
    error = 100 * np.sqrt(((up + down) / n - ((up - down) / n) ** 2) / n)
    found = shrink(table["estimate"], error, level=level, method="robust")
    return np.column_stack([found.estimate, found.low, found.high])
