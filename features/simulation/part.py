"""One part of a desa: its registers with their faults, and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from features.contracts import REGISTERS
from features.simulation import care, faults, growing, homes, listing, truth, weighing
from features.simulation.chance import stream
from features.simulation.families import at_home_on, families
from features.simulation.places import Desa
from features.simulation.sheets import Columns, sheet


@dataclass(frozen=True)
class Part:
    """Up to a thousand households.

    Parameters
    ----------
    registers
        Rows as handed over, by register.
    faults
        Faults planted in them, by register; `row` counts from 1 in this part.
    tally
        Sums over the under-fives at each mass weighing (`truth.TALLIED`).
    """

    registers: dict[str, pa.Table]
    faults: dict[str, pa.Table]
    children: pa.Table
    survey: pa.Table
    tally: np.ndarray


def made(desa: Desa, *, part: int, seed: int, survey_take: int) -> Part:
    """Make one part of a desa; the same place and seed give the same part."""
    random = stream(seed, desa.number, part)
    people = homes.live(random, desa, count=desa.parts[part], part=part)
    mothers, births = families(random, people, part=part)
    children = growing.growing(random, people, mothers, births)
    visit, first = care.first_visit(random, people, births), listing.registered(random, births)
    known = first > 0
    listed = listing.children_recorded(random, people, births, first=first)
    written = care.mothers_recorded(random, mothers, births, visit=visit)
    # who was due to be listed but had no visit by the end of 2025 is not known either
    mothers = replace(mothers, listed=np.isin(np.arange(len(mothers)), written.who))
    seen = weighing.visits(random, people, births, children, known=known)
    columns: dict[str, Columns] = {
        "maternal": care.maternal(random, people, mothers, births, written),
        "pregnancy": care.pregnancy(random, people, mothers, births, visit=visit, written=known),
        "child": listing.child(random, people, mothers, births, listed),
        "measurement": weighing.measurement(random, people, births, children, seen),
    }
    visited, inspected = homes.recorded(random, people), homes.inspected(random, people)
    young, all_children = at_home_on(births, people, who=visited.who, on=visited.on)
    columns["household"] = homes.household(random, people, visited, young=young, children=all_children)
    columns["sanitation"] = homes.sanitation(random, people, inspected)
    spoiled = {
        name: faults.planted(random, sheet(REGISTERS[name], columns[name]), register=name) for name in sorted(columns)
    }
    # its own stream: whether a desa is sampled changes nothing else in it
    surveyed = truth.survey(stream(seed, desa.number, part, 1), desa, births, children, take=survey_take)
    return Part(
        registers={name: rows for name, (rows, _) in spoiled.items()},
        faults={name: found for name, (_, found) in spoiled.items()},
        children=truth.of_children(births, children, listed, seen),
        survey=surveyed,
        tally=truth.tally(births, children),
    )
