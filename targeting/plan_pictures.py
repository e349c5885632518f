"""Two pictures for whoever decides on a plan: beside other orders, and at other sizes of the round; as PNG."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from targeting.rival_orders import NAMES, NOT_KNOWN, PLAN
from training.plots import COLOURS, DASHES, GREY

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from targeting.rivals import Comparison

MARKS: Final = ("o", "s", "^", "D", "v")
FRAME_INCHES, LINE_INCHES, LEAST_INCHES = 1.3, 0.27, 3.6
TITLE_PAD = 40  # room for two lines of a legend [points]
FEW = 10  # children; fewer are shown to a tenth
MILLION: Final = 1e6
LEAST: Final = 1e-9  # an axis has a length though nobody is reached
UNKNOWN_ID: Final = "tidak diketahui"


def plans(made: Comparison, path: Path) -> None:
    """Write what each order reaches, with its interval, beside the share of each region's households it visits.

    Regions of most visits under this plan come first; one that is not known is last.
    """
    regions = made.coverage[made.coverage.dimension == "region_id"]
    height = max(LEAST_INCHES, FRAME_INCHES + LINE_INCHES * max(regions.group.nunique(), 1))
    figure = _figure(width=11.5, height=height)
    bars, shares = figure.subplots(1, 2, width_ratios=[1, 1])
    _bars(bars, made.table)
    if made.table.reached_low.notna().any():
        bars.set_xlabel(f"Anak stunting (perkiraan)\ngaris: selang {made.level:.0%} dari pelatihan ulang model")
    else:
        bars.set_xlabel("Anak stunting (perkiraan)")
    _shares(shares, regions)
    _write(figure, path)


def frontier(table: pd.DataFrame, path: Path) -> None:
    """Write what is reached against what is spent, this plan's line beside that of KRS.

    Parameters
    ----------
    table
        As `targeting.frontier.frontier` makes it; a size at which the limits do not fit is left out of the lines, and
        named below.
    """
    figure = _figure(width=7.5, height=5)
    axes = figure.add_subplot()
    by_visits = bool((table["of"] == "capacity").all())
    for place, (plan, rows) in enumerate(
        table.dropna(subset="reached").sort_values("factor").groupby("plan", sort=False)
    ):
        across, up = (rows.visits, rows.reached) if by_visits else (rows.services_idr / MILLION, rows.worth)
        axes.plot(
            across, up,
            label=NAMES[str(plan)].id, color=COLOURS[place], linestyle=DASHES[place], marker=MARKS[place],
            markersize=5, linewidth=1.6, clip_on=False,
        )  # fmt: skip
    told = f"{'Kunjungan' if by_visits else 'Rupiah untuk layanan (juta)'}{_lacking(table)}"
    axes.set(xlabel=told, ylabel="Anak stunting terjangkau (perkiraan)" if by_visits else "Nilai rencana (setara anak)")
    axes.set_title("Yang terjangkau bila putaran lebih kecil atau lebih besar", loc="left", fontsize=11, pad=26)
    _in_style(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(_dotted))
    _to_zero(axes)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    else:
        axes.text(0.5, 0.5, "Tidak ada ukuran yang memenuhi semua ketentuan", ha="center", transform=axes.transAxes)
    _write(figure, path)


def _bars(axes: Axes, table: pd.DataFrame) -> None:
    axes.set_title("Perkiraan anak stunting yang terjangkau", loc="left", fontsize=11, pad=TITLE_PAD)
    for place, row in enumerate(table.to_dict("records")):
        axes.barh(place, row["reached"], 0.62, color=COLOURS[place], alpha=1 if row["plan"] == PLAN else 0.6)
        end = row["reached"]
        if not math.isnan(row["reached_high"]):
            axes.plot([row["reached_low"], row["reached_high"]], [place] * 2, color="#222222", linewidth=1.6)
            end = row["reached_high"]
        ratio = row["ratio"]
        times = "" if row["plan"] == PLAN or math.isnan(ratio) else f"  (rencana ini {_comma(round(ratio, 1))} kali)"
        axes.annotate(
            f"{_dotted(round(row['reached'], 0 if row['reached'] >= FEW else 1))}{times}", (end, place), xytext=(6, 0),
            textcoords="offset points", va="center", fontsize=9,
        )  # fmt: skip
    axes.set_yticks(range(len(table)), table.name_id)
    axes.invert_yaxis()
    widest = max(table.reached.max(), table.reached_high.fillna(0.0).max(), LEAST)
    axes.set_xlim(0, 1.45 * widest)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    _in_style(axes, along="x")


def _shares(axes: Axes, regions: pd.DataFrame) -> None:
    axes.set_title("Bagian keluarga yang dikunjungi, per wilayah", loc="left", fontsize=11, pad=TITLE_PAD)
    own = regions[regions.plan == PLAN].assign(last=lambda each: each.group == NOT_KNOWN)
    order = own.sort_values(["last", "share", "group"], ascending=[True, False, True]).group.tolist()
    for place, (plan, rows) in enumerate(regions.groupby("plan", sort=False)):
        down = rows.group.map(order.index)
        axes.plot(
            100 * rows.share, down, MARKS[place], color=COLOURS[place], label=NAMES[str(plan)].id, clip_on=False,
            markersize=7 if plan == PLAN else 5, markerfacecolor=COLOURS[place] if plan == PLAN else "none",
            zorder=4 if plan == PLAN else 3,
        )  # fmt: skip
    names = [UNKNOWN_ID if name == NOT_KNOWN else name for name in order]
    axes.set_yticks(range(len(order)), names, fontsize=8, parse_math=False)
    axes.set_ylim(max(len(order), 1) - 0.5, -0.5)
    axes.set_xlim(left=0)
    axes.set_xlabel("Keluarga yang dikunjungi (%)")
    _in_style(axes, along="both")
    axes.legend(
        frameon=False, fontsize=8.5, ncols=3, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2,
        handletextpad=0.1, columnspacing=0.9,
    )  # fmt: skip


def _lacking(table: pd.DataFrame) -> str:
    """The sizes at which limits do not fit, for below the axis."""
    sizes = sorted(table.factor[table.refused.notna()].unique())
    said = ", ".join(f"{_comma(size)} kali" for size in sizes)
    return f"\nTanpa titik, karena ketentuannya tidak muat: {said}" if sizes else ""


def _comma(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".").replace(".", ",")


def _to_zero(axes: Axes) -> None:
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


def _in_style(axes: Axes, *, along: Literal["x", "both"] = "both") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.grid(visible=True, axis=along, color="#E5E5E5", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_formatter(FuncFormatter(_dotted))


def _dotted(number: float, _: int = 0) -> str:
    """As Indonesia writes it: a dot between thousands, a comma before decimals."""
    return f"{number:,.9g}".translate(str.maketrans(",.", ".,"))


def _figure(*, width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _write(figure: Figure, path: Path) -> None:
    # The version stamp would differ between machines.
    figure.savefig(path, format="png", metadata={"Software": None})
