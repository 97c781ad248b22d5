import pytest

from cxlib.clv import ParetoNBD, holdout, one_time_buyers


@pytest.fixture(scope="module")
def check(model, summary):
    return holdout(model, summary, draws=200)


def test_one_time_buyers_of_cdnow(model, summary, check):
    found = one_time_buyers(model, summary, check)
    once = summary["frequency"] == 0
    assert found.table.loc["one purchase", ["customers", "p_alive"]].tolist() == [1411, 1]
    assert found.actual == summary.loc[once, "holdout_frequency"].sum()
    wanted = model.expected_purchases(summary[once], 39).sum()
    assert found.expected.estimate == pytest.approx(wanted)
    assert found.expected.low < wanted < found.expected.high
    assert "inside the interval" in found.summary()


@pytest.mark.parametrize(
    ("bought", "words"),
    [(0, "fewer than the model can explain. Those who came back"), (2, "more than the model")],
)
def test_a_miss_of_one_time_buyers_is_told(model, summary, bought, words):
    once = summary["frequency"] == 0
    changed = summary.assign(holdout_frequency=summary["holdout_frequency"].where(~once, bought))
    check = holdout(model, changed, draws=200)
    assert words in one_time_buyers(model, changed, check).summary()


def test_without_one_time_buyers_nothing_breaks(model, summary):
    loyal = summary[summary["frequency"] > 0]
    found = one_time_buyers(model, loyal, holdout(model, loyal, draws=40))
    assert list(found.table.index) == ["came back"]
    assert "Nobody bought only once" in found.summary()


def test_other_models_do_not_call_them_all_active(summary):
    model = ParetoNBD().fit(summary)
    found = one_time_buyers(model, summary, holdout(model, summary, draws=100))
    share = model.p_alive(summary[summary["frequency"] == 0]).mean()
    assert 0.2 < share < 0.8
    assert f"{100 * share:.0f} % of them active to the model" in found.summary()
