"""What is to be run: jobs.toml and the command line become frozen runs, or one refusal."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cxlib.errors import CxError, Problem, RefusedError
from cxlib.report.alerts import read_alert
from cxlib.report.cron import read_cron
from cxlib.report.each import check_for_each, folder_name, folder_problems, read_values
from cxlib.report.params import Parameter, parse_text, read_parameters, resolve, unknown_names

__all__ = ["Job", "PlanRefused", "Run", "make_plan", "read_jobs"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]*(?:-[A-Za-z0-9_.]+)*")
_RESERVED = ("failed", "interactive", "index.html", "index.json")


class Job(BaseModel):
    """One table of jobs.toml.

    Attributes
    ----------
    notebook : str
        Path of the notebook, relative to jobs.toml.
    parameters : dict
        Values for parameters that the notebook declares; input files relative to jobs.toml.
    formats : list of str
        ``["html"]``, or with ``"pdf"`` as well.
    schedule : str or None
        When the job is meant to run, five fields of cron; shown on the shelf.
    for_each : dict or None
        One report for each value of a parameter: ``{country = ["DE", "FR"]}``, or the distinct
        values of an input's column: ``{country = {column = "country", of = "responses"}}``.
    alert : list of dict
        Conditions on recorded values: ``{value = "nps", below = 30}``.
    retries : int
        How often a run that broke down is tried again, 0 to 5.
    timeout_minutes : float or None
        The most that all attempts together may take; the command line's limit where None.
    memory_mb : int or None
        The most memory that the run and its kernel may hold together.
    stale_after_days : float or None
        When an input counts as out of date; derived from the schedule where None.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    notebook: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    formats: list[str] = Field(default_factory=lambda: ["html"])
    schedule: str | None = None
    for_each: dict[str, Any] | None = None
    alert: list[dict[str, Any]] = Field(default_factory=list)
    retries: int = Field(default=0, ge=0, le=5)
    timeout_minutes: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    memory_mb: int | None = Field(default=None, ge=256)
    stale_after_days: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @field_validator("formats")
    @classmethod
    def _formats(cls, value: list[str]) -> list[str]:
        if sorted(value) not in (["html"], ["html", "pdf"]):
            raise ValueError('must be ["html"] or ["html", "pdf"]')
        return value

    @field_validator("schedule")
    @classmethod
    def _schedule(cls, value: str | None) -> str | None:
        if value is not None:
            read_cron(value)
        return value

    @field_validator("for_each")
    @classmethod
    def _for_each(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None:
            check_for_each(value)
        return value

    @field_validator("alert")
    @classmethod
    def _alert(cls, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for entry in value:
            read_alert(entry)
        return value


@dataclass(frozen=True)
class Run:
    """One execution: everything a worker needs to know.

    Attributes
    ----------
    job : str
    notebook : Path
        Absolute.
    parameters : dict
        Every declared parameter with its resolved value.
    folder : str
        Name of the report's folder on the shelf.
    changed : tuple of str
        The parameters that differ from the notebook's own defaults.
    declared : tuple of Parameter
    for_each : dict
        The parameter that ``for_each`` varies, with this run's value; empty without it.
    schedule, alert, stale_after_days, formats, retries, memory_mb
        As the job has them.
    timeout_seconds : float or None
        The job's own limit.
    """

    job: str
    notebook: Path
    parameters: Mapping[str, Any]
    folder: str
    changed: tuple[str, ...] = ()
    declared: tuple[Parameter, ...] = field(default=(), repr=False)
    for_each: Mapping[str, Any] = field(default_factory=dict)
    schedule: str | None = None
    alert: tuple[Mapping[str, Any], ...] = ()
    stale_after_days: float | None = None
    formats: tuple[str, ...] = ("html",)
    retries: int = 0
    timeout_seconds: float | None = None
    memory_mb: int | None = None


class PlanRefused(RefusedError):
    """Nothing was run; ``jobs`` holds the message of each job that is itself to blame."""

    def __init__(self, headline: str, problems: Iterable[Problem], jobs: Mapping[str, str]):
        super().__init__(headline, problems)
        self.jobs = dict(jobs)


def read_jobs(path: str | Path) -> dict[str, Job]:
    """Read jobs.toml, one table a job.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str to Job
        In the order of the file.

    Raises
    ------
    RefusedError
        With every problem of the file, job and field named.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RefusedError(f"The jobs file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RefusedError(f"{path} is not TOML: {error}.") from error
    jobs, problems = {}, []
    for name, table in tables.items():
        if not _NAME.fullmatch(name) or name in _RESERVED:
            problems.append(
                Problem(
                    f"{name!r} cannot name a job",
                    allowed="letters, digits, _ and single hyphens; not " + ", ".join(_RESERVED),
                )
            )
        if not isinstance(table, dict):
            problems.append(Problem(f"{name} is not a table", allowed=f"[{name}] on its own line"))
            continue
        try:
            jobs[name] = Job.model_validate(table)
        except ValidationError as error:
            problems += [_job_problem(name, detail) for detail in error.errors()]
    if problems:
        raise RefusedError(f"{path} cannot be used.", problems)
    if not jobs:
        raise RefusedError(f"{path} names no job. Allowed: one table a job, with its notebook.")
    return jobs


def _job_problem(job: str, detail: Mapping[str, Any]) -> Problem:
    name = ".".join(map(str, detail["loc"]))
    where = f"job {job}, field {name}"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, Job.model_fields, n=1)
        cause = f"Did you mean {near[0]}?" if near else ""
        return Problem("unknown field", where, ", ".join(Job.model_fields), cause)
    if detail["type"] == "missing":
        return Problem("required field is missing", where)
    message = detail["msg"].removeprefix("Value error, ")
    return Problem(message[0].lower() + message[1:], where)


def make_plan(
    jobs_file: str | Path,
    names: Iterable[str] = (),
    overrides: Mapping[str, str] | None = None,
    *,
    working_folder: Path | None = None,
) -> list[Run]:
    """Decide what is to be run, and refuse it whole where anything is wrong.

    Parameters
    ----------
    jobs_file : str or Path
    names : iterable of str, optional
        The chosen jobs; all of the file where none is named.
    overrides : mapping of str to str, optional
        Texts of ``-p name=value``; each must be a parameter of every chosen job.
    working_folder : Path, optional
        Where relative input files of the overrides start; the current folder by default.

    Returns
    -------
    list of Run

    Raises
    ------
    RefusedError
        With all problems at once; a `PlanRefused` where single jobs are to blame.
    """
    jobs_file = Path(jobs_file).resolve()
    overrides = dict(overrides or {})
    working_folder = Path.cwd() if working_folder is None else Path(working_folder)
    jobs = read_jobs(jobs_file)
    chosen: dict[str, set[str]] = {}  # the job, and of its for_each the named ones (none: all)
    for name in list(names) or jobs:
        job, _, value = name.partition("--")
        chosen.setdefault(job, set()).update({name} if value else ())
    for name in names:
        if name in chosen:
            chosen[name].clear()
    unknown = [name for name in chosen if name not in jobs]
    if unknown:
        raise RefusedError(
            f"{jobs_file.name} has no such job; nothing was run.",
            [_unknown_job(name, jobs) for name in unknown],
        )
    runs, problems, blamed = [], [], {}
    for name, only in chosen.items():
        try:
            planned, own, foreign = _plan_job(
                name, jobs[name], only, jobs_file, overrides, working_folder
            )
        except CxError as error:
            own = list(error.problems) or [Problem(error.headline.rstrip("."))]
            blamed[name] = str(error)
            problems += [_of_job(name, problem) for problem in own]
            continue
        if own:
            blamed[name] = str(CxError("The parameters cannot be used.", own))
        problems += [_of_job(name, problem) for problem in own + foreign]
        runs += planned
    if problems:
        raise PlanRefused("Refused before anything ran.", problems, blamed)
    return runs


def _of_job(name: str, problem: Problem) -> Problem:
    where = f"job {name}, {problem.where}" if problem.where else f"job {name}"
    return Problem(problem.what, where, problem.allowed, problem.cause, problem.count)


def _unknown_job(name: str, jobs: Iterable[str]) -> Problem:
    near = difflib.get_close_matches(name, jobs, n=2)
    cause = f"Did you mean {' or '.join(near)}?" if near else ""
    return Problem(f"unknown job {name!r}", allowed=", ".join(jobs), cause=cause)


def _plan_job(
    name: str,
    job: Job,
    only: Collection[str],
    jobs_file: Path,
    overrides: Mapping[str, str],
    working_folder: Path,
) -> tuple[list[Run], list[Problem], list[Problem]]:
    """Plan one job: its runs, the problems of its values, and overrides it does not know."""
    notebook = (jobs_file.parent / job.notebook).resolve()
    declared = read_parameters(notebook)
    spoken = {
        key: (parse_text(declared[key], text), working_folder)
        for key, text in overrides.items()
        if key in declared
    }
    written = {key: (value, jobs_file.parent) for key, value in job.parameters.items()}
    given = written | spoken
    values, problems = resolve(declared, given, notebook.parent)
    foreign = unknown_names(declared, overrides)
    if job.for_each is None:
        foreign += [
            Problem(f"{each} is none of its reports", allowed=f"{name}; it has no for_each")
            for each in only
        ]
        return [_run(name, name, job, notebook, declared, values, {})], problems, foreign
    ((varied, source),) = job.for_each.items()
    if varied not in declared:
        return [], [*problems, *unknown_names(declared, [varied])], foreign
    if varied in given:
        cause = f"for_each sets it; run one of its reports as {name}--VALUE."
        problems.append(Problem(f"{varied} is given twice", "field for_each", cause=cause))
    if isinstance(source, Mapping):
        source, own = _column_values(declared, varied, values, **source)
        problems += own
    problems += folder_problems(name, source)
    runs = []
    for value in source:
        each, own = resolve(declared, given | {varied: (value, jobs_file.parent)}, notebook.parent)
        problems += [problem for problem in own if problem not in problems]
        run_name = folder_name(name, value)
        if not only or run_name in only:
            runs.append(_run(run_name, run_name, job, notebook, declared, each, {varied: value}))
    known = [folder_name(name, value) for value in source]
    if not problems:
        foreign += [_unknown_job(each, known) for each in sorted(only) if each not in known]
    return runs, problems, foreign


def _column_values(declared, varied: str, values: Mapping[str, Any], *, column: str, of: str):
    known = [key for key, p in declared.items() if p.kind.name == "InputFile"]
    where = "field for_each"
    if of not in known:
        allowed = ", ".join(known) or "none: the notebook has no input file"
        return [], [Problem(f"{of} is no input file of this notebook", where, allowed)]
    if values[of] is None:
        return [], [Problem(f"{of} names no file whose column {column} could be read", where)]
    if not Path(values[of]).is_file():
        return [], []  # said already
    texts, problems = read_values(column, values[of])
    return [parse_text(declared[varied], text) for text in texts], problems


def _run(name, folder, job: Job, notebook, declared, values, for_each) -> Run:
    return Run(
        name,
        notebook,
        values,
        folder,
        tuple(key for key, p in declared.items() if values[key] != p.default),
        tuple(declared.values()),
        for_each,
        job.schedule,
        tuple(job.alert),
        job.stale_after_days,
        tuple(job.formats),
        job.retries,
        job.timeout_minutes and 60 * job.timeout_minutes,
        job.memory_mb,
    )
