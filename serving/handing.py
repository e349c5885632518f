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
from serving.children import PRIVATE, Beside, begun, hold
from serving.errors import StoreUnavailable
from serving.handing_told import (
    ARRIVING,
    DIED,
    FOLDER,
    LAID,
    STOPPED,
    UNBEGUN,
    WRONG,
    Sent,
    State,
    Turn,
    at_start,
    end_of,
    ended_of,
    is_worked_on,
    keep,
    kept,
    left,
    settle,
    sweep,
)
from serving.trail.entry import Entry

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from serving.trail.keeper import Trail

log = logging.getLogger("tepat")
WORKER: Final = "serving.handing_work"


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


class Handing(Beside):
    """Registers handed over, one hand-over at a time, of all services on a folder.

    What becomes of one is told by the trail before it is kept: a service that is killed between the two leaves it to
    the next one, which tells it again rather than never.

    Parameters
    ----------
    folder
        The service's.
    """

    def __init__(self, folder: Path, *, trail: Trail) -> None:
        super().__init__(folder / FOLDER)
        self._trail = trail

    def start(self) -> None:
        """Bring to an end what a service left half done; whatever is in the way is noted, and stops no service."""
        try:
            self._held().close()
        except Already:
            return  # another service works there
        except (OSError, InputRefused, StoreUnavailable) as fault:
            log.error("hand-over not settled", extra={"reason": type(fault).__name__})  # noqa: TRY400 (it may quote)

    def last(self) -> Turn | None:
        """The hand-over that is worked on, or the last one; None before the first."""
        return self._told(lambda: kept(self.folder), works=is_worked_on, left=left)

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
            The service's folder cannot be written, or no process begun; the trail tells.
        """
        turn = Turn(by=note.who, begun_at=note.at, sent=sent)
        note = replace(note, about=turn.about())
        with self._lock:
            try:
                self._check_going()
                self._trail.note(note)
                self._process = self._begun(turn, note)
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
                sweep(self.folder)  # before it is said
                keep(self.folder, replace(turn, state=State.DROPPED, ended_at=note.at, decided_by=note.who))

    def _make_room(self) -> None:
        found = kept(self.folder)
        if found is not None and found.state is State.CHECKED:
            raise Waits
        (self.folder / ARRIVING).mkdir(mode=PRIVATE)

    def _check_going(self) -> None:
        if self._ending:
            raise Already

    def _begun(self, turn: Turn, note: Entry) -> subprocess.Popen[bytes]:
        try:
            settle(self.folder)
            keep(self.folder, turn)
            return begun(WORKER, self.folder)
        except OSError:
            failed = replace(turn, state=State.FAILED, said=UNBEGUN, ended_at=_now())
            with suppress(StoreUnavailable, OSError):  # of the two faults the first is told
                self._trail.note(end_of(note, failed))
                keep(self.folder, failed)
            raise

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
                self._broken_off(found)
            if found is None or found.state is not State.CHECKED:
                sweep(self.folder)
        except BaseException:
            lock.close()
            raise
        return lock

    def _broken_off(self, turn: Turn) -> None:
        """End a check that a service left half done."""
        failed = replace(turn, state=State.FAILED, said=STOPPED, ended_at=_now())
        self._trail.note(end_of(at_start(turn), failed))
        sweep(self.folder)  # before it is said
        keep(self.folder, failed)

    def _resumed(self, turn: Turn) -> Turn | None:
        """What became of a hand-over that a service, or a full disk, left half used."""
        with suppress(InputRefused):  # it waits again, and the page tells when it is used
            self._used(turn, at_start(turn))
        return kept(self.folder)

    def _used(self, turn: Turn, note: Entry) -> None:
        """Use it; the trail tells how that ended, whoever began with it."""
        try:
            keep(self.folder, turn)
            self._taken(turn)
        except (InputRefused, OSError) as refusal:
            outcome = State.REFUSED if isinstance(refusal, InputRefused) else State.FAILED
            about = turn.about(state=(kept(self.folder) or turn).state.value)
            self._trail.note(replace(note, at=_now(), outcome=outcome.value, about=about))
            raise
        used = replace(turn, state=State.USED, ended_at=_now())
        self._trail.note(replace(note, at=_now(), about=used.about()))
        sweep(self.folder)
        keep(self.folder, used)

    def _taken(self, turn: Turn) -> None:
        """Bring it in; after an `OSError` that came once `data/raw` was another one it stays `USING`, for later."""
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
            self._trail.note(end_of(note, ended))
            if ended.state is not State.CHECKED:
                sweep(self.folder)
            keep(self.folder, ended)
        except (OSError, StoreUnavailable) as fault:
            sweep(self.folder)  # it is told as broken off
            log.error("hand-over not noted", extra={"reason": type(fault).__name__})  # noqa: TRY400 (it may quote)
        finally:
            lock.close()


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)
