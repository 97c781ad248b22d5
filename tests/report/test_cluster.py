"""Runs on other machines: a scheduler and two workers, here all on loopback."""

import json
import os
import subprocess
import sys
import time

import pytest

from cxlib.report.publish import read_manifest, verify

from .conftest import cxlib, within_its_time, write_notebook

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
JOBS = tuple("abcdef")


def dask(*arguments, folder):
    log = (folder / f"{arguments[0]}.log").open("ab")
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=os.environ | {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "10s"},
    )


def worker(address, folder):
    options = ["--nthreads", "1", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1"]
    return dask("worker", address, *options, folder=folder)


@pytest.fixture
def cluster(tmp_path):
    """The address and the processes of two workers."""
    processes = [
        dask(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(tmp_path / "scheduler.json")),
            folder=tmp_path,
        )
    ]
    try:
        yield from _with_two_workers(processes, tmp_path)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _with_two_workers(processes, tmp_path):
    told = tmp_path / "scheduler.json"
    while not (told.exists() and told.read_text().rstrip().endswith("}")):
        assert processes[0].poll() is None
        time.sleep(0.05)
    address = json.loads(told.read_text())["address"]
    workers = [worker(address, tmp_path) for _ in range(2)]
    processes += workers
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=240)
    yield address, workers


def write_jobs(folder, code, more=""):
    write_notebook(folder / "n.ipynb", "# T", ("n: int = 1", "parameters"), (code,))
    tables = [f'[{job}]\nnotebook = "n.ipynb"\n{more}' for job in JOBS]
    (folder / "jobs.toml").write_text("".join(tables))


def test_all_reports_arrive_though_a_worker_is_killed_in_mid_run(cluster, tmp_path):
    address, workers = cluster
    write_jobs(
        tmp_path,
        "import os, time, cxlib as cx\nfrom pathlib import Path\n"
        "Path(f'{os.getpid()}.started').touch()\ntime.sleep(1)\ncx.record('x', 1)\n"
        "tables = Path(os.environ['CXLIB_TABLES'])\ntables.mkdir()\n"
        "(tables / 't.csv').write_text('x')",
    )
    command = [sys.executable, "-c", "from cxlib.cli import main; main()", "run"]
    runner = subprocess.Popen(
        [*command, "--jobs", "jobs.toml", "--dask", address],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while len(list(tmp_path.glob("*.started"))) < 2 and runner.poll() is None:
        time.sleep(0.05)
    workers[0].kill()
    _, said = runner.communicate(timeout=240)
    assert runner.returncode == 0, said
    assert len(list(tmp_path.glob("*.started"))) > len(JOBS)  # what the dead one had was done again
    for job in JOBS:
        assert verify(tmp_path / "out" / job) == []
        manifest = read_manifest(tmp_path / "out" / job)
        assert manifest["values"]["x"]["value"] == 1
        names = [entry["name"] for entry in manifest["outputs"]]
        assert names == ["report.html", "report.ipynb", "tables/t.csv"]


def test_limits_and_failures_over_there_are_told_here(cluster, tmp_path):
    address, _ = cluster
    code = (
        "import time, cxlib as cx\nfrom pathlib import Path\n"
        "if n == 1: raise cx.CxError('bad')\nPath('asleep').touch()\ntime.sleep(600)"
    )
    write_jobs(tmp_path, code)
    done = cxlib("run", "a", "--jobs", "jobs.toml", "--dask", address, folder=tmp_path)
    assert done.returncode == 1
    assert "a failed in cell 3:\n  bad" in done.stderr

    def attempt(seconds):
        slow = ("run", "b", "-p", "n=2", "--timeout", seconds, "--jobs", "jobs.toml")
        return cxlib(*slow, "--dask", address, folder=tmp_path)

    seconds, done = within_its_time(attempt, (tmp_path / "asleep").exists)
    assert done.returncode == 1
    assert f"b failed in cell 3:\n  The run took longer than {seconds} seconds" in done.stderr


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://x"])
def test_a_scheduler_that_does_not_answer_is_refused(tmp_path, address, monkeypatch):
    from cxlib.errors import RefusedError
    from cxlib.report import cluster as module

    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 1)
    with pytest.raises(RefusedError, match="No scheduler of dask answers"):
        module.connected(address).__enter__()


def test_the_refusal_is_exit_code_2_and_runs_nothing(tmp_path):
    write_jobs(tmp_path, "1 + 1")
    refused = cxlib("run", "--jobs", "jobs.toml", "--dask", "tcp://127.0.0.1:9", folder=tmp_path)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert "No scheduler of dask answers at 'tcp://127.0.0.1:9'. Nothing was run." in refused.stderr
    assert "Traceback" not in refused.stderr
