"""Warm runs: each a fresh fork of one process that has imported everything already."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from multiprocessing import connection, forkserver, get_context, parent_process
from pathlib import Path

from cxlib.report.worker import ZYGOTE_VARIABLE, environment_of, kill_tree, memory_of

__all__ = ["WarmWorker", "can_be_warm", "zygote"]

_CONTEXT = get_context("forkserver") if sys.platform == "linux" else None


def can_be_warm(runs: int) -> bool:
    """Whether forking pays and works: on Linux, from two runs on."""
    return _CONTEXT is not None and runs > 1


@contextlib.contextmanager
def zygote(notebooks: Iterable[Path] = ()):
    """For one batch of runs: the process that they are forked from.

    It gets ready what the batch's notebooks, one for each run, will need.
    """
    _end_zygote()  # one of an earlier batch would have imported what has changed since
    _CONTEXT.set_forkserver_preload(["cxlib.report.preload"])
    os.environ[ZYGOTE_VARIABLE] = json.dumps(Counter(map(str, notebooks)))
    try:
        forkserver.ensure_running()
    finally:
        del os.environ[ZYGOTE_VARIABLE]
    try:
        yield
    finally:
        _end_zygote()


def _end_zygote() -> None:
    server = forkserver._forkserver
    with contextlib.suppress(OSError):
        if server._forkserver_pid is not None:
            os.kill(server._forkserver_pid, signal.SIGKILL)
        server._stop()


class WarmWorker:
    """A run in a fork; its kernel is a fork of that, made before anything else.

    Raises
    ------
    OSError, EOFError
        Where the process to be forked is gone.
    """

    def __init__(self, work: Path):
        reader, writer = _CONTEXT.Pipe(duplex=False)
        with writer:
            self._process = _CONTEXT.Process(
                target=_run_forked, args=(work, environment_of(work), writer)
            )
            self._process.start()
        self.pid = self._process.pid
        self.lines: Iterable[bytes] = os.fdopen(os.dup(reader.fileno()), "rb")
        reader.close()
        self.ended = ""

    def kill(self) -> None:
        """End it with all its own."""
        kill_tree(self.pid)

    def memory(self) -> int:
        """Bytes it holds with all its own."""
        return memory_of(self.pid)

    def close(self) -> None:
        """Wait for its end and kill what it may have left."""
        self._process.join()
        if self._process.exitcode != 0:  # also where its parent is gone and it still runs
            kill_tree(self.pid)
        self._process.close()
        self.lines.close()


def _run_forked(work: Path, environment: dict[str, str], progress: connection.Connection) -> None:
    os.setsid()
    log = os.open(work / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 2)
    os.dup2(progress.fileno(), 1)
    os.close(log)
    progress.close()
    os.environ.clear()
    os.environ.update(environment)
    from cxlib.report import execute
    from cxlib.report.kernels import ReadyKernel

    kernel = ReadyKernel()
    threading.Thread(target=_die_with, args=(parent_process().sentinel,), daemon=True).start()
    execute.serve(work, kernel)


def _die_with(sentinel: int) -> None:
    connection.wait([sentinel])
    kill_tree(os.getpid())
