import numpy as np
import pytest

from cxlib.clv.interval import in_words, interval_of


@pytest.mark.parametrize(("estimate", "limits"), [(50, (10, 90)), (5, (5, 90)), (99, (10, 99))])
def test_an_interval_holds_its_estimate(estimate, limits):
    found = interval_of(estimate, np.arange(101.0), 0.8, 101, "prediction", "total")
    assert (found.low, found.high) == pytest.approx(limits)


def test_counts_are_said_without_decimals():
    found = interval_of(50, np.arange(101.0) / 2, 0.8, 101, "prediction", "total")
    assert in_words(found) == "50.00 [5.00, 50.00]"
    assert in_words(found, digits=0) == "50 [5, 50]"
