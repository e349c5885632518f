"""A child as it was just measured: its z-scores, what should be measured again, and whether it is to be referred."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from features.contracts import REGISTERS
from features.growth import DAYS_PER_MONTH, STANDING_FROM_DAY, category, growth
from targeting.urgent import COLUMNS, urgent

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Mapping

    from serving.published import Scores
    from targeting.urgent import UrgentLimits

MEASURES: Final = ("weight_kg", "height_cm", "muac_cm")
FACTS: Final = (*MEASURES, "position", "oedema")
SHORTER_CM: Final = 1.0
"""A child that is shorter than before by more than two measurers may differ by was measured wrongly once.

References
----------
WHO Multicentre Growth Reference Study Group, Reliability of anthropometric measurements. *Acta Paediatrica* Suppl 450,
2006: technical errors of length of up to 0.6 cm, of which two measurements differ by 1.5 times at most.
"""


@dataclass(frozen=True, kw_only=True)
class Child:
    """What the registers know of a child who may be measured; sex and date of birth are shown to nobody.

    Parameters
    ----------
    last_cm, last_on
        The newest height or length, and its day; None where there is none.
    """

    child_id: str
    sex: str | None
    birth_date: dt.date
    last_cm: float | None
    last_on: dt.date | None

    def age_months(self, on: dt.date) -> float:
        """On a day. [months]"""
        return (on - self.birth_date).days / DAYS_PER_MONTH


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A measurement with what follows from it.

    Parameters
    ----------
    facts
        Columns of the register `measurement`, as typed; None: not measured.
    haz, waz, whz
        Against WHO 2006; None where there is none. [SD]
    words
        Of Permenkes 2/2020, in Indonesian, by the name of the score.
    again
        What should be measured again, by name: `haz`, `waz`, `whz` beyond what is plausible, `shorter` than before,
        `position` unusual at this age.
    urgent_id, urgent_en
        Why the child is to be referred at once; empty when it is not.
    """

    child_id: str
    facts: dict[str, Any]
    haz: float | None
    waz: float | None
    whz: float | None
    words: dict[str, str]
    again: tuple[str, ...]
    urgent_id: str
    urgent_en: str

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self) | {"again": list(self.again)}


SCORES: Final = {"haz": ("zlen", "flen"), "waz": ("zwei", "fwei"), "whz": ("zwfl", "fwfl")}


def children_of(scores: Scores, household_id: str) -> tuple[Child, ...]:
    """The children of a household by its newest rows, with the newest height of each; by identifier."""
    places, registers = scores.rows.places(household_id), scores.plan_inputs.registers
    rows = registers["child"].iloc[places["child"]].drop_duplicates("child_id")
    sizes = registers["measurement"].iloc[places["measurement"]].dropna(subset="height_cm")
    newest = sizes.sort_values("measured_on").drop_duplicates("child_id", keep="last").set_index("child_id")
    return tuple(_child(row, newest) for row in rows.sort_values("child_id").to_dict("records"))


def _child(row: Mapping[Hashable, Any], newest: pd.DataFrame) -> Child:
    child_id = row["child_id"]
    last = newest.loc[child_id] if child_id in newest.index else None
    return Child(
        child_id=child_id, sex=None if pd.isna(row["sex"]) else str(row["sex"]), birth_date=row["birth_date"].date(),
        last_cm=None if last is None else float(last.height_cm),
        last_on=None if last is None else last.measured_on.date(),
    )  # fmt: skip


def measured(child: Child, facts: Mapping[str, Any], *, on: dt.date, limits: UrgentLimits) -> Measured:
    """What follows from a measurement on a day.

    Parameters
    ----------
    facts
        `FACTS` in the contract's units and codes; None: not measured.
    """
    row = growth(pd.DataFrame([_growth_row(child, facts, on=on)])).iloc[0]
    found = {name: _number(row[z]) for name, (z, _) in SCORES.items()}
    flagged = [name for name, (_, flag) in SCORES.items() if not pd.isna(row[flag]) and row[flag] == 1]
    words = {name: str(category(pd.Series([z]), SCORES[name][0]).iloc[0]) for name, z in found.items() if z is not None}
    why_id, why_en = _urgent(child, facts, found["whz"], on=on, limits=limits)
    return Measured(
        child_id=child.child_id, facts=dict(facts), words=words, again=(*flagged, *_doubts(child, facts, on=on)),
        urgent_id=why_id, urgent_en=why_en, **found,
    )  # fmt: skip


def _growth_row(child: Child, facts: Mapping[str, Any], *, on: dt.date) -> dict[str, Any]:
    return {
        "sex": child.sex, "age": (on - child.birth_date).days, "weight": facts["weight_kg"],
        "lenhei": facts["height_cm"], "measure": facts["position"], "armc": facts["muac_cm"],
        "oedema": "y" if facts["oedema"] else None,
    }  # fmt: skip


def _doubts(child: Child, facts: Mapping[str, Any], *, on: dt.date) -> list[str]:
    found = []
    size = facts["height_cm"]
    later = child.last_on is not None and child.last_on <= on
    if size is not None and child.last_cm is not None and later and size < child.last_cm - SHORTER_CM:
        found.append("shorter")
    stands = (on - child.birth_date).days >= STANDING_FROM_DAY
    if size is not None and facts["position"] == ("l" if stands else "h"):
        found.append("position")
    return found


def _urgent(
    child: Child, facts: Mapping[str, Any], whz: float | None, *, on: dt.date, limits: UrgentLimits
) -> tuple[str, str]:
    day = pd.Timestamp(on)
    row = dict.fromkeys(COLUMNS) | {
        "child_id": child.child_id, "measured_on": day, "recorded_on": day, "whz": whz, "muac_cm": facts["muac_cm"],
        "oedema": facts["oedema"], "age_months": child.age_months(on),
    }  # fmt: skip
    rows = pd.DataFrame([row]).astype({"whz": "float64", "muac_cm": "float64", "oedema": "boolean"})
    found = urgent(rows, limits=limits)
    return (found.why_id.iloc[0], found.why_en.iloc[0]) if len(found) else ("", "")


def _number(found: Any) -> float | None:
    return None if pd.isna(found) else float(found)


COLUMNS_TYPED: Final = {column.name: column for column in REGISTERS["measurement"].columns if column.name in FACTS}
"""The columns of the register that somebody fills in, by name."""
