"""Parameters are read without running anything, and refused all at once."""

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.errors import RefusedError
from cxlib.report.params import parse_cell, parse_text, read_parameters, resolve, unknown_names

from .conftest import write_notebook

HERE = Path(__file__).parent


def only(source):
    declared, problems = parse_cell(source)
    assert problems == []
    (parameter,) = declared.values()
    return parameter


@pytest.mark.parametrize(
    ("source", "kind", "default"),
    [
        ('x: str = "a"', "str", "a"),
        ("x: int = -3", "int", -3),
        ("x: float = 1", "float", 1),
        ("x: bool = True", "bool", True),
        ("x: int | None = None", "int | None", None),
        ("x: list[str] = ['a']", "list[str]", ["a"]),
        ("x: dict[str, float] = {'a': 1}", "dict[str, float]", {"a": 1}),
        ('x: "InputFile" = "a.csv"', "InputFile", "a.csv"),
        ('x: "InputFile | None" = None', "InputFile | None", None),
        ('x: "Date" = "2025-02-28"', "Date", "2025-02-28"),
        ("x: \"Choice[a, 'b c']\" = 'b c'", "Choice[a, b c]", "b c"),
    ],
)
def test_every_declared_type_is_read(source, kind, default):
    parameter = only(source)
    assert (str(parameter.kind), parameter.default) == (kind, default)


def test_meaning_and_unit_come_from_the_comment_of_the_last_line():
    parameter = only('x: dict = {\n    "a": 1,  # not this\n}  # your names, e.g. "#1" [EUR]')
    assert (parameter.meaning, parameter.unit) == ('your names, e.g. "#1"', "EUR")


def test_a_default_on_a_line_of_its_own_keeps_its_meaning():
    parameter = only('x: "Choice[a, b]" = (\n    "a"  # which way [letter]\n)')
    assert (parameter.meaning, parameter.unit) == ("which way", "letter")
    assert only('x: dict = {\n    "a": 1,  # of the entry\n}').meaning == ""


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("n = 3", "n = 3 is not a declared parameter"),
        ("import os", "import os is not a declared parameter"),
        ("n: int", "n has no default"),
        ("n: int = 2 * 3", "the default of n, 2 * 3, is not a literal"),
        ("n: str = open('x').read()", "is not a literal"),
        ("n: int = True", "is true or false, not a whole number"),
        ('n: int = "3"', "is a text, not a whole number"),
        ("n: int = None", "is None, which is not allowed here"),
        ("n: set = {1}", "the type of n, set, is not known"),
        ('n: InputFile = "a"', "must stand in quotes"),
        ('n: "Choice[a, a]" = "a"', "choices of n must be different"),
        ("n: \"Choice[a, b]\" = 'c'", "is none of the choices"),
        ('n: "Date" = "28.02.2025"', "is not a date written YYYY-MM-DD"),
        ('n: "Date" = "2025-02-30"', "is not a date written YYYY-MM-DD"),
        ("n: dict = {1: 2}", "has a key that is no text: 1"),
        ("n: list[int] = ['a']", "holds 'a', which is a text, not a whole number"),
        ("n: float = 1e999", "is not finite"),
        ("n: int = 1\nn: int = 2", "n is declared twice"),
        ("def f(: pass", "not Python"),
    ],
)
def test_anything_else_is_refused_with_its_line(source, message):
    _, problems = parse_cell("\n" + source)
    line = 2 + source.count("\n")
    assert message in problems[-1].what
    assert problems[-1].where == f"line {line}"


def test_all_problems_of_a_cell_come_at_once_and_name_the_cell(tmp_path):
    path = write_notebook(
        tmp_path / "n.ipynb", "# T", ("a = 1\nb: int = x\nc: int = 1", "parameters")
    )
    with pytest.raises(RefusedError, match=r"n\.ipynb \(cell 2\)") as caught:
        read_parameters(path)
    assert [p.where for p in caught.value.problems] == ["line 1", "line 2"]


def test_two_parameter_cells_and_files_that_are_no_notebooks_are_refused(tmp_path):
    cell = ("a: int = 1", "parameters")
    two = write_notebook(tmp_path / "n.ipynb", cell, cell)
    with pytest.raises(RefusedError, match=r"2 cells tagged parameters \(1, 2\)"):
        read_parameters(two)
    (tmp_path / "x.ipynb").write_text("[]")
    with pytest.raises(RefusedError, match="is not a notebook"):
        read_parameters(tmp_path / "x.ipynb")
    with pytest.raises(RefusedError, match="does not exist"):
        read_parameters(tmp_path / "y.ipynb")
    assert read_parameters(write_notebook(tmp_path / "z.ipynb", "# T")) == {}


CELL = """
level: float = 0.95
n: int = 3
day: "Date | None" = None
mode: "Choice[score, wald]" = "score"
answers: "InputFile | None" = None
columns: dict = {}
"""


def test_all_wrong_values_are_named_at_once(tmp_path):
    declared, _ = parse_cell(CELL)
    given_values = {
        "level": "high",
        "n": None,
        "day": "2025-13-01",
        "mode": "wlad",
        "answers": "nowhere.csv",
        "colums": {},
    }
    _, problems = resolve(declared, {k: (v, tmp_path) for k, v in given_values.items()}, tmp_path)
    text = "\n".join(map(str, problems))
    assert len(problems) == 6
    assert "level, 'high', is a text, not a number" in text
    assert "n is None, which is not allowed here" in text
    assert "day, '2025-13-01', is not a date" in text
    assert "mode, 'wlad', is none of the choices. Allowed: score, wald." in text
    assert f"answers: there is no file {tmp_path / 'nowhere.csv'}" in text
    assert "Did you mean columns?" in text


@pytest.mark.parametrize("held", ["2025-01-01", "nan", "[1, inf]", "{ b = 07:30:00 }"])
def test_what_cannot_be_written_down_is_refused_inside_a_dict_too(tmp_path, held):
    declared, _ = parse_cell(CELL)
    value = tomllib.loads(f"columns = {{ a = {held} }}")["columns"]
    _, problems = resolve(declared, {"columns": (value, tmp_path)}, tmp_path)
    assert "put it in quotes" in str(problems[0])


@pytest.mark.parametrize("name", ["x; import os", "class", "a b", "1a"])
def test_a_name_that_papermill_would_inject_unescaped_never_passes(name):
    assert "is not a name" in str(unknown_names({}, [name])[0])


def test_input_files_start_where_they_were_named(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / "a.csv").write_text("x")
    declared, _ = parse_cell('a: "InputFile" = "a.csv"\nb: "InputFile" = "a.csv"')
    values, problems = resolve(declared, {"b": ("a.csv", there)}, here)
    assert (values, problems) == ({"a": str(here / "a.csv"), "b": str(there / "a.csv")}, [])


@pytest.mark.parametrize(
    ("source", "text", "value"),
    [
        ("x: int = 1", "12", 12),
        ("x: float = 1.0", "0.9", 0.9),
        ("x: bool = True", "false", False),
        ("x: int | None = 1", "None", None),
        ("x: str = 'a'", "None", "None"),
        ("x: dict = {}", '{"score": "NETPRO"}', {"score": "NETPRO"}),
        ("x: dict = {}", '{score = "NETPRO"}', {"score": "NETPRO"}),
        ("x: dict = {}", "{'score': 'NETPRO'}", {"score": "NETPRO"}),
        ("x: list = []", "[1, 2]", [1, 2]),
        ("x: int = 1", "twelve", "twelve"),
        ("x: dict = {}", "score=NETPRO", "score=NETPRO"),
    ],
)
def test_command_line_texts_are_read_by_the_declared_type(source, text, value):
    parsed = parse_text(only(source), text)
    assert parsed == value
    assert type(parsed) is type(value)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
literals = {
    "str": texts,
    "int": st.integers(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "list": st.lists(texts | st.integers(), max_size=4),
    "dict": st.dictionaries(texts, texts | st.booleans() | st.none(), max_size=4),
}


@given(data=st.data(), kind=st.sampled_from(sorted(literals)))
@settings(deadline=None, max_examples=60)
def test_what_is_declared_is_read_and_what_is_typed_is_what_was_meant(data, kind):
    default, typed = data.draw(literals[kind]), data.draw(literals[kind])
    parameter = only(f"x: {kind} = {default!r}")
    assert parameter.default == default
    assert type(parameter.default) is type(default)
    text = typed if kind == "str" else json.dumps(typed)
    values, problems = resolve({"x": parameter}, {"x": (parse_text(parameter, text), HERE)}, HERE)
    assert (values, problems) == ({"x": typed}, [])
