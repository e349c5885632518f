"""Passwords: which may be chosen, and how they are kept."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from features.errors import InputRefused

SHORTEST, LONGEST = 12, 1000
FEWEST_KINDS = 5  # different characters
BESIDE_NAME = 8  # characters that are not the account's name
HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
"""64 MiB and three passes: RFC 9106's second choice, some 0.1 s on an office machine."""

ONE_TIME_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read for another


def hashed(password: str) -> str:
    """Argon2id's hash with its salt and settings, to be kept."""
    return HASHER.hash(_normal(password))


def holds(kept: str | None, password: str) -> bool:
    """Whether a password is the one that was kept; None takes as long and is nobody's."""
    try:
        HASHER.verify(_nobodys() if kept is None else kept, _normal(password))
    except VerifyMismatchError:
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether it was hashed by weaker settings than those of today."""
    return HASHER.check_needs_rehash(kept)


def one_time() -> str:
    """A password to be said or written down once: 79 random bits in four groups."""
    return "-".join("".join(secrets.choice(ONE_TIME_LETTERS) for _ in range(4)) for _ in range(4))


def check_password(password: str, name: str) -> None:
    """Nothing, when somebody of this name may choose it.

    Raises
    ------
    InputRefused
        It is too easily guessed; the message does not repeat it.
    """
    plain = _normal(password).casefold()
    faults = {
        f"one of {len(plain)} characters": not SHORTEST <= len(plain) <= LONGEST,
        f"one of fewer than {FEWEST_KINDS} different characters": len(set(plain)) < FEWEST_KINDS,
        "one that repeats itself": _repeats(plain),
        "little but the name of the account": len(plain.replace(name.casefold(), "")) < BESIDE_NAME,
    }
    found = [fault for fault, is_so in faults.items() if is_so]
    if found:
        allowed = f"{SHORTEST} to {LONGEST:,} characters that are neither the account's name nor a repetition"
        raise InputRefused(f"a password that is easily guessed: {found[0]}", allowed, "Choose four words at random.")


@cache
def _nobodys() -> str:
    return hashed(secrets.token_urlsafe())


def _normal(password: str) -> str:
    """One form, whichever way a keyboard composes a letter."""
    return unicodedata.normalize("NFKC", password)


def _repeats(plain: str) -> bool:
    """Whether it is a shorter text again and again: that is found where its double meets itself before the end."""
    return (plain + plain).find(plain, 1) < len(plain)
