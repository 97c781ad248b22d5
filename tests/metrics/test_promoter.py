"""NPS against the published intervals and the airport survey; properties; bad input."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import cxlib as cx
from cxlib.errors import CxError

# Rocks 2016 (arXiv:1601.07235) for the formulas; values recomputed to two decimals.
PUBLISHED = [
    ((50, 20, 100), "wald", 30, 14.69, 45.31),
    ((50, 20, 100), "score", 30, 13.96, 44.34),
    ((15, 8, 36), "score", 19.44, -6.77, 42.87),
    ((10, 0, 10), "score", 100, 44.5, 100),
    ((1436, 342, 2746), "score", 39.84, 37.19, 42.42),
    ((50, 20, 100), "adjusted_wald", 30, 14.05, 44.20),
]
AIRPORT_2017 = [17, 6, 8, 19, 18, 144, 130, 291, 677, 564, 872]


def scores_of(up, down, n):
    return [10] * up + [0] * down + [8] * (n - up - down)


@pytest.mark.parametrize(("tally", "method", "estimate", "low", "high"), PUBLISHED)
def test_published_intervals(tally, method, estimate, low, high):
    result = cx.nps(scores_of(*tally), method=method)
    found = (result.estimate, result.low, result.high)
    assert found == pytest.approx((estimate, low, high), abs=0.06)  # two decimals, one in the third
    assert (result.promoters, result.detractors, result.n) == tally


def test_the_airport_survey_from_its_counts():
    result = cx.nps_from_counts(AIRPORT_2017)
    assert (result.estimate, result.low, result.high) == pytest.approx(
        (39.84, 37.19, 42.42), abs=0.005
    )
    assert cx.nps_from_counts(dict(enumerate(AIRPORT_2017))) == result


@given(st.lists(st.integers(0, 10), min_size=1, max_size=60), st.randoms())
@settings(deadline=None, max_examples=30)
def test_order_missing_and_counts_change_nothing(scores, random):
    result = cx.nps(scores, scale="0-10")  # what hypothesis draws may look like 1-10
    shuffled = [*scores, None, float("nan")]
    random.shuffle(shuffled)
    again = cx.nps(shuffled, scale="0-10")
    assert (again.estimate, again.low, again.high) == (result.estimate, result.low, result.high)
    assert again.missing == 2
    assert cx.nps_from_counts(np.bincount(scores, minlength=11)) == result
    assert -100 <= result.low <= result.estimate <= result.high <= 100


def test_equal_weights_move_the_estimate_by_nothing_and_any_scale_is_the_same():
    scores = scores_of(30, 12, 80)
    plain = cx.nps(scores)
    one, ten = (cx.nps(scores, weights=np.full(80, w)) for w in (1.0, 10.0))
    assert one.estimate == pytest.approx(plain.estimate)
    assert (one.low, one.high) == pytest.approx((ten.low, ten.high))
    assert one.effective_n == pytest.approx(ten.effective_n)


def test_clusters_that_repeat_an_answer_widen_the_interval():
    scores = scores_of(30, 12, 80)
    thrice = cx.nps(scores * 3, cluster=list(range(80)) * 3)
    assert thrice.estimate == pytest.approx(cx.nps(scores).estimate)
    assert thrice.high - thrice.low > 1.5 * (cx.nps(scores * 3).high - cx.nps(scores * 3).low)


def test_difference_of_results_and_of_scores_agree():
    a, b = scores_of(150, 60, 300), scores_of(180, 50, 310)
    difference = cx.nps_difference(a, b)
    assert cx.nps_difference(cx.nps(a), cx.nps(b)) == difference
    assert difference.estimate == pytest.approx(cx.nps(a).estimate - cx.nps(b).estimate)
    assert cx.nps_difference(b, a).low == pytest.approx(-difference.high)


def test_a_difference_of_few_clusters_is_as_sure_as_its_clusters_allow():
    few, many = (
        cx.nps(scores_of(30, 12, 80), cluster=[i % teams for i in range(80)]) for teams in (6, 80)
    )
    found = cx.nps_difference(few, many)
    as_if_known = cx.nps_difference(replace(few, df=np.inf), replace(many, df=np.inf))
    parts = np.array([few.standard_error, many.standard_error]) ** 2
    df = parts.sum() ** 2 / (parts**2 / [few.df, many.df]).sum()
    wider = (found.high - found.low) / (as_if_known.high - as_if_known.low)
    assert wider == pytest.approx(stats.t.ppf(0.975, df) / stats.norm.ppf(0.975), rel=0.03)
    shifted = cx.nps_difference(few, cx.nps([10, 10, 10, 3] * 20, cluster=list(range(80))))
    assert (shifted.p < 0.05) == (not shifted.low <= 0 <= shifted.high)


@pytest.mark.parametrize("method", ["score", "adjusted_wald", "wald"])
def test_a_given_score_is_tested_in_step_with_the_interval(method):
    found = cx.nps(scores_of(50, 20, 100), method=method)
    for touched in (found.low, found.high):
        assert cx.nps_difference(found, touched).p == pytest.approx(0.05, abs=1e-6)
    test = cx.nps_difference(found, 15, level=0.9)
    narrow = cx.nps(scores_of(50, 20, 100), method=method, level=0.9)
    assert (test.estimate, test.low, test.high) == pytest.approx(
        (15, narrow.low - 15, narrow.high - 15)
    )
    assert cx.nps_difference(found, found.estimate).p == pytest.approx(1)
    assert cx.nps_difference(found, 45).z < 0 < test.z


def test_a_given_score_by_hand_by_clusters_and_off_the_scale():
    # 60 promoters, 40 detractors against 0: no passive, so the variance under 0 is 1 and z = 2
    assert cx.nps_difference([10] * 60 + [5] * 40, 0).z == pytest.approx(2)
    few = cx.nps(scores_of(30, 12, 80), cluster=[i % 6 for i in range(80)], weights=[1, 3] * 40)
    assert few.df == 5
    assert cx.nps_difference(few, few.low).p == pytest.approx(0.05, abs=1e-6)
    assert cx.nps_difference([10, 9, 3], 100).p < 1e-9  # with a score of 100 nobody detracts
    for bad in (101, -130, float("nan")):
        with pytest.raises(CxError, match="must lie in -100 to 100"):
            cx.nps_difference([10, 9, 3], bad)


def test_labels_are_read_as_numbers_only_where_declared():
    labels = ["10 - extremely likely", "7", "0 - not at all likely", "10 - extremely likely"]
    table = pd.DataFrame({"customer_id": list("abcd"), "question": "nps", "score": labels})
    with pytest.raises(CxError, match="extremely likely"):
        cx.read_responses(table)
    declared = {"10 - extremely likely": 10, "0 - not at all likely": 0}
    read = cx.read_responses(table, mapping=declared)
    assert read["score"].tolist() == [10, 7, 0, 10]


def test_segments_are_shrunken_towards_their_mean():
    rng = np.random.default_rng(4)
    sizes = [6, 12, 40, 80, 300]
    frame = pd.DataFrame(
        {
            "question": "nps",
            "team": np.repeat(list("ABCDE"), sizes),
            "score": rng.choice(11, sum(sizes), p=np.array(AIRPORT_2017) / sum(AIRPORT_2017)),
        }
    )
    frame.loc[len(frame)] = ["nps", "silent", None]
    frame.loc[len(frame)] = ["ces", "A", 99]
    table = cx.nps_by(frame, by=["team"])
    assert list(table["team"]) == list("ABCDE")
    assert list(table["n"]) == sizes
    assert table.attrs["unanswered"] == [{"team": "silent"}]
    spread = table[["estimate", "shrunken"]].std()
    assert spread["shrunken"] < spread["estimate"]
    assert (table["shrunken_low"] < table["shrunken"]).all()


def test_limits_of_shrunken_scores_are_scores():
    frame = pd.DataFrame({"team": list("abcdefgh") * 6, "score": [10] * 40 + [0] * 8})
    frame.loc[frame["team"].isin(["a", "b"]), "score"] = 10
    table = cx.nps_by(frame, by="team")
    assert table["shrunken_high"].max() == 100
    assert (table["shrunken"] < table["shrunken_high"]).all()
    assert (table["shrunken_low"] >= -100).all()


@pytest.mark.parametrize(
    ("scores", "texts"),
    [
        ([9, 11, 11, 3], ["0-10", "2 of 4 are 11", "position 1", 'missing={"score": [11]}']),
        ([9, 11], ["Put None in its place", "read_responses"]),
        ([9, -1], ["1 of 2 is -1"]),
        ([9, "neun", ""], ["2 of 3 are 'neun', ''", "must be numbers"]),
        ([95, 80, 70, 10], ["per cent"]),
        ([7.5, 8], ["whole numbers", "7.5"]),
        ([None, float("nan")], ["all 2 scores are missing"]),
        ([], ["all 0 scores are missing"]),
    ],
)
def test_bad_scores_are_named(scores, texts):
    with pytest.raises(CxError) as caught:
        cx.nps(scores)
    for text in texts:
        assert text in str(caught.value)


@pytest.mark.parametrize("weights", [[0, 0], [1, -1], [1, float("nan")], [1, 2, 3]])
def test_bad_weights_are_named(weights):
    with pytest.raises(CxError, match="weights"):
        cx.nps([9, 3], weights=weights)


def test_a_single_answer_has_a_wide_interval():
    result = cx.nps([10])
    assert result.estimate == 100
    assert result.low < -50


@pytest.mark.parametrize("counts", [[1] * 10, [0] * 11, [-1] + [1] * 10, {11: 3}])
def test_bad_counts_are_refused(counts):
    with pytest.raises(CxError):
        cx.nps_from_counts(counts)


def test_plot_names_the_uncertainty():
    ax = cx.nps(scores_of(50, 20, 100)).plot()
    assert "95 % interval" in ax.get_title() + ax.get_title(loc="left")


def test_breaks_are_honoured_everywhere_and_told():
    five = [5] * 10 + [4] * 5 + [1, 2, 3] * 2
    result = cx.nps(five, breaks=((1, 3), (4, 4), (5, 5)))
    assert (result.promoters, result.passives, result.detractors) == (10, 5, 6)
    assert result.estimate == pytest.approx(100 * 4 / 21)
    plain = cx.nps([10] * 10 + [8] * 5 + [3] * 6)
    assert (result.low, result.high) == pytest.approx((plain.low, plain.high))
    weighted = cx.nps(five, weights=np.ones(21), breaks=((1, 3), (4, 4), (5, 5)))
    assert weighted.estimate == pytest.approx(result.estimate)
    texts = [text.get_text() for text in result.plot().figure.findobj(plt.Text)]
    assert any("promoters (5)" in text for text in texts)
    assert result.to_frame()["breaks"].item() == "1-3 | 4-4 | 5-5"


@pytest.mark.parametrize(
    ("breaks", "text"),
    [
        (((0, 6), (8, 8), (9, 10)), "without a gap or overlap"),
        (((0, 7), (7, 8), (9, 10)), "without a gap or overlap"),
        (((0, 6), (7, 10)), "three (lowest, highest)"),
        ((0, 6, 8, 10), "three (lowest, highest)"),
        (((6, 0), (7, 8), (9, 10)), "three (lowest, highest)"),
    ],
)
def test_bad_breaks_are_refused(breaks, text):
    with pytest.raises(CxError) as caught:
        cx.nps([9, 3], breaks=breaks)
    assert text in str(caught.value)


def test_with_other_breaks_the_scale_moves_too():
    with pytest.raises(CxError, match="1-5: 1 of 2 is 9"):
        cx.nps([9, 3], breaks=((1, 3), (4, 4), (5, 5)))


@pytest.mark.parametrize("method", ["mover", "wald"])
@pytest.mark.parametrize(
    ("first", "second"), [((150, 60, 300), (180, 50, 310)), ((5, 30, 40), (60, 2, 90))]
)
def test_no_interval_is_reversed_and_the_sign_is_first_minus_second(method, first, second):
    a, b = scores_of(*first), scores_of(*second)
    for left, right in ((a, b), (b, a)):
        found = cx.nps_difference(left, right, method=method)
        assert found.low < found.estimate < found.high
        assert found.estimate == pytest.approx(cx.nps(left).estimate - cx.nps(right).estimate)
        assert np.sign(found.z) == np.sign(found.estimate)
    for scores in (a, b):
        for name in ("score", "adjusted_wald", "wald", "dirichlet"):
            one = cx.nps(scores, method=name)
            assert one.low < one.estimate < one.high


def test_segments_of_repeated_customers_are_less_sure():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"score": rng.integers(0, 11, 80), "team": ["a", "b"] * 40, "who": range(80)}
    )
    once = cx.nps_by(frame, by="team", cluster_col="who")
    pd.testing.assert_frame_equal(once, cx.nps_by(frame, by="team"))
    thrice = pd.concat([frame] * 3)
    honest = cx.nps_by(thrice, by="team", cluster_col="who")
    assert (honest["high"] - honest["low"]).tolist() == pytest.approx(
        (once["high"] - once["low"]).tolist(), rel=0.1
    )
    alone = cx.nps_by(thrice[thrice["who"] == 3], by="team", cluster_col="who", min_cell=1)
    assert alone[["low", "high"]].to_numpy().tolist() == [[-100, 100]]


@pytest.mark.parametrize("kind", ["promoters", "passives", "detractors"])
def test_one_class_alone_keeps_an_interval(kind):
    score = {"promoters": 10, "passives": 8, "detractors": 2}[kind]
    result = cx.nps([score] * 12)
    assert result.high - result.low > 20
    assert result.low <= result.estimate <= result.high
    assert "12 answers" in result.summary()


def test_segments_of_one_are_left_out_with_a_note_or_shown_with_a_wide_interval():
    frame = pd.DataFrame({"score": [9, 10, 3, 8, 9, 2, 7], "team": list("aaaaaab")})
    with pytest.warns(cx.CxWarning, match="1 of 2 segments is not shown"):
        table = cx.nps_by(frame, by="team")
    assert table["team"].tolist() == ["a"]
    shown = cx.nps_by(frame, by="team", min_cell=1).set_index("team")
    assert shown.loc["b", "n"] == 1
    assert shown.loc["b", "high"] - shown.loc["b", "low"] > 100


def test_infinity_is_off_the_scale():
    with pytest.raises(cx.CxError, match="1 of 3 is inf"):
        cx.nps([9, 3, float("inf")])


def test_labels_of_clusters_are_one_a_row():
    with pytest.raises(cx.CxError, match="cluster: 2 labels for 3 rows"):
        cx.nps([9, 3, 4], cluster=["a", "b"])


def test_counts_by_answer_may_be_text_and_words_are_refused():
    assert cx.nps_from_counts({"9": 3, 3.0: 1}).estimate == 50
    with pytest.raises(cx.CxError, match="found counts for ten, 11"):
        cx.nps_from_counts({"ten": 3, 11: 1})


def test_one_answer_is_one_answer():
    assert "with 1 answer the" in cx.nps([9]).summary()


def test_a_weighted_segment_of_one_has_the_interval_of_one_answer():
    frame = pd.DataFrame({"score": [9, 10, 3, 8, 9, 2, 7], "team": list("aaaaaab"), "w": 2.0})
    shown = cx.nps_by(frame, by="team", weight_col="w", min_cell=1).set_index("team")
    alone = cx.nps([7])
    assert tuple(shown.loc["b", ["low", "high"]]) == (alone.low, alone.high)
    with pytest.warns(cx.CxWarning, match="1 of 2 segments"):
        assert cx.nps_by(frame, by="team", weight_col="w")["team"].tolist() == ["a"]


def test_a_difference_counts_answers_weighted_or_not():
    scores, weights = [9, 10, 3, 8, 9, 2, 7], [1, 2, 1, 1, 1, 3, 1]
    one = cx.nps(scores, weights=weights)
    assert one.effective_n % 1
    assert cx.nps_difference(one, scores).n == 14


def test_shrunken_ranks_are_closer_to_the_true_order():
    """60 teams of 5 to 400 answers whose true scores are known, 40 surveys."""
    rng = np.random.default_rng(8)
    gains = []
    for _ in range(40):
        sizes = np.exp(rng.uniform(np.log(5), np.log(400), 60)).astype(int)
        lift = np.clip(rng.normal(0, 0.075, 60), -0.2, 0.2)
        shares = np.column_stack([0.25 - lift, np.full(60, 0.3), 0.45 + lift])
        counts = rng.multinomial(sizes, shares)
        down, up = counts[:, 0] + 0.75, counts[:, 2] + 0.75
        n = sizes + 3
        error = 100 * np.sqrt(((up + down) / n - ((up - down) / n) ** 2) / n)
        raw = 100 * (counts[:, 2] - counts[:, 0]) / sizes
        shrunken = cx.stats.shrink(raw, error).estimate
        true, *ranks = (pd.Series(v).rank() for v in (lift, raw, shrunken))
        off = [(rank - true).abs().mean() for rank in ranks]
        gains.append(off[0] - off[1])
    gain = cx.stats.mean(gains, level=0.999)
    assert gain.low > 0, gain.summary()
