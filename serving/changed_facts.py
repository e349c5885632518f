"""A household's facts as the scorers take them, and what the model would say if one of them were another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import ValidationError

from features.errors import InputRefused
from serving.bands import Band, band_of
from serving.errors import FactsRefused, RequestRefused
from serving.facts import households
from serving.rows import SCORED_FROM
from serving.schemas import ScoreRequest
from targeting.households import combined
from targeting.what_if import changed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from features.request import Household
    from serving.published import Scores


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A risk before and after; None where it is not asked, or where nobody is judged. [probability]

    Parameters
    ----------
    who
        The child or the pregnancy; None: the household.
    kind, age_months
        Of it, as the answer has them: `child` or `pregnancy`, and null for a pregnancy. [months]
    """

    who: str | None
    kind: str | None = None
    age_months: float | None = None
    when: str
    before: float | None
    after: float | None

    @property
    def same(self) -> bool:
        """Whether nothing moved."""
        return self.before == self.after

    @property
    def bands(self) -> tuple[Band | None, Band | None]:
        """Of both."""
        before, after = (None if risk is None else band_of(risk) for risk in (self.before, self.after))
        return before, after


def known_facts(scores: Scores, household_id: str) -> dict[str, Any]:
    """A request for a household as the accepted registers know it, with the rows of its children and women.

    Raises
    ------
    NothingScored
        The pipeline has just replaced the scores.
    """
    places, registers = scores.rows.places(household_id), scores.plan_inputs.registers
    found = {name: registers[name].iloc[places[name]] for name in SCORED_FROM}
    # A mother of a child here may have been recorded elsewhere last.
    lacking = set(found["child"].mother_id.dropna()) - set(found["maternal"].mother_id)
    if lacking:
        table = registers["maternal"]
        found["maternal"] = pd.concat([found["maternal"], _not_pregnant(table[table.mother_id.isin(lacking)])])
    rows = {name: _rows(table) for name, table in found.items() if len(table)}
    return {"households": [{"household_id": household_id, "registers": rows}]}


def both(known: dict[str, Any], change: str) -> tuple[Household, Household]:
    """The household as known, and with the change made; see `targeting.what_if.changed`.

    Raises
    ------
    RequestRefused
        The change cannot be made, or breaks a contract.
    """
    try:
        first, second = (_read(asked) for asked in (known, changed(known, [change])))
    except (InputRefused, ValidationError) as refusal:
        said = str(refusal) if isinstance(refusal, InputRefused) else "The value does not hold by the contract."
        raise RequestRefused(said) from refusal
    except FactsRefused as refusal:
        raise RequestRefused(refusal.detail) from refusal
    return first, second


def moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Moved]:
    """The risks of two answers side by side: of the household, then of each child and pregnancy."""
    home = [
        Moved(who=None, when=when, before=before[name], after=after[name])
        for when, name in (("now", "risk_find"), ("at_24m", "risk_prevent"))
    ]
    first, second = ({unit["unit_id"]: unit for unit in one["units"]} for one in (before, after))
    units = [
        Moved(
            who=name, kind=unit["kind"], age_months=unit["age_months"], when=when,
            before=_risk(first.get(name), when), after=_risk(second.get(name), when),
        )
        for name, unit in (first | second | first).items()
        for when in ("now", "at_24m")
    ]  # fmt: skip
    return [one for one in (*home, *units) if one.before is not None or one.after is not None]


def answers(made: Sequence[bytes], published: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two answers of the pool; of the units as known, only those that are published of the household."""
    before, after = (json.loads(one) for one in made)
    strays = {unit["unit_id"] for unit in before["units"]}.difference(published)
    return _without(before, strays), _without(after, strays)


def _without(answer: dict[str, Any], strays: Collection[str]) -> dict[str, Any]:
    kept = [unit for unit in answer["units"] if unit["unit_id"] not in strays]
    if len(kept) == len(answer["units"]):
        return answer
    found, prevented = (
        combined([risk for unit in kept if (risk := _risk(unit, when)) is not None]) for when in ("now", "at_24m")
    )
    return answer | {"units": kept, "risk_find": found, "risk_prevent": prevented}


def _not_pregnant(mothers: pd.DataFrame) -> pd.DataFrame:
    """Their pregnancies belong to the household where they were recorded last."""
    return mothers.assign(pregnant=pd.Series(pd.NA, index=mothers.index, dtype=mothers.pregnant.dtype))


def _risk(unit: Mapping[str, Any] | None, when: str) -> float | None:
    found = (unit or {}).get(when)
    return None if found is None else float(found["risk"])


def _read(asked: dict[str, Any]) -> Household:
    [made] = households(ScoreRequest.model_validate(asked).households)
    return made


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """As a request has them: days as YYYY-MM-DD, and nothing in place of null."""
    days = [str(name) for name in table if pd.api.types.is_datetime64_any_dtype(table[name])]
    plain = table.drop(columns="household_id", errors="ignore")
    for name in days:
        plain[name] = plain[name].dt.strftime("%Y-%m-%d")
    found = json.loads(plain.to_json(orient="records", double_precision=15))
    return [{name: cell for name, cell in row.items() if cell is not None} for row in found]
