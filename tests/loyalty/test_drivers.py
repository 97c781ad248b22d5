"""driver_importance: results, weights, clusters, gaps, latent answers, bad input, coverage."""

import importlib

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.loyalty.imputation import impute_normal
from cxlib.loyalty.shares import johnson, lmg
from cxlib.stats import polychoric, rank_intervals
from cxlib.stats.calibration import calibrate, judge

DRIVERS = ["quality", "service", "delivery"]
FEW = {"bootstrap": 199}


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(8)
    values = rng.normal(size=(400, 3)) + 0.5 * rng.normal(size=(400, 1))
    found = pd.DataFrame(values, columns=DRIVERS)
    found["csat"] = values @ [0.6, 0.3, 0.0] + rng.normal(size=400)
    found["w"] = rng.uniform(0.5, 2, 400)
    found["who"] = np.repeat(np.arange(100), 4)
    return found


@pytest.mark.parametrize(("method", "divide"), [("shapley", lmg), ("johnson", johnson)])
def test_shares_are_those_of_the_covariance(frame, method, divide):
    found = cx.driver_importance(frame, "csat", DRIVERS, method, **FEW)
    expected = divide(np.cov(frame[[*DRIVERS, "csat"]].T))
    assert found.table["contribution"].to_numpy() == pytest.approx(expected)
    assert found.r2 == pytest.approx(expected.sum())
    assert found.table["share"].sum() == pytest.approx(1)
    inside = found.table.eval("share_low < share < share_high and rank_low <= rank <= rank_high")
    assert inside.all()
    assert found.table["first"].sum() == pytest.approx(1)
    assert found.monte_carlo_error == 0
    assert "quality" in found.summary()
    assert found.to_frame()["rank"].tolist() == [1, 2, 3]


def test_vif_and_coefficients_are_those_of_statsmodels(frame):
    import statsmodels.api as sm

    found = cx.driver_importance(frame, "csat", DRIVERS, **FEW).table
    standard = (frame - frame.mean()) / frame.std()
    fitted = sm.OLS(standard["csat"], standard[DRIVERS]).fit()
    assert found["coefficient"].to_numpy() == pytest.approx(fitted.params.to_numpy())
    # bootstrap error of 199 replicates against the classical one
    assert found["coefficient_error"].to_numpy() == pytest.approx(fitted.bse.to_numpy(), rel=0.25)
    for place, driver in enumerate(DRIVERS):
        others = [d for d in DRIVERS if d != driver]
        r2 = sm.OLS(standard[driver], standard[others]).fit().rsquared
        assert found["vif"][place] == pytest.approx(1 / (1 - r2))


def test_weights_act_like_copies_and_zero_like_absence(frame):
    doubled = pd.concat([frame, frame[:100]])
    weight = np.where(np.arange(400) < 100, 2.0, 1.0)
    a = cx.driver_importance(doubled, "csat", DRIVERS, **FEW)
    b = cx.driver_importance(frame, "csat", DRIVERS, weights=weight, **FEW)
    assert a.table["share"].to_numpy() == pytest.approx(b.table["share"].to_numpy())
    none = np.where(np.arange(400) < 100, 0.0, 1.0)
    c = cx.driver_importance(frame, "csat", DRIVERS, weights=none, **FEW)
    d = cx.driver_importance(frame[100:], "csat", DRIVERS, **FEW)
    assert c.table["share"].to_numpy() == pytest.approx(d.table["share"].to_numpy())
    assert (c.n, c.dropped) == (300, 100)


def test_copied_rows_in_clusters_do_not_narrow_intervals(frame):
    copied = pd.concat([frame] * 4).assign(row=list(range(400)) * 4)
    alone = cx.driver_importance(frame, "csat", DRIVERS, bootstrap=999)
    together = cx.driver_importance(copied, "csat", DRIVERS, cluster="row", bootstrap=999)
    naive = cx.driver_importance(copied, "csat", DRIVERS, bootstrap=999)
    width = [
        (f.table["share_high"] - f.table["share_low"]).mean() for f in (alone, together, naive)
    ]
    assert width[1] == pytest.approx(width[0], rel=0.1)
    assert width[2] == pytest.approx(width[0] / 2, rel=0.15)
    assert together.units == 400


def test_a_turned_sign_is_named():
    rng = np.random.default_rng(1)
    a = rng.normal(size=600)
    b = 0.9 * a + 0.44 * rng.normal(size=600)
    frame = pd.DataFrame({"a": a, "b": b, "y": 1.0 * a - 0.5 * b + 0.3 * rng.normal(size=600)})
    found = cx.driver_importance(frame, "y", ["a", "b"], **FEW)
    assert found.table["flipped"].tolist() == [False, True]
    assert found.table["sign"].tolist() == ["+", "-"]
    assert "turns the sign of b" in found.summary()


def test_more_than_fifteen_drivers_are_sampled_with_a_stated_error():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(300, 16)) + 0.7 * rng.normal(size=(300, 1))
    frame = pd.DataFrame(values, columns=[f"d{i}" for i in range(16)])
    frame["y"] = values[:, :4] @ [0.8, 0.4, 0.2, 0.1] + rng.normal(size=300)
    found = cx.driver_importance(frame, "y", list(frame)[:-1], **FEW)
    exact = lmg(np.cov(frame.T))
    assert 0 < found.monte_carlo_error < 0.005
    shares = found.table["share"].to_numpy()
    assert np.abs(shares - exact / exact.sum()).max() < 5 * found.monte_carlo_error
    assert found.table.eval("share_low < share < share_high").all()


def test_a_matrix_with_n_stands_for_its_rows(frame):
    matrix = frame[[*DRIVERS, "csat"]].cov()
    rows = cx.driver_importance(frame, "csat", DRIVERS, bootstrap=1999).table
    whole = cx.driver_importance(matrix, "csat", DRIVERS, n=400, bootstrap=1999).table
    assert whole["share"].to_numpy() == pytest.approx(rows["share"].to_numpy())
    # normal rows: Wishart and bootstrap errors agree up to their luck
    assert whole["share_error"].to_numpy() == pytest.approx(rows["share_error"], rel=0.15)
    with pytest.raises(cx.CxError) as wrong:
        cx.driver_importance(matrix * np.nan, "csat", [*DRIVERS, "price"], n=5)
    assert all(word in str(wrong.value) for word in ("price", "n = 5"))


def test_imputing_recovers_what_dropping_loses(frame):
    rng = np.random.default_rng(3)
    gappy = frame.copy()
    gappy[DRIVERS] = frame[DRIVERS].mask(rng.random((400, 3)) < 0.2)
    dropped = cx.driver_importance(gappy, "csat", DRIVERS, **FEW)
    filled = cx.driver_importance(gappy, "csat", DRIVERS, missing="impute", imputations=8, **FEW)
    assert filled.n == 400 - gappy[DRIVERS].isna().all(axis=1).sum()
    assert dropped.n == gappy[DRIVERS].notna().all(axis=1).sum()
    assert filled.imputations == 8
    assert (filled.table["missing_share"] > 0).all()
    assert filled.table.eval("0 < share_low < share < share_high < 1").all()
    truth = cx.driver_importance(frame, "csat", DRIVERS, **FEW).table["share"]
    assert np.abs(filled.table["share"] - truth).max() < 0.08
    whole = cx.driver_importance(frame, "csat", DRIVERS, missing="impute", **FEW)
    assert whole.imputations == 0


def test_imputation_recovers_moments_where_gaps_depend_on_the_outcome():
    rng = np.random.default_rng(4)
    rows = rng.multivariate_normal([1, 2], [[1, 0.7], [0.7, 1]], 4000)
    known = np.where((rng.random(4000) < 0.6) & (rows[:, 1] > 2), np.nan, rows[:, 0])
    filled = np.mean(
        [np.append(v.mean(axis=0), np.cov(v.T)[0]) for v in
         impute_normal(np.column_stack([known, rows[:, 1]]), imputations=6)], axis=0,
    )  # fmt: skip
    assert np.nanmean(known) < 0.85
    assert filled == pytest.approx([1, rows[:, 1].mean(), 1, 0.7], abs=0.07)


def test_latent_correlations_undo_the_cutting():
    rng = np.random.default_rng(5)
    values = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 6000)
    cut = np.digitize(values, [0.3, 0.9])
    assert abs(np.corrcoef(cut.T)[0, 1] - 0.6) > 0.08
    assert polychoric(*cut.T) == pytest.approx(0.6, abs=0.03)
    assert polychoric(values[:, 0] > 0, values[:, 1] > 0) == pytest.approx(0.6, abs=0.05)
    frame = pd.DataFrame(
        {"a": cut[:, 0], "b": np.digitize(rng.normal(size=6000), [0]), "y": cut[:, 1]}
    )
    found = cx.driver_importance(frame, "y", ["a", "b"], correlation="latent", bootstrap=99)
    assert found.r2 == pytest.approx(0.36, abs=0.04)
    with pytest.raises(cx.CxError, match="2 to 11 different answers"):
        cx.driver_importance(
            frame.assign(a=values[:, 0]), "y", ["a", "b"], correlation="latent", bootstrap=99
        )


def test_rank_intervals_tell_apart_what_is_apart_and_nothing_else():
    rng = np.random.default_rng(6)
    draws = rng.normal(size=(2000, 4)) * 0.1
    first, last = rank_intervals([4, 1, 1, 0.0], np.array([4, 1, 1, 0]) + draws)
    assert (first.tolist(), last.tolist()) == ([1, 2, 2, 4], [1, 3, 3, 4])
    first, last = rank_intervals([0.1, 0, 0, 0], draws)
    assert (first.tolist(), last.tolist()) == ([1] * 4, [4] * 4)
    fixed = np.tile([2.0, 1.0], (50, 1))
    assert [v.tolist() for v in rank_intervals([2, 1], fixed)] == [[1, 2], [1, 2]]


def spoiled(frame, **changes):
    return frame.assign(**changes)


BAD = {
    "constant driver": (
        lambda f: (spoiled(f, service=4.0), {}),
        ["'service' is constant", "are 4"],
    ),
    "constant outcome": (lambda f: (spoiled(f, csat=7.0), {}), ["outcome 'csat' is constant"]),
    "identical drivers": (
        lambda f: (spoiled(f, service=2 * f["quality"] + 1), {}),
        ["'quality' and 'service'", "identical"],
    ),
    "redundant drivers": (
        lambda f: (spoiled(f, delivery=f["quality"] + f["service"]), {}),
        ["determine each other"],
    ),
    "few answers": (lambda f: (f[:9], {}), ["9 complete answers for 3 drivers", "at least 10"]),
    "all missing": (lambda f: (spoiled(f, service=np.nan), {}), ["service: all 400 answers"]),
    "outcome a driver": (
        lambda f: (f, {"drivers": ["quality", "csat"]}),
        ["the outcome 'csat' is among the drivers"],
    ),
    "text": (
        lambda f: (spoiled(f, service="stimme zu"), {}),
        ["400 of 400 answers are texts", "'stimme zu'", "mapping="],
    ),
    "weights": (
        lambda f: (f, {"weights": np.where(np.arange(400) < 2, [-1.0, np.nan] * 200, 1.0)}),
        ["1 of 400 are missing", "1 of 400 are negative"],
    ),
    "zero weights": (lambda f: (f, {"weights": np.zeros(400)}), ["all are zero"]),
    "few clusters": (
        lambda f: (f, {"cluster": np.arange(400) % 9}),
        ["cluster: 9 among", "at least 10"],
    ),
    "columns": (lambda f: (f, {"drivers": ["quality", "prize"]}), ["prize", "service"]),
    "one driver": (lambda f: (f, {"drivers": ["quality"]}), ["1 different columns", "2 to 30"]),
    "infinite": (lambda f: (spoiled(f, quality=np.inf), {}), ["400 of 400 values are infinite"]),
    "choices": (lambda f: (f, {"method": "lasso"}), ["shapley, johnson"]),
    "replicates": (lambda f: (f, {"bootstrap": 3}), ["99 or more"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named(frame, name):
    make, wanted = BAD[name]
    broken, options = make(frame)
    with pytest.raises(cx.CxError) as wrong:
        cx.driver_importance(broken, "csat", **{"drivers": DRIVERS} | options)
    for text in wanted:
        assert text in str(wrong.value)


def test_all_problems_come_in_one_message(frame):
    broken = frame.assign(quality="gut", service=np.nan)
    with pytest.raises(cx.CxError) as wrong:
        cx.driver_importance(broken, "csat", [*DRIVERS, "csat", "prize"], weights=-frame["w"])
    message = str(wrong.value)
    for text in ("'gut'", "service: all", "among the drivers", "prize", "negative"):
        assert text in message


def test_text_answers_by_a_declared_mapping_only(frame):
    words = {"strongly disagree": 1, "disagree": 2, "agree": 3, "strongly agree": 4}
    codes = pd.DataFrame({c: pd.qcut(frame[c], 4, labels=False) for c in [*DRIVERS, "csat"]})
    texts = codes.apply(lambda c: c.map(list(words).__getitem__))
    numbers = cx.driver_importance(codes + 1.0, "csat", DRIVERS, **FEW)
    for mapping in (words, dict.fromkeys(texts, words)):
        found = cx.driver_importance(texts, "csat", DRIVERS, mapping=mapping, **FEW)
        assert found.table["share"].tolist() == numbers.table["share"].tolist()
    with pytest.raises(cx.CxError, match="mapping does not name them"):
        cx.driver_importance(texts, "csat", DRIVERS, mapping={"agree": 3}, **FEW)


def test_segments_against_their_complement(frame):
    by = frame.assign(place=np.where(np.arange(400) < 200, "north", "south"))
    pull = np.where(by["place"] == "north", 1.5, 0.0)
    by["csat"] = pull * by["delivery"] + by["quality"] + by["csat"] * 0.2
    found = cx.driver_importance_by(by, "csat", DRIVERS, by="place").set_index(
        ["segment", "driver"]
    )
    north = cx.driver_importance(by[:200], "csat", DRIVERS, **FEW).table
    assert found.loc["north", "share"].to_numpy() == pytest.approx(north["share"].to_numpy())
    assert found.loc["north", "others"].to_numpy() == pytest.approx(found.loc["south", "share"])
    assert found.loc[("north", "delivery"), "verdict"] == "higher"
    assert (found["p_adjusted"] >= found["p"]).all()
    with pytest.raises(cx.CxError, match="one segment"):
        cx.driver_importance_by(by[:200], "csat", DRIVERS, by="place")
    with pytest.raises(cx.CxError, match="no column"):
        cx.driver_importance_by(by, "csat", DRIVERS, by="region")
    rare = by.assign(place=["rare"] * 20 + ["a", "b"] * 190)
    with pytest.warns(cx.CxWarning, match="rare"):
        assert set(cx.driver_importance_by(rare, "csat", DRIVERS, by="place")["segment"]) == {
            "a",
            "b",
        }


def test_equal_segments_are_rarely_told_apart():
    rng = np.random.default_rng(9)
    found = 0
    for seed in range(25):
        values = rng.normal(size=(240, 3))
        table = pd.DataFrame(values, columns=["a", "b", "c"])
        table["y"] = values @ [0.6, 0.4, 0.2] + rng.normal(size=240)
        table["segment"] = np.arange(240) % 3
        told = cx.driver_importance_by(
            table, "y", ["a", "b", "c"], "segment", bootstrap=199, seed=seed
        )
        found += (told["verdict"] != "cannot tell").any()
    assert found <= 5  # Holm at 5 %: 6 or more of 25 has a chance below .002


def test_a_reduced_sweep_holds():
    module = importlib.import_module("calibrate_drivers")
    table = calibrate(module.driver_cells(), datasets=12, levels=[0.9])
    assert (table["verdict"] != "fails").all(), table[table["verdict"] == "fails"]
    zero = table["cell"].str.contains("zero")
    assert table.loc[zero, "coverage"].item() == 0
    pooled = judge(
        int((table.loc[~zero, "coverage"] * 12).sum().round()), 12 * (~zero).sum(), 0.9, "at least"
    )
    assert pooled["verdict"] == "holds"


def test_the_top_driver_is_named_more_often_by_more_answers():
    module = importlib.import_module("calibrate_drivers")
    few = pd.DataFrame(module.top_driver_rows(datasets=400, sizes=(50, 400)))
    kept = pd.read_csv(module.PROOF).set_index(["world", "n"])
    assert (kept["datasets"] >= 10_000).all()
    for row in few.itertuples():
        committed = kept.loc[(row.world, row.n)]
        assert abs(row.named_first - committed["named_first"]) < 0.1
    assert kept.groupby("world")["named_first"].apply(lambda s: s.is_monotonic_increasing).all()


def test_benchmark_rows():
    (row,) = importlib.import_module("bench_drivers").run(quick=True)
    assert row["ratio"] > 10
    assert "extrapolated" in row["peer"]


def test_an_undeclared_text_is_offered_no_number():
    frame = pd.DataFrame({"a": ["stimme zu", "nein"] * 20, "b": range(40), "y": range(40)})
    with pytest.raises(cx.CxError, match=r"\{'stimme zu': its number, \.\.\.\}"):
        cx.driver_importance(frame, "y", ["a", "b"])
