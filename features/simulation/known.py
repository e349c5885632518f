"""What the registers came to know of the people of one part of a desa, and when they last heard of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.simulation.calendar import LAST
from features.simulation.families import Births, Mothers
from features.simulation.growing import Growing
from features.simulation.homes import Dated, Homes
from features.simulation.weighing import Visits


@dataclass(frozen=True)
class Known:
    """The people of a part, and their records.

    Parameters
    ----------
    antenatal
        Month of the first antenatal visit of each pregnancy; 0 where there was none.
    first
        Day on which each child was first written down; 0 for one who never was.
    of_homes, of_mothers, of_children
        Records in the registers of households, of sanitation, of mothers and of children.
    seen
        Visits of children to the posyandu.
    """

    homes: Homes
    mothers: Mothers
    births: Births
    children: Growing
    antenatal: np.ndarray
    first: np.ndarray
    of_homes: tuple[Dated, ...]
    of_mothers: Dated
    of_children: Dated
    seen: Visits

    def home_heard(self) -> np.ndarray:
        """The last day on which each household or anybody in it was written down."""
        home = self.births.home
        records = [(records.who, records.on) for records in self.of_homes]
        records += [(home[records.who], records.on) for records in (self.of_children, self.seen)]
        # a pregnancy is written a day after its mother, and a birth within thirty days
        records.append((self.mothers.home[self.of_mothers.who], self.of_mothers.on + 1))
        told = np.where(self.births.born <= LAST, np.minimum(self.births.born + 30, LAST), 0)
        records.append((home, told))
        return _newest(len(self.homes), records)

    def child_heard(self) -> np.ndarray:
        """The last day on which each child was written down or measured; 0 for one who never was."""
        return _newest(len(self.births), [(records.who, records.on) for records in (self.of_children, self.seen)])


def _newest(count: int, records: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    last = np.zeros(count, dtype=np.int64)
    for who, on in records:
        np.maximum.at(last, who, on)
    return last


def numbered(name: str, known: Known, *, part: int, count: int) -> np.ndarray:
    """Identifiers that no other part gives."""
    return np.char.add(f"{name}-{known.homes.desa.number}-{part}-", np.arange(1, count + 1).astype("U12"))
