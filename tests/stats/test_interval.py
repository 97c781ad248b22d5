"""The result every function returns: frozen, tabulated, drawn, told in one sentence."""

import dataclasses

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pytest

from cxlib import stats
from cxlib.stats.roots import boundary


def test_frozen_frame_and_sentence():
    found = stats.net_score(50, 20, 100)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.estimate = 1
    assert found.to_frame().loc[0, "estimate"] == 30
    assert "95 % interval 14 to 44.3" in found.summary()
    assert "p = " in stats.net_score_difference((5, 3, 10), (3, 5, 10)).summary()
    assert "2 values" in stats.net_score([50, 5], [20, 2], 100).summary()


def test_plot_draws_each_interval():
    ax = stats.net_score([50, 5, 9], [20, 2, 9], 100).plot()
    drawn = ax.collections[0].get_segments()
    assert len(drawn) == 3
    assert drawn[0][0][0] == pytest.approx(13.96, abs=0.01)
    assert "points" in ax.get_xlabel()


def test_lazy_names_all_exist():
    assert all(callable(getattr(stats, name)) for name in stats.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        stats.nothing  # noqa: B018


def test_boundary_finds_many_roots_and_ends():
    targets = np.array([0.3, 2.0, 5.0, 100.0])
    found = boundary(lambda x: targets - x**3, np.zeros(4), np.full(4, 3.0))
    assert found == pytest.approx(np.minimum(np.cbrt(targets), 3.0), abs=1e-10)
