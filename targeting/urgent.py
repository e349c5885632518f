"""Children to refer at once, who never wait behind a rank; pure."""

from dataclasses import dataclass

import pandas as pd

COLUMNS = (
    "child_id", "household_id", "region_id", "area_id", "measured_on", "recorded_on",
    "whz", "muac_cm", "oedema", "age_months",
)  # fmt: skip
PLACE = ["area_id", "household_id", "child_id"]


@dataclass(frozen=True, kw_only=True)
class UrgentLimits:
    """Limits of severe acute malnutrition; any one of them is enough.

    `severe_wasting_sd` and `muac_cm`: urgent strictly below. [SD, cm]
    `whz_valid_sd`: a weight-for-height further from 0 is a measurement error and is
    not used; oedema and arm circumference still are. [SD]
    `muac_from_months`, `muac_before_months`: ages at which arm circumference counts,
    6 to 59 completed months. [months]

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
    _check(measurements)
    latest = _with_reasons(_latest(measurements), limits)
    found = latest[latest["why_id"] != ""]
    worst_first = found.sort_values(["why_count", "whz", "muac_cm", *PLACE], ascending=[False] + [True] * 5)
    once = worst_first.drop_duplicates("child_id").sort_values(PLACE, ignore_index=True)
    return once[[*COLUMNS, "why_id", "why_en"]]


def _check(measurements: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in measurements.columns]
    if missing:
        raise ValueError(f"measurements has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}.")
    required = ["child_id", "measured_on", "recorded_on"]
    null = int(measurements[required].isna().any(axis=1).sum())
    if null:
        raise ValueError(
            f"{null} of {len(measurements)} measurements lack one of {', '.join(required)}; "
            "correct or quarantine them, or a child in danger may be missed."
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
