"""`GET /data`: what was kept out of the registers, how the models were judged, and who may score in bulk."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from features.folders import ACCOUNT
from features.settings import load
from serving.access.gate import allowed
from serving.access.roles import Act, may
from serving.access.who import Who
from serving.errors import NothingScored, StoreUnavailable
from serving.field_waiting import waiting
from serving.history_chart import lines
from serving.model_history import SHOWN, gate, history, page_of
from serving.pages.data_words import FIGURES
from serving.pages.frame import show
from serving.pages.naming import REGISTER, WHY_OUT
from serving.parts import parts_of
from serving.quarantined import quarantines
from targeting.gate_folders import PROMOTION

if TYPE_CHECKING:
    from pathlib import Path

    from serving.field_waiting import Waiting
    from serving.quarantined import Quarantine

router = APIRouter(include_in_schema=False)
MOST_SHOWN = 12


@router.get("/data")
def room(request: Request, who: Annotated[Who, allowed(Act.SEE_MODEL)]) -> HTMLResponse:
    """The models for everybody; what was kept out for who may look everywhere."""
    parts, settings = parts_of(request), load()
    told = history(parts.service.model_name)
    in_use = parts.champion.current
    registers, notes = _quarantines(settings.paths.interim) if _sees_rows(who) else ((), ())
    exports = who.scope.everywhere and may(who.roles, Act.EXPORT_FIELD)
    return show(
        request, "data_room.html", who, history=told, in_use=in_use, stale_because=parts.champion.stale_because,
        gate=gate(settings.paths.reports / PROMOTION), registers=registers, notes=notes, sees_rows=_sees_rows(who),
        register_names=REGISTER, why_out=WHY_OUT, figures=FIGURES, shown=SHOWN, most=MOST_SHOWN,
        mlflow=page_of(os.environ.get("MLFLOW_TRACKING_URI", "")), simulated=in_use is not None and in_use.simulated,
        lines=lines(told.judged), promotes=who.scope.everywhere and may(who.roles, Act.PROMOTE),
        exports=exports, field=_waiting(request, who) if exports else None,
        hands_over=who.scope.everywhere and may(who.roles, Act.HAND_OVER),
    )  # fmt: skip


def _waiting(request: Request, who: Who) -> Waiting | None:
    """None while the store is away: the rest of the page is of use without it."""
    try:
        with parts_of(request).shelf.store() as store:
            return waiting(store.database, who=who)
    except StoreUnavailable:
        return None


def _sees_rows(who: Who) -> bool:
    """As the routes of quarantine have it: a row that was kept out may lack its place."""
    return who.scope.everywhere and may(who.roles, Act.SEE_QUARANTINE)


def _quarantines(interim: Path) -> tuple[tuple[Quarantine, ...], tuple[str, ...]]:
    try:
        return _read(interim, (interim / ACCOUNT).stat().st_mtime_ns)
    except (OSError, NothingScored):
        return (), ()


@lru_cache(maxsize=2)
def _read(interim: Path, _written: int) -> tuple[tuple[Quarantine, ...], tuple[str, ...]]:
    return quarantines(interim)
