"""Spread and catches: bars span the named share, and the intervals that miss are counted."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cxlib.errors import CxError
from cxlib.figures.sampling import plot_catches, plot_spread


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize(("level", "low", "high"), [(0.95, 2.5, 97.5), (0.8, 10.0, 90.0)])
def test_the_bar_spans_the_middle_share(level, low, high):
    ax = plot_spread({"a": np.arange(101.0)}, truth=40, level=level, ax=plt.subplots()[1])
    bar = ax.lines[0]
    assert list(bar.get_xdata()) == pytest.approx([low, high])
    label = f"a\nmiddle {100 * level:g} %: {low:.1f} to {high:.1f}"
    assert label in [text.get_text() for text in ax.texts]
    assert "truth 40.0" in [text.get_text() for text in ax.texts]


def test_ridges_share_one_scale_and_do_not_touch():
    ax = plot_spread({"a": np.zeros(5), "b": np.ones(5)}, ax=plt.subplots()[1])
    tops = [p.get_y() + p.get_height() for p in ax.patches if p.get_height() > 0]
    assert tops == pytest.approx([1.0, -0.25])


def test_what_cannot_be_spread():
    with pytest.raises(CxError, match="at least one draw"):
        plot_spread({"a": []})
    with pytest.raises(CxError, match="at least one draw"):
        plot_spread({})
    with pytest.raises(CxError, match="level"):
        plot_spread({"a": [1.0, 2.0]}, level=95)


def test_misses_on_both_sides_are_counted():
    low, high = [1, 4, 0, 3], [2, 6, 9, 3]
    ax = plot_catches(low, high, truth=3, ax=plt.subplots()[1])
    assert ax.get_title(loc="left") == "2 of 4 intervals miss the truth"
    crosses = next(line for line in ax.lines if line.get_marker() == "X")
    assert list(crosses.get_xdata()) == [0, 1]
    with pytest.raises(CxError, match="same length"):
        plot_catches([1, 2], [3], truth=1)
