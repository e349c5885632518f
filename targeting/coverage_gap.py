"""Who is implied by one register but listed by none: by household, and by area; pure.

A list ranks those whom registers know. Reaching those whom they do not know can matter more than a better order of the
others, so these are named beside it.

References
----------
World Bank, Policy Research Working Paper 8342, 2018, on Indonesia's unified database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from targeting.coverage_cases import CASE, CASES, known_by, last_days, people_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from targeting.coverage_cases import Known

WITHOUT = {
    "household": (
        "tanpa register keluarga: balita dan keluarga yang belum terdaftar tidak dapat diketahui",
        "no household register: neither children nor households that are not listed can be known",
    ),
    "child": (
        "tanpa register anak: balita, ibu dan kelahiran yang belum terdaftar tidak dapat diketahui",
        "no child register: neither children nor mothers nor births that are not listed can be known",
    ),
    "maternal": (
        "tanpa register ibu: ibu dan kelahiran yang belum terdaftar tidak dapat diketahui",
        "no mother register: neither mothers nor births that are not listed can be known",
    ),
    "sanitation": (
        "tanpa register sanitasi: keluarga yang hanya ada di sana tidak dapat diketahui",
        "no sanitation register: households that only it would list cannot be known",
    ),
    "contact": (
        "tanpa register kontak: kematian dan kepindahan tidak diketahui",
        "no contact register: deaths and moves are not known",
    ),
    "pregnancy": (
        "tanpa register kehamilan: kelahiran yang hanya tercatat di sana tidak diketahui",
        "no pregnancy register: births that only it would record are not known",
    ),
}
GAP = [
    "household_id", "area_id", "region_id", "area_name", "why_codes", "why_id", "why_en",
    "children_implied", "children_listed", "women_implied", "women_listed", "recorded_on",
]  # fmt: skip
AREA = [
    "area_id", "region_id", "area_name", "households", "children_implied", "children_listed", "share_listed",
    "households_unregistered", "low",
]  # fmt: skip


def unregistered(registers: Mapping[str, pd.DataFrame], *, on: dt.date) -> pd.DataFrame:
    """One row a household of which somebody is implied and not listed, as `GAP`; unranked, by area and household.

    `household_missing`: in `sanitation`, `maternal` or `child`, and not in `household`; its area is null.
    `children_missing`: `under5_count` is more than the living children of `child` who were under five on the day of
    that count. A count so old that all of its children are past five says nothing.
    `mother_missing`: a living child under five of a mother whom `maternal` does not hold, in a household with women of
    15-49 years and without a row in `maternal`.
    `birth_missing`: a woman recorded as pregnant more than `BIRTH_DAYS` ago, of whom nothing is recorded since: no
    newer row, no birth in `pregnancy`, no child of hers, and none of her household whose mother is not known.

    A household that moved away on or after the day of the fact is left out, and so is a woman who died.

    Parameters
    ----------
    registers
        The accepted tables; one that is absent or has no row flags nobody, see `notes`.
    on
        Date of knowledge: later rows are not seen.

    Returns
    -------
    `why_codes`, `why_id`, `why_en`: each case, joined by '; '. `children_implied`: the count, null without one;
    `children_listed`: living children under five on the day of that count, without one on `on`. `women_implied`: women
    of 15-49 years, null if not known; `women_listed`: living women in `maternal`. `recorded_on`: of the newest fact.
    """
    known = known_by(registers, on)
    return _unregistered(known, people_of(known))


def by_area(registers: Mapping[str, pd.DataFrame], *, on: dt.date, low_below: float) -> pd.DataFrame:
    """How far the registers reach in each area, as `AREA`, the lowest share first; areas of no household are kept.

    Parameters
    ----------
    registers, on
        See `unregistered`.
    low_below
        A share listed strictly below it is `low`. [0-1]

    Returns
    -------
    `children_implied` of the counts; `children_listed`: of those, never more in a household than implied;
    `share_listed` [0-1], null where nothing is implied or no child register is there. `households_unregistered`: rows
    of `unregistered`; those without a known area are a row with a null area.

    Raises
    ------
    ValueError
        `low_below` is no share.
    """
    if not 0 <= low_below <= 1:
        raise ValueError(f"low_below is {low_below:g}; a share from 0 to 1 is allowed. Give 0.8 for 80%.")
    known = known_by(registers, on)
    people = people_of(known)
    homes = _still_there(people[people.recorded_on.notna()], known)
    within = homes.children_listed.clip(upper=homes.children_implied.fillna(0))
    found = pd.concat(
        [
            known.rows["area"][["area_id"]],
            homes[["area_id", "children_implied"]].assign(households=1, children_listed=within),
            _unregistered(known, people)[["area_id"]].assign(households_unregistered=1),
        ]
    )
    sums = ["households", "children_implied", "children_listed", "households_unregistered"]
    made = found.groupby("area_id", dropna=False)[sums].sum().astype("Int64").reset_index()
    made["children_listed"] = (
        pd.array([pd.NA] * len(made), "Int64") if "child" in known.missing else made.children_listed
    )
    share = made.children_listed.astype("Float64") / made.children_implied.mask(made.children_implied == 0)
    made = _named(made.assign(share_listed=share, low=(share < low_below).fillna(value=False).astype(bool)), known)
    order = ["share_listed", "households_unregistered", "area_id"]
    return made.sort_values(order, ascending=[True, False, True], ignore_index=True)[AREA]


def notes(registers: Mapping[str, pd.DataFrame], *, on: dt.date) -> tuple[tuple[str, str], ...]:
    """What could not be looked at, for want of a register; in Indonesian and in English."""
    missing = known_by(registers, on).missing
    return tuple(said for name, said in WITHOUT.items() if name in missing)


def _unregistered(known: Known, people: pd.DataFrame) -> pd.DataFrame:
    told = [find(known, people) for find, needs in CASES if not needs & known.missing]
    cases = pd.concat([pd.DataFrame(columns=list(CASE)), *told])[list(CASE)].astype(CASE)
    # Stable, so that a household's cases stay in the order of `CASES`.
    grouped = _still_there(cases, known).sort_values("household_id", kind="stable").groupby("household_id")
    made = grouped[["why_codes", "why_id", "why_en"]].agg("; ".join).astype("string")
    made = made.assign(recorded_on=grouped.recorded_on.max()).reset_index()
    made = made.merge(people.drop(columns=["recorded_on", "counted_on"]), on="household_id", how="left")
    return _named(made, known).sort_values(["area_id", "household_id"], ignore_index=True)[GAP]


def _still_there(rows: pd.DataFrame, known: Known) -> pd.DataFrame:
    """Without the households that moved away on or after the day of what is known of them."""
    contact = known.rows["contact"]
    moved = contact[contact.kind == "moved"].groupby("household_id").happened_on.max()
    return rows[~(last_days(rows.household_id, moved) >= rows.recorded_on)]


def _named(rows: pd.DataFrame, known: Known) -> pd.DataFrame:
    return rows.merge(known.rows["area"][["area_id", "region_id", "area_name"]], on="area_id", how="left")
