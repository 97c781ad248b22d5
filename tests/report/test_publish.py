"""Publishing can stop at any step and be completed, or is seen to be broken."""

import json
import os
import shutil

import pytest

from cxlib.report import publish as module
from cxlib.report.publish import publish, read_manifest, resume, verify

OLD, NEW = {"report.html": "old", "tables/gone.csv": "x"}, {"report.html": "new", "t/new.csv": "y"}


class Stop(BaseException):
    """Stands for the end of the process."""


def manifest(status="ok"):
    return {
        "status": status,
        "job": "j",
        "started_at": "2026-01-01T00:00:00+00:00",
        "values": {},
        "error": None,
    }


def lay(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def stop_after(steps, monkeypatch):
    """Let so many renames and removals happen, then end."""
    left = [steps]

    def counted(function):
        def step(*arguments, **options):
            if not left[0]:
                raise Stop
            left[0] -= 1
            return function(*arguments, **options)

        return step

    monkeypatch.setattr(module.os, "replace", counted(os.replace))
    monkeypatch.setattr(module.Path, "unlink", counted(module.Path.unlink))
    monkeypatch.setattr(module.Path, "rmdir", counted(module.Path.rmdir))


@pytest.mark.parametrize("steps", range(9))
def test_a_publication_stopped_at_any_step_is_completed_or_undone(tmp_path, monkeypatch, steps):
    out = tmp_path / "out"
    publish(lay(tmp_path / "first", OLD), out / "j", manifest())
    before = json.loads((out / "j" / "manifest.json").read_text())
    source = lay(tmp_path / "second", NEW)
    with monkeypatch.context() as patch:
        stop_after(steps, patch)
        try:
            publish(source, out / "j", manifest())
            finished = True
        except Stop:
            finished = False
    if not finished and verify(out / "j") == []:
        # nothing was touched yet, or everything is done: never a mixture
        texts = (out / "j" / "report.html").read_text(), read_manifest(out / "j")["outputs"]
        assert texts[0] == ("old" if texts[1] == before["outputs"] else "new")
    assert resume(source, out) in ("j", None)
    shutil.rmtree(source, ignore_errors=True)
    assert verify(out / "j") == []
    expected = "old" if steps == 0 else "new"
    assert (out / "j" / "report.html").read_text() == expected
    names = {entry["name"] for entry in read_manifest(out / "j")["outputs"]}
    assert names == set(OLD if steps == 0 else NEW)
    assert len(list((out / "j" / "history").glob("2*.json"))) == (1 if steps == 0 else 2)


def test_a_success_clears_the_failure_and_a_failure_keeps_the_report(tmp_path):
    out = tmp_path / "out"
    publish(lay(tmp_path / "a", OLD), out / "j", manifest())
    publish(lay(tmp_path / "b", NEW), out / "failed" / "j", manifest("failed"))
    assert (out / "j" / "report.html").read_text() == "old"
    assert not (out / "failed" / "j" / "history").exists()
    publish(lay(tmp_path / "c", NEW), out / "j", manifest())
    assert not (out / "failed" / "j").exists()
