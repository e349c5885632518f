"""The scores of a run as they are kept of every household: what its page showed while they stood."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from serving.score_store import RISKS, Run, ScoredRun
from serving.told import CATALOGUE
from targeting.households import part_urgent

if TYPE_CHECKING:
    from features.settings import Settings

ASKED: Final = {"find": "risk_now", "prevent": "risk_at_24m"}
UNITS: Final = [
    "household_id", "region_id", "area_id", "unit_kind", "child_id", "mother_id", "as_of", "risk_now", "risk_at_24m",
    "model_version", "simulated",
]  # fmt: skip
PLACE: Final = ["region_id", "area_id"]


def read_run(settings: Settings, stamp: str, *, seen_at: dt.datetime) -> ScoredRun | None:
    """What the files say now, sorted so that whoever reads them keeps the same; None when nobody was scored.

    Parameters
    ----------
    stamp
        Of the files; see `targeting.manifest.whole`.

    Raises
    ------
    OSError, ValueError
        They cannot be read, or are not the files of scores.
    """
    units = pd.read_parquet(settings.paths.scores / "units.parquet", columns=UNITS).dropna(subset=["household_id"])
    if units.empty:
        return None
    units = units.sort_values("household_id", kind="stable").reset_index(drop=True)
    homes, places = _placed(units)
    ends, level = _intervals(settings, units)
    for objective, risk in ASKED.items():
        homes[f"risk_{objective}"] = _combined(units, risk).reindex(homes.household_id).to_numpy()
        for end in ("low", "high"):
            name = f"risk_{objective}_{end}"
            homes[name] = ends[name].reindex(homes.household_id).to_numpy()
    known = tuple(objective for objective in ASKED if homes[f"risk_{objective}"].notna().any())
    run = Run(
        stamp=stamp, seen_at=seen_at, catalogue=CATALOGUE, objectives=known, interval_level=level,
        households=len(homes), **_of_all(settings, units),
    )  # fmt: skip
    return ScoredRun(run, places, homes[["household_id", "place", *RISKS]])


def _of_all(settings: Settings, units: pd.DataFrame) -> dict[str, Any]:
    stamp = str(units.model_version.iloc[0])
    return {
        "model_stamp": stamp, "model_version": _version(settings, stamp), "simulated": bool(units.simulated.iloc[0]),
        "first_as_of": _day(units.as_of.min()), "last_as_of": _day(units.as_of.max()),
    }  # fmt: skip


def _placed(units: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every household with the number of its place, which is that of its first unit, as on its page; and the places."""
    first = units.drop_duplicates("household_id")[["household_id", *PLACE]]
    places = first[PLACE].drop_duplicates().sort_values(PLACE, na_position="last").reset_index(drop=True)
    numbered = first.merge(places.reset_index(names="place"), on=PLACE, how="left")  # null is equal to null there
    return numbered[["household_id", "place"]], places


def _combined(units: pd.DataFrame, risk: str) -> pd.Series:
    """As `targeting.households.combined`, of every household at once."""
    safe = (1.0 - units[risk].astype(float)).groupby(units.household_id, sort=False)
    return 1.0 - safe.prod(min_count=1)


def _intervals(settings: Settings, units: pd.DataFrame) -> tuple[dict[str, pd.Series], float | None]:
    """Ends by household, and their level: only where the interval is of all units of the household, as its risk is."""
    known = pd.read_parquet(settings.paths.scores / "households.parquet")
    urgent = pd.read_parquet(settings.paths.scores / "urgent.parquet", columns=["child_id", "mother_id"])
    _, referred = part_urgent(units, urgent)
    ends: dict[str, pd.Series] = {}
    for objective, risk in ASKED.items():
        left_out = referred[referred[risk].notna()].household_id
        rows = known[(known.objective == objective) & ~known.household_id.isin(left_out)].set_index("household_id")
        ends |= {f"risk_{objective}_{end}": rows[f"risk_{end}"] for end in ("low", "high")}
    levels = known.interval_level.dropna()
    return ends, None if levels.empty else float(levels.iloc[0])


def _version(settings: Settings, stamp: str) -> str | None:
    """Of the champion that the pipeline noted, where it is the model of these scores."""
    try:
        told = json.loads((settings.paths.champion / "champion.json").read_text(encoding="utf-8"))
        return str(told["version"]) if stamp == f"{told['name']}-{told['digest'][:12]}" else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _day(moment: Any) -> dt.date | None:
    return None if pd.isna(moment) else pd.Timestamp(moment).date()
