"""What the model would say of a household if some facts of it were others: association, not effect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from features.errors import InputRefused
from serving.alone import champion
from serving.errors import FactsRefused
from serving.facts import contract_errors, counted, households
from serving.once import facts_of
from serving.schemas import ScoreRequest
from serving.told import told_model
from targeting.what_if import changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.request import Household
    from targeting.answer import Answer, Explained, Unit

NOT_EFFECT: Final = {
    "id": "Ini asosiasi menurut model, bukan dampak: mengubah fakta ini di lapangan belum tentu mengubah risiko.",
    "en": "This is association under the model, not effect: changing this fact in the field need not change the risk.",
}
NO_DIFFERENCE: Final = {
    "id": "Model tidak membedakan keluarga ini sebelum dan sesudah: fakta itu tidak dipakai, atau tidak berpengaruh "
    "pada anak dan kehamilan di keluarga ini.",
    "en": "The model does not tell this household before and after apart: it does not use the fact, or the fact is of "
    "nobody who is scored here.",
}


def compare_facts(household_id: str, changes: Sequence[str]) -> str:
    """The risks of one household of the accepted registers as known and with facts changed, as JSON.

    `household` and each of `units` have their risks `before`, `after` and the `difference` [after less before; 0-1,
    expected_stunted in children]; null where no risk is asked. Units also have the reasons of both.

    Parameters
    ----------
    changes
        See `targeting.what_if.changed`.

    Raises
    ------
    InputRefused
        No register knows the household, a change cannot be made or breaks a contract, or there is no model.
    """
    known = json.loads(facts_of(household_id))
    homes = [_read(known, "the facts as accepted"), _read(changed(known, changes), "the facts after the change")]
    in_use = champion()
    before, after = in_use.loaded.answer(homes)
    said = {
        "note": NOT_EFFECT,
        "model": told_model(in_use, in_use.stale_because).model_dump(mode="json"),
        "household_id": household_id,
        "changes": list(changes),
        **compared(before, after),
    }
    return json.dumps(said, indent=2, ensure_ascii=False)


def compared(before: Answer, after: Answer) -> dict[str, Any]:
    """Two answers about one household, side by side.

    `no_difference` says in words that no risk moved; null when one did. A child or a pregnancy that is judged in one of
    the answers only has null in the other.
    """
    names = ("risk_find", "risk_prevent", "expected_stunted")
    ids = dict.fromkeys(unit.unit_id for unit in (*before.units, *after.units))
    first, then = ({unit.unit_id: unit for unit in one.units} for one in (before, after))
    units = [_unit(name, first.get(name), then.get(name)) for name in ids]
    moved = any(unit[risk]["difference"] != 0 for unit in units for risk in ("now", "at_24m") if unit[risk])
    return {
        "household": {name: _beside(getattr(before, name), getattr(after, name)) for name in names},
        "units": units,
        "unscored": {"before": dict(before.unscored), "after": dict(after.unscored)},
        "no_difference": None if moved else NO_DIFFERENCE,
    }


def _read(asked: dict[str, Any], which: str) -> Household:
    """One household, checked as a request is."""
    try:
        (made,) = households(ScoreRequest.model_validate(asked).households)
    except ValidationError as fault:
        faults = [{**one, "loc": ("body", *one["loc"])} for one in fault.errors()]
        errors = contract_errors(faults)
        found = counted(errors) if errors else str(faults[0]["msg"])
        raise _refused(which, found) from fault
    except FactsRefused as refusal:
        raise _refused(which, refusal.detail) from refusal
    return made


def _refused(which: str, found: str) -> InputRefused:
    return InputRefused(f"{which}: {found}", "what docs/registers.md says of each column", "Correct it and ask again.")


def _unit(name: str, before: Unit | None, after: Unit | None) -> dict[str, Any]:
    known = before or after
    risks = {risk: _explained(getattr(before, risk, None), getattr(after, risk, None)) for risk in ("now", "at_24m")}
    said = {"kind": known.kind, "as_of": known.as_of.isoformat()} if known else {}
    return {"unit_id": name, **said, **risks}


def _explained(before: Explained | None, after: Explained | None) -> dict[str, Any] | None:
    if before is None and after is None:
        return None
    risks = _beside(before.risk if before else None, after.risk if after else None)
    return risks | {"reasons_before": _reasons(before), "reasons_after": _reasons(after)}


def _reasons(one: Explained | None) -> list[dict[str, Any]]:
    return [dict(reason.__dict__) for reason in one.reasons] if one else []


def _beside(before: float | None, after: float | None) -> dict[str, float | None]:
    difference = None if before is None or after is None else after - before
    return {"before": before, "after": after, "difference": difference}
