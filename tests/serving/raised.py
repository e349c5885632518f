"""The sentences that the source can raise, read from the source itself; each place in them holds a figure."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from itertools import count, product
from typing import TYPE_CHECKING, Any

from features.errors import InputRefused, Refused
from serving.errors import Problem
from serving.faults import StoreRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FIRST = 1301
MOST = 64
"""Wordings of one place: more are as many as nobody writes."""


def raised(module: str) -> list[str]:
    """Every sentence that a module refuses with, as far as its words stand in it."""
    return sorted(set(_Source(import_module(module)).sentences()))


class _Source:
    def __init__(self, module: ModuleType) -> None:
        self._known, self._tree = vars(module), ast.parse(inspect.getsource(module))
        self._inside = {
            inner: one
            for one in ast.walk(self._tree)
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
            for inner in ast.walk(one)
        }
        self._figures = count(FIRST)

    def sentences(self) -> Iterator[str]:
        for call in self._calls():
            kind = self._known.get(_name(call))
            if isinstance(kind, type) and issubclass(kind, Problem | Refused):
                parts = [self._texts(one, call) for one in (*call.args, *(one.value for one in call.keywords))]
                yield from _whole(kind, parts)

    def _calls(self) -> Iterator[ast.Call]:
        yield from (one for one in ast.walk(self._tree) if isinstance(one, ast.Call))

    def _texts(  # noqa: PLR0911 (one for each kind of source)
        self, node: ast.AST | None, at: ast.AST, left: int = 5
    ) -> list[str]:
        """What a piece of source may come to; a figure where that is not written there."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=pieces):
                return _joined([self._texts(piece, at, left) for piece in pieces])
            case ast.FormattedValue(value=value, format_spec=None):
                return self._texts(value, at, left)
            case ast.BinOp(left=one, op=ast.Add(), right=other):
                return _joined([self._texts(one, at, left), self._texts(other, at, left)])
            case ast.IfExp(body=one, orelse=other):
                return self._texts(one, at, left) + self._texts(other, at, left)
            case ast.Name(id=name) if left:
                return self._named(name, at, left - 1)
        return [str(next(self._figures))]

    def _named(self, name: str, at: ast.AST, left: int) -> list[str]:
        """A name: what was assigned to it, what it was called with, or a constant of the module."""
        function = self._inside.get(at)
        given = [] if function is None else [*_assigned(function, name), *self._given(function, name)]
        texts = [text for where, value in given for text in self._texts(value, where, left)][:MOST]
        constant = self._known.get(name)
        return texts or [constant if isinstance(constant, str) else str(next(self._figures))]

    def _given(self, function: Any, name: str) -> Iterator[tuple[ast.AST, ast.AST]]:
        names = [one.arg for one in (*function.args.args, *function.args.kwonlyargs)]
        if name not in names:
            return
        for call in self._calls():
            if _name(call) == function.name:
                by_place = dict(zip(names, call.args, strict=False)) | {one.arg: one.value for one in call.keywords}
                if name in by_place:
                    yield call, by_place[name]


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _assigned(function: ast.AST, name: str) -> Iterator[tuple[ast.AST, ast.AST]]:
    for one in ast.walk(function):
        if isinstance(one, ast.Assign):
            for target in one.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield one, one.value
                elif isinstance(target, ast.Tuple) and isinstance(one.value, ast.Tuple):
                    yield from (
                        (one, value)
                        for to, value in zip(target.elts, one.value.elts, strict=True)
                        if isinstance(to, ast.Name) and to.id == name
                    )


def _joined(pieces: list[list[str]]) -> list[str]:
    return ["".join(parts) for parts in product(*pieces)][:MOST]


def _whole(kind: type, parts: list[list[str]]) -> Iterator[str]:
    """As the class says them; sentences without a word of the module are another's."""
    if issubclass(kind, InputRefused) and len(parts) == 3:
        for at in range(max(map(len, parts))):
            found, allowed, remedy = (part[at % len(part)] for part in parts)
            yield f"Found: {found}. Allowed: {allowed}. What to do: {remedy}"
    elif issubclass(kind, StoreRefused):
        yield from (f"Found: {found}. What to do: {remedy}." for found, remedy in product(*parts[:2]))
    elif parts:
        yield from (text for text in parts[0] if not text.isdigit())
