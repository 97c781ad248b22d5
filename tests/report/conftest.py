"""A toy shelf, run once by the real command line and looked at by many tests."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def write_notebook(path: Path, *cells) -> Path:
    """Texts are markdown; a tuple is code with its tags, or ("md", text, tags)."""
    made = []
    for cell in cells:
        if isinstance(cell, str):
            made.append(new_markdown_cell(cell))
        elif cell[0] == "md":
            made.append(new_markdown_cell(cell[1], metadata={"tags": list(cell[2:])}))
        else:
            made.append(new_code_cell(cell[0], metadata={"tags": list(cell[1:])}))
    nbformat.write(new_notebook(cells=made), path)
    return path


GOOD = (
    "# What a small sample can tell\n**Monday:** what do we tell the board?\n\nLevel: beginner.",
    (
        "level: float = 0.95  # of every interval [share]\n"
        'name: str = "<script>alert(1)</script>"  # a name\n'
        'answers: "InputFile | None" = None  # your answers',
        "parameters",
    ),
    (
        "import warnings\nimport pandas as pd\nfrom matplotlib.figure import Figure\n"
        "import cxlib as cx\ncx.use_style()  # <script>alert(2)</script>\n"
    ),
    "## The share\nIt is $\\hat p = \\frac{x}{n}$ and\n\n$$\\sqrt{\\frac{p(1-p)}{n}}$$\n\n"
    "<script>alert(3)</script><img src=x onerror=alert(4)>"
    '<a href="javascript:alert(5)">link</a>',
    (
        "fig = Figure()\nfig.subplots().plot([1, 2])\n"
        "cx.show(fig, alt='A line from \"1\" to 2', caption='It rises & shines.')"
    ),
    (
        "cx.say('Fell by {d:.1f} <script>alert(6)</script>.', d=4)\n"
        "cx.record('nps_change', -4.02, -11.2, 3.1, unit='points', n=610, target=0)\n"
        "cx.record('unknown', None)"
    ),
    "## Tables\n### By segment",
    (
        "names = ['A & B', '=1+1']\n"
        "frame = pd.DataFrame({'seg <script>alert(7)</script>': names, 'n': [1234, -5]})\n"
        "cx.table(frame, caption='Counts <i>by</i> segment.')\ncx.export('segments', frame)"
    ),
    ("frame",),
    (
        "frame.style.set_caption('<script>alert(8)</script>')"
        ".highlight_max(subset=['n'], color='#ff0')"
        ".set_table_styles([{'selector': 'th', 'props': 'background: url(http://x.example/y.png)'}])"
    ),
    (
        "warnings.warn('12 answers had no date.\\n1. They were left out.', cx.CxWarning)\n"
        "warnings.warn('ordinary')",
    ),
    ("md", "It **widens**.", "solution"),
    ("print('solved')", "solution"),
)
GOOD = tuple((c,) if isinstance(c, str) and not c.startswith("#") else c for c in GOOD)

LIGHT = (
    ("fail: bool = False  # stop on purpose", "parameters"),
    (
        "import cxlib as cx\nif fail:\n"
        "    raise cx.CxError('answers.csv: <b>14</b> of 2,300 scores are 11.')\n"
        "cx.record('x', 1)",
    ),
    "## What never ran",
)
TWICE = ("# Twice", ("import cxlib as cx\ncx.record('x', 1)",), ("cx.record('x', 2)",))
FORMULA = ("# Formula", "Text.", "So $a$ and $\\nonsense{x}$.", ("print('never run')",))


def cxlib(*arguments, folder: Path) -> subprocess.CompletedProcess:
    """Run the command line as a user would, not on a terminal."""
    return subprocess.run(
        [sys.executable, "-c", "from cxlib.cli import main; main()", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"COLUMNS": "200"},
    )


def within_its_time(attempt: Callable[[float], Any], reached: Callable[[], bool]):
    """Give a run more and more seconds until it gets as far as the test needs; busy machines vary.

    Returns
    -------
    seconds, result
        Of the attempt that got there.
    """
    for seconds in (5, 20, 80, 320):
        result = attempt(seconds)
        if reached():
            return seconds, result
    pytest.fail(f"in {seconds} seconds the run did not get to what is tested")


@dataclass(frozen=True)
class Shelf:
    """The toy's folder, its shelf, and what the command said."""

    folder: Path
    out: Path
    first: subprocess.CompletedProcess

    def text(self, name: str) -> str:
        return (self.out / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory) -> Shelf:
    """Four jobs: two good, one that records a name twice, one with an unconvertible formula."""
    folder = tmp_path_factory.mktemp("toy {with} braces")
    (folder / "answers.csv").write_text('id,comment\n1,"two\nlines"\n2,b\n', encoding="utf-8")
    for name, cells in {"good": GOOD, "light": LIGHT, "twice": TWICE, "formula": FORMULA}.items():
        write_notebook(folder / f"{name}.ipynb", *cells)
    (folder / "jobs.toml").write_text(
        '[good]\nnotebook = "good.ipynb"\nschedule = "0 6 * * 1"\n'
        'parameters = {answers = "answers.csv"}\n'
        '[light]\nnotebook = "light.ipynb"\n[twice]\nnotebook = "twice.ipynb"\n'
        '[formula]\nnotebook = "formula.ipynb"\n',
        encoding="utf-8",
    )
    first = cxlib("run", "--jobs", "jobs.toml", "-j", "2", folder=folder)
    return Shelf(folder, folder / "out", first)
