"""DHS and IDHS recode files -> the contracts' registers.

Dwelling and asset items come from the woman's recode where the household's has none. A visit is
known from the day it began: the interview, or a measurement before it. Two clusters of different
rounds are one area only when number, region and altitude agree. Identifiers carry the round, since
household numbers recur between rounds without being the same household. The round of an ENDES name
is its year; that of a DHS name is country and phase, since fieldwork may cross a new year.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from features.adapters.dhs_account import Account
from features.adapters.dhs_fields import DWELLING
from features.adapters.dhs_files import recodes
from features.adapters.dhs_rounds import choose
from features.adapters.dhs_translate import stack
from features.adapters.extract import Extract
from features.contracts import REGISTERS
from features.validation import SOURCE


def read(folder: Path) -> Extract:
    """The registers of a DHS survey.

    Raises
    ------
    InputRefused
        No household or no child records, a file that is damaged or lacks what its rows are known by, or two files
        that cannot be told apart.
    """
    files, strangers = recodes(folder)
    taken, notes = choose(files)
    account = Account()
    raw = {kind: stack(kind, found, account) for kind, found in taken.items()}
    registers, more = fields_to_registers(raw)
    alone = [f"{name}: not a recode file, left alone" for name in strangers]
    told = [*alone, *notes, *account.notes, *account.gap_notes(), *_without_outcome(raw["child_body"]), *more]
    nulled = account.nulled
    return Extract(registers, tuple(told), pd.concat(nulled, ignore_index=True) if nulled else Extract.no_nulls())


def _without_outcome(child: pd.DataFrame) -> list[str]:
    said = "no file has a value of hc70: the outcome, haz, is null everywhere and nothing can be learnt from it"
    return [] if child.haz.notna().any() else [said]


def fields_to_registers(raw: dict[str, pd.DataFrame]) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Stacked, translated records -> registers, with notes on what was left out."""
    homes, child = raw["household"], raw["child_body"]
    homes = homes.merge(_dwelling(raw["woman"]), on="home", how="left", suffixes=("", "_w"))
    homes = _filled(homes, "_w")
    first = child.groupby("home").measured_on.min().rename("first_measured_on")
    homes = homes.merge(first, on="home", how="left")
    homes["recorded_on"] = homes[["interviewed_on", "first_measured_on"]].min(axis=1, skipna=True)
    done = homes.completed.isna() | (homes.completed == 1) | homes.home.isin(child.home)
    notes = [f"{int((~done).sum())} households were not interviewed and are left out"] if (~done).any() else []
    homes = homes[done]
    visit = homes.dropna(subset=["home"]).drop_duplicates("home").set_index("home").recorded_on
    registers = {
        "area": homes.dropna(subset=["region_id"]).sort_values("home").drop_duplicates("area_id"),
        "household": homes.rename(columns={"home": "household_id"}),
        "child": _children(child, visit),
        "measurement": _measurements(child, visit),
    }
    if homes.water_source.notna().any() or homes.toilet.notna().any():
        registers["sanitation"] = registers["household"]
    if len(raw["woman"]) or len(raw["woman_body"]):
        registers["maternal"] = _mothers(raw["woman"], raw["woman_body"], visit)
    if len(raw["birth"]):
        registers["pregnancy"] = _pregnancies(raw["birth"], registers["child"], visit)
    return {name: _only_contract(name, rows) for name, rows in registers.items()}, notes


def _dwelling(women: pd.DataFrame) -> pd.DataFrame:
    """One row a household: the first woman, by line, who answered each item."""
    wanted = [c for c in DWELLING if c in women]
    return women.sort_values(["home", "line"]).groupby("home", as_index=False)[wanted].first()


def _filled(rows: pd.DataFrame, suffix: str) -> pd.DataFrame:
    """Where a column is null, its twin of the other record is taken."""
    twins = [str(c) for c in rows.columns if str(c).endswith(suffix)]
    for twin in twins:
        name = twin.removesuffix(suffix)
        rows[name] = rows[name].where(rows[name].notna(), rows[twin].to_numpy())
    return rows


def _children(child: pd.DataFrame, visit: pd.Series) -> pd.DataFrame:
    rows = child.assign(
        household_id=child.home,
        child_id=child.home + "-" + child.line,
        mother_id=child.home + "-" + child.mother_line,
        recorded_on=child.home.map(visit),
    )
    # A day imputed in the month of the visit may fall after it.
    rows["birth_date"] = rows[["birth_date", "recorded_on"]].min(axis=1, skipna=False)
    return rows


def _measurements(child: pd.DataFrame, visit: pd.Series) -> pd.DataFrame:
    rows = child.assign(child_id=child.home + "-" + child.line)
    began = rows.home.map(visit)
    rows["measured_on"] = rows.measured_on.where(rows.measured_on.notna(), began)
    rows["recorded_on"] = rows[["measured_on"]].assign(began=began).max(axis=1)
    return rows


def _mothers(women: pd.DataFrame, bodies: pd.DataFrame, visit: pd.Series) -> pd.DataFrame:
    keys = ["home", "line"]
    both = women.merge(bodies, on=keys, how="outer", suffixes=("", "_b"))
    both = _filled(both, "_b")
    return both.assign(mother_id=both.home + "-" + both.line, household_id=both.home, recorded_on=both.home.map(visit))


def _pregnancies(births: pd.DataFrame, children: pd.DataFrame, visit: pd.Series) -> pd.DataFrame:
    """Births linked to children by rank from the last: the recode has no line number of the child."""
    rank = children.dropna(subset=["mother_id"]).sort_values(["mother_id", "birth_date", "child_id"])
    rank = rank.assign(birth_rank_recent=rank[::-1].groupby("mother_id").cumcount().add(1).astype(float))
    rows = births.assign(mother_id=births.home + "-" + births.line, recorded_on=births.home.map(visit))
    rows = rows.merge(
        rank[["mother_id", "birth_rank_recent", "child_id"]], on=["mother_id", "birth_rank_recent"], how="left"
    )
    ids = rows.mother_id + "-" + rows.birth_rank_recent.astype("Int64").astype("string")
    return rows.assign(pregnancy_id=ids)


def _only_contract(register: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The register's own columns, those that the source has; and where each row stands in the source."""
    kept = rows[[c for c in (*REGISTERS[register].names, *SOURCE) if c in rows]].reset_index(drop=True)
    return kept.astype({"_source_row": "Int64"})
