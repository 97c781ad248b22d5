"""What the process that warm kernels are forked from does once: imports, and every first use.

Nothing here may start a thread, open a zmq context or a DuckDB connection, draw by pyplot or make
an IPython shell: forks would share it. matplotlib_inline's backend stays out, too: imported here,
it would never be set up in a fork, and all figures would vanish.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Mapping
from functools import partial

from cxlib.report.worker import KERNEL_ENVIRONMENT, ZYGOTE_VARIABLE

_MODULES = """
    cxlib.cli cxlib.notebook cxlib.clv cxlib.stats cxlib.worlds.world cxlib.tables.read
    cxlib.tables.samples cxlib.metrics.promoter cxlib.metrics.effort cxlib.metrics.satisfaction
    cxlib.figures.style cxlib.figures.sampling cxlib.figures.timeline cxlib.figures.trend
    cxlib.report.execute cxlib.report.engine cxlib.report.frames pandas pandas.io.formats.csvs
    pandas.io.formats.string matplotlib.pyplot seaborn scipy.stats scipy.optimize
    statsmodels.discrete.discrete_model statsmodels.genmod.generalized_linear_model
    statsmodels.stats.proportion duckdb pyarrow.parquet pyarrow.pandas_compat great_tables papermill
    ipykernel.kernelapp ipykernel.ipkernel ipykernel.debugger tornado.platform.asyncio
    tornado.queues faulthandler pdb IPython.core.completer IPython.core.completerlib
    IPython.core.debugger IPython.core.logger IPython.core.oinspect IPython.core.pylabtools
    IPython.extensions.storemagic"""
_MAGICS = """
    ast_mod auto basic config display execution extension history logging namespace osm packaging
    pylab script"""
_OFTEN = 3  # runs of one notebook from which it pays to draw its prose and code for all of them


def _preload(notebooks: Mapping[str, int]) -> None:
    """Get ready for so many runs of each of these notebooks."""
    from cxlib.report import kernels

    show = "import json, sys; print(json.dumps(sys.path[1:]))"
    fresh = subprocess.Popen([sys.executable, "-c", show], stdout=subprocess.PIPE)
    gc.disable()
    os.environ.update(KERNEL_ENVIRONMENT)
    sys.modules.setdefault("rfc3987_syntax", None)
    with contextlib.redirect_stderr(io.StringIO()):  # the debugger talks of frozen modules
        magics = [f"IPython.core.magics.{name}" for name in _MAGICS.split()]
        for name in (*_MODULES.split(), *magics):
            with contextlib.suppress(ImportError):  # the notebook that needs it will say so
                importlib.import_module(name)
    looks = (partial(_look_at, notebook, runs) for notebook, runs in notebooks.items())
    for prepare in (_draw_a_figure, _draw_a_page, *looks):
        with contextlib.suppress(Exception), warnings.catch_warnings(action="ignore"):
            prepare()  # what cannot be drawn is its own run's matter
    kernels.fresh_path[:] = json.loads(fresh.communicate()[0])
    gc.freeze()  # forks neither look through what is here nor write to it
    gc.enable()


def _draw_a_figure() -> None:
    """Load fonts, and numbers into tables; pyplot knows of no figure."""
    import matplotlib as mpl
    import pandas as pd
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from cxlib.report.frames import reader_table

    with mpl.rc_context({"axes.titleweight": "bold", "axes.titlelocation": "left"}):
        # no house style here: seaborn's names of colours would outlast it
        figure = Figure(layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        axes.set(title="a", xlabel="b", ylabel="c")
        axes.plot([-1, 1], label="d")
        axes.bar([0, 1], [2, 3])
        axes.legend()
        figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    frame = pd.DataFrame({"a": ["b", "c"], "d": [1.5, 2.5]})
    reader_table(frame).as_raw_html()
    frame.to_csv(io.StringIO())


def _draw_a_page() -> None:
    """Compile templates and lexers, and hash the code, which no fork then has to."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    from cxlib.report.provenance import first_manifest, key
    from cxlib.report.render import render_report

    table = {"text/html": "<table><tr><th>&nbsp;&auml;</th></tr></table>", "text/plain": "a"}
    outputs = [
        new_output("stream", text="a"),
        new_output("display_data", table),
        new_output("display_data", {"image/png": "", "text/plain": "a"}),
    ]
    cells = [
        new_markdown_cell("# a\n$b$, *c*\n\n- d\n## e\n## f"),
        new_code_cell("c = 1", outputs=outputs),
    ]
    nb = new_notebook(cells=cells)
    nbformat.validate(nb)
    key([], {}, [])
    figure = {"value": 1.0, "low": 0.0, "high": 2.0, "unit": "", "n": 5, "level": 0.95}
    manifest = first_manifest({"job": "a", "notebook_name": "a", "parameters": {}}) | {
        "status": "ok",
        "values": {"a": figure | dict.fromkeys(("period", "target", "better"))},
        "inputs": [{"name": "a", "rows": 1, "sha256": "a"}],
    }
    parameter = {"name": "a", "value": 1, "meaning": "b", "unit": "c", "changed": True}
    address = "../index.html"
    render_report(nb, manifest, shelf_address=address, parameters=[parameter], tables=[])


def _look_at(notebook: str, runs: int) -> None:
    """Import what a notebook names; where it is run often, draw what is the same in each run."""
    import nbformat

    import cxlib
    from cxlib.report.provenance import first_manifest
    from cxlib.report.render import check_formulas, render_prose, render_report

    nb = nbformat.v4.upgrade(nbformat.read(notebook, as_version=4))
    source = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "code")
    for name in sorted(set(re.findall(r"\bcx\.(\w+)", source))):
        with contextlib.suppress(ImportError):
            getattr(cxlib, name, None)
    if "statsmodels" in source:
        importlib.import_module("statsmodels.api")
    if runs < _OFTEN:
        return
    render_prose(nb)
    check_formulas(nb)
    manifest = first_manifest({"job": "a", "notebook_name": "a", "parameters": {}})
    address = "../index.html"
    render_report(nb, manifest | {"status": "ok"}, shelf_address=address, parameters=[], tables=[])


if _told := os.environ.pop(ZYGOTE_VARIABLE, ""):  # else imported by something that looks at modules
    _preload(json.loads(_told))
