"""What can go wrong around a run: each is a clear state on the shelf."""

import errno
import json
import os
import subprocess
import time

import pytest

from cxlib.report import pool
from cxlib.report.lock import only_runner
from cxlib.report.plan import make_plan
from cxlib.report.pool import run_all
from cxlib.report.publish import read_manifest, verify

from .conftest import cxlib, within_its_time, write_notebook

COUNT = (
    "from pathlib import Path\nseen = Path('tries.txt')\n"
    "tries = len(seen.read_text()) if seen.exists() else 0\nseen.write_text('x' * (tries + 1))\n"
)


@pytest.fixture
def job(tmp_path):
    def make(code, more="", cell="n: int = 1"):
        write_notebook(tmp_path / "n.ipynb", "# T", (cell, "parameters"), (code,))
        (tmp_path / "jobs.toml").write_text(f'[a]\nnotebook = "n.ipynb"\n{more}')
        return make_plan(tmp_path / "jobs.toml"), tmp_path / "out"

    return make


def run(made, **options):
    runs, out = made
    with only_runner(out):
        (outcome,) = run_all(runs, out, **{"workers": 1, "timeout_seconds": 600, **options})
    return outcome


def test_a_breakdown_is_tried_again_and_counted(job):
    made = job(COUNT + "if tries < 2: import os; os._exit(1)", "retries = 3\n")
    outcome = run(made)
    assert outcome.status == "ok"
    assert read_manifest(outcome.folder)["attempts"] == 3


def test_bad_content_is_not_tried_again(job, tmp_path):
    outcome = run(job(COUNT + "import cxlib as cx\nraise cx.CxError('bad')", "retries = 3\n"))
    assert outcome.error == {"cell": 3, "message": "bad"}
    assert read_manifest(outcome.folder)["attempts"] == 1
    assert (tmp_path / "tries.txt").read_text() == "x"


def test_the_time_limit_covers_all_attempts(job, tmp_path):
    code = COUNT + "import time, os\nif tries: time.sleep(600)\nos._exit(1)"

    def attempt(seconds):
        (tmp_path / "tries.txt").unlink(missing_ok=True)
        made, began = job(code, f"retries = 5\ntimeout_minutes = {seconds / 60!r}\n"), now()
        return run(made), now() - began

    def tried_twice():
        tries = tmp_path / "tries.txt"
        return tries.is_file() and tries.read_text() == "xx"

    now = time.monotonic
    seconds, (outcome, took) = within_its_time(attempt, tried_twice)
    assert seconds <= outcome.seconds <= took < 300  # and not the 600 s that the notebook wants
    assert outcome.error["message"] == f"The run took longer than {seconds} seconds and was ended."
    assert read_manifest(outcome.folder)["attempts"] == 2


def test_an_unchanged_job_is_skipped_until_something_of_it_changes(job, tmp_path):
    (tmp_path / "d.csv").write_text("x\n1\n")
    cell = 'n: int = 1\ndata: "InputFile" = "d.csv"'
    made = job("import cxlib as cx\ncx.say('a')", cell=cell)
    assert not run(made).unchanged
    before = read_manifest(made[1] / "a")
    again = run(made)
    assert (again.unchanged, again.status, again.seconds) == (True, "ok", 0.0)
    assert read_manifest(made[1] / "a") == before
    assert not run(made, fresh=True).unchanged
    assert read_manifest(made[1] / "a")["key"] == before["key"]

    (tmp_path / "d.csv").write_text("x\n2\n")
    assert not run(made).unchanged
    assert not run(job("import cxlib as cx\ncx.say('b')", cell=cell)).unchanged
    made = job("import cxlib as cx\ncx.say('b')", "parameters = {n = 2}\n", cell=cell)
    assert not run(made).unchanged
    (made[1] / "a" / "report.html").write_text("spoilt")
    assert not run(made).unchanged
    assert verify(made[1] / "a") == []


def test_what_does_not_make_the_report_is_renewed_without_a_run(job):
    run(job("1 + 1"))
    more = 'schedule = "0 6 * * 1"\nalert = [{value = "x", below = 3}]\n'
    made = job("1 + 1", more)
    assert run(made).unchanged
    manifest = read_manifest(made[1] / "a")
    assert manifest["schedule"] == "0 6 * * 1"
    assert manifest["alert"] == [{"value": "x", "below": 3}]
    assert verify(made[1] / "a") == []


def test_the_command_says_unchanged(job, tmp_path):
    job("1 + 1")
    assert "a: ok (" in cxlib("run", "--jobs", "jobs.toml", folder=tmp_path).stdout
    second = cxlib("run", "--jobs", "jobs.toml", folder=tmp_path)
    assert second.returncode == 0
    assert second.stdout.splitlines()[0] == "a: unchanged"
    third = cxlib("run", "--jobs", "jobs.toml", "--fresh", folder=tmp_path)
    assert "a: ok (" in third.stdout


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EROFS, "The disk is read-only"),
        (errno.EACCES, "Writing is not permitted"),
    ],
)
def test_a_disk_that_takes_nothing_is_told_and_the_last_report_stays(
    job, tmp_path, monkeypatch, code, words
):
    made = job("1 + 1")
    run(made)
    before = (made[1] / "a" / "manifest.json").read_bytes()

    def full(source, target, manifest):
        if source is not None:
            raise OSError(code, os.strerror(code), str(target / "report.html"))
        return publish(source, target, manifest)

    publish = pool.publish
    monkeypatch.setattr(pool, "publish", full)
    outcome = run(made, fresh=True)
    assert outcome.status == "failed"
    assert outcome.error["message"] == f"{words}: out/a/report.html."  # and no folder further up
    assert (made[1] / "a" / "manifest.json").read_bytes() == before
    assert read_manifest(made[1] / "failed" / "a")["error"] == outcome.error
    assert not list(made[1].glob(".run-*"))


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of one megabyte; only root can mount it."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not hasattr(os, "geteuid") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_run_that_fills_the_disk_fails_in_words_and_is_cleared_away(job, small_disk):
    made = job("1 + 1")[0], small_disk / "out"
    assert run(made).status == "ok"
    code = "import os\nfrom pathlib import Path\nt = Path(os.environ['CXLIB_TABLES'])\nt.mkdir()\n"
    filling = job(code + "(t / 'big.csv').write_bytes(b'x' * 2_000_000)")[0], small_disk / "out"
    outcome = run(filling)
    assert outcome.status == "failed"
    assert (
        "No space left on device" in outcome.error["message"]
        or "The disk is full" in (outcome.error["message"])
    )
    assert read_manifest(small_disk / "out" / "failed" / "a")["error"] == outcome.error
    assert verify(small_disk / "out" / "a") == []
    assert not list((small_disk / "out").glob(".run-*"))


def test_a_job_folder_that_cannot_be_is_a_failure_in_words(job):
    made = job("1 + 1")
    made[1].mkdir()
    (made[1] / "a").write_text("a file where the report's folder belongs")
    outcome = run(made)
    assert outcome.status == "failed"
    assert "File exists" in outcome.error["message"]
    assert json.loads((made[1] / "failed" / "a" / "manifest.json").read_text())["error"]
