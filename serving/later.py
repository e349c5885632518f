"""What takes long, made once in a thread of its own, while the page that asks for it answers without it."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Made = TypeVar("Made")


class Later(Generic[Made]):
    """Begun when it is first asked for; what failed is begun again by the next who asks."""

    def __init__(self, make: Callable[[], Made], *, name: str) -> None:
        self._make, self._name = make, name
        self._lock = threading.Lock()
        self._asked: Future[Made] | None = None

    def within(self, seconds: float) -> Made | None:
        """What was made; None while it is not ready after so long. Raises what making it raised."""
        with self._lock:
            asked = self._asked
            if asked is None or (asked.done() and asked.exception() is not None):
                asked = self._asked = Future()
                threading.Thread(target=self._run, args=(asked,), name=self._name, daemon=True).start()
        try:
            return asked.result(timeout=seconds)
        except TimeoutError:
            # It may have ended just now; or it was making it that timed out.
            return asked.result() if asked.done() else None

    def _run(self, asked: Future[Made]) -> None:
        try:
            asked.set_result(self._make())
        except BaseException as fault:  # noqa: BLE001 (whoever waits gets it)
            asked.set_exception(fault)
