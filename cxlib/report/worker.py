"""The process that does one run: how it is started cold, watched, and ended with all its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import psutil

__all__ = ["KERNEL_ENVIRONMENT", "ColdWorker", "environment_of", "kill_tree", "watch"]

KERNEL_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONUNBUFFERED": "1",
}
ZYGOTE_VARIABLE = "CXLIB_ZYGOTE"
_LOOK_SECONDS = 0.1


def kill_tree(pid: int, *, itself: bool = True) -> None:
    """Kill a process and everything that descends from it, whatever group it is in."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [*root.children(recursive=True), *([root] if itself else [])]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def environment_of(work: Path) -> dict[str, str]:
    """The environment of a run in a working folder."""
    return {
        **os.environ,
        **KERNEL_ENVIRONMENT,
        "IPYTHONDIR": str(work / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(work / "runtime"),
    }


class ColdWorker:
    """``python -m cxlib.report.execute FOLDER``; it ends itself when our end of its stdin closes.

    Parameters
    ----------
    work : Path
        Holds request.json and the folder ``report``.
    """

    def __init__(self, work: Path):
        with (work / "worker.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cxlib.report.execute", str(work)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment_of(work),
                start_new_session=True,
            )
        self.pid = self._process.pid
        self.lines: Iterable[bytes] = self._process.stdout
        self.ended = ""

    def kill(self) -> None:
        """End it with all its own."""
        kill_tree(self.pid)

    def memory(self) -> int:
        """Bytes it holds with all its own."""
        return memory_of(self.pid)

    def close(self) -> None:
        """Wait for its end and kill what it may have left."""
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def watch(
    worker: Any,
    tell_cell: Callable[[Mapping[str, int]], None],
    *,
    deadline: float,
    memory_mb: int | None = None,
) -> str:
    """Follow a worker to its end.

    Parameters
    ----------
    worker : ColdWorker, WarmWorker or RemoteWorker
    tell_cell : callable
        Gets each line of progress.
    deadline : float
        By `time.monotonic`; then the worker and all its own are killed.
    memory_mb : int, optional
        The most that all its processes may hold together.

    Returns
    -------
    str
        ``"late"`` or ``"memory"`` where it was killed, else nothing.
    """
    ended, reason = threading.Event(), []

    def look():
        while not ended.wait(_LOOK_SECONDS if memory_mb else max(0, deadline - time.monotonic())):
            late = time.monotonic() >= deadline
            if late or (memory_mb and worker.memory() > memory_mb * 1e6):
                reason.append("late" if late else "memory")
                worker.kill()
                return

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        for line in worker.lines:
            with contextlib.suppress(ValueError):
                tell_cell(json.loads(line))
        worker.close()
    finally:
        ended.set()
        watcher.join()
    return reason[0] if reason else worker.ended


def memory_of(pid: int) -> int:
    """Bytes held by a process and its descendants; what forks share is counted once on Linux."""
    held = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [root, *root.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                full = process.memory_full_info()
                held += getattr(full, "pss", full.rss)
    return held


def adopt_orphans() -> None:
    """On Linux, become the parent of descendants whose own parent ends, so that they are found."""
    if sys.platform == "linux":
        import ctypes

        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1)
