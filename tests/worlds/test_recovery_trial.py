"""The trial nobody could run: twins that differ by one failure in a week of one's own."""

import numpy as np
import pytest

import cxlib as cx
from cxlib.worlds.declarations import OUTCOMES
from cxlib.worlds.recovery_trial import _Trial
from cxlib.worlds.surveys import QUARTER_WEEKS

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


def test_a_failure_of_the_trial_is_heard_before_those_of_its_week(world):
    heard, kept = [], []

    class Probe:
        def start(self, state):
            pass

        def meet(self, state, week):
            heard.append(sum(report["customer"].size for report in state.reports))

        def step(self, state, week):
            kept.append(len(state.reports))

    world.twin(weeks=30, more=(Probe(),))
    assert sum(heard) > 30  # complaints wait for the desk
    assert not any(kept)


def test_answers_are_those_of_the_first_monday_from_the_landmark_on():
    world = cx.World(seed=3, customers=50, weeks=30, events=[])
    trial = _Trial(None, 10, 12, landmark=2)
    state = world.twin(weeks=20, more=(trial,))
    monday = -(-(trial.day + 14) // 7)
    assert ((trial.turn - monday) >= 0).all()
    assert ((trial.turn - monday) < QUARTER_WEEKS).all()
    assert ((trial.turn - state.survey_phase) % QUARTER_WEEKS == 0).all()
    assert set(trial.day % 7) == set(range(7))
