"""Names of the heads of households, drawn from short lists of common ones. All shares: [M]."""

from __future__ import annotations

import numpy as np

from features.simulation.chance import Random, happens, turn
from features.simulation.known import Known
from features.simulation.sheets import Columns

MEN = (
    "Agus", "Ahmad", "Asep", "Budi", "Cecep", "Dadang", "Dedi", "Eko", "Hasan", "Iwan", "Joko", "Mulyadi", "Rahmat",
    "Slamet", "Supriadi", "Ujang", "Wahyu", "Yusuf",
)  # fmt: skip
WOMEN = (
    "Aminah", "Dewi", "Euis", "Fatimah", "Halimah", "Ida", "Kartini", "Lilis", "Nur'aini", "Rohani", "Siti", "Sri",
    "Sumiati", "Wati", "Yanti",
)  # fmt: skip
LATER = (
    "Abdullah", "Firmansyah", "Gunawan", "Hidayat", "Kurnia", "Lestari", "Maulana", "Nugraha", "Permana", "Ramdani",
    "Saputra", "Setiawan", "Suryana", "Wijaya",
)  # fmt: skip
TITLES = ("H. ", "Hj. ")
HANDED_OVER = 0.96
WOMAN = 0.12
SECOND, THIRD, TITLED, CAPITALS = 0.85, 0.15, 0.05, 0.3
ANOTHER = 0.04
"""Share of the later records of households on which somebody else is the head."""


def household_name(random: Random, known: Known) -> Columns:
    """The register of names, which knows most households: when one was first written down, and when its head changed.

    Names follow nothing that other registers say, the sex of the head among it.
    """
    homes, records = known.homes, known.of_homes[0]
    changed = (turn(records.who) == 0) | happens(random, ANOTHER, size=len(records))
    told = happens(random, HANDED_OVER, size=len(homes))[records.who] & changed
    who, on = records.who[told], records.on[told]
    return {"household_id": homes.identifier[who], "recorded_on": on, "head_name": _names(random, len(who))}


def _names(random: Random, count: int) -> np.ndarray:
    woman = happens(random, WOMAN, size=count)
    first = np.where(woman, _drawn(random, WOMEN, count), _drawn(random, MEN, count))
    names = np.char.add(np.where(woman, *TITLES[::-1]), first)
    names = np.where(happens(random, TITLED, size=count), names, first)
    second, third = (np.char.add(" ", _drawn(random, LATER, count)) for _ in range(2))
    more = happens(random, SECOND, size=count)
    names = np.char.add(names, np.where(more, second, ""))
    names = np.char.add(names, np.where(more & happens(random, THIRD, size=count), third, ""))
    return np.where(happens(random, CAPITALS, size=count), np.char.upper(names), names)


def _drawn(random: Random, names: tuple[str, ...], count: int) -> np.ndarray:
    return np.array(names)[random.integers(0, len(names), size=count)]
