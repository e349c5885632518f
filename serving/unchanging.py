"""Answers about what does not change, such as the lines of a published list, kept so that they are counted once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")


class Kept(Generic[T]):
    """The answers that were asked for last, at most `most` of them; one object serves all threads.

    Examples
    --------
    >>> counts: Kept[int] = Kept(most=1)
    >>> counts.get("a", lambda: 1), counts.get("a", lambda: 2), counts.get("b", lambda: 3), counts.get("a", lambda: 4)
    (1, 1, 3, 4)
    """

    def __init__(self, *, most: int) -> None:
        self._most, self._answers, self._lock = most, OrderedDict[object, T](), threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer of a key, made now if it is not there; two who ask at once may both make it."""
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        made = make()
        with self._lock:
            self._answers[key] = made
            while len(self._answers) > self._most:
                self._answers.popitem(last=False)
        return made
