"""Refusals of input, said so that the person who made the file can mend it."""

from __future__ import annotations


class InputRefused(Exception):
    """A whole file or folder cannot be used; nothing of it was taken in."""

    def __init__(self, found: str, allowed: str, remedy: str) -> None:
        self.found, self.allowed, self.remedy = found, allowed, remedy
        super().__init__(f"Found: {found}. Allowed: {allowed}. What to do: {remedy}")
