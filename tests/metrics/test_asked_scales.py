"""Recommendation and intention on 1-10: both are asked about where they are crossed."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError

ODD = [1] * 20 + [9] * 80
EVEN = [0] + [1] * 19 + [9] * 80


@pytest.mark.parametrize(
    ("nps", "intent", "cure"),
    [(ODD, EVEN, {"scale": "0-10"}), (EVEN, ODD, {"intent_scale": (1, 10)})],
)
def test_a_matrix_asks_about_1_10_and_takes_the_answer(nps, intent, cure):
    frame = pd.DataFrame({"customer_id": range(100), "nps": nps, "intent": intent})
    with pytest.raises(CxError, match=r"20 of 100 answers (of intention )?are 1 and none is "):
        cx.intent_matrix(frame)
    assert cx.intent_matrix(frame, **cure).cells["n"].sum() == 100


def test_the_company_is_not_asked_about():
    for seed in range(6):
        world = cx.World(seed=seed, customers=400, weeks=60)
        cx.intent_matrix(cx.answers_side_by_side(world.responses))


def test_labels_that_come_once_change_nothing():
    scores = [10, 9, 8, 3, 0, 10, None]
    alone, labelled = cx.nps(scores), cx.nps(scores, cluster=list("abcdefa"))
    assert labelled.to_frame().equals(alone.to_frame())
    assert cx.nps(scores, cluster=list("aabcdef")).df < alone.df


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_checkup_of_equal_answers_is_quiet():
    frame = pd.DataFrame({"score": [9] * 300, "plan": list("xyz") * 100, "customer_id": range(300)})
    found = cx.nps_checkup(frame, columns={"split": "plan"})
    assert len(found) == 10
