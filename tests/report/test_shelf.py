"""The shelf tells failures first, and marks what does not match its manifest."""

import base64
import hashlib
import json
import re
import shutil

import pytest
from bs4 import BeautifulSoup

from cxlib.report.publish import KEPT_RUNS, publish, read_manifest, verify
from cxlib.report.record import make_record
from cxlib.report.shelf import build_shelf

HOSTILE = '</text><script>alert(1)</script><b onclick="x()">&\''


def put(out, job, started_at, period, value, half=2.0, unit="points", **more):
    """Publish one run that recorded one figure, nps."""
    limits = (None, None) if half is None else (value - half, value + half)
    record = {key: more.pop(key) for key in ("segments", "events") if key in more}
    entry = make_record(
        "nps", value, *limits, unit, 500, 0.95, period, more.pop("target", None), "up", **record
    )
    manifest = {
        "status": "ok",
        "job": job,
        "notebook": "n.ipynb",
        "parameters": {},
        "inputs": [],
        "values": {entry.pop("name"): entry},
        "started_at": f"{started_at}T06:00:00+00:00",
        "seconds": 1.0,
        "attempts": 1,
        "versions": {},
        "error": None,
        "key": "k",
    }
    publish(None, out / job, manifest | more)


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """Three reports with three quarters each: a fall that is news, none, one without interval."""
    out = tmp_path_factory.mktemp("stock") / "out"
    for at, period, value in (
        ("2025-07-01", "2025Q2", 41.0),
        ("2025-10-01", "2025Q3", 40.0),
        ("2026-01-01", "2025Q4", 30.0),
    ):
        rest = 60 * value - 30 * 50.0
        segments = {"DE": (30, rest / 30), HOSTILE: (30, 50.0)}
        events = [("2025-11-11", HOSTILE), ("2024-01-01", "too early to be drawn")]
        put(
            out,
            "fell",
            at,
            period,
            value,
            segments=segments,
            events=events,
            title=HOSTILE,
            alert=[{"value": "nps", "below": 35}, {"value": "nps", "changed": True}],
        )
        put(out, "same", at, period, 40 + value / 100, target=45.0)
        put(out, "bare", at, period, value, half=None, unit=HOSTILE)
    build_shelf(out, unchanged=["same"])
    return out


@pytest.fixture(scope="module")
def front(stocked):
    return BeautifulSoup((stocked / "index.html").read_text("utf-8"), "html.parser")


def section(soup, name):
    return soup.find("section", {"aria-labelledby": name}).get_text(" ", strip=True)


def test_news_comes_with_its_size_its_interval_and_its_cause(front):
    news = section(front, "news")
    assert "Worse NPS 2025Q4 : 30.0 points, fell by 10.0 points since 2025Q3 [−12.8, −7.2]" in news
    assert "news, for the worse" in news
    assert "Mainly within DE: −10 of −10 points, without an interval" in news
    assert "(n = 30, then 30)" in news
    assert HOSTILE in news  # the report's title, as text
    rest = section(front, "no-news")
    assert "1 change that chance may explain" in rest
    assert "2 figures were compared" in rest
    assert "at most 5 % is expected to be chance" in rest
    assert "1 figure (without an interval on both sides it is never news)" in rest


def test_the_first_sentence_says_what_moved(front):
    lead = " ".join(front.find(class_="lead").get_text().split())
    assert lead == "1 figure changed by more than chance explains: 1 for the worse."


def test_states_are_words(front):
    alerts = section(front, "alerts")
    assert "Alert nps is 30 points, 95 % interval [28, 32]: below 35." in alerts
    assert alerts.count("Alert ") == 2  # the change is news
    cards = {a.h3.get_text(): a.get_text(" ") for a in front.find_all("article")}
    assert "Unchanged" in cards["same"]
    assert "Unchanged" not in cards[HOSTILE]
    assert "Alert" in cards[HOSTILE]


def test_an_unchanged_report_stays_so_until_it_runs_again(stocked, tmp_path):
    copied = tmp_path / "out"
    shutil.copytree(stocked, copied)
    build_shelf(copied)

    def checked():
        index = json.loads((copied / "index.json").read_text("utf-8"))
        return {entry["job"]: bool(entry["checked_at"]) for entry in index["reports"]}

    assert checked() == {"bare": False, "fell": False, "same": True}
    put(copied, "same", "2026-04-01", "2026Q1", 40.0)
    build_shelf(copied)
    assert not any(checked().values())


def test_index_json_carries_what_the_mail_needs(stocked):
    index = json.loads((stocked / "index.json").read_text("utf-8"))
    assert index["news"] == {"rate": 0.05, "method": "Benjamini-Hochberg", "compared": 2, "news": 1}
    entry = next(e for e in index["reports"] if e["job"] == "fell")
    (change,) = entry["changes"]
    assert (change["name"], change["news"], change["since"]) == ("nps", True, "2025Q3")
    assert change["change"] == -10.0
    assert change["why"]["segment"] == "DE"
    assert {alert["condition"] for alert in entry["alerts"]} == {"below 35", "changed"}
    assert entry["stale"] is None
    assert entry["pdf"] is None
    assert (stocked / entry["history"]).is_file()


def test_the_history_is_drawn_with_interval_target_and_events(front):
    cards = {a.h3.get_text(): a for a in front.find_all("article")}
    fell, same = cards[HOSTILE], cards["same"]
    assert fell.svg.find(class_="band")
    assert fell.svg.find("text").get_text() == "1"
    assert len(fell.svg.find_all(class_="event")) == 1
    assert f"{HOSTILE}, 11 November 2025" in fell.get_text(" ")
    assert "too early" not in fell.get_text()
    assert same.svg.find(class_="target")
    told = fell.svg["aria-label"]
    assert "3 values from 2025Q2 to 2025Q4: lowest 30.0 points in 2025Q4" in told


def test_the_history_page_lists_the_runs_and_does_not_disturb_the_report(stocked):
    soup = BeautifulSoup((stocked / "fell/history/index.html").read_text("utf-8"), "html.parser")
    rows = [row.get_text("|", strip=True) for row in soup.tbody.find_all("tr")]
    assert rows[0].startswith("1 January 2026, 06:00 UTC|2025Q4|30.0 points|95 % interval")
    assert len(rows) == 3
    assert verify(stocked / "fell") == []
    for link in soup.find_all("a"):
        assert (stocked / "fell" / "history" / link["href"]).resolve().is_file()


def test_a_history_page_is_written_anew_only_where_its_runs_changed(stocked, tmp_path):
    copied = tmp_path / "out"
    shutil.copytree(stocked, copied)
    pages = {job: copied / job / "history" / "index.html" for job in ("fell", "same")}
    old = {job: page.stat().st_ino for job, page in pages.items()}
    put(copied, "same", "2026-04-01", "2026Q1", 40.0)
    build_shelf(copied)
    assert pages["fell"].stat().st_ino == old["fell"]
    assert "2026Q1" in pages["same"].read_text("utf-8")
    (copied / "fell/history/2025-07-01T060000Z.json").unlink()
    build_shelf(copied)
    soup = BeautifulSoup(pages["fell"].read_text("utf-8"), "html.parser")
    assert len(soup.tbody.find_all("tr")) == 2


def test_the_only_script_is_the_one_the_policy_names(stocked, front):
    policy = front.find("meta", {"http-equiv": "Content-Security-Policy"})["content"]
    (script,) = front.find_all("script")
    digest = base64.b64encode(hashlib.sha256(script.string.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; script-src 'sha256-{digest}'; "
        "style-src 'unsafe-inline'; img-src data:"
    )
    for page in stocked.rglob("*.html"):
        soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        assert not [n for n in soup.find_all(True) if any(k.startswith("on") for k in n.attrs)]
        assert len(soup.find_all("script")) == (
            page.name == "index.html" and page.parent == stocked
        )


def test_without_script_everything_is_there_and_no_useless_box(front):
    assert front.find(class_="filter").has_attr("hidden")
    assert not front.find_all(attrs={"data-row": True, "hidden": True})


@pytest.mark.parametrize("damage", ["{", "[]", '{"reports": 5}', '{"reports": [{}]}', "null"])
def test_a_damaged_index_is_written_anew(stocked, tmp_path, damage):
    copied = tmp_path / "out"
    shutil.copytree(stocked, copied)
    (copied / "index.json").write_text(damage)
    (copied / "fell/history/2025-07-01T060000Z.json").write_text(damage)
    build_shelf(copied)
    assert len(json.loads((copied / "index.json").read_text())["reports"]) == 3


def test_the_shelf_shows_question_figures_time_and_links(shelf):
    index = json.loads(shelf.text("index.json"))
    entry = next(e for e in index["reports"] if e["job"] == "good")
    assert entry["title"] == "What a small sample can tell"
    assert entry["question"] == "Monday: what do we tell the board?"
    assert entry["values"]["nps_change"]["low"] == -11.2
    assert {e["job"] for e in index["failed"]} >= {"twice", "formula"}
    soup = BeautifulSoup(shelf.text("index.html"), "html.parser")
    text = soup.get_text(" ", strip=True)
    assert "Monday: what do we tell the board?" in text
    assert "95 % interval −11.2 to 3.1" in text
    assert "0 6 * * 1" in text
    for link in soup.find_all("a"):
        assert (shelf.out / link["href"]).is_file()
        assert link.get_text(strip=True)
    order = [h.get_text() for h in soup.find_all("h2")]
    assert re.match("Failed", order[0])
    failed = soup.find("section", {"aria-labelledby": "failed"}).get_text(" ", strip=True)
    assert "stopped in cell 3" in failed
    assert "recorded twice" in failed


def test_a_broken_folder_and_an_unreadable_manifest_are_marked(shelf, tmp_path):
    copied = tmp_path / "out"
    shutil.copytree(shelf.out, copied)
    (copied / "good" / "report.ipynb").unlink()
    (copied / "other").mkdir()
    (copied / "other" / "manifest.json").write_text("{")
    page = build_shelf(copied).read_text(encoding="utf-8")
    assert "does not match its manifest: report.ipynb is missing" in page
    assert "manifest.json is missing or cannot be read" in page


def test_an_empty_shelf_says_so(tmp_path):
    assert "No report yet." in build_shelf(tmp_path / "out").read_text(encoding="utf-8")


def test_publishing_writes_null_for_nan_and_keeps_a_year_of_weeks(shelf, tmp_path):
    manifest = read_manifest(shelf.out / "good")
    for week in range(KEPT_RUNS + 3):
        manifest["started_at"] = f"2026-01-01T00:{week:02d}:00+00:00"
        manifest["parameters"] = {"x": float("nan"), "y": [float("inf")]}
        publish(None, tmp_path / "job", manifest)
    assert read_manifest(tmp_path / "job")["parameters"] == {"x": None, "y": [None]}
    kept = sorted((tmp_path / "job" / "history").glob("*.json"))
    assert len(kept) == KEPT_RUNS
    assert kept[0].name == "2026-01-01T000300Z.json"


def test_the_manifest_is_the_last_thing_written(shelf, tmp_path, monkeypatch):
    source = tmp_path / "run"
    source.mkdir()
    (source / "report.html").write_text("new")
    order = []
    from cxlib.report import publish as module

    replace = module.os.replace
    monkeypatch.setattr(module.os, "replace", lambda a, b: (order.append(str(b)), replace(a, b))[1])
    publish(source, tmp_path / "job", read_manifest(shelf.out / "good"))
    assert order[:2] == [str(source / "manifest.json"), str(tmp_path / "job" / "report.html")]
    assert order[-1] == str(tmp_path / "job" / "manifest.json")
