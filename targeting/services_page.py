"""Writes docs/services.md, the page on what a household can be given and how the menu is changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from features.schema import Column, Kind
from targeting.persons import FACTS, LONGEST_PREGNANCY_DAYS, RECEIPT, Fact, Person
from targeting.predicates import GRAMMAR
from targeting.services import PLACEHOLDER, Effect, Group, Interval, Service, menu

PAGE = Path("docs/services.md")
RIGHT = "listed as a right and an indicator of Perpres 72/2021; no effect on growth is credited"

INTRODUCTION = """\
# Services

Generated from `targeting/services.yaml` by `python -m targeting.services_page`; do not edit.

The menu of {count} services that a household can be given. The district edits the file, and a plan follows. An
entry that does not hold is refused, with its name and field.

## Unmet, received, unknown

A household *lacks* a service (unmet) when at least one of its persons surely may have it and surely has not got it. It
has *received* it when all who may have it have it. All else is *unknown*, with the register that does not tell: what
nobody wrote down is not a need, and costs nothing. Households of which nobody may have a service have no row.

- Facts are those of the newest record by the day asked about. A register that was not handed over, or is empty, is
  missing: what depends on it is unknown, never unmet. **Without the register `service` nothing that a receipt could
  tell is unmet**; it is unknown, unless another register says that it was received.
- A receipt counts for the person it names; one that names nobody, for the whole household. It counts for its window, to
  the last day. A receipt of a code that is not on the menu counts for nothing.
- Persons are living children of 0 to 1826 days and women of the register `maternal`; who died (register `contact`) is
  none. A pregnancy ends with the woman's next record, with a child born since, and at the latest {longest} days after
  it was recorded.
- Without `maternal`, a household may have a pregnancy unless `household.women_15_49_count` is 0: its services are
  unknown.
- **Adolescent girls and brides** are listed in no register. Where a household counts more women of 15-49 years than it
  has in `maternal`, or the count is not known, it may have some: their services are unknown, or received where a
  receipt names the whole household, and never unmet. Girls under 15 are not in that count.

## Cost

`unit_cost_idr` is of the whole course for one person, or for one household. The cost of a need is persons x the
default. **Where it says "{placeholder}", nobody published it**: it is there so that the machine can be tried.
Fields under *to confirm* come from no source that was read.

## Evidence

| grade | meaning |
|---|---|
| high | several trials together found less stunting |
| moderate | one study or review found less stunting, without an interval; or an effect on height or size at birth |
| low | growth is plausible and was not shown |
| none | no effect on growth was found, or none was looked for: it is given for life, health, a right or knowledge |

The grades are our reading of the sources named. Only a *reduction of stunting* that a source gives is credited in a
plan, with its interval where there is one. Reductions are averages of trials elsewhere, not of this district; those of
several services do not add up. Water and sanitation are {right}.

"""
EXPRESSIONS = """
## What an entry may ask

`eligible` and `received` are SQL: {grammar}.
A fact that is not known is null, with SQL's three-valued logic: `null or true` is true, `null and true` is null, and
null decides nothing. Write `muac_cm is not null and muac_cm < 12.5` where an unknown measure should count as none. A
word that is no code of its column, or a number outside its range, is refused. Only `received` may ask for `receipt`.
"""
GROUPS = {
    Group.ADOLESCENT: "Adolescent girls and brides (remaja putri, calon pengantin)",
    Group.PREGNANT: "Pregnant women (ibu hamil)",
    Group.MONTHS_0_5: "Children of 0-5 months",
    Group.MONTHS_6_23: "Children of 6-23 months",
    Group.MONTHS_24_59: "Children of 24-59 months",
    Group.HOUSEHOLD: "Households (rumah tangga)",
}
HEAD = ("code", "service", "for", "office", "given at", "window", "cost of one unit", "effect", "evidence")


def page() -> str:
    """Compose the page, as Markdown."""
    services = menu()
    return "".join(
        [
            INTRODUCTION.format(
                count=len(services), longest=LONGEST_PREGNANCY_DAYS, placeholder=PLACEHOLDER, right=RIGHT
            ),
            "## The menu\n",
            *(_group(group, services) for group in Group),
            "\n## Each service\n",
            *(_service(one) for one in services),
            EXPRESSIONS.format(grammar=GRAMMAR),
            _facts(),
        ]
    )


def _group(group: Group, services: Sequence[Service]) -> str:
    rows = [_overview(one) for one in services if group in one.target_groups]
    return f"\n### {GROUPS[group]}\n\n" + _table(HEAD, rows)


def _overview(one: Service) -> tuple[str, ...]:
    return (
        f"`{one.code}`", f"{one.name_id} ({one.name_en})", one.of, one.owner_opd, one.delivery, _window(one),
        f"{_rupiah(one.unit_cost_idr.default)}, {one.unit}", _credited(one), one.evidence_grade,
    )  # fmt: skip


def _window(one: Service) -> str:
    return "always counts" if one.window_days is None else f"{one.window_days} days"


def _rupiah(amount: int) -> str:
    return "Rp" + f"{amount:,}".replace(",", ".")


def _credited(one: Service) -> str:
    if one.right:
        return "a right; none credited"
    if one.effect is None or one.effect.reduction is None:
        return "no reduction of stunting credited"
    return f"stunting -{_interval(one.effect.reduction)}"


def _interval(figure: Interval) -> str:
    ends = "no interval given" if figure.low is None else f"{figure.low:g} to {figure.high:g}"
    return f"{figure.value:g} ({ends})"


def _service(one: Service) -> str:
    cost = one.unit_cost_idr
    said = {
        "type": one.type,
        "indicator of Perpres 72/2021": one.perpres_indicator,
        "eligible": f"`{one.eligible}`",
        "received": f"`{one.received}`",
        "cost of one unit": f"{_rupiah(cost.min)} to {_rupiah(cost.max)}, {cost.year}: {cost.source}",
        "lasts": None if one.duration_days is None else f"{one.duration_days} days",
        "effect": None if one.effect is None else _effect(one.effect),
        "right": RIGHT if one.right else None,
        "not for": one.contraindication,
        "note": one.note,
        "to confirm": ", ".join(f"`{name}`" for name in one.to_confirm) or None,
    }
    lines = "".join(f"- {name}: {words}\n" for name, words in said.items() if words)
    return f"\n### `{one.code}`: {one.name_en}\n\n{lines}"


def _effect(effect: Effect) -> str:
    reduction = "none given" if effect.reduction is None else _interval(effect.reduction)
    return f"{effect.measure} {_interval(effect)}; reduction of stunting: {reduction}; {effect.source}"


def _facts() -> str:
    sections = {
        "a household; all others have these, too": FACTS[Person.HOUSEHOLD],
        "a child; of its mother with `mother_` before the name": _own(Person.CHILD),
        "a mother or a pregnancy": _own(Person.MOTHER),
        "an adolescent": _own(Person.ADOLESCENT),
        "everybody, for `received` only": {RECEIPT.column.name: RECEIPT},
    }
    head = ("fact", "meaning", "allowed", "register")
    return "".join(f"\n### Of {who}\n\n" + _table(head, map(_fact, facts.values())) for who, facts in sections.items())


def _own(person: Person) -> dict[str, Fact]:
    return {name: fact for name, fact in FACTS[person].items() if name not in FACTS[Person.HOUSEHOLD]}


def _fact(fact: Fact) -> tuple[str, ...]:
    return (f"`{fact.column.name}`", fact.column.meaning, _allowed(fact.column), f"`{fact.register}`")


def _allowed(column: Column) -> str:
    if column.kind is Kind.YES_NO:
        return "true or false"
    return ", ".join(f"`{code}`" for code in column.codes) if column.codes else column.allowed()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, ("---",) * len(head), *rows))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
