"""Bounds for an unmeasured confounder against published examples."""

import numpy as np
import pytest

from cxlib import stats
from cxlib.errors import CxError


@pytest.mark.parametrize(
    ("ratio", "low", "high", "expected"),
    [
        # VanderWeele & Ding 2017, doi:10.7326/M16-2607: breast feeding and respiratory death
        (3.9, 1.8, 8.7, (7.26, 3.0)),
        # the mirror image of the same
        (1 / 3.9, 1 / 8.7, 1 / 1.8, (7.26, 3.0)),
        (1.2, 0.9, 1.6, (1.69, 1.0)),
        (1.0, None, None, (1.0, 1.0)),
    ],
)
def test_e_values(ratio, low, high, expected):
    assert stats.e_value(ratio, low=low, high=high) == pytest.approx(expected, abs=0.006)


def test_robustness_value():
    # Cinelli & Hazlett 2020, doi:10.1111/rssb.12348, table 1: Darfur, t = 4.184, 783 df
    assert stats.robustness_value(4.184, 783) == pytest.approx(0.139, abs=5e-4)
    assert stats.robustness_value(4.184, 783, level=0.95) == pytest.approx(0.076, abs=5e-4)
    assert stats.robustness_value(0.0, 50) == 0
    assert stats.robustness_value(1.0, 50, level=0.95) == 0
    values = [stats.robustness_value(t, 100) for t in (0.5, 2, 8, 30)]
    assert np.all(np.diff(values) > 0)
    assert values[-1] < 1


@pytest.mark.parametrize(
    ("ratio", "low", "high"), [(0, None, None), (2, 3, 4), (2, 1, None), (-1, -2, 0)]
)
def test_bad_ratios(ratio, low, high):
    with pytest.raises(CxError):
        stats.e_value(ratio, low=low, high=high)


def test_bad_t():
    with pytest.raises(CxError, match="df above 1"):
        stats.robustness_value(2, 1)
