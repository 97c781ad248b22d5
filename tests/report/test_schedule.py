"""The text for cron and systemd works: its own shell runs it, systemd verifies it."""

import os
import shutil
import subprocess

import pytest

from cxlib.errors import RefusedError
from cxlib.report.schedule import cron_lines, systemd_units
from tests.report.conftest import cxlib, write_notebook


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Two jobs of one schedule and one of another, in a folder whose name needs quotes."""
    folder = tmp_path / "a 100% \"quoted\" 'folder' $HOME"
    folder.mkdir()
    write_notebook(folder / "a.ipynb", "# A", ("import cxlib as cx\ncx.record('x', 1)",))
    (folder / "jobs.toml").write_text(
        '[one]\nnotebook = "a.ipynb"\nschedule = "0 6 * * 1"\n'
        '[two]\nnotebook = "a.ipynb"\nschedule = "0  6 * * 1"\n'
        '[three]\nnotebook = "a.ipynb"\nschedule = "30 5 1 * fri"\n[never]\nnotebook = "a.ipynb"\n'
    )
    monkeypatch.chdir(folder)
    return folder


def test_a_crontab_line_is_run_by_the_shell_as_cron_would(odd):
    note, *lines = cron_lines(odd / "jobs.toml", odd / "out").splitlines()
    assert note.startswith("#")
    assert [line.partition("  ")[0] for line in lines] == ["0 6 * * 1", "30 5 1 * fri"]
    command = lines[0].partition("  ")[2]
    assert "%" not in command.replace(r"\%", "")
    done = subprocess.run(
        ["/bin/sh", "-c", command.replace(r"\%", "%")],  # what cron makes of it
        cwd="/",
        env={"HOME": "/", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    log = (odd / "out" / "schedule.log").read_text()
    assert done.returncode == 0, log + done.stderr
    assert "index.html" in log
    published = {path.parent.name for path in (odd / "out").glob("*/manifest.json")}
    assert published == {"one", "two"}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_verifies_the_units_and_cxlib_writes_them(odd):
    done = cxlib("schedule", "--as", "systemd", "--jobs", "jobs.toml", "--units", "u", folder=odd)
    assert done.returncode == 0, done.stderr
    names = sorted(os.listdir(odd / "u"))
    assert names == [f"cxlib-{n}.{kind}" for n in ("one", "three") for kind in ("service", "timer")]
    assert (odd / "u" / "cxlib-three.timer").read_text().count("OnCalendar=") == 2
    told = subprocess.run(
        ["systemd-analyze", "verify", "--user", *(str(odd / "u" / name) for name in names)],
        capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"XDG_RUNTIME_DIR": str(odd)},
    )  # fmt: skip
    ours = [line for line in told.stderr.splitlines() if "cxlib" in line or "u/" in line]
    assert (told.returncode, ours) == (0, []), told.stderr


def test_a_unit_keeps_the_words_of_its_command(odd):
    unit = systemd_units(odd / "jobs.toml", odd / "out")["cxlib-one.service"]
    (start,) = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    assert 'a 100%% \\"quoted\\" \'folder\' $$HOME/jobs.toml"' in start
    assert '"run" "one" "two"' in start


def test_what_cannot_be_scheduled_is_refused(tmp_path):
    write_notebook(tmp_path / "a.ipynb", "# A")
    (tmp_path / "jobs.toml").write_text('[a]\nnotebook = "a.ipynb"\n')
    with pytest.raises(RefusedError, match="no job with a schedule"):
        cron_lines(tmp_path / "jobs.toml", tmp_path / "out")
    (tmp_path / "jobs.toml").write_text('[a]\nnotebook = "a.ipynb"\nschedule = "0 6 * * *"\n')
    with pytest.raises(RefusedError, match="line end"):
        cron_lines(tmp_path / "jobs.toml", tmp_path / "o\nut")
    done = cxlib("schedule", "--as", "at", folder=tmp_path)
    assert (done.returncode, "cron or systemd" in done.stderr) == (2, True)
