"""The LMS tables of the WHO Child Growth Standards, as arrays. They are read from the installed package `pygrowup`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module

import numpy as np

LAST_DAY = 1826
"""WHO's tables end here, a day short of 60 months; the package carries some of them on."""
PER_CM = 10
"""The tables of weight for length and for height have a row every 0.1 cm."""
SEXES = ("male", "female")


@dataclass(frozen=True)
class Table:
    """L, M and S of one indicator; `values` has the axes sex (male, female), row, and L, M, S."""

    first: int
    values: np.ndarray

    def at(self, row: np.ndarray, sex: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """L, M and S of each child, linear between two rows of the table; NaN outside it.

        Parameters
        ----------
        row
            Age [days], or length or height [0.1 cm].
        sex
            0 male, 1 female, -1 unknown.
        """
        place = row - self.first
        last = self.values.shape[1] - 1
        inside = (place >= 0) & (place <= last) & (sex >= 0)
        place = np.where(inside, place, 0)
        below = np.floor(place).astype(np.intp)
        part = place - below
        found = self.values[sex, below]
        between = part > 0  # an age is a whole day, so mostly none
        step = self.values[sex[between], below[between] + 1] - found[between]
        found[between] += part[between, None] * step
        found[~inside] = np.nan
        return found[:, 0], found[:, 1], found[:, 2]


@cache
def by_age(name: str) -> Table:
    """The table of `lfa`, `wfa`, `bmifa`, `hcfa` or `acfa`; a row is a day of age."""
    return _table(name, per_unit=1, last=LAST_DAY)


@cache
def by_size(name: str) -> Table:
    """The table of `wfl` or `wfh`; a row is 0.1 cm of length or height."""
    return _table(name, per_unit=PER_CM)


def _table(name: str, *, per_unit: int, last: int | None = None) -> Table:
    published = import_module(f"pygrowup.tables.by_day.{name}").DATA
    rows = [{int(key * per_unit): lms for key, lms in published[sex].items()} for sex in SEXES]
    first = min(rows[0])
    keys = range(first, (last or max(rows[0])) + 1)
    return Table(first, np.array([[[float(sex[key][part]) for part in "lms"] for key in keys] for sex in rows]))
