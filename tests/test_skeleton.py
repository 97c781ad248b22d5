"""Every notebook keeps to one skeleton: a lesson has a title, goals, parameters, and an end."""

import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if re.match(r"\d\d_", path.name)]  # 01b is a companion
OTHERWISE = (r"^\s*(def|class) ", r"plt\.show", r"pip install", r"^warnings\.\w*filter")


def cells_of(path, kind=None):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [
        (cell["metadata"].get("tags", []), "".join(cell["source"]))
        for cell in cells
        if kind in (None, cell["cell_type"])
    ]


def test_there_are_lessons_and_companions():
    assert 0 < len(LESSONS) < len(NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_begins_and_ends_as_all_do(path):
    first, second, third = cells_of(path)[:3]
    assert re.match(r"# \S", first[1])
    assert second[1].startswith("You will be able to")
    assert third[0] == ["parameters"]
    headings = [
        line
        for _, text in cells_of(path, "markdown")
        for line in text.splitlines()
        if line.startswith("#")
    ]
    assert sum(line.startswith("# ") for line in headings) == 1
    assert not any(line.startswith("###") for line in headings)
    assert headings[-1] == "## References"
    assert "doi:" in cells_of(path, "markdown")[-1][1] or "doi.org" in cells_of(path)[-1][1]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_code_calls_and_does_not_define_install_or_hush(path):
    for _, text in cells_of(path, "code"):
        for pattern in OTHERWISE:
            assert not re.search(pattern, text, re.M), text


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_fits_an_hour_and_ends_with_exercises_and_solutions(path):
    cells = cells_of(path)
    assert len(cells) <= 35
    prose = "\n".join(text for _, text in cells_of(path, "markdown"))
    exercises = prose[prose.index("## Exercises") :]
    assert len(re.findall(r"^[1-5]\. \*", exercises, re.M)) == 5
    assert sum("solution" in tags for tags, _ in cells) >= 2
