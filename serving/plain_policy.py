"""The plain choices of a form -> a policy. What cannot be read is named by its field, and not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from serving.previewing import usual
from targeting.policy import Opd, Policy
from targeting.preview_orders import Rules

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Objective = Literal["find", "prevent", "by_age"]
FLOORS: Final = (0.0, 0.02, 0.04, 0.06)
PREGNANT: Final = (0.0, 0.05, 0.1, 0.2)
LOTS: Final = (0.0, 0.05, 0.1)
"""Shares that a form offers; a policy file may have any."""
OWNERS: Final[tuple[str, ...]] = get_args(Opd)
VERSION: Final = "laman-1"
"""Of the rules that this page can say; the digest in a stamp tells what was chosen."""
MOST_VISITS: Final = 10_000_000
MOST_IDR: Final = 10**15
GROUPED: Final = re.compile(r"\d{1,3}([. ]\d{3})+|\d+", re.ASCII)
"""A whole number, as Indonesians group it or not."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a planner chose.

    Parameters
    ----------
    regions
        None: all of theirs.
    visits
        None: as many as is usual.
    floor
        Least share of the households of every region. [0-1]
    each_area
        Whether every area is visited at least once.
    pregnant, lots
        Shares of the visits for households with a pregnancy, and by lot. [0-1]
    budgets
        Rupiah for the services of an owner.
    wrong
        Fields that could not be read, by name; they stand as if nothing had been chosen.
    """

    regions: tuple[str, ...] | None
    objective: Objective
    visits: int | None
    floor: float
    each_area: bool
    pregnant: float
    lots: float
    budgets: Mapping[str, int]
    wrong: frozenset[str] = frozenset()

    @property
    def rules(self) -> Rules:
        """As a preview sees them."""
        return Rules(
            floor_share=self.floor, one_each_area=self.each_area, pregnant=self.pregnant, exploration=self.lots,
            prevent_share=usual().prevent_share if self.objective == "by_age" else 1.0,
        )  # fmt: skip

    def policy(self, *, name: str, round_name: str, visits: int) -> dict[str, Any]:
        """The rules of a policy file, as JSON; what the form does not ask is as in the default file."""
        floors: dict[str, Any] = {"region": {"share": self.floor}} if self.floor else {}
        floors |= {"area": {"visits": 1}} if self.each_area else {}
        return usual().model_dump(mode="json") | {
            "version": VERSION, "name": name, "round": round_name, "objective": self.objective,
            "capacity": {"unit": "visits", "amount": visits},
            "regions": None if self.regions is None else list(self.regions), "floors": floors,
            "reserves": {"pregnant": self.pregnant, "exploration": self.lots}, "budgets_idr": dict(self.budgets),
        }  # fmt: skip


def usual_choices() -> Choices:
    """Those of the default policy."""
    policy: Policy = usual()
    floor = policy.floors.get("region")
    return Choices(
        regions=None, objective=policy.objective, visits=None, floor=(floor.share if floor else None) or 0.0,
        each_area="area" in policy.floors, pregnant=policy.reserves.pregnant, lots=policy.reserves.exploration,
        budgets={},
    )  # fmt: skip


def choices_of(given: Mapping[str, str], regions: Sequence[str], *, known: Collection[str]) -> Choices:
    """What the fields of a form say.

    Parameters
    ----------
    regions
        Every value of the field `region`.
    known
        Regions that may be chosen; all of them chosen is as None.
    """
    wrong: set[str] = set()
    if not regions or set(regions) - set(known):
        wrong.add("region")
    chosen = tuple(sorted(set(regions) & set(known)))
    objective = given.get("objective", "")
    if objective not in get_args(Objective):
        wrong.add("objective")
        objective = usual().objective
    return Choices(
        regions=None if not chosen or len(chosen) == len(known) else chosen,
        objective=objective,  # type: ignore[arg-type]  # it was looked up above
        visits=_whole(given, "visits", wrong, least=1, most=MOST_VISITS),
        floor=_share(given, "floor", wrong, of=FLOORS),
        each_area=given.get("each_area") == "1",
        pregnant=_share(given, "pregnant", wrong, of=PREGNANT),
        lots=_share(given, "lots", wrong, of=LOTS),
        budgets=_budgets(given, wrong),
        wrong=frozenset(wrong),
    )


def _budgets(given: Mapping[str, str], wrong: set[str]) -> dict[str, int]:
    asked = {owner: f"budget_{owner}" for owner in OWNERS if given.get(f"budget_{owner}", "").strip()}
    found = {owner: _whole(given, field, wrong, least=0, most=MOST_IDR) for owner, field in asked.items()}
    return {owner: amount for owner, amount in found.items() if amount is not None}


def _whole(given: Mapping[str, str], field: str, wrong: set[str], *, least: int, most: int) -> int | None:
    text = given.get(field, "").strip().removeprefix("Rp").strip()
    if GROUPED.fullmatch(text) and len(text) <= 2 * len(str(most)):
        number = int(re.sub(r"[. ]", "", text))
        if least <= number <= most:
            return number
    wrong.add(field)
    return None


def _share(given: Mapping[str, str], field: str, wrong: set[str], *, of: Sequence[float]) -> float:
    known = {f"{share:g}": share for share in of}
    if given.get(field) not in known:
        wrong.add(field)
    return known.get(given.get(field, ""), 0.0)
