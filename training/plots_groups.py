"""Three pictures of the audit by groups, each written as one PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from training.fairness import INSIDE, OUTSIDE, TOO_FEW
from training.plots import COLOURS, GREY, write_png

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from training.fairness import Audit

_GRID, _BAND = "#E5E5E5", "#EDF3E8"
_ACROSS: Final = 4
# A dimension of more groups than this has points in one colour, and no legend: it would hide them.
_NAMED: Final = 6
_MARKS: Final = ("o", "s", "^", "D", "v", "P")
# Of one group's line in a forest. [inch]
_LINE: Final = 0.22


def reliability(audit: Audit, path: Path) -> None:
    """Write observed share against mean risk of each group with its 95% interval, a panel per dimension [0-1].

    The grey diagonal is a risk that keeps its word. Groups are named where a dimension has few; the forest of
    `gaps` names all.
    """
    # The interval of the gap, turned over, is one of the observed share around the same risk.
    table = audit.calibration.assign(
        low=lambda each: each.risk - each.gap_high, high=lambda each: each.risk - each.gap_low
    )
    panels = list(table.groupby("dimension", sort=False))
    down = -(-len(panels) // _ACROSS)
    figure = _figure(width=3.1 * _ACROSS, height=3.5 * down)
    for place, (dimension, rows) in enumerate(panels, start=1):
        axes = _panel(figure, (down, _ACROSS, place), title=str(dimension))
        axes.axline((0, 0), slope=1, color=GREY, linewidth=1)
        _points(axes, rows)
        top = 1.05 * max(0.1, float(rows.high.max()), float(rows.risk.max()))
        # Room above the points for the legend.
        axes.set(xlim=(0, top), ylim=(0, 1.35 * top), xlabel="Mean risk", ylabel="Observed share")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
    write_png(axes, path)


def gaps(audit: Audit, path: Path, *, allowed: float) -> None:
    """Write mean risk minus observed share of each group with its 95% interval, and the band that is allowed [0-1].

    A hollow point is a group of which there are too few to tell; another colour is one outside of the band.
    """
    table = audit.calibration.rename(columns={"gap": "at", "gap_low": "low", "gap_high": "high"})
    colours = table.verdict.map({INSIDE: COLOURS[0], OUTSIDE: COLOURS[1], TOO_FEW: ""})
    axes = _forest(table, colours=colours, across="Mean risk minus observed share (hollow: too few to tell)")
    for each in axes:
        low, high = each.get_xlim()
        each.set_xlim(min(low, -1.2 * allowed), max(high, 1.2 * allowed))
        each.axvspan(-allowed, allowed, color=_BAND, zorder=0)
        each.axvline(0, color=GREY, linewidth=1, zorder=1)
    write_png(axes[-1], path)


def recall(audit: Audit, path: Path, *, share: float) -> None:
    """Write the share of each group's stunted children that visits to `share` of all would find, with 95% intervals.

    The grey line is the recall among all children. A hollow point is a group of fewer stunted children than the
    audit judges by.
    """
    table = audit.visits[audit.visits.share == share].reset_index(drop=True)
    table = table.rename(columns={"recall": "at", "recall_low": "low", "recall_high": "high"})
    judged = audit.gaps[(audit.gaps.measure == "recall") & (audit.gaps.share == share)]
    untold = {row["dimension"]: row["untold"].split(", ") for row in judged.to_dict("records")}
    colours = ["" if row["group"] in untold[row["dimension"]] else COLOURS[0] for row in table.to_dict("records")]
    axes = _forest(table, colours=colours, across=f"Recall in the first {share:.0%} (hollow: too few to tell)")
    for each in axes:
        each.axvline(float(audit.costs[audit.costs.share == share].plain.iloc[0]), color=GREY, linewidth=1, zorder=1)
    write_png(axes[-1], path)


def _points(axes: Axes, rows: pd.DataFrame) -> None:
    few = len(rows) <= _NAMED
    made = []
    for n, row in enumerate(rows.to_dict("records")):
        style: dict[str, Any] = {"color": COLOURS[n % len(COLOURS)] if few else COLOURS[0], "zorder": 3}
        axes.plot([row["risk"]] * 2, [row["low"], row["high"]], linewidth=1.4, **style)
        made += axes.plot(
            row["risk"], row["observed"], marker=_MARKS[n] if few else "o", markersize=5, linestyle="", **style
        )
    if few:
        names = rows.group.tolist()
        axes.legend(made, names, frameon=False, fontsize=8, loc="upper left", handletextpad=0.2, borderaxespad=0.2)


def _forest(table: pd.DataFrame, *, colours: Iterable[str], across: str) -> list[Axes]:
    """A line per group under the name of its dimension, in two columns of about equal length."""
    table = table.assign(colour=list(colours))
    columns = _columns(table)
    longest = max(len(lines) for lines in columns)
    figure = _figure(width=6 * len(columns), height=_LINE * longest + 0.8)
    low, high = float(table.low.min()), float(table.high.max())
    margin = 0.03 * (high - low)
    made = []
    for place, lines in enumerate(columns):
        axes = _panel(figure, (1, len(columns), place + 1), title="")
        axes.set(xlim=(low - margin, high + margin), ylim=(longest - 0.5, -0.5), xlabel=across)
        _lines(axes, lines)
        made.append(axes)
    return made


def _columns(table: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """Lines of two columns: each dimension, longest first, goes where there is more room; null `at` is a heading."""
    parts: dict[Any, list[Any]] = {
        dimension: [{"group": dimension, "at": None}, *rows.to_dict("records")]
        for dimension, rows in table.groupby("dimension", sort=False)
    }
    columns: tuple[list[Any], list[Any]] = ([], [])
    for dimension in sorted(parts, key=lambda each: -len(parts[each])):
        min(columns, key=lambda each: sum(len(parts[name]) for name in each)).append(dimension)
    inside = [sorted(each, key=list(parts).index) for each in columns if each]
    return [[line for dimension in each for line in parts[dimension]] for each in inside]


def _lines(axes: Axes, lines: list[dict[str, Any]]) -> None:
    for place, line in enumerate(lines):
        if line["at"] is None:
            continue
        colour = line["colour"] or GREY
        axes.plot([line["low"], line["high"]], [place] * 2, color=colour, linewidth=1.4, zorder=3)
        face = line["colour"] or "white"
        axes.plot(line["at"], place, "o", markersize=5, color=colour, markerfacecolor=face, zorder=4)
    axes.set_yticks(range(len(lines)), [line["group"] for line in lines], fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.tick_params(axis="x", labelsize=9)
    for label, line in zip(axes.get_yticklabels(), lines, strict=True):
        label.set_fontweight("bold" if line["at"] is None else "normal")


def _figure(*, width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _panel(figure: Figure, place: tuple[int, int, int], *, title: str) -> Axes:
    axes = figure.add_subplot(*place)
    axes.set_title(title, fontsize=10, loc="left", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    return axes
