"""What is to be run: jobs.toml and the command line become frozen runs, or one refusal."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from cxlib.errors import CxError, Problem, RefusedError
from cxlib.report.params import Parameter, parse_text, read_parameters, resolve, unknown_names

__all__ = ["Job", "PlanRefused", "Run", "make_plan", "read_jobs"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.]*(?:-[A-Za-z0-9_.]+)*")
_RESERVED = ("failed", "interactive", "index.html", "index.json")
_CRON_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_CRON_ITEM = re.compile(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?")


class Job(BaseModel):
    """One table of jobs.toml.

    Attributes
    ----------
    notebook : str
        Path of the notebook, relative to jobs.toml.
    parameters : dict
        Values for parameters that the notebook declares; input files relative to jobs.toml.
    formats : list of str
        ``["html"]``.
    schedule : str or None
        When the job is meant to run, five fields of cron; shown on the shelf.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    notebook: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    formats: list[str] = Field(default_factory=lambda: ["html"])
    schedule: str | None = None
    for_each: dict[str, Any] | None = None
    alert: Any = None

    @field_validator("formats")
    @classmethod
    def _formats(cls, value: list[str]) -> list[str]:
        if "pdf" in value:
            raise ValueError("this version writes no PDF yet; print report.html instead")
        if value != ["html"]:
            raise ValueError('must be ["html"]')
        return value

    @field_validator("schedule")
    @classmethod
    def _schedule(cls, value: str | None) -> str | None:
        if value is not None and not _is_cron(value):
            raise ValueError(f'{value!r} is not five fields of cron such as "0 6 * * 1"')
        return value

    @field_validator("for_each", "alert", mode="before")
    @classmethod
    def _not_yet(cls, value: Any) -> Any:
        if value is not None:
            raise ValueError("this version cannot do this yet; remove the field")
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
    schedule : str or None
    """

    job: str
    notebook: Path
    parameters: Mapping[str, Any]
    folder: str
    changed: tuple[str, ...] = ()
    declared: tuple[Parameter, ...] = field(default=(), repr=False)
    schedule: str | None = None


class PlanRefused(RefusedError):
    """Nothing was run; ``jobs`` holds the message of each job that is itself to blame."""

    def __init__(self, headline: str, problems: Iterable[Problem], jobs: Mapping[str, str]):
        super().__init__(headline, problems)
        self.jobs = dict(jobs)


def _is_cron(text: str) -> bool:
    fields = text.split()
    if len(fields) != len(_CRON_RANGES):
        return False
    for entry, (low, high) in zip(fields, _CRON_RANGES, strict=True):
        for item in entry.split(","):
            match = _CRON_ITEM.fullmatch(item)
            if not match:
                return False
            bounds = [int(bound) for bound in match.group(1, 2) if bound is not None]
            if bounds != sorted(bounds) or any(not low <= bound <= high for bound in bounds):
                return False
    return True


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
    chosen = list(dict.fromkeys(names)) or list(jobs)
    unknown = [name for name in chosen if name not in jobs]
    if unknown:
        raise RefusedError(
            f"{jobs_file.name} has no such job; nothing was run.",
            [_unknown_job(name, jobs) for name in unknown],
        )
    runs, problems, blamed = [], [], {}
    for name in chosen:
        try:
            run, own, foreign = _plan_run(name, jobs[name], jobs_file, overrides, working_folder)
        except CxError as error:
            own = list(error.problems) or [Problem(error.headline.rstrip("."))]
            blamed[name] = str(error)
            problems += [_of_job(name, problem) for problem in own]
            continue
        if own:
            blamed[name] = str(CxError("The parameters cannot be used.", own))
        problems += [_of_job(name, problem) for problem in own + foreign]
        runs.append(run)
    if problems:
        raise PlanRefused("Refused before anything ran.", problems, blamed)
    return runs


def _of_job(name: str, problem: Problem) -> Problem:
    where = f"job {name}, {problem.where}" if problem.where else f"job {name}"
    return Problem(problem.what, where, problem.allowed, problem.cause, problem.count)


def _unknown_job(name: str, jobs: Mapping[str, Job]) -> Problem:
    near = difflib.get_close_matches(name, jobs, n=2)
    cause = f"Did you mean {' or '.join(near)}?" if near else ""
    return Problem(f"unknown job {name!r}", allowed=", ".join(jobs), cause=cause)


def _plan_run(
    name: str, job: Job, jobs_file: Path, overrides: Mapping[str, str], working_folder: Path
) -> tuple[Run, list[Problem], list[Problem]]:
    """Plan one job: its run, the problems of its values, and overrides it does not know."""
    notebook = (jobs_file.parent / job.notebook).resolve()
    declared = read_parameters(notebook)
    spoken = {
        key: (parse_text(declared[key], text), working_folder)
        for key, text in overrides.items()
        if key in declared
    }
    written = {key: (value, jobs_file.parent) for key, value in job.parameters.items()}
    values, problems = resolve(declared, written | spoken, notebook.parent)
    foreign = unknown_names(declared, overrides)
    changed = tuple(key for key, p in declared.items() if values[key] != p.default)
    run = Run(name, notebook, values, name, changed, tuple(declared.values()), job.schedule)
    return run, problems, foreign
