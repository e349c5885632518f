"""Static files, which are asked for again only to learn that they are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import Response


class Files(StaticFiles):
    """A folder of files that hold nothing of anybody."""

    def file_response(self, *told: Any, **named: Any) -> Response:
        """The file, or 304: a new version of Tepat is seen at once, an old one is not sent twice."""
        response = super().file_response(*told, **named)
        response.headers["Cache-Control"] = "public, no-cache"
        return response
