"""Intention, answers side by side, follow-up and the matrix: by hand, by brute force, bad input."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError, CxWarning
from cxlib.metrics.behaviour import clustered_share


def day(text):
    return pd.Timestamp(text)


@pytest.mark.parametrize(
    ("scale", "scores", "mean", "top2", "unlikely"),
    [
        ((0, 10), [0, 4, 5, 9, 10], 5.6, 2 / 5, 2 / 5),
        ((1, 5), [1, 2, 3, 4, 5], 3.0, 2 / 5, 2 / 5),
        ((1, 7), [7, 7, 4], 6.0, 2 / 3, 0.0),
    ],
)
def test_intent_by_hand(scale, scores, mean, top2, unlikely):
    result = cx.intent([*scores, None], scale=scale)
    assert (result.mean, result.top2, result.unlikely) == pytest.approx((mean, top2, unlikely))
    assert result.missing == 1
    assert result.top2_low < result.top2 < result.top2_high
    assert list(result.to_frame()["measure"]) == ["mean", "top2", "unlikely"]


@pytest.mark.parametrize("bad", [[11], [-1], ["neun"], [None], [3.5]])
def test_intent_refuses(bad):
    with pytest.raises(CxError):
        cx.intent(bad, scale=(0, 10))


def test_calibration_holds_the_stated_chance_against_what_was_done():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"customer_id": range(4000), "intent": rng.integers(1, 6, 4000)})
    frame["bought"] = rng.random(4000) < 0.2 + 0.1 * frame["intent"]
    table = cx.intent_calibration(frame, outcome_col="bought", scale=(1, 5))
    assert table["predicted"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (table["low"] < 0.2 + 0.1 * table["score"]).all()
    assert (table["high"] > 0.2 + 0.1 * table["score"]).all()
    assert table.attrs["done"] == pytest.approx(frame["bought"].mean())
    assert table.attrs["stated"] == pytest.approx(((frame["intent"] - 1) / 4).mean())


def test_clusters_widen_a_share_and_one_customer_tells_nothing():
    done, each = np.tile([1, 1, 1, 0, 0, 0], 10), np.arange(60)
    same = np.repeat(np.arange(20), 3)
    alone, grouped = (clustered_share(done, who) for who in (each, same))
    assert grouped.high - grouped.low > 1.5 * (alone.high - alone.low)
    one = clustered_share([1, 1, 0], ["a"] * 3)
    assert (one.low, one.high) == (0, 1)


def test_sittings_are_parted_by_invitation_and_touchpoint():
    rows = [
        ("a", "nps", 9, "2025-01-06", "2025-01-07", "relationship", "DE"),
        ("a", "intent", 4, "2025-01-06", "2025-01-08", "relationship", "DE"),
        ("a", "intent", 7, "2025-01-20", "2025-01-21", "relationship", "DE"),  # asked alone
        ("a", "nps", 8, "2025-04-07", "2025-04-09", "relationship", "DE"),
        ("a", "csat", 5, "2025-04-07", "2025-04-08", "delivery", "DE"),
        ("b", "nps", None, "2025-01-06", None, "relationship", "AT"),
        ("b", "ces", 2, "2025-01-01", "2025-01-01", "contact", "AT"),
    ]
    names = [
        "customer_id",
        "question",
        "score",
        "invited_at",
        "answered_at",
        "touchpoint",
        "country",
    ]
    long = pd.DataFrame(rows, columns=names)
    long[["invited_at", "answered_at"]] = long[["invited_at", "answered_at"]].apply(pd.to_datetime)
    wide = cx.answers_side_by_side(long)
    assert wide["nps"].tolist() == [9, 8]
    assert wide["intent"].iloc[0] == 4
    assert wide["intent"].isna().tolist() == [False, True]
    assert wide["csat"].isna().all()  # that one was about a delivery
    assert wide["country"].tolist() == ["DE", "DE"]
    assert wide["answered_at"].tolist() == [day("2025-01-07"), day("2025-04-09")]
    earlier = cx.answers_side_by_side(long, ["nps"], earlier_weeks={"intent": 12})
    assert earlier["intent"].isna().tolist() == [True, False]  # 2025-01-21 is 11 weeks back
    assert earlier["intent"].iloc[1] == 7
    assert (
        cx.answers_side_by_side(long, ["nps"], earlier_weeks={"intent": 11})["intent"].isna().all()
    )
    assert "pulse" not in cx.answers_side_by_side(long, ["nps", "pulse"])
    twice = pd.concat([long, long.iloc[:1].assign(score=2)])
    with pytest.warns(CxWarning, match="1 answer to 'nps' was"):
        assert cx.answers_side_by_side(twice)["nps"].tolist() == [8, 2]
    with pytest.raises(CxError, match="Nobody answered the question 'emotion'"):
        cx.answers_side_by_side(long, ["emotion"])
    with pytest.raises(CxError, match="column score is missing"):
        cx.answers_side_by_side(long.drop(columns="score"))


def brute_force(answer, orders, horizon, before):
    own = orders[orders["customer_id"] == answer.customer_id]
    days = (own["ordered_at"] - answer.answered_at).dt.days
    after = own[(days > 0) & (days <= 7 * horizon)]
    earlier = own[(days <= 0) & (days > -7 * before)]
    return len(earlier) > 0, len(after), after["amount"].sum(), earlier["ordered_at"].max()


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_follow_up_by_brute_force(zone):
    rng = np.random.default_rng(11)
    start = pd.Timestamp("2024-01-01")
    orders = pd.DataFrame(
        {
            "customer_id": rng.choice(list("abcdefgh"), 300),
            "ordered_at": start + pd.to_timedelta(rng.integers(0, 500, 300), "D"),
            "amount": rng.integers(1, 100, 300).astype(float),
        }
    )
    answers = pd.DataFrame(
        {
            "customer_id": rng.choice(list("abcdefghxy"), 200),
            "answered_at": start + pd.to_timedelta(rng.integers(0, 500, 200), "D"),
        }
    )
    answers.loc[0, "answered_at"] = pd.NaT
    last = orders["ordered_at"].max()
    wanted = {}
    for row in answers.dropna().itertuples():
        buying, count, spend, latest = brute_force(row, orders, 9, 5)
        if buying and row.answered_at + pd.Timedelta(weeks=9) <= last:
            wanted[row.Index] = (count, spend, (row.answered_at - latest).days / 7)
    zoned = orders.assign(ordered_at=orders["ordered_at"].dt.tz_localize(zone))
    found = cx.follow_up(answers.assign(row=answers.index), zoned, horizon_weeks=9, before_weeks=5)
    assert found["row"].tolist() == list(wanted)
    assert found[["orders", "spend", "recency_weeks"]].to_numpy() == pytest.approx(
        np.array(list(wanted.values()))
    )
    assert (found["quiet"] == (found["orders"] == 0)).all()
    counts = found.attrs["follow_up"]
    assert counts["answers"] == 200
    assert counts["undated"] == 1
    assert sum(counts[k] for k in ("undated", "too_late", "not_buying", "kept")) == 200


def test_an_ended_contract_counts_as_churn_within_the_horizon_only():
    orders = pd.DataFrame(
        {"customer_id": ["a", "a", "b", "b", "c"], "amount": 1.0}
        | {"ordered_at": pd.to_datetime(["2025-01-01", "2025-02-01"] * 2 + ["2025-12-01"])}
    )
    answers = pd.DataFrame({"customer_id": ["a", "b"], "answered_at": day("2025-01-10")})
    gone = pd.DataFrame(
        {"customer_id": ["a", "b"], "left_at": pd.to_datetime(["2025-02-10", "2025-11-01"])}
    )
    found = cx.follow_up(answers, orders, horizon_weeks=10, customers=gone)
    assert found["left"].tolist() == [True, False]
    assert found["churned"].tolist() == [True, False]
    assert not found["quiet"].any()


def test_follow_up_says_why_nobody_can_be_followed():
    orders = pd.DataFrame({"customer_id": [1], "ordered_at": [day("2025-01-01")], "amount": [1.0]})
    answers = pd.DataFrame({"customer_id": ["C1"], "answered_at": [day("2025-01-01")]})
    with pytest.raises(CxError, match="1 too late, 0 by customers"):
        cx.follow_up(answers, orders, horizon_weeks=4)
    with pytest.raises(CxError, match="above 0: 0"):
        cx.follow_up(answers, orders, horizon_weeks=0)
    with pytest.raises(CxError, match="column amount is missing"):
        cx.follow_up(answers, orders.drop(columns="amount"), horizon_weeks=4)


def crossed(n=900, seed=5):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"customer_id": rng.integers(0, n // 2, n)})
    frame["nps"] = rng.integers(0, 11, n)
    frame["intent"] = rng.integers(0, 11, n)
    frame["spend"] = rng.exponential(100, n) * (1 + (frame["intent"] >= 8))
    frame["quiet"] = rng.random(n) < 0.3
    return frame


def test_the_matrix_counts_every_pair_once():
    frame = crossed(4800)  # 80 customers in each cell, as amounts need
    matrix = cx.intent_matrix(frame, outcomes=["quiet", "spend"])
    said = pd.cut(frame["nps"], [-1, 6, 8, 10], labels=["detractor", "passive", "promoter"])
    meant = pd.cut(frame["intent"], [-1, 5, 7, 10], labels=["low", "middle", "high"])
    wanted = pd.crosstab(said, meant)
    for row in matrix.cells.itertuples():
        assert row.n == wanted.loc[row.recommendation, row.intention]
        at = (said == row.recommendation) & (meant == row.intention)
        assert row.quiet == pytest.approx(frame.loc[at, "quiet"].mean())
        assert row.spend == pytest.approx(frame.loc[at, "spend"].mean())
        assert row.spend_low < row.spend < row.spend_high
    assert matrix.cells["share"].sum() == pytest.approx(1)
    raw, drawn = matrix.cells["quiet"], matrix.cells["quiet_shrunken"]
    assert drawn.std() < 0.7 * raw.std()  # all cells are alike here
    effect = matrix.difference("spend", ("promoter", "high"), ("promoter", "low"))
    assert effect.low > 0
    assert effect.estimate == pytest.approx(
        matrix.cell("promoter", "high")["spend"] - matrix.cell("promoter", "low")["spend"]
    )


def test_a_weight_of_two_in_the_matrix_is_the_answer_twice():
    frame = crossed(4800)
    frame["weight"] = np.random.default_rng(2).integers(0, 4, len(frame))
    outcomes = ["quiet", "spend"]
    weighted = cx.intent_matrix(frame, outcomes=outcomes, weight_col="weight")
    twice = frame.loc[frame.index.repeat(frame["weight"])]
    repeated = cx.intent_matrix(twice, outcomes=outcomes)
    numbers = [c for c in repeated.cells if c.startswith(("quiet", "spend", "share"))]
    pd.testing.assert_frame_equal(weighted.cells[numbers], repeated.cells[numbers])
    equal = cx.intent_matrix(frame.assign(weight=3), outcomes=outcomes, weight_col="weight")
    plain = cx.intent_matrix(frame, outcomes=outcomes)
    pd.testing.assert_frame_equal(equal.cells, plain.cells)
    assert weighted.cells["n"].sum() == (frame["weight"] > 0).sum()
    pair = ("promoter", "high"), ("promoter", "low")
    for outcome in outcomes:
        one, other = (m.difference(outcome, *pair) for m in (weighted, repeated))
        assert (one.estimate, one.low, one.high) == pytest.approx(
            (other.estimate, other.low, other.high)
        )
    assert weighted.summary().split(":")[1] == repeated.summary().split(":")[1]
    with pytest.raises(CxError, match="negative"):
        cx.intent_matrix(frame.assign(weight=-1), weight_col="weight")


def test_small_cells_keep_their_outcomes_to_themselves():
    frame = crossed()
    rare = (frame["nps"] >= 9) & (frame["intent"] <= 5)
    frame = frame[~rare | (rare.cumsum() <= 4)]
    matrix = cx.intent_matrix(frame, outcomes=["quiet"])
    cell = matrix.cell("promoter", "low")
    assert cell["small"]
    assert np.isnan([cell["quiet"], cell["quiet_shrunken"]]).all()
    texts = [t.get_text() for t in matrix.plot("quiet").texts]
    assert texts.count("<5") == 1
    assert "too few to show" in matrix.summary()
    with pytest.raises(CxError, match="too few customers"):
        matrix.difference("quiet", ("promoter", "low"), ("promoter", "high"))


def test_the_difference_of_two_cells_holds_its_level():
    level, held, rng = 0.9, 0, np.random.default_rng(8)
    for _ in range(300):
        feeling = rng.normal(0, 1, 60)
        frame = pd.DataFrame({"customer_id": np.repeat(np.arange(60), 2), "nps": 10})
        frame["intent"] = np.where(rng.random(120) < 0.5, 2, 9)
        frame["spend"] = feeling[frame["customer_id"]] + rng.normal(0, 1, 120)
        matrix = cx.intent_matrix(frame, outcomes=["spend"], level=level)
        found = matrix.difference("spend", ("promoter", "high"), ("promoter", "low"))
        held += found.low <= 0 <= found.high
    # 99.9 % of such counts lie within 3.3 standard errors of the level
    assert held / 300 == pytest.approx(level, abs=3.3 * np.sqrt(level * (1 - level) / 300))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"low_until": 8}, "must part the scale"),
        ({"outcomes": ["gone"]}, "column gone is missing"),
        ({"intent_scale": (1, 5), "low_until": 2, "high_from": 4}, "whole numbers in 1-5"),
    ],
)
def test_the_matrix_refuses(change, wanted):
    with pytest.raises(CxError, match=wanted):
        cx.intent_matrix(crossed(), **change)
