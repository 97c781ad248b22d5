"""Jobs with a schedule as text for cron or systemd: absolute paths, quoted, one run at a time."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from cxlib.errors import Problem, RefusedError
from cxlib.report.cron import read_cron
from cxlib.report.plan import read_jobs

__all__ = ["cron_lines", "systemd_units"]


@dataclass(frozen=True)
class _Call:
    """The command of all jobs that share a schedule, and where it runs and logs."""

    cron: str
    jobs: tuple[str, ...]
    words: tuple[str, ...]
    folder: Path
    log: Path


def cron_lines(jobs_file: Path, out: Path) -> str:
    """Lines for ``crontab -e``: one for all jobs of one schedule.

    Parameters
    ----------
    jobs_file : Path
    out : Path
        The shelf's folder, which also gets the log.

    Returns
    -------
    str

    Raises
    ------
    RefusedError
        No job has a schedule, or a path that cron cannot carry.
    """
    lines = ["# cxlib: paste into `crontab -e`; exit codes and messages go to the log."]
    for call in _calls(jobs_file, out):
        folder, log = shlex.quote(str(call.folder)), shlex.quote(str(call.log))
        made = shlex.quote(str(call.log.parent))
        command = f"cd {folder} && mkdir -p {made} && {shlex.join(call.words)} >> {log} 2>&1"
        # Cron ends a command at a percent sign and takes the backslash before one away.
        lines.append(f"{call.cron}  {command}".replace("%", r"\%"))
    return "\n".join(lines)


def systemd_units(jobs_file: Path, out: Path) -> dict[str, str]:
    """Unit files by name: a service and a timer for all jobs of one schedule.

    Parameters
    ----------
    jobs_file, out : Path
        As for `cron_lines`.

    Returns
    -------
    dict of str to str

    Raises
    ------
    RefusedError
        As for `cron_lines`.
    """
    units = {}
    for call in _calls(jobs_file, out):
        name = f"cxlib-{call.jobs[0]}"
        title = f"cxlib reports: {', '.join(call.jobs)}"
        units[f"{name}.service"] = "\n".join(
            [
                "[Unit]",
                f"Description={title}",
                "",
                "[Service]",
                "Type=oneshot",
                f"WorkingDirectory={_unit_text(call.folder)}",
                "# Such as CXLIB_SMTP_HOST=...; readable by nobody else.",
                "EnvironmentFile=-%h/.config/cxlib.env",
                f"ExecStartPre=/bin/mkdir -p {_unit_word(call.log.parent)}",
                f"ExecStart={' '.join(map(_unit_word, call.words))}",
                "# An alert fired; the run itself went well.",
                "SuccessExitStatus=3",
            ]
        )
        times = [f"OnCalendar={line}" for line in read_cron(call.cron).on_calendar()]
        units[f"{name}.timer"] = "\n".join(
            [
                "[Unit]",
                f"Description={title}",
                "",
                "[Timer]",
                *times,
                "Persistent=true",
                "",
                "[Install]",
                "WantedBy=timers.target",
            ]
        )
    return units


def _calls(jobs_file: Path, out: Path) -> list[_Call]:
    jobs = {name: job for name, job in read_jobs(jobs_file).items() if job.schedule}
    if not jobs:
        raise RefusedError(
            f'{jobs_file.name} has no job with a schedule. Add one: schedule = "0 6 * * 1".'
        )
    jobs_file, out = jobs_file.resolve(), out.resolve()
    broken = [path for path in (jobs_file, out, Path.cwd()) if not str(path).isprintable()]
    if broken:
        raise RefusedError(
            "The schedule cannot be written.",
            [Problem(f"the path {str(path)!r} has a line end or the like") for path in broken],
        )
    places = ("--jobs", str(jobs_file), "--out", str(out))
    grouped: dict[str, list[str]] = {}
    for name, job in jobs.items():
        grouped.setdefault(" ".join(job.schedule.split()), []).append(name)
    return [
        _Call(
            cron,
            tuple(names),
            (*_one_by_one(out), *_cxlib(), "run", *names, *places),
            Path.cwd(),
            out / "schedule.log",
        )
        for cron, names in grouped.items()
    ]


def _one_by_one(out: Path) -> tuple[str, ...]:
    """Schedules that meet wait for each other, where the system has the tool for it."""
    flock = shutil.which("flock")
    return (flock, str(out / ".schedule.lock")) if flock else ()


def _cxlib() -> tuple[str, ...]:
    script = Path(sys.executable).with_name("cxlib")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "cxlib.cli")


def _unit_text(value: object) -> str:
    return str(value).replace("%", "%%")


def _unit_word(value: object) -> str:
    text = _unit_text(value).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"'
