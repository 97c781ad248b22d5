from dataclasses import replace

import numpy as np
import pytest

import cxlib as cx
from cxlib.clv import BetaGeo, holdout

MODEL = BetaGeo({"r": 0.5, "alpha": 6.0, "a": 0.8, "b": 2.5})


@pytest.fixture(scope="module")
def check(model, summary):
    return holdout(model, summary, draws=2000)


def test_cdnow_holdout_is_the_known_miss(check, published):
    wanted = published["holdout"]["cdnow"]
    assert check.actual == wanted["actual"]
    assert check.predicted.estimate == pytest.approx(wanted["predicted"], abs=0.51)
    assert check.error == pytest.approx(wanted["error"], abs=0.00051)
    assert check.correlation == pytest.approx(wanted["correlation"], abs=0.00051)
    assert check.mean_absolute_error == pytest.approx(wanted["mean_absolute_error"], abs=0.00051)
    # simulated ends of 2,000 draws, standard error about 6
    assert [check.predicted.low, check.predicted.high] == pytest.approx(wanted["interval"], abs=20)
    assert not check.inside
    assert "outside: a miss" in check.summary()
    assert check.summary().startswith("The model missed the holdout's total by -12.1 %")


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ((-0.2, 0.8, 0.1, 0.9), "beats the model in total, though not per customer"),
        ((-0.2, 0.8, 0.1, 0.7), "beats the model in total and per customer"),
        ((-0.05, 0.8, 0.1, 0.7), "does not beat the model in total, though it does"),
        ((-0.05, 0.8, 0.1, 0.9), "beats the model neither in total nor per customer"),
    ],
)
def test_a_rule_that_beats_the_model_is_told_plainly(check, errors, words):
    names = ["error", "mean_absolute_error"]
    rules = check.rules.iloc[:2].copy()
    rules.loc[:, names] = np.reshape(errors, (2, 2))
    changed = replace(check, rules=rules, error=errors[0], mean_absolute_error=errors[1])
    assert words in changed.best_rule()


def test_simple_rules_are_what_they_say(check, summary):
    rules = check.to_frame()
    assert rules.index[0] == "BG/NBD model"
    again = summary["frequency"] * 39 / summary["T"].max()
    assert rules.loc["last period repeats", "predicted"] == pytest.approx(again.sum())
    silent = summary["T"] - summary["recency"] > check.hiatus
    assert rules.loc["hiatus", "predicted"] == pytest.approx(again[~silent].sum())
    assert rules.loc["mean for all", "correlation"] == 0
    miss = again - summary["holdout_frequency"]
    assert rules.loc["last period repeats", "mean_absolute_error"] == pytest.approx(
        miss.abs().mean()
    )
    assert rules.loc["last period repeats", "root_mean_square_error"] == pytest.approx(
        np.sqrt((miss**2).mean())
    )


def test_groups_add_up(check, summary):
    table = check.by_frequency
    assert table["customers"].sum() == len(summary)
    assert (table["actual"] * table["customers"]).sum() == pytest.approx(check.actual)
    assert (table["predicted"] * table["customers"]).sum() == pytest.approx(
        check.predicted.estimate
    )
    assert table["label"].iloc[-1] == "7+"
    assert (table["low"] < table["predicted"]).all()
    assert (table["predicted"] < table["high"]).all()


@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
def test_intervals_cover_when_the_model_holds():
    inside, customers = 0, []
    for seed in range(40):
        sample = MODEL.simulate(30.0, customers=400, horizon=20.0, seed=seed)
        found = holdout(BetaGeo().fit(sample), sample, level=0.9, draws=100, seed=seed)
        inside += found.inside
        rows = found.customers
        customers.append((rows["low"].le(rows["actual"]) & rows["high"].ge(rows["actual"])).mean())
    # all but 0.1 % of 40 totals at 90 % lie in 0.70 to 1
    assert inside / 40 >= 0.70
    assert np.mean(customers) > 0.89


def test_leaving_the_season_out_is_seen(model, summary):
    """Twice as many purchases as the model expects: outside, far."""
    doubled = summary.assign(holdout_frequency=2 * summary["holdout_frequency"])
    assert holdout(model, doubled, draws=200).error == pytest.approx(-0.56, abs=0.01)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.drop(columns="holdout_frequency"), "column holdout_frequency is missing"),
        (lambda s: s.assign(holdout_frequency=0), "at least one purchase"),
        (lambda s: s.assign(holdout_duration=0.0), "holdout_duration must be"),
        (lambda s: s.assign(n=3), "n > 1"),
    ],
)
def test_bad_summaries_are_named(model, summary, change, words):
    with pytest.raises(cx.CxError, match=words):
        holdout(model, change(summary))
