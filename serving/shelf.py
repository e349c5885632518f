"""The store as the service holds it: opened when it can be, and asked for again when it could not."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serving.errors import StoreUnavailable
from serving.store import Store, StoreRefused, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "sqlite:///"


class Shelf:
    """A store that may be away when the service starts; every refusal of it becomes a problem of the API."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._refused: tuple[float, Exception] | None = None

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The open store.

        Raises
        ------
        StoreUnavailable
            It cannot be opened, read or written.
        """
        try:
            yield self._opened()
        except (StoreRefused, OSError) as refusal:
            raise StoreUnavailable(str(refusal)) from refusal

    def ready(self) -> None:
        """Nothing, when lists can be read and written; else as `store`."""
        with self.store() as store:
            store.ready()

    def close(self) -> None:
        """Let go of the file or the server."""
        if self._store is not None:
            self._store.close()

    def _opened(self) -> Store:
        came = time.monotonic()
        with self._lock:
            if self._store is not None:
                return self._store
            if self._refused is not None and self._refused[0] > came:
                raise self._refused[1]  # else all who wait would try in turn, each for seconds when a server is away
            try:
                self._store = self._open()
            except (StoreRefused, OSError) as refusal:
                self._refused = time.monotonic(), refusal
                raise
            return self._store

    def _open(self) -> Store:
        if self._url.startswith(FILE):
            Path(self._url.removeprefix(FILE)).parent.mkdir(parents=True, exist_ok=True)
        return open_store(self._url)
