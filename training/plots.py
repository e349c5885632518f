"""Three pictures of how good the risks are, each written as one PNG."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from training.metrics import BINS, Steps, hits_within, steps_of

# Okabe and Ito, "Color Universal Design", 2008; their yellow is too pale for a line.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# A second cue beside colour; 4 and 7 share no factor, so 28 lines differ.
DASHES: Final = ("-", "--", "-.", ":")
GREY: Final = "#777777"
_SHARES: Final = np.linspace(0.01, 0.5, 50)


def roc(label: ArrayLike, risks: Mapping[str, ArrayLike], path: Path) -> None:
    """Write the share of cases found against the share of others visited [0-1].

    Parameters
    ----------
    label
        What happened, 0 or 1, both present. Shape (rows,).
    risks
        Name in the legend -> risk or score, higher is riskier. Shape (rows,) each.
    path
        The PNG to write; its folder must exist.
    """
    axes = new_axes("Children who did not become cases, visited", "Cases found")
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1)
    for place, (name, risk) in enumerate(risks.items()):
        steps = steps_of(label, risk)
        add_line(axes, _share(steps.misses), _share(steps.hits), name=name, place=place)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    write_png(axes, path)


def precision_at_capacity(label: ArrayLike, risks: Mapping[str, ArrayLike], path: Path) -> None:
    """Write the share of visited children who are cases, at capacities of 1-50%.

    Equal risks share the last places evenly. Parameters as for `roc`; the grey
    line is what visiting at random would find.
    """
    axes = new_axes("Share of children visited", "Visited children who are cases")
    axes.axhline(float(np.mean(np.asarray(label, dtype=float))), color=GREY, linewidth=1)
    for place, (name, risk) in enumerate(risks.items()):
        steps = steps_of(label, risk)
        places = _SHARES * steps.mass.sum()
        add_line(axes, _SHARES, hits_within(steps, places) / places, name=name, place=place)
    axes.set(xlim=(0, _SHARES[-1]))
    axes.set_ylim(bottom=0)
    write_png(axes, path)


def calibration(label: ArrayLike, risks: Mapping[str, ArrayLike], path: Path) -> None:
    """Write observed against forecast risk, in ten bins of equal size [0-1].

    Parameters as for `roc`, but each must be a probability; the grey diagonal is a
    forecast that keeps its word.
    """
    axes = new_axes("Forecast risk", "Observed share of cases")
    axes.axline((0, 0), slope=1, color=GREY, linewidth=1)
    for place, (name, risk) in enumerate(risks.items()):
        forecast, observed = _binned(steps_of(label, risk))
        add_line(axes, forecast, observed, name=name, place=place, marker="o")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    write_png(axes, path)


def new_axes(across: str, up: str) -> Axes:
    """An empty picture in the house style, its axes named in words."""
    figure = Figure(figsize=(6, 5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(xlabel=across, ylabel=up)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#E5E5E5", linewidth=0.6)
    return axes


def add_line(axes: Axes, across: ArrayLike, up: ArrayLike, *, name: str, place: int, marker: str = "") -> None:
    """Draw one line in the colour and dash of its `place`, 0 or more; an empty name stays out of the legend."""
    axes.plot(
        np.asarray(across),
        np.asarray(up),
        label=name,
        color=COLOURS[place % len(COLOURS)],
        linestyle=DASHES[place % len(DASHES)],
        marker=marker,
        markersize=4,
        linewidth=1.6,
    )


def _share(amount: ArrayLike) -> ArrayLike:
    total = np.cumsum(amount, dtype=float)
    return np.concatenate([[0.0], total / total[-1]])


def _binned(steps: Steps) -> tuple[ArrayLike, ArrayLike]:
    edges = np.linspace(0, steps.mass.sum(), BINS + 1)
    expected = steps._replace(hits=steps.mass * steps.risk)
    forecast, observed = (np.diff(hits_within(one, edges)) for one in (expected, steps))
    return forecast / np.diff(edges), observed / np.diff(edges)


def write_png(axes: Axes, path: Path) -> None:
    """Write the picture, with a legend if a line has a name; the same numbers give the same bytes."""
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize="small")
    # The version stamp would differ between machines.
    if figure := axes.get_figure(root=True):
        figure.savefig(path, format="png", metadata={"Software": None})
