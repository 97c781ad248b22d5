"""The shelf tells failures first, and marks what does not match its manifest."""

import json
import shutil

from bs4 import BeautifulSoup

from cxlib.report.publish import KEPT_RUNS, publish, read_manifest
from cxlib.report.shelf import build_shelf


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
    assert order[0].endswith("report.html")
    assert order[-1] == str(tmp_path / "job" / "manifest.json")
