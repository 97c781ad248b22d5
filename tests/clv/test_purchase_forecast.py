"""Forecasts: totals, groups and customers with intervals, under every model."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import cxlib as cx
from cxlib.clv import BetaGeo, BetaGeoBetaBinom, ModifiedBetaGeo, ParetoNBD, forecast

TRUTHS = {
    BetaGeo: {"r": 0.6, "alpha": 5.0, "a": 0.9, "b": 2.2},
    ModifiedBetaGeo: {"r": 0.7, "alpha": 5.0, "a": 0.9, "b": 2.5},
    ParetoNBD: {"r": 0.7, "alpha": 8.0, "s": 0.8, "beta": 12.0},
    BetaGeoBetaBinom: {"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.8},
}
SAMPLES = {BetaGeo: 40, ModifiedBetaGeo: 20, ParetoNBD: 10, BetaGeoBetaBinom: 12}
every_model = pytest.mark.parametrize("kind", TRUTHS, ids=lambda kind: kind.__name__)


def sample(kind, customers=400, seed=1):
    T, horizon = (12.0, 6.0) if kind is BetaGeoBetaBinom else (40.0, 20.0)
    return kind(TRUTHS[kind]).simulate(T, customers=customers, horizon=horizon, seed=seed)


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
@every_model
def test_intervals_of_customers_groups_and_totals_cover(kind):
    """80 % intervals in some samples, the model fitted anew in each; more by `make calibrate`."""
    own, groups, total = [], [], 0
    for seed in range(SAMPLES[kind]):
        table = sample(kind, 150, seed)
        came, horizon = table["holdout_frequency"], table["holdout_duration"].iloc[0]
        by = (table["frequency"] > 0).rename("back")
        found = forecast(
            kind().fit(table), table, horizon=horizon, by=by, level=0.8, draws=60, seed=seed
        )
        own.append((found.customers["low"].le(came) & found.customers["high"].ge(came)).mean())
        sums = came.groupby(by).sum()
        groups.append(found.groups["low"].le(sums) & found.groups["high"].ge(sums))
        total += found.total.low <= came.sum() <= found.total.high
    # whole counts: at least nominal; all but 0.1 % of the numbers of totals lie in this range
    fewest, most = binom.ppf([0.0005, 0.9995], SAMPLES[kind], 0.8)
    assert np.mean(own) > 0.79
    assert fewest <= total <= most
    assert (np.sum(groups, axis=0) >= fewest).all()


@every_model
def test_the_parts_add_up(kind):
    table = sample(kind)
    model = kind(TRUTHS[kind])
    by = pd.Series(np.where(table["frequency"] > 1, "often", "seldom"), table.index)
    found = forecast(model, table, horizon=6.0, by=by, draws=200)
    wanted = model.expected_purchases(table, 6.0)
    assert found.groups["expected"].sum() == pytest.approx(wanted.sum())
    assert found.groups["customers"].sum() == len(table) == len(found.to_frame())
    assert found.total.estimate == pytest.approx(wanted.sum())
    frame = found.customers
    assert (frame[["low", "high"]] % 1 == 0).all().all()
    assert (frame["low"] <= frame["high"]).all()
    again = forecast(model, table, horizon=6.0, by=by, draws=200)
    pd.testing.assert_frame_equal(again.groups, found.groups)


def test_cdnow_total_and_what_really_came(model, summary):
    found = forecast(model, summary, horizon=39, draws=600)
    assert found.total.estimate == pytest.approx(1653, abs=0.5)
    # published interval about [1467, 1865]; ends of 1,000 draws vary by some 10
    assert found.total.low == pytest.approx(1467, abs=25)
    assert found.total.high == pytest.approx(1865, abs=25)
    assert found.total.high < summary["holdout_frequency"].sum()
    assert "95 % prediction interval" in found.summary()
    ax = found.plot(ax=plt.figure().gca())
    assert ax.get_yticklabels()[0].get_text() == "all (2,357)"
    plt.close("all")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon": 0}, "horizon must be a finite time above 0"),
        ({"horizon": np.inf}, "horizon must be a finite time above 0"),
        ({"by": ["a"] * 2357}, "by must be a Series indexed"),
        ({"draws": 10}, "at least 40"),
        ({"level": 95}, "level must lie between 0 and 1"),
    ],
)
def test_bad_requests_are_named(model, summary, options, words):
    with pytest.raises(cx.CxError, match=words):
        forecast(model, summary, **{"horizon": 39.0, **options})


def test_groups_must_be_complete_and_rows_single(model, summary):
    holes = pd.Series("a", summary.index).where(summary["frequency"] > 0)
    with pytest.raises(cx.CxError, match="for 1,411 of 2,357 customers, the first"):
        forecast(model, summary, horizon=39.0, by=holes)
    with pytest.raises(cx.CxError, match="n > 1"):
        forecast(model, summary.assign(n=2), horizon=39.0)
