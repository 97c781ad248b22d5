"""The airport survey that ships, against the numbers recomputed from the public file."""

import numpy as np
import pytest

import cxlib as cx

# Reference: counted from the public file (DataSF), intervals recomputed with scipy.
TABLES = cx.read_counts(cx.data_path("airport_survey_counts.csv"))


def score(year, question="all", answer=None):
    table = TABLES[question]
    rows = table["period"] == year
    return cx.nps(
        table.loc[rows if answer is None else rows & (table[question] == answer), "score"]
    )


def test_the_score_of_2017():
    found = score("2017")
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (39.84, 37.19, 42.42), abs=0.005
    )


def test_the_problem_split():
    found = cx.nps_difference(score("2017", "problem", "no"), score("2017", "problem", "yes"))
    # MOVER of score limits; SE and z are those of the Wald difference
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (24.88, 16.10, 33.92), abs=0.005
    )
    assert (found.standard_error, found.z) == pytest.approx((4.554, 5.46), abs=0.005)


def test_the_change_to_2018():
    found = cx.nps_difference(score("2018"), score("2017"), method="wald")
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (-8.86, -12.71, -5.01), abs=0.005
    )
    assert found.standard_error == pytest.approx(1.965, abs=0.0005)
    trend = cx.nps_trend(TABLES["all"], period_col="period")
    assert trend.last.estimate == pytest.approx(-8.86, abs=0.005)
    assert trend.changes.empty  # two periods support no change point


def test_the_mean_uses_more_of_the_answers_than_the_score():
    table = TABLES["problem"].query("period == '2017'")
    no, yes = (
        np.bincount(table.loc[table["problem"] == answer, "score"], minlength=11)
        for answer in ("no", "yes")
    )
    found = cx.information_kept(no, yes).set_index("statistic")["z"]
    # |z| of the problem split: mean 5.95, NPS 5.46, top-2 box 4.81
    assert found.to_dict() == pytest.approx(
        {"mean": 5.95, "NPS": 5.46, "top-2 box": 4.81}, abs=0.006
    )


def test_languages_and_their_mix():
    table = TABLES["language"]
    years = [table[table["period"] == year] for year in ("2017", "2018")]
    split = cx.nps_decompose(*years, by="language")
    assert split.within + split.mix + split.interaction == pytest.approx(split.total, abs=1e-12)
    own = [cx.nps(year["score"]).estimate for year in years]
    assert split.total == pytest.approx(own[1] - own[0], abs=1e-10)
    assert len(split.segments) == 4
    for row in split.segments.itertuples():
        assert row.nps_before == pytest.approx(score("2017", "language", row.segment).estimate)


def test_bad_counts_are_named(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("year,question,answer,recommend,n\n2017,all,all,11,3\n2017,all,all,4,-2\n")
    with pytest.raises(cx.CxError) as error:
        cx.read_counts(path)
    assert "recommend: 1 of 2 cells are impossible (first in line 2)" in str(error.value)
    assert "n: 1 of 2 cells are impossible (first in line 3)" in str(error.value)
    path.write_text("year,recommend\n2017,3\n")
    with pytest.raises(cx.CxError, match="lacks the columns question, answer, n"):
        cx.read_counts(path)
