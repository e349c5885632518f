"""What a scorer does: answers one batch after the other, until nobody asks any more."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from serving.scorers.spoken import json_of
from serving.scorers.wire import READY, Fault, receive, send

if TYPE_CHECKING:
    import socket

    from serving.scorers.loaded import Loaded
    from serving.scorers.wire import Answers, Part


def work(line: socket.socket, loaded: Loaded) -> None:
    """Answer what comes over the line; return when its other end is gone."""
    tried = _tried(loaded)
    try:
        send(line, tried)
        while tried == READY:
            send(line, _answered(receive(line), loaded))
    except (EOFError, OSError):
        return


def _tried(loaded: Loaded) -> str | Fault:
    try:
        loaded.tried()
    except Exception as fault:  # noqa: BLE001 (whatever it is, the model is not to be used, and the service says so)
        return _fault(fault)
    return READY


def _answered(parts: list[Part], loaded: Loaded) -> Answers | Fault:
    try:
        found = iter(loaded.answer([home for part in parts for home in part.households]))
        return [[json_of(next(found), contributions=part.contributions) for _ in part.households] for part in parts]
    except Exception as fault:  # noqa: BLE001 (whatever one request brings, the next is answered)
        return _fault(fault)


def _fault(fault: Exception) -> Fault:
    """Where it happened, without the message, which may repeat what was asked."""
    return Fault(type(fault).__name__, "".join(traceback.format_tb(fault.__traceback__)))
