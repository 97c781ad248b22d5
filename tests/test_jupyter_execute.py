"""Every notebook runs by its defaults in `jupyter execute`, as the jobs of JupyterLab do.

`make test` takes the first; `make test-notebooks` takes them all.
"""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
if not os.environ.get("CXLIB_ALL_NOTEBOOKS"):
    NOTEBOOKS = NOTEBOOKS[:1]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_by_its_defaults(path, tmp_path):
    options = ["--timeout=300", f"--output={tmp_path / path.name}"]
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "execute", str(path), *options],
        cwd=tmp_path,
        env=os.environ | {"CXLIB_TABLES": str(tmp_path), "JUPYTER_PLATFORM_DIRS": "1"},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    nb = nbformat.read(tmp_path / path.name, as_version=4)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code if cell.source.strip())
    shown = [output for cell in code for output in cell.outputs]
    assert not [output for output in shown if output.output_type == "error"]
    assert [output for output in shown if "image/png" in output.get("data", {})]
    assert not nbformat.read(path, as_version=4).cells[3].get("outputs")
