"""`/lists/new`: a list made from plain choices, with what it would reach seen at once and beside today's orders."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from serving.access.gate import allowed
from serving.access.roles import Act
from serving.access.who import Who
from serving.decisions import Decisions
from serving.errors import Busy, Conflict, RequestRefused
from serving.frontier_chart import drawn
from serving.numbers import holds_number
from serving.pages.entering import FORM, form_of
from serving.pages.frame import show
from serving.parts import parts_of
from serving.plain_policy import FLOORS, LOTS, OWNERS, PREGNANT, choices_of, usual_choices
from serving.previewing import choices, previewed, widest
from serving.routes.worklists import made_once
from serving.schemas import WorklistRequest
from targeting.preview import ORDERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serving.plain_policy import Choices
    from serving.previewing import Choice
    from serving.published import Scores
    from targeting.preview import Preview

router = APIRouter(include_in_schema=False)
Makes = Annotated[Who, allowed(Act.MAKE_LIST)]
KEY, DO, LOOK = "key", "do", "look"
LONGEST_NAME = 100


@router.get("/lists/new")
def ask(request: Request, who: Makes) -> HTMLResponse:
    """The form, with what its choices would reach."""
    params = request.query_params
    return _form(request, who, given=dict(params), regions=params.getlist("region") if params else None)


@router.get("/lists/new/preview")
def look(request: Request, who: Makes) -> HTMLResponse:
    """What the choices would reach, alone: a part of the page, fetched as they change."""
    scores, params = parts_of(request).published.scores(), request.query_params
    known = choices(scores, who.scope)
    chosen = choices_of(params, params.getlist("region"), known=[one.region_id for one in known])
    return show(request, "making_preview.html", who, **_preview(request, scores, chosen, known=known, who=who))


@router.post("/lists/new", dependencies=[FORM])
def make(request: Request, who: Makes) -> Response:
    """To the list, once it is kept; sent twice, to the same. Or the form again, with what to mend."""
    form = form_of(request)
    if form.get(DO) == LOOK:
        # No redirect: the name of the list would stand in its address.
        return _form(request, who, given=form, regions=form.all_of("region"))
    scores = parts_of(request).published.scores()
    known = [one.region_id for one in choices(scores, who.scope)]
    chosen, name = choices_of(form, form.all_of("region"), known=known), form.text("name") or ""
    key = form.text(KEY) or ""
    wrong = chosen.wrong | _wrong_name(name)
    if wrong or not 0 < len(key) <= 200:  # noqa: PLR2004 (as of the header Idempotency-Key)
        return _form(request, who, given=form, regions=form.all_of("region"), status=422, wrong=wrong)
    policy = chosen.policy(name=name, round_name=f"{name} · {key[:8]}", visits=chosen.visits or 0)
    asked = WorklistRequest.model_validate({"name": name, "policy": policy})
    try:
        made = made_once(request, asked, who=who, key=key)
    except (RequestRefused, Busy, Conflict) as refusal:
        return _form(request, who, given=form, regions=form.all_of("region"), status=refusal.status, refusal=refusal)
    return RedirectResponse(f"/lists/{made.id}", 303)


def _form(
    request: Request,
    who: Who,
    *,
    given: Mapping[str, str],
    regions: Sequence[str] | None,
    status: int = 200,
    wrong: frozenset[str] = frozenset(),
    refusal: RequestRefused | Busy | Conflict | None = None,
) -> HTMLResponse:
    """The form with what was typed; `regions` is None where nothing was yet."""
    scores = parts_of(request).published.scores()
    known = choices(scores, who.scope)
    chosen = usual_choices() if regions is None else choices_of(given, regions, known=[one.region_id for one in known])
    told = _preview(request, scores, chosen, known=known, who=who)
    # A key that was met before stands for another list: the next press makes a new one.
    key = "" if isinstance(refusal, Conflict) else given.get(KEY, "")
    return show(
        request, "making.html", who, status=status, wrong=wrong, refusal=refusal, typed=given,
        key=key or secrets.token_urlsafe(16), owners=OWNERS, floors=FLOORS,
        budget_fields={f"budget_{owner}" for owner in OWNERS},
        pregnant=PREGNANT, lots=LOTS, longest=LONGEST_NAME, simulated=bool(scores.units.simulated.iloc[0]),
        marked=None if regions is None else set(regions),
        urgent=int(who.scope.mask(scores.urgent).sum()), **told,
    )  # fmt: skip


def _preview(request: Request, scores: Scores, chosen: Choices, *, known: Sequence[Choice], who: Who) -> dict[str, Any]:
    with parts_of(request).shelf.store() as store:
        held = Decisions(store.database).held(parts_of(request).service.now().date())
    made: Preview = previewed(
        scores, chosen.objective, chosen.rules, scope=who.scope, regions=chosen.regions, held=held.household_id,
        visits=chosen.visits,
    )  # fmt: skip
    return {
        "chosen": chosen, "made": made, "chart": drawn(made), "orders": ORDERS, "known": known,
        "slider": widest(made.competing, made.visits), "names": {one.region_id: one.name for one in known},
    }  # fmt: skip


def _wrong_name(name: str) -> frozenset[str]:
    fits = 0 < len(name) <= LONGEST_NAME and name.isprintable() and not holds_number(name)
    return frozenset() if fits else frozenset({"name"})
