"""The verdict rule, its two tests, and its error rates at the edge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cxlib import stats
from cxlib.errors import CxError


@pytest.mark.parametrize(
    ("estimate", "error", "word", "trivial"),
    [
        (0.30, 0.05, "above", False),
        (-0.30, 0.05, "below", False),
        (0.01, 0.03, "equivalent", False),
        (0.05, 0.01, "above", True),
        (-0.05, 0.01, "below", True),
        (0.05, 0.10, "cannot tell", False),
    ],
)
def test_verdicts(estimate, error, word, trivial):
    found = stats.equivalence(estimate, error, smallest_effect=0.1)
    assert (found.verdict, found.trivial) == (word, trivial)
    assert word in found.summary()


def test_p_values_by_hand():
    # z of the two tests: (.1 + .02) / .04 = 3 and (.1 - .02) / .04 = 2
    found = stats.equivalence(0.02, 0.04, smallest_effect=0.1)
    assert found.p_equivalence == pytest.approx(0.022750, abs=1e-6)
    assert found.p_difference == pytest.approx(0.617075, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(some.floats(-1, 1), some.floats(0.01, 1), some.floats(0.01, 1), some.floats(3, 200))
def test_verdict_agrees_with_the_p_values(estimate, error, smallest, df):
    found = stats.equivalence(estimate, error, smallest_effect=smallest, df=df)
    mirrored = stats.equivalence(-estimate, error, smallest_effect=smallest, df=df)
    assert {found.verdict, mirrored.verdict} in (
        {"above", "below"},
        {"equivalent"},
        {"cannot tell"},
    )
    if abs(found.p_difference - 0.05) > 1e-9:
        assert (found.verdict in ("above", "below")) == (found.p_difference < 0.05)
    if found.verdict == "equivalent":
        assert found.p_equivalence < 0.05


def test_error_rates():
    rng = np.random.default_rng(6)
    error, smallest, draws = 0.03, 0.1, 4000

    def share(truth, word):
        found = [
            stats.equivalence(v, error, smallest_effect=smallest).verdict
            for v in rng.normal(truth, error, draws)
        ]
        return np.mean(np.array(found) == word)

    # binomial standard errors are .0025 and .0034; four of them
    assert share(0.0, "above") == pytest.approx(0.025, abs=0.01)
    assert share(smallest, "equivalent") <= 0.05 + 0.014


@pytest.mark.parametrize(
    "arguments",
    [
        {"estimate": np.nan, "standard_error": 1, "smallest_effect": 1},
        {"estimate": 0, "standard_error": 0, "smallest_effect": 1},
        {"estimate": 0, "standard_error": 1, "smallest_effect": 0},
        {"estimate": 0, "standard_error": 1, "smallest_effect": 1, "df": 0},
        {"estimate": 0, "standard_error": 1, "smallest_effect": 1, "level": 0.4},
    ],
)
def test_bad_arguments(arguments):
    with pytest.raises(CxError):
        stats.equivalence(**arguments)


def test_crossed_limits():
    with pytest.raises(CxError, match="narrow inside the wide"):
        stats.verdict(0.1, 0.2, 0.0, 0.3, 1)
