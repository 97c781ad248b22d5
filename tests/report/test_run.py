"""From the command line to the shelf: real kernels, real files."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime

import pytest

from cxlib.report.publish import read_manifest, verify

from .conftest import cxlib, within_its_time, write_notebook


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_some_failed_is_exit_code_1_with_plain_lines_and_the_path_last(shelf):
    assert shelf.first.returncode == 1
    lines = shelf.first.stdout.splitlines()
    assert lines[-1] == str(shelf.out / "index.html")
    assert "good: started" in lines
    assert any(re.fullmatch(r"good: ok \(\d+\.\d s\)", line) for line in lines)
    assert "\x1b" not in shelf.first.stdout + shelf.first.stderr
    assert "Traceback" not in shelf.first.stderr


def test_the_manifest_names_every_output_by_its_true_hash(shelf):
    manifest = read_manifest(shelf.out / "good")
    assert manifest["status"] == "ok"
    assert {o["name"] for o in manifest["outputs"]} == {
        "report.html",
        "report.ipynb",
        "tables/segments.csv",
    }
    for entry in manifest["outputs"]:
        content = (shelf.out / "good" / entry["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert verify(shelf.out / "good") == []
    assert next(iter(manifest)) == "status"
    contract = "status key job notebook parameters inputs values started_at seconds attempts"
    assert set(f"{contract} versions outputs error".split()) <= set(manifest)
    assert manifest["notebook"] == "good.ipynb"


def test_values_inputs_and_versions_are_those_of_the_run(shelf):
    manifest = read_manifest(shelf.out / "good")
    assert manifest["values"]["nps_change"] == {
        "value": -4.02,
        "low": -11.2,
        "high": 3.1,
        "unit": "points",
        "n": 610,
        "level": 0.95,
        "period": None,
        "target": 0.0,
        "better": "up",
    }
    assert manifest["values"]["unknown"]["value"] is None
    content = (shelf.folder / "answers.csv").read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    # two records: the line break inside quotation marks is none of the file's rows
    (entry,) = manifest["inputs"]
    assert datetime.fromisoformat(entry.pop("modified_at")).timestamp() == int(
        (shelf.folder / "answers.csv").stat().st_mtime
    )
    assert entry == {"name": "answers.csv", "sha256": sha256, "rows": 2}
    assert manifest["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))


def test_nothing_is_left_over(shelf):
    left = {p.name for p in shelf.out.iterdir()}
    assert left - {".lock", ".tries.json"} == {
        "good",
        "light",
        "failed",
        "index.html",
        "index.json",
    }


def test_a_name_recorded_twice_and_a_formula_fail_with_their_cells(shelf):
    twice = read_manifest(shelf.out / "failed" / "twice")["error"]
    assert twice["cell"] == 3
    assert twice["message"] == "record: 'x' is recorded twice in this notebook; give each a name."
    formula = read_manifest(shelf.out / "failed" / "formula")["error"]
    assert formula["cell"] == 3
    assert r"the formula \nonsense{x} cannot be shown" in formula["message"]
    assert r"<code>\nonsense{x}</code>" in shelf.text("failed/formula/report.html")


def test_exported_text_is_no_formula_and_numbers_stay_numbers(shelf):
    assert shelf.text("good/tables/segments.csv") == (
        "seg <script>alert(7)</script>,n\nA & B,1234\n'=1+1,-5\n"
    )


def test_a_failure_leaves_the_last_good_report_as_it_is_and_a_success_clears_it(shelf):
    before = tree(shelf.out / "light")
    failing = cxlib("run", "light", "--jobs", "jobs.toml", "-p", "fail=true", folder=shelf.folder)
    assert failing.returncode == 1
    assert tree(shelf.out / "light") == before
    manifest = read_manifest(shelf.out / "failed" / "light")
    message = "answers.csv: <b>14</b> of 2,300 scores are 11."
    assert manifest["error"] == {"cell": 2, "message": message}
    assert f"light failed in cell 2:\n  {message}\n" in failing.stderr
    assert "Traceback" not in failing.stderr
    page = shelf.text("index.html")
    assert "answers.csv: &lt;b&gt;14&lt;/b&gt; of 2,300 scores are 11." in page
    assert "stopped in cell 2" in page
    assert page.index("stopped in cell 2") < page.index('id="reports"')
    failed_page = shelf.text("failed/light/report.html")
    assert "This run did not finish" in failed_page
    assert "What never ran" not in failed_page
    assert "What never ran" in shelf.text("light/report.html")
    assert verify(shelf.out / "failed" / "light") == []

    (shelf.out / "light" / "report.html").write_text("spoilt")
    (shelf.out / "light" / "surplus.txt").write_text("x")
    assert verify(shelf.out / "light") == [
        "surplus.txt is not in the manifest",
        "report.html was changed after the run",
    ]
    mending = cxlib("run", "light", "--jobs", "jobs.toml", "--fresh", folder=shelf.folder)
    assert mending.returncode == 0
    assert not (shelf.out / "failed" / "light").exists()
    assert verify(shelf.out / "light") == []
    assert not (shelf.out / "light" / "surplus.txt").exists()
    assert len(list((shelf.out / "light" / "history").glob("*.json"))) == 2
    keys = [
        json.loads(content)["key"]
        for path, content in before.items()
        if path.name == "manifest.json"
    ]
    assert read_manifest(shelf.out / "light")["key"] == keys[0]


def test_a_refusal_is_exit_code_2_runs_nothing_and_shows_on_the_shelf(shelf):
    before = tree(shelf.out / "good")
    refused = cxlib(
        "run",
        "good",
        "--jobs",
        "jobs.toml",
        "-p",
        "answers=none.csv",
        "-p",
        "level=x",
        folder=shelf.folder,
    )
    assert refused.returncode == 2
    assert "started" not in refused.stdout
    assert "none.csv" in refused.stderr
    assert "level, 'x', is a text, not a number (job good)" in refused.stderr
    assert tree(shelf.out / "good") == before
    assert "none.csv" in shelf.text("index.html")
    unknown = cxlib("run", "goood", "--jobs", "jobs.toml", folder=shelf.folder)
    assert unknown.returncode == 2
    assert "Did you mean good?" in unknown.stderr


@pytest.fixture
def slow(tmp_path):
    """A job that starts a process of its own and then never ends."""
    write_notebook(
        tmp_path / "slow.ipynb",
        "# Slow",
        (
            "import pathlib, subprocess, os, time\n"
            "child = subprocess.Popen(['sleep', '600'])\n"
            "pathlib.Path('pids').write_text(f'{os.getpid()} {child.pid}')\ntime.sleep(600)",
        ),
    )
    (tmp_path / "jobs.toml").write_text('[slow]\nnotebook = "slow.ipynb"\n')
    return tmp_path


def ended(folder, seconds=60):
    """Whether the kernel and its child are gone, or will be soon."""
    pids = [int(pid) for pid in (folder / "pids").read_text().split()]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.1)
    return False


def _runs(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux's /proc")


@needs_proc
def test_a_run_beyond_its_time_is_killed_with_all_that_it_started(slow):
    def attempt(seconds):
        return cxlib("run", "--jobs", "jobs.toml", "--timeout", seconds, folder=slow)

    seconds, done = within_its_time(attempt, (slow / "pids").exists)
    assert done.returncode == 1
    error = read_manifest(slow / "out" / "failed" / "slow")["error"]
    assert error["cell"] == 2
    assert error["message"] == f"The run took longer than {seconds} seconds and was ended."
    assert ended(slow)


@needs_proc
@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_runner_that_is_stopped_leaves_no_process(slow, sign, code):
    # A shell's background jobs inherit a deaf ear for SIGINT; here it must be heard.
    hear = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{hear}; from cxlib.cli import main; main()"]
    process = subprocess.Popen(
        [*command, "run", "--jobs", "jobs.toml"],
        cwd=slow,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not (slow / "pids").exists() and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(sign)
    _, said = process.communicate(timeout=120)
    assert process.returncode == code
    assert ended(slow)
    if sign == signal.SIGINT:
        assert "Interrupted: what was running has been ended" in said
        assert "Traceback" not in said
        assert not list((slow / "out").glob(".run-*"))
        assert not (slow / "out" / "failed").exists()  # interrupted is not failed
        index = json.loads((slow / "out" / "index.json").read_text("utf-8"))
        assert index["interrupted"] == ["slow"]
        assert "before it had finished slow." in (slow / "out" / "index.html").read_text("utf-8")
