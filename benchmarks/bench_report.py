"""Twelve reports beside papermill with nbconvert, in a loop and in a pool of two processes.

Three notebooks. 01_nps_pitfalls on the airport's survey is a real report of usual size; the next is
written for the timing: the sample file of answers, two figures and a table, 0.4 s of work after
1.2 s of imports. The last is 00_the_company, whose own simulation takes seconds that are the same
for all three ways and leave less to win. Ours is `cxlib run` whole, from the start of the
interpreter to the shelf, with checks, cleaning, key, hashes and manifest; the peers are papermill's
API and nbconvert's HTMLExporter.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SIZES = {
    "01_nps_pitfalls": "01_nps_pitfalls, airport survey",
    "written": "a notebook written for it",
    "00_the_company": "00_the_company, 500 customers",
}
PARAMETERS = {"01_nps_pitfalls": {"sample": "airport"}, "00_the_company": {"customers": 500}}
WRITTEN = (
    "# What customers say\nHow likely are they to recommend us, and where is it worse?",
    'question: str = "nps"  # which question\nseed: int = 1  # of the resampling',
    "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd\n"
    "import seaborn as sns\nimport statsmodels.api as sm\nfrom scipy import stats\n"
    "import cxlib as cx\ncx.use_style()",
    'responses = pd.read_csv(cx.data_path("sample/responses.csv"))\n'
    "answers = responses.query('question == @question').dropna(subset='score')\n"
    "result = cx.nps(answers['score'])\n"
    "cx.record('nps', result.estimate, result.low, result.high, unit='points', n=result.n)\n"
    "cx.say(result.summary())",
    "fig, ax = plt.subplots()\nsns.histplot(answers, x='score', discrete=True, ax=ax)\n"
    "cx.show(fig, alt='Bars of the scores', caption='How often each score was given.')",
    "rng = np.random.default_rng(seed)\n"
    "draws = rng.choice(answers['score'], (2000, len(answers))).mean(axis=1)\n"
    "fig, ax = plt.subplots()\nsns.kdeplot(x=draws, ax=ax)\n"
    "cx.show(fig, alt='Density of resampled means', caption='How far the mean may vary.')",
    "model = sm.OLS(answers['score'], sm.add_constant(np.arange(len(answers)))).fit()\n"
    "print(model.params, stats.norm.ppf(0.975))",
    "cx.table(answers.groupby('score').size().rename('answers').reset_index(), caption='Counts.')",
)
# Where compiling once is forbidden, each import would take four times as long.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
LOOP, POOL = "papermill API loop and nbconvert", "process pool of two, papermill and nbconvert"


def write_notebook(folder: Path) -> Path:
    """The notebook written for the timing as a file."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    title, parameters, *cells = WRITTEN
    nb = new_notebook(
        cells=[
            new_markdown_cell(title),
            new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            *map(new_code_cell, cells),
        ],
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
    )
    nbformat.write(nb, folder / "written.ipynb")
    return folder / "written.ipynb"


def convert(number: int, notebook: str, folder: str) -> None:
    """One report as the peers make it."""
    import papermill
    from nbconvert import HTMLExporter

    executed = papermill.execute_notebook(
        notebook,
        f"{folder}/{number}.ipynb",
        _parameters(number, notebook),
        kernel_name="python3",
        cwd=str(Path(notebook).parent),
        progress_bar=False,
    )
    page, _ = HTMLExporter().from_notebook_node(executed)
    Path(folder, f"{number}.html").write_text(page, "utf-8")


def _parameters(number: int, notebook: str) -> dict[str, Any]:
    return {"seed": number} | PARAMETERS.get(Path(notebook).stem, {})


def _loop(runs: int, notebook: str, folder: str) -> None:
    for number in range(1, runs + 1):
        convert(number, notebook, folder)


def _pool(runs: int, notebook: str, folder: str) -> None:
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(convert, range(1, runs + 1), [notebook] * runs, [folder] * runs))


def _ours(runs: int, notebook: str, folder: str) -> None:
    tables = []
    for number in range(1, runs + 1):
        pairs = ", ".join(f"{k} = {v!r}" for k, v in _parameters(number, notebook).items())
        tables.append(f'[run{number}]\nnotebook = "{notebook}"\nparameters = {{{pairs}}}\n')
    Path(folder, "jobs.toml").write_text("".join(tables), "utf-8")
    from cxlib.cli import app

    app(["run", "--jobs", f"{folder}/jobs.toml", "-j", "2"], standalone_mode=False)


def _measure(way: str, runs: int, notebook: Path) -> tuple[float, float]:
    """Seconds, and MB of the largest process, of one way that must have made all its reports."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said:
        command = [sys.executable, __file__, way, str(runs), str(notebook), folder]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=said, stderr=said, env=ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        made = [*Path(folder).glob("*.html"), *Path(folder).glob("out/run*/report.html")]
        said.seek(0)
        if process.returncode or len(made) != runs:
            raise AssertionError(f"{way}: {len(made)} of {runs}.\n{said.read().decode()}")
    return seconds, usage.ru_maxrss / 1024


def bench(notebook: Path, runs: int, rounds: int) -> list[dict]:
    """Medians over rounds in which the three ways take turns."""
    timed, peak = {way: [] for way in ("ours", "loop", "pool")}, 0.0
    for _ in range(rounds):
        for way, seconds in timed.items():
            took, largest = _measure(way, runs, notebook)
            seconds.append(took)
            peak = max(peak, largest if way == "ours" else 0.0)
    medians = {way: statistics.median(seconds) for way, seconds in timed.items()}
    return [
        {
            "name": f"{runs} reports of a notebook on two cores",
            "size": SIZES[notebook.stem],
            "ours_seconds": medians["ours"],
            "peer": peer,
            "peer_seconds": medians[way],
            "ratio": medians[way] / medians["ours"],
            "peak_mb": round(peak, 1),
        }
        for way, peer in (("loop", LOOP), ("pool", POOL))
    ]


def run(quick: bool = False) -> list[dict]:
    """All timings of this room; `quick` makes three reports of the written notebook once."""
    with tempfile.TemporaryDirectory() as folder:
        written = write_notebook(Path(folder))
        _measure("ours", 2, written)  # compiles what was edited since the last run
        if quick:
            return bench(written, 3, 1)
        real = [ROOT / "notebooks" / f"{name}.ipynb" for name in PARAMETERS]
        return [row for notebook in (*real, written) for row in bench(notebook, 12, 1)]


if __name__ == "__main__":
    ways = {"ours": _ours, "loop": _loop, "pool": _pool}
    ways[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
