"""Which answers predict behaviour: a contest on customers whom the models have not seen."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from numbers import Integral

import numpy as np
import pandas as pd

from cxlib.errors import CxError, Problem
from cxlib.metrics.behaviour import clustered_share, need_columns
from cxlib.metrics.holdouts import lots_of_customers
from cxlib.stats.checks import check_choice, check_level, weighed
from cxlib.stats.design import weighted_mean
from cxlib.stats.interval import Interval
from cxlib.stats.prediction_scores import accuracy, auc_pairs, rank_correlation

__all__ = ["PredictionContest", "predictive_power"]

MEASURES = {"event": ("auc", "brier", "log_score"), "amount": ("rank_correlation", "r2")}
SMALL_IS_GOOD = {"brier", "log_score"}
CELLS_AT_ONCE = 4_000_000


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
        predictor, predicted, observed, low, high, n: groups of customers by their prediction, the
        mean over the lots that held them out.
    predictions : DataFrame
        One row a lot and row that it held out, with the index of the frame given: lot, then a
        column a predictor, from the models of that lot.
    n, customers, fitted_on, dropped : int
        Rows that one lot holds out, their customers, rows its models were fitted on (means over
        the lots), incomplete rows.
    lots : int
        How often the customers were parted.
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
    fitted_on: int
    dropped: int
    lots: int
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

    def gain_interval(self, predictor: str, measure: str | None = None) -> Interval:
        """The gain of one predictor as an interval; n: customers that one lot holds out."""
        gain = self.gain(predictor, measure)
        ends = (float(gain[name]) for name in ("estimate", "low", "high"))
        what = f"gain of {predictor} over {self.reference}"
        return Interval(*ends, self.level, self.customers, "paired bootstrap", what)

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
            f"({self.n:,} answers of {self.customers:,} customers, fitted on {self.fitted_on:,}; "
            f"{'one lot' if self.lots == 1 else f'means over {self.lots} lots'})."
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
    weight_col: str | None = None,
    test_share: float = 0.5,
    groups: int = 5,
    lots: int = 10,
    replicates: int | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> PredictionContest:
    """Contest of predictors out of sample: recommendation, satisfaction, intention, combinations.

    A lot holds out part of the customers. Models are fitted to the others (logistic regression for
    events, least squares for amounts) and judged on those held out. A lot's limits are percentiles
    over resampled held-out customers, the same for all predictors, so that differences are paired.
    As another lot would hold out others, and a close verdict may hang on it, several lots are
    drawn: scores, gains and their limits are the means over the lots.

    Parameters
    ----------
    frame : DataFrame
        One row an answer. Rows that lack the outcome or any predictor's column are left out for
        all predictors, and counted, as only the same rows make a fair contest.
    outcome : str
        Column of what happened later: true or false (0 or 1), or an amount.
    predictors : mapping of name to list of columns
        Numbers or true/false; an empty list predicts the same mean for everybody.
    kind : {"event", "amount"}, optional
        By default an event where the outcome holds 0 and 1 only.
    reference : str, optional
        Whom the others are compared with; the first by default.
    customer_col : str
        Rows of one customer stay together; where there is no such column, each row is one.
    weight_col : str, optional
        Weights, 0 or more, of which only the ratios matter: fits, scores, every resample and the
        calibration are weighted. Rows of weight 0 are left out, and counted as dropped.
    test_share : float
        Share of the customers held out, above 0 and below 1.
    groups : int
        Groups of equal size (sum of weights) in the calibration.
    lots : int
        How often customers are parted into those fitted on and those held out, 1 or more. A lot
        that leaves too few events on a side is drawn again, at most as often as there are lots.
    replicates : int, optional
        Resamples a lot, 2 / (1 - level) - 1 or more, so that both limits lie between two of them;
        by default 399 or as many as `level` needs.
    seed : int
        Draws the customers held out and the resamples.
    level : float

    Returns
    -------
    PredictionContest
        event: auc (0.5 is chance), brier, log_score (nats); amount: rank_correlation, r2 (against
        the mean of the customers fitted on).

    Raises
    ------
    CxError
        Columns are missing or no numbers, weights are missing, negative or all zero, the outcome
        hardly varies, or too few rows remain.

    Notes
    -----
    The intervals speak of these fitted models on other customers; that other customers would have
    given other fits is not in them. Each lot's interval holds what its own models gain at the
    promised rate; the mean of the lots errs less than one of them while the mean of their limits is
    as wide, so that it holds what the models gain on average at least as often. Folds in turn,
    pooled as if their errors were independent, would be narrower, but with predictors of no power
    such intervals missed 15 % for a promised 5 %. A measure named beforehand is evidence, the best
    of many is a hint.

    References
    ----------
    de Haan, Verhoef & Wiesel 2015, International Journal of Research in Marketing 32(2),
    doi:10.1016/j.ijresmar.2015.02.004. Hanley & McNeil 1982, Radiology 143(1),
    doi:10.1148/radiology.143.1.7063747 (AUC). Brier 1950, Monthly Weather Review 78(1),
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2. On limits averaged over repeated splits:
    Chernozhukov, Demirer, Duflo & Fernandez-Val 2018, NBER working paper 24678,
    doi:10.3386/w24678.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"nps": rng.integers(0, 11, 400), "intent": rng.integers(0, 11, 400)})
    >>> frame["left"] = rng.random(400) < 0.6 - 0.05 * frame["intent"]
    >>> contest = predictive_power(frame, outcome="left", replicates=199,
    ...                            predictors={"NPS": ["nps"], "both": ["nps", "intent"]})
    >>> contest.verdict("both"), contest.n
    ('better', 200)
    """
    fewest = ceil(round(2 / (1 - check_level(level)), 6)) - 1
    replicates = max(399, fewest) if replicates is None else replicates
    reference = next(iter(predictors), None) if reference is None else reference
    counts = {"lots": (lots, 1), "replicates": (replicates, fewest), "groups": (groups, 1)}
    data, kind = _checked(
        frame, outcome, predictors, kind, reference, test_share, counts, weight_col
    )
    weight = np.ones(len(data)) if weight_col is None else data[weight_col].to_numpy(dtype=float)
    weight = weight / weight.mean()
    customer = data[customer_col] if customer_col in data else pd.Series(data.index)
    who, names = pd.factorize(customer.astype(object))
    y = data[outcome].to_numpy(dtype=float)
    x = {name: data[list(cols)].to_numpy(dtype=float) for name, cols in predictors.items()}
    rng = np.random.default_rng(seed)
    limits, predictions = [], []
    holdouts = lots_of_customers(rng, who, round(test_share * len(names)), lots, y, kind, outcome)
    for lot, held in enumerate(holdouts):
        fitted = {
            n: _fitted(v[~held], y[~held], weight[~held], v[held], kind) for n, v in x.items()
        }
        baseline = np.average(y[~held], weights=weight[~held])
        inside = pd.factorize(who[held])[0]
        draws = _resampled(
            fitted, y[held], weight[held], baseline, inside, kind, replicates, [seed, 1, lot]
        )
        limits.append(_limits(draws, reference, level))
        predictions.append(pd.DataFrame({"lot": lot, "row": np.flatnonzero(held), **fitted}))
    table = pd.concat(limits).groupby(["predictor", "measure", "against"], sort=False).mean()
    table = table.reset_index()
    scores, gains = (
        table[table["against"] == other].drop(columns="against").reset_index(drop=True)
        for other in ("", reference)
    )
    predictions = pd.concat(predictions)
    row = predictions.pop("row")
    mean = predictions.drop(columns="lot").groupby(row.to_numpy()).mean()
    ever, drawn = mean.index, len(predictions) / lots
    customers = pd.factorize(who[ever])[0]
    return PredictionContest(
        outcome,
        kind,
        reference,
        scores,
        gains,
        _calibration(mean, y[ever], weight[ever], customers, kind, groups, level),
        predictions.set_index(data.index[row]),
        round(drawn),
        round(test_share * len(names)),
        round(len(data) - drawn),
        len(frame) - len(data),
        lots,
        float(level),
    )


def _limits(draws, reference, level) -> pd.DataFrame:
    """Scores (against nothing) and gains (against the reference) of one lot, with their limits."""
    tail = [0.5 - level / 2, 0.5 + level / 2]
    rows = []
    for (name, measure), values in draws.items():
        compared = {"": values}
        if name != reference:
            gain = values - draws[reference, measure]
            compared[reference] = -gain if measure in SMALL_IS_GOOD else gain
        for against, drawn in compared.items():
            low, high = np.quantile(drawn[1:], tail, method="weibull")
            rows.append([name, measure, against, drawn[0], low, high])
    return pd.DataFrame(
        rows, columns=["predictor", "measure", "against", "estimate", "low", "high"]
    )


def _checked(frame, outcome, predictors, kind, reference, test_share, counts, weight_col):
    if not isinstance(predictors, Mapping) or any(isinstance(c, str) for c in predictors.values()):
        raise CxError('predictors must map names to lists of columns: {"NPS": ["nps"]}.')
    if reference not in predictors:
        raise CxError(f"reference {reference!r} is none of: {', '.join(predictors) or 'nothing'}.")
    wrong = [
        Problem(f"{name} is {n!r}", allowed=f"a whole number, {fewest} or more")
        for name, (n, fewest) in counts.items()
        if not isinstance(n, Integral) or n < fewest
    ]
    if not 0 < test_share < 1:
        wrong.append(Problem(f"test_share is {test_share!r}", allowed="between 0 and 1"))
    if wrong:
        raise CxError("The contest cannot be drawn.", wrong)
    columns = list(dict.fromkeys(c for cols in predictors.values() for c in cols))
    weights = [] if weight_col is None else [weight_col]
    need_columns(frame, [outcome, *columns, *weights], "A contest of predictors")
    text = [
        Problem(f"column {name} holds no numbers", allowed="numbers, or true and false")
        for name in (outcome, *columns, *weights)
        if not pd.api.types.is_numeric_dtype(frame[name])  # true for bool, too
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
    if weights:
        data = data[weighed(data[weight_col].to_numpy(dtype=float), len(data)) > 0]
    if np.isinf(data[[outcome, *columns]].to_numpy(dtype=float)).any():
        raise CxError("The contest cannot be held: there are infinite numbers.")
    zero_one = data[outcome].astype(float).isin((0.0, 1.0)).all()
    kind = kind or ("event" if zero_one else "amount")
    check_choice("kind", kind, MEASURES)
    if kind == "event" and not zero_one:
        raise CxError(f"{outcome} is no event: it holds other values than 0 and 1.")
    return data, kind


def _fitted(x, y, weight, new, kind) -> np.ndarray:
    x, new = (v[:, np.ptp(x, axis=0) > 0] for v in (x, new))
    mean, sd = x.mean(axis=0), x.std(axis=0)
    x, new = (np.column_stack([np.ones(len(v)), (v - mean) / sd]) for v in (x, new))
    if kind == "amount":
        root = np.sqrt(weight)
        return new @ np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    # a predictor may be perfect; its predictions are then 0 and 1
    with np.errstate(over="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        return GLM(y, x, family=Binomial(), freq_weights=weight).fit().predict(new)


def _resampled(predicted, y, weight, baseline, who, kind, replicates, seed) -> dict:
    """(predictor, measure) -> the score itself, followed by its replicates."""
    rng = np.random.default_rng(seed)
    customers = who.max() + 1
    at_once = max(1, CELLS_AT_ONCE // len(y))
    parts = [weight[None, :]]
    found: dict = {}
    drawn = 0
    while parts:
        weights = parts.pop()
        for name, values in predicted.items():
            for measure in MEASURES[kind]:
                score = _score(measure, values, y, baseline, weights)
                found.setdefault((name, measure), []).append(score)
        if drawn < replicates:
            rows = min(at_once, replicates - drawn)
            drawn += rows
            counts = rng.multinomial(customers, np.full(customers, 1 / customers), rows)
            parts.append(counts[:, who] * weight)
    return {key: np.concatenate(values) for key, values in found.items()}


def _score(measure, predicted, y, baseline, weights) -> np.ndarray:
    if measure == "auc":
        right, pairs = auc_pairs(predicted, y, weights)
        return np.divide(right, pairs, out=np.full(len(pairs), 0.5), where=pairs > 0)
    if measure == "rank_correlation":
        return rank_correlation(predicted, y, weights)
    return accuracy(measure, predicted, y, baseline, weights)


def _calibration(predicted, y, weight, who, kind, groups, level) -> pd.DataFrame:
    rows = []
    for name, values in predicted.items():
        values = values.to_numpy()
        sums = pd.Series(weight).groupby(values).sum()
        place = ((sums.cumsum() - sums / 2) / sums.sum()).loc[values].to_numpy()
        group = np.minimum((place * groups).astype(int), groups - 1)
        for part in np.unique(group):
            at = group == part
            if kind == "event":
                real = clustered_share(y[at], who[at], weight[at], level=level)
            elif len(np.unique(who[at])) > 1 and np.ptp(y[at]) > 0:
                real = weighted_mean(y[at], weight[at], cluster=who[at], level=level)
            else:
                continue
            mean = np.average(values[at], weights=weight[at])
            rows.append([name, mean, real.estimate, real.low, real.high, at.sum()])
    return pd.DataFrame(rows, columns=["predictor", "predicted", "observed", "low", "high", "n"])
