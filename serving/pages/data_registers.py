"""`/data/registers`: registers handed over, checked as the next run will check them, then used or thrown away."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.requests import ClientDisconnect

from features.contracts import REGISTERS
from features.errors import InputRefused
from features.hand_over import before, is_writable
from features.settings import load
from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.errors import Forbidden, NotFound, NothingScored, StoreUnavailable
from serving.handing import Already, Gone, Waits
from serving.handing_files import NoRegister, Twice, receive
from serving.handing_told import OUT, State
from serving.pages.entering import FORM, form_of, reason_of
from serving.pages.frame import language, show
from serving.pages.map import words
from serving.pages.naming import REGISTER, WHY_OUT
from serving.pages.receiving import WITH_FILES, coming_of
from serving.parts import parts_of
from serving.quarantined import quarantines, to_mend
from serving.routes.quarantine import check_everywhere, sent
from serving.trail.noting import MOST_PURPOSE, entry_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serving.handing import Handing, Place
    from serving.handing_told import Turn
    from serving.quarantined import Quarantine

HERE: Final = "/data/registers"
router = APIRouter(include_in_schema=False, prefix=HERE)
HandsOver = Annotated[Who, allowed(Act.HAND_OVER)]
SeesRows = Annotated[Who, allowed(Act.SEE_QUARANTINE)]
TOLD: Final = {
    "busy": words("Penyerahan lain sedang diterima, diperiksa, atau diputuskan. Tunggu sebentar, lalu ulangi."),
    "waits": words(
        "Berkas Anda belum disimpan: penyerahan di bawah masih menunggu. Pakai atau buang dahulu, lalu unggah lagi."
    ),
    "gone": words("Penyerahan itu sudah diputuskan, atau diganti yang lain. Yang terakhir ada di bawah."),
}


@router.get("")
def page(
    request: Request, who: HandsOver, told: Annotated[Literal["busy", "waits", "gone"] | None, Query()] = None
) -> HTMLResponse:
    """What was handed over last and what came of it, and a form for the next; `told`: why a form did nothing."""
    _check_everywhere(request, who)
    return _page(request, who, told=told)


@router.post("", dependencies=[WITH_FILES])
async def hand_over(request: Request, who: HandsOver) -> Response:
    """Files of registers; nothing of them counts until all are whole, checked and used."""
    await to_thread.run_sync(_check_everywhere, request, who)
    handing = parts_of(request).handing
    try:
        place = await to_thread.run_sync(handing.open)
    except (Already, Waits) as refusal:
        await coming_of(request).drain()
        return _back("busy" if isinstance(refusal, Already) else "waits")
    except (OSError, InputRefused) as fault:
        raise _unwritten(fault) from fault
    try:
        wrong = await _received(request, who, handing, place=place)
    except Already:
        return _back("busy")
    if wrong is not None:
        return await to_thread.run_sync(partial(_page, request, who, wrong=wrong, status=422))
    return _back()


async def _received(request: Request, who: Who, handing: Handing, *, place: Place) -> str | None:
    """None once the files are being checked; else what to mend, and nothing of them is kept."""
    coming, said = coming_of(request), language(request)
    try:
        files = await receive(place.folder, coming.files())
        wrong = None if files else said("Pilih satu berkas register atau lebih.")
    except NoRegister as refusal:
        wrong = said("Tidak ada register bernama %(name)s. Nama yang dikenal ada di tabel.", name=refusal.name[:80])
    except Twice as refusal:
        wrong = said(
            "Ada dua berkas untuk register %(register)s. Unggah satu saja.", register=said(REGISTER[refusal.register])
        )
    except BaseException as fault:
        handing.let_go(place)
        if isinstance(fault, ClientDisconnect | OSError):
            raise _unwritten(fault) from fault
        raise
    if wrong is None:
        await _begun(partial(handing.begin, place, files, note=entry_of(request, who, Act.HAND_OVER)))
        return None
    handing.let_go(place)
    await coming.drain()
    return wrong


async def _begun(begin: partial[None]) -> None:
    try:
        await to_thread.run_sync(begin)
    except OSError as fault:
        raise _unwritten(fault) from fault


@router.post("/use", dependencies=[FORM])
def use(request: Request, who: HandsOver) -> Response:
    """For the next run of the pipeline; once, however often the button is pressed."""
    _check_everywhere(request, who)
    form, said = form_of(request), language(request)
    because = reason_of(form)
    if because is None:
        wrong = said("Tulis alasannya, paling banyak 200 huruf pada satu baris, tanpa NIK atau nomor KK.")
        return _page(request, who, wrong=wrong, typed=form.get("because", ""), status=422)
    if form.get("whole") is None and _fewer(request, form):
        wrong = said(
            "Berkas baru jauh lebih kecil. Centang bahwa isinya lengkap, atau buang lalu unggah register yang lengkap."
        )
        return _page(request, who, wrong=wrong, typed=because, status=422)
    try:
        parts_of(request).handing.use(form.get("mark", ""), note=entry_of(request, who, Act.HAND_OVER, why=because))
    except (Already, Gone) as refusal:
        return _back("busy" if isinstance(refusal, Already) else "gone")
    except InputRefused as refusal:
        wrong = said("Belum dipakai, dan tidak ada yang berubah:")
        return _page(request, who, wrong=wrong, why=str(refusal), typed=because, status=422)
    except OSError as fault:
        raise _unwritten(fault) from fault
    return _back()


def _fewer(request: Request, form: Mapping[str, str]) -> bool:
    """Whether the hand-over that is meant would take many rows from a register."""
    turn = parts_of(request).handing.last()
    return turn is not None and turn.laid is not None and turn.laid.mark == form.get("mark") and bool(turn.laid.fewer)


@router.post("/drop", dependencies=[FORM])
def drop(request: Request, who: HandsOver) -> Response:
    """It is gone, with its files."""
    _check_everywhere(request, who)
    note = entry_of(request, who, Act.HAND_OVER)
    try:
        parts_of(request).handing.drop(form_of(request).get("mark", ""), note=note)
    except (Already, Gone) as refusal:
        return _back("busy" if isinstance(refusal, Already) else "gone")
    except OSError as fault:
        raise _unwritten(fault) from fault
    return _back()


@router.get("/{register}/to-mend")
def rows(request: Request, register: Annotated[str, Path(max_length=40)], who: SeesRows) -> StreamingResponse:
    """The rows of a hand-over that were kept out, as those of the last run; each download leaves a line."""
    check_everywhere(request, who)
    file = to_mend(parts_of(request).handing.folder / OUT, register)
    if file is None:
        raise NotFound("No register of this name has a file of faults.")
    return sent(request, who, file, about={"register": register, "of": "hand-over"})


def _page(
    request: Request,
    who: Who,
    *,
    told: str | None = None,
    wrong: str | None = None,
    why: str | None = None,
    typed: str = "",
    status: int = 200,
) -> HTMLResponse:
    parts = parts_of(request)
    turn = parts.handing.last()
    registers, notes = _checked(parts.handing, turn)
    return show(
        request, "data_registers.html", who, status=status, turn=turn, registers=registers, notes=notes,
        before=before(load().source), told=None if told is None else language(request)(TOLD[told]), wrong=wrong,
        why=why, typed=typed, register_names=REGISTER, why_out=WHY_OUT, most_letters=MOST_PURPOSE,
        most_mib=parts.service.max_upload_mib, asked={name: one.needed for name, one in REGISTERS.items()},
        writable=is_writable(),
    )  # fmt: skip


def _checked(handing: Handing, turn: Turn | None) -> tuple[tuple[Quarantine, ...], tuple[str, ...]]:
    if turn is None or turn.state is not State.CHECKED:
        return (), ()
    try:
        return quarantines(handing.folder / OUT)
    except NothingScored:  # used or thrown away between the two looks
        return (), ()


def _back(told: str | None = None) -> RedirectResponse:
    return RedirectResponse(HERE if told is None else f"{HERE}?told={told}", 303)


def _unwritten(fault: BaseException) -> StoreUnavailable:
    if isinstance(fault, ClientDisconnect):
        return StoreUnavailable("The upload broke off; nothing of it is kept.")
    return StoreUnavailable(f"The service's folder, or data/raw, cannot be written ({type(fault).__name__}).")


def _check_everywhere(request: Request, who: Who) -> None:
    if who.scope.everywhere:
        return
    parts_of(request).trail.note(entry_of(request, who, Act.HAND_OVER, outcome=Forbidden.type))
    raise Forbidden("Registers are of the whole kabupaten, so they are handed over by who may look everywhere.")
