"""Who is visited when a share of the children can be: the riskiest of the district, or of every area its share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from training.metric_inputs import check_rows, check_weight
from training.metrics import Floats, Rows, hits_within, places_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from training.metrics import Steps

DECIMALS: Final = 9  # of a place: shares that differ by less are equal, and only arithmetic told them apart


class Reached(NamedTuple):
    """What the visits found. Shape (capacities,) each. [rows]"""

    places: Floats
    hits: Floats
    cases: Floats


class Districtwide:
    """The riskiest of all rows are visited."""

    def __init__(self, rows: pd.DataFrame, *, weight: Floats, capacities: Sequence[float]) -> None:
        self.rows = Rows(rows.label, rows.risk, calibrated=False)
        self.weight, self.capacities = weight, capacities

    def reached(self, count: Floats) -> Reached:
        """What is found where each row is there `count` times, shape (rows,). [rows]"""
        steps = self.rows.steps(count * self.weight)
        places = _places_at(steps, self.capacities)
        return Reached(places, hits_within(steps, places), np.full_like(places, steps.hits.sum()))


class Quota:
    """Every area visits the same share of its own rows: the line has area after area, the riskiest of each first."""

    def __init__(self, rows: pd.DataFrame, *, weight: Floats, capacities: Sequence[float]) -> None:
        areas = rows.groupby("area")
        area = areas.ngroup().to_numpy()
        self.first = np.unique(area, return_index=True)[1]
        self.alone = areas.cluster.nunique().to_numpy() == 1
        place = rows.assign(later=-rows.risk).groupby(["area", "later"]).ngroup().to_numpy()
        self.line = Rows(rows.label, -place, calibrated=False)
        start = np.unique(place, return_index=True)[1]
        self.area_of, self.urgency_of = area[start], np.unique(rows.risk, return_inverse=True)[1][start]
        self.weight, self.capacities = weight, capacities

    def reached(self, count: Floats) -> Reached:
        """What is found where each row is there `count` times, shape (rows,). [rows]"""
        steps = self.line.steps(count * self.weight)
        places = _places_at(steps, self.capacities)
        at = (-steps.risk).astype(int)
        mass = np.bincount(self.area_of[at], steps.mass, minlength=self.first.size)
        start = np.cumsum(mass) - mass
        copies = np.where(self.alone, np.maximum(count[self.first], 1), 1)
        # The line ends in a place for no one: an area visited whole has no next row.
        reach, urgency = np.cumsum(steps.mass), np.append(self.urgency_of[at], 0)
        visited = []
        for share, total in zip(self.capacities, places, strict=True):
            quota = share * mass / copies
            whole = np.floor(quota)
            after = urgency[np.searchsorted(reach, start + copies * whole, side="right")]
            order = np.rint((quota - whole) * 10**DECIMALS) * self.area_of.size + after
            room = np.minimum(copies, mass - copies * whole)
            visited.append(copies * whole + _left_over(total - copies @ whole, order=order, room=room))
        hits = hits_within(steps, start + np.reshape(visited, (places.size, mass.size))) - hits_within(steps, start)
        return Reached(np.sum(visited, axis=-1), hits.sum(axis=-1), np.full_like(places, steps.hits.sum()))


def _left_over(places: float, *, order: Floats, room: Floats) -> Floats:
    """Share out places to areas, the highest `order` first; the last ones evenly among equals. [rows]"""
    turn = np.unique(-order, return_inverse=True)[1]
    wanted: Floats = np.bincount(turn, room).astype(float)
    given = np.clip(places - (np.cumsum(wanted) - wanted), 0, wanted)
    met = np.divide(given, wanted, out=np.zeros_like(wanted), where=wanted > 0)
    shared: Floats = room * met[turn]
    return shared


def way(
    label: ArrayLike,
    risk: ArrayLike,
    *,
    cluster: ArrayLike,
    weight: ArrayLike | None,
    area: ArrayLike | None,
    capacities: Sequence[float],
) -> Districtwide | Quota:
    """By quota if an `area` is given; parameters as for `training.decision.capacity_curve`.

    Raises
    ------
    ValueError
        A capacity is not a share, or a row lacks what each row must have; it locates the first.
    """
    labels, risks = np.asarray(label, dtype=float), np.asarray(risk, dtype=float)
    check_rows(labels, risks, calibrated=False)
    if wrong := [share for share in capacities if not 0 < share <= 1]:
        message = f"capacity is {wrong[0]}; allowed: above 0 and at most 1. Give shares, 0.1 for a tenth."
        raise ValueError(message)
    rows = pd.DataFrame({"label": labels, "risk": risks, "cluster": of_each_row("cluster", cluster, labels.size)})
    times = weights(weight, labels.size)
    if area is None:
        return Districtwide(rows, weight=times, capacities=capacities)
    placed = rows.assign(area=of_each_row("area", area, labels.size))
    return Quota(placed, weight=times, capacities=capacities)


def of_each_row(name: str, given: ArrayLike, rows: int) -> NDArray:
    """What each row belongs to; refused where one belongs to nothing, or there is not one per row."""
    units = np.asarray(given)
    if units.shape != (rows,):
        message = f"{name} has shape {units.shape}; give one per row, shape ({rows},)."
        raise ValueError(message)
    if (missing := pd.isna(units)).any():
        message = f"{missing.sum()} of {rows} rows have no {name}; first: row {missing.argmax()}. Name one for each."
        raise ValueError(message)
    return units


def _places_at(steps: Steps, capacities: Sequence[float]) -> Floats:
    return np.array([places_at(steps, share) for share in capacities])


def ratio(above: Floats, below: Floats) -> Floats:
    """Quotients, NaN over 0."""
    quotient: Floats = np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0)
    return quotient


def weights(weight: ArrayLike | None, rows: int) -> Floats:
    """One weight per row, all 1 if None; refused as `check_weight` says."""
    given = np.ones(rows) if weight is None else np.asarray(weight, dtype=float)
    check_weight(given, rows)
    return given
