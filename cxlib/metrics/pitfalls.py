"""Ten ways in which a recommendation score misleads, each as a number and a rule for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import CxError
from cxlib.metrics.decomposition import nps_decompose
from cxlib.metrics.nonresponse import nps_nonresponse, rake_to
from cxlib.metrics.nps_groups import segment_score
from cxlib.metrics.prediction import predictive_power
from cxlib.metrics.promoter import nps, nps_difference
from cxlib.metrics.trend import nps_trend
from cxlib.metrics.votes import cast_votes
from cxlib.stats.changepoints import FEWEST as FEWEST_PERIODS
from cxlib.stats.checks import critical_value
from cxlib.stats.design import _residuals as unexplained
from cxlib.stats.multiplicity import adjust_p
from cxlib.stats.proportions import proportion, risk_ratio
from cxlib.stats.roots import boundary
from cxlib.stats.shrinkage import net_score_error
from cxlib.stats.survey import effective_n

__all__ = ["CANNOT", "HARMLESS", "MATTERS", "Finding", "information_kept", "reliability"]

HARMLESS, MATTERS, CANNOT = "harmless here", "matters here", "cannot tell with these data"
HALF, KEPT, RELIABLE, AUC_GAIN = 0.5, 0.9, 0.7, 0.02
FEWEST_ANSWERS = 30
DRAWS = 2000


@dataclass(frozen=True)
class Finding:
    """What one pitfall does to one data set; number, low and high in `unit`."""

    verdict: str
    number: float
    low: float
    high: float
    unit: str
    rests_on: str


def judge(low: float, high: float, harmless_up_to: float, *, two_sided: bool = True) -> str:
    """Harmless if the whole interval is within the threshold, matters if wholly beyond it."""
    limit = -harmless_up_to if two_sided else -np.inf
    if low > harmless_up_to or high < limit:
        return MATTERS
    return HARMLESS if limit <= low and high <= harmless_up_to else CANNOT


def sampling_error(votes: pd.DataFrame, periods: list, level, margin, weighted, clustered):
    """Whether luck alone moves the score by more than the margin."""
    results = [
        _score(votes[votes["a period"] == name], level, weighted, clustered)
        for name in periods[-2:]
    ]
    if len(results) < 2:
        found, change = results[0], False
    else:
        found, change = nps_difference(results[1], results[0], level=level), True
    half = (found.high - found.low) / 2
    news = change and (found.low > 0 or found.high < 0)
    verdict = HARMLESS if half <= margin or news else MATTERS
    what = f"change {periods[-2]} to {periods[-1]}" if change else "the score itself"
    moves = "clears" if news else "stays within"
    text = f"{what}: it {moves} what luck may do, +-{half:.1f} points"
    if not change:
        text = f"one period: its interval is +-{half:.1f} points"
    return Finding(verdict, found.estimate, found.low, found.high, "points", text)


def _score(part, level, weighted, clustered):
    columns = ("weight" if weighted else None, "cluster" if clustered else None)
    return segment_score(part, "score", *columns, level)


def information_kept(first, second, *, level=0.95, draws=DRAWS, seed=0) -> pd.DataFrame:
    """How clearly net score, mean and top-2 box tell two groups apart, by counts 0 to 10.

    Parameters
    ----------
    first, second : sequence of 11 counts

    Returns
    -------
    DataFrame
        statistic, difference, z, and kept: the squared ratio of its z to that of the mean, with
        low and high by multinomial bootstrap: the share of the answers that the mean would need to
        see as much.

    Examples
    --------
    >>> found = information_kept([1] * 11, [0] * 5 + [1] * 6)
    >>> found["statistic"].tolist(), float(found["kept"].iloc[0])
    (['mean', 'NPS', 'top-2 box'], 1.0)
    """
    groups = [
        pd.to_numeric(pd.Series(counts, dtype=object), errors="coerce").to_numpy(dtype=float)
        for counts in (first, second)
    ]
    if any(g.shape != (11,) or not ((g >= 0) & (g < np.inf)).all() or not g.any() for g in groups):
        raise CxError(
            "Two times eleven counts are needed, of the answers 0 to 10: 0 or more, not all zero."
        )
    answer = np.arange(11.0)
    worth = {"mean": answer, "NPS": 100.0 * cast_votes(answer), "top-2 box": 100.0 * (answer >= 9)}
    rng = np.random.default_rng(seed)
    drawn = [rng.multinomial(round(c.sum()), c / c.sum(), draws) for c in groups]

    def z_of(counts, values):
        means, variances = [], []
        for tally in counts:
            n = tally.sum(axis=-1)
            mean = tally @ values / n
            means.append(mean)
            variances.append((tally @ values**2 / n - mean**2) / n)
        gap, error = means[0] - means[1], np.sqrt(variances[0] + variances[1])
        return gap, np.divide(gap, error, out=np.zeros_like(gap), where=error > 0)

    rows, base = [], {}
    for name, values in worth.items():
        gap, z = z_of([c[None, :] for c in groups], values)
        base[name] = z, z_of(drawn, values)[1]
        kept = [np.divide(s**2, m**2, out=np.full_like(s, np.nan), where=m != 0)
                for s, m in zip(base[name], base["mean"], strict=True)]  # fmt: skip
        told = kept[1][np.isfinite(kept[1])]
        ends = [0.5 - level / 2, 0.5 + level / 2]
        low, high = np.quantile(told, ends) if len(told) else (np.nan, np.nan)
        rows.append([name, float(gap[0]), float(z[0]), float(kept[0][0]), float(low), float(high)])
    return pd.DataFrame(rows, columns=["statistic", "difference", "z", "kept", "low", "high"])


def lost_information(votes: pd.DataFrame, column: str, level, weighted=False, clustered=False):
    """How much of the answers' information on one split the net score uses."""
    groups = votes[column].astype(object).value_counts().index[:2]
    if len(groups) < 2:
        raise CxError(f"{column} has a single value, so there is nothing to tell apart.")
    tallies = []
    for group in groups:
        part = votes[votes[column] == group]
        tally = np.bincount(part["score"].astype(int), part["weight"], minlength=11)
        worth = _score(part, level, weighted, clustered).effective_n
        tallies.append(tally * worth / tally.sum())
    table = information_kept(*tallies, level=level).set_index("statistic")
    kept, z = table.loc["NPS"], table["z"].abs()
    verdict = MATTERS if kept["high"] < KEPT else HARMLESS if kept["low"] >= KEPT else CANNOT
    told = ", ".join(f"{name} {value:.2f}" for name, value in z.items())
    text = f"split by {column} ({groups[0]} against {groups[1]}), |z|: {told}"
    if z[["mean", "NPS"]].max() < 2:
        return Finding(CANNOT, np.nan, np.nan, np.nan, "", f"no difference to be seen: {text}")
    return Finding(verdict, kept["kept"], kept["low"], kept["high"], "of the mean's", text)


def intention(votes: pd.DataFrame, column: str, level):
    """How often promoters leave, as a multiple of how often detractors do."""
    latest = votes.drop_duplicates("cluster", keep="last")
    gone = latest[column].astype(float)
    sides = [latest["vote"] == side for side in (1, -1)]
    counts = [int(side.sum()) for side in sides]
    if min(counts) < FEWEST_ANSWERS:
        raise CxError(f"Fewer than {FEWEST_ANSWERS} promoters or detractors can be followed.")
    weights = [latest.loc[side, "weight"] for side in sides]
    worth = [effective_n(weight) for weight in weights]
    shares = [np.average(gone[s], weights=w) for s, w in zip(sides, weights, strict=True)]
    ratio = risk_ratio(*((p * n, n) for p, n in zip(shares, worth, strict=True)), level=level)
    verdict = judge(ratio.low, ratio.high, HALF, two_sided=False)
    text = (
        f"{column}: {100 * shares[0]:.0f} % of {counts[0]:,} promoters, {100 * shares[1]:.0f} % "
        f"of {counts[1]:,} detractors"
    )
    return Finding(verdict, ratio.estimate, ratio.low, ratio.high, "times detractors", text)


def mix_shift(votes, periods, column, level, margin, weighted):
    """What the mix of segments added to the last change."""
    if len(periods) < 2:
        raise CxError("One period only: no change to take apart.")
    before, after = (votes[votes["a period"] == name] for name in periods[-2:])
    split = nps_decompose(before, after, column, level=level, cluster_col="cluster",
                          weight_col="weight" if weighted else None)  # fmt: skip
    verdict = judge(split.mix_low, split.mix_high, margin)
    text = f"mix of {column}; within segments {split.within:+z.1f} points"
    return Finding(verdict, split.mix, split.mix_low, split.mix_high, "points", text)


def nonresponse(asked: pd.DataFrame, score_col, known, population, level, margin, weight_col=None):
    """What weighting by known columns changes, and what it cannot reach."""
    answered = asked[asked[score_col].notna()]
    whole = asked if population is None else population
    silent = len(whole) - len(answered)
    bounds = nps_nonresponse(nps(answered[score_col], level=level, scale="0-10"), len(whole))
    wide = f"worst case {bounds.bound_low:.0f} to {bounds.bound_high:.0f}"
    rate = f"{100 * bounds.response_rate:.0f} % answered"
    if silent == 0:
        raise CxError("All answered, or the silent are not in these data: no invitation is empty.")
    if not known:
        verdict = HARMLESS if bounds.bound_high - bounds.bound_low <= 2 * margin else CANNOT
        return Finding(verdict, np.nan, bounds.bound_low, bounds.bound_high, "points",
                       f"{rate}; nothing known of the silent; limits: worst case")  # fmt: skip
    table, weights = rake_to(answered, whole, known, weight_col)
    votes = cast_votes(answered[score_col]).astype(float)
    design = rake_to(answered, whole, [], weight_col)[1]
    own, plain = weights / weights.sum(), design / design.sum()
    shift = own @ votes - plain @ votes
    left = unexplained(votes, weights, table) if len(table.columns) else votes - own @ votes
    moves = own * left - plain * (votes - plain @ votes)
    unseen = 1 - len(votes) / len(whole) if weight_col is None else 1.0
    error = np.sqrt((moves**2).sum() * unseen)
    half = float(critical_value(level)) * error
    number, low, high = (100 * v for v in (shift, shift - half, shift + half))
    verdict = MATTERS if low > margin or high < -margin else CANNOT
    text = f"weights by {', '.join(known)} move the score so; {rate}; {wide}"
    return Finding(verdict, number, low, high, "points", text)


def contrasts(votes: pd.DataFrame, column: str, level, weighted, anchor=None):
    """Each group against the rest (with the same anchor), the largest, at a joint level."""
    sizes = votes[column].astype(object).value_counts()
    groups = sizes.index[sizes >= FEWEST_ANSWERS]
    if len(groups) < 2:
        raise CxError(f"Fewer than two groups of {column} have {FEWEST_ANSWERS} answers.")
    each = 1 - (1 - level) / len(groups)
    rows = []
    for group in groups:
        inside = votes[column].astype(object) == group
        sides = votes[~inside].assign(all="all"), votes[inside].assign(all="all")
        split = nps_decompose(*sides, anchor or "all", level=each, cluster_col="cluster",
                              weight_col="weight" if weighted else None)  # fmt: skip
        rows.append([group, split.within, split.within_low, split.within_high])
    return pd.DataFrame(rows, columns=[column, "estimate", "low", "high"])


def largest_contrast(table: pd.DataFrame, margin, beyond: str, text: str):
    """The verdict over all groups; `beyond` is what a clear difference means."""
    judged = [judge(r.low, r.high, margin) for r in table.itertuples()]
    top = table.iloc[int(table["estimate"].abs().argmax())]
    clear = [i for i, word in enumerate(judged) if word == MATTERS]
    if clear:
        top = table.iloc[max(clear, key=lambda i: abs(table["estimate"].iloc[i]))]
    verdict = beyond if clear else HARMLESS if set(judged) == {HARMLESS} else CANNOT
    return Finding(verdict, top["estimate"], top["low"], top["high"], "points",
                   f"{top.iloc[0]} against the rest{text}")  # fmt: skip


def reliability(values, errors, *, level: float = 0.95) -> tuple[float, float, float]:
    """Share of the spread between groups that is not sampling error, with limits (Q-profile).

    ``tau^2 / (tau^2 + s^2)``, s^2 the mean squared error; tau^2 where Cochran's Q equals its
    expectation, and for the limits its quantiles (Viechtbauer 2007, doi:10.1002/sim.2514).

    Examples
    --------
    >>> round(float(reliability([0, 10, 20, 30, 40, 50], [1] * 6)[0]), 2)
    1.0
    """
    from scipy.stats import chi2

    values, variances = np.asarray(values, float), np.asarray(errors, float) ** 2
    typical, df = variances.mean(), len(values) - 1

    def q_less(target):
        def margin(tau2):
            w = 1 / (variances + tau2)
            mean = (w * values).sum() / w.sum()
            return np.atleast_1d((w * (values - mean) ** 2).sum() - target)

        if margin(0.0)[0] <= 0:
            return 0.0
        top = 100 * (np.ptp(values) ** 2 + typical)
        found = boundary(lambda t: margin(t[0]), np.zeros(1), np.full(1, top), 1e-9 * top)
        return float(found[0])

    tails = chi2.ppf([0.5 + level / 2, 0.5 - level / 2], df)
    return tuple(t / (t + typical) for t in map(q_less, (df, *tails)))


def small_teams(votes: pd.DataFrame, column: str, level, weighted=False, clustered=False):
    """Whether a league table of teams shows teams or luck."""
    parts = [part for _, part in votes.groupby(votes[column].astype(object)) if len(part) >= 5]
    if len(parts) < 4:
        raise CxError(f"Fewer than four groups of {column} have five answers.")
    groups = pd.concat(_score(part, level, weighted, clustered).to_frame() for part in parts)
    share = groups["effective_n"] / groups[["promoters", "passives", "detractors"]].sum(axis=1)
    sides = (groups[side] * share for side in ("promoters", "detractors"))
    errors = net_score_error(*sides, groups["effective_n"])
    number, low, high = reliability(groups["estimate"], errors, level=level)
    verdict = HARMLESS if low > RELIABLE else MATTERS if high < RELIABLE else CANNOT
    text = f"{len(groups)} groups of {column}, median {groups['n'].median():.0f} answers"
    return Finding(verdict, number, low, high, "of spread is real", text)


def trend_noise(frame, columns, level, margin):
    """How many moves between periods would be reported as news and are luck."""
    from scipy.special import ndtr

    trend = nps_trend(frame, period_col="a period", level=level, **columns)
    if len(trend.periods) < FEWEST_PERIODS:
        raise CxError(f"{len(trend.periods)} period(s): {FEWEST_PERIODS} are needed.")
    rows = trend.periods
    share = rows["effective_n"] / rows[["promoters", "passives", "detractors"]].sum(axis=1)
    error2 = 1e4 * (
        (rows["promoters"] + rows["detractors"]) * share / rows["effective_n"]
        - (rows["estimate"] / 100) ** 2
    ) / rows["effective_n"]  # fmt: skip
    moves = rows["estimate"].diff()[1:]
    p = 2 * ndtr(-np.abs(moves) / np.sqrt(error2 + error2.shift())[1:])
    news = adjust_p(p, method="benjamini_hochberg") <= 1 - level
    big = (moves.abs() > margin).to_numpy()
    if not big.any():
        return Finding(HARMLESS, 0.0, 0.0, 0.0, "of big moves", f"no move beyond {margin:g} points")
    luck = proportion(int((big & ~news).sum()), int(big.sum()), level=level)
    verdict = judge(luck.low, luck.high, HALF, two_sided=False)
    text = (
        f"{int((big & ~news).sum())} of {int(big.sum())} moves beyond {margin:g} points between "
        f"{len(rows)} periods may be luck; supported changes of level: {len(trend.changes)}"
    )
    return Finding(verdict, luck.estimate, luck.low, luck.high, "of big moves", text)


def prediction(votes: pd.DataFrame, outcome: str, predictors: dict, level):
    """What the best rival adds to the three classes of the net score, out of sample."""
    contest = predictive_power(
        votes.rename(columns={"cluster": "customer_id"}),
        outcome=outcome,
        predictors={"NPS": ["vote"], **predictors},
        weight_col="weight",
        level=1 - (1 - level) / max(1, len(predictors)),
    )
    gains = [contest.gain(name) for name in predictors]
    best = max(gains, key=lambda g: g["estimate"])
    verdict = judge(best["low"], best["high"], AUC_GAIN, two_sided=False)
    verdict = MATTERS if best["low"] > 0 else verdict
    measure = contest.scores["measure"].iloc[0]
    alone = contest.scores["estimate"].iloc[0]
    text = f"{best['predictor']} against NPS ({alone:.2f}) for {outcome}, {contest.n:,} answers"
    return Finding(verdict, best["estimate"], best["low"], best["high"],
                   f"gain in {measure}".replace("auc", "AUC").replace("_", " "), text)  # fmt: skip
