"""Refusals, said so that the person who can mend the cause can do so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Refused(Exception):
    """Tepat will not go on, for a reason that a user can act on; never a fault of its own."""


class InputRefused(Refused):
    """Something handed over cannot be used as it is; nothing of it was taken in."""

    def __init__(self, found: str, allowed: str, remedy: str) -> None:
        self.found, self.allowed, self.remedy = found, allowed, remedy
        super().__init__(f"Found: {found}. Allowed: {allowed}. What to do: {remedy}")


def run_stage(stage: Callable[[], None]) -> None:
    """Run a stage of the pipeline; a refusal ends it with its own words, not with a traceback."""
    try:
        stage()
    except Refused as refusal:
        sys.exit(f"Refused. {refusal}")
