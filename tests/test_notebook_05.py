"""Notebook 05 by the real runner: the company, files; and what stands aside, cell by cell."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "05_recommend_or_rebuy.ipynb"
CELLS = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
TEXT = ["".join(cell["source"]) for cell in CELLS]
FILES = (
    'responses = "said.csv", transactions = "bought.csv", intent_scale = [1, 5], '
    'columns = { customer_id = "Kunde", answered_at = "am" }, '
    'reading = { questions = { nps = "Q1", intent = "Q2" }, scale = { intent = [1, 5] } }, '
    'transaction_columns = { customer_id = "Kunde", ordered_at = "Tag", amount = "Betrag" }'
)
JOBS = {"company": "customers = 1000, seed = 5", "files": FILES}


def write_files(folder, customers=700):
    rng = np.random.default_rng(4)
    who = [f"Meier {i}" for i in range(customers)]
    feeling = rng.normal(size=customers)
    said = pd.DataFrame({"Kunde": who, "am": "01.06.2025"})
    said["Q1"] = np.clip(np.round(8 + 2 * feeling + rng.normal(size=customers)), 0, 10).astype(int)
    said["Q2"] = np.clip(np.round(3.5 + feeling + rng.normal(size=customers)), 1, 5).astype(int)
    days = pd.date_range("2024-12-01", "2025-12-31")
    rate = np.exp(0.5 * feeling - 3.5)
    rows = [
        (name, f"{day:%d.%m.%Y}", f"{20 + 90 * rng.random():.2f}".replace(".", ","))
        for name, often in zip(who, rate, strict=True)
        for day in days[rng.random(len(days)) < often]
    ]
    bought = pd.DataFrame(rows, columns=["Kunde", "Tag", "Betrag"])
    for name, frame in {"said": said, "bought": bought}.items():
        frame.to_csv(folder / f"{name}.csv", sep=";", index=False)
    return said


@pytest.fixture(scope="module")
def home(tmp_path_factory, run_jobs):
    home = tmp_path_factory.mktemp("shelf")
    write_files(home)
    return run_jobs(home, {name: (NOTEBOOK, given) for name, given in JOBS.items()})


def report(home, job):
    page = (home / "out" / job / "report.html").read_text("utf-8")
    assert "Traceback" not in page
    manifest = json.loads((home / "out" / job / "manifest.json").read_text("utf-8"))
    return page, manifest["values"]


def test_the_company(home):
    page, values = report(home, "company")
    world = cx.World(seed=5, customers=1000)
    tried = cx.offer_trial(world.events, world.transactions, responses=world.responses)
    assert values["offer_effect"]["value"] == pytest.approx(tried.effects.second_average.estimate)
    assert tried.summary().split(";")[0] in page
    sure = world.truth.offer_trial()
    assert f"{100 * sure['sure'].mean() / sure['offer'].mean():.0f} were sure" in page
    for text in (
        "still here",
        "not testable",
        "customers whose prices did not rise",
        "Gone before",
    ):
        assert text in page, text
    watch = pd.read_csv(home / "out" / "company" / "tables" / "watch_list.csv")
    assert len(watch) == values["quiet_fans"]["value"]
    assert watch["customer_id"].isin(world.customers["customer_id"].astype(str)).all()
    assert page.count("steps aside:") == 1  # in the code of a cell; no section says it


def test_the_solutions_say_what_the_exercises_ask(home):
    page, _ = report(home, "company")
    for text in (
        "1: The effect of the offer is +6.0 points",
        "14,700 customers an arm",
        "3: Stated",
    ):
        assert text in page, text


def test_files_of_ones_own_step_aside_where_columns_are_missing(home):
    page, values = report(home, "files")
    said = pd.read_csv(home / "said.csv", sep=";")
    wanted = ((said["Q1"] >= 9) & (said["Q2"] <= 3)).sum()
    assert values["quiet_fans"]["value"] == wanted
    watch = pd.read_csv(home / "out" / "files" / "tables" / "watch_list.csv")
    assert watch["customer_id"].str.startswith("c_").all()  # nobody's name leaves the house
    assert "Meier" not in page
    assert values["high_intention_bought_more"]["low"] > 0
    for text in (
        "The trial steps aside: A trial of offers needs events",
        "The price rise steps aside",
        "Your own customers come without a truth",
        "low: up to 3, high: from 4",
    ):
        assert text in page, text


def test_a_short_scale_is_asked_about(tmp_path, run_cells):
    write_files(tmp_path)
    own = {
        "responses": str(tmp_path / "said.csv"),
        "transactions": str(tmp_path / "bought.csv"),
        "columns": {"customer_id": "Kunde", "answered_at": "am"},
        "reading": {"questions": {"nps": "Q1", "intent": "Q2"}, "scale": {"intent": [1, 5]}},
        "transaction_columns": {"customer_id": "Kunde", "ordered_at": "Tag", "amount": "Betrag"},
    }
    with pytest.raises(cx.CxError, match=r"Was the scale 1-5\? Pass intent_scale=\(1, 5\)"):
        run_cells(NOTEBOOK, own)


CASES = {
    "no_shared_sittings": ["The matrix steps aside", "The contest steps aside"],
    "equal_intentions": ["intentions that differ", "What they cost steps aside"],
    "one_customer": ["Fewer than 5 promoters", "Calibration steps aside", "The contest steps"],
    "words_only": ["file of transactions is missing", "12 % recommend|recommend what they"],
    "no_dates": ["No dates: pass answered_at", "column answered_at is missing"],
    "rise_outside": ["The price rise steps aside: The price rise of 2031"],
    "arm_missing": ["has no customer in the arms: both"],
}


def given(case, folder):
    said = write_files(folder, 1 if case == "one_customer" else 250)
    said = said.rename(columns={"Kunde": "customer_id", "am": "answered_at"})
    said["Q2"] = 2 * said["Q2"]
    if case == "no_shared_sittings":
        said["Q2"] = np.nan
    if case == "equal_intentions":
        said["Q2"] = 8
    if case == "no_dates":
        said = said.drop(columns="answered_at")
    said.to_csv(folder / "own.csv", index=False)
    arms = pd.DataFrame({"customer_id": said["customer_id"], "at": "2025-07-01", "kind": "arm"})
    arms["value"] = [
        f"offer trial: {('neither', 'asked', 'offer')[i % 3]}" for i in range(len(said))
    ]
    arms.to_csv(folder / "arms.csv", index=False)
    bought = pd.read_csv(folder / "bought.csv", sep=";", decimal=",")
    bought.columns = ["customer_id", "ordered_at", "amount"]
    bought.to_csv(folder / "own_bought.csv", index=False)
    found = {
        "responses": str(folder / "own.csv"),
        "reading": {"questions": {"nps": "Q1", "intent": "Q2"}},
        "transactions": None if case == "words_only" else str(folder / "own_bought.csv"),
        "events": str(folder / "arms.csv"),
        "transaction_reading": {},
    }
    return found | ({"price_rise": "2031-01-01"} if case == "rise_outside" else {})


@pytest.mark.parametrize("case", CASES)
def test_what_the_data_lack_is_said(case, tmp_path, run_cells):
    told, _ = run_cells(NOTEBOOK, given(case, tmp_path))
    for wanted in CASES[case]:
        assert re.search(wanted, told), told[-3000:]
    assert "not testable" in told


def test_no_cell_is_longer_than_a_glance():
    code = [
        text
        for text, cell in zip(TEXT, CELLS, strict=True)
        if cell["cell_type"] == "code" and cell is not CELLS[2]
    ]
    assert max(text.count("\n") + 1 for text in code) <= 12
