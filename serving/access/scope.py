"""Where somebody may look: the one place that turns a grant into a condition of a query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Scope:
    """Everywhere, or some regions (kecamatan) with all their areas, and some areas (desa) of others.

    What has neither region nor area is seen by those who may look everywhere, and by nobody else.

    Examples
    --------
    >>> Scope(regions=frozenset({"32.11.01"})).holds(region_id="32.11.01", area_id="32.11.01.2001")
    True
    >>> Scope().holds(region_id="32.11.01", area_id=None)
    False
    """

    everywhere: bool = False
    regions: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()

    def holds(self, *, region_id: str | None, area_id: str | None) -> bool:
        """Whether it takes in a place."""
        return self.everywhere or region_id in self.regions or area_id in self.areas

    def within(self, table: sa.FromClause) -> sa.ColumnElement[bool]:
        """The condition on a table's `region_id` and `area_id`; true of no row when nothing was granted."""
        if self.everywhere:
            return sa.true()
        return sa.or_(table.c.region_id.in_(sorted(self.regions)), table.c.area_id.in_(sorted(self.areas)))

    def mask(self, rows: pd.DataFrame) -> pd.Series:
        """The same of a frame with these columns, one true or false a row."""
        if self.everywhere:
            return rows.region_id.notna() | True
        return rows.region_id.isin(self.regions) | rows.area_id.isin(self.areas)

    def narrower_than(self, other: Scope) -> bool:
        """Whether nothing is in it that is not in the other, as far as the grants themselves say."""
        if other.everywhere:
            return True
        return not self.everywhere and self.regions <= other.regions and self.areas <= other.areas

    def within_grant(self, other: Scope) -> bool:
        """Whether somebody with `other` may grant it: an area's code begins with its region's, in Kemendagri's order.

        Examples
        --------
        >>> Scope(areas=frozenset({"32.11.01.2001"})).within_grant(Scope(regions=frozenset({"32.11.01"})))
        True
        """
        inside = {area for area in self.areas if any(area.startswith(f"{region}.") for region in other.regions)}
        return replace(self, areas=self.areas - inside).narrower_than(other)

    def as_json(self) -> dict[str, Any] | None:
        """As it is kept: None is everywhere."""
        if self.everywhere:
            return None
        return {"regions": sorted(self.regions), "areas": sorted(self.areas)}


EVERYWHERE = Scope(everywhere=True)
NOWHERE = Scope()


def scope_of(kept: dict[str, Any] | None) -> Scope:
    """What `as_json` kept."""
    if kept is None:
        return EVERYWHERE
    return Scope(regions=frozenset(kept["regions"]), areas=frozenset(kept["areas"]))
