import numpy as np
import pytest

import cxlib as cx
from cxlib.clv import less_churn_value, retention_value, simple_value


def test_the_planning_figure_of_the_company():
    assert simple_value(order_value=100, orders_per_year=4, years=2, costs=150) == 650


@pytest.mark.parametrize("timing", ["renewal", "start", "end"])
@pytest.mark.parametrize(("retention", "rate"), [(0.8, 0.1), (0.5, 0.0), (0.95, 0.2), (0.0, 0.1)])
def test_retention_formula_is_the_sum_of_its_payments(timing, retention, rate):
    first, stays = {"renewal": (1, 0), "start": (0, 0), "end": (1, 1)}[timing]
    total = sum(
        retention ** (year - stays) / (1 + rate) ** year for year in range(first, first + 2000)
    )
    found = retention_value(200, retention, rate, timing=timing, costs=50)
    assert found == pytest.approx(200 * total - 50)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simple_value(100, -4, 2), "orders_per_year = -4"),
        (lambda: simple_value(float("nan"), 4, -2), "order_value = nan(.|\n)*years = -2"),
        (lambda: retention_value(100, 80, 0.1), "retention = 80"),
        (lambda: retention_value(100, 1, 0), "infinite"),
        (lambda: retention_value(100, 0.8, 0.1, timing="later"), "timing 'later' is unknown"),
    ],
)
def test_impossible_numbers_are_named(call, words):
    with pytest.raises(cx.CxError, match=words):
        call()


def test_less_churn_in_both_readings():
    table = less_churn_value(200, 0.8, 0.1, less=[0.0, 0.05, 0.5])
    by = table.set_index(["less", "reading"])
    assert by.loc[(0.05, "points"), "retention"] == pytest.approx(0.85)
    assert by.loc[(0.05, "leavers"), "retention"] == pytest.approx(0.81)
    assert by.loc[(0.5, "points"), "retention"] == 1
    assert by.loc[(0.5, "leavers"), "retention"] == pytest.approx(0.9)
    assert (by.loc[0.0, "change"] == 0).all()
    wanted = [retention_value(200, kept, 0.1) for kept in table["retention"]]
    assert table["value"].tolist() == wanted
    assert np.isnan(less_churn_value(200, 0.0, 0.1, less=0.1)["change"]).all()
    with pytest.raises(cx.CxError, match=r"five per cent is 0\.05"):
        less_churn_value(200, 0.8, 0.1, less=5)
