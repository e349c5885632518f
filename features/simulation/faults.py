"""The faults of real registers, planted by declared rates; every one is written down beside the registers.

A row has at most one fault, so that what the validator must keep back is known row by row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.contracts import REGISTERS
from features.simulation.chance import Random
from features.simulation.identifiers import PLACEHOLDER

Row: TypeAlias = dict[str, Any]

COPY, CONFLICT = "copy", "conflict"
NIK_COLUMNS = ("child_id", "mother_id")
NIK_REGISTERS = ("maternal", "pregnancy", "child", "measurement")
SCHEMA = pa.schema(
    [
        ("register", pa.string()), ("row", pa.int64()), ("key", pa.string()), ("column", pa.string()),
        ("kind", pa.string()), ("was", pa.string()), ("quarantined", pa.bool_()),
    ]
)  # fmt: skip


def _spreadsheet(cell: str, _: Row) -> str:
    return f"{int(cell):.5E}"


def _apostrophe(cell: str, _: Row) -> str:
    return f"'{cell}"


def _letter(cell: str, _: Row) -> str:
    return cell.replace("0", "O", 1)


def _cut(cell: str, _: Row) -> str:
    return cell[:13]


def _future(cell: Any, _: Row) -> Any:
    return cell.replace(year=2200 + cell.year % 10)


def _after_record(_: Any, row: Row) -> Any:
    return row["recorded_on"].replace(year=row["recorded_on"].year + 1, day=1)


def _always(value: Any) -> Callable[[Any, Row], Any]:
    return lambda _, __: value


def _more(by: float) -> Callable[[Any, Row], Any]:
    return lambda cell, _: cell + by


def _day_before(cell: dt.date, _: Row) -> dt.date:
    return cell - dt.timedelta(1)


def _other(cell: bool, _: Row) -> bool:  # noqa: FBT001 (a cell of a register)
    return not cell


WRITES: dict[str, Callable[[Any, Row], Any]] = {
    "spreadsheet_number": _spreadsheet,
    "apostrophe": _apostrophe,
    "blank": _always(None),
    "placeholder": _always(PLACEHOLDER),
    "letter_for_digit": _letter,
    "cut_short": _cut,
    "future_date": _future,
    "born_after_record": _after_record,
    "after_record": _after_record,
    "unknown_code": _always("lain2"),
}
"""What each kind of fault makes of a cell; of kinds that are not here, `Fault.writes` says it."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault in one column.

    Parameters
    ----------
    share
        Of the register's rows; a row whose cell is empty stays as it is.
    quarantined
        Whether a validator must keep the row back. Else it is accepted, and its link leads nowhere.
    writes
        For an impossible value, that value; for a conflict, what the second row says instead.
    """

    register: str
    column: str
    kind: str
    share: float
    quarantined: bool = True
    writes: Callable[[Any, Row], Any] | None = None

    @property
    def written(self) -> Callable[[Any, Row], Any]:
        """What becomes of the cell."""
        return self.writes or WRITES[self.kind]


# The sum over a register's identifiers of persons is 3% of its rows: NIK faults as districts report them.
# How the 3% part into kinds, and all other rates, are assumptions [M]. Kinds that go to quarantine come first,
# so that their total stays near its share in a register of any size.
FAULTS = (
    Fault("household", "household_id", "spreadsheet_number", 0.003),
    Fault("household", "household_id", "apostrophe", 0.002),
    Fault("household", "member_count", "impossible", 0.002, writes=_always(99)),
    Fault("household", "floor", "unknown_code", 0.003),
    Fault("household", "recorded_on", "future_date", 0.001),
    Fault("household", "household_id", COPY, 0.004),
    Fault("household", "member_count", CONFLICT, 0.002, writes=_more(1)),
    Fault("sanitation", "household_id", "spreadsheet_number", 0.003),
    Fault("sanitation", "water_source", "unknown_code", 0.004),
    Fault("sanitation", "water_minutes", "impossible", 0.002, writes=_always(999.0)),
    Fault("sanitation", "recorded_on", "future_date", 0.001),
    Fault("sanitation", "household_id", COPY, 0.003),
    Fault("sanitation", "handwashing_soap", CONFLICT, 0.002, writes=_other),
    Fault("maternal", "mother_id", "spreadsheet_number", 0.005),
    Fault("maternal", "mother_id", "apostrophe", 0.003),
    Fault("maternal", "mother_id", "blank", 0.002),
    Fault("maternal", "height_cm", "impossible", 0.002, writes=_always(400.0)),
    Fault("maternal", "education", "unknown_code", 0.002),
    Fault("maternal", "mother_id", COPY, 0.003),
    Fault("maternal", "weight_kg", CONFLICT, 0.002, writes=_more(2.5)),
    Fault("maternal", "mother_id", "letter_for_digit", 0.020, quarantined=False),
    Fault("pregnancy", "mother_id", "spreadsheet_number", 0.005),
    Fault("pregnancy", "mother_id", "apostrophe", 0.003),
    Fault("pregnancy", "birth_weight_g", "impossible", 0.004, writes=_always(29500.0)),
    Fault("pregnancy", "recorded_on", "future_date", 0.001),
    Fault("pregnancy", "mother_id", COPY, 0.003),
    Fault("pregnancy", "anc_visits", CONFLICT, 0.002, writes=_more(1)),
    Fault("pregnancy", "child_id", "blank", 0.016, quarantined=False),
    Fault("pregnancy", "child_id", "placeholder", 0.014, quarantined=False),
    Fault("child", "child_id", "spreadsheet_number", 0.005),
    Fault("child", "child_id", "apostrophe", 0.003),
    Fault("child", "child_id", "blank", 0.002),
    Fault("child", "birth_date", "born_after_record", 0.002),
    Fault("child", "sex", "unknown_code", 0.002),
    Fault("child", "child_id", COPY, 0.004),
    Fault("child", "birth_order", CONFLICT, 0.002, writes=_more(1)),
    Fault("child", "mother_id", "blank", 0.010, quarantined=False),
    Fault("child", "mother_id", "placeholder", 0.007, quarantined=False),
    Fault("child", "mother_id", "cut_short", 0.006, quarantined=False),
    Fault("measurement", "child_id", "spreadsheet_number", 0.005),
    Fault("measurement", "child_id", "apostrophe", 0.003),
    Fault("measurement", "child_id", "blank", 0.002),
    Fault("measurement", "weight_kg", "impossible", 0.0015, writes=_always(0.1)),
    Fault("measurement", "height_cm", "impossible", 0.0015, writes=_always(0.9)),
    Fault("measurement", "measured_on", "future_date", 0.001),
    Fault("measurement", "child_id", COPY, 0.003),
    Fault("measurement", "weight_kg", CONFLICT, 0.0015, writes=_more(0.4)),
    Fault("measurement", "child_id", "letter_for_digit", 0.020, quarantined=False),
    Fault("service", "household_id", "spreadsheet_number", 0.002),
    Fault("service", "received_on", "after_record", 0.002),
    Fault("service", "received_on", "future_date", 0.001),
    Fault("service", "receipt_id", COPY, 0.003),
    Fault("service", "received_on", CONFLICT, 0.001, writes=_day_before),
    Fault("service", "service", "unknown_code", 0.003, quarantined=False),
    Fault("service", "person_id", "blank", 0.010, quarantined=False),
    Fault("service", "person_id", "letter_for_digit", 0.010, quarantined=False),
    Fault("contact", "household_id", "spreadsheet_number", 0.005),
    Fault("contact", "happened_on", "future_date", 0.004),
    Fault("contact", "kind", "unknown_code", 0.005),
    Fault("contact", "contact_id", COPY, 0.005),
    Fault("household_name", "household_id", "spreadsheet_number", 0.003),
    Fault("household_name", "head_name", "placeholder", 0.003),
    Fault("household_name", "head_name", "blank", 0.003),
    Fault("household_name", "household_id", COPY, 0.003),
    Fault("household_name", "head_name", CONFLICT, 0.002, writes=_always("Nama Lain")),
)


def planted(random: Random, rows: pa.Table, *, register: str) -> tuple[pa.Table, pa.Table]:
    """The rows with faults in some of them, and the faults; their `row` counts from 1 in these rows.

    A copy, and the second row of a conflict, stand after all other rows.
    """
    faults = [fault for fault in FAULTS if fault.register == register]
    which = _drawn(random, [fault.share for fault in faults], len(rows))
    found: list[Row] = []
    more: list[pa.Table] = []
    for place, fault in enumerate(faults):
        chosen = np.flatnonzero(which == place)
        chosen = chosen[np.asarray(rows[fault.column].take(pa.array(chosen)).is_valid())]
        if not len(chosen):
            continue
        taken = rows.take(pa.array(chosen))
        if fault.kind in {COPY, CONFLICT}:
            extra = taken if fault.kind == COPY else _spoiled(taken, np.arange(len(taken)), fault, taken)
            start = len(rows) + sum(map(len, more))
            more.append(extra)
            found += _told(fault, taken, start + np.arange(len(taken)))
            found += _told(fault, taken, chosen) if fault.kind == CONFLICT else []
        else:
            found += _told(fault, taken, chosen)
            rows = _spoiled(rows, chosen, fault, taken)
    return pa.concat_tables([rows, *more]), pa.Table.from_pylist(found, schema=SCHEMA)


def _drawn(random: Random, shares: list[float], count: int) -> np.ndarray:
    """Which fault each row gets (beyond the last: none); the number of all differs by less than one from its share."""
    lots = (random.permutation(count) + random.random(count)) / max(count, 1)
    return np.searchsorted(np.cumsum(shares), lots, side="right")


def _spoiled(rows: pa.Table, chosen: np.ndarray, fault: Fault, taken: pa.Table) -> pa.Table:
    """The rows with the cells of `chosen` spoiled; `taken` are those rows as they were."""
    made = [fault.written(row[fault.column], row) for row in taken.to_pylist()]
    mask = np.zeros(len(rows), dtype=bool)
    mask[chosen] = True
    kind = rows.schema.field(fault.column).type
    column = pc.replace_with_mask(rows[fault.column].combine_chunks(), pa.array(mask), pa.array(made, type=kind))
    return rows.set_column(rows.schema.get_field_index(fault.column), fault.column, column)


def _told(fault: Fault, taken: pa.Table, places: np.ndarray) -> list[Row]:
    key = REGISTERS[fault.register].key
    return [
        {
            "register": fault.register,
            "row": int(place) + 1,
            "key": " + ".join(str(row[name]) for name in key),
            "column": "+".join(key) if fault.kind == COPY else fault.column,
            "kind": fault.kind,
            "was": str(row[fault.column]),
            "quarantined": fault.quarantined,
        }
        for row, place in zip(taken.to_pylist(), places, strict=True)
    ]
