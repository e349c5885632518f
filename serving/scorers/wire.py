"""What goes between the service and its scorers: a length, and a pickle, which only our own processes can write."""

from __future__ import annotations

import pickle
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.request import Household

LENGTH: Final = struct.Struct("!Q")
READY: Final = "ready"
"""The first that a scorer says, once it has answered about nobody."""


@dataclass(frozen=True)
class Part:
    """Households of one request, and whether the contribution of every feature is asked for."""

    households: Sequence[Household]
    contributions: bool


@dataclass(frozen=True)
class Fault:
    """A batch that could not be answered: the kind of the fault and its place, never its words."""

    kind: str
    place: str


Answers = list[list[bytes]]
"""By part, by household: its answer as JSON."""


def packed(thing: Any) -> bytes:
    """As it goes over the line."""
    body = pickle.dumps(thing, protocol=5)
    return LENGTH.pack(len(body)) + body


def unpacked(body: bytes) -> Any:
    """What `packed` made, without its length."""
    return pickle.loads(body)  # noqa: S301 (the other end is a process of our own, on a socket that has no name)


def send(line: socket.socket, thing: Any) -> None:
    """Wait until it is on its way."""
    line.sendall(packed(thing))


def receive(line: socket.socket) -> Any:
    """Wait for the next.

    Raises
    ------
    EOFError
        The other end is gone.
    """
    (length,) = LENGTH.unpack(_exactly(line, LENGTH.size))
    return unpacked(_exactly(line, length))


def _exactly(line: socket.socket, size: int) -> bytes:
    found = line.recv(size, socket.MSG_WAITALL)
    if len(found) < size:
        raise EOFError
    return found
