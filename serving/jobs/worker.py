"""The thread that works on jobs, one at a time, in the order in which they were started."""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import logging
import socket
import threading
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from serving.errors import StoreUnavailable
from serving.faults import StoreRefused
from serving.jobs.begun import begun
from serving.jobs.child import ChildRefused
from serving.jobs.claims import Claims, Lost
from serving.jobs.folder import PRIVATE, REFUSED_FILE, JobFolder
from serving.jobs.keeping import FOLDER
from serving.jobs.kept import STATES
from serving.jobs.running import Run, Stopped
from serving.jobs.told import FULL, told
from serving.jobs.uploads import Uploads

if TYPE_CHECKING:
    from pathlib import Path

    from serving.jobs.asking import Asks
    from serving.jobs.kept import Job
    from serving.shelf import Shelf
    from serving.watch import Watch

log = logging.getLogger("tepat")
LOOK_S = 1.0
OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(eq=False)
class JobWorker:
    """Works on the jobs whose files are in a folder.

    Of several servers on one folder the first works, for as long as it holds the folder's lock: so what another run of
    this place left half done has nobody who works on it, and is taken up at once.

    Parameters
    ----------
    service_folder
        The service's folder; the jobs lie in `jobs`.
    most_upload
        Largest file. [bytes]
    """

    service_folder: Path
    shelf: Shelf
    asks: Asks
    watch: Watch
    most_upload: int
    uploads: Uploads = field(default_factory=Uploads)
    pace: dict[str, float] = field(default_factory=dict)
    _ending: threading.Event = field(default_factory=threading.Event)
    _wake: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is half done goes on from its last whole part when the service starts again."""
        self._ending.set()
        self._wake.set()
        self._thread.join(timeout=20)

    def wake(self) -> None:
        """A job was started: look at once."""
        self._wake.set()

    def folder(self, job_id: str) -> JobFolder:
        """The files of a job."""
        return JobFolder(self.service_folder / FOLDER / job_id)

    def _work(self) -> None:
        lock: IO[str] | None = None
        while not self._ending.is_set():
            try:
                lock = lock or self._lock()
                worked = lock is not None and self._step()
            except (StoreRefused, StoreUnavailable, OSError) as fault:
                log.warning("jobs wait", extra={"reason": type(fault).__name__})
                worked = False
            if not worked:
                self._wake.wait(LOOK_S)
                self._wake.clear()
        if lock is not None:
            lock.close()

    def _lock(self) -> IO[str] | None:
        """The folder's lock, which the system takes back when the process ends in any way; None: another has it."""
        (self.service_folder / FOLDER).mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        lock = (self.service_folder / FOLDER / "worker.lock").open("w", encoding="utf-8")
        try:
            # Of the process, not of the file's descriptor: scorers that were forked off do not keep it.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            return None
        return lock

    def _step(self) -> bool:
        """Work on the next job, if there is one; whether there was."""
        place = f"{socket.gethostname()}:{self.service_folder.resolve()}"
        with self.shelf.store() as store:
            claims = Claims(store.database, place, f"{place}#{uuid.uuid4().hex}")
            self._count(claims)
            found = claims.take(here=lambda job_id: self.folder(job_id).path.is_dir(), now=dt.datetime.now(tz=dt.UTC))
            if found is None:
                return False
            self._run(found, claims)
            self._count(claims)
        return True

    def _run(self, job: Job, claims: Claims) -> None:
        folder = self.folder(job.id)
        run = Run(job=job, folder=folder, claims=claims, asks=self.asks, ending=self._ending, pace=self.pace)
        log.info("job", extra={"job": job.id, "from": job.households_done})
        try:
            with begun(folder, job):
                run.finish()
        except Stopped:
            return
        except Lost:
            pass
        except (StoreRefused, StoreUnavailable):
            raise
        except ChildRefused as refusal:
            self._fail(job, claims, refusal.fault)
        except OSError as fault:
            self._fail(job, claims, told(FULL if fault.errno in OF_DISK else None))
        except Exception as fault:  # noqa: BLE001 (whatever one job brings, the next ones are worked on)
            log.error("job failed", extra={"job": job.id, "reason": type(fault).__name__})  # noqa: TRY400 (not its message, which may repeat a cell)
            self._fail(job, claims, told(None))
        self.pace.pop(job.id, None)
        folder.drop_work()

    def _fail(self, job: Job, claims: Claims, fault: dict[str, str | int]) -> None:
        """Keep why the job failed, and of its files only which rows were refused."""
        folder = self.folder(job.id)
        kept = folder.prepared / REFUSED_FILE
        if kept.exists():
            folder.result.mkdir(exist_ok=True)
            kept.replace(folder.result / REFUSED_FILE)
        now = dt.datetime.now(tz=dt.UTC)
        with suppress(Lost):
            claims.tell(
                job.id, now=now, state="failed", finished_at=now, fault=fault | {"request_id": job.id}, claimed_by=None
            )

    def _count(self, claims: Claims) -> None:
        found = claims.by_state()
        for state in STATES:
            self.watch.jobs.labels(state).set(found.get(state, 0))
