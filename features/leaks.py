"""The leak guard: no feature may reach what was found on the outcome visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis.expr.operations as ops

from features.errors import Refused

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Everything measured of a child after birth, and what is given because of it.
FORBIDDEN_TABLES = frozenset({"measurement"})
FORBIDDEN_WORDS = ("haz", "whz", "waz", "stunt", "pmt", "rujuk", "referral")


class LeakRefused(Refused):
    """A feature reaches the outcome's own visit."""


def lineage(value: ir.Value) -> set[str]:
    """The `table.column` names that an expression reaches, down to the engine's tables.

    What decides which rows are seen (a filter, a join) counts as reached too.
    """
    node = value.op()
    deciding = [p for step in node.find((ops.Filter, ops.JoinLink)) for p in step.predicates]
    return set().union(*(_origins(n) for n in (node, *deciding)))


def _origins(node: ops.Node) -> set[str]:
    return set().union(*(_origin(field) for field in node.find(ops.Field, filter=ops.Value)))


def _origin(field: ops.Field) -> set[str]:
    if isinstance(field.rel, ops.PhysicalTable):
        return {f"{field.rel.name}.{field.name}"}
    return _origins(field.rel.values[field.name])


def guard(name: str, value: ir.Value) -> None:
    """Refuse a feature whose lineage reaches a forbidden column.

    Raises
    ------
    LeakRefused
        Naming the feature and the columns it reached.
    """
    reached = sorted(
        column for column in lineage(value)
        if column.split(".")[0] in FORBIDDEN_TABLES or any(w in column.split(".")[1] for w in FORBIDDEN_WORDS)
    )  # fmt: skip
    if reached:
        msg = (
            f"Feature {name!r} reaches {', '.join(reached)}, which is known only from the outcome's own visit. "
            "Allowed are birth facts, facts of the household and the mother, and outcomes of earlier rounds. "
            "Remove the feature, or take the value from before `as_of`."
        )
        raise LeakRefused(msg)
