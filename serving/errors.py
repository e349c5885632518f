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
    retry_after_s: int | None = None
    """When to ask again, as the header Retry-After says it; None where that would not help. [s]"""

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


class Malformed(Problem):
    """The bytes are no request."""

    type = "malformed"
    title = "The request cannot be read."
    status = 400
    remedy = "Send HTTP/1.1 through a kept library."


class NotFound(Problem):
    """No such route, household or list."""

    type = "not-found"
    title = "There is nothing of this name."
    status = 404
    remedy = "Check the address and the identifier."


class Unauthorized(Problem):
    """Nobody said who they are, or what they showed does not hold."""

    type = "unauthorized"
    title = "Say who you are."
    status = 401
    remedy = "Sign in, or send `Authorization: Bearer` with a key or a token that holds; docs/access.md says how."


class Forbidden(Problem):
    """Who asks may not do this, or not there."""

    type = "forbidden"
    title = "This is not allowed to you."
    status = 403
    remedy = "Ask the administrator of Tepat for the role or the region that `detail` names."


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


class Taken(Problem):
    """An account of this name is there."""

    type = "taken"
    title = "There is one of this name already."
    status = 409
    remedy = "Change the one that is there, or take another name."


class PreconditionFailed(Problem):
    """What the request builds on has changed."""

    type = "precondition-failed"
    title = "It was changed since you read it."
    status = 412
    remedy = "Read it again, and send its new ETag in If-Match; nothing was kept."


class JobState(Problem):
    """A job is not in the state that is needed."""

    type = "job-state"
    title = "The job is not in a state for this."
    status = 409
    remedy = "Do what `detail` says; GET the job to see its state. Nothing was changed."


class UploadOutOfPlace(Problem):
    """A part of an upload does not begin where the bytes that are kept end."""

    type = "upload-out-of-place"
    title = "This part does not follow what is kept."
    status = 409
    remedy = "Ask HEAD for Upload-Offset, and go on from there; or begin again with the whole file or from byte 0."


class JobFailed(Problem):
    """A job that ended without a result; told in its `fault`."""

    type = "job-failed"
    title = "The job could not be done."
    status = 422
    remedy = "Correct what `detail` names, and make the job again; nothing half is kept."


class PreconditionMissing(Problem):
    """A change that does not say what it builds on."""

    type = "precondition-missing"
    title = "Say which state of it you have read."
    status = 428
    remedy = "Read it, and send its ETag in If-Match; nothing was kept."


class UnsupportedType(Problem):
    """A file or a body of a kind that is not read."""

    type = "unsupported-type"
    title = "A body of this type is not read here."
    status = 415
    remedy = "Send one of the types that `detail` names."


class TooMany(Problem):
    """More requests in a minute than one client may send."""

    type = "too-many"
    title = "You ask too often."
    status = 429
    remedy = "Wait as long as Retry-After says; ask for up to 1,000 households in one request."
    retry_after_s = 60


class TooLarge(Problem):
    """More bytes than the service reads."""

    type = "too-large"
    title = "The request is too large."
    status = 413
    remedy = "Ask in parts: at most 1,000 households a request."


class TooSlow(Problem):
    """The request did not arrive in time."""

    type = "too-slow"
    title = "The request came too slowly."
    status = 408
    remedy = "Send it again, on a better line or in parts; nothing was kept."


class HeadTooLarge(Problem):
    """More address and headers than the service reads."""

    type = "head-too-large"
    title = "The head of the request is too large."
    status = 431
    remedy = "Send fewer or shorter headers, or a shorter address."


class Busy(Problem):
    """The queue of households is full."""

    type = "busy"
    title = "Too many requests wait already."
    status = 503
    remedy = "Ask again in some seconds."
    retry_after_s = 2


class NoModel(Problem):
    """The registry has no champion, and none was used before."""

    type = "no-model"
    title = "No model can be used."
    status = 503
    remedy = "Train one with `make run` or `dvc repro`; the service takes it up by itself."
    retry_after_s = 10


class NotScored(Problem):
    """Processes that scored it ended before they answered, more than once."""

    type = "not-scored"
    title = "It could not be scored now."
    status = 503
    remedy = "Ask again in some seconds; if it comes to this again, ask for fewer households and see the service's log."
    retry_after_s = 5


class NothingScored(Problem):
    """The pipeline has not made scores."""

    type = "nothing-scored"
    title = "No household has been scored yet."
    status = 503
    remedy = "Run `make run` or `dvc repro`; the service takes the scores up by itself."
    retry_after_s = 30


class StoreUnavailable(Problem):
    """The database is locked, read-only, full, damaged or away."""

    type = "store-unavailable"
    title = "The lists cannot be read or written now."
    status = 503
    remedy = "Do what `detail` says; published lists are not lost, and the service need not be started again."
    retry_after_s = 5


class ProviderAway(Problem):
    """The identity provider does not answer, or not as it should."""

    type = "provider-away"
    title = "The identity provider cannot be asked now."
    status = 503
    remedy = "Try again in a minute, or sign in with a local account, which needs no provider."
    retry_after_s = 30


class Unexpected(Problem):
    """A fault of the service itself."""

    type = "unexpected"
    title = "Tepat made a mistake."
    status = 500
    remedy = "Report it with the request_id, by which the service's log names the cause."


def problems(of: type[Problem] = Problem) -> list[type[Problem]]:
    """Every refusal that a loaded module declares, so that none can be left out; those of this module first."""
    return [found for one in of.__subclasses__() for found in (one, *problems(one))]
