"""Figures as they are written on every page: an interval, a difference, a table in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PROTOCOLS = {
    "temporal": "(a) later in time",
    "new_places": "(b) and in places never seen",
    "new_regions": "(c) in a region never seen",
}


def interval(m: dict[str, float | None], name: str) -> str:
    """A figure with its 95% interval; a dash where there is none."""
    value, low, high = m[name], m[f"{name}_low"], m[f"{name}_high"]
    if value is None or low is None or high is None:
        return "-"
    return f"{value:.3f} ({low:.3f}{' to ' if low < 0 else '-'}{high:.3f})"


def difference(d: dict[str, float], decimals: int = 3) -> str:
    """A difference with its 95% interval."""
    value, low, high = (f"{d[name]:+.{decimals}f}" for name in ("difference", "low", "high"))
    return f"{value} ({low} to {high})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:], ""])
