import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib.clv import top_share

TEN = pd.Series(range(10, 0, -1), index=list("abcdefghij"), dtype=float)


def test_the_share_of_the_named():
    actual = pd.Series(0.0, TEN.index)
    actual[["a", "b", "j"]] = 30.0, 10.0, 60.0
    found = top_share(TEN, actual, 0.2)
    assert list(found.named) == ["a", "b"]
    assert found.realised.estimate == pytest.approx(0.4)
    assert found.predicted == pytest.approx(19 / 55)
    assert found.hindsight == pytest.approx(0.9)
    assert found.realised.low <= 0.4 <= found.realised.high
    assert "40 %" in found.summary()


def test_newcomers_belong_to_the_whole():
    found = top_share(TEN, TEN, 0.2, newcomers=55.0)
    assert found.realised.estimate == pytest.approx(19 / 110)
    assert found.curve["realised"].iloc[-1] == pytest.approx(0.5)
    assert found.realised_of_known == pytest.approx(19 / 55)
    assert "newcomers' spend included" in found.summary()
    assert "Newcomers brought 50 %" in found.summary()
    assert "the named hold 35 %" in found.summary()
    assert "No newcomers are in these data" in top_share(TEN, TEN, 0.2).summary()


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(0, 1e6), min_size=5, max_size=40), st.floats(0.05, 0.95), st.randoms())
def test_bounds_and_row_order(amounts, share, random):
    actual = pd.Series(amounts, [f"c{i:02d}" for i in range(len(amounts))]) + 1
    value = actual.sample(frac=1, random_state=random.randint(0, 99)).round(-2)
    found = top_share(value, actual, share, draws=60)
    assert 0 <= found.realised.estimate <= found.hindsight <= 1 + 1e-12
    again = top_share(value.sort_index(), actual[::-1], share, draws=60)
    assert again.realised == found.realised


def test_the_interval_covers_what_other_customers_of_the_kind_bring():
    rng = np.random.default_rng(0)

    def company(size):
        value = rng.gamma(0.5, 1.0, size)
        return pd.Series(value), pd.Series(value * rng.gamma(2.0, 0.5, size))

    value, actual = company(400_000)
    truth = actual[value >= value.quantile(0.8)].sum() / actual.sum()
    hits = 0
    for seed in range(150):
        found = top_share(*company(500), level=0.9, draws=150, seed=seed)
        hits += found.realised.low <= truth <= found.realised.high
    # 99.9 % Clopper-Pearson interval of 90 % in 150 companies: 0.80 to 0.97
    assert 0.80 <= hits / 150 <= 0.97


@pytest.mark.parametrize(
    ("value", "actual", "options", "words"),
    [
        (TEN, TEN.iloc[:5], {}, "5 only have a value"),
        (TEN, -TEN, {}, "10 of 10 are not"),
        (TEN, TEN * 0, {}, "Nobody brought anything"),
        (TEN, TEN, {"share": 20}, "a fifth is 0.2"),
        (TEN, TEN, {"newcomers": -1.0}, "newcomers must be"),
        (list(TEN), TEN, {}, "value must be a Series"),
    ],
)
def test_bad_requests_are_named(value, actual, options, words):
    with pytest.raises(cx.CxError, match=words):
        top_share(value, actual, **options)
