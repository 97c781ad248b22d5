"""Known seasons: factor time by hand, and a season that misleads a model that does not know it."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.clv import BetaGeo, ModifiedBetaGeo, Season, forecast, summarize

TRUTH = {"r": 0.9, "alpha": 6.0, "a": 0.6, "b": 2.5}
WEEKS = pd.date_range("2024-01-01", periods=104, freq="7D")
# twice the demand before Christmas, a third in summer
CALENDAR = pd.Series(
    np.where(WEEKS.isocalendar().week.between(44, 52), 2.2, 1.0)
    * np.where(WEEKS.isocalendar().week.between(23, 36), 0.35, 1.0),
    WEEKS,
)
SPLIT, END = "2024-10-27", "2025-01-26"


def purchases(kind, customers=2500, seed=1):
    """Transactions of customers who buy by the calendar: model time mapped to days."""
    rng = np.random.default_rng(seed)
    season = Season(CALENDAR)
    days = pd.date_range("2024-01-01", END, freq="D")
    clock = season.cumulated(days)
    first = rng.integers(0, 120, customers)
    model = kind(TRUTH)
    kinds = model.draw_kinds(TRUTH, (customers,), rng)
    rows = [(np.arange(customers), first)]
    for who, when, _ in model.run(kinds, clock[-1] - clock[first], rng):
        rows.append((who, np.searchsorted(clock, clock[first[who]] + when)))
    who, day = (np.concatenate(column) for column in zip(*rows, strict=True))
    kept = day < len(days)
    return pd.DataFrame(
        {"customer_id": who[kept].astype(str), "ordered_at": days[day[kept]], "amount": 10.0}
    )


def test_factor_time_by_hand():
    season = Season(pd.Series([1.0, 3.0, 1.0], pd.date_range("2025-01-06", periods=3, freq="7D")))
    assert season.elapsed("2025-01-12", "2025-01-19") == 3.0
    assert season.elapsed("2025-01-12", "2025-01-19", unit="D") == 21.0
    # three days at 1 (10 to 12 January), two at 3
    assert season.elapsed("2025-01-09", "2025-01-14", unit="D") == 9.0


def test_factors_of_one_change_nothing():
    frame = purchases(BetaGeo, 300)
    flat = Season(pd.Series(1.0, WEEKS)).summarize(frame, calibration_until=SPLIT)
    plain = summarize(frame, calibration_until=SPLIT)
    pd.testing.assert_frame_equal(flat, plain)
    assert flat.attrs["season"]["log_factors"] == 0.0


@pytest.mark.parametrize("kind", [BetaGeo, ModifiedBetaGeo])
def test_a_known_season_is_recovered_from_and_the_holdout_foreseen(kind):
    """The holdout holds Christmas: without the season the forecast misses it by far."""
    frame = purchases(kind)
    seasonal = Season(CALENDAR).summarize(frame, calibration_until=SPLIT, until=END)
    plain = summarize(frame, calibration_until=SPLIT, until=END)
    model, naive = kind().fit(seasonal), kind().fit(plain)
    for name, value in TRUTH.items():
        # purchases of a day are merged, which takes some 2 % off the rates
        assert abs(model.params[name] - value) < 4 * model.standard_errors[name] + 0.05 * value
    came = plain["holdout_frequency"].sum()
    known, unknown = (
        forecast(m, table, horizon=table["holdout_duration"].iloc[0], draws=400, level=0.99)
        for m, table in ((model, seasonal), (naive, plain))
    )
    assert known.total.low <= came <= known.total.high
    assert unknown.total.high < came
    # comparable once the logarithms of the factors are added
    gain = model.log_likelihood + seasonal.attrs["season"]["log_factors"] - naive.log_likelihood
    assert gain > 50


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: Season([1, 2]), "a Series of at least two"),
        (lambda: Season(pd.Series([1.0, 2.0])), "must hold dates"),
        (lambda: Season(CALENDAR.where(CALENDAR < 2, 0.0)), "finite and above 0: 1[0-9] of 104"),
        (lambda: Season(CALENDAR[::-1]), "must ascend"),
        (lambda: Season(CALENDAR).elapsed("2023-01-01", "2024-03-01"), "1 of 2 days lie outside"),
        (lambda: Season(CALENDAR).elapsed("2024-03-01", "2024-04-01", unit="M"), "elapsed time"),
    ],
)
def test_bad_seasons_are_named(call, words):
    with pytest.raises(cx.CxError, match=words):
        call()


def test_factors_in_another_unit_are_told():
    frame = purchases(BetaGeo, 300)
    with pytest.warns(cx.CxWarning, match="average"):
        Season(100 * CALENDAR).summarize(frame, calibration_until=SPLIT)
