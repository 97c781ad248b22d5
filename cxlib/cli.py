"""The command line: run reports, show parameters, check files."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from cxlib.errors import CxError, RefusedError

_HERE = (
    "To pass them here: --columns OURS=THEIRS, --missing COLUMN=CODE, --timezone ZONE, "
    "--set OPTION=VALUE."
)
OK, SOME_FAILED, REFUSED, ALERTED, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(
    name="cxlib",
    help="Customer experience reports with their uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command line; a `CxError` becomes its message and an exit code."""
    try:
        app()
    except RefusedError as error:
        _complain(error)
        sys.exit(REFUSED)
    except CxError as error:
        _complain(error)
        sys.exit(SOME_FAILED)


def _complain(message: object) -> None:
    print(message, file=sys.stderr)


def _cores() -> int:
    return min(2, os.cpu_count() or 1)


@app.command()
def run(
    jobs: Annotated[
        list[str] | None, typer.Argument(metavar="[JOB]...", help="Jobs; all of them by default.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="A parameter of every chosen job."),
    ] = None,
    workers: Annotated[int | None, typer.Option("-j", min=1, help="Runs at a time.")] = None,
    jobs_file: Annotated[Path, typer.Option("--jobs", help="The jobs file.")] = Path(
        "reports/jobs.toml"
    ),
    out: Annotated[
        Path | None, typer.Option(help="The shelf's folder; out/ beside the jobs file by default.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run jobs whose report is unchanged, too.")
    ] = False,
    cold: Annotated[
        bool, typer.Option("--cold", help="Start an interpreter for each run; fork no ready one.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(min=1, help="The most one run may take, in seconds, with all its retries."),
    ] = 1800,
    dask: Annotated[
        str | None,
        typer.Option(metavar="tcp://HOST:PORT", help="Run on the workers of a dask scheduler."),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Only jobs whose schedule has come since their last run.")
    ] = False,
    mail: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Mail a summary; repeatable. Server: CXLIB_SMTP_*."),
    ] = None,
) -> None:
    """Run notebooks into reports; ends with the path of the shelf's page.

    Exit code 0: all went well; 1: some failed; 2: refused before anything ran; 3: all ran and an
    alert fired.
    """
    from cxlib.report.lock import only_runner
    from cxlib.report.mail import take_settings

    out = (jobs_file.parent / "out" if out is None else out).resolve()
    settings = take_settings(os.environ, mail or ())
    overrides = _assignments(parameters, "-p")
    options = {"timeout_seconds": timeout, "fresh": fresh, "cold": cold}
    try:
        with only_runner(out), _place(dask, workers) as place:
            options |= place
            code = _run_jobs(jobs_file, jobs or (), overrides, out, due, settings, **options)
    except OSError as error:
        raise CxError(f"The shelf could not be written: {error}.") from error
    raise typer.Exit(code)


@contextmanager
def _place(dask: str | None, workers: int | None) -> Iterator[dict[str, Any]]:
    """Where runs happen and how many at a time."""
    if dask is None:
        yield {"workers": workers or _cores()}
        return
    from cxlib.report.cluster import connected

    with connected(dask) as (remote, threads):
        yield {"workers": workers or threads, "remote": remote}


def _run_jobs(jobs_file, jobs, overrides, out: Path, due: bool, settings, **options) -> int:
    """Plan, run, build the shelf, tell; the exit code. The caller holds the shelf's lock."""
    from datetime import UTC, datetime

    from cxlib.report.after import after_run
    from cxlib.report.due import due_runs
    from cxlib.report.plan import PlanRefused, make_plan
    from cxlib.report.pool import mark_refused, run_all
    from cxlib.report.progress import LiveProgress, PlainProgress
    from cxlib.report.shelf import build_shelf

    started, blamed = datetime.now(UTC), {}
    try:
        if due:
            plan, blamed = due_runs(jobs_file, jobs, overrides, out)
        else:
            plan = make_plan(jobs_file, jobs, overrides)
    except PlanRefused as error:
        for job, message in error.jobs.items():
            mark_refused(job, message, out)
        if error.jobs:
            build_shelf(out)
            after_run(out, error.jobs, started, settings, _complain)
        raise
    if due and not (plan or blamed):
        print("Nothing is due.")
        return OK
    for job, message in blamed.items():
        mark_refused(job, message, out)
        _complain(f"{job} was refused:\n{message}")
    progress = LiveProgress if sys.stdout.isatty() else PlainProgress
    outcomes: list = []
    missing = {item.job: item.folder for item in plan}
    try:
        with progress([*missing]) as show:

            def tell(job: str, event: str, detail: Any) -> None:
                if event == "ended":
                    missing.pop(job, None)
                show(job, event, detail)

            outcomes = run_all(plan, out, tell=tell, **options)
    except KeyboardInterrupt:
        _complain("Interrupted: what was running has been ended; finished reports stay.")
        return INTERRUPTED
    finally:
        unchanged = [o.folder.name for o in outcomes if o.unchanged]
        page = build_shelf(out, unchanged=unchanged, interrupted=[*missing.values()])
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    for outcome in failed:
        cell = outcome.error["cell"]
        _complain(f"{outcome.job} failed{f' in cell {cell}' if cell else ''}:")
        _complain("\n".join(f"  {line}" for line in outcome.error["message"].splitlines()))
    print(page)
    tried = [*(run.folder for run in plan), *blamed]
    alerts = after_run(out, tried, started, settings, _complain)
    return SOME_FAILED if failed or blamed else ALERTED if alerts else OK


@app.command()
def params(notebook: Annotated[Path, typer.Argument(help="An .ipynb file.")]) -> None:
    """Show a notebook's parameters: type, default and meaning."""
    from cxlib.report.params import read_parameters

    declared = read_parameters(notebook).values()
    if not declared:
        print(f"{notebook.name} has no parameters.")
    rows = [
        (p.name, str(p.kind), repr(p.default), f"{p.meaning}{f' [{p.unit}]' if p.unit else ''}")
        for p in declared
    ]
    if rows and sys.stdout.isatty():
        _print_table(("name", "type", "default", "meaning"), rows)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="CSV, Parquet, Excel or DuckDB file.")],
    table: Annotated[str, typer.Option("--as", help="responses, transactions, contacts, ...")],
    columns: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=THEIRS", help="The file's name for a column; repeatable."),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=CODE", help="A code for no answer; repeatable."),
    ] = None,
    questions: Annotated[
        list[str] | None,
        typer.Option(metavar="QUESTION=COLUMN", help="Melts a wide file; repeatable."),
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(metavar="QUESTION=LOW:HIGH", help="Range of an answer; repeatable."),
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Of naive times: Europe/Berlin.")] = None,
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="OPTION=VALUE", help="As negative=net, decimal=, or sheet=2."
        ),
    ] = None,
) -> None:
    """List all problems of a file, or say that it is ok.

    Exit code 0: ok; 1: problems; 2: refused (no such file, table or option).
    """
    options: dict[str, Any] = {
        "columns": _assignments(columns, "--columns"),
        "missing": _missing_codes(missing),
        "questions": _assignments(questions, "--questions"),
        "scale": {q: _range(text) for q, text in _assignments(scale, "--scale").items()},
        "timezone": timezone,
    }
    options = {name: given for name, given in options.items() if given}
    for name, value in _assignments(others, "--set").items():
        options[name] = {"none": None, "true": True, "false": False}.get(value.lower(), value)
    from cxlib.tables import read

    try:
        intake = read.check(file, table, **options)
    except CxError as error:
        if "ass " in str(error):  # Pass columns=..., pass decimal=...: as Python has it
            raise type(error)(f"{error}\n{_HERE}") from error
        raise
    print(f"ok. {intake.summary()}")


def _print_dials(wanted: bool) -> None:
    if not wanted:
        return
    from cxlib.worlds.declarations import DIALS

    for group in dict.fromkeys(dial.group for dial in DIALS):
        print(f"{group}:")
        for d in (d for d in DIALS if d.group == group):
            print(f"  {d.name} = {d.default:g} [{d.unit}], {d.low:g} to {d.high:g}: {d.meaning}")
    raise typer.Exit


@app.command()
def schedule(
    form: Annotated[str, typer.Option("--as", metavar="cron|systemd", help="Whose text to write.")],
    jobs_file: Annotated[Path, typer.Option("--jobs", help="The jobs file.")] = Path(
        "reports/jobs.toml"
    ),
    out: Annotated[Path | None, typer.Option(help="The shelf's folder.")] = None,
    units: Annotated[
        Path | None, typer.Option(help="Write the units of systemd as files into this folder.")
    ] = None,
) -> None:
    """Print the jobs that have a schedule as lines for cron, or as units for systemd."""
    from cxlib.report.schedule import cron_lines, systemd_units

    out = jobs_file.parent / "out" if out is None else out
    if form not in ("cron", "systemd"):
        raise RefusedError(f"--as takes cron or systemd, not {form!r}.")
    if form == "cron":
        print(cron_lines(jobs_file, out))
        return
    for name, text in systemd_units(jobs_file, out).items():
        if units is None:
            print(f"# ~/.config/systemd/user/{name}\n{text}\n")
        else:
            units.mkdir(parents=True, exist_ok=True)
            (units / name).write_text(f"{text}\n", encoding="utf-8")
            print(units / name)


@app.command()
def world(
    out: Annotated[Path, typer.Option(help="The folder to write into.")],
    seed: Annotated[int, typer.Option(help="Another seed, another company.")] = 7,
    customers: Annotated[int, typer.Option(help="Size of the company.")] = 5000,
    weeks: Annotated[int, typer.Option(help="Length of its history.")] = 104,
    format: Annotated[str, typer.Option(help="parquet or csv")] = "parquet",
    dials: Annotated[
        list[str] | None, typer.Option("--dial", metavar="NAME=NUMBER", help="A dial, turned.")
    ] = None,
    sealed: Annotated[bool, typer.Option(help="Hide a truth drawn at random.")] = False,
    list_dials: Annotated[
        bool,
        typer.Option("--dials", is_eager=True, callback=_print_dials, help="List all dials, exit."),
    ] = False,
) -> None:
    """Write a simulated company: the six tables and truth.json."""
    from cxlib.worlds.dials import from_text
    from cxlib.worlds.world import World
    from cxlib.worlds.write import write_world

    try:
        turned = from_text(_assignments(dials, "--dial"))
        company = World(seed, customers, weeks, sealed=sealed, **turned)
        for path in write_world(company, out, format):
            print(path)
    except CxError as error:
        raise RefusedError(str(error)) from error


def _assignments(pairs: list[str] | None, option: str) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs or ()]
    wrong = ["".join(parts) for parts in split if not parts[0] or not parts[1]]
    if wrong:
        raise RefusedError(f"{option} takes name=value, not {', '.join(map(repr, wrong))}.")
    names = [name for name, _, _ in split]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RefusedError(f"{option} names {', '.join(twice)} more than once.")
    return {name: value for name, _, value in split}


def _missing_codes(pairs: list[str] | None) -> dict[str, list[Any]]:
    codes: dict[str, list[Any]] = {}
    for pair in pairs or ():
        ((name, value),) = _assignments([pair], "--missing").items()
        codes.setdefault(name, []).append(int(value) if re.fullmatch(r"-?\d+", value) else value)
    return codes


def _range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(-?\d+):(-?\d+)", text)
    if not match:
        raise RefusedError(f"--scale takes QUESTION=LOW:HIGH such as nps=0:10, not {text!r}.")
    return int(match.group(1)), int(match.group(2))


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*header, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


if __name__ == "__main__":
    main()
