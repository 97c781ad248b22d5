"""The trial nobody could run: twins that differ by one failure in a week of one's own."""

import numpy as np
import pytest

import cxlib as cx
from cxlib.worlds.declarations import OUTCOMES

NOTHING = {f"recovery_excellent_{o}": 0.0 for o in OUTCOMES}


@pytest.fixture(scope="module")
def world():
    dials = NOTHING | {"severity_cost": 0.0, "repeat_cost": 0.0}
    return cx.World(seed=3, customers=800, weeks=44, events=[], **dials)


@pytest.fixture(scope="module")
def trial(world):
    return world.truth.recovery_trial(
        levels=("none", "excellent"), first_week=20, horizon_weeks=13, churn_weeks=8
    )


def test_a_recovery_that_does_nothing_changes_nothing(trial):
    base, same = (trial[trial["level"] == name] for name in ("no failure", "excellent"))
    for column in ("satisfaction", "recommendation", "intention", "repurchase", "churn", "value"):
        np.testing.assert_array_equal(base[column], same[column])


def test_a_bad_one_hurts_answers_and_drives_out(trial):
    base, bad = (trial[trial["level"] == name] for name in ("no failure", "none"))
    assert (base["customer_id"].to_numpy() == bad["customer_id"].to_numpy()).all()
    gap = bad["satisfaction"].to_numpy() - base["satisfaction"].to_numpy()
    assert np.nanmax(gap) <= 0
    # the dial is -0.6 SD, 1.05 points a SD, a scar half gone after 26 weeks, promoters forgive 40 %
    assert -0.6 < np.nanmean(gap) < -0.3
    assert bad["churn"].mean() >= base["churn"].mean()


def test_weeks_are_those_asked_for(world, trial):
    assert trial["week"].between(20, 28).all()
    assert trial["severity"].between(1, 5).all()
    with pytest.raises(cx.CxError, match="levels must be of"):
        world.truth.recovery_trial(levels=("superb",))
