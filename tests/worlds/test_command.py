"""`cxlib world`: the same company as in Python, refusals with exit code 2."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cxlib.worlds.declarations import DIALS
from cxlib.worlds.world import World


def run(*arguments):
    return subprocess.run(
        [Path(sys.executable).with_name("cxlib"), "world", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_writes_the_world_and_its_truth(tmp_path):
    out = tmp_path / "w"
    done = run("--seed", 3, "--customers", 60, "--weeks", 12, "--dial", "heaping=0.5", "--out", out)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == sorted(map(str, out.iterdir()), key=done.stdout.index)
    world = World(3, 60, 12, heaping=0.5)
    frame = pd.read_parquet(out / "transactions.parquet")
    assert frame["amount"].tolist() == world.transactions["amount"].tolist()
    truth = json.loads((out / "truth.json").read_text("utf-8"))
    assert truth["driver_weights"] == world.truth.driver_weights()


def test_impossible_wishes_are_refused_together(tmp_path):
    turned = ("--dial", "heaping=7", "--dial", "season=much")
    done = run("--customers", 0, *turned, "--out", tmp_path / "w")
    assert done.returncode == 2
    assert "customers" in done.stderr
    assert "heaping" in done.stderr
    assert "season must be a finite number, not 'much'" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("name", ["seed", "sealed", "events"])
def test_options_are_no_dials(tmp_path, name):
    done = run("--dial", f"{name}=1", "--out", tmp_path / "w")
    assert done.returncode == 2
    assert f"{name} is no dial." in done.stderr


def test_all_dials_are_listed_without_a_folder_to_write_into():
    done = run("--dials")
    assert done.returncode == 0, done.stderr
    for dial in DIALS:
        assert f"  {dial.name} = {dial.default:g} [{dial.unit}]" in done.stdout
        assert dial.meaning in done.stdout
