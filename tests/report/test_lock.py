"""Two runners never write to one shelf."""

import os
import re
import subprocess
import sys
import time

import pytest

from cxlib.errors import RefusedError
from cxlib.report.lock import only_runner

from .conftest import cxlib, write_notebook

HOLD = (
    "import sys, time\nfrom pathlib import Path\nfrom cxlib.report.lock import only_runner\n"
    "with only_runner(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
)


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_second_runner_is_refused_with_who_holds_the_shelf(tmp_path, holder):
    write_notebook(tmp_path / "n.ipynb", "# T", ("1 + 1",))
    (tmp_path / "jobs.toml").write_text('[a]\nnotebook = "n.ipynb"\n')
    refused = cxlib("run", "--jobs", "jobs.toml", folder=tmp_path)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert re.search(rf"\(process {holder.pid} on \S+, since 20\S+\)", refused.stderr)
    assert "Wait for it, end it, or name another folder by --out." in refused.stderr
    assert "Traceback" not in refused.stderr
    assert cxlib("run", "--jobs", "jobs.toml", "--out", "other", folder=tmp_path).returncode == 0


def test_a_killed_holder_gives_the_shelf_back(tmp_path, holder):
    with pytest.raises(RefusedError), only_runner(tmp_path / "out"):
        pass
    holder.kill()
    holder.wait()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with only_runner(tmp_path / "out"):
                assert f'"pid": {os.getpid()}' in (tmp_path / "out" / ".lock").read_text()
                return
        except RefusedError:
            time.sleep(0.05)
    pytest.fail("the lock outlived its holder")


def test_a_folder_that_cannot_be_is_refused_in_words(tmp_path):
    (tmp_path / "out").write_text("a file, not a folder")
    with (
        pytest.raises(RefusedError, match="The reports cannot be written to"),
        only_runner(tmp_path / "out"),
    ):
        pass
