"""A hand-over of registers as it is kept: who sent which files, what came of them, and where they lie."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from features.folders import write_text
from features.hand_over import Laid
from serving.access.roles import Act
from serving.children import hold
from serving.jobs.folder import put, sync
from serving.trail.entry import Entry

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = "registers"
GIVEN, LAID, OUT, ANSWER, TURN = "given", "laid", "out", "answer.json", "turn.json"
ARRIVING: Final = "given.part"
MOST_SAID: Final = 4_000
WORK: Final = (GIVEN, LAID, OUT, ARRIVING, "out.part", "out.former")
"""All that holds data of persons."""

STOPPED: Final = "The service ended before the files were checked. They are gone; hand them over again."
UNBEGUN: Final = (
    "The check could not be begun: the service's folder cannot be written, or the machine starts no more processes. "
    "The files are gone."
)
WRONG: Final = "Tepat made a mistake; the service's log has its place. The files are gone."
DIED: Final = (
    "The process that checked was ended from outside, by the system that ran out of memory as a rule. The files are "
    "gone; hand over fewer registers at a time, or as Parquet."
)


class State(StrEnum):
    """How far it is: only what is `CHECKED` can be used.

    What is `USING` and nobody works on is told as `HALF_USED`, which is never kept; whoever comes next uses it up.
    """

    CHECKING = "checking"
    CHECKED = "checked"
    REFUSED = "refused"
    FAILED = "failed"
    USING = "using"
    HALF_USED = "half-used"
    USED = "used"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A file that was handed over: its name, which is that of a register, and its size. [bytes]"""

    name: str
    register: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A hand-over.

    Parameters
    ----------
    said
        Why it cannot be used, in English; empty where it can.
    laid
        What was checked; None until it was, and where it cannot be used.
    by, decided_by, because
        Who handed over; who used or dropped it, and why. None before, and no reason for a drop.
    """

    by: str
    begun_at: dt.datetime
    sent: tuple[Sent, ...]
    state: State = State.CHECKING
    ended_at: dt.datetime | None = None
    said: str = ""
    laid: Laid | None = None
    decided_by: str | None = None
    because: str | None = None

    @property
    def registers(self) -> tuple[str, ...]:
        """Those that were handed over."""
        return tuple(one.register for one in self.sent)

    def about(self, **more: Any) -> dict[str, Any]:
        """As a line of the trail tells it."""
        return {"registers": sorted(self.registers), "state": self.state.value, **more}


TURNS: Final = TypeAdapter(Turn)
LAID_OF: Final = TypeAdapter(Laid)


def kept(folder: Path) -> Turn | None:
    """The hand-over that came last; None before the first."""
    try:
        return TURNS.validate_json((folder / TURN).read_bytes())
    except (OSError, ValidationError):
        return None


def keep(folder: Path, turn: Turn) -> None:
    """Put it in the place of the one before; what it stands for is on the disk then.

    Raises
    ------
    OSError
    """
    write_text(folder / TURN, TURNS.dump_json(turn).decode())
    sync(folder / TURN)
    sync(folder)


def sweep(folder: Path) -> None:
    """Take away every file of persons."""
    for name in WORK:
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / ANSWER).unlink(missing_ok=True)


def settle(folder: Path) -> None:
    """Give files that arrived whole their place."""
    put(folder / ARRIVING, folder / GIVEN)


def is_forgotten(folder: Path, *, before: dt.datetime) -> bool:
    """Whether a hand-over was checked before a moment, and nobody has decided on it; `folder` is the service's."""
    turn = kept(folder / FOLDER)
    return turn is not None and turn.state is State.CHECKED and (turn.ended_at or turn.begun_at) < before


def forget(folder: Path, *, before: dt.datetime, by: str, at: dt.datetime) -> bool:
    """Whether one that is forgotten was thrown away, with its files; not, while somebody works on it.

    Raises
    ------
    OSError
    """
    lock = hold(folder / FOLDER) if is_forgotten(folder, before=before) else None
    if lock is None:
        return False
    with lock:
        turn = kept(folder / FOLDER)
        if turn is None or not is_forgotten(folder, before=before):
            return False
        sweep(folder / FOLDER)  # before it is said
        keep(folder / FOLDER, replace(turn, state=State.DROPPED, ended_at=at, decided_by=by))
        return True


def answer(folder: Path, state: State, *, said: str = "", laid: Laid | None = None) -> None:
    """Leave what came of the check."""
    told = {"state": state.value, "said": said, "laid": None if laid is None else asdict(laid)}
    write_text(folder / ANSWER, json.dumps(told))


def ended_of(turn: Turn, folder: Path, *, otherwise: str) -> Turn:
    """The turn with what the process answered; `otherwise` is why there is no answer."""
    now = dt.datetime.now(tz=dt.UTC)
    try:
        told: dict[str, Any] = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
        laid = None if told["laid"] is None else LAID_OF.validate_python(told["laid"])
        return replace(turn, state=State(told["state"]), said=str(told["said"])[:MOST_SAID], laid=laid, ended_at=now)
    except (OSError, ValueError, KeyError, TypeError):
        return replace(turn, state=State.FAILED, said=otherwise, ended_at=now)


def is_worked_on(turn: Turn | None) -> bool:
    """Whether a service is at it, or was when it ended."""
    return turn is not None and turn.state in (State.CHECKING, State.USING)


def left(turn: Turn | None) -> Turn | None:
    """One that nobody works on any more."""
    if turn is None or turn.state is State.USING:
        return turn and replace(turn, state=State.HALF_USED)
    return replace(turn, state=State.FAILED, said=STOPPED)


def at_start(turn: Turn) -> Entry:
    """A line of what a service ends that another one began, in the name of who asked for it."""
    return Entry(
        at=dt.datetime.now(tz=dt.UTC), who=turn.decided_by or turn.by, via="start", act=Act.HAND_OVER.value,
        why=turn.because, request_id="start",
    )  # fmt: skip


def end_of(note: Entry, ended: Turn) -> Entry:
    """The line of how a check ended."""
    outcome = "done" if ended.state is State.CHECKED else ended.state.value
    return replace(note, at=dt.datetime.now(tz=dt.UTC), outcome=outcome, about=ended.about())
