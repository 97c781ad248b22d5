"""Maps, halo and groups by experience: known answers, bad input, plots."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.loyalty.kmeans import adjusted_rand, jaccard, kmeans

ITEMS = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(1)
    mood = rng.normal(size=(600, 1))
    found = pd.DataFrame(mood + rng.normal(size=(600, 4)) + [0, 0, 1, 1], columns=ITEMS)
    found["csat"] = found[ITEMS] @ [0.6, 0.1, 0.5, 0.0] + rng.normal(size=600)
    return found


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_map_has_means_shares_and_the_right_quadrants(frame):
    found = cx.importance_performance(frame, "csat", ITEMS, bootstrap=199)
    table = found.table.set_index("driver")
    shares = cx.driver_importance(frame, "csat", ITEMS, bootstrap=199).table.set_index("driver")
    assert table["importance"].to_numpy() == pytest.approx(shares["share"].to_numpy())
    assert table["performance"].to_numpy() == pytest.approx(frame[ITEMS].mean().to_numpy())
    assert table["quadrant"].tolist() == ["improve", "leave", "keep up", "spare"]
    assert table["quadrant_share"].between(0, 1).all()
    assert table.eval("performance_low < performance < performance_high").all()
    assert "a (" in found.summary()
    assert found.plot().get_xlabel()
    # classical error of a mean against the bootstrap's
    half = (table["performance_high"] - table["performance_low"]) / 2
    assert half.to_numpy() == pytest.approx(1.96 * frame[ITEMS].sem().to_numpy(), rel=0.2)


def test_halo_finds_the_factor_and_divides_the_whole(frame):
    found = cx.halo(frame, "csat", ITEMS, bootstrap=99)
    # loadings 1 / sqrt(2) by construction
    assert found.table["loading"].to_numpy() == pytest.approx(2**-0.5, abs=0.07)
    assert found.explained_low <= found.explained <= 1
    assert found.table["before"].sum() == pytest.approx(1)
    assert found.table["after"].sum() + found.general == pytest.approx(1)
    assert "One general factor" in found.summary()
    assert found.plot().get_xlabel()
    with pytest.raises(cx.CxError, match="4 to 30"):
        cx.halo(frame, "csat", ITEMS[:3])


def test_unrelated_items_have_no_halo():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.normal(size=(5000, 5)), columns=[*ITEMS, "csat"])
    frame["csat"] += frame["a"] + frame["b"]
    found = cx.halo(frame, "csat", ITEMS, bootstrap=99)
    assert found.table["before"].to_numpy() == pytest.approx([0.5, 0.5, 0, 0], abs=0.05)
    assert found.general < 0.9


def test_true_groups_are_found_and_a_cloud_is_called_one(frame):
    rng = np.random.default_rng(3)
    kind = np.repeat([0, 1, 2], 120)
    centres = np.array([[0, 0, 0, 0], [4, 4, 0, 0], [0, 0, 4, 4.0]])
    people = pd.DataFrame(centres[kind] + rng.normal(size=(360, 4)), columns=ITEMS)
    people["spend"] = 10.0 * kind + rng.normal(0, 3, 360)
    people["country"] = rng.choice(["DE", "AT"], 360)
    found = cx.experience_segments(
        people, ITEMS, value="spend", demography=["country"], bootstrap=10
    )
    assert found.k == 3
    assert sorted(found.groups["n"]) == pytest.approx([120] * 3, abs=3)
    assert adjusted_rand(kind, found.labels.to_numpy() - 1, 3) > 0.95
    assert found.cloud_p == pytest.approx(0.01)
    shares = found.value_shares.set_index("grouping")
    assert shares.loc["experience", "share"] > 0.8
    assert abs(shares.loc["country", "share"]) < 0.02
    assert shares.loc["country", "experience_more_low"] > 0.7
    assert "come back" in found.summary()
    assert found.plot().get_ylabel() == "mean rating"
    cloud = cx.experience_segments(frame, ITEMS, bootstrap=10)
    assert cloud.cloud_p > 0.05
    assert "continuum" in cloud.summary()
    assert cloud.value_shares.empty


def test_bad_groups_are_named(frame):
    with pytest.raises(cx.CxError) as wrong:
        cx.experience_segments(
            frame.assign(a="x", b=1.0), ["a", "b", "z"], k=12, demography=["country"], bootstrap=3
        )
    for text in ("z, country", "k = 12", "bootstrap = 3", "a holds no numbers", "b does not vary"):
        assert text in str(wrong.value)
    with pytest.raises(cx.CxError, match="20 a group"):
        cx.experience_segments(frame[:30], ITEMS)


def test_agreement_of_groupings():
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 3, 3000), rng.integers(0, 3, 3000)
    assert abs(adjusted_rand(a, b, 3)) < 0.01
    assert adjusted_rand(a, (a + 1) % 3, 3) == 1
    assert jaccard(a, (a + 1) % 3, 3) == pytest.approx(1)
    centres, within = kmeans(np.array([[0.0], [1], [10], [11]]), 2)
    assert (sorted(centres.ravel()), within) == ([0.5, 10.5], 1.0)


def test_every_plot_carries_labels(frame):
    found = cx.driver_importance(frame, "csat", ITEMS, bootstrap=99)
    ax = cx.plot_importance(
        found.to_frame(), other=found.table, labels=("x", "y"), truth={"a": 0.5}
    )
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["x", "y", "truth"]
    assert found.plot(plt.subplots()[1]).get_xlabel() == "share of the explained variance [%]"
    assert "rank" in found.plot_ranks(plt.subplots()[1]).get_xlabel()
    by = cx.driver_importance_by(
        frame.assign(g=np.arange(600) % 2), "csat", ITEMS, by="g", bootstrap=99
    )
    assert len(cx.plot_segments(by, plt.subplots()[1]).get_yticklabels()) == 8
    with pytest.raises(cx.CxError, match="columns"):
        cx.plot_importance(frame)
