"""Sixteen digits in the form of a NIK or a No KK that belong to nobody: no province has the code 99.

A NIK is six digits of a place, the date of birth as DDMMYY with 40 added to the day of a woman, and a serial number
of four. Here the place is 99 and the number of the desa, so that desa never share an identifier.
"""

from __future__ import annotations

import numpy as np

from features.simulation.calendar import parts
from features.simulation.chance import turn

NOBODY = 99
DESA_FROM = 100
WOMAN = 40
PART_SERIALS = 64
"""Serial numbers of one date that a part of a desa may use; the next part begins after them."""
PARTS = 9_999 // PART_SERIALS
PLACEHOLDER = "9999999999999999"
"""What clerks type when they have no NIK."""


def numbers(dates: np.ndarray, *, woman: np.ndarray, desa: int, part: int) -> np.ndarray:
    """One number of 16 digits for each date, all different.

    Parameters
    ----------
    dates
        Day of birth, or of issue of a family card.
    desa, part
        Which part of which desa, from 1 and from 0.

    Raises
    ------
    ValueError
        More people share a date than there are serial numbers.
    """
    year, month, day = parts(dates)
    written = (day + WOMAN * woman) * 10_000 + month * 100 + year % 100
    place = turn(written)
    if part >= PARTS or (len(place) and int(place.max()) >= PART_SERIALS):
        raise ValueError(f"part {part} of desa {desa} has more people of one date than serial numbers; make it smaller")
    head = NOBODY * 10_000 + DESA_FROM + desa
    return (head * 1_000_000 + written) * 10_000 + part * PART_SERIALS + place + 1
