"""The names of heads of households, masked as they are read: what is kept of one is its mask, and nothing else.

A district may withdraw the file at any moment, or hand it over later: it is looked for at every request.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import HOUSEHOLD_NAME
from features.errors import Refused
from features.names import masked
from features.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

READ_AT_ONCE: Final = 20_000
"""Names that are in memory while they are masked."""
AGAIN_AFTER: Final = 30.0
"""A file that could not be read is tried again after so long. [s]"""
log = logging.getLogger("tepat")
_Mark = tuple[int, int, int]
"""By which another file of the same name is told: its number on the disk, its size, and when it was written."""


@dataclass(frozen=True, eq=False)
class Masks:
    """Masked names by household; nobody's, as it is made.

    Parameters
    ----------
    hashes
        Of the households' identifiers, rising, so that one is found in a moment and none takes much memory.
    ids
        The identifiers in that order, as no hash is sure; of two that share one, the first has its mask.
    which
        Places in `words`, which has each mask once, in that order.
    within
        Of which households a mask is told; None: of all.
    """

    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))
    ids: pa.StringArray = field(default_factory=lambda: pa.array([], pa.string()))
    which: np.ndarray = field(default_factory=lambda: np.empty(0, np.int32))
    words: tuple[str, ...] = ()
    within: Callable[[str], bool] | None = None

    def __bool__(self) -> bool:
        """Whether there is any."""
        return len(self.hashes) > 0

    def of(self, household_ids: Sequence[str]) -> list[str | None]:
        """The masked name of each household, such as `S*** A***`; None where none was handed over, or may be told."""
        if not (self and household_ids):
            return [None] * len(household_ids)
        places = np.searchsorted(self.hashes, _hashed(household_ids))
        places[places == len(self.hashes)] = 0
        there = self.ids.take(pa.array(places)).to_pylist()
        words = [self.words[one] for one in self.which[places]]
        return [
            word if id_ == asked and (self.within is None or self.within(asked)) else None
            for asked, id_, word in zip(household_ids, there, words, strict=True)
        ]

    def one(self, household_id: str) -> str | None:
        """The masked name of one household; None where none was handed over."""
        return self.of([household_id])[0]


NOBODY: Final = Masks()


class MaskedNames:
    """The masks of the names that are there now; one object serves all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._read: tuple[_Mark | None, Masks] = None, NOBODY
        self._failed: tuple[_Mark, float] | None = None

    def now(self) -> Masks:
        """The masks; nobody's where no name is handed over, or where the file cannot be read, which the log says.

        Of many names the reading takes seconds: who comes meanwhile gets those of before, and waits for nothing.
        """
        mark = self._looked()
        if mark is None:  # gone at once
            self._read = None, NOBODY
        elif self._is_new(mark) and self._lock.acquire(blocking=self._read[0] is None):
            try:
                if self._is_new(mark) and self._path is not None:
                    self._take(mark, self._path)
            finally:
                self._lock.release()
        return self._read[1]

    def _is_new(self, mark: _Mark) -> bool:
        if self._failed is not None and self._failed[0] == mark:
            return monotonic() > self._failed[1] + AGAIN_AFTER
        return mark != self._read[0]

    def _take(self, mark: _Mark, path: Path) -> None:
        """Read it; one that cannot be read leaves nobody's masks, for those of before may have been withdrawn."""
        try:
            self._read, self._failed = (mark, read(path)), None
        except (OSError, pa.ArrowException, KeyError) as fault:
            self._read, self._failed = (mark, NOBODY), (mark, monotonic())
            log.warning("%s cannot be read (%s): no name is shown, not even masked", path.name, type(fault).__name__)

    def _looked(self) -> _Mark | None:
        try:
            self._path = self._path or load().paths.interim / f"{HOUSEHOLD_NAME.name}.parquet"
            found = self._path.stat()
        except (Refused, OSError):
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns


def read(path: Path) -> Masks:
    """The masks of the accepted names, the newest of each household.

    Raises
    ------
    OSError, pyarrow.ArrowException, KeyError
        It cannot be read, or is no such register.
    """
    ids, days, which = [], [], []
    words: dict[str, int] = {}
    with pq.ParquetFile(path) as file:
        for rows in file.iter_batches(READ_AT_ONCE, columns=HOUSEHOLD_NAME.names):
            names = [masked(name or "") for name in rows["head_name"].cast(pa.string()).to_pylist()]
            told = rows["household_id"].is_valid().to_numpy(zero_copy_only=False) & [one is not None for one in names]
            kept = rows.filter(pa.array(told))
            ids.append(kept["household_id"].cast(pa.string()))
            days.append(kept["recorded_on"].cast(pa.timestamp("us")).to_numpy(zero_copy_only=False))
            shown = [name for name, is_told in zip(names, told, strict=True) if name and is_told]
            which.append(np.array([words.setdefault(name, len(words)) for name in shown], dtype=np.int32))
    if not words:
        return NOBODY
    return _newest(pa.concat_arrays(ids), np.concatenate(days), np.concatenate(which), words=tuple(words))


def _newest(ids: pa.StringArray, days: np.ndarray, which: np.ndarray, *, words: tuple[str, ...]) -> Masks:
    hashes = _hashed(ids.to_pylist())
    order = np.lexsort((days, hashes))
    kept = order[np.append(hashes[order][1:] != hashes[order][:-1], True)]
    return Masks(hashes[kept], ids.take(pa.array(kept)), which[kept], words)


def _hashed(ids: Sequence[str]) -> np.ndarray:
    return pd.util.hash_array(np.array(ids, dtype=object), categorize=False)
