"""What the process that warm kernels are forked from imports once.

Nothing here may start a thread, open a zmq context or a DuckDB connection, draw by pyplot or make
an IPython shell: forks would share it. matplotlib_inline's backend stays out, too: imported here,
it would never be set up in a fork, and all figures would vanish.
"""

import contextlib
import gc
import importlib
import io
import json
import os
import subprocess
import sys

from cxlib.report.worker import KERNEL_ENVIRONMENT, ZYGOTE_VARIABLE

_MODULES = """
    cxlib.cli cxlib.notebook cxlib.clv cxlib.stats cxlib.worlds.world cxlib.tables.read
    cxlib.tables.samples cxlib.metrics.promoter cxlib.metrics.effort cxlib.metrics.satisfaction
    cxlib.figures.style cxlib.figures.sampling cxlib.figures.timeline cxlib.report.execute
    cxlib.report.engine cxlib.report.frames pandas matplotlib.pyplot seaborn scipy.stats
    scipy.optimize statsmodels.api duckdb pyarrow.parquet great_tables papermill ipykernel.kernelapp
    ipykernel.ipkernel IPython.core.completer IPython.core.pylabtools"""


def _preload() -> None:
    from cxlib.report import kernels

    show = "import json, sys; print(json.dumps(sys.path[1:]))"
    told = subprocess.run([sys.executable, "-c", show], capture_output=True, check=True)
    kernels.fresh_path[:] = json.loads(told.stdout)

    os.environ.update(KERNEL_ENVIRONMENT)
    sys.modules.setdefault("rfc3987_syntax", None)
    for name in _MODULES.split():
        with contextlib.suppress(ImportError):  # the notebook that needs it will say so
            importlib.import_module(name)
    with contextlib.suppress(Exception):  # a page that cannot be drawn is its own run's matter
        _draw_once()
    gc.collect()
    gc.freeze()


def _draw_once() -> None:
    """Load fonts, templates and lexers, without a figure that pyplot would know of."""
    import nbformat
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from cxlib.report.provenance import first_manifest, key
    from cxlib.report.render import render_report

    figure = Figure()
    FigureCanvasAgg(figure)
    figure.subplots().set_title("a")
    figure.savefig(io.BytesIO(), format="png")
    cells = [nbformat.v4.new_markdown_cell("# a\n$b$"), nbformat.v4.new_code_cell("c = 1")]
    nb = nbformat.v4.new_notebook(cells=cells)
    nbformat.validate(nb)
    key([], {}, [])  # hashes the code, which no fork then has to
    manifest = first_manifest({"job": "a", "notebook_name": "a", "parameters": {}})
    address = "../index.html"
    render_report(nb, manifest | {"status": "ok"}, shelf_address=address, parameters=[], tables=[])


if os.environ.pop(ZYGOTE_VARIABLE, ""):  # else imported by something that looks at modules
    _preload()
