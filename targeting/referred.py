"""Facts of some households, as a request hands them over -> who of them is to be referred at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from features.catalog.child import DAYS_PER_MONTH
from targeting.urgent import COLUMNS, OF_A_WOMAN, UrgentLimits, urgent_list

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Hashable, Mapping, Sequence

    from features.request import Household, Row

Asked = tuple[int, "Household", "Row"]


@dataclass(frozen=True, kw_only=True)
class Urgent:
    """A child or a woman to refer at once, who waits behind no rank.

    Parameters
    ----------
    child_id, mother_id
        One of them is None.
    measured_on
        None for a woman: of her only the record is dated.
    """

    child_id: str | None
    mother_id: str | None
    measured_on: dt.date | None
    recorded_on: dt.date
    why_id: str
    why_en: str


def referred(households: Sequence[Household], *, since: dt.datetime, limits: UrgentLimits) -> dict[int, list[Urgent]]:
    """By position of the household, who is to be referred by the newest rows handed over; children before women.

    As the batch, it looks at rows of `since` and later, unless a day is asked for.
    """
    measured = _shown(_dated(households, "measurement", "measured_on", since), "child_id", limits)
    records = _shown(_dated(households, "maternal", "recorded_on", since), "mother_id", limits)
    if not measured and not records:
        return {}
    children = [_row(COLUMNS, one, "child_id") | {"age_months": _age(one[1], one[2])} for one in measured]
    women = [_row(OF_A_WOMAN, one, "mother_id") for one in records]
    both = (pd.DataFrame(children, columns=COLUMNS), pd.DataFrame(women, columns=OF_A_WOMAN))
    found: dict[int, list[Urgent]] = {}
    for row in urgent_list(*both, limits=limits).to_dict("records"):
        found.setdefault(int(row["household_id"]), []).append(_urgent(row))
    return found


def _dated(households: Sequence[Household], register: str, day: str, since: dt.datetime) -> list[Asked]:
    return [
        (n, home, row)
        for n, home in enumerate(households)
        for row in home.rows(register)
        if home.as_of or row[day] >= since
    ]


def _shown(rows: list[Asked], key: str, limits: UrgentLimits) -> list[Asked]:
    """Most show no sign at all; only of the others is the whole rule asked, over all their rows."""
    shown = {(n, row[key]) for n, _, row in rows if _shows_a_sign(row, limits)}
    return [one for one in rows if (one[0], one[2][key]) in shown]


def _shows_a_sign(row: Row, limits: UrgentLimits) -> bool:
    """Whether a measurement of a child, or a record of a woman, does; a woman's arm is no sign."""
    if "child_id" not in row:
        found, below = row.get("haemoglobin_g_dl"), limits.haemoglobin_g_dl
        return found is not None and below is not None and found < below
    whz, muac = row.get("whz"), row.get("muac_cm")
    thin = (whz is not None and whz < limits.severe_wasting_sd) or (muac is not None and muac < limits.muac_cm)
    return thin or bool(row.get("oedema"))


def _row(columns: Sequence[str], asked: Asked, key: str) -> Row:
    """The row with the household's position as its household; two of them may give somebody the same identifier."""
    n, _, row = asked
    return {name: row.get(name) for name in columns} | {"household_id": str(n), key: f"{n}|{row[key]}"}


def _urgent(row: Mapping[Hashable, Any]) -> Urgent:
    return Urgent(
        child_id=_name(row["child_id"]),
        mother_id=_name(row["mother_id"]),
        measured_on=None if pd.isna(row["measured_on"]) else row["measured_on"].date(),
        recorded_on=row["recorded_on"].date(),
        why_id=row["why_id"],
        why_en=row["why_en"],
    )


def _name(found: Any) -> str | None:
    return None if pd.isna(found) else found.partition("|")[2]


def _age(home: Household, measured: Row) -> float | None:
    child = home.newest("child", "child_id").get(measured["child_id"])
    return (measured["measured_on"] - child["birth_date"]).days / DAYS_PER_MONTH if child else None
