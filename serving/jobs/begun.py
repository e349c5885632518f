"""How often a job was begun at one place of it: a job on which the service itself ends is not begun for ever."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from features.folders import write_text
from serving.jobs.child import ChildRefused
from serving.jobs.told import AGAIN, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serving.jobs.folder import JobFolder
    from serving.jobs.kept import Job

BEGUN = "begun.json"
MOST = 3


@contextmanager
def begun(folder: JobFolder, job: Job) -> Iterator[None]:
    """Count while it is worked on; only the end of the whole service leaves the count behind.

    Raises
    ------
    ChildRefused
        It was begun `MOST` times, and neither read its files nor finished a part since.
    OSError
    """
    path, place = folder.path / BEGUN, [job.model_stamp, job.households_done, folder.prepared.exists()]
    times = _times(folder, place) + 1
    if times > MOST:
        raise ChildRefused(told(AGAIN))
    write_text(path, json.dumps([times, place]))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _times(folder: JobFolder, place: Sequence[object]) -> int:
    try:
        times, there = json.loads((folder.path / BEGUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    return int(times) if there == place else 0
