"""The kernel of a run: this interpreter, started cold or forked ready from its own process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from queue import Empty

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

__all__ = ["ReadyKernel", "kernel_manager"]

_EXTRA = ["--HistoryManager.enabled=False"]

fresh_path: list[str] = []
"""What a new interpreter has as sys.path; set once where kernels are forked from."""


class ReadyKernel:
    """A fork of this process that has imported everything and waits for its connection file.

    It must be made before zmq, asyncio or a thread exist in this process. What it offers is what
    jupyter_client asks of a `subprocess.Popen`.
    """

    stdin = stdout = stderr = None

    def __init__(self):
        reader, self._writer = os.pipe()
        parent = os.getpid()
        self.returncode = None
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._writer)
            _become_kernel(reader, parent)
        os.close(reader)

    def connect(self, connection_file: str, environment: dict[str, str], cwd: str) -> None:
        """Hand over the connection file: the fork turns into a kernel."""
        request = {"file": connection_file, "environment": environment, "cwd": cwd}
        with os.fdopen(self._writer, "w", encoding="utf-8") as pipe:
            json.dump(request, pipe)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self) -> int:
        while self.poll() is None:
            time.sleep(0.005)
        return self.returncode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _become_kernel(reader: int, parent: int) -> None:
    code = 1
    try:
        os.setsid()
        os.dup2(2, 1)  # the pipe of the run's progress is not for the kernel
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with os.fdopen(reader, encoding="utf-8") as pipe:
            text = pipe.read()
        if text:  # else the run ended before it needed a kernel
            _serve(json.loads(text), parent)
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _serve(request: dict, parent: int) -> None:
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    sys.modules.pop("__mp_main__", None)
    options = [f"--IPKernelApp.parent_handle={parent}", *_EXTRA]
    launcher = find_spec("ipykernel_launcher").origin
    sys.argv = [launcher, "-f", request["file"], *options]
    sys.path[:] = fresh_path or sys.path
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance()


class _Provisioner(LocalProvisioner):
    """Takes the ready kernel where there is one, and forgets no exit code."""

    ready: list[ReadyKernel]
    exit_codes: list[int]

    async def launch_kernel(self, cmd, **options):
        if not self.ready:
            return await super().launch_kernel(cmd, **options)
        self.process = self.ready.pop()
        environment = dict(options.get("env") or os.environ)
        environment["JPY_PARENT_PID"] = str(os.getpid())
        cwd = str(options.get("cwd") or os.getcwd())
        self.process.connect(self.parent.connection_file, environment, cwd)
        self.pid = self.pgid = self.process.pid
        return self.connection_info

    async def poll(self):
        code = await super().poll()
        if code and self.process:
            self.exit_codes.append(code)
        return code

    async def wait(self):
        while self.process and self.process.poll() is None:
            await asyncio.sleep(0.005)
        return await super().wait()


class Client(AsyncKernelClient):
    """Ready when the kernel says that it is idle; the usual client listens 0.2 s into silence."""

    async def _async_wait_for_ready(self, timeout: float | None = None) -> None:
        deadline = time.monotonic() + (timeout or float("inf"))
        while True:
            asked = self.kernel_info()
            with contextlib.suppress(Empty):
                reply = await self.shell_channel.get_msg(timeout=1)
                if reply["msg_type"] == "kernel_info_reply":
                    self._handle_kernel_info_reply(reply)
                    while not _is_idle(await self.iopub_channel.get_msg(timeout=0.2), asked):
                        pass
                    return
            if not await self._async_is_alive():
                raise RuntimeError("The kernel died before it was ready.")
            if time.monotonic() > deadline:
                raise RuntimeError(f"The kernel was not ready after {timeout:g} seconds.")

    wait_for_ready = _async_wait_for_ready


def _is_idle(message: dict, asked: str) -> bool:
    return (
        message["msg_type"] == "status"
        and message["content"]["execution_state"] == "idle"
        and message["parent_header"].get("msg_id") == asked
    )


def kernel_manager(
    folder: Path, ready: ReadyKernel | None = None, *, sockets: bool = True
) -> tuple[type[AsyncKernelManager], list[int]]:
    """The class of kernel managers for one run, and a list that gets the kernel's exit code.

    Whatever kernels are installed elsewhere, the notebook runs in this interpreter. On Linux
    messages go through sockets in `folder`, however long its path: the kernel reaches it through
    this process. Elsewhere, and without `sockets`, they go by TCP, whose ports two runs may pick at
    the same moment.
    """
    exit_codes: list[int] = []
    waiting = [ready] if ready else []
    short = _short_path(folder) if sockets else None

    class Manager(AsyncKernelManager):
        client_factory = Client

        def __init__(self, **options):
            options["connection_file"] = str(folder / "k.json")
            if short:
                options |= {"transport": "ipc", "ip": f"{short}/k"}
            super().__init__(**options)

        @property
        def kernel_spec(self):
            launcher = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=launcher + _EXTRA, display_name="Python 3", language="python")

        async def _async_pre_start_kernel(self, **options):
            if self.provisioner is None:
                self.provisioner = _Provisioner(
                    kernel_id=self.kernel_id or "", kernel_spec=self.kernel_spec, parent=self
                )
                self.provisioner.ready, self.provisioner.exit_codes = waiting, exit_codes
            return await super()._async_pre_start_kernel(**options)

        pre_start_kernel = _async_pre_start_kernel

    return Manager, exit_codes


def _short_path(folder: Path) -> str | None:
    """A folder's path by a descriptor of this process; a socket's path has 108 bytes at most."""
    if sys.platform != "linux":
        return None
    path = f"/proc/{os.getpid()}/fd/{os.open(folder, os.O_RDONLY | os.O_DIRECTORY)}"
    return path if os.path.isdir(path) else None
