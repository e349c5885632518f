"""Where people live: how many in each desa, how remote and how poor it is, and how its posyandu measure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from features.errors import InputRefused
from features.simulation.areas import Area
from features.simulation.chance import Random, happens, stream
from features.simulation.identifiers import PARTS

FEWEST, MOST = 100, 2_000_000
"""Households of a kabupaten; the largest of Indonesia have some 1.7 million."""
DESA_AT_LEAST = 40
"""Households a desa has on average before another desa gets any."""
PART_HOUSEHOLDS = 1_000
"""Households that are made at a time, so that memory does not grow with their number."""

# Set so that the kecamatan differ as domain figures say: highest over lowest about 3, and
# an intra-cluster correlation of about 0.05 between the children of a desa. [SD of HAZ]
KECAMATAN_BURDEN = 0.12
DESA_BURDEN = 0.05
HONEST_SHARE = 0.1
"""Posyandu that write what they measure; set, with the others' ways, so that a third of stunting is found. [M]"""


@dataclass(frozen=True)
class Posyandu:
    """How the posyandu of a desa measure, one entry each.

    Parameters
    ----------
    lifts
        Share of heights just short of -2 SD that are written as just above it.
    reach_cm
        How far below -2 SD a height may be and still be lifted.
    assist_cm
        What every height gains from heels, hair and a tape held high.
    slack_cm
        Standard deviation of the error of a height.
    opens
        Day of the month, from 0, on which the posyandu opens.
    """

    lifts: np.ndarray
    reach_cm: np.ndarray
    assist_cm: np.ndarray
    slack_cm: np.ndarray
    opens: np.ndarray


@dataclass(frozen=True)
class Desa:
    """One desa and what it means to live there.

    Parameters
    ----------
    number
        Its place in the list of all areas, from 1.
    remoteness
        Standardised over desa; 1 is remote.
    wealth
        Mean wealth of its households. [SD of households]
    burden
        What the kecamatan and the desa take from height for age beyond all recorded causes. [SD of HAZ]
    """

    area: Area
    number: int
    households: int
    urban: bool
    remoteness: float
    altitude_m: float
    wealth: float
    burden: float
    open_defecation_free: bool
    posyandu: Posyandu

    @property
    def parts(self) -> tuple[int, ...]:
        """Households of each part in which the desa is made."""
        whole, rest = divmod(self.households, PART_HOUSEHOLDS)
        return (PART_HOUSEHOLDS,) * whole + ((rest,) if rest else ())


def settle(areas: tuple[Area, ...], *, households: int, seed: int) -> tuple[Desa, ...]:
    """The desa that have households, in the order of their codes; few households live in fewer desa.

    Raises
    ------
    InputRefused
        So many households cannot be spread over these areas.
    """
    _refuse(households)
    hardship = _by_kecamatan(areas, seed)
    chosen = _spread(areas, count=min(max(households // DESA_AT_LEAST, 1), len(areas)))
    found = [_found(areas[number - 1], number, hardship, seed) for number in chosen]
    counts = _apportioned(households, np.array([weight for weight, _ in found]))
    _refuse_crowd(areas, chosen, counts)
    kept = zip(found, counts.tolist(), strict=True)
    return tuple(replace(desa, households=count) for (_, desa), count in kept if count)


def _refuse(households: int) -> None:
    if not FEWEST <= households <= MOST:
        raise InputRefused(f"{households:,} households", f"{FEWEST:,} to {MOST:,}", "Give such a number.")


def _refuse_crowd(areas: tuple[Area, ...], chosen: list[int], counts: np.ndarray) -> None:
    largest, limit = int(counts.max()), PARTS * PART_HOUSEHOLDS
    if largest > limit:
        name = areas[chosen[int(counts.argmax())] - 1].name
        raise InputRefused(
            f"{largest:,} households in {name}", f"at most {limit:,} in a desa", "Give fewer households, or more areas."
        )


def _by_kecamatan(areas: tuple[Area, ...], seed: int) -> dict[str, float]:
    """Hardship of each kecamatan, standardised: normal quantiles in a random order, so that no seed is extreme."""
    codes = sorted({area.kecamatan for area in areas})
    quantiles = ndtri((np.arange(len(codes)) + 0.5) / len(codes))
    spread = quantiles.std() or 1.0
    return dict(zip(codes, stream(seed).permutation(quantiles / spread).tolist(), strict=True))


def _spread(areas: tuple[Area, ...], *, count: int) -> list[int]:
    """Numbers of `count` areas: the first of each kecamatan, then the second, and so on."""
    seen: dict[str, int] = {}
    turns = []
    for number, area in enumerate(areas, start=1):
        seen[area.kecamatan] = seen.get(area.kecamatan, 0) + 1
        turns.append((seen[area.kecamatan], number))
    return sorted(number for _, number in sorted(turns)[:count])


def _found(area: Area, number: int, hardship: dict[str, float], seed: int) -> tuple[float, Desa]:
    """Its weight among the desa, and the desa before anybody lives there."""
    random = stream(seed, number)
    hard = hardship[area.kecamatan]
    remoteness = 0.6 * hard + 0.8 * random.normal()
    urban = area.kelurahan or remoteness < -1.0
    weight = np.exp(random.normal(scale=0.45) + 0.4 * urban)
    desa = Desa(
        area=area,
        number=number,
        households=0,
        urban=bool(urban),
        remoteness=float(remoteness),
        altitude_m=float(np.clip(np.round(380 + 200 * remoteness + random.normal(scale=120)), 5, 1900)),
        wealth=float(0.3 * urban - 0.25 * remoteness + random.normal(scale=0.15)),
        burden=float(KECAMATAN_BURDEN * hard + DESA_BURDEN * random.normal()),
        open_defecation_free=bool(random.random() < (0.8 if remoteness < 0 else 0.55)),
        posyandu=_posyandu(random, count=int(random.integers(3, 10))),
    )
    return float(weight), desa


def _posyandu(random: Random, *, count: int) -> Posyandu:
    """Most posyandu help a height along, some measure as they should."""
    honest = happens(random, HONEST_SHARE, size=count)
    return Posyandu(
        lifts=np.where(honest, 0.0, random.beta(12, 1.5, size=count)),
        reach_cm=np.where(honest, 0.0, random.uniform(2.2, 5.0, size=count)),
        assist_cm=np.where(honest, 0.0, random.uniform(0.2, 1.0, size=count)),
        slack_cm=np.where(honest, 0.4, random.uniform(0.5, 1.0, size=count)),
        opens=random.integers(2, 22, size=count),
    )


def _apportioned(households: int, weights: np.ndarray) -> np.ndarray:
    """Households of each desa by weight; what rounding leaves goes to the largest remainders."""
    exact = households * weights / weights.sum()
    counts = np.floor(exact).astype(np.int64)
    behind = np.argsort(counts - exact, kind="stable")[: households - int(counts.sum())]
    counts[behind] += 1
    return counts
