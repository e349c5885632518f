"""Where the lines of a picture of rounds lie: reached against visits, for each order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from targeting.preview import Preview

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 68, 16, 16, 48
TICKS: Final = 5
"""About so many on an axis."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A number on an axis, and where it stands."""

    value: float
    at: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One order's line, as the points of a polyline."""

    name: str
    points: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A picture of `WIDTH` by `HEIGHT`; `mark` is the point of the round itself, None where it cannot be."""

    curves: tuple[Curve, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    mark: tuple[float, float] | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    foot: int = HEIGHT - BOTTOM


def drawn(made: Preview) -> Chart | None:
    """The picture of a preview; None where there is nothing to draw."""
    if not made.curve:
        return None
    widest = made.curve[-1].visits
    highest = max(max(point.reached.values()) for point in made.curve) or 1.0

    def x(visits: float) -> float:
        return round(LEFT + visits / widest * (WIDTH - LEFT - RIGHT), 1)

    def y(reached: float) -> float:
        return round(HEIGHT - BOTTOM - reached / highest * (HEIGHT - TOP - BOTTOM), 1)

    names = made.curve[0].reached
    lines = {name: " ".join(f"{x(p.visits)},{y(p.reached[name])}" for p in made.curve) for name in names}
    return Chart(
        curves=tuple(Curve(name=name, points=points) for name, points in lines.items()),
        across=tuple(Tick(value=value, at=x(value)) for value in ticks(widest)),
        up=tuple(Tick(value=value, at=y(value)) for value in ticks(highest)),
        mark=None if made.at is None else (x(made.at.visits), y(made.at.reached["plan"])),
    )


def ticks(greatest: float) -> list[float]:
    """Round numbers from 0 to the greatest, about `TICKS` of them.

    Examples
    --------
    >>> ticks(34), ticks(7.6)
    ([0, 10, 20, 30], [0, 2, 4, 6])
    """
    rough = greatest / TICKS
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * by for by in (1, 2, 5, 10) if unit * by >= rough)
    if step >= 1:
        return [int(step) * place for place in range(int(greatest / step) + 1)]
    return [round(step * place, 6) for place in range(int(greatest / step + 1e-9) + 1)]
