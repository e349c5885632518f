"""`GET /data/field`: what the field brought back, as files for the registers' side."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import Forbidden, StoreUnavailable
from serving.exporting.spool import Spooled
from serving.field_export import exported, write_zip
from serving.field_store import FieldStore
from serving.looks import note_shown
from serving.parts import parts_of
from serving.trail.noting import entry_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

router = APIRouter(include_in_schema=False)


@router.get("/data/field")
def to_registers(request: Request, who: Annotated[Who, allowed(Act.EXPORT_FIELD)]) -> StreamingResponse:
    """The files of `tepat field export`, in one; the trail names every household in them before the first byte."""
    parts = parts_of(request)
    if not who.scope.everywhere:
        parts.trail.note(entry_of(request, who, Act.EXPORT_FIELD, outcome=Forbidden.type))
        raise Forbidden("Registers are of the whole kabupaten, so these are for who may look everywhere.")
    with parts.shelf.store() as store:
        field = FieldStore(store.database)
        visits, corrections = field.all_visits(who=who), field.all_corrections(who=who)
    made = exported(visits, corrections, zone=parts.service.time_zone)
    file = _spooled(made, households=tuple(sorted({one.household_id for one in (*visits, *corrections)})))
    try:
        counts: dict[str, Any] = {name: len(table) for name, table in made.items()}
        note_shown(request, who, Act.EXPORT_FIELD, households=file.households, **counts)
    except BaseException:
        file.file.close()
        raise
    name = f"tepat-lapangan-{parts.service.now():%Y%m%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Length": str(file.size)}
    return StreamingResponse(file.pieces(), media_type="application/zip", headers=headers)


def _spooled(tables: Mapping[str, pd.DataFrame], *, households: tuple[str, ...]) -> Spooled:
    """Laid down whole before anybody gets the first byte."""
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115 (closed once it was sent)
        try:
            write_zip(tables, file)
            return Spooled(file, file.seek(0, os.SEEK_END), households)
        except BaseException:
            file.close()
            raise
    except OSError as fault:
        raise StoreUnavailable(f"There is no room to write the files ({type(fault).__name__}).") from fault
