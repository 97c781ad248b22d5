"""jobs.toml and the command line are refused whole, with everything that is wrong."""

import pytest

from cxlib.errors import RefusedError
from cxlib.report.plan import PlanRefused, make_plan, read_jobs

from .conftest import write_notebook


def jobs(tmp_path, text):
    path = tmp_path / "jobs.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_problem_of_the_file_comes_with_its_job_and_field(tmp_path):
    path = jobs(
        tmp_path,
        '[a]\nnotebok = "a.ipynb"\n[b]\nnotebook = 3\nschedule = "each Monday"\n'
        '[c]\nnotebook = "c.ipynb"\nformats = ["pdf"]\nfor_each = {country = "DE"}\n'
        'alert = "nps < 20"\nretries = 9\ntimeout_minutes = 0\nmemory_mb = 1\n'
        '["d--x"]\nnotebook = "d.ipynb"\n[failed]\nnotebook = "e.ipynb"\n',
    )
    with pytest.raises(RefusedError) as caught:
        read_jobs(path)
    found = {(p.where, p.what) for p in caught.value.problems}
    wheres = {where for where, _ in found}
    assert {
        "job a, field notebok",
        "job a, field notebook",
        "job b, field notebook",
        "job b, field schedule",
        "job c, field formats",
        "job c, field for_each",
        "job c, field alert",
        "job c, field retries",
        "job c, field timeout_minutes",
        "job c, field memory_mb",
    } <= wheres
    text = str(caught.value)
    assert "Did you mean notebook?" in text
    assert 'must be ["html"] or ["html", "pdf"]' in text
    assert "country has neither a list of values nor a column" in text
    assert "'d--x' cannot name a job" in text
    assert "'failed' cannot name a job" in text


@pytest.mark.parametrize(
    ("cron", "fine"),
    [
        ("0 6 * * 1", True),
        ("*/15 6-18 1,15 * 1-5", True),
        ("60 6 * * 1", False),
        ("0 6 * *", False),
        ("0 18-6 * * *", False),
        ("0 6 * * mon; rm x", False),
    ],
)
def test_schedules_are_five_fields_of_cron(tmp_path, cron, fine):
    path = jobs(tmp_path, f'[a]\nnotebook = "a.ipynb"\nschedule = "{cron}"\n')
    if fine:
        assert read_jobs(path)["a"].schedule == cron
    else:
        with pytest.raises(RefusedError, match="is not five fields of cron"):
            read_jobs(path)


@pytest.mark.parametrize(("text", "message"), [("[a", "is not TOML"), ("", "names no job")])
def test_a_file_that_is_none_is_refused(tmp_path, text, message):
    with pytest.raises(RefusedError, match=message):
        read_jobs(jobs(tmp_path, text))
    with pytest.raises(RefusedError, match="cannot be read"):
        read_jobs(tmp_path / "missing.toml")


def test_a_run_carries_absolute_files_and_what_was_changed(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.csv").write_text("x")
    write_notebook(
        tmp_path / "n.ipynb",
        (
            'level: float = 0.95\na: "InputFile | None" = None\nb: "InputFile | None" = None',
            "parameters",
        ),
    )
    path = jobs(tmp_path, '[job]\nnotebook = "n.ipynb"\nparameters = {a = "a.csv", level = 0.9}\n')
    (run,) = make_plan(
        path, overrides={"b": "b.csv", "level": "0.8"}, working_folder=tmp_path / "elsewhere"
    )
    assert run.parameters == {
        "level": 0.8,
        "a": str(tmp_path / "a.csv"),
        "b": str(tmp_path / "elsewhere" / "b.csv"),
    }
    assert run.changed == ("level", "a", "b")


def test_the_plan_is_refused_whole_and_blames_jobs_for_their_own_values_only(tmp_path):
    write_notebook(tmp_path / "n.ipynb", ("level: float = 0.95", "parameters"))
    path = jobs(
        tmp_path,
        '[one]\nnotebook = "n.ipynb"\n[two]\nnotebook = "n.ipynb"\nparameters = {level = "x"}\n'
        '[three]\nnotebook = "missing.ipynb"\n',
    )
    with pytest.raises(PlanRefused) as caught:
        make_plan(path, overrides={"levle": "1"})
    text = str(caught.value)
    assert text.count("levle is not a parameter of this notebook") == 2
    assert "(job two)" in text
    assert "missing.ipynb does not exist (job three)" in text
    assert set(caught.value.jobs) == {"two", "three"}
    with pytest.raises(RefusedError, match=r"unknown job 'on'.*Did you mean one"):
        make_plan(path, names=["on"])
