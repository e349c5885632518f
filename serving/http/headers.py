"""Which headers every answer carries, so that a browser does nothing with it that it was not meant for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Header = tuple[bytes, bytes]

PAGE_POLICY = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
    b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
API_POLICY = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # With no-referrer a browser hides even from us where a form was sent from.
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
ONLY_HTTPS: Header = (b"strict-transport-security", b"max-age=31536000")
PRIVATE: Header = (b"cache-control", b"no-store")
VARY: Header = (b"vary", b"Authorization, Cookie, Accept-Encoding")
RETRY: Header = (b"retry-after", b"5")
LATER = (429, 503)


def around(given: Iterable[Header], status: int, *, https: bool) -> list[Header]:
    """The headers of an answer, with those that every answer has; what the route said of itself stays."""
    kept = [(name, value) for name, value in given if name != b"vary"]
    found = dict(kept)
    added = [*ALWAYS, VARY]
    if b"content-security-policy" not in found:
        is_page = found.get(b"content-type", b"").startswith(b"text/html")
        added.append((b"content-security-policy", PAGE_POLICY if is_page else API_POLICY))
    if b"cache-control" not in found:
        added.append(PRIVATE)
    if status in LATER and b"retry-after" not in found:
        added.append(RETRY)
    if https:
        added.append(ONLY_HTTPS)
    if found.get(b"content-encoding") == b"gzip" and b"etag" in found:
        kept = [(name, _of_gzip(value) if name == b"etag" else value) for name, value in kept]
    return [*kept, *added]


def _of_gzip(etag: bytes) -> bytes:
    """A strong tag names these very bytes, which differ from those that are not compressed."""
    return etag[:-1] + b'-gzip"' if etag.endswith(b'"') and not etag.endswith(b'-gzip"') else etag
