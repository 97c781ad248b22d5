"""The command line: quick to start, exact about exit codes."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cxlib import cli
from cxlib.errors import CxError, RefusedError


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["cxlib", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code, *capsys.readouterr()


def test_the_top_level_imports_nothing_heavy():
    script = (
        "import sys, cxlib.cli\n"
        "heavy = 'pandas scipy matplotlib papermill numpy nbformat pydantic'.split()\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n"


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs the times of a child process")
def test_help_is_there_before_anybody_waits():
    command = [sys.executable, "-c", "from cxlib.cli import main; main()", "--help"]
    seconds = []
    for _ in range(3):  # of the processor, which does not depend on what else the machine does
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        seconds.append(usage.ru_utime + usage.ru_stime)
    assert min(seconds) < 0.4


def test_help_names_the_commands_that_exist():
    shown = CliRunner().invoke(cli.app, ["--help"]).output
    for command in ("run", "params", "check", "world", "schedule"):
        assert f"\n  {command} " in shown
    assert "--cold" in CliRunner().invoke(cli.app, ["run", "--help"]).output


def test_params_shows_type_default_and_meaning(monkeypatch, capsys, tmp_path):
    import nbformat

    cell = nbformat.v4.new_code_cell('n: int = 3  # answers [count]\nname: str = "a"')
    cell.metadata["tags"] = ["parameters"]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "n.ipynb")
    code, out, _ = run(monkeypatch, capsys, "params", tmp_path / "n.ipynb")
    assert code == 0
    assert out.splitlines() == ["n     int  3    answers [count]", "name  str  'a'"]
    code, _, err = run(monkeypatch, capsys, "params", tmp_path / "missing.ipynb")
    assert code == 2
    assert "does not exist" in err


def test_check_is_0_for_a_good_file_1_for_a_bad_one_2_where_it_cannot_be_tried(
    monkeypatch, capsys, tmp_path
):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("id,ordered_at,amount\na,2025-01-01,10\nb,2025-01-02,12\n")
    bad.write_text('id,ordered_at,amount\na,2025-01-01,10\nb,2025-01-02,"12,5O"\n')
    columns = ("--columns", "customer_id=id")
    code, out, _ = run(monkeypatch, capsys, "check", good, "--as", "transactions", *columns)
    assert (code, out[:3]) == (0, "ok.")
    code, _, err = run(monkeypatch, capsys, "check", bad, "--as", "transactions", *columns)
    assert code == 1
    assert "12,5O" in err
    assert "line 3" in err
    for arguments in (
        ("check", tmp_path / "none.csv", "--as", "transactions"),
        ("check", good, "--as", "nonsense"),
        ("check", good, "--as", "transactions", "--set", "nonsense=1"),
        ("check", good, "--as", "transactions", "--columns", "customer_id"),
        ("check", good),
    ):
        assert run(monkeypatch, capsys, *arguments)[0] == 2


def test_check_passes_options_as_the_reader_takes_them(monkeypatch, capsys):
    from cxlib.tables import read

    seen = {}

    def check(source, table, **options):
        seen.update(options, source=source, table=table)
        raise CxError("stop")

    monkeypatch.setattr(read, "check", check)
    arguments = (
        "check f.csv --as responses --columns score=NETPRO --missing score=11 --missing score=x"
    )
    arguments += (
        " --questions nps=Q1 --scale nps=0:10 --timezone Europe/Berlin --set customer_id=None"
        " --set dayfirst=True"
    )
    assert run(monkeypatch, capsys, *arguments.split())[0] == 1
    assert seen == {
        "source": "f.csv",
        "table": "responses",
        "columns": {"score": "NETPRO"},
        "missing": {"score": [11, "x"]},
        "questions": {"nps": "Q1"},
        "scale": {"nps": (0, 10)},
        "timezone": "Europe/Berlin",
        "customer_id": None,
        "dayfirst": True,
    }


def test_check_says_how_to_pass_what_a_message_asks_for(monkeypatch, capsys, tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("id,ordered_at,amount\na,03/04/2025,10\n")
    code, _, err = run(monkeypatch, capsys, "check", path, "--as", "transactions")
    assert code == 1
    assert "Pass dayfirst=True" in err
    assert "--set OPTION=VALUE" in err.splitlines()[-1]


@pytest.mark.parametrize(("error", "code"), [(RefusedError("no"), 2), (CxError("bad"), 1)])
def test_errors_become_a_message_and_a_code(monkeypatch, capsys, error, code):
    def fail():
        raise error

    monkeypatch.setattr(cli, "app", fail)
    assert run(monkeypatch, capsys, "run")[0] == code


def test_a_parameter_given_twice_or_without_a_value_is_refused():
    with pytest.raises(RefusedError, match="names a more than once"):
        cli._assignments(["a=1", "a=2"], "-p")
    with pytest.raises(RefusedError, match="-p takes name=value, not 'a', '=1'"):
        cli._assignments(["a", "=1"], "-p")
    assert cli._assignments(["a=b=c"], "-p") == {"a": "b=c"}


def test_a_terminal_gets_a_live_line_that_follows_the_cells():
    from cxlib.report.pool import Outcome
    from cxlib.report.progress import LiveProgress

    with LiveProgress(["job"]) as tell:
        tell("job", "started", None)
        tell("job", "cell", {"cell": 2, "of": 5})
        (task,) = tell.__self__.progress.tasks
        assert (task.completed, task.total, task.fields["state"]) == (1, 5, "running")
        tell("job", "ended", Outcome("job", "failed", 1.0, None))
        assert (task.completed, task.fields["state"]) == (1, "failed")
