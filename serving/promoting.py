"""Another champion asked for while the service runs: the gate sits in a process of its own; what it said is kept."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import IO, TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from features.folders import write_text
from serving.children import Beside, begun, hold
from serving.errors import StoreUnavailable

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from serving.trail.entry import Entry
    from serving.trail.keeper import Trail

log = logging.getLogger("tepat")
WORK: Final = "serving.promoting_work"
FOLDER, ASKED, ANSWER, TURN = "promoting", "asked.json", "answer.json", "turn.json"
MOST_SAID: Final = 2_000
STOPPED: Final = "The service ended meanwhile. See who is champion now, and ask again."
WRONG: Final = "Tepat made a mistake; the service's log has its place."
DIED: Final = "The gate's process was ended from outside, by the system that ran out of memory as a rule. Ask again."


class Kind(StrEnum):
    """What is asked for."""

    ASK = "ask"
    PROMOTE = "promote"
    ROLL_BACK = "roll-back"


class State(StrEnum):
    """How far it is: the gate let it through, did not, or could not be asked; or the work was not finished."""

    RUNNING = "running"
    PASSED = "passed"
    HELD = "held"
    REFUSED = "refused"
    FAILED = "failed"


class Already(Exception):
    """Another champion is being asked for; one at a time."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asks for what.

    Parameters
    ----------
    model, version
        Of the registry; of a roll-back the version is None.
    seen
        Version of the champion that they saw when they asked; None: there was none. Of another one nothing is done.
    """

    kind: Kind
    model: str
    version: str | None
    seen: str | None
    because: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What became of it.

    Parameters
    ----------
    said
        Why there is no answer, in English; empty where there is one.
    champion
        Stamp of the champion after it; None where nothing moved.
    """

    asked: Asked
    begun_at: dt.datetime
    state: State = State.RUNNING
    ended_at: dt.datetime | None = None
    said: str = ""
    champion: str | None = None


TURNS: Final = TypeAdapter(Turn)


class Promoting(Beside):
    """The gate asked, one question at a time, of all services on a folder.

    Parameters
    ----------
    folder
        The service's.
    moved
        Called when the champion may have become another one.
    """

    def __init__(self, folder: Path, *, trail: Trail, moved: Callable[[], None]) -> None:
        super().__init__(folder / FOLDER)
        self._trail, self._moved = trail, moved

    def last(self) -> Turn | None:
        """The turn that runs, or the last one; None before the first."""
        return self._told(lambda: _read(self.folder / TURN), works=_is_running, left=_stopped)

    def begin(self, asked: Asked, note: Entry) -> None:
        """Have the gate asked; return once the trail tells of it.

        Raises
        ------
        Already
            Something is being asked.
        StoreUnavailable
            The trail cannot be written; nothing is asked then.
        OSError
            The service's folder cannot be written.
        """
        with self._lock:
            held = None if self._runs() or self._ending else hold(self.folder)
            if held is None:
                raise Already
            turn = Turn(asked=asked, begun_at=note.at)
            try:
                self._trail.note(note)
                self._process = self._begun(turn)
            except BaseException:
                held.close()
                raise
            self._thread = threading.Thread(target=self._follow, args=(self._process, turn, note, held), name=FOLDER)
            self._thread.start()

    def _begun(self, turn: Turn) -> subprocess.Popen[bytes]:
        (self.folder / ANSWER).unlink(missing_ok=True)
        write_text(self.folder / ASKED, json.dumps(asdict(turn.asked)))
        write_text(self.folder / TURN, TURNS.dump_json(turn).decode())
        try:
            return self._started()
        except BaseException:
            (self.folder / TURN).unlink(missing_ok=True)  # nothing runs
            raise

    def _started(self) -> subprocess.Popen[bytes]:
        return begun(WORK, self.folder)

    def _follow(self, process: subprocess.Popen[bytes], turn: Turn, note: Entry, held: IO[str]) -> None:
        try:
            with process:
                process.wait()
            why = STOPPED if self._ending else DIED if process.returncode < 0 else WRONG
            ended = _ended(turn, self.folder, otherwise=why)
            if turn.asked.kind is not Kind.ASK:
                self._moved()  # a process that was ended may have moved it as its last act
            write_text(self.folder / TURN, TURNS.dump_json(ended).decode())
            about = note.about | {"state": ended.state, "champion": ended.champion}
            self._trail.note(replace(note, at=_now(), outcome="done" if not ended.said else ended.state, about=about))
        except (OSError, StoreUnavailable) as fault:
            log.error("promotion not noted", extra={"reason": type(fault).__name__})  # noqa: TRY400 (it may quote)
        finally:
            held.close()


def _ended(turn: Turn, folder: Path, *, otherwise: str) -> Turn:
    """The turn with what the process answered; `otherwise` is why there is no answer."""
    try:
        told: dict[str, Any] = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
        return replace(
            turn, state=State(told["state"]), said=str(told["said"])[:MOST_SAID], champion=told["champion"],
            ended_at=_now(),
        )  # fmt: skip
    except (OSError, ValueError, KeyError):
        return replace(turn, state=State.FAILED, said=otherwise, ended_at=_now())


def _is_running(turn: Turn | None) -> bool:
    return turn is not None and turn.state is State.RUNNING


def _stopped(turn: Turn | None) -> Turn | None:
    return turn and replace(turn, state=State.FAILED, said=STOPPED)


def _read(path: Path) -> Turn | None:
    try:
        return TURNS.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _now() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC)
