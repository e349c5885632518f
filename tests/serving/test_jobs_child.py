"""The process that reads what strangers sent, and how files arrive: what neither knows, keeps or stops."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from serving.errors import StoreUnavailable
from serving.jobs import child, uploads
from serving.jobs.child import ChildRefused
from serving.jobs.folder import JobFolder
from serving.jobs.uploads import Uploads
from tests.conftest import ROOT

TELLS = """
import json, os, resource, tempfile
from serving.jobs.child import guarded

def work(folder):
    said = {name: value for name, value in os.environ.items() if name.startswith("TEPAT_")}
    said |= {"aside": tempfile.mkstemp()[1], "memory": resource.getrlimit(resource.RLIMIT_DATA)[0]}
    said |= {"oom": open("/proc/self/oom_score_adj").read().strip()}
    (folder / "told.json").write_text(json.dumps(said))

guarded(work)
"""
DIES = """
import os, signal, openpyxl
from serving.jobs.child import guarded

def work(folder):
    book = openpyxl.Workbook(write_only=True)
    book.create_sheet().append(["Siti"])
    assert list((folder / "spill.part").glob("openpyxl.*"))
    os.kill(os.getpid(), signal.SIGKILL)

guarded(work)
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch):
    folder = tmp_path / "job"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{ROOT}")
    monkeypatch.setenv("TEPAT_DATABASE", "postgresql://tepat:rahasia@db/tepat")

    def with_module(text: str) -> Path:
        (tmp_path / "of_a_test.py").write_text(text)
        child.run("of_a_test", folder, look=lambda: None)
        return folder

    return with_module


def test_the_process_of_a_job_knows_no_secret_goes_first_when_memory_ends_and_keeps_things_in_the_jobs_folder(run):
    folder = run(TELLS)
    told = child.json.loads((folder / "told.json").read_text())

    assert folder / child.SPILL == Path(told.pop("aside")).parent
    assert {"memory": child.MOST_MEMORY, "oom": "1000"} == told
    assert ["told.json"] == [path.name for path in folder.iterdir()]


def test_a_process_that_is_killed_leaves_no_half_written_sheet(run, tmp_path):
    with pytest.raises(ChildRefused):
        run(DIES)

    assert [] == list((tmp_path / "job").iterdir())


async def body():
    yield b"x" * uploads.BLOCK
    yield b"y"


def received(folder: JobFolder):
    return asyncio.run(Uploads().receive(folder, "child", body(), kind="csv", part=None))


def test_requests_do_not_wait_while_a_file_goes_to_the_disk(tmp_path, monkeypatch):
    folder, seen = JobFolder(tmp_path / "job"), []
    folder.make()
    laid_down = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (seen.append(threading.current_thread()), laid_down(file)))

    assert uploads.BLOCK + 1 == received(folder).kept
    assert seen
    assert threading.main_thread() not in seen


def test_a_file_that_would_take_the_room_of_decisions_and_the_trail_is_refused_and_gone(tmp_path, monkeypatch):
    folder = JobFolder(tmp_path / "job")
    folder.make()
    monkeypatch.setattr(uploads, "is_full", lambda _: True)

    with pytest.raises(StoreUnavailable, match="less than 256 MiB"):
        received(folder)
    assert [] == list(folder.files.iterdir())
