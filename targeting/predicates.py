"""What a service's eligibility and receipt are written in: SQL over the facts of one person; pure.

Null means not known, as in SQL: `null or true` is true, `null and true` is null.
"""

from __future__ import annotations

import difflib
import operator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from features.errors import InputRefused
from features.schema import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    import ibis.expr.types as ir

    from features.schema import Column

DIALECT = "duckdb"
GRAMMAR = "facts compared with = <> < <= > >=, in (...), between ... and ... or is [not] null; joined by and, or, not"
REMEDY = "Correct the expression."
NUMBERS = (Kind.WHOLE, Kind.NUMBER)
COMPARED: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}
JOINED: dict[type[exp.Expr], Callable[[Any, Any], Any]] = {exp.And: operator.and_, exp.Or: operator.or_}
ORDERED = (exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between)
PARTS: dict[type[exp.Expr], frozenset[str]] = {
    **dict.fromkeys((*COMPARED, exp.And, exp.Or, exp.Is), frozenset({"this", "expression"})),
    **dict.fromkeys((exp.Paren, exp.Not, exp.Column, exp.Neg), frozenset({"this"})),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.In: frozenset({"this", "expressions"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Boolean: frozenset({"this"}),
    exp.Null: frozenset(),
}
"""What an expression may consist of, and of which parts."""


@dataclass(frozen=True)
class Predicate:
    """A checked expression; made by `parsed`.

    Parameters
    ----------
    columns
        Facts that it reads.
    """

    text: str
    tree: exp.Expr
    columns: frozenset[str]


def parsed(text: str, columns: Mapping[str, Column]) -> Predicate:
    """The expression, surely one that the engine can answer for everyone.

    A comparison that could never hold, or always, is refused as well: a code that its column does not know, or a
    number outside the column's range, is a slip of the pen that would silently match nobody.

    Parameters
    ----------
    columns
        The facts of the person that it may read, by name.

    Raises
    ------
    InputRefused
        It cannot be read, or holds anything but `GRAMMAR`.
    """
    try:
        tree = sqlglot.parse_one(text, dialect=DIALECT)
    except SqlglotError as fault:
        raise InputRefused(f"{text!r}, which cannot be read", GRAMMAR, REMEDY) from fault
    _check(tree, columns)
    return Predicate(text, tree, frozenset(column.name for column in tree.find_all(exp.Column)))


def value(predicate: Predicate, facts: Mapping[str, ir.Value]) -> ir.BooleanValue:
    """True, false, or null where the facts do not tell.

    Parameters
    ----------
    facts
        Columns of one table of an engine, by the names that the predicate uses.
    """
    return _value(predicate.tree, facts)


def lacking(predicate: Predicate, facts: Mapping[str, ir.Value], *, names: Collection[str]) -> ir.BooleanValue | None:
    """Whether the predicate is null because one of these facts is; None where it reads none of them.

    A null that decides nothing is no reason: in `(a > 1 and b > 1) or c > 1`, a null `a` beside a false `b` is not why.
    """
    return _lacking(predicate.tree, facts, frozenset(names))


def _refused(found: str, allowed: str = GRAMMAR) -> InputRefused:
    return InputRefused(found, allowed, REMEDY)


def _check(node: exp.Expr, columns: Mapping[str, Column]) -> None:
    _check_parts(node)
    if isinstance(node, exp.And | exp.Or):
        _check(node.left, columns)
        _check(node.right, columns)
    elif isinstance(node, exp.Not | exp.Paren):
        _check(node.this, columns)
    elif isinstance(node, exp.Is):
        _column(node.this, columns)
        if not isinstance(node.expression, exp.Null):
            raise _refused(f"{_said(node)!r}", "`is null` and `is not null`")
    elif isinstance(node, exp.Column):
        if _column(node, columns).kind is not Kind.YES_NO:
            raise _refused(f"{node.name!r} on its own", "a yes/no fact on its own, any other in a comparison")
    elif isinstance(node, (*COMPARED, exp.Between, exp.In)):
        _check_compared(node, columns)
    else:
        raise _refused(f"{_said(node)!r}")


def _check_parts(node: exp.Expr) -> None:
    parts = {name for name, part in node.args.items() if part not in (None, False, [])}
    if parts - PARTS.get(type(node), frozenset()):
        raise _refused(f"{_said(node)!r}")


def _check_compared(node: exp.Expr, columns: Mapping[str, Column]) -> None:
    fact, literals = _sides(node)
    column = _column(fact, columns)
    if isinstance(node, ORDERED) and column.kind not in NUMBERS:
        raise _refused(f"{_said(node)!r}", f"= <> and in, for {column.name} is a {column.kind}")
    if not literals:
        raise _refused(f"{_said(node)!r}")
    for literal in literals:
        _check_literal(_literal(literal), column)


def _sides(node: exp.Expr) -> tuple[exp.Expr, list[exp.Expr]]:
    """The fact of a comparison, on whichever side it stands, and what it is compared with."""
    if isinstance(node, exp.Between):
        return node.this, [node.args["low"], node.args["high"]]
    if isinstance(node, exp.In):
        return node.this, node.expressions
    if isinstance(node.expression, exp.Column) and not isinstance(node.this, exp.Column):
        return node.expression, [node.this]
    return node.this, [node.expression]


def _column(node: exp.Expr, columns: Mapping[str, Column]) -> Column:
    _check_parts(node)
    if not isinstance(node, exp.Column):
        raise _refused(f"{_said(node)!r} where a fact should stand")
    if node.name not in columns:
        near = difflib.get_close_matches(node.name, columns, n=1)
        meant = f"Did you mean {near[0]}?" if near else REMEDY
        raise InputRefused(f"an unknown fact {node.name!r}", "one of " + ", ".join(sorted(columns)), meant)
    return columns[node.name]


def _literal(node: exp.Expr) -> str | float | bool:
    _check_parts(node)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        return -float(node.this.name)
    if isinstance(node, exp.Literal):
        return node.name if node.is_string else float(node.name)
    raise _refused(f"{_said(node)!r} where a number, a 'code', true or false should stand")


def _check_literal(literal: str | float | bool, column: Column) -> None:  # noqa: FBT001 (a value, not a switch)
    if column.kind is Kind.YES_NO:
        fits = isinstance(literal, bool)
    elif column.kind is Kind.CODE:
        fits = literal in column.codes
    else:
        low, high = column.valid or (float("-inf"), float("inf"))
        fits = isinstance(literal, float) and low <= literal <= high
    if not fits:
        allowed = "true or false" if column.kind is Kind.YES_NO else column.allowed()
        raise _refused(f"{column.name} compared with {literal!r}", allowed)


def _said(node: exp.Expr) -> str:
    return node.sql(dialect=DIALECT)


def _value(node: exp.Expr, facts: Mapping[str, ir.Value]) -> Any:
    if isinstance(node, exp.And | exp.Or):
        return JOINED[type(node)](_value(node.left, facts), _value(node.right, facts))
    if isinstance(node, exp.Not):
        return ~_value(node.this, facts)
    if isinstance(node, exp.Paren):
        return _value(node.this, facts)
    return _comparison(node, facts)


def _comparison(node: exp.Expr, facts: Mapping[str, ir.Value]) -> Any:
    if isinstance(node, exp.Column):
        return facts[node.name]
    if isinstance(node, exp.Is):
        return facts[node.this.name].isnull()
    if isinstance(node, exp.Between):
        return facts[node.this.name].between(_literal(node.args["low"]), _literal(node.args["high"]))
    if isinstance(node, exp.In):
        return facts[node.this.name].isin([_literal(one) for one in node.expressions])
    return COMPARED[type(node)](_operand(node.this, facts), _operand(node.expression, facts))


def _operand(node: exp.Expr, facts: Mapping[str, ir.Value]) -> Any:
    return facts[node.name] if isinstance(node, exp.Column) else _literal(node)


def _lacking(node: exp.Expr, facts: Mapping[str, ir.Value], names: frozenset[str]) -> Any:
    if isinstance(node, exp.Paren | exp.Not):
        return _lacking(node.this, facts, names)
    if isinstance(node, exp.And | exp.Or):
        sides = [_lacking(side, facts, names) for side in (node.left, node.right)]
        found = [side for side in sides if side is not None]
        return _value(node, facts).isnull() & reduce(operator.or_, found) if found else None
    # What is compared with a literal is null when the fact is; `is null` never is.
    read = {column.name for column in node.find_all(exp.Column)} & names
    return None if isinstance(node, exp.Is) or not read else facts[read.pop()].isnull()
