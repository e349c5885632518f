"""Children and women to refer at once, who never wait behind a rank; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.settings import Settings

COLUMNS = (
    "child_id", "household_id", "region_id", "area_id", "measured_on", "recorded_on",
    "whz", "muac_cm", "oedema", "age_months",
)  # fmt: skip
OF_A_WOMAN = ("mother_id", "household_id", "region_id", "area_id", "recorded_on", "haemoglobin_g_dl")
LISTED = {
    "child_id": "string", "mother_id": "string", "household_id": "string", "region_id": "string", "area_id": "string",
    "measured_on": "datetime64[us]", "recorded_on": "datetime64[us]", "whz": "float64", "muac_cm": "float64",
    "oedema": "boolean", "haemoglobin_g_dl": "float64", "age_months": "float64", "why_id": "string", "why_en": "string",
}  # fmt: skip
"""Columns of the urgent list, and their types: an empty list, or one without women, has the same."""
PLACE = ["area_id", "household_id", "child_id"]


@dataclass(frozen=True, kw_only=True)
class UrgentLimits:
    """Limits of severe acute malnutrition of a child, and of severe anaemia of a woman; any one of them is enough.

    `severe_wasting_sd` and `muac_cm`: urgent strictly below. [SD, cm]
    `whz_valid_sd`: a weight-for-height further from 0 is a measurement error and is
    not used; oedema and arm circumference still are. [SD]
    `muac_from_months`, `muac_before_months`: ages at which arm circumference counts,
    6 to 59 completed months. [months]
    `haemoglobin_g_dl`: a woman is urgent strictly below; None looks at no woman. No published limit of referral
    stands behind it: it comes from `params.yaml`, which the health office confirms. [g/dL]

    References
    ----------
    WHO and UNICEF, *WHO child growth standards and the identification of severe acute
    malnutrition in infants and children*. Geneva: WHO, 2009.
    """

    severe_wasting_sd: float = -3.0
    muac_cm: float = 11.5
    whz_valid_sd: float = 5.0
    muac_from_months: float = 6
    muac_before_months: float = 60
    haemoglobin_g_dl: float | None = None


def limits_of(settings: Settings) -> UrgentLimits:
    """The limits, with what the district's configuration says of them."""
    return UrgentLimits(haemoglobin_g_dl=settings.urgent.haemoglobin_below_g_dl)


def urgent_list(measurements: pd.DataFrame, records: pd.DataFrame, *, limits: UrgentLimits) -> pd.DataFrame:
    """Everybody who is to be referred at once, as `LISTED`: a row has a child_id or a mother_id, never both.

    Complete and unranked: sorted by area and household, children before women. See `urgent` and `urgent_women`.
    """
    children = urgent(measurements, limits=limits)
    women = urgent_women(records, limits=limits)
    both = [rows.reindex(columns=list(LISTED)).astype(LISTED) for rows in (children, women)]
    return pd.concat(both).sort_values([*PLACE, "mother_id"], ignore_index=True)


def urgent(measurements: pd.DataFrame, *, limits: UrgentLimits) -> pd.DataFrame:
    """Every child whose latest measurement calls for referral, one row per child.

    Complete and unranked: sorted by area, household and child. `why_id` and `why_en`
    hold every reason, joined by '; '.

    Parameters
    ----------
    measurements
        One row per measurement known, with `COLUMNS`: `whz` [SD], `muac_cm` [cm] and
        `oedema` may be null. The latest is by `measured_on`, then `recorded_on`; if
        still equal, the row that is urgent counts, and one with more reasons first.

    Raises
    ------
    ValueError
        A column is missing, or a child or a date is null.
    """
    _check(measurements, COLUMNS, called="measurements", required=["child_id", "measured_on", "recorded_on"])
    latest = _with_reasons(_latest(measurements), limits)
    found = latest[latest["why_id"] != ""]
    worst_first = found.sort_values(["why_count", "whz", "muac_cm", *PLACE], ascending=[False] + [True] * 5)
    once = worst_first.drop_duplicates("child_id").sort_values(PLACE, ignore_index=True)
    return once[[*COLUMNS, "why_id", "why_en"]]


def urgent_women(records: pd.DataFrame, *, limits: UrgentLimits) -> pd.DataFrame:
    """Every woman whose newest haemoglobin calls for referral, one row per woman; nobody without a limit.

    Complete and unranked: sorted by area, household and woman.

    Parameters
    ----------
    records
        One row per record known of a woman, with `OF_A_WOMAN`: `haemoglobin_g_dl` [g/dL] may be null, and such a
        row says nothing. The newest is by `recorded_on`; of equal ones the lowest haemoglobin counts.

    Raises
    ------
    ValueError
        A column is missing, or a woman or a date is null.
    """
    _check(records, OF_A_WOMAN, called="records", required=["mother_id", "recorded_on"])
    below = math.nan if limits.haemoglobin_g_dl is None else limits.haemoglobin_g_dl  # nothing is below NaN
    rows = records.assign(haemoglobin_g_dl=_number(records["haemoglobin_g_dl"])).dropna(subset="haemoglobin_g_dl")
    order = ["recorded_on", "haemoglobin_g_dl", "area_id", "household_id"]
    newest = rows.sort_values(order, ascending=[False, True, True, True]).drop_duplicates("mother_id")
    found = newest[newest["haemoglobin_g_dl"] < below].sort_values(
        ["area_id", "household_id", "mother_id"], ignore_index=True
    )
    said_id, said_en = f"Hb di bawah {_comma(below)} g/dL", f"haemoglobin below {below:g} g/dL"
    return found[list(OF_A_WOMAN)].assign(why_id=said_id, why_en=said_en)


def _check(rows: pd.DataFrame, columns: Sequence[str], *, called: str, required: list[str]) -> None:
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise ValueError(f"{called} has no column {', '.join(missing)}; it needs {', '.join(columns)}.")
    null = int(rows[required].isna().any(axis=1).sum())
    if null:
        raise ValueError(
            f"{null} of {len(rows)} {called} lack one of {', '.join(required)}; "
            "correct or quarantine them, or somebody in danger may be missed."
        )


def _latest(measurements: pd.DataFrame) -> pd.DataFrame:
    rows = measurements
    for date in ("measured_on", "recorded_on"):
        when = pd.to_datetime(rows[date])
        rows = rows[when == when.groupby(rows["child_id"]).transform("max")]
    return rows


def _with_reasons(rows: pd.DataFrame, limits: UrgentLimits) -> pd.DataFrame:
    rows = rows.assign(whz=_number(rows["whz"]), muac_cm=_number(rows["muac_cm"]))
    reasons = _reasons(rows, limits)
    return rows.assign(
        why_id=_joined(rows, [(found, said_id) for found, said_id, _ in reasons]),
        why_en=_joined(rows, [(found, said_en) for found, _, said_en in reasons]),
        why_count=sum(found.astype(int) for found, _, _ in reasons),
    )


def _reasons(rows: pd.DataFrame, limits: UrgentLimits) -> list[tuple[pd.Series, str, str]]:
    sd, cm = limits.severe_wasting_sd, limits.muac_cm
    return [
        (
            _wasted(rows, limits),
            f"BB/TB di bawah {_comma(sd)} SD",
            f"weight-for-height below {sd:g} SD",
        ),
        (_swollen(rows), "bengkak (edema) di kedua kaki", "bilateral oedema"),
        (
            _thin_arm(rows, limits),
            f"LiLA di bawah {_comma(cm)} cm",
            f"arm circumference below {cm:g} cm",
        ),
    ]


def _comma(value: float) -> str:
    return f"{value:g}".replace(".", ",")


def _wasted(rows: pd.DataFrame, limits: UrgentLimits) -> pd.Series:
    whz = rows["whz"]
    return (whz < limits.severe_wasting_sd) & (whz.abs() <= limits.whz_valid_sd)


def _swollen(rows: pd.DataFrame) -> pd.Series:
    return rows["oedema"].astype("boolean").fillna(value=False).astype(bool)


def _thin_arm(rows: pd.DataFrame, limits: UrgentLimits) -> pd.Series:
    age = _number(rows["age_months"])
    counts = (age >= limits.muac_from_months) & (age < limits.muac_before_months)
    return (rows["muac_cm"] < limits.muac_cm) & counts


def _number(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values).astype(float)


def _joined(rows: pd.DataFrame, said: list[tuple[pd.Series, str]]) -> pd.Series:
    words = pd.DataFrame({text: found for found, text in said}, index=rows.index)
    joined = ["; ".join(words.columns[row]) for row in words.to_numpy(dtype=bool)]
    return pd.Series(joined, index=rows.index, dtype=object)
