"""How a form with files comes in: its fields before anybody is asked who they are, its files after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Depends, Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from serving.errors import RequestRefused
from serving.pages.entering import CSRF

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from werkzeug.sansio.multipart import Event

MOST_HELD: Final = 4 * 2**20
"""Of the body, at any moment: some blocks as the server reads them. [bytes]"""
MOST_FIELDS: Final = 16 * 2**10
"""All fields before the first file. [bytes]"""
MOST_PARTS: Final = 50
UNREADABLE: Final = "The form cannot be read; send it from the page."


class Coming:
    """A form as it comes in, of which the fields stand before the files."""

    def __init__(self, request: Request) -> None:
        kind, about = parse_options_header(request.headers.get("content-type"))
        if kind != "multipart/form-data" or not about.get("boundary"):
            raise RequestRefused(UNREADABLE)
        self._decoder = MultipartDecoder(about["boundary"].encode(), MOST_HELD, max_parts=MOST_PARTS)
        self._body = request.stream()
        self._first: File | None = None
        self.fields: dict[str, str] = {}

    async def read_fields(self) -> None:
        """Read up to the first file.

        Raises
        ------
        RequestRefused
            It is no form with files, or its fields are longer than any of ours.
        """
        size = 0
        while isinstance(event := await self._event(), Field):
            text = bytearray()
            async for block in self._blocks():
                size += len(block)
                if size > MOST_FIELDS:
                    raise RequestRefused(UNREADABLE)
                text += block
            self.fields[str(event.name)] = text.decode("utf-8", "replace")
        self._first = event if isinstance(event, File) else None

    async def files(self) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
        """The name and the bytes of each file; fields behind the first are passed over.

        Raises
        ------
        RequestRefused
            The form ends before its end.
        """
        event: Event | None = self._first
        while event is not None and not isinstance(event, Epilogue):
            blocks = self._blocks()
            if isinstance(event, File):
                yield event.filename, blocks
            async for _ in blocks:
                pass
            event = await self._event()

    async def drain(self) -> None:
        """Read what is left and keep nothing of it: a browser shows no answer before it has sent everything."""
        async for _ in self._body:
            pass

    async def _blocks(self) -> AsyncIterator[bytes]:
        while True:
            event = await self._event()
            if not isinstance(event, Data):
                raise RequestRefused(UNREADABLE)
            if event.data:
                yield event.data
            if not event.more_data:
                return

    async def _event(self) -> Event:
        """The next part of it, whatever that is but the text before the first."""
        try:
            while isinstance(event := self._decoder.next_event(), NeedData):
                # None ends the form: the decoder then refuses one that is cut short.
                self._decoder.receive_data(await anext(self._body, None))
        except (ValueError, RequestEntityTooLarge) as fault:
            raise RequestRefused(UNREADABLE) from fault
        return event if isinstance(event, Data | Epilogue | Field | File) else await self._event()


async def _read(request: Request) -> None:
    coming = Coming(request)
    await coming.read_fields()
    request.state.coming, request.state.csrf_token = coming, coming.fields.get(CSRF, "")


WITH_FILES: Any = Depends(_read)
"""For `dependencies=` of a route, which run before its parameters'."""


def coming_of(request: Request) -> Coming:
    """The form that comes in, in a route with `WITH_FILES`."""
    found: Coming = request.state.coming
    return found
