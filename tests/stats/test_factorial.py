"""The 2 x 2 trial: by hand, coverage of the interaction, bad input."""

import numpy as np
import pytest

from cxlib import stats
from cxlib.errors import CxError
from cxlib.stats.mover import mover
from cxlib.stats.proportions import risk_difference


def units(successes, sizes):
    first = np.repeat([0, 1, 0, 1], sizes)
    second = np.repeat([0, 0, 1, 1], sizes)
    done = np.concatenate([np.arange(n) < k for k, n in zip(successes, sizes, strict=True)])
    return done, first, second


def test_effects_by_hand():
    trial = stats.two_by_two(*units([20, 30, 40, 70], [100, 120, 150, 140]), names=("ask", "offer"))
    assert list(trial.arms.index) == ["neither", "ask", "offer", "both"]
    assert trial.arms["estimate"].tolist() == pytest.approx([0.2, 0.25, 40 / 150, 0.5])
    assert trial.second_alone.estimate == pytest.approx(40 / 150 - 0.2)
    assert trial.second_with_first.estimate == pytest.approx(0.25)
    assert trial.first_alone.estimate == pytest.approx(0.05)
    assert trial.first_with_second.estimate == pytest.approx(0.5 - 40 / 150)
    assert trial.interaction.estimate == pytest.approx(0.25 - (40 / 150 - 0.2))
    average = trial.second_average
    assert average.estimate == pytest.approx((0.25 + 40 / 150 - 0.2) / 2)
    # independent halves: the squares of the distances to the limits add up, over four
    below = [(e.estimate - e.low) ** 2 for e in (trial.second_alone, trial.second_with_first)]
    assert average.estimate - average.low == pytest.approx(np.sqrt(sum(below)) / 2)
    assert "without ask" in trial.summary()
    assert trial.to_frame()["effect"].iloc[-1] == "interaction"
    assert trial.interaction.low < trial.interaction.estimate < trial.interaction.high


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("shares", [(0.22, 0.23, 0.28, 0.30), (0.02, 0.05, 0.03, 0.10)])
def test_the_interaction_holds_its_level(level, shares):
    rng, sizes = np.random.default_rng(6), np.array([80, 90, 70, 85])
    k = rng.binomial(sizes, shares, (10_000, 4)).T
    # the same formulas as in two_by_two, on 10,000 trials at once
    parts = [
        risk_difference((k[a], sizes[a]), (k[b], sizes[b]), level=level)
        for a, b in ((3, 1), (2, 0))
    ]
    difference = parts[0].estimate - parts[1].estimate
    low, high = mover(difference, *[(p.estimate, p.low, p.high) for p in parts])
    one = stats.two_by_two(*units(k[:, 0], sizes), level=level)
    assert (one.interaction.low, one.interaction.high) == pytest.approx((low[0], high[0]))
    truth = shares[3] - shares[1] - shares[2] + shares[0]
    held = np.mean((low <= truth) & (truth <= high))
    # rare outcomes make it cautious, as the docstring says
    assert level - 0.02 < held < level + (0.02 if shares[0] > 0.1 else 0.03)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (([1, 0], [0, 1], [0, 1]), "none in: asked, offered"),
        (([1, 0, 1], [0, 1], [0, 1]), "outcome 3, asked 2, offered 2"),
        (([2, 0], [0, 1], [0, 1]), "outcome holds other values"),
    ],
)
def test_it_refuses(given, wanted):
    with pytest.raises(CxError, match=wanted):
        stats.two_by_two(*given, names=("asked", "offered"))
