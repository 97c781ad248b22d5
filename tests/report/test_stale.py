"""Stale inputs: by the job's own limit or by its schedule; shipped files do not age."""

import os
from datetime import UTC, datetime

import nbformat
import pytest

from cxlib.report.mail import read_entries
from cxlib.report.provenance import inputs
from cxlib.report.stale import stale
from tests.report.conftest import cxlib, write_notebook

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def report(written, **job):
    entries = [{"name": "sales.csv", "modified_at": written}]
    return {"schedule": None, "stale_after_days": None, "inputs": entries} | job


@pytest.mark.parametrize(
    ("written", "job", "old"),
    [
        ("2026-11-10T12:00:01+00:00", {"schedule": "0 6 * * 1"}, False),
        ("2026-11-10T11:59:59+00:00", {"schedule": "0 6 * * 1"}, True),
        ("2026-11-19T11:00:00+00:00", {"schedule": "0 6 * * 1-5"}, False),
        ("2026-11-18T11:00:00+00:00", {"schedule": "0 6 * * 1-5"}, True),
        ("2026-11-22T11:00:00+00:00", {"stale_after_days": 2}, True),
        ("2026-11-22T13:00:00+00:00", {"stale_after_days": 2}, False),
        ("2026-11-22T11:00:00+00:00", {"stale_after_days": 9, "schedule": "* * * * *"}, False),
        ("2020-01-01T00:00:00+00:00", {}, False),
        (None, {"stale_after_days": 1}, False),
    ],
)
def test_an_input_is_stale_beyond_its_limit(written, job, old):
    said = stale(report(written, **job), NOW)
    assert (said is not None) == old
    if old:
        assert said.startswith("Stale input: sales.csv was last written ")


def test_the_sentence_names_age_date_and_limit():
    assert stale(report("2026-11-01T00:00:00+00:00", stale_after_days=7.5), NOW) == (
        "Stale input: sales.csv was last written 24 days ago (1 November 2026); "
        "the job allows 7.5 days."
    )


def test_an_input_has_the_time_it_was_written_and_a_shipped_file_has_none(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("a\n1\n")
    moment = datetime(2024, 5, 1, tzinfo=UTC)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    code = 'cx.data_path("sample/contacts.csv"); cx.data_path("calibration.csv")'
    cells = [nbformat.v4.new_code_cell(code)]
    entries = {entry["name"]: entry for entry in inputs(cells, [str(path)])}
    assert entries["sales.csv"]["modified_at"] == moment.isoformat()
    assert entries["contacts.csv"]["modified_at"] is None
    assert entries["calibration.csv"]["modified_at"] is None


def test_an_input_written_again_with_the_same_content_is_no_change(tmp_path):
    code = ('data: "InputFile" = "sales.csv"', "parameters")
    write_notebook(tmp_path / "a.ipynb", "# A", code, ("print(data)",))
    (tmp_path / "sales.csv").write_text("a\n1\n")
    (tmp_path / "jobs.toml").write_text('[a]\nnotebook = "a.ipynb"\nstale_after_days = 1\n')
    said = []
    for age_days in (9, 0):
        moment = datetime.now(UTC).timestamp() - 86400 * age_days
        os.utime(tmp_path / "sales.csv", (moment, moment))
        said.append(cxlib("run", "--jobs", "jobs.toml", folder=tmp_path).stdout)
    (entry,) = read_entries(tmp_path / "out", ["a"])
    assert ["unchanged" in text for text in said] == [False, True]
    assert entry["stale"] is None
