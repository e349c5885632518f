"""Shows how far a long loop is, on standard error, so that standard output stays what a stage has to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import track

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Item = TypeVar("Item")


def shown(description: str) -> Callable[[Sequence[Item]], Iterable[Item]]:
    """Give a loop over a sequence that draws a bar as it goes."""
    console = Console(stderr=True)
    return lambda items: track(items, description=description, console=console)


def unseen(items: Sequence[Item]) -> Iterable[Item]:
    """Give the loop without a bar."""
    return items
