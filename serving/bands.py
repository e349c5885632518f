"""A risk in a word: the classes that WHO and UNICEF give the prevalence of stunting, as a reading aid."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from math import inf
from typing import Final


@dataclass(frozen=True)
class Band:
    """A class of risk from `low` to below `high`; `name` stands in addresses, `level` 1-4 is the darkness of its mark.

    Among a hundred households of a risk, about so many are expected to have a stunted child; the words are those that
    are used of a place where so many of a hundred children are. They say nothing of one child for sure.
    """

    name: str
    level: int
    low: float
    high: float
    words: str
    """In Indonesian; pages say it in the reader's language."""


# de Onis et al., Prevalence thresholds for wasting, overweight and stunting in children under 5 years. Public Health
# Nutrition 22(1), 2019: below 10 low, 10 to 20 medium, 20 to 30 high, from 30 on very high. [%]
BANDS: Final = (
    Band("low", 1, 0.0, 0.1, "rendah"),
    Band("medium", 2, 0.1, 0.2, "sedang"),
    Band("high", 3, 0.2, 0.3, "tinggi"),
    Band("very-high", 4, 0.3, inf, "sangat tinggi"),
)
BY_NAME: Final = {band.name: band for band in BANDS}
_WHOLE, _TENTH = Decimal("0.01"), Decimal("0.001")
"""A percent, and a tenth of one."""


def band_of(risk: float) -> Band:
    """The class that a risk of 0-1 falls in.

    Examples
    --------
    >>> band_of(0.0999).name, band_of(0.1).name, band_of(1.0).words
    ('low', 'medium', 'sangat tinggi')
    """
    return BANDS[bisect_right([band.low for band in BANDS], risk) - 1]


def as_shown(risk: float, decimals: int = 0) -> tuple[float, int]:
    """A risk of 0-1 as it is written as a percentage, and with how many decimals.

    Where rounding would lead into the next class it has one decimal, rounded down, so that number and word agree.

    Parameters
    ----------
    decimals
        Of other risks: 0 or 1.

    Examples
    --------
    >>> as_shown(0.0999), as_shown(0.094), as_shown(0.0999, 1), as_shown(0.09996, 1)
    ((0.099, 1), (0.094, 0), (0.099, 1), (0.099, 1))
    """
    exact = Decimal(str(risk))
    rounded = exact.quantize(_TENTH if decimals else _WHOLE, ROUND_HALF_UP)
    if float(rounded) < band_of(risk).high:
        return risk, decimals
    return float(exact.quantize(_TENTH, ROUND_DOWN)), 1
