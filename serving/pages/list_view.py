"""How somebody looks at a list, as it stands in the address: what is sought, in which order, and which columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from features.errors import InputRefused
from serving.assignments import mark_of, meant_by
from serving.browsing import Wanted
from serving.errors import RequestRefused
from serving.pages.map import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.datastructures import QueryParams

    from serving.listing import StoredList

LONGEST: Final = 100
LINES: Final = 30
"""On a page: with their reasons they come to less than 60 kB."""
COLUMNS: Final = {
    "name": words("Nama disamarkan"),
    "area": words("Desa"),
    "posyandu": words("Posyandu"),
    "risk": words("Risiko"),
    "reasons": words("Alasan terkuat"),
    "unmet": words("Layanan belum diterima"),
    "given": words("Layanan dibawa"),
    "visited": words("Kunjungan terakhir"),
    "freshest": words("Data terbaru"),
    "missing": words("Data belum tersedia"),
    "chosen": words("Terpilih karena"),
    "assigned": words("Petugas"),
    "decision": words("Keputusan"),
}
"""Beside rank and household, which are always there."""
OF_A_PLAN: Final = frozenset({"posyandu", "unmet", "given", "chosen"})
USUAL: Final = ("name", "area", "posyandu", "risk", "reasons", "unmet", "visited", "freshest", "assigned", "decision")
EXPORTED: Final = {
    "name": ("masked_name",),
    "area": ("area_id", "area_name"), "posyandu": ("posyandu_id",),
    "risk": ("risk", "risk_band", "risk_low", "risk_high"),
    "reasons": ("reasons_id",), "unmet": ("unmet_id",), "given": ("services_id",), "freshest": ("freshest_on",),
    "missing": ("missing_registers",), "chosen": ("chosen_for_id",),
    "assigned": ("assigned_to",),
}  # fmt: skip
"""Columns of an export that say the same; visits and decisions stand on the page alone."""
_SOUGHT: Final = {
    "region": "region", "area": "area", "band": "band", "service": "service", "assigned": "assigned_to", "q": "search",
    "sort": "order",
}  # fmt: skip
"""Name in the address: field of `Wanted`."""
OF_NAMES: Final = frozenset({"name"})
"""What is there where names were handed over."""
OF_DECISIONS: Final = frozenset({"assigned", "decision"})
"""Columns that only those see who may see decisions."""


@dataclass(frozen=True, kw_only=True)
class View:
    """A look at a list.

    Parameters
    ----------
    columns
        That are shown, in their own order.
    chose
        Whether somebody chose them; else they are the usual ones.
    after, before
        The household after or before which the page begins or ends; None for the first page.
    """

    list_id: str
    wanted: Wanted
    columns: tuple[str, ...]
    chose: bool
    after: str | None
    before: str | None

    @property
    def of_their_own(self) -> tuple[str, ...]:
        """Columns of the table: a name stands with its household, and takes no room of its own."""
        return tuple(name for name in self.columns if name not in OF_NAMES)

    def query(self, **changes: str | None) -> str:
        """The same look as the end of an address, with some of it changed; what a page begins at is left out."""
        asked: dict[str, Any] = {name: value for name, value in self.sought if value != "rank"}
        asked |= {"column": list(self.columns)} if self.chose else {}
        asked |= changes
        return urlencode({name: value for name, value in asked.items() if value is not None}, doseq=True)

    def turned(self, order: str) -> str:
        """The order to go to from the head of a column: this one, or, where it is that already, turned round."""
        if self.wanted.order != order:
            return order
        return order[1:] if order.startswith("-") else f"-{order}"

    def sorted_by(self, order: str) -> str | None:
        """How a column is sorted, as `aria-sort` says it; None when it is not."""
        return {order: "ascending", f"-{order}": "descending"}.get(self.wanted.order)

    def export(self, kind: str) -> str:
        """The end of an export's address: the columns of the page, what is sought, and how it is sorted."""
        names = ["rank", "household_id", *(name for column in self.columns for name in EXPORTED.get(column, ()))]
        if kind == "pdf":  # twelve fit, and a risk has its class and interval beside it
            names = [
                name for name in names if name not in ("risk_band", "risk_low", "risk_high", "area_id", "area_name")
            ]
        sought = {name: value for name, value in self.sought if (name, value) != ("sort", "rank")}
        return urlencode({"format": kind, "columns": ",".join(names)} | sought)

    @property
    def here(self) -> str:
        """The end of the address of this very page."""
        return self.query(after=self.after, before=self.before)

    @property
    def place(self) -> dict[str, str]:
        """Where the list is narrowed to, by `region_id` and `area_id`, whosever the households are."""
        at = {"region_id": self.wanted.region, "area_id": self.wanted.area}
        return {name: one for name, one in at.items() if one is not None}

    @property
    def sought(self) -> list[tuple[str, str]]:
        """What is sought and how it is sorted, as fields that a form carries along."""
        pairs = [(name, getattr(self.wanted, field)) for name, field in _SOUGHT.items()]
        return [
            (name, mark_of(self.list_id, value) if name == "assigned" else value)
            for name, value in pairs
            if value is not None
        ]

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The chosen columns, as fields that a form carries along."""
        return [("column", name) for name in self.columns] if self.chose else []


def view_of(params: QueryParams, found: StoredList, *, teams: Iterable[str] | None, named: bool = False) -> View:
    """The look of an address.

    Parameters
    ----------
    teams
        Who visits; None where somebody may not see that, nor sift by it.
    named
        Whether names were handed over.

    Raises
    ------
    RequestRefused
        It names an order, a band or a column that there is not, or a text of more than `LONGEST` characters.
    """
    given = {name: value.strip() for name, value in params.items() if value.strip()}
    if any(len(value) > LONGEST for value in given.values()):
        raise RequestRefused(f"A field of the address has more than {LONGEST} characters; shorten what is sought.")
    if teams is None:
        given.pop("assigned", None)
    elif "assigned" in given:
        given["assigned"] = meant_by(given["assigned"], found.id, teams=teams)
    try:
        wanted = Wanted(**{field: given[name] for name, field in _SOUGHT.items() if name in given})
    except InputRefused as refusal:
        raise RequestRefused(str(refusal)) from refusal
    chosen = set(params.getlist("column"))
    if chosen - set(COLUMNS):
        raise RequestRefused(f"There is no such column; there are {', '.join(COLUMNS)}.")
    there = columns_for(found, decisions=teams is not None, named=named)
    columns = tuple(name for name in there if name in (chosen or USUAL))
    return View(
        list_id=found.id, wanted=wanted, columns=columns, chose=bool(chosen), after=given.get("after"),
        before=given.get("before"),
    )  # fmt: skip


def columns_for(found: StoredList, *, decisions: bool, named: bool) -> list[str]:
    """Those of a list that somebody may choose from."""
    withheld = (OF_A_PLAN if found.policy_stamp is None else frozenset()) | (frozenset() if decisions else OF_DECISIONS)
    withheld |= frozenset() if named else OF_NAMES
    return [name for name in COLUMNS if name not in withheld]


def everything(view: View) -> View:
    """The same look without what is sought."""
    return replace(view, wanted=Wanted(order=view.wanted.order))
