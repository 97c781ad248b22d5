"""How sure a difference of two groups is said to be, where luck may hide some of the spread."""

import numpy as np
import pytest

from cxlib.loyalty.arms import GroupMeans
from cxlib.loyalty.comparison import contrast, judged_gap


def groups(spread, numbers, means=(0.5, 0.4)):
    """Two independent groups of so many customers with so large a variance each."""
    influence = np.zeros((sum(numbers), 2))
    start = 0
    for k, (variance, n) in enumerate(zip(spread, numbers, strict=True)):
        signs = np.where(np.arange(n) % 2, 1.0, -1.0)
        influence[start : start + n, k] = signs * np.sqrt(variance) / n
        start += n
    numbers = np.array(numbers)
    own = (influence**2).sum(axis=0)
    return GroupMeans(np.array(means), influence, numbers, numbers, numbers, 1.0, own)


@pytest.mark.parametrize("small", [0, 1])
def test_money_keeps_half_of_the_spread_a_small_group_may_have_missed(small):
    spread, numbers = [9.0, 9.0], [400, 400]
    spread[small], numbers[small] = 1.0, 20
    found = groups(spread, numbers)
    plain, df = contrast(found)[1:]
    error = judged_gap(found, "value", 0.1, 0.95)[1]
    missed = (9.0 - 1.0) / 20
    assert error**2 - plain**2 == pytest.approx((df + 1) / df * missed / 2)
    assert judged_gap(found, "satisfaction", 0.1, 0.95)[1] == plain


def test_money_that_spreads_more_in_the_small_group_is_left_as_it_is():
    found = groups([1.0, 9.0], [400, 20])
    assert judged_gap(found, "value", 0.1, 0.95)[1] == contrast(found)[1]


def test_a_share_of_few_is_judged_by_more_than_the_spread_it_shows():
    honest = groups([0.24, 0.25], [400, 20])
    lucky = groups([0.24, 0.05], [400, 20])
    plain = {name: contrast(found)[1] for name, found in (("honest", honest), ("lucky", lucky))}
    length = {}
    for name, found in (("honest", honest), ("lucky", lucky)):
        test = judged_gap(found, "churn", 0.1, 0.95)[0]
        length[name] = test.high - test.low
    assert plain["lucky"] < 0.55 * plain["honest"]
    assert length["honest"] * 0.6 < length["lucky"] < length["honest"]
