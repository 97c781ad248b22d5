"""The voice of a notebook, outside a kernel; tests/report looks at it inside."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from great_tables import GT
from matplotlib.figure import Figure

from cxlib import notebook
from cxlib.errors import CxError
from cxlib.report.frames import formula_safe, reader_table, turned_table
from cxlib.stats.interval import Interval


@pytest.fixture(autouse=True)
def _no_figures_recorded(monkeypatch):
    monkeypatch.setattr(notebook, "_recorded", {})


def test_say_fills_braces_only_when_there_are_values(capsys):
    notebook.say("A set {1, 2}.")
    notebook.say("{n:,} answers", n=1234)
    assert capsys.readouterr().out == "A set {1, 2}.\n1,234 answers\n"


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("", {}, "text that is not empty"),
        ("{a} {b}", {"a": 1}, r"names \{b\}, which has no value. Given: a"),
        ("{a:.1f}", {"a": "x"}, "cannot be formatted"),
        ("{}", {"a": "x"}, "has no value"),
    ],
)
def test_say_names_what_is_wrong(text, values, message):
    with pytest.raises(CxError, match=message):
        notebook.say(text, **values)


@pytest.mark.parametrize(("alt", "caption"), [("", "b"), ("a", " "), (None, "b")])
def test_show_needs_both_texts(alt, caption):
    with pytest.raises(CxError, match="show needs a text"):
        notebook.show(Figure(), alt=alt, caption=caption)


def test_show_and_table_need_something_to_show():
    with pytest.raises(CxError, match="matplotlib figure, not str"):
        notebook.show("fig", alt="a", caption="b")
    with pytest.raises(CxError, match="data frame or a GT, not list"):
        notebook.table([1], caption="c")
    with pytest.raises(CxError, match="not empty for caption"):
        notebook.table(pd.DataFrame({"a": [1]}), caption="")


def test_record_takes_numpy_numbers_and_none(capsys):
    notebook.record("nps", np.float64(40), np.float32(37), 42, n=np.int64(2746), unit="points")
    notebook.record("later", None)
    assert capsys.readouterr().out.splitlines() == [
        "nps = 40 points, 95 % interval [37, 42], n = 2,746",
        "later = not available",
    ]


def test_a_value_that_is_nan_is_recorded_as_not_available(capsys):
    notebook.record("unknown_yet", float("nan"), unit="points")
    assert capsys.readouterr().out == "unknown_yet = not available\n"


def test_record_takes_an_interval_with_its_level_and_n(capsys):
    notebook.record("share_easy", Interval(0.5, 0.4, 0.6, 0.9, 120, "score"), unit="share")
    assert capsys.readouterr().out == "share_easy = 0.5 share, 90 % interval [0.4, 0.6], n = 120\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"value": float("inf")}, "value is inf"),
        ({"value": "four"}, "value is 'four'"),
        ({"value": 1, "low": 2, "high": 3}, "lies outside its interval"),
        ({"value": 1, "low": 0.5}, "one limit of the interval is missing"),
        ({"value": 1, "low": 0, "high": float("inf")}, "high is inf"),
        ({"value": 1, "n": -1}, "n is -1"),
        ({"value": 1, "level": 95}, "level is 95"),
        ({"value": 1, "better": "more"}, "better is 'more'"),
        ({"value": 1, "target": float("-inf")}, "target is -inf"),
        ({"value": 1, "name": "a b"}, "is no identifier"),
    ],
)
def test_record_refuses_what_is_no_key_figure(arguments, message):
    with pytest.raises(CxError, match=message):
        notebook.record(**{"name": "x", **arguments})


def test_a_name_is_recorded_once():
    notebook.record("nps", 1)
    with pytest.raises(CxError, match="'nps' is recorded twice"):
        notebook.record("nps", 2)


def test_a_cell_that_is_run_again_records_anew_and_another_cell_does_not(monkeypatch):
    def in_cell(cell, count):
        parent = {"metadata": {"cellId": cell}}
        kernel = SimpleNamespace(get_parent=lambda: parent)
        shell = SimpleNamespace(kernel=kernel, execution_count=count)
        monkeypatch.setattr(notebook, "_shell", lambda: shell)
        monkeypatch.setattr(notebook, "_display", lambda *a, **k: None)
        notebook.record("nps", 1)

    in_cell("a", 1)
    in_cell("a", 2)
    with pytest.raises(CxError, match="twice"):
        in_cell("a", 2)
    with pytest.raises(CxError, match="twice"):
        in_cell("b", 3)


def test_export_guards_text_in_cells_headings_and_labels(tmp_path, monkeypatch):
    monkeypatch.setenv("CXLIB_TABLES", str(tmp_path / "tables"))
    frame = pd.DataFrame(
        {"=h": ["=1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "safe", None], "n": [-1.5] + [2] * 8},
        index=pd.Index(["-a"] * 9, name="label"),
    )
    frame["kind"] = pd.Categorical(["=c"] * 9)
    path = notebook.export("watch_list", frame, index=True)
    assert path == tmp_path / "tables" / "watch_list.csv"
    back = pd.read_csv(path)
    assert list(back.columns) == ["label", "'=h", "n", "kind"]
    guarded = ["'=1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'＝1", "safe"]
    assert list(back["'=h"].dropna()) == guarded
    assert set(back["label"]) == {"'-a"}
    assert set(back["kind"]) == {"'=c"}
    assert back["n"].tolist() == [-1.5] + [2] * 8


@pytest.mark.parametrize("name", ["../x", "a/b", "", "x.csv", 3])
def test_export_takes_plain_names_only(name):
    with pytest.raises(CxError, match="no file name"):
        notebook.export(name, pd.DataFrame())


def test_formula_safe_leaves_the_frame_it_was_given():
    frame = pd.DataFrame({"a": ["=1"]})
    formula_safe(frame)
    assert frame["a"].tolist() == ["=1"]


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([1234, -5], ["1,234", "−5"]),
        ([1234.5, 2.25], ["1,234.5", "2.2"]),
        ([3.14159, 2], ["3.14", "2.00"]),
        ([0.12345, 0.5], ["0.123", "0.500"]),
    ],
)
def test_reader_tables_show_as_many_decimals_as_the_size_calls_for(numbers, shown):
    page = reader_table(pd.DataFrame({"x": numbers})).as_raw_html()
    for text in shown:
        assert f">{text}<" in page


def test_decimals_leave_counts_whole():
    page = reader_table(pd.DataFrame({"n": [12], "x": [1.25]}), decimals=1).as_raw_html()
    assert ">12<" in page
    assert ">1.2<" in page


def test_a_turned_table_keeps_the_decimals_of_each_row(capsys):
    frame = pd.DataFrame({"of": ["a", "b"], "n": [40_000, 50], "share": [0.12345, np.nan]})
    body = turned_table(frame).as_raw_html()
    cells = re.findall(r'class="gt_row gt_(left|right)">([^<]*)<', body)
    assert cells == [
        ("left", "n"), ("right", "40,000"), ("right", "50"),
        ("left", "share"), ("right", "0.123"), ("right", "&mdash;"),
    ]  # fmt: skip
    notebook.table(frame, turned=True, caption="Both.")
    assert "    n    40000  50" in capsys.readouterr().out
    for words, told in ((["a", "a"], "a would come twice"), (["of", "a"], "of would come twice")):
        with pytest.raises(CxError, match=told):
            notebook.table(frame.assign(of=words), turned=True, caption="Twice.")
    with pytest.raises(CxError, match="a column at least"):
        notebook.table(pd.DataFrame(), turned=True, caption="Nothing.")


def test_a_finished_great_table_is_taken(capsys):
    notebook.table(GT(pd.DataFrame({"a": [1]})), caption="One.")
    assert capsys.readouterr().out.startswith("Table: One.")


def test_data_path_names_what_is_there_and_stays_inside(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "benchmarks" / "out").mkdir(parents=True)
    (tmp_path / "benchmarks" / "out" / "times.json").write_text("x")
    monkeypatch.setattr(notebook, "_ROOT", tmp_path)
    monkeypatch.chdir("/")
    assert notebook.data_path("a.csv") == tmp_path / "data" / "a.csv"
    assert notebook.data_path("times.json").parent == tmp_path / "benchmarks" / "out"
    for name in ("b.csv", "../secret", str(tmp_path / "secret")):
        with pytest.raises(CxError, match=r"There are: a\.csv, times\.json\."):
            notebook.data_path(name)
