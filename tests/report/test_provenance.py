"""The key of a report: everything that decides it counts, and nothing else."""

import pytest

import cxlib
from cxlib.report import provenance
from cxlib.report.provenance import inputs, key

CELLS = [{"cell_type": "code", "source": "x = 1", "tags": ["parameters"]}]


@pytest.fixture
def lock(tmp_path, monkeypatch):
    path = tmp_path / "requirements.lock"
    path.write_text("numpy==2")
    monkeypatch.setattr(provenance, "_LOCK", path)
    return path


def test_equal_runs_share_a_key_wherever_their_files_lie(tmp_path, lock):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "d.csv").write_text("x")
    here, there = ({"data": str(tmp_path / f / "d.csv"), "n": 1} for f in ("here", "there"))
    assert key(CELLS, here, ["h"]) == key(CELLS, there, ["h"])


def test_whatever_decides_a_report_makes_another_key(lock, monkeypatch):
    def now(cells=CELLS, parameters=None, hashes=("h",)):
        return key(cells, parameters or {"n": 1}, hashes)

    seen = [
        now(),
        now(parameters={"n": 2}),
        now(hashes=["other content"]),
        now(cells=[CELLS[0] | {"source": "x = 2"}]),
        now(cells=[CELLS[0] | {"tags": []}]),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(cxlib, "__version__", "99")
        seen.append(now())
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "_code", lambda: "an edited library")
        seen.append(now())
    assert now() == seen[0]
    lock.write_text("numpy==3")
    assert len({*seen, now()}) == len(seen) + 1


def test_rows_of_the_same_content_are_counted_once(tmp_path, monkeypatch):
    for name in ("a.csv", "b.csv", "c.txt"):
        (tmp_path / name).write_text("score\n9\n3\n")
    first = inputs([], [str(tmp_path / "a.csv")])
    assert first[0]["rows"] == 2
    monkeypatch.setattr(provenance, "_rows", lambda path: f"{path.name} was counted")
    names = ("a.csv", "b.csv", "c.txt")
    again = inputs([], [str(tmp_path / name) for name in names], first)
    assert [entry["rows"] for entry in again] == [2, 2, "c.txt was counted"]
    (tmp_path / "a.csv").write_text("score\n9\n")
    assert inputs([], [str(tmp_path / "a.csv")], first)[0]["rows"] == "a.csv was counted"
