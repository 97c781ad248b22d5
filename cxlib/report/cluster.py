"""Runs on several machines: each a subprocess on a worker of dask.distributed.

The workers need this repository and the input files under the same paths as here: one shared
folder, or equal checkouts. What a run gives, which is small, comes back as bytes, so that the shelf
itself may be anywhere. A run's memory and time are watched where it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import tarfile
import tempfile
import time
from pathlib import Path

from cxlib.errors import RefusedError
from cxlib.report.worker import ColdWorker, watch

__all__ = ["RemoteWorker", "connected", "run_there"]

_PATIENCE_SECONDS = 10
_RETRIES = 3
_BROUGHT_BACK = ("report", "result.json", "worker.log")


@contextlib.contextmanager
def connected(address: str):
    """Connect to a scheduler; gives what starts a run there, and how many run at a time.

    Parameters
    ----------
    address : str
        ``"tcp://HOST:8786"``.

    Raises
    ------
    RefusedError
        Where nothing answers there, no worker is known, or distributed is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise RefusedError(
            "--dask needs dask.distributed, which is not installed: pip install 'cxlib[cluster]'."
        ) from error
    try:
        client = Client(address, timeout=_PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise RefusedError(
            f"No scheduler of dask answers at {address!r}. Nothing was run. "
            "Allowed: tcp://HOST:PORT as `dask scheduler` prints it."
        ) from error
    with client:
        threads = client.nthreads()
        if not threads:
            raise RefusedError(
                f"The scheduler at {address} has no worker. Nothing was run. Start some with "
                f"`dask worker {address} --nthreads 1` where the repository has the same path."
            )
        yield lambda work, *limits: RemoteWorker(client, work, *limits), sum(threads.values())


class RemoteWorker:
    """A run on some worker; one that dies has its run done again by another.

    Parameters
    ----------
    client : distributed.Client
    work : Path
        The working folder here.
    seconds : float
        Time left for this run.
    memory_mb : int or None
    """

    def __init__(self, client, work: Path, seconds: float, memory_mb: int | None):
        self._work = work
        request = (work / "request.json").read_text(encoding="utf-8")
        self._future = client.submit(
            run_there, request, seconds, memory_mb, pure=False, retries=_RETRIES
        )
        self.ended = ""

    @property
    def lines(self):
        """No progress comes back; the end does."""
        with contextlib.suppress(Exception, asyncio.CancelledError):  # told by close
            self._future.result()
        return ()

    def kill(self) -> None:
        """Drop the run; where it runs it goes on until it ends or its time is over."""
        self._future.cancel()

    def close(self) -> None:
        """Lay what came back into the working folder."""
        try:
            self.ended, packed = self._future.result()
        except (
            Exception,
            asyncio.CancelledError,
        ) as error:  # all workers that tried it died, or the scheduler is gone
            text = f"{type(error).__name__}: {' '.join(str(error).split())}"
            (self._work / "worker.log").write_text(text, encoding="utf-8")
            return
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(self._work, filter="data")


def run_there(request: str, seconds: float, memory_mb: int | None) -> tuple[str, bytes]:
    """Do one run in a subprocess; called on the worker.

    Returns
    -------
    ended : str
        As of `cxlib.report.worker.watch`.
    packed : bytes
        A tar archive of the report's files, result.json and worker.log.
    """
    with tempfile.TemporaryDirectory(prefix="cxlib-") as folder:
        work = Path(folder)
        (work / "report").mkdir()
        (work / "request.json").write_text(request, encoding="utf-8")
        notebook = Path(json.loads(request)["notebook"])
        if not notebook.is_file():
            raise FileNotFoundError(f"this worker has no {notebook}; it needs the same repository")
        deadline = time.monotonic() + seconds
        ended = watch(ColdWorker(work), lambda cell: None, deadline=deadline, memory_mb=memory_mb)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name in _BROUGHT_BACK:
                if (work / name).exists():
                    archive.add(work / name, name)
    return ended, packed.getvalue()
