"""The leak guard: no feature may reach what was found on the outcome visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis.expr.operations as ops

from features.contracts import NEVER_FEATURES
from features.errors import Refused

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Everything measured of a child after birth, and what is given or done because of it.
FORBIDDEN_TABLES = frozenset({"measurement"}) | NEVER_FEATURES
FORBIDDEN_WORDS = ("haz", "whz", "waz", "stunt", "pmt", "rujuk", "referral")


class LeakRefused(Refused):
    """A feature reaches the outcome's own visit, or what follows from outcomes."""


def lineage(value: ir.Value, *, cut: ir.Table | None = None) -> set[str]:
    """The `table.column` names that an expression reaches, down to the engine's tables.

    What decides which rows are seen (a filter, a join) counts as reached too. What comes by way of `cut` does not.
    """
    node, end = value.op(), cut.op() if cut is not None else None
    steps = node.find((ops.Filter, ops.JoinLink), filter=lambda reached: reached != end)
    deciding = [p for step in steps for p in step.predicates]
    return set().union(*(_origins(n, end) for n in (node, *deciding)))


def _tables(value: ir.Value, cut: ir.Table | None) -> set[str]:
    end = cut.op() if cut is not None else None
    return {table.name for table in value.op().find(ops.PhysicalTable, filter=lambda reached: reached != end)}


def _origins(node: ops.Node, end: ops.Node | None) -> set[str]:
    return set().union(*(_origin(field, end) for field in node.find(ops.Field, filter=ops.Value)))


def _origin(field: ops.Field, end: ops.Node | None) -> set[str]:
    if field.rel == end:
        return set()
    if isinstance(field.rel, ops.PhysicalTable):
        return {f"{field.rel.name}.{field.name}"}
    return _origins(field.rel.values[field.name], end)


def guard(name: str, value: ir.Value, *, cut: ir.Table | None = None) -> None:
    """Refuse a feature that reaches a forbidden column, or a forbidden table in any other way.

    Parameters
    ----------
    cut
        Measurements from before each row's `as_of`, as `views.earlier_measurements` cuts them: only through this very
        table may a feature reach `measurement`. None: not at all.

    Raises
    ------
    LeakRefused
        Naming the feature, and the columns or tables it reached.
    """
    columns = {
        column for column in lineage(value, cut=cut)
        if column.split(".")[0] in FORBIDDEN_TABLES or any(w in column.split(".")[1] for w in FORBIDDEN_WORDS)
    }  # fmt: skip
    # Whoever counts a table's rows, or looks for a person in it, names none of its columns.
    nameless = _tables(value, cut) & FORBIDDEN_TABLES - {column.split(".")[0] for column in columns}
    reached = sorted(columns | nameless)
    if reached:
        msg = (
            f"Feature {name!r} reaches {', '.join(reached)}, which is known only from the outcome's own visit, or "
            "follows from it. Allowed are birth facts, facts of the household and the mother, and outcomes of earlier "
            "rounds. Remove the feature, or take the value from before `as_of`."
        )
        raise LeakRefused(msg)
