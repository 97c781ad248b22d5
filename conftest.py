"""Shared by all tests and doctests: no figure outlives its test, and no skip where none may be."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(scope="session")
def run_jobs():
    """Run jobs, name to (notebook, parameters as TOML), in the folder `home`; returns `home`."""

    def run(home, jobs, *, processes=1, code=0):
        text = "".join(
            f'[{name}]\nnotebook = "{notebook}"\nparameters = {{ {given} }}\n'
            for name, (notebook, given) in jobs.items()
        )
        (home / "jobs.toml").write_text(text, "utf-8")
        command = [Path(sys.executable).with_name("cxlib"), "run", "-j", str(processes)]
        done = subprocess.run(
            [*command, "--jobs", "jobs.toml"], capture_output=True, text=True, check=False, cwd=home
        )
        assert done.returncode == code, done.stderr + done.stdout
        return home

    return run


@pytest.fixture
def run_cells(tmp_path, monkeypatch, capsys):
    """A notebook's cells in plain Python, quicker than a kernel: what they print, and their names.

    Tables go to ``tmp_path / "tables"``; warnings of cxlib are told as notes.
    """
    from cxlib import notebook
    from cxlib.errors import CxWarning

    def run(path, given, solutions=False):
        monkeypatch.setenv("CXLIB_TABLES", str(tmp_path / "tables"))
        monkeypatch.setattr(notebook, "_recorded", {})
        names: dict = {}
        with warnings.catch_warnings(record=True) as notes:
            warnings.simplefilter("always", CxWarning)
            for cell in json.loads(Path(path).read_text("utf-8"))["cells"]:
                tags = cell["metadata"].get("tags", [])
                if cell["cell_type"] == "code" and (solutions or "solution" not in tags):
                    exec("".join(cell["source"]), names)
                    if "parameters" in tags:
                        names |= given
        told = capsys.readouterr().out
        return "\n".join([told, *(f"Note: {note.message}" for note in notes)]), names

    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CXLIB_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"skipped where no skip is allowed: {report.longrepr}"
