"""How a form comes in: read before anybody is asked who they are, as the token of their session stands in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from serving.errors import RequestRefused
from serving.numbers import holds_number
from serving.trail.noting import MOST_PURPOSE

MOST_FIELDS = 500
CSRF = "csrf_token"


class Form(dict[str, str]):
    """The fields of a form; of those that come several times `all_of` gives every one."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def all_of(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for field, value in self._pairs if field == name]

    def text(self, name: str) -> str | None:
        """What was typed; None for nothing but blanks."""
        return self.get(name, "").strip() or None


async def _read(request: Request) -> None:
    body = await request.body()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as fault:
        raise RequestRefused("The form cannot be read; send it from the page.") from fault
    if any("\x00" in part for pair in pairs for part in pair):
        raise RequestRefused("The form holds a NUL; send it from the page.")
    form = Form(pairs)
    request.state.form, request.state.csrf_token = form, form.get(CSRF, "")


def reason_of(form: Form) -> str | None:
    """Why something is wanted, as the trail may keep it; None where nothing that it may keep was typed."""
    because = form.text("because")
    if because is None or len(because) > MOST_PURPOSE or not because.isprintable() or holds_number(because):
        return None
    return because


FORM: Any = Depends(_read)
"""For `dependencies=` of a route, which run before its parameters'."""


def form_of(request: Request) -> Form:
    """What a form says, in a route with `FORM`."""
    found: Form = request.state.form
    return found
