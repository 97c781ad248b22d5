import matplotlib.pyplot as plt
import numpy as np
import pytest

import cxlib as cx
from cxlib.clv import holdout, lifetime_value, top_share, tracking

SPLIT = "1997-09-30"


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def results(model, spend, summary, purchases):
    value = lifetime_value(model, spend, summary, horizon=39, discount_rate=0.1, draws=60)
    return {
        "value": value,
        "holdout": holdout(model, summary, draws=60),
        "tracking": tracking(model, purchases, calibration_until=SPLIT, draws=60),
        "top": top_share(value.customers["value"], summary["holdout_spend"], draws=60),
    }


@pytest.mark.parametrize("name", ["value", "holdout", "tracking", "top"])
def test_results_draw_on_the_axes_given_with_labels_and_uncertainty(results, name):
    _, axes = plt.subplots(1, 2)
    found = results[name].plot(ax=axes[1])
    assert found is axes[1]
    assert not axes[0].has_data()
    assert found.get_xlabel()
    assert found.get_ylabel()
    assert found.get_title(loc="left") or found.get_title()
    bands = [c for c in found.collections if len(c.get_paths())]
    assert bands, "no band, whisker or bar shows the uncertainty"


def test_maps_show_the_quantity_and_label_the_bar(model, summary):
    ax = cx.clv.plot_p_alive_map(model, summary)
    mesh = ax.collections[0]
    assert mesh.get_clim() == (0, 1)
    assert mesh.get_cmap().name == "cividis"
    assert "weeks" in ax.get_ylabel()
    grid = np.asarray(mesh.get_array()).reshape(80, -1)
    assert grid.shape[1] == summary["frequency"].max()
    assert (np.diff(grid, axis=0) > -1e-12).all(), "the later the last purchase, the likelier"
    bar = ax.figure.axes[-1]
    assert bar.get_ylabel() == "probability of still being active"
    ax = cx.clv.plot_expected_purchases_map(model, summary, 39, ax=plt.figure().gca())
    assert "39 weeks" in ax.figure.axes[-1].get_ylabel()


def test_timelines_hide_the_future_until_it_is_revealed(purchases):
    six = ["0001", "0002", "0003", "1516", "0100", "0200"]
    hidden = cx.clv.plot_customer_timelines(purchases, six, until=SPLIT)
    shown = cx.clv.plot_customer_timelines(
        purchases, six, until=SPLIT, reveal=True, labels=list("ABCDEF"), ax=plt.figure().gca()
    )

    def dots(ax):
        return sum(len(line.get_xdata()) for line in ax.lines if line.get_linestyle() == "None")

    mine = purchases[purchases["customer_id"].isin(six)]
    assert dots(hidden) == (mine["ordered_at"] <= SPLIT).sum()
    assert dots(shown) == len(mine)
    assert [t.get_text() for t in shown.get_yticklabels()] == list("ABCDEF")


def test_value_of_chosen_customers(results):
    ax = cx.clv.plot_value(results["value"], ["1516", "0001"], currency="USD")
    assert {t.get_text() for t in ax.get_yticklabels()} == {"1516", "0001"}
    assert "USD" in ax.get_xlabel()
    with pytest.raises(cx.CxError, match="1 of 1 customers are not in the data: 'nobody'"):
        cx.clv.plot_value(results["value"], ["nobody"])


def test_nothing_is_shown_or_opened(results, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_: pytest.fail("plt.show was called"))
    ax = plt.figure().gca()
    results["tracking"].plot(ax=ax, cumulative=True)
    assert plt.get_fignums() == [ax.figure.number]
    ax.figure.canvas.draw()
