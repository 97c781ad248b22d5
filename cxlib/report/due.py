"""What is due: scheduled jobs whose last due time has come since they were last tried."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cxlib.errors import CxError, Problem, RefusedError
from cxlib.report.cron import read_cron
from cxlib.report.plan import Run, make_plan, read_jobs
from cxlib.report.publish import read_manifest, write_atomically

__all__ = ["due_runs", "remember_tries"]

_TRIES = ".tries.json"


def due_runs(
    jobs_file: Path,
    names: Iterable[str],
    overrides: Mapping[str, str],
    out: Path,
    *,
    now: datetime | None = None,
) -> tuple[list[Run], dict[str, str]]:
    """Plan what is due; a job that cannot be planned does not hold up the others.

    Parameters
    ----------
    jobs_file : Path
    names : iterable of str
        The chosen jobs; all that have a schedule where none is named.
    overrides : mapping of str to str
        As for `make_plan`.
    out : Path
        The shelf's folder.
    now : datetime, optional

    Returns
    -------
    runs : list of Run
    refused : dict of str to str
        The message of each job that is due and cannot be planned.

    Raises
    ------
    RefusedError
        A named job has no schedule or does not exist.
    """
    now, jobs, chosen = now or datetime.now(UTC), read_jobs(jobs_file), list(names)
    wrong = [name for name in chosen if not _schedule(jobs, name)]
    if wrong:
        scheduled = [name for name, job in jobs.items() if job.schedule]
        raise RefusedError(
            "--due takes jobs with a schedule; nothing was run.",
            [Problem(f"{name!r} has none", allowed=", ".join(scheduled)) for name in wrong],
        )
    tries = _read_tries(out)
    runs, refused = [], {}
    for name in chosen or [name for name in jobs if jobs[name].schedule]:
        last_due = read_cron(_schedule(jobs, name)).last_before(now)
        try:
            planned = make_plan(jobs_file, [name], overrides)
        except CxError as error:
            if _last_try(out, name, tries) < last_due:
                refused[name] = str(error)
            continue
        runs += [run for run in planned if _last_try(out, run.folder, tries) < last_due]
    return runs, refused


def remember_tries(out: Path, folders: Iterable[str], started: datetime) -> None:
    """Note when jobs were last tried, since an unchanged one leaves no other trace."""
    tries = _read_tries(out) | dict.fromkeys(folders, started.isoformat())
    known = {folder: moment for folder, moment in tries.items() if _is_on_shelf(out, folder)}
    write_atomically(out / _TRIES, json.dumps(known, indent=1))


def _schedule(jobs, name: str) -> str | None:
    job = jobs.get(name) or jobs.get(name.partition("--")[0])
    return job.schedule if job else None


def _read_tries(out: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        tries = json.loads((out / _TRIES).read_text(encoding="utf-8"))
        return tries if isinstance(tries, dict) else {}
    return {}


def _is_on_shelf(out: Path, folder: str) -> bool:
    return any((parent / folder).is_dir() for parent in (out, out / "failed"))


def _last_try(out: Path, folder: str, tries: Mapping[str, str]) -> datetime:
    manifests = [read_manifest(parent / folder) for parent in (out, out / "failed")]
    texts = [manifest["started_at"] for manifest in manifests if manifest]
    moments = [datetime.min.replace(tzinfo=UTC)]
    for text in [*texts, tries.get(folder)]:
        with suppress(TypeError, ValueError):
            moment = datetime.fromisoformat(text)
            moments.append(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return max(moments)
