"""The menu of services: what a household can be given, who may have it, its cost and what is known of its effect."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError, model_validator

from features.errors import InputRefused
from features.strict import Strict
from targeting.persons import Person, columns
from targeting.plain_yaml import loaded
from targeting.predicates import Predicate, parsed

MENU = Path(__file__).with_name("services.yaml")
PLACEHOLDER = "placeholder, to be confirmed by the district"
"""Said in the source of every cost that nobody published."""


class Kind(StrEnum):
    """Perpres 72/2021: against the causes themselves, or against what lies behind them."""

    SPECIFIC = "spesifik"
    SENSITIVE = "sensitif"


class Group(StrEnum):
    """Target groups, in the order of a life."""

    ADOLESCENT = "remaja_catin"
    PREGNANT = "bumil"
    MONTHS_0_5 = "anak_0_5"
    MONTHS_6_23 = "anak_6_23"
    MONTHS_24_59 = "anak_24_59"
    HOUSEHOLD = "rumah_tangga"


class Owner(StrEnum):
    """Office that answers for a service."""

    DINKES = "dinkes"
    DP2KBP3A = "dp2kbp3a"
    DINSOS = "dinsos"
    PUPR = "pupr"
    DPMD = "dpmd"
    DISDIK = "disdik"
    KETAPANG = "ketapang"


class Delivery(StrEnum):
    """Where a family is given it."""

    POSYANDU = "posyandu"
    PUSKESMAS = "puskesmas"
    HOME_VISIT = "home_visit"
    SCHOOL = "school"
    OFFICE = "office"
    WORKS = "works"


class Evidence(StrEnum):
    """How sure an effect on growth is; `docs/services.md` says what each means."""

    HIGH = "high"
    MODERATE = "moderate"
    LOW = "low"
    NONE = "none"


class UnitCost(Strict):
    """Cost of one unit: the whole course for one person, or for one household. [IDR]"""

    min: int = Field(ge=0)
    default: int = Field(ge=0)
    max: int = Field(ge=0)
    source: str = Field(min_length=1)
    year: int = Field(ge=2010, le=2100)

    @model_validator(mode="after")
    def _in_order(self) -> UnitCost:
        if not self.min <= self.default <= self.max:
            raise ValueError(f"min {self.min}, default {self.default} and max {self.max} are not in this order")
        return self


class Interval(Strict):
    """A figure and its 95% interval, both ends null where the source gives none."""

    value: float
    low: float | None
    high: float | None

    @model_validator(mode="after")
    def _in_order(self) -> Interval:
        if (self.low is None) != (self.high is None):
            raise ValueError("give both ends of the interval, or null for both")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise ValueError(f"the interval {self.low} to {self.high} does not contain {self.value}")
        return self


class Reduction(Interval):
    """Stunted children that it prevents, as a share of those there would be. [0-1]"""

    value: float = Field(ge=0, le=1)


class Effect(Interval):
    """What a source found.

    Parameters
    ----------
    measure
        What `value` is of.
    reduction
        Null where the source says nothing of stunting, or not as a share.
    """

    measure: str = Field(min_length=1)
    source: str = Field(min_length=1)
    reduction: Reduction | None


class Service(Strict):
    """One entry of the menu.

    Parameters
    ----------
    of
        Whose facts the predicates read; see `persons.FACTS`.
    eligible, received
        See `predicates`.
    window_days
        A receipt older than this no longer counts; null: it always does. [days]
    unit
        What `unit_cost_idr` buys.
    duration_days
        How long one unit lasts; null: no course. [days]
    excludes
        Codes of services that it is not handed over with; where both could be, those are.
    right
        A right and an indicator of Perpres 72/2021, listed though no effect on growth is credited.
    to_confirm
        Fields whose values no source that was read gives: the district confirms or replaces them.
    note
        What a planner should know besides.
    """

    code: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name_id: str = Field(min_length=1)
    name_en: str = Field(min_length=1)
    type: Kind
    perpres_indicator: str | None
    target_groups: tuple[Group, ...] = Field(min_length=1)
    of: Person
    eligible: str = Field(min_length=1)
    received: str = Field(min_length=1)
    window_days: int | None = Field(gt=0)
    owner_opd: Owner
    delivery: Delivery
    unit: str = Field(min_length=1)
    unit_cost_idr: UnitCost
    duration_days: int | None = Field(gt=0)
    effect: Effect | None
    evidence_grade: Evidence
    excludes: tuple[str, ...] = ()
    right: bool = False
    contraindication: str | None = None
    to_confirm: tuple[str, ...] = ()
    note: str | None = None

    @model_validator(mode="after")
    def _agrees(self) -> Service:
        if self.right and (self.effect or self.evidence_grade is not Evidence.NONE):
            raise ValueError("of a right no effect on growth is credited: effect is null, evidence_grade none")
        if unknown := sorted(set(self.to_confirm) - set(Service.model_fields)):
            raise ValueError(f"to_confirm names {', '.join(unknown)}: allowed are {', '.join(Service.model_fields)}")
        return self

    @property
    def eligibility(self) -> Predicate:
        """Who may have it."""
        return parsed(self.eligible, columns(self.of, receipt=False))

    @property
    def receipt(self) -> Predicate:
        """Who has it already."""
        return parsed(self.received, columns(self.of, receipt=True))


def menu(path: Path = MENU) -> tuple[Service, ...]:
    """Every service, in the order of the file.

    Raises
    ------
    InputRefused
        The file cannot be read, or an entry does not hold; the message names entry and field.
    """
    entries = _entries(path)
    found = tuple(_service(entry, path, place=place) for place, entry in enumerate(entries, start=1))
    codes = [service.code for service in found]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise InputRefused(f"{path.name}, field code: {', '.join(twice)} given twice", "each code once", _mend(path))
    if strange := sorted({code for service in found for code in service.excludes} - set(codes)):
        raise InputRefused(f"{path.name}, field excludes: {', '.join(strange)}", "codes of this menu", _mend(path))
    return found


def _entries(path: Path) -> list[Any]:
    try:
        found = loaded(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as fault:
        raise InputRefused(f"{path.name} cannot be read ({fault})", "a YAML list of services", _mend(path)) from fault
    if not isinstance(found, list) or not found:
        raise InputRefused(f"{path.name} holds no list of services", "a YAML list of services", _mend(path))
    return found


def _service(entry: object, path: Path, *, place: int) -> Service:
    code = entry.get("code") if isinstance(entry, dict) else None
    where = f"{path.name}, entry {place} ({code or 'without a code'})"
    try:
        service = Service.model_validate(entry)
    except ValidationError as fault:
        wrong = "; ".join(_fault(error) for error in fault.errors())
        raise InputRefused(f"{where}, {wrong}", "; ".join(e["msg"] for e in fault.errors()), _mend(path)) from fault
    _check(service, "eligible", where)
    _check(service, "received", where)
    if service.window_days is not None and "receipt" not in service.receipt.columns:
        raise InputRefused(
            f"{where}, field window_days: {service.window_days}, though `received` reads no receipt",
            "null, or a `received` that reads `receipt`",
            _mend(path),
        )
    return service


def _fault(error: Any) -> str:
    where = ".".join(map(str, error["loc"])) or "as a whole"
    given = error["input"]
    return f"field {where}" + ("" if isinstance(given, dict | list) else f": {given!r}")


def _check(service: Service, field: str, where: str) -> None:
    try:
        _ = service.eligibility if field == "eligible" else service.receipt
    except InputRefused as refused:
        raise InputRefused(f"{where}, field {field}: {refused.found}", refused.allowed, refused.remedy) from refused


def _mend(path: Path) -> str:
    return f"Correct {path}; docs/services.md shows what an entry holds."
