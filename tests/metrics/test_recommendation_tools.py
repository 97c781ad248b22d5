"""Reweighting, range of the silent, trend, sample size and working table: truth and bad input."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.stats.changepoints import change_points


def invitations(seed=1, n=3000):
    """Large accounts like us less and answer less; the truth is known of everybody."""
    rng = np.random.default_rng(seed)
    large = rng.random(n) < 0.5
    would = np.clip(np.round(rng.normal(np.where(large, 6.5, 8.5), 2)), 0, 10)
    answers = rng.random(n) < np.where(large, 0.1, 0.4)
    frame = pd.DataFrame({"size": np.where(large, "large", "small"), "would": would})
    return frame.assign(score=frame["would"].where(answers))


def test_reweighting_repairs_what_the_columns_explain():
    asked = invitations()
    truth = cx.nps(asked["would"]).estimate
    naive, fair = cx.nps(asked["score"]), cx.nps_reweighted(asked, by="size")
    assert naive.low > truth
    assert fair.low < truth < fair.high
    by_hand = asked.dropna().groupby("size")["score"].agg(lambda s: cx.nps(s).estimate)
    shares = asked["size"].value_counts(normalize=True)
    assert fair.estimate == pytest.approx((by_hand * shares).sum())


def test_a_census_has_no_sampling_error_and_few_answers_are_pooled():
    asked = invitations(n=200)
    everyone = cx.nps_reweighted(asked.assign(score=asked["would"]), by="size")
    assert everyone.low == everyone.estimate == everyone.high
    rare = asked.assign(size=np.where(np.arange(200) < 3, "giant", asked["size"]))
    assert cx.nps_reweighted(rare, by="size").n == asked["score"].notna().sum()


def test_design_weights_count_in_the_population_and_are_where_raking_starts():
    asked = invitations().assign(design=1.0)
    chance = np.where(asked["would"] >= 9, 0.3, 1.0)  # promoters were invited more rarely
    kept = np.random.default_rng(3).random(len(asked)) < chance
    some = asked.assign(design=1 / chance)[kept]
    truth = cx.nps(asked["would"]).estimate
    assert cx.nps_reweighted(some, by="size").high < truth
    fair = cx.nps_reweighted(some, by="size", weight_col="design")
    assert fair.low < truth < fair.high
    even = cx.nps_reweighted(asked, by="size", weight_col="design")
    plain = cx.nps_reweighted(asked, by="size")
    assert even.estimate == pytest.approx(plain.estimate)
    assert even.low < plain.low  # no finite-population correction
    rows = [
        cx.nps_checkup(some, known=["size"], weight_col=w).set_index("pitfall").loc["non-response"]
        for w in (None, "design")
    ]
    assert rows[1]["number"] != pytest.approx(rows[0]["number"], abs=0.5)
    holed = some.assign(design=some["design"].where(np.arange(len(some)) > 1))
    with pytest.raises(cx.CxError, match=r"2 of .* weights are missing"):
        cx.nps_reweighted(holed, by="size", weight_col="design")


def test_the_range_of_the_silent():
    asked = invitations()
    fair = cx.nps_reweighted(asked, by="size")
    found = cx.nps_nonresponse(fair, len(asked), deltas=[-20, 0], reference=0)
    rate = fair.n / len(asked)
    assert found.by_delta["estimate"].tolist() == pytest.approx(
        [fair.estimate - 20 * (1 - rate), fair.estimate]
    )
    assert fair.estimate + (1 - rate) * found.tipping == pytest.approx(0)
    truth = cx.nps(asked["would"]).estimate
    assert found.bound_low < truth < found.bound_high
    assert found.bound_high - found.bound_low > 200 * (1 - rate)
    with pytest.raises(cx.CxError, match="is asked the total"):
        cx.nps_nonresponse(fair, 10)


def dated(levels, n=150, seed=4):
    rng = np.random.default_rng(seed)
    months = pd.date_range("2024-01-15", periods=len(levels), freq="MS")
    parts = [
        pd.DataFrame({"score": rng.choice([10, 8, 3], n, p=[p, 0.3, 0.7 - p]), "invited_at": day})
        for p, day in zip(levels, months, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def test_the_trend_finds_a_fall_and_nothing_where_nothing_is():
    fallen = cx.nps_trend(dated([0.5] * 6 + [0.3] * 6), freq="M")
    assert fallen.changes["period"].tolist() == ["2024-08"]
    flat = cx.nps_trend(dated([0.5] * 12), freq="M")
    assert flat.changes.empty
    assert not flat.periods["signal"].any()
    assert "No change of level" in flat.summary()
    weighted = cx.nps_trend(dated([0.5] * 12).assign(w=2.0), freq="M", weight_col="w")
    assert weighted.periods["estimate"].tolist() == pytest.approx(flat.periods["estimate"].tolist())


def test_the_order_of_dates_does_not_matter_and_periods_are_disjoint():
    table = dated([0.5, 0.4, 0.3])
    first = cx.nps_trend(table, freq="M").periods
    again = cx.nps_trend(table.sample(frac=1, random_state=1), freq="M").periods
    pd.testing.assert_frame_equal(first, again)
    assert first["n"].sum() == len(table)
    by_edges = cx.nps_trend(table, edges=["2024-02-01", "2024-03-15", "2024-05-01"]).periods
    assert by_edges["n"].sum() == len(table)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"edges": ["2024-03-01", "2024-01-01"]}, "out of order: 2024-01-01 follows 2024-03-01"),
        ({"edges": ["2024-03-01"]}, "two or more dates"),
        ({"date_col": "sent"}, "column 'sent' is missing"),
        ({"freq": "fortnight"}, "freq must be"),
        ({"weight_col": "zero"}, "weights: all are zero"),
    ],
)
def test_a_trend_names_what_is_wrong(options, wanted):
    with pytest.raises(cx.CxError, match=wanted):
        cx.nps_trend(dated([0.5, 0.4]).assign(zero=0), **options)


def test_dates_that_are_none_are_named_with_their_row():
    table = dated([0.5, 0.4]).astype({"invited_at": object})
    table.loc[2, "invited_at"] = "31.02.2024"
    with pytest.raises(cx.CxError, match=r"first in row 3\): '31.02.2024'"):
        cx.nps_trend(table)


def test_change_points_hold_their_promise():
    rng = np.random.default_rng(0)
    errors = np.full(10, 4.0)
    false = sum(
        bool(change_points(rng.normal(20, errors), errors, draws=500, seed=i)) for i in range(400)
    )
    assert false < 0.05 * 400 + 3.1 * np.sqrt(400 * 0.05 * 0.95)  # .999 quantile of luck


def test_sample_sizes():
    # reference sheet: variance .6
    assert [cx.nps_sample_size(h).answers for h in (10, 5)] == [231, 922]
    assert [cx.nps_sample_size(difference=d).answers for d in (10, 5)] == [942, 3768]
    weighted = cx.nps([9] * 50 + [3] * 50, weights=[1, 4] * 50)
    plain = cx.nps([9] * 50 + [3] * 50)
    assert cx.nps_sample_size(5, like=weighted).design_effect > 1
    assert cx.nps_sample_size(5, like=plain).variance == pytest.approx(1.0)
    for alike in ([9] * 20, [7] * 20, [0]):
        assert cx.nps_sample_size(5, like=cx.nps(alike)).answers == 922
    with pytest.raises(cx.CxError) as error:
        cx.nps_sample_size(5, response_rate=20, design_effect=-1)
    assert "Is it in per cent?" in str(error.value)
    assert "design_effect is -1" in str(error.value)


def test_the_working_table_looks_back_and_ahead_without_mixing_them():
    answers = pd.DataFrame(
        {
            "customer_id": ["a", "b", "a"],
            "question": "nps",
            "score": [9, 3, None],
            "invited_at": pd.to_datetime(["2025-02-01", "2025-02-01", "2025-05-01"]),
            "answered_at": pd.to_datetime(["2025-02-02", "2025-02-03", None]),
        }
    )
    contacts = pd.DataFrame(
        {
            "contact_id": ["k1", "k2"],
            "customer_id": ["a", "b"],
            "opened_at": pd.to_datetime(["2025-01-10", "2025-02-20"]),
            "failure": [True, True],
            "agent": ["x", "y"],
        }
    )
    days = ["2025-01-05", "2025-01-06", "2025-03-01", "2025-12-01"]
    orders = pd.DataFrame(
        {"customer_id": list("abab"), "ordered_at": pd.to_datetime(days), "amount": 10.0}
    )
    found = cx.nps_sittings(answers, contacts=contacts, transactions=orders, horizon_weeks=8)
    assert found["problem"].tolist() == ["yes", "no", "yes"]  # b's failure came after the question
    assert found["churned"].iloc[:2].tolist() == [0.0, 1.0]
    assert found["churned"].isna().iloc[2]  # asked and silent: nothing to hold an answer against
    early = answers.assign(answered_at=answers["invited_at"] - pd.Timedelta(days=1))
    with pytest.raises(cx.CxError, match=r"3 of 3 answers came before .*row 1"):
        cx.nps_sittings(early)
    with pytest.raises(cx.CxError, match="There is no question nps among: csat"):
        cx.nps_sittings(answers.assign(question="csat"))


def test_the_checkup_has_ten_rows_whatever_is_missing_and_collects_what_is_wrong():
    table = dated([0.5] * 8).assign(team=list(range(40)) * 30)
    rows = cx.nps_checkup(
        table.assign(period=table["invited_at"].dt.month),
        columns={"period": "period", "team": "team"},
    )
    assert len(rows) == 10
    known = rows.set_index("pitfall")["verdict"]
    assert known["ranking small teams"] == "matters here"  # the teams are labels without meaning
    assert known["prediction"] == "cannot tell with these data"
    with pytest.raises(cx.CxError) as error:
        cx.nps_checkup(table, columns={"tribe": "team", "team": "agent"})
    assert "there is no role 'tribe'" in str(error.value)
    assert "team: column 'agent' is missing" in str(error.value)


def test_rules_of_the_checkup_see_what_was_built_in():
    rng = np.random.default_rng(5)
    n = 2400
    team = rng.integers(0, 12, n)
    score = np.clip(np.round(rng.normal(5 + 0.5 * team, 1.5)), 0, 10)
    left = rng.random(n) < np.where(score <= 6, 0.5, 0.05)
    table = pd.DataFrame({"score": score, "team": team, "left": left.astype(float)})
    known = cx.nps_checkup(table, columns={"team": "team", "churn": "left"}).set_index("pitfall")
    assert known.loc["ranking small teams", "verdict"] == "harmless here"
    assert known.loc["ranking small teams", "low"] > 0.9
    assert known.loc["intention is not behaviour", "verdict"] == "harmless here"
    assert known.loc["intention is not behaviour", "high"] < 0.25


def test_the_checkup_weighs_whom_the_weights_count_more():
    rng = np.random.default_rng(9)
    n = 1200
    team = rng.integers(0, 8, n)
    score = np.clip(np.round(rng.normal(6 + 0.3 * team, 1.5)), 0, 10)
    left = (rng.random(n) < np.where(score <= 6, 0.4, 0.1)).astype(float)
    table = pd.DataFrame({"score": score, "team": team, "left": left, "half": team // 4})
    columns = {"team": "team", "churn": "left", "split": "half"}
    names = ["lost information", "intention is not behaviour", "ranking small teams"]

    def found(**given):
        rows = cx.nps_checkup(table, columns=columns, **given).set_index("pitfall")
        return rows.loc[names, "number"].to_numpy(dtype=float)

    plain = found()
    table["weight"] = 2.5
    assert found(weight_col="weight") == pytest.approx(plain, rel=2e-3)
    table["weight"] = np.where(left > 0, 3.0, 1.0) * np.where(score >= 9, 5.0, 1.0)
    assert (np.abs(found(weight_col="weight") - plain) > 1e-4).all()


def test_leaving_told_in_words_is_named_before_anything_is_judged():
    table = pd.DataFrame({"score": [9, 9, 3, 5] * 20, "left": ["ja", "nein", "ja", None] * 20})
    with pytest.raises(cx.CxError, match=r"'left' holds text: 'ja', 'nein'"):
        cx.nps_checkup(table, columns={"churn": "left"})
    asked = table.assign(customer_id=range(80), nps=table["score"], intent=[9, 3, 6, 1] * 20)
    with pytest.raises(cx.CxError, match=r"'left' holds text: 'ja', 'nein'"):
        cx.intent_matrix(asked, outcomes=["left"])


def test_named_periods_follow_the_order_of_their_categories():
    weeks = ["week 9", "week 10"]
    answers = pd.DataFrame({"score": [9, 3] * 30 + [9] * 60, "week": np.repeat(weeks, 60)})
    ordered = answers.assign(week=pd.Categorical(answers["week"], weeks, ordered=True))
    trend = cx.nps_trend(ordered, period_col="week")
    assert trend.periods["period"].tolist() == weeks
    assert trend.last.estimate == pytest.approx(100)
    by_text = cx.nps_trend(answers, period_col="week")
    assert by_text.periods["period"].tolist() == weeks[::-1]
    gap = ordered.assign(week=ordered["week"].where(ordered.index > 0))
    with pytest.warns(cx.CxWarning, match="1 answers have no period"):
        assert cx.nps_trend(gap, period_col="week").periods["n"].tolist() == [59, 60]
