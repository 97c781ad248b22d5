"""Verdicts on claims: the rule, its error rates at the edges, the table."""

import numpy as np
import pytest

from cxlib import stats
from cxlib.errors import CxError


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.1, 5, "supported"),
        (-1, 5, "cannot tell"),
        (0, 5, "cannot tell"),
        (-1, 2, "cannot tell"),
        (-1, 1.9, "too small to matter"),
        (0.5, 1.9, "too small to matter"),
        (-1.9, 0, "too small to matter"),
        (-2, 1, "not supported"),
        (-5, 0, "not supported"),
        (-5, -0.1, "contradicted"),
    ],
)
def test_the_rule(low, high, verdict):
    assert stats.judge_claim(low, high, smallest=2) == verdict


@pytest.mark.parametrize(
    ("truth", "wrong"),
    [
        (0.0, {"supported", "contradicted"}),
        (2.0, {"too small to matter", "not supported", "contradicted"}),
        (-0.5, {"supported"}),
        (0.5, {"contradicted"}),
    ],
)
def test_wrong_verdicts_are_as_rare_as_promised(truth, wrong):
    rng = np.random.default_rng(4)
    for error in (0.2, 0.7, 3.0):
        found = truth + error * rng.normal(size=4000)
        verdicts = [stats.judge_claim(x - 1.96 * error, x + 1.96 * error, 2.0) for x in found]
        for word in wrong:
            # 2.5 % and 3.3 standard errors of 4,000
            assert np.mean([v == word for v in verdicts]) < 0.025 + 3.3 * 0.0025


def test_the_table_says_what_it_would_take():
    found = stats.risk_difference((22, 100), (20, 100))
    table = stats.claims_on_trial(
        {"a": (found, 0.05, "share"), "b": None, "c": ("a control group", 1, "")}
    ).set_index("claim")
    assert table["verdict"].tolist() == ["cannot tell", "not testable", "not testable"]
    needed = stats.answers_needed(200, found.low, found.high, 0.05)
    assert (
        f"n of about {float(f'{needed:.2g}'):,.0f} in place of 200"
        in table.loc["a", "to tell it takes"]
    )
    assert table.loc["a", "effect"] == (
        f"+2.0 [{100 * found.low:+.1f}, {100 * found.high:+.1f}] points"
    )
    assert table.loc["c", "to tell it takes"] == "a control group"


@pytest.mark.parametrize("bad", [(2, 1, 1), (0, 1, 0), (0, 1, -1)])
def test_it_refuses(bad):
    with pytest.raises(CxError):
        stats.judge_claim(*bad)
