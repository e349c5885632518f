"""One part of a desa: its registers with their faults, and the truth about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from features.contracts import REGISTERS
from features.simulation import care, contacts, faults, growing, heads, homes, listing, services, truth, weighing
from features.simulation.chance import Random, stream
from features.simulation.families import at_home_on, families
from features.simulation.known import Known
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
    spoiled = _spoiled(random, columns)
    found = Known(people, mothers, births, children, visit, first, (visited, inspected), written, listed, seen)
    # their own stream, too: they came later, and what is drawn above stays as it was
    spoiled |= _given(stream(seed, desa.number, part, 2), found, part=part)
    spoiled |= _named(stream(seed, desa.number, part, 3), found)
    # its own stream: whether a desa is sampled changes nothing else in it
    surveyed = truth.survey(stream(seed, desa.number, part, 1), desa, births, children, take=survey_take)
    return Part(
        registers={name: rows for name, (rows, _) in spoiled.items()},
        faults={name: found for name, (_, found) in spoiled.items()},
        children=truth.of_children(births, children, listed, seen),
        survey=surveyed,
        tally=truth.tally(births, children),
    )


def _spoiled(random: Random, columns: dict[str, Columns]) -> dict[str, tuple[pa.Table, pa.Table]]:
    """Each register with the faults that were planted in it."""
    return {
        name: faults.planted(random, sheet(REGISTERS[name], columns[name]), register=name) for name in sorted(columns)
    }


def _given(random: Random, known: Known, *, part: int) -> dict[str, tuple[pa.Table, pa.Table]]:
    """What was given to the people of the part, and what happened between them and the programme."""
    away = contacts.gone(random, known)
    columns = {
        "contact": contacts.contact(random, known, away, part=part),
        "service": services.service(random, known, away, part=part),
    }
    return _spoiled(random, columns)


def _named(random: Random, known: Known) -> dict[str, tuple[pa.Table, pa.Table]]:
    """Who heads the households of the part."""
    return _spoiled(random, {"household_name": heads.household_name(random, known)})
