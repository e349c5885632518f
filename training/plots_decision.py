"""Three pictures of what a risk is worth to a planner, each written as one PNG; each line is named at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.ticker import PercentFormatter

from training.net_benefit import ALL, GAIN, MODEL, NO_ONE
from training.plots import COLOURS, GREY, add_line, new_axes, write_png

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

VISITED: Final = "Share of children visited"
TICKS: Final = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
BELOW: Final = -0.12  # how far under 0 net benefit is drawn, as a share of its top
GAP: Final = 0.036  # between two names, as a share of the height


def recall_at_capacity(curves: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write the share of stunted children found, by the share of children visited [0-1].

    Parameters
    ----------
    curves
        Name of the order -> its `training.decision.capacity_curve`, the model first: the band is its interval.
    path
        The PNG to write; its folder must exist.
    """
    axes = new_axes(VISITED, "Share of stunted children found")
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _capacities(axes, curves, "recall", by_lot=lambda share: share)
    write_png(axes, path)


def visits_at_capacity(curves: Mapping[str, pd.DataFrame], path: Path, *, base_rate: float) -> None:
    """Write how many visits find one stunted child, by the share of children visited.

    Parameters as for `recall_at_capacity`; `base_rate` is the share of stunted children
    [0-1, above 0], of which visiting by lot finds one in 1 / `base_rate` visits.
    """
    axes = new_axes(VISITED, "Visits to find one stunted child")
    most = max(float(curve.number_needed_to_visit.max()) for curve in curves.values())
    axes.set_ylim(0, 1.15 * np.nanmax([most, 1 / base_rate]))
    _capacities(axes, curves, "number_needed_to_visit", by_lot=lambda _: 1 / base_rate)
    write_png(axes, path)


def net_benefit(curve: pd.DataFrame, path: Path) -> None:
    """Write net benefit by threshold, as stunted children found per 100.

    Parameters
    ----------
    curve
        From `training.net_benefit.decision_curve`; the band is the model's interval.
    path
        The PNG to write; its folder must exist.
    """
    axes = new_axes(
        "Risk from which a visit is worth it\n(below it: needless visits accepted to find one stunted child)",
        "Net benefit: stunted children found per 100,\nless the needless visits at their weight",
    )
    found = 100 * curve
    top = float(found[f"{MODEL}_high"].max())
    axes.set(xlim=(0, curve.index.max()), ylim=(BELOW * top, 1.05 * top))
    ticks = [tick for tick in TICKS if tick <= curve.index.max()]
    axes.set_xticks(ticks, [f"{tick:.0%}\n{(1 - tick) / tick:.2g}" for tick in ticks])
    drawn_apart = (MODEL, ALL, NO_ONE, GAIN)
    rules = [str(name) for name in found if name not in drawn_apart and not str(name).endswith(("_low", "_high"))]
    lines = [MODEL, *rules]
    for place, name in enumerate(lines):
        add_line(axes, found.index, found[name], name="", place=place)
    _band(axes, found, MODEL)
    for name in (ALL, NO_ONE):
        _plain(axes, found.index, found[name])
    _name_ends(axes, [*lines, "visit all", "visit no one"])
    write_png(axes, path)


def _capacities(
    axes: Axes, curves: Mapping[str, pd.DataFrame], figure: str, *, by_lot: Callable[[float], float]
) -> None:
    last = max(float(curve.index.max()) for curve in curves.values())
    axes.set_xlim(0, last)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _plain(axes, (0, last), (by_lot(0), by_lot(last)))
    for place, curve in enumerate(curves.values()):
        add_line(axes, curve.index, curve[figure], name="", place=place)
    _band(axes, next(iter(curves.values())), figure)
    _name_ends(axes, ["by lot", *curves])


def _plain(axes: Axes, across: ArrayLike, up: ArrayLike) -> None:
    axes.plot(across, up, color=GREY, linewidth=1)


def _band(axes: Axes, curve: pd.DataFrame, figure: str) -> None:
    axes.fill_between(
        curve.index, curve[f"{figure}_low"], curve[f"{figure}_high"], color=COLOURS[0], alpha=0.15, linewidth=0
    )


def _name_ends(axes: Axes, names: list[str]) -> None:
    """Each line's name in its colour where the line leaves the picture; names at the right edge keep apart."""
    (bottom, top), right = axes.get_ylim(), axes.get_xlim()[1]
    ends: list[tuple[float, float, str, str]] = []
    for line, name in zip(axes.get_lines(), names, strict=True):
        points = np.column_stack(line.get_data()).astype(float)
        seen = points[(points[:, 1] >= bottom) & (points[:, 1] <= top)]
        if seen.size:
            ends.append((float(seen[-1, 1]), float(seen[-1, 0]), name, str(line.get_color())))
    free = bottom
    for up, across, name, colour in sorted(ends):
        height = max(up, free) if across == right else up
        free = height + GAP * (top - bottom) if across == right else free
        axes.annotate(
            name,
            (across, height),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            annotation_clip=False,
        )
