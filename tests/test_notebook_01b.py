"""Notebook 01b by the real runner: the company, the airport's counts, a file with a column map."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "01b_nps_methods.ipynb"
FILE = {
    "anonymous": True,
    "reading": {"questions": {"nps": "NETPRO"}},
    "columns": {"invited_at": "gesendet"},
    "roles": {"segment": "Land", "team": "Laden"},
    "known": ["Land"],
}
JOBS = {"company": "customers = 1200"}


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(5)
    days = pd.date_range("2025-01-01", periods=400).strftime("%d.%m.%Y")
    score = pd.Series(rng.integers(3, 11, 400)).astype(str).where(rng.random(400) > 0.3, "")
    frame = pd.DataFrame({"NETPRO": score, "gesendet": days})
    frame = frame.assign(Land=rng.choice(["DE", "AT"], 400), Laden=rng.choice(list("abcd"), 400))
    frame.to_csv(tmp_path / "file.csv", sep=";", index=False)
    return FILE | {"responses": str(tmp_path / "file.csv")}


@pytest.fixture(scope="module")
def home(tmp_path_factory, run_jobs):
    home = tmp_path_factory.mktemp("shelf")
    return run_jobs(home, {name: (NOTEBOOK, given) for name, given in JOBS.items()})


def report(home, job):
    page = (home / "out" / job / "report.html").read_text("utf-8")
    assert "Traceback" not in page
    page = html.unescape(re.sub(r"<details.*?</details>", "", page, flags=re.S))  # without code
    manifest = json.loads((home / "out" / job / "manifest.json").read_text("utf-8"))
    return page, manifest["values"]


def test_the_company_has_every_section_and_both_rank_errors(home):
    page, values = report(home, "company")
    assert "This section steps aside" not in page
    for name in ("rank_error_raw", "rank_error_shrunken", "rank_gain", "nps_mix",
                 "segments_with_news"):  # fmt: skip
        assert values[name]["value"] is not None, name
    claims = pd.read_csv(home / "out" / "company" / "tables" / "claims_n2_n3.csv")
    assert set(claims["claim"]) == {"N2", "N3"}
    allowed = {"supported", "too small to matter", "not supported", "contradicted", "cannot tell"}
    assert set(claims["verdict"]) <= allowed | {"not testable with these data"}
    n2 = claims[(claims["claim"] == "N2") & (claims["outcome"] == "churned")].iloc[0]
    assert n2["verdict"] == cx.stats.judge_claim(n2["from"], n2["to"], 0.02)
    both = [values[f"rank_error_{name}"]["value"] for name in ("raw", "shrunken")]
    text = " ".join(page.split())
    assert (
        f"Mean rank error against the true order: raw {both[0]:.2f}, shrunken {both[1]:.2f}"
    ) in text
    gain = values["rank_gain"]
    assert gain["value"] == pytest.approx(both[0] - both[1])
    verdict = (
        "closer to the truth" if gain["low"] > 0
        else "further from it" if gain["high"] < 0 else "not surely closer"
    )  # fmt: skip
    assert f"shrunken ranks of this company are {verdict}" in text


def test_the_proof_of_ranks_is_told_from_the_committed_table(home):
    text = " ".join(report(home, "company")[0].split())
    proof = pd.read_csv(cx.data_path("proofs/ranks.csv"))
    closer = (proof["whole_place_verdict"] == "closer").sum()
    assert f"In {closer} of {len(proof)} settings shrunken ranks are closer" in text
    row = proof[(proof["answers"] == "12-100") & (proof["spread"] == "medium")].iloc[0]
    assert f"a raw rank is {row['raw_error']:.2f} places off" in text
    assert f"the shrunken rank {row['whole_place_error']:.2f}." in text


def test_both_proofs_are_told_from_the_committed_table(home):
    page, _ = report(home, "company")
    proofs = pd.read_csv(cx.data_path("proofs/nps.csv"))
    at = proofs[proofs["level"] == 0.95].set_index("cell")["coverage"] * 100
    known, itself = (
        f"NPS, answering by {who}, 800 customers: "
        for who in ("known columns", "satisfaction itself")
    )
    assert (
        f"the plain score holds the truth in {at[known + 'as it stands']:.0f} % "
        f"of the populations, "
        f"the reweighted one in {at[known + 'reweighted']:.0f} %"
    ) in " ".join(page.split())
    assert f"the reweighted one in {at[itself + 'reweighted']:.0f} %" in " ".join(page.split())


def test_the_airport_shows_what_it_can_and_names_what_is_missing(run_cells):
    told, _ = run_cells(NOTEBOOK, {"sample": "airport"})
    counts = cx.read_counts(cx.data_path("airport_survey_counts.csv"))["language"]
    split = cx.nps_decompose(
        *(counts[counts["period"] == year] for year in ("2017", "2018")), by="language"
    )
    assert split.summary() in told
    for text in ("(role team)", "(roles churn, spend)", "send the invitations along", "role asked"):
        assert text in told, text
    assert "N2 and N3 are not testable with these data" in told


def test_a_file_with_a_column_map(run_cells, file):
    told, names = run_cells(NOTEBOOK, file)
    assert -200 <= names["split"].mix_low < names["split"].mix < names["split"].mix_high <= 200
    assert "Laden" in told
    assert "(role culture)" in told


def test_periods_too_short_for_many_segments_step_aside(run_cells, file):
    told, names = run_cells(NOTEBOOK, file | {"freq": "W"})
    assert "The comparison of many segments steps aside" in told
    assert names["changes"] is None


def test_a_company_too_small_for_a_league_says_so(run_cells):
    told, names = run_cells(NOTEBOOK, {"customers": 120, "weeks": 60})
    assert "fewer than four are not shrunken" in told
    assert "takes a period in which four territories" in told
    assert "nan places" not in told
    assert len(names["errors"]) == 0


def test_weights_of_the_file_count(run_cells, file):
    rows = pd.read_csv(file["responses"], sep=";")
    rows.assign(weight=np.where(rows["NETPRO"] >= 9, 3, 1)).to_csv(file["responses"], sep=";")
    told, names = run_cells(NOTEBOOK, file)
    assert "count each answer once, the others by its weight" in told
    assert names["split"].total == pytest.approx(
        names["score"].estimate
        - cx.nps(names["then"]["score"], weights=names["then"]["weight"]).estimate
    )


def test_a_role_without_its_column_is_named(run_cells, file):
    file["roles"] = {"team": "Filiale", "churn": "weg"}
    with pytest.raises(cx.CxError, match="no columns for team: Filiale, churn: weg"):
        run_cells(NOTEBOOK, file)


def test_one_title_and_a_parameters_cell():
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    text = ["".join(c["source"]) for c in cells]
    assert cells[2]["metadata"]["tags"] == ["parameters"]
    headings = [
        line
        for t, c in zip(text, cells, strict=True)
        if c["cell_type"] == "markdown"
        for line in t.splitlines()
        if line.startswith("#")
    ]
    assert sum(line.startswith("# ") for line in headings) == 1
    assert [line for line in headings if line[3:4].isdigit()] == sorted(
        (line for line in headings if line[3:4].isdigit()), key=lambda h: int(h[3:].split(".")[0])
    )
    assert len([line for line in headings if line[3:4].isdigit()]) == 10


def test_a_column_of_one_group_and_a_period_of_one_answer_step_aside(run_cells, file):
    rows = pd.read_csv(file["responses"], sep=";", dtype=str)
    rows = rows[rows["NETPRO"].notna()].iloc[:60].assign(Sprache="de")
    rows.loc[rows.index[-1], "gesendet"] = "01.07.2026"
    rows.to_csv(file["responses"], sep=";", index=False)
    told, names = run_cells(NOTEBOOK, file | {"roles": {"segment": "Land", "culture": "Sprache"}})
    assert "No group of Sprache has 30 answers and another 30 beside it" in told
    assert "The split into within and mix steps aside" in told
    assert "single independent answer after" in told
    assert names["split"] is None


def test_a_period_whose_weights_do_not_settle_is_left_out(run_cells):
    told, names = run_cells(NOTEBOOK, {"seed": 3, "customers": 600, "freq": "M"})
    assert "The weighting of 2024-11 steps aside: Raking did not settle" in told
    assert len(names["reached"]) > 5
    assert "2024-11" not in [row[0] for row in names["reached"]]


def test_a_single_answer_has_an_interval_and_everything_else_steps_aside(run_cells, file):
    rows = pd.read_csv(file["responses"], sep=";", dtype=str).dropna().iloc[:1]
    rows.to_csv(file["responses"], sep=";", index=False)
    roles = {"segment": "Land", "culture": "Land", "team": "Laden", "asked": "Laden"}
    told, _ = run_cells(NOTEBOOK, file | {"roles": roles})
    assert "with 1 answer the 95 % interval" in told
    assert "Honest timing steps aside" in told
