"""Registers handed over while the service runs: received, checked in a process beside it, then used or thrown away."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Final

from features.errors import InputRefused
from features.hand_over import take
from features.settings import load
from features.source import standing
from serving.access.roles import Act
from serving.children import PRIVATE, begun, hold, is_held
from serving.errors import StoreUnavailable
from serving.handing_told import ARRIVING, FOLDER, LAID, Sent, State, Turn, ended_of, keep, kept, settle, sweep
from serving.trail.entry import Entry

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from serving.trail.keeper import Trail

log = logging.getLogger("tepat")
WORKER: Final = "serving.handing_work"
STOPPED: Final = "The service ended before the files were checked. They are gone; hand them over again."
WRONG: Final = "Tepat made a mistake; the service's log has its place. The files are gone."
DIED: Final = (
    "The process that checked was ended from outside, by the system that ran out of memory as a rule. The files are "
    "gone; hand over fewer registers at a time, or as Parquet."
)


class Already(Exception):
    """Somebody hands over, or decides, at this moment."""


class Waits(Exception):
    """A hand-over that was checked waits to be used or thrown away."""


class Gone(Exception):
    """The hand-over that is meant is not there to be used or thrown away."""


@dataclass(frozen=True, eq=False)
class Place:
    """Where files arrive; nobody else hands over until it is let go.

    Parameters
    ----------
    folder
        New and empty, for the user that runs Tepat and nobody else.
    """

    folder: Path
    lock: IO[str]


class Handing:
    """Registers handed over, one hand-over at a time, of all services on a folder.

    Parameters
    ----------
    folder
        The service's.
    """

    def __init__(self, folder: Path, *, trail: Trail) -> None:
        self.folder, self._trail = folder / FOLDER, trail
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._ending = False

    def start(self) -> None:
        """Bring to an end what a service left half done; whatever is in the way is noted, and stops no service."""
        try:
            self._held().close()
        except Already:
            return  # another service works there
        except (OSError, InputRefused, StoreUnavailable) as fault:
            log.error("hand-over not settled", extra={"reason": type(fault).__name__})  # noqa: TRY400 (it may quote)

    def last(self) -> Turn | None:
        """The hand-over that is checked, or the last one; None before the first."""
        found = kept(self.folder)
        if found is None or found.state is not State.CHECKING or self._runs() or is_held(self.folder):
            return found
        found = kept(self.folder)  # it may have ended between the two looks
        if found is None or found.state is not State.CHECKING:
            return found
        return replace(found, state=State.FAILED, said=STOPPED)

    def open(self) -> Place:
        """A place for files; give it to `begin` or to `let_go`.

        Raises
        ------
        Already, Waits
        InputRefused, OSError
            The service's folder cannot be written, or what was left half done cannot be ended.
        """
        lock = self._held()
        try:
            self._make_room()
        except BaseException:
            lock.close()
            raise
        return Place(self.folder / ARRIVING, lock)

    def let_go(self, place: Place) -> None:
        """Take away what arrived."""
        sweep(self.folder)
        place.lock.close()

    def begin(self, place: Place, sent: tuple[Sent, ...], *, note: Entry) -> None:
        """Have the files checked; return once the trail tells of it. The place is let go, sooner or later.

        Raises
        ------
        Already
            The service is being stopped; the files are gone, as with the next two.
        StoreUnavailable
            The trail cannot be written.
        OSError
            The service's folder cannot be written.
        """
        turn = Turn(by=note.who, begun_at=note.at, sent=sent)
        note = replace(note, about=turn.about())
        with self._lock:
            try:
                self._check_going()
                self._trail.note(note)
                settle(self.folder)
                keep(self.folder, turn)
                self._process = begun(WORKER, self.folder)
            except BaseException:
                self.let_go(place)
                raise
            arguments = (self._process, turn, note, place.lock)
            self._thread = threading.Thread(target=self._follow, args=arguments, name=FOLDER)
            self._thread.start()

    def use(self, mark: str, *, note: Entry) -> None:
        """Bring a hand-over into `data/raw`, whole or not at all; its reason is the note's `why`.

        Parameters
        ----------
        mark
            Fingerprint of the hand-over that is meant. One that is used already stays as it is.

        Raises
        ------
        Already, Gone
        InputRefused
            Other registers lie there than when it was checked; nothing was changed, which the trail tells.
        StoreUnavailable, OSError
            The trail, the store's folder or `data/raw` cannot be written.
        """
        with self._held() as _:
            turn = self._meant(mark, done=State.USED)
            if turn.state is State.USED:
                return
            note = replace(note, about=turn.about(state=State.USING.value))
            self._trail.note(note)
            self._used(replace(turn, state=State.USING, decided_by=note.who, because=note.why), note)

    def drop(self, mark: str, *, note: Entry) -> None:
        """Throw a hand-over and its files away; one that is thrown away already stays so.

        Raises
        ------
        Already, Gone, StoreUnavailable, OSError
        """
        with self._held() as _:
            turn = self._meant(mark, done=State.DROPPED)
            if turn.state is State.CHECKED:
                self._trail.note(replace(note, about=turn.about(state=State.DROPPED.value)))
                keep(self.folder, replace(turn, state=State.DROPPED, ended_at=note.at, decided_by=note.who))
                sweep(self.folder)

    def stop(self) -> None:
        """End; files that were being checked are gone."""
        with self._lock:
            self._ending, process, thread = True, self._process, self._thread
        if process is not None and process.poll() is None:
            process.kill()
        if thread is not None:
            thread.join(timeout=20)

    def _make_room(self) -> None:
        found = kept(self.folder)
        if found is not None and found.state is State.CHECKED:
            raise Waits
        (self.folder / ARRIVING).mkdir(mode=PRIVATE)

    def _check_going(self) -> None:
        if self._ending:
            raise Already

    def _runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _held(self) -> IO[str]:
        """The lock, once what a service left half done is at an end."""
        lock = hold(self.folder)
        if lock is None:
            raise Already
        try:
            found = kept(self.folder)
            if found is not None and found.state is State.USING:
                found = self._resumed(found)
            elif found is not None and found.state is State.CHECKING:
                sweep(self.folder)  # before it is said
                keep(self.folder, replace(found, state=State.FAILED, said=STOPPED, ended_at=_now()))
            if found is None or found.state is not State.CHECKED:
                sweep(self.folder)
        except BaseException:
            lock.close()
            raise
        return lock

    def _resumed(self, turn: Turn) -> Turn | None:
        """What became of a hand-over that a service, or a full disk, left half used."""
        note = Entry(at=_now(), who=turn.decided_by or turn.by, via="start", act=Act.HAND_OVER.value, why=turn.because,
                     request_id="start")  # fmt: skip
        with suppress(InputRefused):  # it waits again, and the page tells when it is used
            self._used(turn, note)
        return kept(self.folder)

    def _used(self, turn: Turn, note: Entry) -> None:
        """Use it; the trail tells how that ended, whoever began with it."""
        try:
            keep(self.folder, turn)
            self._finish(turn)
        except (InputRefused, OSError) as refusal:
            outcome = State.REFUSED if isinstance(refusal, InputRefused) else State.FAILED
            about = turn.about(state=(kept(self.folder) or turn).state.value)
            self._trail.note(replace(note, at=_now(), outcome=outcome.value, about=about))
            raise
        self._trail.note(replace(note, at=_now(), about=turn.about(state=State.USED.value)))

    def _finish(self, turn: Turn) -> None:
        """Use it; after an `OSError` that came once `data/raw` was another one it is `USING`, and is finished later."""
        waits = replace(turn, state=State.CHECKED, decided_by=None, because=None)
        if turn.laid is None:
            raise InputRefused("a hand-over that was not checked", "one that was", "Hand the files over again.")
        try:
            take(self.folder / LAID, turn.laid, source=load().source)
        except InputRefused:
            keep(self.folder, waits)
            raise
        except OSError:
            if standing() == turn.laid.over:
                keep(self.folder, waits)
            raise
        keep(self.folder, replace(turn, state=State.USED, ended_at=_now()))
        sweep(self.folder)

    def _meant(self, mark: str, *, done: State) -> Turn:
        found = kept(self.folder)
        if found is None or found.laid is None or found.laid.mark != mark or found.state not in (State.CHECKED, done):
            raise Gone
        return found

    def _follow(self, process: subprocess.Popen[bytes], turn: Turn, note: Entry, lock: IO[str]) -> None:
        try:
            with process:
                process.wait()
            why = STOPPED if self._ending else DIED if process.returncode < 0 else WRONG
            ended = ended_of(turn, self.folder, otherwise=why)
            if ended.state is not State.CHECKED:
                sweep(self.folder)
            keep(self.folder, ended)
            outcome = "done" if ended.state is State.CHECKED else ended.state.value
            self._trail.note(replace(note, at=_now(), outcome=outcome, about=ended.about()))
        except (OSError, StoreUnavailable) as fault:
            log.error("hand-over not noted", extra={"reason": type(fault).__name__})  # noqa: TRY400 (it may quote)
        finally:
            lock.close()


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)
