"""Every refusal that the API can give, as `application/problem+json` (RFC 9457).

The words are the contracts': what was found, what is allowed, what to do. No identifier, name or birth date of
a person is repeated.
"""

from __future__ import annotations

from typing import Any, ClassVar

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """A request that is not answered as asked, for a reason that the asker can act on."""

    type: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[int]
    remedy: ClassVar[str]

    def __init__(self, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.detail, self.more = detail, more

    def body(self, *, request_id: str) -> dict[str, Any]:
        """The problem document."""
        said = {"type": f"tepat:{self.type}", "title": self.title, "status": self.status, "detail": self.detail}
        return said | {"remedy": self.remedy, "request_id": request_id} | self.more


class FactsRefused(Problem):
    """A register row of the request breaks its contract."""

    type = "facts-refused"
    title = "Some of what was handed over cannot be used."
    status = 422
    remedy = "Correct the columns listed in `errors`, as docs/registers.md allows, and ask again; nothing was scored."


class RequestRefused(Problem):
    """A parameter or the shape of the body is not as declared."""

    type = "request-refused"
    title = "The request cannot be answered as asked."
    status = 422
    remedy = "Correct what `errors` or `detail` names; /openapi.json has the shape of every request."


class NotJson(Problem):
    """The body cannot be parsed."""

    type = "not-json"
    title = "The body is not JSON."
    status = 400
    remedy = "Send UTF-8 JSON; /docs shows an example for every route."


class NotFound(Problem):
    """No such route, household or list."""

    type = "not-found"
    title = "There is nothing of this name."
    status = 404
    remedy = "Check the address and the identifier."


class MethodNotAllowed(Problem):
    """The route exists, but not for this method."""

    type = "method-not-allowed"
    title = "The address does not answer to this method."
    status = 405
    remedy = "Use the method that /openapi.json gives."


class Conflict(Problem):
    """The key of a request was used before, for another one."""

    type = "conflict"
    title = "This Idempotency-Key stands for another request."
    status = 409
    remedy = "Send the very same body to be answered as before, or take a new key for a new request; nothing was kept."


class TooLarge(Problem):
    """More bytes than the service reads."""

    type = "too-large"
    title = "The request is too large."
    status = 413
    remedy = "Ask in parts: at most 1,000 households a request."


class Busy(Problem):
    """The queue of households is full."""

    type = "busy"
    title = "Too many requests wait already."
    status = 503
    remedy = "Ask again in some seconds."


class NoModel(Problem):
    """The registry has no champion, and none was used before."""

    type = "no-model"
    title = "No model can be used."
    status = 503
    remedy = "Train one with `make run` or `dvc repro`; the service takes it up by itself."


class NothingScored(Problem):
    """The pipeline has not made scores."""

    type = "nothing-scored"
    title = "No household has been scored yet."
    status = 503
    remedy = "Run `make run` or `dvc repro`; the service takes the scores up by itself."


class StoreUnavailable(Problem):
    """The database is locked, read-only, full, damaged or away."""

    type = "store-unavailable"
    title = "The lists cannot be read or written now."
    status = 503
    remedy = "Do what `detail` says; published lists are not lost, and the service need not be started again."


class Unexpected(Problem):
    """A fault of the service itself."""

    type = "unexpected"
    title = "Tepat made a mistake."
    status = 500
    remedy = "Report it with the request_id, by which the service's log names the cause."


PROBLEMS: tuple[type[Problem], ...] = (
    FactsRefused, RequestRefused, NotJson, NotFound, MethodNotAllowed, Conflict, TooLarge, Busy, NoModel, NothingScored,
    StoreUnavailable, Unexpected,
)  # fmt: skip
