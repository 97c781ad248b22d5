"""Notebook 02 by the real runner: the company, the airport's counts, any file, and bad files."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "02_customer_effort.ipynb"
WORDS = ["stimme gar nicht zu", "stimme nicht zu", "teils, teils", "stimme zu", "stimme voll zu"]
MAPPING = ", ".join(f'"{word}" = {number}' for number, word in enumerate(WORDS, start=1))
FILE = (
    'anonymous = true, scale = [1, 5], columns = { score = "Antwort" }, '
    'drivers = ["Schritte", "Weiterleitungen"], cluster = "Team", groups = ["Kanal"], '
    'satisfaction = "zufrieden", minutes = { Weiterleitungen = 3 }'
)
JOBS = {
    "company": "customers = 1200",
    "airport": 'sample = "airport"',
    "file": f'responses = "file.csv", {FILE}, high_means = "easy", '
    f'reading = {{ delimiter = ";", mapping = {{ {MAPPING} }} }}',
    "tables": 'responses = "easy.csv", contacts = "contacts.csv", scale = [1, 7], '
    'transactions = "transactions.csv", high_means = "easy", groups = ["channel"], '
    'satisfaction = "resolved_first_contact"',
    "no_direction": f'responses = "file.csv", {FILE}, '
    f'reading = {{ delimiter = ";", mapping = {{ {MAPPING} }} }}',
}
BAD = {
    "no_direction": ["high_means must be", '"it was easy"', '"it took effort"'],
}


def file_frame():
    rng = np.random.default_rng(8)
    steps, moved = rng.integers(1, 6, 600), rng.integers(0, 3, 600)
    ease = 2.2 - 0.4 * steps - 0.7 * moved + rng.logistic(size=600)
    answer = np.digitize(ease, [-2.5, -1.2, -0.2, 1.0])
    return pd.DataFrame(
        {
            "question": "ces",
            "Antwort": np.array(WORDS)[answer],
            "Schritte": steps,
            "Weiterleitungen": moved,
            "Team": rng.integers(1, 13, 600),
            "Kanal": rng.choice(["Telefon", "Mail"], 600),
            "zufrieden": np.round(3 + 0.4 * ease + rng.normal(size=600)),
        }
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory, run_jobs):
    home = tmp_path_factory.mktemp("shelf")
    file_frame().to_csv(home / "file.csv", sep=";", index=False)
    world = cx.World(seed=7, customers=1200)
    easy = world.responses.query("question == 'ces' and wording == 'easy'")
    tables = {"easy": easy, "contacts": world.contacts, "transactions": world.transactions}
    for name, frame in tables.items():
        frame.to_csv(home / f"{name}.csv", index=False)
    return run_jobs(home, {name: (NOTEBOOK, given) for name, given in JOBS.items()}, code=1)


def report(home, job):
    page = (home / "out" / job / "report.html").read_text("utf-8")
    assert "Traceback" not in page
    assert len(re.sub(r'src="data:[^"]*"', "", page)) < 400_000  # beside its pictures
    page = re.sub(r'<details class="code">.*?</details>', "", page, flags=re.S)
    return page, json.loads((home / "out" / job / "manifest.json").read_text("utf-8"))["values"]


def test_the_company(home):
    page, values = report(home, "company")
    world = cx.World(seed=7, customers=1200)
    told = world.responses.query("question == 'ces' and wording == 'easy'")
    found = cx.ces(told["score"], scale=(1, 7), high_means="easy")
    assert values["share_easy"]["value"] == pytest.approx(found.share_easy)
    assert (values["share_easy"]["low"], values["share_easy"]["high"]) == pytest.approx(
        (found.share_easy_low, found.share_easy_high)
    )
    cases = cx.effort_cases(told, world.contacts)
    effects = cx.effort_drivers(
        cases, scale=(1, 7), high_means="easy", controls=["channel"], cluster_col="agent"
    ).table.set_index("driver")
    for name, row in effects.iterrows():
        assert values[f"effect_{name}"]["value"] == pytest.approx(100 * row["estimate"]), name
    claims = pd.read_csv(home / "out" / "company" / "tables" / "effort_claims.csv")
    assert list(claims["claim"]) == ["E4", "E1", "E1", "E2", "E3", "E5"]
    assert claims.loc[claims["claim"] == "E1", "verdict"].str.contains("contradicted").all()
    for text in ("intervals hold the truth", "The truth: +8.0 points", "solved at once against"):
        assert text in page, text
    assert "This section steps aside" not in page
    assert "ease and solved at once go opposite ways" in page
    assert "0 % is true by definition" in page  # nobody comes back after a case solved at once
    for name in ("top2", "&gt;1", "channel_switches"):
        assert name not in page.split("Exercises")[0], name


def test_the_airport_steps_aside_and_keeps_its_counts(home):
    page, values = report(home, "airport")
    counts = pd.read_csv(ROOT / "data" / "airport_survey_counts.csv")
    ease = counts[counts["question"].str.startswith("ease")]
    easy = ease.loc[ease["answer"].isin(["4", "5"]), "n"].sum() / ease["n"].sum()
    assert values["share_easy"]["value"] == pytest.approx(easy)
    assert page.count("This section steps aside") >= 6
    assert "go opposite ways" in page  # recommendation gives the wrong direction away
    assert "effect_steps" not in values


def test_any_file_in_words_with_its_own_drivers(home):
    page, values = report(home, "file")
    frame = file_frame()
    score = frame["Antwort"].map({word: number for number, word in enumerate(WORDS, start=1)})
    assert values["share_easy"]["value"] == pytest.approx((score >= 4).mean())
    assert values["effect_Weiterleitungen"]["high"] < 0
    assert values["effect_Schritte"]["high"] < 0
    assert "12 clusters (Team)" in page
    assert "Weiterleitungen: -1" in page


def test_files_of_contacts_and_purchases_tell_what_the_company_tells(home):
    (page, values), (_, company) = report(home, "tables"), report(home, "company")
    effects = [name for name in company if name.startswith("effect_")]
    assert len(effects) == 6
    for name in ["share_easy", *effects]:
        assert values[name]["value"] == pytest.approx(company[name]["value"]), name
    claims, wanted = (
        pd.read_csv(home / "out" / job / "tables" / "effort_claims.csv").query("claim == 'E1'")
        for job in ("tables", "company")
    )
    assert claims["here"].iloc[1] == wanted["here"].iloc[1]  # raw: of all who were followed
    assert "spent more a week than before; n = " in claims["here"].iloc[1]
    assert "solved at once against" in page
    # groups and the guard are columns of the contacts, not of the answers
    world = cx.World(seed=7, customers=1200)
    told = world.responses.query("question == 'ces' and wording == 'easy'")
    cases = cx.effort_cases(told, world.contacts)
    by = pd.read_csv(home / "out" / "tables" / "tables" / "share_easy_by_channel.csv")
    wanted = cx.ces_by(cases, "channel", scale=(1, 7), high_means="easy")
    by, wanted = (t.set_index(t["channel"].astype(str))["estimate"].to_dict() for t in (by, wanted))
    assert by == pytest.approx(wanted)
    assert "ease and resolved_first_contact go opposite ways" in page


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named(home, name):
    message = json.loads((home / "out" / "failed" / name / "manifest.json").read_text("utf-8"))
    for wanted in BAD[name]:
        assert wanted in message["error"]["message"], message["error"]["message"]


def test_the_solutions_say_what_the_exercises_ask(home):
    page, _ = report(home, "company")
    # by hand: 31 / 7; 4, 3 and 3 - 2 of 7
    for text in ("mean 4.43 [", "share easy 0.57 [", "top-2 0.43 [", "net easy 0.14 ["):
        assert text in page, text
    assert "0.2857142857142857" in page
    assert "same gains: True" in page
    assert "[4.0, 3.0, 5.0]" in page
    need = cx.stats.plan_two_shares(0.67, 0.72).n_per_arm
    assert f"{need:,} answers, so {need / 0.2:,.0f} contacts" in page


def test_the_technical_cell_is_marked():
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    assert sum("technical" in c["metadata"].get("tags", []) for c in cells) == 1
