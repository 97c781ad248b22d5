"""Notebook 07 by the real runner: the company, any survey file, and bad files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "07_satisfaction_drivers.ipynb"
ITEMS = {"quality": "Produkt", "service": "Service", "delivery": "Lieferung", "mobile_app": "App"}
GERMAN = (
    "anonymous = true, bootstrap = 200, reading = { questions = { "
    + ", ".join(f'{k} = "{v}"' for k, v in {"csat": "Gesamt", **ITEMS}.items())
    + " } }"
)
JOBS = {
    "company": "customers = 700, bootstrap = 200, bets = { quality = 60, price = 40 }",
    "file": f'responses = "file.csv", segment = "Land", {GERMAN}',
}
BAD = {
    "constant": ["driver 'service' is constant", "are 4"],
    "copied": ["'quality' and 'delivery'", "identical"],
    "text": ["stimme zu", "Service"],
    "few": ["8 complete answers for 4 drivers"],
}


def write_files(folder):
    rng = np.random.default_rng(3)
    felt = rng.normal(size=(300, 4)) + 0.6 * rng.normal(size=(300, 1))
    whole = felt @ [0.3, 0.8, 0.1, 0.0] + rng.normal(size=300)
    rated = np.clip(np.round(4.5 + np.column_stack([felt, whole])), 1, 7).astype(int)
    good = pd.DataFrame(rated, columns=[*ITEMS.values(), "Gesamt"])
    good["Land"] = rng.choice(["DE", "AT"], 300)
    files = {
        "file": good.astype({"App": object}).assign(App=good["App"].where(rng.random(300) > 0.1)),
        "constant": good.assign(Service=4),
        "copied": good.assign(Lieferung=good["Produkt"]),
        "text": good.assign(Service="stimme zu"),
        "few": good[:8],
    }
    for name, frame in files.items():
        frame.to_csv(folder / f"{name}.csv", sep=";", index=False)


@pytest.fixture(scope="module")
def home(tmp_path_factory, run_jobs):
    home = tmp_path_factory.mktemp("shelf")
    write_files(home)
    jobs = JOBS | {name: f'responses = "{name}.csv", {GERMAN}' for name in BAD}
    jobs = {name: (NOTEBOOK, given) for name, given in jobs.items()}
    return run_jobs(home, jobs, processes=2, code=1)


def report(home, job):
    folder = home / "out" / job
    failed = home / "out" / "failed" / job / "manifest.json"
    assert folder.exists(), failed.exists() and json.loads(failed.read_text("utf-8"))["error"]
    page = (folder / "report.html").read_text("utf-8")
    assert "Traceback" not in page
    values = json.loads((folder / "manifest.json").read_text("utf-8"))["values"]
    table = pd.read_csv(folder / "tables" / "driver_importance.csv")
    return page, values, table.set_index("driver")


def company_ratings():
    answers = cx.World(seed=7, customers=700).responses
    rated = answers[answers["order_id"].notna() & answers["score"].notna()]
    keys = [rated["customer_id"].astype(str), rated["order_id"].astype(str)]
    items = rated["question"] == "rating"
    by = [k[items] for k in keys]
    wide = rated[items].groupby([*by, rated["item"][items].astype(str)])["score"].last().unstack()
    whole = rated[rated["question"] == "csat"]
    csat = whole.groupby([k[whole.index] for k in keys])["score"].last().rename("csat")
    return wide.join(csat, how="inner").reset_index()


def test_the_company(home):
    page, values, table = report(home, "company")
    drivers = ["quality", "service", "delivery", "expectation", "price"]
    rated = company_ratings()
    found = cx.driver_importance(rated, "csat", drivers, cluster="customer_id", bootstrap=200)
    shares = found.table.set_index("driver")["share"]
    assert table["share"].sort_index().to_numpy() == pytest.approx(shares.sort_index().to_numpy())
    assert values["r2"]["value"] == pytest.approx(found.r2)
    assert values["top_share"]["low"] < values["top_share"]["value"] < values["top_share"]["high"]
    still_open = int((table["rank_high"] > table["rank_low"]).sum())
    assert values["open_ranks"]["value"] == still_open
    for text in (
        "Your bets bring", "40 of 100 points went to drivers that bring nothing",
        "quality 0.50, service 0.35, delivery 0.20: the order is right",
        "true weight of expectation is -0.20",
        "not testable with these data. All they hold", "gaps filled 20 times",
    ):  # fmt: skip
        assert text in page, text


def test_what_came_is_the_difference_of_two_worlds(home):
    page, *_ = report(home, "company")
    world = cx.World(seed=7, customers=700)
    before = world.twin(weeks=40).satisfaction
    after = world.twin(weeks=40, do={"shift": {"quality": 0.5}}).satisfaction
    came = (after - before).mean() / before.std()
    assert f"all of it on quality would have brought {came:.2f}" in page
    # half an SD of quality times its causal weight .5; satisfaction has an SD of about 1
    assert (after - before).mean() == pytest.approx(0.25, abs=0.02)


def test_any_file(home):
    page, values, table = report(home, "file")
    frame = pd.read_csv(home / "file.csv", sep=";").rename(columns={v: k for k, v in ITEMS.items()})
    found = cx.driver_importance(frame, "Gesamt", list(ITEMS), bootstrap=200).table
    shares = found.set_index("driver")["share"]
    assert table["share"].sort_index().to_numpy() == pytest.approx(shares.sort_index().to_numpy())
    assert table.index[0] == "service"
    assert "mobile app" in table.index  # no underscore in a chart
    assert values["r2"]["n"] == frame["mobile_app"].notna().sum()
    for text in (
        "Here the truth is not known", "D3 cannot be tested with these data",
        "(an audit firm): contradicted", "purchases are missing", "Of 8 differences",
    ):  # fmt: skip
        assert text in page, text


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named(home, name):
    message = json.loads((home / "out" / "failed" / name / "manifest.json").read_text("utf-8"))
    for wanted in BAD[name]:
        assert wanted in message["error"]["message"], message["error"]["message"]


def test_the_solutions_say_what_the_exercises_ask(home):
    page, *_ = report(home, "file")
    # by hand: R2 = .5 / 1.5; then .25, and for the second .5 (R2 - .25) = .0417 of .3333
    assert page.count("R2 0.333, shares [0.5, 0.5]") == 1
    assert "R2 0.333, shares [0.875, 0.125]" in page
    size = {"seed": 7, "customers": 1000, "weeks": 52}
    usual, punctual = (cx.World(**size, late_share=s).truth.customers for s in (0.12, 0.06))
    gain = (punctual["satisfaction"] - usual["satisfaction"]).mean()
    assert f"{gain:+.3f} SD" in page
    assert gain > 0
    assert "texts without a declared number" in page
