"""Many runs at a time: one process each, limits kept, each published as it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxlib.errors import CxError
from cxlib.report.news import before
from cxlib.report.params import read_cells
from cxlib.report.places import beside, known_places, without_places
from cxlib.report.plan import Run
from cxlib.report.provenance import JOB_FIELDS, first_manifest, input_hashes, key, renew_times
from cxlib.report.publish import (
    SCRATCH_PREFIX,
    as_text,
    home,
    publish,
    read_manifest,
    resume,
    verify,
    withdraw,
    write_atomically,
)
from cxlib.report.worker import ColdWorker, watch

__all__ = ["Outcome", "mark_refused", "run_all"]

_PREFIX = ".run-"
_KEPT_COUNTS = 20  # input files of earlier runs whose rows a run is told
_WAY_SECONDS = 30  # for what runs elsewhere, whose own limit is kept there


@dataclass(frozen=True)
class Outcome:
    """How one run ended.

    Attributes
    ----------
    job : str
    status : {"ok", "failed"}
    seconds : float
    folder : Path
    error : dict or None
        ``cell`` and ``message``.
    unchanged : bool
        Whether the report on the shelf was still right, so that nothing was run.
    """

    job: str
    status: str
    seconds: float
    folder: Path
    error: dict[str, Any] | None = None
    unchanged: bool = False


Tell = Callable[[str, str, Any], None]


def run_all(
    runs: Sequence[Run],
    out: Path,
    *,
    workers: int,
    timeout_seconds: float,
    fresh: bool = False,
    cold: bool = False,
    remote: Callable[..., Any] | None = None,
    tell: Tell = lambda job, event, detail: None,
) -> list[Outcome]:
    """Execute runs, at most `workers` at a time, and publish each as it ends.

    The caller holds the shelf's lock (`cxlib.report.lock.only_runner`).

    Parameters
    ----------
    runs : sequence of Run
    out : Path
        The shelf's folder; runs work in a folder below it, so that publishing is a rename.
    workers : int
    timeout_seconds : float
        The most that one run may take, all attempts together, where its job names no limit.
    fresh : bool
        Whether runs are executed whose report on the shelf is still right.
    cold : bool
        Whether each run starts an interpreter of its own, and no ready one is forked.
    remote : callable, optional
        Makes a worker elsewhere, from the working folder, the seconds left and the memory allowed.
    tell : callable
        Called as ``tell(job, event, detail)`` from the runs' threads: ``started``, ``cell``
        (detail has cell and of) and ``ended`` (detail is the `Outcome`).

    Returns
    -------
    list of Outcome
        In the order of `runs`.
    """
    _sweep(out)
    for job in {run.folder.partition("--")[0] for run in runs if run.for_each}:
        withdraw(out / "failed" / job)  # its values could not be found before, and now they are
    kept = {} if fresh else {run.job: kept for run in runs if (kept := _unchanged(run, out))}
    for outcome in kept.values():
        tell(outcome.job, "ended", outcome)
    due = [run for run in runs if run.job not in kept]
    with contextlib.ExitStack() as stack:
        start = remote or (lambda work, *limits: ColdWorker(work))
        if due and not (cold or remote):
            from cxlib.report import warm

            if warm.can_be_warm(len(due)):
                stack.enter_context(warm.zygote(run.notebook for run in due))
                start = _warm_else_cold
        batch = _Batch(out, timeout_seconds, start, bool(remote), tell)
        outcomes = kept | {o.job: o for o in batch.run(due, workers)}
    _sweep(out)
    return [outcomes[run.job] for run in runs]


def _warm_else_cold(work: Path, *limits):
    from cxlib.report.warm import WarmWorker

    try:
        return WarmWorker(work)
    except (OSError, EOFError):  # what would be forked is gone
        return ColdWorker(work)


def _sweep(out: Path) -> None:
    """Complete what a stopped runner was publishing and remove what else it left."""
    for folder in out.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            resume(folder / "report", out)
        withdraw(folder)
    for scratch in out.rglob(f"{SCRATCH_PREFIX}*"):
        with contextlib.suppress(OSError):
            scratch.unlink()


def _unchanged(run: Run, out: Path) -> Outcome | None:
    """The outcome of a run whose report is on the shelf, whole and of the same key."""
    folder = out / run.folder
    manifest = read_manifest(folder)
    if manifest is None or manifest["status"] != "ok" or not manifest.get("key"):
        return None
    cells = read_cells(run.notebook)
    if manifest["key"] != key(cells, run.parameters, input_hashes(cells, _input_files(run))):
        return None
    names = {entry["name"] for entry in manifest["outputs"]}
    if not {f"report.{ending}" for ending in run.formats} <= names or verify(folder):
        return None
    fields = {name: getattr(run, name) for name in JOB_FIELDS}
    declared = json.loads(json.dumps(fields))
    declared["inputs"] = renew_times(manifest["inputs"], _input_files(run))
    if any(manifest.get(name) != value for name, value in declared.items()):
        write_atomically(folder / "manifest.json", as_text(manifest | declared))
    withdraw(out / "failed" / run.folder)
    return Outcome(run.job, "ok", 0.0, folder, unchanged=True)


def _input_files(run: Run) -> list[str]:
    return [
        run.parameters[p.name]
        for p in run.declared
        if p.kind.name == "InputFile" and run.parameters[p.name] is not None
    ]


def _request(run: Run, out: Path) -> dict[str, Any]:
    return {
        "job": run.job,
        "notebook": str(run.notebook),
        "notebook_name": beside(run.notebook, out.parent),
        "parameters": dict(run.parameters),
        "changed": list(run.changed),
        **{name: getattr(run, name) for name in JOB_FIELDS},
        "declared": [
            {"name": p.name, "meaning": p.meaning, "unit": p.unit, "changed": p.name in run.changed}
            for p in run.declared
        ],
        "input_files": _input_files(run),
        "places": known_places(out.parent, run.notebook.parent),
        "before": before(out, run.folder),
    }


class _Batch:
    """Runs in threads, each of which follows one process."""

    def __init__(self, out: Path, timeout_seconds: float, start, elsewhere: bool, tell: Tell):
        self.out, self.timeout_seconds = out, timeout_seconds
        self.start, self.elsewhere, self.tell = start, elsewhere, tell
        self.live: set[Any] = set()
        self.counted: list[dict[str, Any]] = []  # inputs of the runs that have ended
        self.stopped = threading.Event()

    def run(self, runs: Sequence[Run], workers: int) -> list[Outcome]:
        with ThreadPoolExecutor(max_workers=workers) as threads:
            futures = [threads.submit(self._run_one, run) for run in runs]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                self.stopped.set()
                threads.shutdown(wait=False, cancel_futures=True)
                for worker in tuple(self.live):
                    worker.kill()
                raise
        return [future.result() for future in futures]

    def _run_one(self, run: Run) -> Outcome | None:
        """Do one run and publish it; None, and nothing published, where the whole was stopped."""
        self.tell(run.job, "started", None)
        request, work = _request(run, self.out) | {"counted": self.counted[-_KEPT_COUNTS:]}, None
        began = time.monotonic()
        try:
            work = Path(tempfile.mkdtemp(dir=self.out, prefix=f"{_PREFIX}{os.getpid()}-"))
            manifest, folder = self._attempts(run, request, work, began)
            if manifest is None or self.stopped.is_set():
                return None
            manifest["seconds"] = round(time.monotonic() - began, 2)
            self.counted += [e for e in manifest["inputs"] if e not in self.counted]
            outcome = self._publish(run, folder, manifest)
        except OSError as error:  # a full disk: first make room, then say so
            outcome = self._give_up(run, request, work, error, time.monotonic() - began)
        finally:
            if work:
                withdraw(work)
        self.tell(run.job, "ended", outcome)
        return outcome

    def _attempts(self, run: Run, request: dict, work: Path, began: float):
        limit = run.timeout_seconds or self.timeout_seconds
        for attempt in range(1, run.retries + 2):
            here = work / str(attempt)
            (here / "report").mkdir(parents=True)
            (here / "request.json").write_text(json.dumps(request), encoding="utf-8")
            ended = self._work(run, here, began + limit)
            if self.stopped.is_set():
                return None, here
            manifest = _result(request, here, ended, limit, run.memory_mb)
            manifest["attempts"] = attempt
            if manifest.pop("final", False) or manifest["status"] == "ok":
                break
        return manifest, here / "report"

    def _work(self, run: Run, work: Path, deadline: float) -> str:
        seconds = max(0.0, deadline - time.monotonic())
        worker = self.start(work, seconds, run.memory_mb)
        self.live.add(worker)
        if self.stopped.is_set():  # between the start and the line above
            worker.kill()
        try:
            return watch(
                worker,
                lambda detail: self.tell(run.job, "cell", detail),
                deadline=deadline + (_WAY_SECONDS if self.elsewhere else 0),
                memory_mb=None if self.elsewhere else run.memory_mb,
            )
        finally:
            self.live.discard(worker)

    def _publish(self, run: Run, folder: Path, manifest: dict[str, Any]) -> Outcome:
        if manifest["status"] == "failed":
            withdraw(folder / "tables")
        target = home(self.out, manifest)
        publish(folder, target, manifest)
        return Outcome(run.job, manifest["status"], manifest["seconds"], target, manifest["error"])

    def _give_up(self, run, request, work, error: OSError, seconds: float) -> Outcome:
        from cxlib.report.execute import told

        if work:
            withdraw(work)
        manifest = first_manifest(request) | {"seconds": round(seconds, 2)}
        manifest["error"] = {
            "cell": None,
            "message": without_places(told(error), request["places"], request["input_files"]),
        }
        with contextlib.suppress(OSError):  # then the outcome alone says so
            publish(None, home(self.out, manifest), manifest)
        return Outcome(run.job, "failed", manifest["seconds"], self.out, manifest["error"])


def _result(
    request: dict, work: Path, ended: str, limit: float, memory_mb: int | None
) -> dict[str, Any]:
    result = work / "result.json"
    if result.is_file() and not ended:
        return json.loads(result.read_text(encoding="utf-8"))
    from cxlib.report.execute import finish_failed

    if ended == "late":
        reason = f"The run took longer than {limit:g} seconds and was ended."
    elif ended == "memory":
        reason = f"The run held more than {memory_mb:,} MB (memory_mb of the job) and was ended."
    else:
        log = work / "worker.log"
        lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
        reason = "The run's process ended early: " + (lines[-1] if lines else "without a word.")
    manifest = first_manifest(request)
    finish_failed(None, manifest, request, work / "report", CxError(reason))
    manifest["final"] = bool(ended)
    return manifest


def mark_refused(job: str, message: str, out: Path) -> None:
    """Put a job on the shelf as failed that could not even start; its last report stays."""
    known = read_manifest(out / job) or {}
    fields = {name: known.get(name) for name in JOB_FIELDS}
    manifest = first_manifest(
        {"job": job, "notebook_name": known.get("notebook"), "parameters": {}, **fields}
    )
    manifest |= {name: known[name] for name in ("title", "question") if name in known}
    message = re.sub("(there is no file ).*/", r"\1", message)  # the caller sees the folder, too
    message = without_places(message, known_places(out.parent, Path.cwd()))
    manifest["error"] = {"cell": None, "message": message}
    publish(None, home(out, manifest), manifest)
