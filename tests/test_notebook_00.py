"""Notebook 00 by the real runner, made small: its key numbers, other companies, bad parameters."""

import json
import re
from pathlib import Path

import pytest

import cxlib as cx
from cxlib import stats

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "00_the_company.ipynb"
SMALL = {"customers": 800, "weeks": 60, "surveys": 400}
JOBS = {
    "small": SMALL,
    "other": {"seed": 99, "customers": 40, "weeks": 15, "survey_week": 10, "level": 0.8}
    | {"sample_size": 10, "surveys": 50},
    "too_late": SMALL | {"survey_week": 60},
    "too_many": SMALL | {"sample_size": 5000},
    "percent": SMALL | {"level": 95.0},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory, run_jobs):
    home = tmp_path_factory.mktemp("shelf")
    jobs = {
        name: (NOTEBOOK, ", ".join(f"{key} = {value}" for key, value in given.items()))
        for name, given in JOBS.items()
    }
    return run_jobs(home, jobs, processes=2, code=1)


def test_the_key_numbers_of_the_report(home):
    manifest = json.loads((home / "out" / "small" / "manifest.json").read_text("utf-8"))
    coverage, bias = (manifest["values"][name] for name in ("coverage", "survey_bias"))
    truth = cx.World(seed=7, customers=800, weeks=60).truth
    assert bias["value"] == pytest.approx(truth.nonresponse_bias(50)["bias"], abs=1e-9)
    assert bias["n"] == len(truth.answers(50))
    # 400 surveys of 300: the 99.9 % interval of the coverage reaches the 95 % that were promised
    assert (coverage["n"], coverage["level"], coverage["target"]) == (400, 0.999, 0.95)
    assert coverage["low"] < 0.95 < coverage["high"]
    page = (home / "out" / "small" / "report.html").read_text("utf-8")
    for text in (f"{truth.nps(50):.1f}", "price rise", "resamples of the one survey", "<math"):
        assert text in page, text
    assert "Traceback" not in page
    assert "Warning" not in page
    assert len(re.sub(r'src="data:[^"]*"', "", page)) < 400_000  # beside its pictures


def test_the_solution_of_the_first_exercise(home):
    solved = stats.net_score(50, 20, 100, method="wald")
    page = (home / "out" / "small" / "report.html").read_text("utf-8")
    assert solved.summary() in page
    # as the exercise has it by hand: 30 +- 1.96 x 7.81
    assert (solved.low, solved.high) == pytest.approx((14.7, 45.3), abs=0.05)


def test_a_tiny_company_at_another_level_keeps_its_prose_true(home):
    page = (home / "out" / "other" / "report.html").read_text("utf-8")
    for text in ("50 surveys of 10 answers, 80 % intervals", "80 % were promised"):
        assert text in page, text
    manifest = json.loads((home / "out" / "other" / "manifest.json").read_text("utf-8"))
    assert manifest["values"]["coverage"]["target"] == 0.8


@pytest.mark.parametrize(
    ("job", "wanted"),
    [
        ("too_late", ["survey_week must lie in 0 to 59", "found 60", "more weeks"]),
        ("too_many", ["sample_size must lie in 10 to", "customers of week 50", "found 5,000"]),
        ("percent", ["level must lie strictly between 0 and 1", "Did you mean 0.95?"]),
    ],
)
def test_bad_parameters_are_named(home, job, wanted):
    error = json.loads((home / "out" / "failed" / job / "manifest.json").read_text("utf-8"))
    for text in wanted:
        assert text in error["error"]["message"]


def test_it_takes_half_an_hour_and_lets_the_reader_guess():
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert "30 minutes" in prose[:400]
    for title in ("Words we will use", "Assumptions, checked", "How the truth will be used"):
        assert f"\n## {title}" in prose
    assert prose.count("Guess") >= 2
