"""Who is let in: the session, key or token that a request shows, and what its account may do."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter, to_thread

from features.errors import InputRefused
from serving.access.limiting import Limits
from serving.access.oidc import Provider, is_private
from serving.access.remembered import Remembered
from serving.access.roles import Act, Role, may
from serving.access.sessions import touch
from serving.access.shown import LOCAL, SAFE, Shown, came_by_proxy, check_csrf, check_origin, shown_by
from serving.access.who import ANYBODY, Who
from serving.errors import Busy, Forbidden, RequestRefused, StoreUnavailable, TooMany, Unauthorized
from serving.trail.noting import entry_of, purpose_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request

    from serving.access.known import Known
    from serving.settings import Service
    from serving.shelf import Shelf
    from serving.trail.keeper import Trail

T = TypeVar("T")
AT_ONCE, WAITING = 2, 32  # passwords being looked at, each on 64 MiB and one processor; those that may wait
TOUCH_S = 60
ALSO_BY_SESSION = frozenset({Act.SIGN_OUT})
"""What somebody with a one-time password may do before they choose their own."""


def asks_everybody(service: Service) -> bool:
    """Whether the service lets nobody in without an account, whatever the store holds."""
    return service.access == "closed" or (
        service.access == "auto" and (service.host not in LOCAL or service.public_url is not None)
    )


def check_access(service: Service) -> None:
    """Nothing, unless everybody were let in from other machines.

    Raises
    ------
    InputRefused
        `open` where others can reach it.
    """
    if service.access == "open" and (service.host not in LOCAL or service.public_url is not None):
        raise InputRefused(
            "TEPAT_ACCESS=open where other machines can reach the service",
            f"open on {' or '.join(LOCAL)} without TEPAT_PUBLIC_URL",
            "Set TEPAT_ACCESS=closed and make accounts with `tepat account add`.",
        )


def _provider(service: Service) -> Provider | None:
    if service.oidc_issuer is None:
        return None
    if service.oidc_client_id is None:
        raise InputRefused(
            "TEPAT_OIDC_ISSUER without TEPAT_OIDC_CLIENT_ID",
            "both or neither",
            "Set our name at the identity provider.",
        )
    if not is_private(service.oidc_issuer):
        raise InputRefused(
            "TEPAT_OIDC_ISSUER that is no https address",
            "https://, or http:// on this machine",
            "Set the provider's https address; without it somebody on the way could sign in as anybody.",
        )
    secret = service.oidc_client_secret
    return Provider(service.oidc_issuer, service.oidc_client_id, secret.get_secret_value() if secret else None)


class Gatekeeper:
    """Lets requests in."""

    def __init__(self, service: Service, *, shelf: Shelf, trail: Trail) -> None:
        self.service, self._shelf, self._trail = service, shelf, trail
        self.limits = Limits(service)
        self._remembered = Remembered(shelf, service)
        self._slow = CapacityLimiter(AT_ONCE)
        self.provider = _provider(service)
        self._touching: set[asyncio.Task[None]] = set()

    async def enter(self, request: Request, act: Act) -> Who:
        """Who asks, when they may do `act`.

        Raises
        ------
        Unauthorized
            They showed nothing, or what does not hold.
        Forbidden
            They may not do this; it stands in the trail.
        RequestRefused
            They may, but X-Purpose does not hold.
        TooMany
            They ask too often.
        StoreUnavailable
            Who they are could not be looked up, and was not within the last ten minutes.
        """
        why, wrong = _purpose(request)
        shown, who = await self._shown_who(request)
        try:
            self._check(request, shown, who=who, act=act)
        except Forbidden as refusal:
            await self._trail.noted(entry_of(request, who, act, outcome=refusal.type, why=why))
            raise
        if wrong is not None:
            raise wrong
        return who

    async def sees(self, request: Request, act: Act) -> bool:
        """Whether they who ask may do `act`, where those who may not are answered, too, with less."""
        try:
            _, who = await self._shown_who(request)
        except (Unauthorized, TooMany):
            return False
        except StoreUnavailable:
            return self._may_be_open(request)
        return not who.must_change and _refused_act(who, act, self.service) is None

    def forget(self) -> None:
        """Look up anew: accounts, keys or sessions were changed. For any thread."""
        self._remembered.forget()

    async def slowly(self, work: Callable[[], T]) -> T:
        """Work on a password, two at a time beside the event loop.

        Raises
        ------
        Busy
            Too many wait already.
        """
        if self._slow.statistics().tasks_waiting >= WAITING:
            raise Busy("Too many are signing in.")
        return await to_thread.run_sync(work, limiter=self._slow)

    def count_sign_in(self, request: Request, *, way: str) -> None:
        """Count a try to sign in; `TooMany` when its address tries too often."""
        self.limits.count_sign_in(address_of(request), way=way)

    async def _shown_who(self, request: Request) -> tuple[Shown | None, Who]:
        shown = None
        try:
            shown = shown_by(request, self.service)
            return shown, await self._who(request, shown)
        except Unauthorized:
            if shown is not None or "authorization" in request.headers:
                # After the look, not before it: whoever shows what holds is let in, whatever their neighbours do.
                self.limits.count_refused(address_of(request))
            raise

    async def _who(self, request: Request, shown: Shown | None) -> Who:
        found = None if shown is None else await self._remembered.known(shown)
        if shown is not None and found is not None:
            self._touch(shown, found)
            return found.who
        if (shown is None or shown.how == "session") and self._may_be_open(request) and await self._is_open():
            return ANYBODY
        raise Unauthorized(
            "The request shows neither a session nor a key." if shown is None
            else "The session, key or token does not hold: it is unknown, over, or was ended."
        )  # fmt: skip

    def _may_be_open(self, request: Request) -> bool:
        return not (
            self.service.access == "closed"
            or self.service.host not in LOCAL
            or self.service.public_url is not None
            or came_by_proxy(request)
        )

    async def _is_open(self) -> bool:
        return self.service.access == "open" or not await self._remembered.is_any_account()

    def _check(self, request: Request, shown: Shown | None, *, who: Who, act: Act) -> None:
        self.limits.count_request(who)
        if request.method not in SAFE and who.kind in ("open", "person"):
            check_origin(request, self.service)
            if shown is not None and who.via == "session":
                check_csrf(request, shown)
        if who.must_change and act not in ALSO_BY_SESSION:
            raise Forbidden("Choose a password of your own first: POST /v1/session/password.")
        if refused := _refused_act(who, act, self.service):
            raise Forbidden(refused)

    def _touch(self, shown: Shown, found: Known) -> None:
        """Note now and then that a session is in use; nobody waits for it."""
        now = dt.datetime.now(tz=dt.UTC)
        every = min(TOUCH_S, self.service.idle_minutes * 60 / 10)
        if found.seen_at is None or (now - found.seen_at).total_seconds() < every:
            return
        self._remembered.seen(shown, found, at=now)
        task = asyncio.create_task(self._touched(shown, now))
        self._touching.add(task)
        task.add_done_callback(self._touching.discard)

    async def _touched(self, shown: Shown, at: dt.datetime) -> None:
        def write() -> None:
            with self._shelf.store() as store, store.database.writing() as connection:
                touch(connection, shown.digest, at=at)

        try:
            await to_thread.run_sync(write)
        except StoreUnavailable:
            return  # a session then ends sooner, which harms nobody


def _purpose(request: Request) -> tuple[str | None, RequestRefused | None]:
    """What the request is for, or why that cannot be kept: a refused act is noted all the same."""
    try:
        return purpose_of(request), None
    except RequestRefused as refusal:
        return None, refusal


def _refused_act(who: Who, act: Act, service: Service) -> str | None:
    """Why somebody may not do an act; None when they may."""
    if not may(who.roles, act):
        able = ", ".join(role for role in Role if may(frozenset({role}), act))
        return f"It needs one of the roles {able}." if able else "No role may do this."
    if who.kind == "open" and act is Act.CHANGE_ACCOUNT and service.access == "auto":
        # A proxy that sends no header looks like this machine: it shall not make itself an administrator.
        return "The first account is made on this machine: `tepat account add NAME --role admin --everywhere`."
    if act is Act.SEE_METRICS and not who.scope.everywhere:
        return "The measures count the requests of all regions; it needs a grant for everywhere."
    return None


def address_of(request: Request) -> str:
    """Where a request comes from, as the server knows it."""
    return request.client.host if request.client else "local"
