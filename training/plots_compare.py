"""What each rung and each rival is worth, drawn: a point and its interval beside zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from training.plots import COLOURS

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

GREY = "#777777"


def differences(candidates: dict[str, Any], ladder: dict[str, Any], path: Path, *, champion: str) -> None:
    """Write one PNG: candidates against the booster, rungs against the rung before, the champion against itself. [AUC]

    Parameters
    ----------
    candidates, ladder
        As `compare.compared` gives them.
    champion
        The rung that the last panel starts from.
    """
    climbing = {name: line for name, line in ladder.items() if line["after"] != champion}
    changed = {name: line for name, line in ladder.items() if line["after"] == champion}
    parts = {
        "Another way of learning, against the booster": candidates,
        "One thing more, against the rung before": climbing,
        "The champion changed in one thing, against itself": changed,
    }
    shown = {title: _lines(lines) for title, lines in parts.items()}
    figure = Figure(figsize=(9, 3 + 0.3 * sum(map(len, shown.values()))), layout="constrained")
    panels = figure.subplots(len(shown), 1, height_ratios=[1 + len(lines) for lines in shown.values()])
    for axes, (title, lines) in zip(panels, shown.items(), strict=True):
        _forest(axes, title, lines)
    figure.savefig(path, dpi=110)


def _lines(lines: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    return [(name, line["difference"]["auc"]) for name, line in lines.items() if "difference" in line]


def _forest(axes: Axes, title: str, lines: list[tuple[str, dict[str, float]]]) -> None:
    axes.axvline(0, color=GREY, linewidth=1)
    for place, (_, one) in enumerate(lines):
        sure = not one["low"] <= 0 <= one["high"]
        colour = COLOURS[0] if sure else GREY
        axes.plot([one["low"], one["high"]], [place, place], color=colour, linewidth=2)
        axes.plot(one["difference"], place, "o", color=colour, markerfacecolor=colour if sure else "white")
    axes.set_yticks(range(len(lines)), [name for name, _ in lines])
    axes.invert_yaxis()
    axes.set_title(title, loc="left")
    axes.set_xlabel("Difference in AUC, with 95% interval; hollow: zero is inside")
    axes.spines[["top", "right"]].set_visible(False)
