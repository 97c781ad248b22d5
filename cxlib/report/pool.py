"""Many runs at a time: one process each, a total time limit, and nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cxlib.errors import CxError
from cxlib.report.plan import Run
from cxlib.report.provenance import JOB_FIELDS, first_manifest
from cxlib.report.publish import publish, read_manifest, withdraw

__all__ = ["Outcome", "kill_tree", "mark_refused", "run_all"]

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_PREFIX = ".run-"


@dataclass(frozen=True)
class Outcome:
    """How one run ended: ``status`` is ok or failed, ``error`` has cell and message."""

    job: str
    status: str
    seconds: float
    folder: Path
    error: dict[str, Any] | None = None


def run_all(
    runs: Sequence[Run],
    out: Path,
    *,
    workers: int,
    timeout_seconds: float,
    tell: Callable[[str, str, Any], None] = lambda job, event, detail: None,
) -> list[Outcome]:
    """Execute runs, at most `workers` at a time, and publish each as it ends.

    Parameters
    ----------
    runs : sequence of Run
    out : Path
        The shelf's folder; runs work in a folder below it, so that publishing is a rename.
    workers : int
    timeout_seconds : float
        The most that one run may take; then it and its kernel are killed.
    tell : callable
        Called as ``tell(job, event, detail)`` from the runs' threads: ``started``, ``cell``
        (detail has cell and of) and ``ended`` (detail is the `Outcome`).

    Returns
    -------
    list of Outcome
        In the order of `runs`.
    """
    out.mkdir(parents=True, exist_ok=True)
    _sweep(out)
    live: set[int] = set()
    stopped = threading.Event()
    with ThreadPoolExecutor(max_workers=workers) as threads:
        futures = [
            threads.submit(_run_one, run, out, timeout_seconds, tell, live, stopped) for run in runs
        ]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            stopped.set()
            threads.shutdown(wait=False, cancel_futures=True)
            for pid in tuple(live):
                kill_tree(pid)
            raise
    return [future.result() for future in futures]


def kill_tree(pid: int) -> None:
    """Kill a process and everything that descends from it, whatever group it is in."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [*root.children(recursive=True), root]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _sweep(out: Path) -> None:
    """Remove working folders whose runner is no longer alive."""
    for folder in out.glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):
            withdraw(folder)


def _request(run: Run, out: Path) -> dict[str, Any]:
    return {
        "job": run.job,
        "notebook": str(run.notebook),
        "notebook_name": Path(os.path.relpath(run.notebook, out.parent)).as_posix(),
        "parameters": dict(run.parameters),
        "changed": list(run.changed),
        **{name: getattr(run, name) for name in JOB_FIELDS},
        "declared": [
            {"name": p.name, "meaning": p.meaning, "unit": p.unit, "changed": p.name in run.changed}
            for p in run.declared
        ],
        "input_files": [
            run.parameters[p.name]
            for p in run.declared
            if p.kind.name == "InputFile" and run.parameters[p.name] is not None
        ],
    }


def _run_one(
    run: Run, out: Path, timeout_seconds: float, tell, live: set[int], stopped: threading.Event
) -> Outcome | None:
    """Do one run and publish it; None, and nothing published, where the whole was stopped."""
    tell(run.job, "started", None)
    work = Path(tempfile.mkdtemp(dir=out, prefix=f"{_PREFIX}{os.getpid()}-"))
    try:
        (work / "report").mkdir()
        request = _request(run, out)
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")
        late = _work(run.job, work, timeout_seconds, tell, live)
        if stopped.is_set() and not (work / "result.json").is_file():
            return None
        manifest = _result(request, work, late, timeout_seconds)
        outcome = _publish(run, out, work / "report", manifest)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tell(run.job, "ended", outcome)
    return outcome


def _work(job: str, work: Path, timeout_seconds: float, tell, live: set[int]) -> bool:
    """Let a process of its own do the run; say whether it was too slow and was killed."""
    environment = os.environ | dict.fromkeys(_ONE_THREAD, "1")
    environment |= {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(work / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(work / "runtime"),
        "PYTHONUNBUFFERED": "1",
    }
    with (work / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cxlib.report.execute", str(work)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    live.add(process.pid)
    late = threading.Event()

    def give_up():
        late.set()
        kill_tree(process.pid)

    timer = threading.Timer(timeout_seconds, give_up)
    timer.start()
    try:
        for line in process.stdout:
            with suppress(ValueError):
                tell(job, "cell", json.loads(line))
        process.wait()
    finally:
        timer.cancel()
        live.discard(process.pid)
        process.stdin.close()
        process.stdout.close()
    return late.is_set()


def _result(request: dict, work: Path, late: bool, timeout_seconds: float) -> dict[str, Any]:
    result = work / "result.json"
    if result.is_file() and not late:
        return json.loads(result.read_text(encoding="utf-8"))
    from cxlib.report.execute import finish_failed

    if late:
        reason = f"The run took longer than {timeout_seconds:g} seconds and was ended."
    else:
        lines = (work / "worker.log").read_text(errors="replace").strip().splitlines()
        reason = "The run's process ended early: " + (lines[-1] if lines else "without a word.")
    manifest = first_manifest(request)
    if late:
        manifest["seconds"] = timeout_seconds
    finish_failed(None, manifest, request, work / "report", CxError(reason))
    return manifest


def _publish(run: Run, out: Path, folder: Path, manifest: dict[str, Any]) -> Outcome:
    failed = out / "failed" / run.folder
    if manifest["status"] == "ok":
        publish(folder, out / run.folder, manifest)
        withdraw(failed)
        target = out / run.folder
    else:
        shutil.rmtree(folder / "tables", ignore_errors=True)
        publish(folder, failed, manifest)
        target = failed
    return Outcome(run.job, manifest["status"], manifest["seconds"], target, manifest["error"])


def mark_refused(job: str, message: str, out: Path) -> None:
    """Put a job on the shelf as failed that could not even start; its last report stays."""
    known = read_manifest(out / job) or {}
    request = {
        "job": job,
        "notebook_name": known.get("notebook"),
        "schedule": known.get("schedule"),
        "parameters": {},
    }
    manifest = first_manifest(request)
    manifest |= {name: known[name] for name in ("title", "question") if name in known}
    manifest["error"] = {"cell": None, "message": message}
    publish(None, out / "failed" / job, manifest)
