"""What is due is run once; what is not is left alone; one bad job holds up no other."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from cxlib.errors import RefusedError
from cxlib.report.due import due_runs, remember_tries
from tests.report.conftest import cxlib, write_notebook

MONDAY = datetime(2026, 11, 23, 6, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    write_notebook(
        tmp_path / "a.ipynb", "# A", ("fail: bool = False", "parameters"), ("1 / (not fail)",)
    )
    write_notebook(tmp_path / "b.ipynb", "# B", ('data: "InputFile" = "gone.csv"', "parameters"))
    (tmp_path / "jobs.toml").write_text(
        '[weekly]\nnotebook = "a.ipynb"\nschedule = "0 6 * * 1"\n'
        '[monthly]\nnotebook = "a.ipynb"\nschedule = "0 6 1 * *"\nparameters = {fail = true}\n'
        '[broken]\nnotebook = "b.ipynb"\nschedule = "0 6 * * 1"\n[never]\nnotebook = "a.ipynb"\n'
    )
    return tmp_path


def due(folder, now, *names):
    runs, refused = due_runs(folder / "jobs.toml", names, {}, folder / "out", now=now)
    return [run.folder for run in runs], sorted(refused)


def tried(folder, name, moment, failed=False):
    place = folder / "out" / "failed" / name if failed else folder / "out" / name
    place.mkdir(parents=True, exist_ok=True)
    manifest = {"status": "failed" if failed else "ok", "started_at": moment.isoformat()}
    (place / "manifest.json").write_text(json.dumps(manifest))


def test_a_job_is_due_from_its_time_until_it_was_tried(folder):
    assert due(folder, MONDAY, "weekly") == (["weekly"], [])
    tried(folder, "weekly", MONDAY - timedelta(seconds=1))
    assert due(folder, MONDAY - timedelta(seconds=1), "weekly") == ([], [])
    assert due(folder, MONDAY, "weekly") == (["weekly"], [])
    tried(folder, "weekly", MONDAY + timedelta(seconds=3), failed=True)
    assert due(folder, MONDAY + timedelta(days=6), "weekly") == ([], [])
    assert due(folder, MONDAY + timedelta(days=7), "weekly") == (["weekly"], [])


def test_an_unchanged_job_counts_as_tried(folder):
    tried(folder, "weekly", MONDAY - timedelta(days=3))
    remember_tries(folder / "out", ["weekly", "elsewhere"], MONDAY + timedelta(minutes=1))
    assert due(folder, MONDAY + timedelta(hours=1), "weekly") == ([], [])
    assert "elsewhere" not in (folder / "out" / ".tries.json").read_text()


def test_a_job_that_cannot_be_planned_holds_up_no_other(folder):
    assert due(folder, MONDAY) == (["weekly", "monthly"], ["broken"])
    tried(folder, "broken", MONDAY, failed=True)
    assert due(folder, MONDAY) == (["weekly", "monthly"], [])


def test_a_job_without_a_schedule_is_refused(folder):
    with pytest.raises(RefusedError, match="'never' has none"):
        due(folder, MONDAY, "never")


def test_the_command_runs_what_is_due_once(folder):
    first = cxlib("run", "--due", "--jobs", "jobs.toml", folder=folder)
    assert first.returncode == 1, first.stderr
    assert "monthly failed in cell" in first.stderr
    assert "broken was refused" in first.stderr
    assert "gone.csv" in first.stderr
    assert {p.parent.name for p in (folder / "out").glob("*/manifest.json")} == {"weekly"}
    assert {p.name for p in (folder / "out" / "failed").iterdir()} == {"monthly", "broken"}
    again = cxlib("run", "--due", "--jobs", "jobs.toml", folder=folder)
    assert (again.returncode, again.stdout.strip()) == (0, "Nothing is due.")
