"""Where the lines of small pictures lie that show how the figures of the evaluations went, one picture a figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from serving.model_history import SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.model_history import Judged

WIDTH, HEIGHT, EDGE = 180, 56, 6
MOST_POINTS: Final = 40
LEAST_RANGE: Final = 0.1
"""What a picture is high at least: a smaller difference looks small."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A figure over the evaluations, the oldest first.

    Parameters
    ----------
    dots
        Where each evaluation stands in a picture of `WIDTH` by `HEIGHT`.
    first, last, least, most
        In the figure's own unit.
    """

    name: str
    dots: tuple[tuple[float, float], ...]
    first: float
    last: float
    least: float
    most: float
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def points(self) -> str:
        """As an SVG polyline has them."""
        return " ".join(f"{x},{y}" for x, y in self.dots)


def lines(judged: Sequence[Judged]) -> tuple[Line, ...]:
    """A picture of every figure that two evaluations or more have, of the newest `MOST_POINTS`.

    Parameters
    ----------
    judged
        The newest first, as the history has them.
    """
    known = {name: [one.figures[name] for one in reversed(judged) if name in one.figures] for name in SHOWN}
    return tuple(_line(name, values[-MOST_POINTS:]) for name, values in known.items() if len(values) > 1)


def _line(name: str, values: list[float]) -> Line:
    least, most = min(values), max(values)
    shown = max(most - least, LEAST_RANGE)
    foot, high = (least + most - shown) / 2, (HEIGHT - 2 * EDGE) / shown
    step = (WIDTH - 2 * EDGE) / (len(values) - 1)
    dots = tuple(
        (round(EDGE + place * step, 1), round(HEIGHT - EDGE - (value - foot) * high, 1))
        for place, value in enumerate(values)
    )
    return Line(name=name, dots=dots, first=values[0], last=values[-1], least=least, most=most)
