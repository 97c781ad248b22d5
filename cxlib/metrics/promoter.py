"""Recommendation: the net promoter score (NPS) with its uncertainty."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from numbers import Real

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.answers import read_answers
from cxlib.metrics.votes import settled_scale
from cxlib.stats.design import weighted_net_score
from cxlib.stats.interval import Difference
from cxlib.stats.netscore import METHODS, net_score, net_score_against, net_score_difference

__all__ = ["NpsResult", "flat", "nps", "nps_difference", "nps_from_counts"]

SCALE = (0, 10)
PROMOTER, DETRACTOR = 9, 6
BREAKS = ((0, 6), (7, 8), (9, 10))


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
        return pd.DataFrame([flat(self)])

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


def flat(result: NpsResult) -> dict:
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
    scale: str = "ask",
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
    scale : {"ask", "0-10", "1-10"}
        Which numbers were on offer. ``ask`` refuses answers that look like 1-10 (twenty or more,
        none of them 0, five or more of them 1, at least half as many as 2), unless they come from
        a table of `cx.nps_sittings`, which has asked; 1-10 is used as it is, with a warning.
        Without meaning where `breaks` name another scale.

    Returns
    -------
    NpsResult

    Raises
    ------
    CxError
        Answers off the scale, no answer, impossible weights, a method that knows no weights,
        breaks that leave a gap or overlap, a scale that must be asked about.

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
    if breaks == BREAKS and settled_scale(scores, scale) == "1-10":
        breaks = ((1, DETRACTOR), *BREAKS[1:])
    given = read_answers(scores, (breaks[0][0], breaks[2][1]), weights=weights)
    votes = (given.scores >= breaks[2][0]).astype(int) - (given.scores <= breaks[0][1])
    weight = None if len(votes) == 1 else given.weights
    tally = [
        float(np.sum((votes == v) if weight is None else weight[votes == v])) for v in (1, 0, -1)
    ]
    labels = given.labels(cluster)
    if labels is not None and not pd.Series(labels).duplicated().any():
        labels = None
    if len(votes) == 1 or (weight is None and labels is None):
        return _from_tally(*tally, len(votes), given.missing, level, method, breaks)
    if method != "score":
        raise CxError(f'With weights or clusters the method is "score", not {method!r}.')
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
    tally = pd.to_numeric(pd.Series(counts, dtype=object), errors="coerce").to_numpy(dtype=float)
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


def nps_difference(
    a, b, *, level: float = 0.95, method: str = "mover", scale: str = "ask"
) -> Difference:
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
    scale : {"ask", "0-10", "1-10"}
        Of scores, as in `nps`; asked about side by side.

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
    target = isinstance(b, Real) and not isinstance(b, bool)
    given = (a,) if target else (a, b)
    sides = [
        side if isinstance(side, NpsResult) else nps(side, level=level, scale=scale)
        for side in given
    ]
    if target:
        return _against(*sides, b, level)
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
