"""Notebook 01 by the real runner: the company, the airport's counts, any file, and bad files."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "01_nps_pitfalls.ipynb"
JOBS = {"company": "customers = 1500", "airport": 'sample = "airport"'}
GERMAN = {
    "anonymous": True,
    "reading": {"questions": {"nps": "NETPRO"}},
    "columns": {"invited_at": "gesendet"},
    "roles": {"segment": "Land"},
    "known": ["Land"],
}
BAD = {
    "impossible": ["11 in line", "-1 in line", "99 in line", '"neun" (in line 9)', "missing="],
    "one_to_ten": ["answers are 1 and none is 0", 'scale="0-10"', 'scale="1-10"'],
    "percent": ["scores must lie in 0-10", "in line", "per cent"],
    "blank": ["no answer", "scores are missing"],
}


def write_files(folder):
    rng = np.random.default_rng(3)
    shares = np.array([2, 1, 1, 2, 2, 8, 8, 15, 25, 16, 20]) / 100
    score = pd.Series(rng.choice(11, 400, p=shares)).astype(str).where(rng.random(400) > 0.3, "")
    days = pd.date_range("2025-01-01", periods=400).strftime("%d.%m.%Y")
    good = pd.DataFrame({"NETPRO": score, "gesendet": days, "Land": rng.choice(["DE", "AT"], 400)})
    good["weg"] = rng.integers(0, 2, 400)
    number = pd.to_numeric(score)
    files = {
        "file": good.sample(frac=1, random_state=1),  # dates in any order
        "single": good.iloc[:1].assign(NETPRO="9"),
        "blank": good.iloc[:200].assign(NETPRO=""),
        "percent": good.assign(
            NETPRO=(10 * number).astype("Int64").astype(str).replace("<NA>", "")
        ),
        "one_to_ten": good.assign(
            NETPRO=number.clip(lower=1).astype("Int64").astype(str).replace("<NA>", "")
        ),
        "no_promoters": good.assign(NETPRO=score.where(~number.ge(9), "")),
    }
    keen = number >= 9  # the land of promoters weighs most: land by land the count says otherwise
    land, weight = np.where(keen, "DE", "AT"), np.where(keen, "30", "1")
    files["weighted"] = good.assign(weight=weight, Land=land)
    files["silent_end"] = good.assign(NETPRO=score.where(good.index < 181, ""))
    wrong = good.copy()
    wrong.loc[[3, 5, 6, 7], "NETPRO"] = ["11", "-1", "99", "neun"]
    files["impossible"] = wrong
    for name, frame in files.items():
        frame.to_csv(folder / f"{name}.csv", sep=";", index=False)


@pytest.fixture
def run_file(tmp_path, run_cells):
    """Runs the cells on one of the files; what they say, their names, the verdicts."""
    write_files(tmp_path)

    def run(name, **given):
        own = {"responses": str(tmp_path / f"{name}.csv")} | GERMAN | given
        told, names = run_cells(NOTEBOOK, own)
        verdicts = pd.read_csv(tmp_path / "tables" / "nps_verdicts.csv")
        return told, names, verdicts.set_index("pitfall")

    return run


@pytest.fixture(scope="module")
def home(tmp_path_factory, run_jobs):
    home = tmp_path_factory.mktemp("shelf")
    return run_jobs(home, {name: (NOTEBOOK, given) for name, given in JOBS.items()})


def report(home, job):
    page = (home / "out" / job / "report.html").read_text("utf-8")
    assert "Traceback" not in page
    assert len(re.sub(r'src="data:[^"]*"', "", page)) < 400_000  # beside its pictures
    manifest = json.loads((home / "out" / job / "manifest.json").read_text("utf-8"))
    verdicts = pd.read_csv(home / "out" / job / "tables" / "nps_verdicts.csv")
    return page, manifest["values"], verdicts.set_index("pitfall")


def test_the_company(home):
    page, values, verdicts = report(home, "company")
    world = cx.World(seed=7, customers=1500)
    asked = world.responses.query("question == 'nps'")
    quarter = asked[asked["invited_at"].dt.to_period("Q").astype(str) == "2024Q4"]
    found = cx.nps(quarter["score"], cluster=quarter["customer_id"].astype(str))
    assert values["nps"]["value"] == pytest.approx(found.estimate)
    assert (values["nps"]["low"], values["nps"]["high"]) == pytest.approx((found.low, found.high))
    assert len(verdicts) == 10
    assert values["pitfalls_that_matter"]["value"] == (verdicts["verdict"] == "matters here").sum()
    assert values["promoters_left"]["low"] < values["promoters_left"]["value"] < 1
    truth = pd.DataFrame([world.truth.nonresponse_bias(w) for w in range(39, 52)]).mean()
    for text in ("that is the delta", f"{truth['nps_invited']:.1f}", "goodbyes", "price rise"):
        assert text in page, text


def test_the_airport_reproduces_the_reference_and_steps_aside(home):
    page, values, verdicts = report(home, "airport")
    change = values["nps_change"]
    # 2018 minus 2017: -8.86 [-12.71, -5.01], recomputed from the public file
    assert (change["value"], change["low"], change["high"]) == pytest.approx(
        (-8.86, -12.71, -5.01), abs=0.006
    )
    assert verdicts.loc["sampling error", "verdict"] == "harmless here"
    assert verdicts.loc["prediction", "rests_on"] == "no column for: churn"
    shown = re.sub(r"<details.*?</details>", "", page, flags=re.S)  # without the code
    assert shown.count("This section steps aside") >= 3
    for text in ("24.9 points", "16.1 to 33.9"):  # exercise 4
        assert text in page, text


def test_any_file_with_a_column_map(tmp_path, run_file):
    _, names, verdicts = run_file("file")
    frame = pd.read_csv(tmp_path / "file.csv", sep=";")
    last = (
        pd.to_datetime(frame["gesendet"], dayfirst=True).dt.to_period("Q").astype(str) == "2026Q1"
    )
    assert names["score"].estimate == pytest.approx(cx.nps(frame.loc[last, "NETPRO"]).estimate)
    assert "Land" in verdicts.loc["mix shift", "rests_on"]
    assert "weights by Land" in verdicts.loc["non-response", "rests_on"]


def test_a_scale_that_was_asked_about_is_used_with_a_note(run_file):
    told, *_ = run_file("one_to_ten", scale="1-10")
    assert "Answers on 1-10 are used as they are" in told


def test_a_single_answer_has_a_wide_interval(run_file):
    _, names, _ = run_file("single")
    assert names["score"].estimate == 100
    assert names["score"].low < 0


def test_weights_of_the_file_count(run_file):
    told, names, _ = run_file("weighted")
    rows = names["now"]
    assert names["score"].estimate == pytest.approx(
        cx.nps(rows["score"], weights=rows["weight"]).estimate
    )
    assert abs(names["score"].estimate - cx.nps(rows["score"]).estimate) > 5
    by_period = names["trend"].periods.set_index("period")["estimate"]
    assert by_period[names["agenda"]] == pytest.approx(names["score"].estimate)
    assert "Each answer counts by its weight" in told


def test_a_period_without_answers_names_those_that_have_some(run_file):
    with pytest.raises(
        cx.CxError, match=r"Nobody answered in 2026Q1. .* answers in 2025Q1, 2025Q2"
    ):
        run_file("silent_end")


def test_no_promoter_to_follow_is_said(run_file):
    told, names, _ = run_file("no_promoters", roles={"churn": "weg"})
    assert names["score"].promoters == 0
    assert "No promoter can be followed, so claim N1 is not testable" in told


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named(run_file, name):
    with pytest.raises(cx.CxError) as error:
        run_file(name)
    for wanted in BAD[name]:
        assert wanted in str(error.value), str(error.value)


def test_roles_without_their_columns_are_all_named(run_file):
    with pytest.raises(cx.CxError, match="lack: team: Filiale, churn: weggegangen"):
        run_file("file", roles={"team": "Filiale", "segment": "Land", "churn": "weggegangen"})


def test_the_solutions_say_what_the_exercises_ask(home):
    page, *_ = report(home, "airport")
    assert cx.stats.net_score(90, 50, 200, method="wald").summary() in page
    # by hand: 20 +- 1.96 x 5.74
    solved = cx.stats.net_score(90, 50, 200, method="wald")
    assert (solved.low, solved.high) == pytest.approx((8.8, 31.2), abs=0.07)
    assert cx.nps_sample_size(difference=4, response_rate=0.2).summary() in page


def test_weights_that_do_not_settle_step_aside(run_cells):
    small = {"seed": 5, "customers": 600, "freq": "M", "agenda": "2024-06"}
    told, names = run_cells(NOTEBOOK, small)
    assert "The weighting steps aside: Raking did not settle" in told
    assert "weighting made it" not in told
    assert names["fair"] is None
