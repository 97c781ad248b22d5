"""Warm and cold runs give the same report; what goes wrong in a fork stays in it."""

import json
import os
import signal
import sys

import nbformat
import psutil
import pytest

from cxlib.report import kernels, warm
from cxlib.report.lock import only_runner
from cxlib.report.plan import make_plan
from cxlib.report.pool import run_all
from cxlib.report.publish import read_manifest

from .conftest import cxlib, write_notebook

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runs are warm on Linux only")

TELLING = (
    "# A typical report\nIs *all* as it was?\n\n- $\\bar{x}$ &mdash; and `code`",
    ("seed: int = 7  # another seed", "parameters"),
    (
        "import matplotlib as mpl\nprint(dict(mpl.rcParams), mpl.get_backend())\n"
        "print(dict(mpl.colors.get_named_colors_mapping()))",
    ),
    (
        "import numpy as np, pandas as pd, seaborn as sns, matplotlib.pyplot as plt, sys\n"
        "from scipy import stats\nimport statsmodels.api as sm\nimport cxlib as cx\ncx.use_style()",
    ),
    (
        "rng = np.random.default_rng(seed)\n"
        "scores = rng.choice(11, 400, p=np.array([2,1,1,2,2,5,7,15,20,20,25]) / 100)\n"
        "result = cx.nps(scores)\nprint(result.summary())\ncx.record('nps', result.estimate, "
        "result.low, result.high, unit='points', n=400)",
    ),
    (
        "fig, ax = plt.subplots()\nsns.histplot(x=scores, discrete=True, ax=ax)\n"
        "cx.show(fig, alt='Bars of the scores', caption='Most are 9 or 10.')",
    ),
    ("plt.plot([1, 3, 2]);",),
    ("frame = pd.DataFrame({'score': scores}).value_counts().reset_index()\nframe.describe()",),
    ("cx.table(frame, caption='Counts of the scores.')\ncx.export('counts', frame)",),
    ("sm.OLS(scores, np.ones(400)).fit().params",),
    ("stats.norm.ppf(0.975), sys.argv[0], __name__, type(plt.get_backend()), plt.get_backend()",),
    ("import os\nprint(sys.path, os.environ['OMP_NUM_THREADS'])\nprint('x', file=sys.stderr)",),
)


TRANSPORT = (
    "from ipykernel.connect import get_connection_info\n"
    "print(get_connection_info(unpack=True)['transport'])"
)
DEAD = "The kernel died before it was ready."


def outputs(folder):
    """What the cells gave, by kind, and everything a reader sees of it."""
    nb = nbformat.read(folder / "report.ipynb", as_version=4)
    return [
        [{**o, "metadata": dict(o.get("metadata", {}))} for o in cell.get("outputs", ())]
        for cell in nb.cells
    ]


def page(folder):
    """The lines of the report but for the two that tell when it was made."""
    lines = (folder / "report.html").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if " UTC" not in line]
    assert len(lines) - len(kept) == 2
    return kept


def test_warm_output_is_identical_to_cold(tmp_path):
    write_notebook(tmp_path / "n.ipynb", *TELLING)
    jobs = ("one", "two", "three")  # from three on, prose and code are drawn for all of them
    text = "".join(f'[{job}]\nnotebook = "n.ipynb"\n' for job in jobs)
    (tmp_path / "jobs.toml").write_text(text)
    for way in ("cold", "warm"):
        flags = ["--cold"] if way == "cold" else []
        done = cxlib("run", "--jobs", "jobs.toml", "--out", way, *flags, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    cold = outputs(tmp_path / "cold" / "one")
    pictures = [o for cell in cold for o in cell if "image/png" in o.get("data", {})]
    assert len(pictures) == 2
    assert any("<math" in line for line in page(tmp_path / "cold" / "one"))
    for job in jobs:
        assert outputs(tmp_path / "warm" / job) == cold
        assert page(tmp_path / "warm" / job) == page(tmp_path / "cold" / job)
        table = "tables/counts.csv"
        assert (tmp_path / "warm" / job / table).read_bytes() == (
            tmp_path / "cold" / job / table
        ).read_bytes()
        values = [read_manifest(tmp_path / way / job)["values"] for way in ("warm", "cold")]
        assert values[0] == values[1]


@pytest.fixture
def plan(tmp_path):
    """Two jobs of one notebook whose last cell is the test's."""

    def make(code, more="", names=("a", "b")):
        write_notebook(tmp_path / "n.ipynb", "# T", ("n: int = 1", "parameters"), (code,))
        text = "".join(f'[{name}]\nnotebook = "n.ipynb"\n{more}' for name in names)
        (tmp_path / "jobs.toml").write_text(text)
        return make_plan(tmp_path / "jobs.toml"), tmp_path / "out"

    return make


def run(plan, **options):
    runs, out = plan
    with only_runner(out):
        return run_all(runs, out, **{"workers": 2, "timeout_seconds": 600, **options})


def test_forks_share_no_random_numbers(plan):
    code = (
        "import random, numpy as np, cxlib as cx\n"
        "cx.record('plain', random.random())\ncx.record('numpy', np.random.random())"
    )
    made = plan(code)
    assert [o.error for o in run(made)] == [None] * 2
    values = [read_manifest(made[1] / job)["values"] for job in ("a", "b")]
    for name in ("plain", "numpy"):
        assert values[0][name]["value"] != values[1][name]["value"]


def test_forks_find_nothing_of_what_was_drawn_before_them(plan):
    code = (
        "import gc, os, sys, threading, psutil, matplotlib._pylab_helpers as helpers\n"
        "zygote = psutil.Process(psutil.Process().ppid()).parent()\n"
        "threads = [f'/proc/{zygote.pid}/task/{t.id}/comm' for t in zygote.threads()]\n"
        "names = sorted(open(name).read().strip() for name in threads)\n"
        "print(len(helpers.Gcf.figs), gc.isenabled(), gc.get_freeze_count() > 0)\n"
        "print(sum(name != 'jemalloc_bg_thd' for name in names), threading.active_count() < 9)\n"
        "print(*(name for name in sys.modules if name == 'matplotlib_inline.backend_inline'))"
    )
    made = plan(code, names="abc")
    assert [o.status for o in run(made)] == ["ok"] * 3
    told = [outputs(made[1] / job)[-1][0]["text"].splitlines() for job in "abc"]
    assert told == [["0 True True", "1 True", ""]] * 3


def test_one_run_is_cold_and_two_are_warm(plan, monkeypatch):
    made = plan("import multiprocessing as m\nprint('forked' if m.parent_process() else 'started')")
    run(made)
    run((made[0][:1], made[1]), fresh=True)
    texts = [outputs(made[1] / job)[-1][0]["text"].strip() for job in ("a", "b")]
    assert texts == ["started", "forked"]


def test_of_many_runs_all_are_warm(plan):
    code = "import multiprocessing as m\nprint('forked' if m.parent_process() else 'started')"
    made = plan(code, names="abcde")
    run(made)
    texts = [outputs(made[1] / job)[-1][0]["text"].strip() for job in "abcde"]
    assert texts == ["forked"] * 5


def test_where_the_zygote_is_gone_runs_are_cold(plan, monkeypatch):
    made = plan("import cxlib as cx\ncx.record('x', 1)", names=("a", "b", "c"))

    def gone(work):
        raise EOFError

    monkeypatch.setattr(warm, "WarmWorker", gone)
    assert [o.status for o in run(made)] == ["ok"] * 3


def test_a_zygote_killed_in_mid_batch_costs_no_report(plan):
    made = plan("import time\ntime.sleep(0.5)", names=("a", "b", "c", "d"))
    killed = []

    def tell(job, event, detail):
        if event == "cell" and not killed:
            pid = warm.forkserver._forkserver._forkserver_pid
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    assert [o.status for o in run(made, tell=tell)] == ["ok"] * 4
    assert killed
    assert not [p for p in psutil.Process().children(recursive=True) if p.pid in killed]


@pytest.mark.parametrize("cold", [False, True])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import ctypes\nctypes.string_at(0)", "it crashed in compiled code (SIGSEGV)"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "for want of memory (SIGKILL)"),
        ("import os\nos._exit(3)", "the notebook's own code ended it (exit code 3)"),
    ],
)
def test_a_kernel_that_dies_is_told_with_its_cell(plan, code, message, cold):
    made = plan(code)
    outcomes = run(made, cold=cold)
    for outcome in outcomes:
        assert outcome.error["cell"] == 3
        assert message in outcome.error["message"]
        assert json.loads((outcome.folder / "manifest.json").read_text())["status"] == "failed"


@pytest.mark.parametrize("cold", [False, True])
def test_memory_beyond_the_limit_ends_the_run_in_words(plan, cold):
    code = (
        "held = []\nimport time\nwhile True:\n    held.append(bytearray(2**25)); time.sleep(0.02)"
    )
    made = plan(code, "memory_mb = 500\nretries = 2\n", names=("a",) if cold else ("a", "b"))
    for outcome in run(made, cold=cold):
        expected = "The run held more than 500 MB (memory_mb of the job) and was ended."
        assert outcome.error == {"cell": 3, "message": expected}
        assert read_manifest(outcome.folder)["attempts"] == 1


@pytest.mark.parametrize("cold", [False, True])
def test_messages_need_no_ports_however_long_the_path(plan, cold):
    runs, out = plan(TRANSPORT)
    made = runs, out.parent / ("long" * 40)
    made[1].mkdir()
    assert [o.status for o in run(made, cold=cold)] == ["ok"] * 2
    told = [outputs(made[1] / job)[-1][0]["text"].strip() for job in "ab"]
    assert told == ["ipc"] * 2


def test_the_client_is_ready_when_its_kernel_is(tmp_path):
    manager, _ = kernels.kernel_manager(tmp_path)
    assert isinstance(manager().client(), kernels.Client)


def die_at_first(deaths, tmp_path, monkeypatch):
    """The first kernels to be started end with exit code 7; the file starts counts all."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pathlib, sys\nstarts = pathlib.Path(__file__).with_name('starts')\n"
        "if 'ipykernel_launcher' in ' '.join(sys.orig_argv):\n"
        "    with starts.open('a') as file: print('x', file=file)\n"
        f"    if len(starts.read_text().split()) <= {deaths}: os._exit(7)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.parametrize(("deaths", "status"), [(2, "ok"), (3, "failed")])
def test_a_kernel_that_dies_before_any_cell_is_started_again(
    plan, tmp_path, monkeypatch, deaths, status
):
    die_at_first(deaths, tmp_path, monkeypatch)
    made = plan(TRANSPORT, names="a")
    (outcome,) = run(made, cold=True)
    assert (outcome.status, len((tmp_path / "starts").read_text().split())) == (status, 3)
    if status == "failed":
        assert outcome.error == {"cell": None, "message": "RuntimeError: " + DEAD}
    else:  # where no socket can be made, ports are the last way
        assert outputs(made[1] / "a")[-1][0]["text"].strip() == "tcp"


def test_a_death_in_a_cell_is_not_told_as_that_of_an_earlier_start(plan, tmp_path, monkeypatch):
    die_at_first(1, tmp_path, monkeypatch)
    (outcome,) = run(plan("import os\nos._exit(3)", names="a"), cold=True)
    told = "The kernel died: the notebook's own code ended it (exit code 3)."
    assert outcome.error == {"cell": 3, "message": told}
    assert len((tmp_path / "starts").read_text().split()) == 2
