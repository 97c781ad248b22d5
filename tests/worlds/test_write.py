"""Worlds on disk: read back equal, never over foreign files, and the shipped sample."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

import cxlib as cx
from cxlib.errors import CxError
from cxlib.worlds import write
from cxlib.worlds.world import World
from cxlib.worlds.write import write_world

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
TABLES = ("responses", "transactions", "contacts", "customers", "usage", "events")


@pytest.fixture(scope="module")
def tiny():
    return World(7, 60, 20)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Categories as text, so that frames from anywhere compare."""
    text = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(text, object))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.filterwarnings("ignore::cxlib.errors.CxWarning")
def test_readers_accept_the_written_tables(tiny, tmp_path, name):
    write_world(tiny, tmp_path / "world", "csv")
    read = getattr(cx, f"read_{name}")(tmp_path / "world" / f"{name}.csv")
    mine = plain(tiny.tables[name])
    if name == "contacts":  # "none" is a level of recovery here, not a missing value
        assert (read["recovery"].fillna("?") == mine["recovery"].fillna("?")).all()
    assert list(read) == list(mine)
    for column in mine:
        a, b = mine[column], read[column]
        assert (a.isna() == b.isna()).all(), column
        assert (a[a.notna()].astype(str) == b[b.notna()].astype(str)).all(), column


@pytest.mark.parametrize("name", TABLES)
def test_parquet_gives_the_tables_back(tiny, tmp_path, name):
    write_world(tiny, tmp_path / "world")
    read = pd.read_parquet(tmp_path / "world" / f"{name}.parquet")
    pd.testing.assert_frame_equal(plain(read), plain(tiny.tables[name]), check_dtype=False)


def test_truth_json_holds_finite_numbers_or_null(tiny, tmp_path):
    paths = write_world(tiny, tmp_path / "world")
    assert paths[-1].name == "truth.json"

    def refuse(text):
        raise AssertionError(text)

    truth = json.loads(paths[-1].read_text(), parse_constant=refuse)
    assert truth["seed"] == 7
    assert truth["start"] == "2024-01-01"
    assert truth["dials"]["weight_quality"] == 0.5
    assert truth["driver_weights"]["quality"] == 0.5
    assert len(truth["nps_by_week"]["nps"]) == len(truth["nps_by_week"]["week"]) > 10
    assert {row["population"] for row in truth["recovery_effects"]} == {"everyone", "overlap"}


def test_a_sealed_world_writes_no_truth(tmp_path):
    world = World(7, 30, 8, sealed=True)
    truth = json.loads(write_world(world, tmp_path / "w")[-1].read_text())
    assert truth["sealed"] is True
    assert set(truth) == {"cxlib", "customers", "weeks", "start", "sealed"}  # the seed is the key


def test_an_earlier_world_is_replaced_whole(tiny, tmp_path):
    write_world(tiny, tmp_path / "w", "csv")
    write_world(tiny, tmp_path / "w", "parquet")
    names = {path.name for path in (tmp_path / "w").iterdir()}
    assert names == {f"{name}.parquet" for name in TABLES} | {"truth.json"}
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


@pytest.mark.parametrize("foreign", ["notes.txt", "responses.csv"])
def test_foreign_files_are_never_overwritten(tiny, tmp_path, foreign):
    (tmp_path / foreign).write_text("mine")
    with pytest.raises(CxError, match=r"no earlier world.*Nothing written"):
        write_world(tiny, tmp_path, "csv")
    assert [p.name for p in tmp_path.iterdir()] == [foreign]
    assert (tmp_path / foreign).read_text() == "mine"


def test_a_foreign_file_beside_an_earlier_world_is_refused_too(tiny, tmp_path):
    write_world(tiny, tmp_path, "csv")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CxError, match=r"notes\.txt\. Nothing written"):
        write_world(tiny, tmp_path, "parquet")
    assert (tmp_path / "responses.csv").exists()


def test_a_failure_half_way_leaves_the_earlier_world(tiny, tmp_path, monkeypatch):
    folder = tmp_path / "w"
    write_world(tiny, folder, "csv")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full_disk(world):
        raise OSError("no space left")

    monkeypatch.setattr(write, "_truth", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_world(World(8, 40, 10), folder, "csv")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def test_unknown_formats_and_files_in_the_way_are_refused(tiny, tmp_path):
    with pytest.raises(CxError, match="format must be one of parquet, csv"):
        write_world(tiny, tmp_path / "w", "xlsx")
    (tmp_path / "file").write_text("")
    with pytest.raises(CxError, match="cannot be written"):
        write_world(tiny, tmp_path / "file" / "below")
    with pytest.raises(CxError, match="is a file, not a folder"):
        write_world(tiny, tmp_path / "file")


def test_the_sample_is_small_and_regenerates_equal(tmp_path):
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 1_500_000
    made = {path.name: path for path in write_world(World(7, 200, 52), tmp_path / "w", "csv")}
    assert {path.name for path in SAMPLE.iterdir()} == set(made)
    for name in TABLES:
        shipped = (SAMPLE / f"{name}.csv").read_text("utf-8")
        assert made[f"{name}.csv"].read_text("utf-8") == shipped, name
    shipped, again = (
        json.loads(path.read_text()) for path in (SAMPLE / "truth.json", made["truth.json"])
    )
    assert close(shipped, again)


def close(a, b) -> bool:
    """Equal but for the last digits of floating point, which differ between machines."""
    if isinstance(a, dict):
        return set(a) == set(b) and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)
    return a == b
