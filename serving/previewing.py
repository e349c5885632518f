"""The scores of now -> what a round would reach, with the households of each objective kept ready."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import pandas as pd
import pyarrow as pa

from features.errors import Refused
from serving.errors import NothingScored
from targeting import preview
from targeting.candidates import NO_CONTACT, candidates
from targeting.lists import read_scores
from targeting.policy import read

if TYPE_CHECKING:
    from collections.abc import Collection

    from serving.access.scope import Scope
    from serving.published import Scores
    from targeting.policy import Policy
    from targeting.preview import Preview
    from targeting.preview_orders import Homes, Rules

SALT: Final = "preview"
MEASURED: Final = ["child_id", "posyandu_id", "measured_on", "recorded_on"]
_HOMES: WeakKeyDictionary[Scores, dict[str, Homes]] = WeakKeyDictionary()
_ONE = threading.Lock()


def homes_for(scores: Scores, objective: str) -> Homes:
    """The households that compete for an objective, everywhere; made once of the same scores.

    Raises
    ------
    NothingScored
        The pipeline has just replaced the scores.
    """
    kept = _HOMES.setdefault(scores, {})
    with _ONE:
        if objective not in kept:
            try:
                scores.check()
                made = _made(scores, objective)
                scores.check()
                kept[objective] = made
            except (Refused, OSError, pa.ArrowInvalid) as fault:
                raise NothingScored(f"The scores cannot be read ({type(fault).__name__}).") from fault
    return kept[objective]


def previewed(
    scores: Scores,
    objective: str,
    rules: Rules,
    *,
    scope: Scope,
    regions: Collection[str] | None,
    held: Collection[str],
    visits: int | None,
) -> Preview:
    """What a round would reach in somebody's regions; raises as `homes_for`.

    Parameters
    ----------
    regions
        Those of them that compete; None for all.
    held
        Households that officers hold back.
    visits
        None: as many as the usual policy has.
    """
    homes = homes_for(scores, objective)

    def holds(region: str | None, area: str | None) -> bool:
        return scope.holds(region_id=region, area_id=area) and (regions is None or region in regions)

    inside = homes.inside(holds)
    known = homes.names.get_indexer(pd.Index(list(held)))
    inside[known[known >= 0]] = False
    count = int(inside.sum())
    visits = usual_visits(count) if visits is None else visits
    return preview.preview(homes, inside, rules, visits=visits, most=widest(count, visits))


def usual_visits(count: int) -> int:
    """Of so many households that compete, as many as the default policy visits."""
    share = usual().capacity.share or 0.0
    return max(round(share * count), min(count, 1))


def widest(count: int, visits: int) -> int:
    """How far the picture goes: to a quarter of the households, which stays as visits change, or else to twice them."""
    quarter = max(count // 4, min(count, 1))
    return quarter if visits <= quarter else min(count, 2 * visits)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A region that somebody may choose, with its scored households where they may look."""

    region_id: str
    name: str
    households: int


def choices(scores: Scores, scope: Scope) -> tuple[Choice, ...]:
    """The regions with scored households in a scope, by identifier; raises as `Scores.areas`."""
    seen = scores.areas[scope.mask(scores.areas)].dropna(subset=["region_id"])
    found = seen.groupby("region_id", sort=True).agg(name=("region_name", "first"), households=("households", "sum"))
    rows = zip(found.index.astype(str), found.name.fillna(""), found.households.astype(int), strict=True)
    return tuple(
        Choice(region_id=region, name=str(name) or region, households=count) for region, name, count in rows if count
    )


def usual() -> Policy:
    """The policy that an office begins with."""
    return read()


def _made(scores: Scores, objective: str) -> Homes:
    folder = scores.settings.paths.interim
    contact = _table(scores, "contact")
    measured = pd.read_parquet(folder / "measurement.parquet", columns=MEASURED)
    days = [scores.facts.freshest_on.max(), contact.recorded_on.max(), _table(scores, "service").recorded_on.max()]
    on = max(day for day in days if not pd.isna(day)).date()
    found = candidates(
        scores.units.reset_index(), {"contact": contact, "measurement": measured}, in_danger=scores.urgent,
        policy=usual().model_copy(update={"objective": objective}), on=on,
    )  # fmt: skip
    return preview.homes_of(found.homes, read_scores(scores.settings, "orders"), salt=SALT)


def _table(scores: Scores, name: str) -> pd.DataFrame:
    """A register that a district may not have."""
    path = scores.settings.paths.interim / f"{name}.parquet"
    if not path.exists():
        return NO_CONTACT
    return pd.read_parquet(path)
