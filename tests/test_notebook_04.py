"""Notebooks 04 and 04b by the real runner: the company, the airport's counts, files, bad files."""

import hashlib
import json
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "04_recovery_paradox.ipynb"
COMPANION = ROOT / "notebooks" / "04b_recovery_methods.ipynb"
SMALL = 1500
RENAMED = 'columns = { contacts = { recovery = "Loesung" } }'
FILES = (
    'sample = "files", contacts = "cases.csv", transactions = "orders.csv", exposure = "poor", '
    f'estimand = "exposed", horizon_weeks = 13, {RENAMED}'
)


@pytest.fixture(scope="module")
def world():
    return cx.World(seed=7, customers=SMALL)


@pytest.fixture(scope="module")
def home(tmp_path_factory, run_jobs, world):
    home = tmp_path_factory.mktemp("shelf")
    cases = world.contacts[["contact_id", "customer_id", "opened_at", "failure", "recovery"]]
    cases.rename(columns={"recovery": "Loesung"}).to_csv(home / "cases.csv", index=False)
    whole = cases.assign(failure=False).rename(columns={"recovery": "Loesung"})
    whole.to_csv(home / "whole.csv", index=False)
    orders = ["customer_id", "ordered_at", "amount", "failure", "delivered_at"]
    world.transactions[orders].to_csv(home / "orders.csv", index=False)
    jobs = {
        "company": (NOTEBOOK, f"customers = {SMALL}"),
        "airport": (NOTEBOOK, 'sample = "airport"'),
        "methods": (COMPANION, f"customers = {SMALL}, hidden = [1.0]"),
        "files": (NOTEBOOK, FILES),
        "methods_airport": (COMPANION, 'sample = "airport", customers = 600, hidden = [0.5]'),
        "no_failures": (NOTEBOOK, f'sample = "files", contacts = "whole.csv", {RENAMED}'),
    }
    return run_jobs(home, jobs, processes=2, code=1)


def report(home, job):
    page = (home / "out" / job / "report.html").read_text("utf-8")
    assert "Traceback" not in page
    manifest = json.loads((home / "out" / job / "manifest.json").read_text("utf-8"))
    return page, manifest["values"]


def test_the_company(home, world):
    page, values = report(home, "company")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.CxWarning)
        found = cx.recovery_effect(world, "value", doubly_robust=True)
    kept = values["recovery_effect"]
    assert (kept["value"], kept["low"], kept["high"]) == pytest.approx(
        (found.estimate, found.low, found.high)
    )
    # heavy buyers meet more failures: the dashboard sees a paradox, the like comparison does not
    assert values["raw_effect"]["low"] > 0
    assert kept["low"] < 0 < kept["high"]
    table = pd.read_csv(home / "out" / "company" / "tables" / "recovery_outcomes.csv")
    assert table["outcome"].iloc[0] == "value"
    for text in ("Seal ", "side our interval", "True effects against no failure"):
        assert text in page, text
    money = cx.prevention_or_recovery(world, costs=(20.0, cx.recovery_cost(world)))
    assert f"Claim R3 is {money.claim} at these costs. {money.summary()}" in page
    assert "immortal time" in page
    raw = cx.dashboard_levels(world, "value").rungs["verdict"].iloc[-1]
    assert f"The rung excellent, look by look: as dashboards count: {raw}; everybody" in page


def test_the_airport_says_what_it_cannot_say(home):
    page, values = report(home, "airport")
    counts = cx.read_counts(cx.data_path("airport_survey_counts.csv"))["problem"]
    last = counts[counts["period"] == "2018"].groupby("problem")["score"].mean()
    gap = values["problem_effect"]
    assert gap["value"] == pytest.approx(last["yes"] - last["no"])
    assert gap["high"] < 0
    assert page.count("This section steps aside") >= 6
    assert "not testable" in page
    # nothing is told that these counts cannot show
    lesson = page[: page.index("What to take home")]
    for text in ("eavy buyers", "mmortal time", "buys much", "parcel", "half a year"):
        assert text not in lesson, text
    d = (
        gap["value"]
        / counts.loc[counts["period"] == "2018"].groupby("problem")["score"].std()["no"]
    )
    strength = cx.stats.e_value(float(np.exp(0.91 * d)))[0]
    assert f"an E-value of {strength:.2f}" in page


def test_the_methods(home, world):
    page, values = report(home, "methods")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.CxWarning)
        found = cx.recovery_effect(world, "value", doubly_robust=True)
    kept = values["recovery_effect"]
    assert (kept["value"], kept["low"], kept["high"]) == pytest.approx(
        (found.estimate, found.low, found.high)
    )
    proof = pd.read_csv(cx.data_path("proofs/recovery.csv"))
    must = ((proof["expected"] == "must fail") & ~proof["truth"].str.contains("hidden")).sum()
    assert must >= 15
    seen = f"Of {must} cells in which a wrong comparison must fail, it is seen to in {must}."
    for text in (seen, f"{proof['datasets'].max():,} companies"):
        assert text in page, text
    # the vote stands before the first figure, the balance beside the love plot, and R3 is judged
    vote = page.index("The class expects furthest off: well against badly recovered.")
    assert vote < page.index("Value; bars: 95 % intervals; cross: truth") < page.index("its truth:")
    balanced = int((found.balance["after"].abs() <= 0.1).sum())
    assert f"Balanced after overlap weights: {balanced} of {len(found.balance)} causes" in page
    for cause in found.balance.index:
        assert f">{cause}</td>" in page, cause
    money = cx.prevention_or_recovery(world, costs=(20.0, cx.recovery_cost(world)))
    assert money.summary() in page
    assert f"Claim R3 at these costs: {money.claim}." in page


def test_the_proof_tells_real_biases_from_those_that_matter(home):
    page, _ = report(home, "methods")
    proof = pd.read_csv(cx.data_path("proofs/recovery.csv"))
    ways = proof[(proof["table"] == "ten ways") & ~proof["truth"].str.contains("hidden")]
    assert ways["customers"].nunique() == 2
    fair = ways[
        ways["comparison"].isin(["inverse probability", "overlap", "overlap, doubly robust"])
    ]
    real = fair[fair["bias"].abs() > 3.29 * fair["bias_error"]]
    large = real[real["bias"].abs() > 0.1 * real["spread"]]
    assert page.count(">°") == len(real) > 0
    assert page.count(">°°\u00a0") == len(large)
    assert f"In {len(real)} of {len(fair)} cells its bias is more than luck" in page
    assert set(fair["expected"]) == {"holds", "may fail or not"}  # what is not judged is marked too
    wide = ways["verdict"] == "owned"
    assert page.count(">↑\u00a0") == wide.sum() > 0
    assert set(ways["comparison"][wide]) == {"inverse probability"}
    must = ways["expected"] == "must fail"
    for sign, word in (("✗", "fails"), ("†", "false paradox")):
        seen = ways["seen"] == word
        assert page.count(f">{sign}\u00a0") == (seen & ~must).sum() > 0
        assert page.count(f">{sign}*\u00a0") == (seen & must).sum()
    for truth in ways["truth"].unique():  # one heading over its sizes, in two tables an outcome
        sizes = ways.loc[ways["truth"] == truth, "customers"].nunique()
        heading = rf'colspan="{sizes}"[^>]*>\s*<span class="gt_column_spanner">{truth}</span>'
        assert len(re.findall(heading, page)) == 2 * ways["outcome"].nunique(), truth


def test_the_other_claims_are_shown_as_they_were_counted(home):
    page, _ = report(home, "methods")
    proof = pd.read_csv(cx.data_path("proofs/recovery_claims.csv"))
    known = proof.dropna(subset="coverage")
    low, high = 100 * known["coverage"].min(), 100 * known["coverage"].max()
    assert f"held the truth in {low:.1f} to {high:.1f} % of the companies" in page
    for share in known["coverage"]:
        assert f">{share:.3f}</td>" in page
    again = proof[proof["effect"].isna()]
    assert len(again) == 6
    assert f"at best in {100 * again['worse'].max():.0f} % of the companies" in page


def test_few_customers_are_not_shown_in_a_turned_table(capsys):
    frame = pd.DataFrame({"number of": ["none", "poor"], "customers": [40, 3], "seen": [7, 2]})
    with pytest.warns(cx.CxWarning, match="1 of 2 columns is not shown"):
        cx.table(frame, turned=True, caption="Who.")
    told = " ".join(capsys.readouterr().out.split())
    assert told == "Table: Who. number of none customers 40 seen 7"


def test_the_methods_step_aside_from_counts(home):
    page, values = report(home, "methods_airport")
    assert not values
    assert page.count("steps aside") >= 8
    assert "Travellers with a problem against those without" in page
    assert "it is seen to in" in page  # the proof needs no data of the reader


def test_a_small_sample_is_judged_as_far_as_it_reaches(run_cells):
    sample = {
        f"{name}": str(cx.data_path(f"sample/{name}.csv"))
        for name in ("contacts", "transactions", "responses")
    }
    given = sample | {"sample": "files", "people": str(cx.data_path("sample/customers.csv"))}
    text, names = run_cells(NOTEBOOK, given)
    assert names["effect"] is None
    assert "these data allow no verdict" in text
    assert "The fourth look steps aside: value was seen never after 'no failure'" in text
    text, names = run_cells(
        NOTEBOOK, given | {"exposure": "adequate", "primary": "repurchase", "horizon_weeks": 4}
    )
    assert names["effect"].n["seen"].iloc[1] >= 5
    assert names["fair"].rungs["high"].max() <= 1
    text, _ = run_cells(COMPANION, given | {"customers": 600, "hidden": [0.5]})
    assert "The weighting steps aside: Recovery 'excellent' was seen 2 times only" in text
    few = {"exposure": "adequate", "outcome": "repurchase", "horizon_weeks": 4}
    text, _ = run_cells(COMPANION, given | few | {"customers": 600, "hidden": [0.5]})
    assert "Satisfaction: the last one, to hold the others against, cannot be had" in text
    assert "Repurchase: furthest from the last one: " in text
    assert "it is seen to in" in text


def test_files_without_answers_have_methods_too(run_cells, home):
    given = {
        "sample": "files",
        "contacts": str(home / "cases.csv"),
        "transactions": str(home / "orders.csv"),
        "columns": {"contacts": {"recovery": "Loesung"}},
        "customers": 600,
        "hidden": [0.5],
    }
    text, names = run_cells(COMPANION, given)
    assert names["fair"].n["seen"].iloc[1] > 20
    assert "no truth is known here" in text
    assert "Satisfaction is not known on both sides" in text
    missing = "as the table responses is missing (question 'csat'). "
    assert missing + "Still possible by recovery_effect: repurchase" in text


def test_files_with_names_of_their_own(home):
    page, values = report(home, "files")
    assert values["recovery_effect"]["n"] > 20
    kept = json.loads((home / "out" / "files" / "manifest.json").read_text("utf-8"))["inputs"]
    hashes = {entry["name"]: entry["sha256"] for entry in kept}
    for name in ("cases.csv", "orders.csv"):
        assert hashes[name] == hashlib.sha256((home / name).read_bytes()).hexdigest()
    assert "occasions like the exposed ones" in page
    assert "No truth is known here" in page


def test_files_without_failures_are_named(home):
    kept = home / "out" / "failed" / "no_failures" / "manifest.json"
    message = json.loads(kept.read_text("utf-8"))["error"]["message"]
    assert "occasions failed" in message
    assert "Still possible" in message


@pytest.mark.parametrize("notebook", [NOTEBOOK, COMPANION])
def test_the_problems_of_all_files_are_told_at_once(run_cells, tmp_path, notebook):
    (tmp_path / "cases.csv").write_text("contact_id,customer_id,opened_at\n1,a,soon\n", "utf-8")
    (tmp_path / "said.csv").write_text("customer_id,question,score\na,nps,99\n", "utf-8")
    given = {"contacts": tmp_path / "cases.csv", "responses": tmp_path / "said.csv"}
    given |= {"sample": "files", "reading": {"customers": {"dayfirst": True}}}
    with pytest.raises(cx.CxError) as caught:
        run_cells(notebook, given)
    for text in (
        'reading speaks of "customers", of which no file is given',
        "contacts: cases.csv cannot be used as contacts.\n       1. opened_at must be a date",
        "responses: said.csv cannot be used as responses.",
        "scores must lie in 0-10: 1 of 1 is 99 (in line 2)",
    ):
        assert text in str(caught.value), text


def test_a_short_record_runs_as_its_messages_say(run_cells):
    names = ("contacts", "transactions", "responses", "customers")
    files = {name: cx.data_path(f"sample/{name}.csv") for name in names}
    readers = (cx.read_contacts, cx.read_transactions, cx.read_responses, cx.read_customers)
    tables = {n: read(files[n]) for n, read in zip(names, readers, strict=True)}
    with pytest.raises(cx.CxError, match=r"value was seen never.*the records end early") as caught:
        cx.compare_recovery_levels(tables, "value")
    horizon = int(re.search(r"possible: horizon_weeks=(\d+)", str(caught.value))[1])
    with pytest.raises(cx.CxError, match="'excellent' was seen 2 times only") as caught:
        cx.recovery_effect(tables, "value", horizon_weeks=horizon)
    exposure = re.search(r"possible: exposure='(\w+)'", str(caught.value))[1]
    given = {"sample": "files", "people": files.pop("customers")} | files
    told, names = run_cells(NOTEBOOK, given | {"horizon_weeks": horizon, "exposure": exposure})
    assert names["effect"].n["seen"].min() >= 5
    assert "Not judged: churn (churn was seen never after 'no failure'" in told


def test_scales_are_told_as_declared_and_reasons_also_where_no_outcome_is_known(run_cells):
    files = {name: cx.data_path(f"sample/{name}.csv") for name in ("contacts", "responses")}
    files |= {"transactions": cx.data_path("sample/transactions.csv"), "answer_weeks": 200}
    reading = {"responses": {"scale": {"csat": [1, 10]}}}
    told, names = run_cells(NOTEBOOK, files | {"sample": "files", "reading": reading})
    assert "satisfaction (1 to 10), recommendation (0 to 10)" in told
    assert not names["shown"][["value", "satisfaction"]].sum().any()
    assert "say needs a text" not in told
    assert "This section steps aside: value was seen never after 'no failure'" in told


@pytest.mark.parametrize("notebook", [NOTEBOOK, COMPANION])
def test_the_weeks_that_a_message_names_are_parameters(run_cells, home, notebook):
    files = {"contacts": home / "cases.csv", "transactions": home / "orders.csv"}
    columns = {"contacts": {"recovery": "Loesung"}}
    weeks = {"repeat_window_weeks": 13, "answer_weeks": 8, "churn_weeks": 90}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", cx.CxWarning)
        with pytest.raises(cx.CxError, match="churn was seen never") as caught:
            cx.recovery_effect(cx.read_tables(files, columns=columns), "churn", "poor", **weeks)
    advised = re.search(r"horizon_weeks=(\d+) and churn_weeks=(\d+) \(26 and 90", str(caught.value))
    weeks |= {"horizon_weeks": int(advised[1]), "churn_weeks": int(advised[2])}
    asked = {"sample": "files", "columns": columns, "exposure": "poor", "hidden": []}
    told, names = run_cells(
        notebook, files | asked | weeks | {"primary": "churn", "outcome": "churn"}
    )
    found = names["effect" if notebook is NOTEBOOK else "fair"]
    assert found.outcome == "churn"
    assert found.n["seen"].min() >= 5
    for study in (names["study"], names.get("again", names["study"])):
        assert {name: study.design[name] for name in weeks} == weeks
    told_as = {NOTEBOOK: "silence for", COMPANION: "gone if silent"}[notebook]
    assert f"{told_as} {weeks['churn_weeks']} more" in told


def test_the_truth_of_churn_is_of_the_weeks_that_were_asked_for(run_cells):
    weeks = {"horizon_weeks": 13, "churn_weeks": 13}
    given = {"customers": 500, "exposure": "poor", "primary": "churn"}
    _, names = run_cells(NOTEBOOK, given | weeks)
    # a truth is kept by its design, so that asking again gives the very same one
    assert names["world"].truth.recovery_trial(landmark_weeks=2, **weeks) is names["trial"]


def test_the_solutions_say_what_the_exercises_ask(home):
    page, _ = report(home, "airport")
    assert cx.stats.equivalence(0.04, 0.03, smallest_effect=0.10).verdict == "equivalent"
    assert cx.stats.equivalence(0.04, 0.01, smallest_effect=0.10).trivial
    plan = cx.recovery_sample_size(smallest_effect=0.2, controls_each=10, answer_share=1 / 8)
    assert plan.summary() in page
