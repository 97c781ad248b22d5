"""One runner at a time for a shelf."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from cxlib.errors import RefusedError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["only_runner"]


@contextlib.contextmanager
def only_runner(out: Path):
    """Hold the shelf's lock; the system gives it back when this process ends, however it ends.

    Parameters
    ----------
    out : Path
        The shelf's folder, made where it is missing.

    Raises
    ------
    RefusedError
        Where another runner holds it, with its process, host and start; or where the folder cannot
        be written to.

    Examples
    --------
    >>> import tempfile
    >>> out = Path(tempfile.mkdtemp())
    >>> with only_runner(out), only_runner(out):
    ...     pass
    Traceback (most recent call last):
    cxlib.errors.RefusedError: Another run is writing to ...
    """
    path = out / ".lock"
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise RefusedError(
            f"The reports cannot be written to {out}: {error.strerror}. Nothing was run. "
            "Make the folder writable, or name another one by --out."
        ) from error
    with file:
        if not _taken(file):
            raise RefusedError(_message(path, out))
        file.seek(0)
        file.truncate()
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "started_at": _now()}
        with contextlib.suppress(OSError):  # a full disk: the lock holds without its label
            file.write(json.dumps(holder))
            file.flush()
        yield


def _taken(file) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            file.seek(2**20)  # beyond the label, which stays readable
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def _message(path: Path, out: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        told = "process {pid} on {host}, since {started_at}".format(**holder)
    except (OSError, ValueError, KeyError):
        told = "just started"
    return (
        f"Another run is writing to {out} ({told}). Nothing was run. "
        "Wait for it, end it, or name another folder by --out."
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
