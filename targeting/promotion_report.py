"""What the gate said, as a table, a page and a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from targeting.churn import ENTERS, LEAVES, Churn
from training.plots import COLOURS, GREY, new_axes, write_png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from targeting.promotion import Check

TOLD_FEATURES: Final = 5
AROUND: Final = 3
"""How many lengths of the list the picture of places shows."""


def drawn(checks: Sequence[Check], stamp: str, *, passed: bool) -> Table:
    """The table that is printed."""
    table = Table(title=f"{stamp}: {'passes the gate' if passed else 'REFUSED'}")
    for heading in ("check", "found", "allowed", ""):
        table.add_column(heading, overflow="fold")
    for check in checks:
        told = "holds" if check.passed else f"NOT MET. {check.to_do}"
        table.add_row(check.name, check.found, check.allowed, told)
    return table


def page(checks: Sequence[Check], said: Mapping[str, Any], movers: pd.DataFrame | None) -> str:
    """The same in Markdown, with who would change places and what moved them; no household is named."""
    verdict = "passes the gate" if said["passed"] else "is refused"
    lines = [
        f"# {said['challenger']} {verdict}", "",
        f"Champion from now on: {said['champion'] or 'none'}. {said['without_comparison']}".rstrip(), "",
        "| check | found | allowed | | what to do |", "|---|---|---|---|---|",
        *(
            f"| {c.name} | {c.found} | {c.allowed} | {'holds' if c.passed else '**not met**'} | "
            f"{'' if c.passed else c.to_do} |"
            for c in checks
        ),
        "",
    ]  # fmt: skip
    if movers is not None:
        lines += _moved(movers, said["jaccard"])
    return "\n".join(lines)


def _moved(movers: pd.DataFrame, jaccard: float) -> list[str]:
    lines = [
        "## Who would change places", "",
        (f"Of the households on either list, {jaccard:.0%} are on both. Each line of `churn.csv` is a household that "
         "is on one list only, with the fact whose weight changed most. `churn.png` shows all places."), "",
    ]  # fmt: skip
    for move in (ENTERS, LEAVES):
        rows = movers[movers.move == move]
        most = rows.feature.value_counts(sort=True).head(TOLD_FEATURES)
        why = ", ".join(
            f"{feature} ({count})" for feature, count in sorted(most.items(), key=lambda one: (-one[1], one[0]))
        )
        lines.append(f"- {len(rows):,} {move[:-1]}{'' if why == '' else f'; moved most by {why}'}")
    return [*lines, ""]


def picture(moved: Churn, path: Path) -> None:
    """Each household's place on both lists, around the cut, as a PNG."""
    limit = AROUND * max(moved.places, 1)
    near = moved.ranks[moved.ranks[["before", "after"]].min(axis=1) <= limit]
    axes = new_axes("Place on the champion's list", "Place on the challenger's list")
    axes.scatter(near.before, near.after, s=4, color="0.65", label="same side of the cut", linewidths=0)
    for move, colour, marker in ((ENTERS, COLOURS[0], "^"), (LEAVES, COLOURS[1], "v")):
        rows = moved.movers[moved.movers.move == move]
        label = f"{move}: {len(rows):,}"
        axes.scatter(rows.before, rows.after, s=14, color=colour, marker=marker, label=label, linewidths=0)
    axes.axvline(moved.places, color=GREY, linewidth=0.8)
    axes.axhline(moved.places, color=GREY, linewidth=0.8)
    axes.set(xlim=(0, limit), ylim=(0, limit), aspect="equal")
    axes.set_title(f"The first {moved.places:,} households: {moved.jaccard:.0%} of either are on both", fontsize=10)
    write_png(axes, path)
