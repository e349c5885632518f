"""A programme's rule for whom to visit, declared in a file that a health officer can read; checked when it is read.

What only the registers can answer (is there such a region, do the limits fit together) is checked by `limits`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from features.errors import InputRefused
from features.strict import Strict
from targeting import plain_yaml

DEFAULT: Final = Path(__file__).parent / "policies" / "default.yaml"
LARGEST_BYTES: Final = 200_000  # a policy is some dozen lines; what is larger is another file
SHOWN: Final = 10  # faults that a refusal lists
CUT: Final = 60  # characters of a value that a refusal shows

Level = Literal["region", "area", "posyandu"]
Opd = Literal["dinkes", "dp2kbp3a", "dinsos", "pupr", "dpmd", "disdik", "ketapang"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Identifier = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Rupiah = Annotated[int, Field(ge=0, le=10**15, strict=True)]
Count = Annotated[int, Field(ge=0, le=10_000_000, strict=True)]


class _Declared(Strict):
    """Numbers are numbers: a comma decimal, 50.000 for rupiah, yes or a word is refused, not guessed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Capacity(_Declared):
    """What there is of one round: visits, hours of cadres, or rupiah for visits.

    Parameters
    ----------
    amount
        In `unit`.
    share
        In place of it, of the households that compete; visits only. [0-1]
    """

    unit: Literal["visits", "cadre_hours", "rupiah"] = "visits"
    amount: float | None = Field(default=None, ge=0, le=1e15, strict=True)
    share: Share | None = None

    @model_validator(mode="after")
    def _one(self) -> Capacity:
        if (self.amount is None) == (self.share is None):
            raise ValueError("give either amount or share")
        if self.share is not None and self.unit != "visits":
            raise ValueError(f"a share is of households, so it goes with the unit visits, not {self.unit}")
        if self.unit == "visits" and self.amount is not None and self.amount != int(self.amount):
            raise ValueError(f"{self.amount:g} visits; a visit is whole")
        return self


class Visit(_Declared):
    """What one visit takes. [hours of a cadre, rupiah]"""

    hours: float = Field(default=1.0, gt=0, le=24, strict=True)
    cost_idr: Rupiah = 50_000


class Part(_Declared):
    """So many visits of each place: a count, or a share of its households that compete."""

    visits: Count | None = None
    share: Share | None = None

    @model_validator(mode="after")
    def _one(self) -> Part:
        if (self.visits is None) == (self.share is None):
            raise ValueError("give either visits or share")
        return self


class Named(_Declared):
    """Visits of one named place."""

    at_least: Count = 0
    at_most: Count | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Named:
        if self.at_most is not None and self.at_most < self.at_least:
            raise ValueError(f"at_least {self.at_least} is more than at_most {self.at_most}")
        return self


class Reserves(_Declared):
    """Least shares of the visits for households of a kind, which may overlap; `exploration` falls by lot."""

    pregnant: Share = 0.0
    under_24_months: Share = 0.0
    never_measured: Share = 0.0
    exploration: Share = 0.0


class Workload(_Declared):
    """Visits balanced between those who make them.

    Risk lies in clusters, so one threshold for all gives some cadres three times the work of others. Part of the visits
    goes by that threshold, and `equal_share` of them is spread over the workers by the households in their care.

    Parameters
    ----------
    by
        Who visits: the team of a posyandu, or of a desa. Households of no known posyandu are the desa's.
    most
        Visits of one worker in the round; null: any number.
    """

    by: Literal["posyandu", "area"] = "posyandu"
    most: Count | None = None
    equal_share: Share = 0.0


class Exclusions(_Declared):
    """Households that are not visited. [weeks; null switches it off]"""

    visited_within_weeks: Annotated[int, Field(gt=0, le=520, strict=True)] | None = None
    objection_open: bool = True
    moved: bool = True
    deceased: bool = True


def _without_repeats(named: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if named is None:
        return None
    if not named:
        raise ValueError("names nothing; leave the line out for all")
    if len(set(named)) != len(named):
        twice = [one for one, count in Counter(named).items() if count > 1]
        raise ValueError(f"{', '.join(sorted(twice)[:SHOWN])} stands twice")
    return tuple(sorted(named))


def _sorted(by_name: dict[Any, Any]) -> dict[Any, Any]:
    """By name, so that the order in which an office writes its lines decides nothing."""
    return dict(sorted(by_name.items()))


Names = Annotated[tuple[Identifier, ...] | None, AfterValidator(_without_repeats)]
InOrder = AfterValidator(_sorted)


class Policy(_Declared):
    """What a programme asks of a round.

    Parameters
    ----------
    version
        Raised by the office with every change of this file; it stands on every list and decision.
    round
        Name of the round: equal values fall by a lot drawn from it.
    objective
        `find`: children stunted now. `prevent`: stunted at 24 months. `by_age`: prevent for households with a pregnancy
        or a child under 24 months, find for the others, each with its own part of the visits.
    prevent_share
        Of the visits, for `by_age`; what one part cannot use goes to the other. [0-1]
    credit_effects
        With `prevent` or `by_age`: a household in its first 1,000 days counts by what services with a known effect
        would prevent, not by its risk alone.
    service_worth
        What one unmet service handed over counts beside reaching the child at all. [share of a child reached]
    regions
        That compete; null for all.
    floors, quotas
        Least and most visits of every region, area or posyandu.
    named
        Least and most visits of single regions or areas, by identifier.
    budgets_idr
        By owner of services, for the round; null: no limit. An owner without a line hands nothing over.
    services
        Codes that may be handed over; null for the whole menu.
    ties
        Equal values: by lot, or the household with the stalest facts first.
    """

    version: Text
    name: Text
    round: Text
    objective: Literal["find", "prevent", "by_age"] = "find"
    prevent_share: Share = 0.5
    credit_effects: bool = False
    service_worth: Share = 0.02
    capacity: Capacity
    visit: Visit = Visit()
    regions: Names = None
    floors: Annotated[dict[Level, Part], InOrder] = Field(default_factory=dict)
    quotas: Annotated[dict[Level, Part], InOrder] = Field(default_factory=dict)
    named: Annotated[dict[Identifier, Named], InOrder] = Field(default_factory=dict)
    reserves: Reserves = Reserves()
    workload: Workload = Workload()
    exclusions: Exclusions = Exclusions()
    budgets_idr: Annotated[dict[Opd, Rupiah | None], InOrder] = Field(default_factory=dict)
    services: Names = None
    ties: Literal["lot", "stalest_first"] = "lot"

    @model_validator(mode="after")
    def _fits_itself(self) -> Policy:
        for level, floor in self.floors.items():
            quota = self.quotas.get(level)
            for unit in ("visits", "share"):
                least, most = getattr(floor, unit), getattr(quota, unit, None)
                if least is not None and most is not None and least > most:
                    raise ValueError(f"the floor of each {level}, {least:g}, is above its quota, {most:g} ({unit})")
        if self.capacity.unit == "rupiah" and not self.visit.cost_idr:
            raise ValueError("with capacity in rupiah, visit.cost_idr is above 0")
        if self.credit_effects and self.objective == "find":
            raise ValueError("credit_effects goes with the objective prevent or by_age: nothing prevents what is")
        if self.credit_effects and not self.service_worth:
            raise ValueError("credit_effects needs a service_worth above 0, or a visit alone would be worth nothing")
        return self

    @property
    def stamp(self) -> str:
        """Version, and the digest of every rule in it: equal for equal policies."""
        return f"{self.version}+{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]}"


def read(path: Path = DEFAULT) -> Policy:
    """The policy of a file.

    Raises
    ------
    InputRefused
        It cannot be read, or a rule of it is unknown, lacking, out of range or against another.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            allowed = f"at most {LARGEST_BYTES:,}"
            raise InputRefused(f"{path} of {path.stat().st_size:,} bytes", allowed, "Keep to the rules of one round.")
        found = plain_yaml.loaded(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as fault:
        raise InputRefused(
            f"{path} cannot be read as a policy ({type(fault).__name__}{_where(fault)})",
            "a YAML file in UTF-8, without aliases and tags, each key once",
            f"Begin with a copy of {DEFAULT}.",
        ) from fault
    if found is None:
        raise InputRefused(f"{path} is empty", "a policy", f"Begin with a copy of {DEFAULT}.")
    return policy_of(found, of=str(path))


def policy_of(found: Any, *, of: str) -> Policy:
    """The policy in `found`; `of` says where that was read.

    Raises
    ------
    InputRefused
        As for `read`.
    """
    try:
        return Policy.model_validate(found)
    except ValidationError as fault:
        wrong = [_said(error) for error in fault.errors(include_url=False, include_context=False)]
        more = f"; and {len(wrong) - SHOWN:,} more" if len(wrong) > SHOWN else ""
        raise InputRefused(
            f"a policy that does not hold, in {of}: {'; '.join(wrong[:SHOWN])}{more}",
            "the rules of docs/policies.md",
            "Correct these lines.",
        ) from fault


def _said(error: Any) -> str:
    at = ".".join(f"{step!s:.{CUT}}" for step in error["loc"] if step != "[key]") or "as a whole"
    kind, said = error["type"], str(error["msg"])
    if kind == "extra_forbidden":
        return f"{at}: there is no such rule"
    if kind == "missing":
        return f"{at}: is needed"
    if kind == "value_error":
        return f"{at}: {said.removeprefix('Value error, ')}"
    if kind in {"model_type", "dict_type"}:
        said = "write names and values, one a line, as in `visits: 3`"
    elif kind == "string_type" and isinstance(error["input"], int | float | dt.date):
        said = "it is text: write it in quotes"
    return f"{at}: {_named(error['input'])} is not allowed: {said[0].lower()}{said[1:]}"


def _named(found: Any) -> str:
    if isinstance(found, dict | list | tuple):
        return "a group of lines" if isinstance(found, dict) else "a list"
    return "nothing" if found is None else f"{str(found) if isinstance(found, dt.date) else repr(found):.{CUT}}"


def _where(fault: Exception) -> str:
    mark = getattr(fault, "problem_mark", None)
    return f", line {mark.line + 1}: {getattr(fault, 'problem', '')}" if mark else ""
