"""The model against what really happened, beside rules a manager could apply by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cxlib.clv.histories import columns_of, read_histories, require_columns
from cxlib.clv.interval import bounds, check_simulation, in_words, interval_of, percent
from cxlib.clv.purchase_forecast import simulate_counts
from cxlib.clv.surprise import p_two_sided
from cxlib.errors import CxError
from cxlib.stats.interval import Interval

__all__ = ["Holdout", "holdout"]

TOP_FREQUENCY = 7


@dataclass(frozen=True, eq=False)
class Holdout:
    """Predicted against actual purchases in the holdout.

    Attributes
    ----------
    predicted : Interval
        Total of all customers with its prediction interval.
    actual : int
    error : float
        predicted / actual - 1; -0.12 is twelve per cent too few.
    mean_absolute_error, root_mean_square_error, correlation : float
        Over customers, predicted against actual.
    rules : DataFrame
        One row a rule, the model first: predicted, error, mean_absolute_error,
        root_mean_square_error, correlation (0 for a rule that says the same of all).
    by_frequency : DataFrame
        By calibration frequency (the last row: and more): customers, predicted, low, high
        (prediction interval of the group's mean), actual.
    customers : DataFrame
        predicted, low, high, actual of each.
    hiatus : float
        The pause after which the hiatus rule takes a customer for lost, in the unit of time.
    p : float
        Of the actual total among the drawn ones, two-sided.
    """

    predicted: Interval
    actual: int
    error: float
    mean_absolute_error: float
    root_mean_square_error: float
    correlation: float
    rules: pd.DataFrame = field(repr=False)
    by_frequency: pd.DataFrame = field(repr=False)
    customers: pd.DataFrame = field(repr=False)
    hiatus: float
    level: float
    p: float

    @property
    def inside(self) -> bool:
        """Whether the actual total lies in the prediction interval."""
        return self.predicted.low <= self.actual <= self.predicted.high

    @property
    def relative_error(self) -> Interval:
        """``error`` with its interval: the prediction interval over the actual total, minus 1."""
        p = self.predicted
        ends = (end / self.actual - 1 for end in (p.estimate, p.low, p.high))
        return Interval(*ends, p.level, p.n, p.method, "error of the predicted total", "share")

    def to_frame(self) -> pd.DataFrame:
        """The model and the simple rules, one row each."""
        return self.rules.copy()

    def summary(self) -> str:
        """The miss in total first, then the error per customer and the best simple rule."""
        verdict = "inside" if self.inside else "outside: a miss that chance hardly explains"
        return (
            f"The model missed the holdout's total by {percent(self.error, 1, sign=True)}: "
            f"{in_words(self.predicted, digits=0)} purchases were predicted and {self.actual:,} "
            f"came. The actual total lies {verdict} ({percent(self.level)} prediction interval). "
            f"Per customer the model errs by {self.mean_absolute_error:.3f} purchases on average, "
            f"with a correlation of {self.correlation:.3f}. {self.best_rule()}"
        )

    def best_rule(self) -> str:
        """The rule that came closest in total, and where it beats the model, in a sentence."""
        name = self.rules["error"].iloc[1:].abs().idxmin()
        best = self.rules.loc[name]
        in_total = abs(best["error"]) < abs(self.error)
        per_customer = best["mean_absolute_error"] < self.mean_absolute_error
        verdict = {
            (True, True): "beats the model in total and per customer",
            (True, False): "beats the model in total, though not per customer",
            (False, True): "does not beat the model in total, though it does per customer",
            (False, False): "beats the model neither in total nor per customer",
        }[in_total, per_customer]
        return (
            f"The best simple rule in total, '{name}', {verdict}: it misses by "
            f"{percent(best['error'], 1, sign=True)}, and by {best['mean_absolute_error']:.3f} a "
            "customer."
        )

    def plot(self, ax=None):
        """Predicted and actual by calibration frequency; see ``plot_holdout_by_frequency``."""
        from cxlib.clv.plots import plot_holdout_by_frequency

        return plot_holdout_by_frequency(self, ax=ax)


def holdout(
    model,
    summary: pd.DataFrame,
    *,
    hiatus: float | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 1,
) -> Holdout:
    """Compare the model's predictions for the holdout with what happened.

    The rules beside the model:

    - last period repeats: each customer buys as often as in the calibration, its count x scaled
      by holdout duration / longest T;
    - mean for all: every customer makes the mean of these;
    - hiatus: the last period repeats, but nothing comes from customers silent for longer than
      ``hiatus`` (Wuebben & von Wangenheim 2008, doi:10.1509/jmkg.72.3.82).

    Parameters
    ----------
    model : PurchaseModel or CovariateModel
        Fitted to the calibration columns of the summary.
    summary : DataFrame
        As ``summarize(..., calibration_until=...)`` or ``Season.summarize`` returns it, with the
        covariates of the model.
    hiatus : float, optional
        Pause in the unit of time. Default: of the repeat buyers' mean times between purchases
        (recency / frequency), the value that nine in ten stay below; taken from the calibration
        alone.
    level, draws, seed
        Of the simulated prediction intervals, which hold parameters, customers and chance.

    Returns
    -------
    Holdout

    Raises
    ------
    CxError
        The summary has no holdout columns, several holdout durations, or no purchase in the
        holdout.

    Examples
    --------
    >>> from cxlib.clv import BetaGeo
    >>> truth = BetaGeo({"r": 0.5, "alpha": 5.0, "a": 0.8, "b": 2.5})
    >>> check = holdout(truth, truth.simulate(40.0, customers=500, horizon=20.0, seed=3))
    >>> check.inside
    True
    """
    x, t_x, T, actual, duration = read_holdout(summary, level, draws)
    predicted = model.expected_purchases(summary, duration).to_numpy()
    groups = np.minimum(x, TOP_FREQUENCY).astype(int)
    rng = np.random.default_rng(seed)
    low, high, by_group = simulate_counts(
        model, summary, groups, TOP_FREQUENCY + 1, duration, level, draws, rng
    )
    if hiatus is None:
        hiatus = default_hiatus(x, t_x, T)
    rules = {f"{model.label} model": predicted, **simple_rules(x, t_x, T, duration, hiatus)}
    table = pd.DataFrame({name: measures(rule, actual) for name, rule in rules.items()}).T
    first = table.iloc[0]
    return Holdout(
        predicted=interval_of(
            predicted.sum(), by_group.sum(axis=0), level, len(x), "prediction", "holdout purchases"
        ),
        actual=int(actual.sum()),
        error=float(first["error"]),
        mean_absolute_error=float(first["mean_absolute_error"]),
        root_mean_square_error=float(first["root_mean_square_error"]),
        correlation=float(first["correlation"]),
        rules=table.rename_axis("rule"),
        by_frequency=frequency_table(groups, predicted, actual, by_group, level),
        customers=pd.DataFrame(
            {"predicted": predicted, "low": low, "high": high, "actual": actual}, summary.index
        ),
        hiatus=float(hiatus),
        level=level,
        p=p_two_sided(actual.sum(), by_group.sum(axis=0)),
    )


def read_holdout(summary, level, draws):
    """x, t_x, T and actual purchases of each customer, and the holdout's duration; checked."""
    check_simulation(level, draws)
    require_columns(summary, ("holdout_frequency", "holdout_duration"))
    x, t_x, T, n = read_histories(summary)
    if (n != 1).any():
        raise CxError("The holdout is per customer: expand rows with n > 1, or drop the column n.")
    actual, duration = columns_of(summary, ("holdout_frequency", "holdout_duration"))
    if (duration != duration[0]).any() or not duration[0] > 0:
        raise CxError("holdout_duration must be one time above 0, the same for all customers.")
    if not (np.isfinite(actual) & (actual >= 0)).all() or actual.sum() == 0:
        raise CxError(
            "holdout_frequency must be counts >= 0 with at least one purchase: there is nothing "
            "to compare with. Does the holdout lie after the end of the data?"
        )
    return x, t_x, T, actual, float(duration[0])


def simple_rules(x, t_x, T, duration, hiatus):
    again = x * duration / T.max()
    return {
        "last period repeats": again,
        "mean for all": np.full_like(again, again.mean()),
        "hiatus": np.where(T - t_x > hiatus, 0.0, again),
    }


def default_hiatus(x, t_x, T):
    repeat = x > 0
    return np.quantile(t_x[repeat] / x[repeat], 0.9) if repeat.any() else T.max()


def measures(predicted, actual):
    miss = predicted - actual
    flat = np.ptp(predicted) == 0 or np.ptp(actual) == 0
    return {
        "predicted": predicted.sum(),
        "error": predicted.sum() / actual.sum() - 1,
        "mean_absolute_error": np.abs(miss).mean(),
        "root_mean_square_error": np.sqrt((miss**2).mean()),
        "correlation": 0.0 if flat else np.corrcoef(predicted, actual)[0, 1],
    }


def frequency_table(groups, predicted, actual, drawn, level):
    frame = pd.DataFrame({"frequency": groups, "predicted": predicted, "actual": actual})
    grouped = frame.groupby("frequency")
    table = grouped[["predicted", "actual"]].mean()
    table.insert(0, "customers", grouped.size())
    low, high = bounds(drawn[table.index], level) / table["customers"].to_numpy()
    table.insert(2, "low", low)
    table.insert(3, "high", high)
    table["label"] = [str(k) if k < TOP_FREQUENCY else f"{k}+" for k in table.index]
    return table
