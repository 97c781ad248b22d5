"""Those who did not answer: what weights repair, and what no weight can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.answers import read_answers
from cxlib.metrics.promoter import NpsResult
from cxlib.metrics.votes import cast_votes, nps_rows, require_columns, settled_scale
from cxlib.stats.design import weighted_net_score
from cxlib.stats.interval import Interval
from cxlib.stats.survey import rake

__all__ = ["NonresponseRange", "nps_nonresponse", "nps_reweighted"]

FEWEST = 5
SCALE = (0, 10)


def _coded(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Labels as sorted text with the code of each row; missing ones are a label of their own."""
    codes, names = pd.factorize(column.astype(object), use_na_sentinel=False)
    text = ["(not known)" if pd.isna(name) else str(name) for name in names]
    labels = pd.Index(sorted(set(text)), dtype=object)
    return labels.get_indexer(text)[codes], labels


def _pooled(labels, answers) -> dict[str, str]:
    """Names after those with too few answers were joined with the next smallest."""
    names = {name: name for name in labels}
    counts = sorted(zip(answers, labels, strict=True), key=lambda pair: pair[0])
    while len(counts) > 1 and counts[0][0] < FEWEST:
        (few, first), (more, second) = counts[:2]
        joined = f"{second} + {first}"
        names = {k: joined if v in (first, second) else v for k, v in names.items()}
        counts = sorted([*counts[2:], (few + more, joined)], key=lambda pair: pair[0])
    return names


def _design(frame: pd.DataFrame, column: str | None) -> np.ndarray:
    """Design weights of all rows; 1 each where there are none."""
    if column is None or column not in frame:
        return np.ones(len(frame))
    weight = pd.to_numeric(frame[column], errors="coerce").to_numpy(float)
    bad = ~(np.isfinite(weight) & (weight >= 0))
    if bad.any() or not weight.any():
        raise CxError(
            f"{column}: {int(bad.sum()):,} of {len(weight):,} weights are missing, infinite or "
            "negative, or all are zero. Everybody asked has a design weight, the silent, too."
        )
    return weight


def rake_to(
    answered: pd.DataFrame, whole: pd.DataFrame, keys: Sequence[str], weight_col: str | None = None
):
    """Pooled margins of those who answered, and weights that give them the whole's shares.

    Design weights count in the whole's shares, and are where raking starts.

    Returns
    -------
    DataFrame, ndarray
        One row an answer, labels as numbers; without a column where a margin has fewer than two
        labels with enough answers.

    Examples
    --------
    >>> whole = pd.DataFrame({"plan": ["a"] * 20 + ["b"] * 20})
    >>> table, weights = rake_to(whole.iloc[:30], whole, ["plan"])
    >>> weights[[0, -1]].tolist()
    [0.75, 1.5]
    """
    require_columns(whole, keys)
    if len(whole) < len(answered):
        raise CxError(
            f"The population has {len(whole):,} members and {len(answered):,} answers. Are "
            "there several answers a member? Then pass cluster_col, or one period at a time."
        )
    groups, targets = {}, {}
    start, counted = _design(answered, weight_col), _design(whole, weight_col)
    for key in keys:
        code, labels = _coded(whole[key])
        own_code, own_labels = _coded(answered[key])
        if unknown := sorted(set(own_labels) - set(labels)):
            raise CxError(f"Answers of {key} {', '.join(unknown[:5])}: nobody of the population.")
        own_code = labels.get_indexer(own_labels)[own_code]
        names = _pooled(labels, np.bincount(own_code, minlength=len(labels)))
        pooled = list(dict.fromkeys(names.values()))
        if len(pooled) > 1:
            place = np.array([pooled.index(names[label]) for label in labels])
            groups[key] = place[own_code]
            shares = np.bincount(place[code], counted) / counted.sum()
            targets[key] = dict(enumerate(shares))
    table = pd.DataFrame(groups, index=range(len(answered)))
    start = start * (len(start) / start.sum())
    return table, rake(table, targets, weights=start) if targets else start


def nps_reweighted(
    responses: pd.DataFrame,
    by: str | Sequence[str],
    *,
    population: pd.DataFrame | None = None,
    level: float = 0.95,
    score_col: str = "score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    scale: str = "ask",
) -> NpsResult:
    """Net promoter score of all who were asked, or of a whole population, from those who answered.

    Weights make the answers look like the population in the margins of `by` (raking); the
    interval is that of raked weights with the finite-population correction. It holds where, within
    each combination of `by`, answering has nothing to do with the score. Where answering depends
    on satisfaction itself no weight helps: see `nps_nonresponse`.

    Parameters
    ----------
    responses : DataFrame
        One row an invitation; the score is missing where nobody answered.
    by : str or list of str
        Columns known for everybody. Labels with fewer than five answers are joined with the next
        smallest; missing labels are a label of their own.
    population : DataFrame, optional
        One row a member, with the columns `by`; default all rows of `responses`. Those who
        answered belong to it.
    level, score_col : str
    weight_col : str, optional
        Design weights of everybody asked, where not all had the same chance to be: raking starts
        from them, and they count in the shares of the population (of `population` if it has the
        column). There is then no finite-population correction.
    cluster_col : str, optional
        Rows of one label depend on each other; there is then no finite-population correction.
    scale : {"ask", "0-10", "1-10"}
        As in `cx.nps`.

    Returns
    -------
    NpsResult
        promoters, passives and detractors are sums of weights, which sum to n.

    Raises
    ------
    CxError
        Missing columns, no answer, answers off the scale, a scale that must be asked about,
        margins that contradict each other.

    References
    ----------
    Deville & Saerndal 1992, JASA 87(418), doi:10.1080/01621459.1992.10475217. Cochran 1977,
    Sampling Techniques, ISBN 978-0-471-16240-7 (finite population).

    Examples
    --------
    Large accounts are half of the invited and answer rarely:

    >>> from cxlib.metrics.promoter import nps
    >>> small = pd.DataFrame({"score": [9] * 60 + [5] * 20 + [None] * 20, "size": "small"})
    >>> large = pd.DataFrame({"score": [9] * 5 + [5] * 15 + [None] * 80, "size": "large"})
    >>> asked = pd.concat([small, large])
    >>> round(nps(asked["score"]).estimate, 1), round(nps_reweighted(asked, by="size").estimate, 1)
    (30.0, 0.0)
    """
    keys = [by] if isinstance(by, str) else list(by)
    require_columns(responses, [score_col, *keys, weight_col, cluster_col])
    asked = nps_rows(responses)
    settled_scale(asked[score_col], scale)
    given = read_answers(asked[score_col], SCALE)
    whole = asked if population is None else population
    table, weights = rake_to(asked[given.kept], whole, keys, weight_col)
    votes = cast_votes(given.scores)
    cluster = None if cluster_col is None else asked.loc[given.kept, cluster_col].astype(object)
    found = weighted_net_score(
        votes,
        weights,
        cluster=cluster,
        population=len(whole) if cluster_col is None and weight_col is None else None,
        raked_on=table if len(table.columns) else None,
        level=level,
    )
    up, mid, down = (float(weights[votes == side].sum()) for side in (1, 0, -1))
    return NpsResult(
        found.estimate, found.low, found.high, len(votes), len(asked) - len(votes), up, mid, down,
        "raked, " + found.method, found.level, found.effective_n, found.standard_error,
        df=found.df,
    )  # fmt: skip


@dataclass(frozen=True)
class NonresponseRange(Interval):
    """The score of everybody asked, as far as it is known without assuming why people are silent.

    Attributes
    ----------
    estimate, low, high : float
        Silent customers like those who answered (delta 0), with its interval.
    bound_low, bound_high : float
        If all the silent were detractors, or promoters; outer limits of the intervals.
    response_rate : float
    by_delta : DataFrame
        delta (how many points the silent lie above those who answered), estimate, low, high.
    tipping : float
        The delta at which the estimate reaches `reference`; outside -200 to 200 nobody can.
    reference : float
    """

    bound_low: float = float("nan")
    bound_high: float = float("nan")
    response_rate: float = float("nan")
    by_delta: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    tipping: float = float("nan")
    reference: float = 0.0

    def to_frame(self) -> pd.DataFrame:
        """One row a delta."""
        return self.by_delta.copy()

    def summary(self) -> str:
        """What is known at each strength of assumption."""
        ends = self.by_delta.iloc[[0, -1]]
        tip = (
            f"It reaches {self.reference:.1f} if the silent score {self.tipping:+z.0f} points "
            "against those who answered."
            if abs(self.tipping) <= 200
            else f"No difference of the silent alone brings it to {self.reference:.1f}."
        )
        return (
            f"{100 * self.response_rate:.0f} % answered. If the silent are like them, the NPS is "
            f"{self.estimate:.1f} [{self.low:.1f}, {self.high:.1f}]; if they score between "
            f"{ends['delta'].iloc[0]:g} and {ends['delta'].iloc[1]:g} points against them, "
            f"{ends['low'].min():.1f} to {ends['high'].max():.1f}; whatever they think, "
            f"{self.bound_low:.1f} to {self.bound_high:.1f}. {tip}"
        )


def nps_nonresponse(
    answered: NpsResult,
    asked: int,
    *,
    deltas: Sequence[float] = (-40, -30, -20, -10, 0),
    reference: float = 0.0,
    rate: float | None = None,
) -> NonresponseRange:
    """Delta-adjusted range and worst-case bounds of a score with silent customers.

    With response rate r and score s of those who answered (reweighted or not), the score of all is
    ``s + (1 - r) delta`` if the silent differ by delta points, cut at -100 and 100; in the worst
    case ``r s - 100 (1 - r)``, in the best ``r s + 100 (1 - r)``. Limits carry the sampling error
    of s in the same way, so that the worst-case interval holds whatever the silent think.

    Parameters
    ----------
    answered : NpsResult
    asked : int
        Invitations, or members of the population, answered ones included.
    deltas : sequence of float
        What the silent may score above (+) or below (-) those who answered.
    reference : float
        The score whose tipping point is sought.
    rate : float, optional
        Share of answers in the population, where `asked` is not that (a weighted rate).

    Returns
    -------
    NonresponseRange

    Raises
    ------
    CxError
        Fewer invitations than answers, or no delta.

    References
    ----------
    Manski 2003, Partial Identification of Probability Distributions, doi:10.1007/b97478. Rubin
    1977, JASA 72(359), doi:10.1080/01621459.1977.10480610 (delta adjustment).

    Examples
    --------
    >>> from cxlib.metrics.promoter import nps
    >>> found = nps_nonresponse(nps([10] * 60 + [3] * 20 + [8] * 20), asked=500, deltas=[-30, 0])
    >>> found.by_delta["estimate"].round(1).tolist(), round(found.tipping, 1)
    ([16.0, 40.0], -50.0)
    >>> round(found.bound_low, 1), round(found.bound_high, 1)
    (-75.4, 90.9)
    """
    if asked < answered.n:
        raise CxError(f"{answered.n:,} answers from {asked:,} invitations: is asked the total?")
    deltas = sorted(float(d) for d in deltas)
    if not deltas or not np.isfinite(deltas).all():
        raise CxError("deltas needs at least one finite number of points.")
    rate = answered.n / asked if rate is None else float(rate)
    if not 0 < rate <= 1:
        raise CxError(f"rate must be a share above 0, at most 1: found {rate!r}.")
    silent = 1 - rate
    limits = np.array([answered.estimate, answered.low, answered.high])
    rows = []
    for delta in deltas:
        theirs = np.clip(limits + delta, -100, 100)
        rows.append([delta, *(rate * limits + silent * theirs)])
    table = pd.DataFrame(rows, columns=["delta", "estimate", "low", "high"])
    with np.errstate(divide="ignore"):
        tipping = np.divide(reference - answered.estimate, silent) if silent else np.inf
    if silent and abs(answered.estimate + tipping) > 100 + 1e-9:
        tipping = np.inf
    return NonresponseRange(
        answered.estimate,
        answered.low,
        answered.high,
        answered.level,
        answered.n,
        "delta-adjusted, worst-case bounds",
        "net promoter score",
        "points",
        float(max(-100.0, rate * answered.low - 100 * silent)),
        float(min(100.0, rate * answered.high + 100 * silent)),
        float(rate),
        table,
        float(tipping),
        float(reference),
    )
