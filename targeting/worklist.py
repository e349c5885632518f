"""Households in the order they should be visited; pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

COLUMNS = (
    "household_id", "region_id", "area_id", "area_name", "unit_count", "expected_stunted",
    "risk_find", "risk_prevent", "risk", "objective", "freshest_on", "stalest_on",
    "reasons_id", "reasons_en", "reasons_unit_id", "missing_registers", "model_version",
)  # fmt: skip
INTERVAL = ("risk_low", "risk_high")
"""Known of a household only where the model has refits."""
OBJECTIVES = ("find", "prevent")
RISK_DECIMALS = 9  # below this a difference is floating-point noise, not risk
REGIONS_NAMED = 10  # known regions listed in an error before it stops helping


@dataclass(frozen=True)
class Band:
    """Households whose interval contains the risk of the last one chosen: on the list, and off it.

    Each could as well have been on the other side. Where everybody or nobody is chosen, there is no other side.
    """

    listed: int
    unlisted: int


# eq=False: comparing two tables with == is ambiguous in pandas.
@dataclass(frozen=True, kw_only=True, eq=False)
class Worklist:
    """The households to visit, and what is needed to repeat the choice.

    `rows` has the input columns after `rank` (1 is first), and `boundary` after the interval
    where there is one: true within the band. `eligible` counts the households that
    competed, `capacity` those that could be visited. `regions` is None when every region
    competed, `band` when no interval is known.
    """

    rows: pd.DataFrame
    capacity: int
    eligible: int
    salt: str
    regions: tuple[str, ...] | None
    band: Band | None = None


def worklist(households: pd.DataFrame, *, capacity: int, salt: str, regions: Iterable[str] | None = None) -> Worklist:
    """Choose the `capacity` households of highest risk, in order of visit.

    Parameters
    ----------
    households
        One row per household, with `COLUMNS`; `risk` is a probability 0-1. All rows
        share one objective. `risk_low` and `risk_high`, the ends of its interval, may be there
        and null. Row order is irrelevant.
    capacity
        Households that can be visited. At least 0.
    salt
        Name of the round. Risks equal to 9 decimals fall by SHA-256 of
        `salt|household_id`: fair between rounds, repeatable within one.
    regions
        The `region_id` values that compete; None for all.

    Raises
    ------
    ValueError
        The table or an argument breaks one of the rules above.
    """
    _check(households, capacity)
    chosen = None if regions is None else tuple(sorted(set(regions)))
    eligible = _within(households, chosen)
    ordered = _ordered(eligible, salt).reset_index(drop=True)
    band = None
    if set(INTERVAL) <= set(ordered):
        within = _within_reach(ordered, capacity)
        ordered.insert(list(ordered).index(INTERVAL[1]) + 1, "boundary", within)
        band = None if within.isna().all() else Band(int(within[:capacity].sum()), int(within[capacity:].sum()))
    rows = ordered.head(capacity)
    rows.insert(0, "rank", range(1, len(rows) + 1))
    return Worklist(rows=rows, capacity=capacity, eligible=len(eligible), salt=salt, regions=chosen, band=band)


def _within_reach(ordered: pd.DataFrame, capacity: int) -> pd.Series:
    """Whether each interval contains the risk of the last one chosen; null without an interval."""
    low, risk, high = (pd.to_numeric(ordered[name]).astype(float) for name in (INTERVAL[0], "risk", INTERVAL[1]))
    spare = 10.0**-RISK_DECIMALS
    if not 0 < capacity < len(ordered):
        within = pd.Series(data=False, index=ordered.index)
    else:
        cut = float(risk.iloc[capacity - 1])
        within = (low <= cut + spare) & (cut <= high + spare)
    return within.astype("boolean").mask(low.isna() | high.isna())


def _check(households: pd.DataFrame, capacity: int) -> None:
    _check_capacity(capacity)
    _check_columns(households)
    _check_ids(households["household_id"])
    _check_risks(households)
    _check_intervals(households)
    _check_objective(households["objective"])


def _check_capacity(capacity: int) -> None:
    whole = isinstance(capacity, int) and not isinstance(capacity, bool)
    if not whole or capacity < 0:
        raise ValueError(f"capacity is {capacity!r}; it must be a whole number of households, 0 or more.")


def _check_columns(households: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in households.columns]
    if missing:
        raise ValueError(
            f"households has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}. Re-run `dvc repro`."
        )
    if "rank" in households.columns:
        raise ValueError("households already has a column rank; pass the unranked households.")


def _check_ids(ids: pd.Series) -> None:
    if ids.isna().any():
        raise ValueError(f"{ids.isna().sum()} of {len(ids)} household ids are null; fill them.")
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise ValueError(
            f"{len(repeated)} of {len(ids)} rows repeat a household id; first: household "
            f"{min(repeated)}. Pass one row per household."
        )


def _check_risks(households: pd.DataFrame) -> None:
    risk = pd.to_numeric(households["risk"], errors="coerce")
    wrong = households.loc[~risk.between(0, 1), "household_id"]
    if len(wrong):
        raise ValueError(
            f"{len(wrong)} of {len(households)} risks are null or outside 0-1; "
            f"first: household {min(wrong)}. Re-run `dvc repro`."
        )


def _check_intervals(households: pd.DataFrame) -> None:
    if not set(INTERVAL) <= set(households):
        return
    low, risk, high = (pd.to_numeric(households[name]) for name in (INTERVAL[0], "risk", INTERVAL[1]))
    spare = 10.0**-RISK_DECIMALS
    wrong = households.loc[(low > risk + spare) | (high < risk - spare), "household_id"]
    if len(wrong):
        raise ValueError(
            f"{len(wrong)} of {len(households)} intervals do not contain their risk; "
            f"first: household {min(wrong)}. Re-run `dvc repro`."
        )


def _check_objective(objective: pd.Series) -> None:
    found = sorted({str(value) for value in objective})
    unknown = [value for value in found if value not in OBJECTIVES]
    if unknown:
        raise ValueError(f"objective is {unknown[0]}; it must be {' or '.join(OBJECTIVES)}.")
    if len(found) > 1:
        raise ValueError(
            f"households mix the objectives {' and '.join(found)}, whose risks cannot share one "
            "order; allowed is one. Filter on `objective` and make one worklist for each."
        )


def _within(households: pd.DataFrame, regions: tuple[str, ...] | None) -> pd.DataFrame:
    if regions is None:
        return households
    known = sorted({str(region) for region in households["region_id"].dropna()})
    unknown = [region for region in regions if region not in known]
    if unknown:
        raise ValueError(
            f"Region {', '.join(unknown)} is unknown; {len(known)} are known, among them "
            f"{', '.join(known[:REGIONS_NAMED]) or 'none'}."
        )
    return households[households["region_id"].isin(regions)]


def _ordered(households: pd.DataFrame, salt: str) -> pd.DataFrame:
    keys = pd.DataFrame(
        {
            "risk": pd.to_numeric(households["risk"]).astype(float).round(RISK_DECIMALS),
            "lot": [_lot(salt, str(household)) for household in households["household_id"]],
            "household_id": households["household_id"],
        }
    ).reset_index(drop=True)
    order = keys.sort_values(["risk", "lot", "household_id"], ascending=[False, True, True])
    return households.iloc[order.index.to_numpy()]


def _lot(salt: str, household_id: str) -> str:
    return hashlib.sha256(f"{salt}|{household_id}".encode()).hexdigest()
