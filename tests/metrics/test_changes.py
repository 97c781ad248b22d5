"""Changes by segment: what is news, how often it is false, and what it is worth."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

SHARES = np.array([0.2, 0.3, 0.5])
MOVED = np.array([0.45, 0.25, 0.3])


def survey(rng, moved=0, segments=24, n=60):
    """Segments of `n` answers; the first `moved` of them have fallen by 45 points."""
    scores = [rng.choice([3, 8, 10], n, p=MOVED if k < moved else SHARES) for k in range(segments)]
    names = np.repeat([f"s{k:02d}" for k in range(segments)], n)
    return pd.DataFrame({"score": np.concatenate(scores), "team": names})


@pytest.mark.parametrize("moved", [0, 8])
def test_of_the_news_at_most_one_in_twenty_is_false(moved):
    rng = np.random.default_rng(moved)
    false, missed, found = [], [], []
    for _ in range(25):
        table = cx.nps_changes(survey(rng), survey(rng, moved), by="team")
        real = table["team"].isin([f"s{k:02d}" for k in range(moved)])
        news = table["news"]
        false.append((news & ~real).sum() / max(news.sum(), 1))
        truth = np.where(real, -45.0, 0.0)
        missed.append(((table["news_low"] > truth) | (table["news_high"] < truth))[news].sum())
        found.append(news.sum())
    # 25 draws at an expected share of at most 5 %: mean plus three standard errors of it
    assert np.mean(false) <= 0.05 + 3 * np.std(false, ddof=1) / np.sqrt(25) * (np.mean(false) > 0)
    assert np.mean(false) < 0.12
    if moved:
        assert np.mean(found) > 5
        assert sum(missed) / sum(found) < 0.1
    else:
        # single intervals would have cried wolf in nearly every one of these draws
        single = cx.nps_changes(survey(rng), survey(rng), by="team", min_cell=1)
        assert (single["p_adjusted"] >= single["p"]).all()


def test_a_change_is_what_two_scores_and_their_difference_say():
    rng = np.random.default_rng(3)
    before, after = survey(rng, segments=3), survey(rng, 1, segments=3)
    table = cx.nps_changes(before, after, by=["team"]).set_index("team")
    own = [cx.nps(f.loc[f["team"] == "s00", "score"]) for f in (after, before)]
    found = cx.nps_difference(*own)
    assert table.loc["s00", ["change", "low", "high", "p"]].tolist() == pytest.approx(
        [found.estimate, found.low, found.high, found.p]
    )
    assert table.loc["s00", "news"]
    assert table.loc["s00", "news_low"] <= table.loc["s00", "low"]


def test_repeated_customers_and_weights_make_a_change_less_sure():
    rng = np.random.default_rng(4)
    before, after = (survey(rng, segments=4).assign(who=range(240), w=1.0) for _ in range(2))
    plain = cx.nps_changes(before, after, by="team")
    thrice = [pd.concat([f] * 3) for f in (before, after)]
    honest = cx.nps_changes(*thrice, by="team", cluster_col="who")
    naive = cx.nps_changes(*thrice, by="team")
    weighted = cx.nps_changes(before, after.assign(w=rng.gamma(1, 1, 240)), by="team",
                              weight_col="w")  # fmt: skip
    tables = {"plain": plain, "honest": honest, "naive": naive, "weighted": weighted}
    width = {name: (t["high"] - t["low"]).mean() for name, t in tables.items()}
    assert width["honest"] == pytest.approx(width["plain"], rel=0.05)
    assert width["naive"] < 0.65 * width["plain"]
    assert width["weighted"] > 1.05 * width["plain"]


def test_bad_input_is_named():
    good = survey(np.random.default_rng(1), segments=2, n=4)
    with pytest.raises(cx.CxError, match="column 'land' is missing"):
        cx.nps_changes(good, good, by="land")
    with pytest.raises(cx.CxError, match="No segment of team has answers before and after"):
        cx.nps_changes(good, good.assign(team="other"), by="team")
    with (
        pytest.warns(cx.CxWarning, match="2 of 2 segments are not shown"),
        pytest.raises(cx.CxError, match="None of 2 segments has 5 answers before and after"),
    ):
        cx.nps_changes(good, good, by="team")
