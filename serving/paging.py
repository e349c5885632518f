"""Where the next page is, as a header says it (RFC 8288)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from fastapi import Request, Response

LINKED: dict[str, Any] = {
    "headers": {
        "Link": {
            "description": 'The next page, as `<address>; rel="next"`; not there at the end.',
            "schema": {"type": "string"},
        }
    }
}
"""Of the answer of a paged route."""


def link_next(request: Request, response: Response, **cursor: object) -> None:
    """Say where the same question goes on; nothing when the cursor is None, at the end."""
    if None in cursor.values():
        return
    asked = [(name, value) for name, value in request.query_params.multi_items() if name not in cursor]
    address = f"{quote(request.url.path)}?{urlencode([*asked, *cursor.items()])}"
    response.headers["Link"] = f'<{address}>; rel="next"'
