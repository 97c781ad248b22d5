"""Stale inputs: by the job's own limit or by its schedule; shipped files do not age."""

import os
from datetime import UTC, datetime

import nbformat
import pytest

from cxlib.report.provenance import inputs, key
from cxlib.report.stale import stale

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


def test_the_time_of_an_input_is_recorded_but_decides_no_key(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_text("a\n1\n")
    nb = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell('cx.data_path("sample/contacts.csv")')]
    )
    keys = []
    for year in (2024, 2026):
        moment = datetime(year, 5, 1, tzinfo=UTC)
        os.utime(path, (moment.timestamp(), moment.timestamp()))
        entries = {entry["name"]: entry for entry in inputs(nb, [str(path)])}
        assert entries["sales.csv"]["modified_at"] == moment.isoformat()
        assert entries["contacts.csv"]["modified_at"] is None
        keys.append(key(nb, {}, list(entries.values())))
    assert keys[0] == keys[1]
