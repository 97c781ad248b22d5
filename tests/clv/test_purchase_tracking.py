import numpy as np
import pytest

import cxlib as cx
from cxlib.clv import BetaGeo, summarize, tracking


@pytest.fixture(scope="module")
def track(model, purchases):
    return tracking(model, purchases, calibration_until="1997-09-30")


def test_cdnow_tracking_is_the_known_one(track, published):
    wanted = published["holdout"]["cdnow"]
    steps = track.to_frame()
    assert len(steps) == 78
    assert steps["calibration"].sum() == 39
    assert steps["cumulative_actual"].iloc[-1] == wanted["cumulative_actual"]
    assert steps.loc[~steps["calibration"], "actual"].sum() == wanted["actual"]
    assert track.cumulative_error == pytest.approx(wanted["cumulative_error"], abs=0.00051)
    assert str(steps["ends_on"].iloc[-1].date()) == "1998-06-30"
    assert "-4.0 %" in track.summary()
    assert "after it the error is -11" in track.summary()
    after = track.steps[~track.steps["calibration"]]
    beyond = (after["actual"] < after["low"]) | (after["actual"] > after["high"])
    assert track.outside == beyond.sum() > 0
    assert f"Of 39 weeks after the calibration {track.outside} lie outside" in track.summary()
    assert "flatters" in track.summary()
    assert track.newcomers == 0


def test_steps_and_cumulated_steps_agree(track):
    steps = track.steps
    for name in ("actual", "predicted"):
        np.testing.assert_allclose(steps[name].cumsum(), steps[f"cumulative_{name}"], rtol=1e-12)
    assert (steps["low"] <= steps["high"]).all()
    inside = steps["cumulative_predicted"].between(
        steps["cumulative_low"], steps["cumulative_high"]
    )
    assert inside.all()


def test_simulated_steps_have_the_expected_mean(purchases):
    known = BetaGeo({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426})
    few = purchases[purchases["customer_id"] < "0400"]
    found = tracking(known, few, calibration_until="1997-09-30", draws=400, level=0.9)
    width = found.steps["cumulative_high"] - found.steps["cumulative_low"]
    middle = (found.steps["cumulative_high"] + found.steps["cumulative_low"]) / 2
    assert (np.abs(middle - found.steps["cumulative_predicted"]) < 0.25 * width + 1).all()


def test_days_and_weeks_tell_the_same(track, purchases):
    days = BetaGeo().fit(summarize(purchases, unit="D", calibration_until="1997-09-30"))
    found = tracking(days, purchases, calibration_until="1997-09-30", unit="D", draws=40)
    np.testing.assert_allclose(found.steps["predicted"], track.steps["predicted"], rtol=1e-5)


def test_newcomers_are_left_out_and_counted(model, purchases):
    found = tracking(model, purchases, calibration_until="1997-02-28", draws=40)
    assert found.newcomers == 719
    assert found.customers == 2357 - 719


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"calibration_until": "1999-01-01"}, "no calibration or no holdout"),
        ({"calibration_until": "1997-09-30", "step_days": 0}, "step_days must be"),
        ({"calibration_until": "1997-09-30", "step_days": 400}, "Less than two steps"),
        ({"calibration_until": "1997-09-30", "step_days": 10, "unit": "week"}, "multiple of 7"),
    ],
)
def test_bad_requests_are_named(model, purchases, options, words):
    with pytest.raises(cx.CxError, match=words):
        tracking(model, purchases, **options)
