"""A runner killed at any moment leaves no half report, no process, and work that is picked up."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cxlib.report.publish import read_manifest, verify

from .conftest import cxlib, write_notebook

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc of Linux")

MOMENTS = 30
JOBS = ("a", "b")
COMMAND = [sys.executable, "-c", "from cxlib.cli import main; main()"]


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Two jobs whose reports change with a parameter, once published whole."""
    folder = tmp_path_factory.mktemp("kill")
    write_notebook(
        folder / "n.ipynb",
        "# Small",
        ("round: int = 0", "parameters"),
        (
            "import os, subprocess, cxlib as cx\nfrom pathlib import Path\n"
            "child = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
            "cx.record('round', round)\n"
            "tables = Path(os.environ['CXLIB_TABLES'])\ntables.mkdir()\n"
            "(tables / 't.csv').write_text(f'{round}')",
        ),
    )
    text = "".join(f'[{job}]\nnotebook = "n.ipynb"\n' for job in JOBS)
    (folder / "jobs.toml").write_text(text)
    assert cxlib("run", "--jobs", "jobs.toml", folder=folder).returncode == 0
    return folder


def ours(folder: Path) -> list[psutil.Process]:
    """Processes with the folder in their environment: runner, zygote, runs, kernels, children."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("CXLIB_KILL_TEST") == str(folder):
                found.append(process)
        except psutil.Error:
            continue
    return [p for p in found if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def start(folder: Path, number: int, *more: str) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, "run", "--jobs", "jobs.toml", "-p", f"round={number}", *more],
        cwd=folder,
        env=os.environ | {"CXLIB_KILL_TEST": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def await_end(folder: Path, seconds: float = 60) -> list[psutil.Process]:
    deadline = time.monotonic() + seconds
    while (left := ours(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


STAGES = {  # what can be seen of a run in its working folder, in order
    "begins": "",
    "works": "1",
    "executes": "1/report/report.ipynb",
    "draws": "1/report/report.html",
    "publishes": "1/report/manifest.json",
    "has published": "nothing more",
}


def is_published(folder: Path, job: str, number: int) -> bool:
    return read_manifest(folder / "out" / job)["values"]["round"]["value"] == number


def await_stage(folder: Path, number: int, stage: str, runner: subprocess.Popen) -> float:
    """Seconds until a run has come as far as a stage, or has ended by itself."""
    began, sign = time.monotonic(), STAGES[stage]
    while sign and runner.poll() is None and not is_published(folder, "a", number):
        if any((folder / "out").glob(f".run-{runner.pid}-*/{sign}")):
            break
        time.sleep(0.01)
    return time.monotonic() - began


def test_a_killed_runner_leaves_no_half_report_and_no_process(toy):
    # Each moment is random, and counts from what this run has done so far: by a clock read before,
    # all would come too early or too late as soon as the machine has more or less to do.
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    ways = {"warm": ((), JOBS), "cold": (("a", "--cold"), ("a",))}
    drawn = [(way, stage) for way in ways for stage in STAGES]
    drawn += [("cold", "begins")] * (MOMENTS - len(drawn))
    moments.shuffle(drawn)
    seen = set()
    for number, (way, stage) in enumerate(drawn, 2):
        options, chosen = ways[way]
        runner = start(toy, number, *options)
        took = await_stage(toy, number, stage, runner)
        last = read_manifest(toy / "out" / "a")["seconds"]
        pause = moments.uniform(0, 2 * last if stage == "begins" else 0.2 * took)
        with contextlib.suppress(subprocess.TimeoutExpired):
            runner.wait(pause)
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        assert await_end(toy) == []
        for job in JOBS:
            folder = toy / "out" / job
            manifest = read_manifest(folder)
            assert manifest["status"] == "ok"  # never half of a manifest
            whole_folder = verify(folder) == []
            if job in chosen:
                seen.add(manifest["values"]["round"]["value"] == number)
            if whole_folder:
                value = int(manifest["values"]["round"]["value"])
                assert (folder / "tables" / "t.csv").read_text() == str(value)
        assert stage != "has published" or is_published(toy, "a", number)
    assert seen == {True, False}  # some were in time, some were not
    last = cxlib("run", "--jobs", "jobs.toml", "-p", "round=99", folder=toy)
    assert last.returncode == 0, last.stderr
    for job in JOBS:
        assert verify(toy / "out" / job) == []
        assert read_manifest(toy / "out" / job)["values"]["round"]["value"] == 99
    assert not list((toy / "out").rglob(".run-*"))
    assert not list((toy / "out").rglob(".part-*"))


def test_the_next_run_picks_up_where_the_killed_one_stopped(toy):
    runner = start(toy, 200, "-j", "1")
    await_stage(toy, 200, "has published", runner)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    assert await_end(toy) == []
    again = cxlib("run", "--jobs", "jobs.toml", "-p", "round=200", folder=toy)
    assert again.returncode == 0
    assert "a: unchanged" in again.stdout.splitlines()
    assert all(read_manifest(toy / "out" / j)["values"]["round"]["value"] == 200 for j in JOBS)
