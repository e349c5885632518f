"""What no register says: true heights, true prevalence, and a small survey that measures as one should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from features.growth import growth
from features.simulation.calendar import SURVEYED, UNDER_FIVE_DAYS, WEIGHINGS
from features.simulation.chance import Random
from features.simulation.families import Births
from features.simulation.growing import STANDING_FROM_DAY, STUNTED_BELOW, Growing, haz, risk, size_cm
from features.simulation.homes import Dated
from features.simulation.places import Desa
from features.simulation.sheets import table
from features.simulation.weighing import Visits

if TYPE_CHECKING:
    from collections.abc import Sequence

CHILDREN = pa.schema(
    [
        ("child_id", pa.string()), ("on", pa.date32()), ("kind", pa.string()), ("haz", pa.float64()),
        ("risk", pa.float64()), ("stunted", pa.bool_()),
    ]
)  # fmt: skip
PREVALENCE = pa.schema(
    [
        ("area_id", pa.string()), ("region_id", pa.string()), ("on", pa.date32()), ("children", pa.int64()),
        ("prevalence", pa.float64()), ("haz_mean", pa.float64()), ("haz_sd", pa.float64()), ("risk_mean", pa.float64()),
    ]
)  # fmt: skip
SURVEY = pa.schema(
    [
        ("area_id", pa.string()), ("child_id", pa.string()), ("measured_on", pa.date32()), ("sex", pa.string()),
        ("age_days", pa.int64()), ("position", pa.string()), ("height_cm", pa.float64()), ("haz", pa.float64()),
        ("stunted", pa.bool_()),
    ]
)  # fmt: skip
TALLIED = ("children", "stunted", "haz", "haz_squared", "risk")

SURVEY_CHILDREN = 636
"""As many as the survey of 2022 measured in a kabupaten of this size."""
CLUSTERS, CLUSTER_CHILDREN = 40, 16
CHILDREN_PER_HOUSEHOLD = 0.38
"""Under-fives whom a survey may count on in a cluster."""
SURVEY_ERROR_CM = 0.3


def of_children(births: Births, children: Growing, records: Dated, seen: Visits) -> pa.Table:
    """True height for age and risk of each child on the day of each of its records and measurements."""
    who, on = np.concatenate([records.who, seen.who]), np.concatenate([records.on, seen.on])
    true = np.round(haz(children, who, on), 4)
    return table(
        {
            "child_id": births.identifier[who],
            "on": on,
            "kind": np.repeat(["record", "measurement"], [len(records), len(seen)]),
            "haz": true,
            "risk": np.round(risk(children, who, on), 6),
            "stunted": true < STUNTED_BELOW,
        },
        CHILDREN,
    )


def _young(births: Births, on: int) -> np.ndarray:
    age = on - births.born
    return np.flatnonzero((age >= 0) & (age <= UNDER_FIVE_DAYS))


def tally(births: Births, children: Growing) -> np.ndarray:
    """Sums of `TALLIED` over the under-fives of a part, one row for each mass weighing."""
    rows = []
    for on in WEIGHINGS:
        who = _young(births, on)
        days = np.full(len(who), on)
        true = haz(children, who, days)
        sums = [(true < STUNTED_BELOW).sum(), true.sum(), (true**2).sum(), risk(children, who, days).sum()]
        rows.append([len(who), *sums])
    return np.array(rows, dtype=float)


def prevalence(desa: Desa, sums: np.ndarray) -> pa.Table:
    """True prevalence in a desa at each mass weighing, from the tallies of its parts; NaN without children."""
    children, stunted, total, squares, risks = sums.T
    with np.errstate(invalid="ignore"):  # no children, no mean
        mean = total / children
        columns = {
            "prevalence": stunted / children,
            "haz_mean": mean,
            "haz_sd": np.sqrt((squares / children - mean**2).clip(0)),
            "risk_mean": risks / children,
        }
    return table(
        {
            "area_id": np.full(len(sums), desa.area.code),
            "region_id": np.full(len(sums), desa.area.kecamatan),
            "on": np.array(WEIGHINGS),
            "children": children.astype(int),
            **columns,
        },
        PREVALENCE,
    )


def sampled(random: Random, places: Sequence[Desa]) -> dict[int, int]:
    """Children to measure in each sampled desa, by its number; desa are drawn by size, more if they are small."""
    sizes = np.array([desa.households for desa in places])
    start = random.random()
    for clusters in range(min(CLUSTERS, len(places)), len(places) + 1):
        ends = np.cumsum(sizes) / sizes.sum() * clusters
        hits = np.diff(np.floor(ends - start), prepend=-1).astype(int)
        wanted = hits * CLUSTER_CHILDREN
        if np.minimum(wanted, CHILDREN_PER_HOUSEHOLD * sizes).sum() >= SURVEY_CHILDREN:
            break
    return {desa.number: int(count) for desa, count in zip(places, wanted, strict=True) if count}


def survey(random: Random, desa: Desa, births: Births, children: Growing, *, take: int) -> pa.Table:
    """The survey's measurements in a desa: in the right position, nearly exact, at the true age."""
    if not take:
        return SURVEY.empty_table()
    young = _young(births, SURVEYED)
    who = np.sort(random.permutation(young)[:take])
    on = np.full(len(who), SURVEYED)
    days = on - births.born[who]
    height = np.round(size_cm(children, who, on) + random.normal(scale=SURVEY_ERROR_CM, size=len(who)), 1)
    position = np.where(days < STANDING_FROM_DAY, "l", "h")
    rows = pd.DataFrame({"sex": children.sex[who] + 1, "age": days, "lenhei": height, "measure": position})
    z = growth(rows).zlen.to_numpy(dtype=float)
    return table(
        {
            "area_id": np.full(len(who), desa.area.code),
            "child_id": births.identifier[who],
            "measured_on": on,
            "sex": np.where(births.girl[who], "f", "m"),
            "age_days": days,
            "position": position,
            "height_cm": height,
            "haz": z,
            "stunted": z < STUNTED_BELOW,
        },
        SURVEY,
    )
