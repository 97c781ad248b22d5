"""One job, a report for each value."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxlib.errors import RefusedError
from cxlib.report.plan import PlanRefused, make_plan, read_jobs
from cxlib.report.publish import read_manifest

from .conftest import cxlib, write_notebook

CELL = 'country: str = "DE"\nn: int = 3\nresponses: "InputFile | None" = None'


@pytest.fixture
def job(tmp_path):
    def make(for_each, parameters="", cell=CELL):
        write_notebook(
            tmp_path / "n.ipynb",
            "# T",
            (cell, "parameters"),
            ("import cxlib as cx\ncx.say(country)",),
        )
        (tmp_path / "jobs.toml").write_text(
            f'[sales]\nnotebook = "n.ipynb"\nfor_each = {for_each}\n{parameters}\n'
            '[plain]\nnotebook = "n.ipynb"\n',
            encoding="utf-8",
        )
        return tmp_path / "jobs.toml"

    return make


def test_values_become_reports_that_can_be_run_alone(job, tmp_path):
    path = job('{country = ["DE", "FR", "Côte d\'Ivoire"]}')
    runs = make_plan(path, ["sales"])
    assert [run.folder for run in runs] == ["sales--DE", "sales--FR", "sales--Côte_d_Ivoire"]
    assert [run.parameters["country"] for run in runs] == ["DE", "FR", "Côte d'Ivoire"]
    assert [run.changed for run in runs] == [(), ("country",), ("country",)]
    assert [run.job for run in make_plan(path, ["sales--FR", "plain"])] == ["sales--FR", "plain"]
    assert len(make_plan(path, ["sales--FR", "sales"])) == 3
    done = cxlib("run", "sales--FR", "sales--DE", "--jobs", "jobs.toml", "--cold", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    manifest = read_manifest(tmp_path / "out" / "sales--FR")
    assert manifest["job"] == "sales--FR"
    assert manifest["for_each"] == {"country": "FR"}
    assert not (tmp_path / "out" / "sales").exists()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_values_come_from_a_column_without_its_empty_cells(job, tmp_path, ending):
    land = ["FR", "DE", None, "", "FR", "Österreich"]
    if ending == "csv":
        lines = ["land;x", *(f"{value or ''};1" for value in land)]
        (tmp_path / "r.csv").write_text("\n".join(lines), encoding="latin-1")
    else:
        pq.write_table(pa.table({"land": land}), tmp_path / "r.parquet")
    path = job(
        '{country = {column = "land", of = "responses"}}',
        f'parameters = {{responses = "r.{ending}"}}',
    )
    values = {run.for_each["country"] for run in make_plan(path, ["sales"])}
    assert values == {"DE", "FR", "Österreich"}


def test_numbers_of_a_column_are_of_the_parameters_type(job, tmp_path):
    (tmp_path / "r.csv").write_text("size\n1\n2\n")
    path = job('{n = {column = "size", of = "responses"}}', 'parameters = {responses = "r.csv"}')
    assert [run.parameters["n"] for run in make_plan(path, ["sales"])] == [1, 2]


@pytest.mark.parametrize(
    ("for_each", "parameters", "message"),
    [
        ('{country = ["a b", "A_B"]}', "", "'a b' and 'A_B' would share the folder sales--A_B"),
        ('{country = ["."]}', "", "leaves no name for a folder"),
        ("{n = [1, 'x']}", "", "n, 'x', is a text, not a whole number"),
        ('{land = ["DE"]}', "", "land is not a parameter of this notebook"),
        ('{country = ["DE"]}', 'parameters = {country = "FR"}', "country is given twice"),
        ('{country = {column = "x", of = "responses"}}', "", "responses names no file"),
        ('{country = {column = "x", of = "n"}}', "", "n is no input file of this notebook"),
        (
            '{country = {column = "lnd", of = "responses"}}',
            'parameters = {responses = "r.csv"}',
            "r.csv has no column 'lnd' (job sales, field for_each). Allowed: land. Did you mean",
        ),
    ],
)
def test_what_cannot_be_is_refused(job, tmp_path, for_each, parameters, message):
    (tmp_path / "r.csv").write_text("land\nDE\n")
    with pytest.raises(PlanRefused) as caught:
        make_plan(job(for_each, parameters), ["sales"])
    assert message in str(caught.value)


@pytest.mark.parametrize("for_each", ["{}", '{a = "x"}', "{a = []}", '{a = {column = "x"}}'])
def test_a_wrong_shape_is_refused_with_the_right_one(job, for_each):
    with pytest.raises(RefusedError, match=r"job sales, field for_each"):
        read_jobs(job(for_each))


def test_an_unknown_value_is_refused_with_the_known_ones(job):
    path = job('{country = ["DE", "FR"]}')
    with pytest.raises(PlanRefused) as caught:
        make_plan(path, ["sales--FX", "plain--DE"])
    assert "unknown job 'sales--FX'" in str(caught.value)
    assert "Allowed: sales--DE, sales--FR. Did you mean sales--FR" in str(caught.value)
    assert "plain--DE is none of its reports" in str(caught.value)


def test_a_refusal_leaves_the_shelf_once_the_values_are_found(job, tmp_path):
    path = job('{country = {column = "land", of = "responses"}}', 'parameters={responses="r.csv"}')
    (tmp_path / "r.csv").write_text("lnd\nDE\n")
    assert cxlib("run", "sales", "--jobs", path, folder=tmp_path).returncode == 2
    assert (tmp_path / "out/failed/sales/manifest.json").is_file()
    (tmp_path / "r.csv").write_text("land\nDE\n")
    assert cxlib("run", "sales", "--jobs", path, folder=tmp_path).returncode == 0
    assert not (tmp_path / "out/failed/sales").exists()
