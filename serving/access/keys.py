"""Random secrets: made once, shown once, and known again by their digest alone."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

SECRET_BYTES = 32
ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
SHAPE = re.compile(rf"tepat_({ID.pattern})_([A-Za-z0-9_-]{{43}})", re.ASCII)


@dataclass(frozen=True)
class Key:
    """A key as it is handed out: what may be shown of it, and what only its owner has."""

    id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """As it stands in `Authorization: Bearer`; those who look for lost secrets know it by its beginning."""
        return f"tepat_{self.id}_{self.secret}"


def new_key() -> Key:
    """A key that nobody has had before."""
    return Key(secrets.token_hex(8), new_secret())


def new_secret() -> str:
    """256 random bits, as 43 letters of an address."""
    return secrets.token_urlsafe(SECRET_BYTES)


def read_key(text: str) -> Key | None:
    """The key that a text is; None when it is none of ours."""
    found = SHAPE.fullmatch(text)
    return None if found is None else Key(*found.groups())


def digest(secret: str) -> str:
    """SHA-256, as 64 hexadecimal digits; enough for a random secret, which nobody can guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(given: str, kept_digest: str) -> bool:
    """Whether a secret has this digest, in a time that does not tell how nearly."""
    return hmac.compare_digest(digest(given), kept_digest)


def csrf_token(session_secret: str) -> str:
    """What a page must send beside the cookie: only who could read an answer of ours knows it."""
    return hmac.new(session_secret.encode(), b"tepat csrf", hashlib.sha256).hexdigest()
