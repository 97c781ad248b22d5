"""What the command line shows while runs are under way."""

from __future__ import annotations

from typing import Any

__all__ = ["LiveProgress", "PlainProgress"]


def _state(outcome: Any) -> str:
    return "unchanged" if outcome.unchanged else outcome.status


class PlainProgress:
    """One line as a run starts and one as it ends."""

    def __init__(self, jobs: list[str]):
        self.jobs = jobs

    def __enter__(self):
        return self._tell

    def __exit__(self, *_):
        return None

    def _tell(self, job: str, event: str, detail: Any) -> None:
        if event == "started":
            print(f"{job}: started", flush=True)
        elif event == "ended":
            seconds = f" ({detail.seconds:.1f} s)"
            print(f"{job}: {_state(detail)}{'' if detail.unchanged else seconds}", flush=True)


class LiveProgress:
    """A line a run that follows its cells, on a terminal."""

    def __init__(self, jobs: list[str]):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn as Elapsed

        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            Elapsed(),
        )
        self.tasks = {
            job: self.progress.add_task(job, total=None, start=False, state="waiting")
            for job in jobs
        }

    def __enter__(self):
        self.progress.start()
        return self._tell

    def __exit__(self, *_):
        self.progress.stop()

    def _tell(self, job: str, event: str, detail: Any) -> None:
        task = self.tasks[job]
        if event == "started":
            self.progress.start_task(task)
            self.progress.update(task, state="starting")
        elif event == "cell":
            done = detail["cell"] - 1
            self.progress.update(task, total=detail["of"], completed=done, state="running")
        else:
            total = self.progress.tasks[task].total or 1
            done = total if detail.status == "ok" else self.progress.tasks[task].completed
            self.progress.update(task, total=total, completed=done, state=_state(detail))
            self.progress.stop_task(task)
