"""Growth arithmetic: a child's measurements -> z-scores against the WHO Child Growth Standards, as WHO makes them.

References
----------
WHO Multicentre Growth Reference Study Group, *WHO Child Growth Standards: Methods and Development*. Geneva: WHO, 2006.
WHO, *Anthro for R* (package `anthro` 1.1.0), its documentation: ages, 0.7 cm, limits of plausibility.
Peraturan Menteri Kesehatan 2/2020, *Standar Antropometri Anak*: the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.growth_tables import PER_CM, by_age, by_size

DAYS_PER_MONTH = 30.4375
STANDING_FROM_DAY = 731
"""From this day a child is measured standing, before it lying."""
STANDING_LESS_CM = 0.7
"""A child standing is this much shorter than the same child lying."""
IMPLAUSIBLE_STANDING_MONTHS = 9
"""A child younger than this cannot have stood; the position is a slip of the pen."""
STANDING_FROM_CM = 87.0
"""From this size a child of unknown age and position is taken to have stood."""
AGE_LIMIT_DAYS, AGE_LIMIT_MONTHS = 1856, 60
TAIL = 3
"""Beyond this many SD, scores of skewed measurements go on in equal steps: the last one, from 2 to 3 SD."""

PLAUSIBLE = {"len": (-6, 6), "wei": (-6, 5), "wfl": (-5, 5), "bmi": (-5, 5), "hc": (-5, 5), "ac": (-5, 5)}
"""A score beyond these stays and is flagged. [SD]"""

SEX = {"m": 0, "1": 0, "f": 1, "2": 1}
LYING, STANDING = 0, 1
POSITION = {"l": LYING, "h": STANDING}
OEDEMA = {"y": 1, "1": 1}
IN_MONTHS = {"false": 0, "0": 0, "": 0, "true": 1, "1": 1}
UNKNOWN = -1
REQUIRED = ("sex", "age")

_WEIGHT_FOR_SIZE = (
    (-3, -2),
    (1, 2, 3),
    ("Gizi buruk", "Gizi kurang", "Gizi baik", "Berisiko gizi lebih", "Gizi lebih", "Obesitas"),
)
CATEGORIES: Mapping[str, tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]] = {
    "zwei": (
        (-3, -2),
        (1,),
        ("Berat badan sangat kurang", "Berat badan kurang", "Berat badan normal", "Risiko berat badan lebih"),
    ),
    "zlen": ((-3, -2), (3,), ("Sangat pendek", "Pendek", "Normal", "Tinggi")),
    "zwfl": _WEIGHT_FOR_SIZE,
    "zbmi": _WEIGHT_FOR_SIZE,
}
"""Of each score: limits that belong to the word above them, limits that belong to the word below them, the words."""


@dataclass(frozen=True)
class _Child:
    """What the rules need of each child, cleaned; -1 is unknown in `sex` and `position`, NaN in the others."""

    sex: np.ndarray
    days: np.ndarray
    age_known: np.ndarray
    age_valid: np.ndarray
    position: np.ndarray
    size_cm: np.ndarray
    weight_kg: np.ndarray
    oedema: np.ndarray


def lms_z(measure: Any, *, power: Any, median: Any, spread: Any) -> Any:
    """Distance of a measurement from its reference median. [SD]

    Works on a float, an array or a Series; returns the same kind.

    Parameters
    ----------
    measure
        Body measurement, in the unit of `median`. Greater than 0.
    power, median, spread
        The L [unitless], M [cm, kg or kg/m2] and S [unitless] of the reference for the child's sex and age in days.
        `power` must not be 0.

    Examples
    --------
    A boy of 365 days and 73.4 cm is almost one SD short:

    >>> round(lms_z(73.4, power=1, median=75.7391, spread=0.03137), 2)
    -0.98
    """
    return ((measure / median) ** power - 1) / (power * spread)


def tailed_z(measure: np.ndarray, *, power: np.ndarray, median: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """As `lms_z`, but beyond 3 SD in steps of the distance from 2 to 3 SD, where few children were measured. [SD]"""
    z = lms_z(measure, power=power, median=median, spread=spread)
    for side in (-1, 1):
        beyond = side * z > TAIL  # few, and a power is dear
        skew, middle, width = power[beyond], median[beyond], spread[beyond]
        far, near = (middle * (1 + skew * width * side * k) ** (1 / skew) for k in (TAIL, TAIL - 1))
        z[beyond] = side * TAIL + side * (measure[beyond] - far) / (far - near)
    return z


@np.errstate(all="ignore")  # a size nobody has may overflow; what is not finite is null
def growth(rows: pd.DataFrame) -> pd.DataFrame:
    """Corrected size [cm], body mass index [kg/m2], and per indicator a z-score [SD] and its flag, on the same index.

    A score has 2 decimals and is null where WHO gives none. Its flag is 1 beyond what is plausible, else 0, or null.

    Parameters
    ----------
    rows
        `sex` (m, f, 1, 2) and `age` [days, or months where `is_age_in_month` is true]. As far as known: `weight` [kg],
        `lenhei` [cm], `measure` (l lying, h standing), `headc` [cm], `armc` [cm], `oedema` (y or 1, n or 2).
        An unknown code counts as missing; but no score where `is_age_in_month` is not true, false or empty.

    Returns
    -------
    pd.DataFrame
        `clenhei`, `cbmi`, as by WHO even from what is not positive, which has no score; score `z` and flag `f` of `len`
        length or height, `wei` weight, `bmi`, `hc` head and `ac` arm for age, and `wfl` weight for length or height.

    Examples
    --------
    >>> growth(pd.DataFrame({"sex": ["m"], "age": [365], "lenhei": [73.4]}))[["zlen", "flen"]].iloc[0].tolist()
    [-0.98, 0.0]
    """
    for name in REQUIRED:
        if name not in rows:
            raise ValueError(f"no column {name!r}; growth needs {', '.join(REQUIRED)}. Add the column.")
    child = _cleaned(rows)
    bmi = _finite(child.weight_kg / (child.size_cm / 100) ** 2)
    scores = {
        "len": _for_age(child, child.size_cm, table="lfa", score=lms_z),
        "wei": _without_oedema(child, _for_age(child, child.weight_kg, table="wfa")),
        "wfl": _without_oedema(child, _weight_for_size(child)),
        "bmi": _without_oedema(child, _for_age(child, bmi, table="bmifa")),
        "hc": _for_age(child, _number(rows, "headc"), table="hcfa"),
        "ac": _for_age(child, _number(rows, "armc"), table="acfa"),
    }
    columns: dict[str, Any] = {"clenhei": child.size_cm, "cbmi": bmi}
    for name, z in scores.items():
        columns["z" + name], columns["f" + name] = _rounded_and_flagged(z, *PLAUSIBLE[name])
    return pd.DataFrame({name: pd.Series(values, index=rows.index) for name, values in columns.items()})


def category(z: pd.Series, indicator: str) -> pd.Series:
    """The words of Permenkes 2/2020 for each z-score; null where it is null.

    Parameters
    ----------
    z
        Score as `growth` gives it. [SD] Its second decimal decides: -2.00 is not stunted, -3.00 is not severely so.
    indicator
        Column of the score: `zlen`, `zwei`, `zwfl` or `zbmi`.

    Examples
    --------
    >>> category(pd.Series([-3.01, -3.0, -2.0]), "zlen").tolist()
    ['Sangat pendek', 'Pendek', 'Normal']
    """
    if indicator not in CATEGORIES:
        raise ValueError(f"no words for {indicator!r}; there are for {', '.join(CATEGORIES)}. Choose one of them.")
    at_least, more_than, words = CATEGORIES[indicator]
    score = np.round(z.to_numpy(dtype=float, na_value=np.nan), 2)
    place = sum((score >= limit).astype(int) for limit in at_least)
    place = sum(((score > limit).astype(int) for limit in more_than), place)
    said = np.where(np.isnan(score), None, np.array(words, dtype=object)[place])
    return pd.Series(said, index=z.index, name=z.name, dtype="string")


def _cleaned(rows: pd.DataFrame) -> _Child:
    in_months = _coded(rows, "is_age_in_month", IN_MONTHS)
    written = _number(rows, "age")
    age = np.where(in_months == UNKNOWN, np.nan, written)
    days = _half_up(np.where(in_months == 1, age * DAYS_PER_MONTH, age))
    months = np.where(in_months == 1, age, age / DAYS_PER_MONTH)
    valid = (days >= 0) & (days <= AGE_LIMIT_DAYS) & (months < AGE_LIMIT_MONTHS)
    position = _coded(rows, "measure", POSITION)
    position = np.where((position == STANDING) & (months < IMPLAUSIBLE_STANDING_MONTHS), UNKNOWN, position)
    return _Child(
        sex=_coded(rows, "sex", SEX),
        days=days,
        age_known=~np.isnan(written),
        age_valid=valid,
        position=position,
        size_cm=_as_for_age(_number(rows, "lenhei"), days=days, position=position),
        weight_kg=_number(rows, "weight"),
        oedema=_coded(rows, "oedema", OEDEMA) == 1,
    )


def _as_for_age(size_cm: np.ndarray, *, days: np.ndarray, position: np.ndarray) -> np.ndarray:
    stood_early = (position == STANDING) & (days < STANDING_FROM_DAY)
    lay_late = (position == LYING) & (days >= STANDING_FROM_DAY)
    shift = np.where(stood_early, STANDING_LESS_CM, np.where(lay_late, -STANDING_LESS_CM, 0))
    return np.where(shift == 0, size_cm, _finite(_tidy(size_cm + shift)))


def _for_age(child: _Child, measure: np.ndarray, *, table: str, score: Any = tailed_z) -> np.ndarray:
    days = np.where(child.age_valid, child.days, np.nan)
    power, median, spread = by_age(table).at(days, child.sex)
    return score(_positive(measure), power=power, median=median, spread=spread)


def _weight_for_size(child: _Child) -> np.ndarray:
    by_position = np.where(child.position == UNKNOWN, child.size_cm >= STANDING_FROM_CM, child.position == STANDING)
    standing = np.where(child.age_known, child.days >= STANDING_FROM_DAY, by_position)
    tenths = np.where(child.age_valid | ~child.age_known, _tidy(child.size_cm * PER_CM), np.nan)
    lying_lms, standing_lms = (by_size(table).at(tenths, child.sex) for table in ("wfl", "wfh"))
    power, median, spread = (np.where(standing, h, low) for low, h in zip(lying_lms, standing_lms, strict=True))
    return tailed_z(_positive(child.weight_kg), power=power, median=median, spread=spread)


def _without_oedema(child: _Child, z: np.ndarray) -> np.ndarray:
    return np.where(child.oedema, np.nan, z)


def _rounded_and_flagged(z: np.ndarray, low: float, high: float) -> tuple[np.ndarray, Any]:
    score = np.round(z, 2) + 0.0  # + 0.0: no child has minus zero
    score = _finite(score)
    flag = pd.array(((score < low) | (score > high)).astype(np.int64), dtype="Int64")
    flag[np.isnan(score)] = pd.NA
    return score, flag


def _tidy(decimal: np.ndarray) -> np.ndarray:
    # In binary 103.1 - 0.7 falls short of 102.4 and of its row; nobody measures a millionth.
    return np.round(decimal, 6)


def _half_up(number: np.ndarray) -> np.ndarray:
    whole = np.floor(number)
    return whole + (2 * (number - whole) >= 1)


def _positive(measure: np.ndarray) -> np.ndarray:
    return np.where(measure > 0, measure, np.nan)


def _finite(number: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(number), number, np.nan)


def _number(rows: pd.DataFrame, name: str) -> np.ndarray:
    if name not in rows:
        return np.full(len(rows), np.nan)
    return _finite(pd.to_numeric(rows[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def _coded(rows: pd.DataFrame, name: str, codes: Mapping[str, int]) -> np.ndarray:
    """The meaning of each cell, found once per distinct text."""
    if name not in rows:
        return np.full(len(rows), codes.get("", UNKNOWN))
    place, distinct = pd.factorize(rows[name])
    texts = [str(code).strip().lower().removesuffix(".0") for code in distinct]
    meaning = np.array([*(codes.get(text, UNKNOWN) for text in texts), codes.get("", UNKNOWN)])
    return meaning[place]  # a missing cell has the place -1: the last
