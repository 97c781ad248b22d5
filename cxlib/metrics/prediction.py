"""Which answers predict behaviour: a contest on customers whom the models have not seen."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.metrics.behaviour import clustered_share, need_columns
from cxlib.stats.checks import check_choice, check_level
from cxlib.stats.design import weighted_mean
from cxlib.stats.prediction_scores import accuracy, auc_pairs, rank_correlation

__all__ = ["PredictionContest", "predictive_power"]

MEASURES = {"event": ("auc", "brier", "log_score"), "amount": ("rank_correlation", "r2")}
SMALL_IS_GOOD = {"brier", "log_score"}
CELLS_AT_ONCE = 4_000_000
FEWEST_A_FOLD = 5


@dataclass(frozen=True)
class PredictionContest:
    """How well each predictor foretells one outcome, on held-out customers.

    Attributes
    ----------
    outcome : str
    kind : {"event", "amount"}
    reference : str
        The predictor that all others are compared with.
    scores : DataFrame
        predictor, measure, estimate, low, high.
    gains : DataFrame
        predictor, measure, estimate, low, high: by how much it is better than the reference on
        the same customers (paired); above 0 is better for every measure.
    calibration : DataFrame
        predictor, predicted, observed, low, high, n: groups of customers by their prediction.
    predictions : DataFrame
        One row a row used, one column a predictor, with the index of the frame given.
    n, customers, dropped : int
        Rows used, their customers, rows left out as incomplete.
    level : float
    """

    outcome: str
    kind: str
    reference: str
    scores: pd.DataFrame = field(repr=False)
    gains: pd.DataFrame = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)
    predictions: pd.DataFrame = field(repr=False)
    n: int
    customers: int
    dropped: int
    level: float

    def gain(self, predictor: str, measure: str | None = None) -> pd.Series:
        """The row of `gains` of one predictor; by its first measure (AUC, rank correlation)."""
        measure = measure or MEASURES[self.kind][0]
        rows = self.gains[(self.gains["predictor"] == predictor)]
        rows = rows[rows["measure"] == measure]
        if rows.empty:
            names = ", ".join(dict.fromkeys(self.gains["predictor"]))
            raise CxError(f"No gain of {predictor!r} by {measure!r}. Predictors: {names}.")
        return rows.iloc[0]

    def verdict(self, predictor: str, measure: str | None = None) -> str:
        """Whether the interval of the gain lies above 0, below, or on both sides."""
        gain = self.gain(predictor, measure)
        if gain["low"] > 0:
            return "better"
        return "worse" if gain["high"] < 0 else "cannot tell"

    def to_frame(self) -> pd.DataFrame:
        """One row a predictor and measure: the score and its gain over the reference."""
        gains = self.gains.rename(
            columns={"estimate": "gain", "low": "gain_low", "high": "gain_high"}
        )
        return self.scores.merge(gains, on=["predictor", "measure"], how="left").assign(n=self.n)

    def summary(self) -> str:
        """The scores by the first measure, and which predictors beat the reference."""
        measure = MEASURES[self.kind][0]
        shown = self.scores[self.scores["measure"] == measure]
        said = ", ".join(
            f"{r.predictor} {r.estimate:.3f} [{r.low:.3f}, {r.high:.3f}]"
            for r in shown.itertuples()
        )
        others = list(dict.fromkeys(self.gains["predictor"]))
        better = [name for name in others if self.verdict(name) == "better"]
        worse = [name for name in others if self.verdict(name) == "worse"]
        told = "; ".join(
            f"{', '.join(names)} {word} than {self.reference}"
            for names, word in ((better, "better"), (worse, "worse"))
            if names
        )
        return (
            f"{measure.replace('_', ' ').replace('auc', 'AUC')} for {self.outcome} on held-out "
            f"customers: {said}. {100 * self.level:g} % intervals of the paired differences show "
            f"{told or f'nobody better or worse than {self.reference}'} "
            f"({self.n:,} answers of {self.customers:,} customers)."
        )

    def plot(self, ax=None):
        """The scores by the first measure with their intervals."""
        from cxlib.figures.prediction import plot_contest

        measure = MEASURES[self.kind][0]
        shown = self.scores[self.scores["measure"] == measure]
        chance = {"auc": 0.5, "rank_correlation": 0.0}[measure]
        label = {"auc": "AUC", "rank_correlation": "rank correlation"}[measure]
        return plot_contest(shown, chance=chance, label=f"{label} for {self.outcome}", ax=ax)


def predictive_power(
    frame: pd.DataFrame,
    *,
    outcome: str,
    predictors: Mapping[str, Sequence[str]],
    kind: str | None = None,
    reference: str | None = None,
    customer_col: str = "customer_id",
    folds: int = 5,
    groups: int = 5,
    replicates: int = 999,
    level: float = 0.95,
    seed: int = 0,
) -> PredictionContest:
    """Contest of predictors out of sample: recommendation, satisfaction, intention, combinations.

    Customers are dealt into folds at random; the rows of each fold are predicted by a model fitted
    to all others (logistic regression for events, least squares for amounts). Discrimination is
    computed within folds, where predictions come from one model, and averaged. Intervals are
    percentiles over resampled customers, the same for all predictors, so that differences are
    paired.

    Parameters
    ----------
    frame : DataFrame
        One row an answer. Rows that lack the outcome or any predictor's column are left out for
        all predictors, and counted, as only the same rows make a fair contest.
    outcome : str
        Column of what happened later: true or false (0 or 1), or an amount.
    predictors : mapping of name to list of columns
        Numbers or true/false; an empty list predicts the mean of the other folds for everybody.
    kind : {"event", "amount"}, optional
        By default an event where the outcome holds 0 and 1 only.
    reference : str, optional
        Whom the others are compared with; the first by default.
    customer_col : str
        Rows of one customer stay together; where there is no such column, each row is one.
    folds : int
        2 or more.
    groups : int
        Groups of equal size in the calibration.
    replicates, seed : int
        Of the resampling; the seed deals the folds, too.
    level : float

    Returns
    -------
    PredictionContest
        event: auc (0.5 is chance), brier, log_score (nats); amount: rank_correlation, r2 (against
        the mean of the other folds).

    Raises
    ------
    CxError
        Columns are missing or no numbers, the outcome hardly varies, or too few rows remain.

    Notes
    -----
    The intervals speak of these fitted models on other customers; that other customers would have
    given other fits is not in them. A measure named beforehand is evidence, the best of many is
    a hint.

    References
    ----------
    de Haan, Verhoef & Wiesel 2015, International Journal of Research in Marketing 32(2),
    doi:10.1016/j.ijresmar.2015.02.004. Hanley & McNeil 1982, Radiology 143(1),
    doi:10.1148/radiology.143.1.7063747 (AUC). Brier 1950, Monthly Weather Review 78(1),
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"nps": rng.integers(0, 11, 400), "intent": rng.integers(0, 11, 400)})
    >>> frame["left"] = rng.random(400) < 0.6 - 0.05 * frame["intent"]
    >>> contest = predictive_power(frame, outcome="left", replicates=199,
    ...                            predictors={"NPS": ["nps"], "both": ["nps", "intent"]})
    >>> contest.verdict("both"), contest.n
    ('better', 400)
    """
    check_level(level)
    reference = next(iter(predictors), None) if reference is None else reference
    data, columns, kind = _checked(frame, outcome, predictors, kind, reference, folds, replicates)
    customer = data[customer_col] if customer_col in data else pd.Series(data.index)
    who, names = pd.factorize(customer.astype(object))
    y = data[outcome].to_numpy(dtype=float)
    fold = np.random.default_rng(seed).permutation(len(names))[who] % folds
    _check_folds(y, fold, folds, kind, outcome)
    baseline = _held_out(np.empty((len(y), 0)), y, fold, folds, kind)
    predicted = {
        name: _held_out(data[list(cols)].to_numpy(dtype=float), y, fold, folds, kind)
        for name, cols in predictors.items()
    }
    draws = _resampled(predicted, y, baseline, fold, who, kind, replicates, seed)
    tail = [0.5 - level / 2, 0.5 + level / 2]
    scores, gains = [], []
    for (name, measure), values in draws.items():
        scores.append([name, measure, values[0], *np.quantile(values[1:], tail)])
        if name != reference:
            gain = values - draws[reference, measure]
            gain = -gain if measure in SMALL_IS_GOOD else gain
            gains.append([name, measure, gain[0], *np.quantile(gain[1:], tail)])
    columns = ["predictor", "measure", "estimate", "low", "high"]
    return PredictionContest(
        outcome,
        kind,
        reference,
        pd.DataFrame(scores, columns=columns),
        pd.DataFrame(gains, columns=columns),
        _calibration(predicted, y, who, kind, groups, level),
        pd.DataFrame(predicted, index=data.index),
        len(data),
        len(names),
        len(frame) - len(data),
        float(level),
    )


def _checked(frame, outcome, predictors, kind, reference, folds, replicates):
    if not isinstance(predictors, Mapping) or any(isinstance(c, str) for c in predictors.values()):
        raise CxError('predictors must map names to lists of columns: {"NPS": ["nps"]}.')
    if reference not in predictors:
        raise CxError(f"reference {reference!r} is none of: {', '.join(predictors) or 'nothing'}.")
    if folds < 2 or replicates < 1:
        raise CxError(f"folds must be 2 or more, replicates 1 or more: {folds}, {replicates}.")
    columns = list(dict.fromkeys(c for cols in predictors.values() for c in cols))
    need_columns(frame, [outcome, *columns], "A contest of predictors")
    text = [
        Problem(f"column {name} holds no numbers", allowed="numbers, or true and false")
        for name in (outcome, *columns)
        if not (pd.api.types.is_numeric_dtype(frame[name]) or frame[name].dtype == bool)
    ]
    if outcome in columns:
        text.append(Problem(f"{outcome} is the outcome and cannot predict itself"))
    if text:
        raise CxError("The contest cannot be held.", text)
    data = frame[frame[[outcome, *columns]].notna().all(axis=1)]
    if data.empty:
        raise CxError(
            f"None of {len(frame):,} rows has the outcome and all columns of all predictors."
        )
    zero_one = data[outcome].astype(float).isin((0.0, 1.0)).all()
    kind = kind or ("event" if zero_one else "amount")
    check_choice("kind", kind, MEASURES)
    if kind == "event" and not zero_one:
        raise CxError(f"{outcome} is no event: it holds other values than 0 and 1.")
    return data, columns, kind


def _check_folds(y, fold, folds, kind, outcome) -> None:
    if kind == "event":
        rarer = int(min(y.sum(), len(y) - y.sum()))
        if rarer < FEWEST_A_FOLD * folds:
            raise CxError(
                f"{outcome} is {'true' if y.mean() < 0.5 else 'false'} in only {rarer:,} of "
                f"{len(y):,} rows; {folds} folds need {FEWEST_A_FOLD * folds}. Take a longer "
                "horizon, more answers, or fewer folds."
            )
    elif len(y) < 4 * FEWEST_A_FOLD * folds or np.ptp(y) == 0:
        raise CxError(
            f"{outcome} has {len(y):,} values, {len(np.unique(y)):,} of them different; {folds} "
            f"folds need {4 * FEWEST_A_FOLD * folds} that vary."
        )
    if (np.bincount(fold, minlength=folds) == 0).any():
        raise CxError(f"Fewer customers than folds ({folds}): take fewer folds.")


def _held_out(x: np.ndarray, y, fold, folds: int, kind: str) -> np.ndarray:
    predicted = np.empty(len(y))
    for held in range(folds):
        out = fold == held
        predicted[out] = _fitted(x[~out], y[~out], x[out], kind)
    return predicted


def _fitted(x, y, new, kind) -> np.ndarray:
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    x, new = (np.column_stack([np.ones(len(v)), (v - centre) / spread]) for v in (x, new))
    if kind == "amount":
        return new @ np.linalg.lstsq(x, y, rcond=None)[0]
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    with (
        np.errstate(over="ignore"),
        warnings.catch_warnings(),
    ):  # a predictor may be perfect; its predictions are then 0 and 1
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        return GLM(y, x, family=Binomial()).fit().predict(new)


def _resampled(predicted, y, baseline, fold, who, kind, replicates, seed) -> dict:
    """(predictor, measure) -> the score itself, followed by its replicates."""
    rng = np.random.default_rng([seed, 1])
    customers = who.max() + 1
    at_once = max(1, CELLS_AT_ONCE // len(y))
    parts = [np.ones((1, len(y)))]
    found: dict = {}
    drawn = 0
    while parts:
        weights = parts.pop()
        for name, values in predicted.items():
            for measure in MEASURES[kind]:
                score = _score(measure, values, y, baseline, fold, weights)
                found.setdefault((name, measure), []).append(score)
        if drawn < replicates:
            rows = min(at_once, replicates - drawn)
            drawn += rows
            counts = rng.multinomial(customers, np.full(customers, 1 / customers), rows)
            parts.append(counts[:, who].astype(float))
    return {key: np.concatenate(values) for key, values in found.items()}


def _score(measure, predicted, y, baseline, fold, weights) -> np.ndarray:
    if measure not in ("auc", "rank_correlation"):
        return accuracy(measure, predicted, y, baseline, weights)
    top = bottom = 0.0
    for held in range(fold.max() + 1):
        at = fold == held
        w = weights[:, at]
        if measure == "auc":
            right, pairs = auc_pairs(predicted[at], y[at], w)
        else:
            pairs = w.sum(axis=1)
            right = pairs * rank_correlation(predicted[at], y[at], w)
        top, bottom = top + right, bottom + pairs
    return top / bottom


def _calibration(predicted, y, who, kind, groups, level) -> pd.DataFrame:
    rows = []
    for name, values in predicted.items():
        group = np.minimum(pd.Series(values).rank(pct=True, method="average") * groups, groups - 1)
        for part in np.unique(group.astype(int)):
            at = group.astype(int).to_numpy() == part
            if kind == "event":
                real = clustered_share(y[at], who[at], level=level)
            elif len(np.unique(who[at])) > 1 and np.ptp(y[at]) > 0:
                real = weighted_mean(y[at], cluster=who[at], level=level)
            else:
                continue
            rows.append([name, values[at].mean(), real.estimate, real.low, real.high, at.sum()])
    return pd.DataFrame(rows, columns=["predictor", "predicted", "observed", "low", "high", "n"])
