"""How places are shaded, drawn and labelled: a map where there are outlines, else a grid of tiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from serving.boundaries import Boundaries, Drawing, drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serving.boundaries import Outline
    from serving.landscape import Place
    from serving.pages.language import Language

STEPS: Final = 5
LETTER: Final = 9.5
"""Width of a letter on the map, with some room beside it, in its units."""


@dataclass(frozen=True)
class Shade:
    """What may be shaded; `words` and `help` are Indonesian, `figure` is what a place has of it, `said` in words."""

    code: str
    words: str
    help: str
    figure: Callable[[Place], float | None]
    said: Callable[[Language, float | None], str]


def words(text: str) -> str:
    """Marks a text for the catalogue."""
    return text


SHADES: Final = (
    Shade(
        "expected",
        words("Perkiraan anak stunting"),
        words("Jumlah risiko semua anak balita yang dinilai, pada tingkat register."),
        lambda place: place.expected_now if place.children else None,
        lambda said, value: said.number(value),
    ),
    Shade(
        "share",
        words("Bagian anak berisiko"),
        words("Perkiraan anak stunting dibagi jumlah anak balita yang dinilai."),
        lambda place: place.share,
        lambda said, value: said.percent(value, 1),
    ),
    Shade(
        "reached",
        words("Terjangkau daftar terbaru"),
        words("Bagian dari perkiraan anak stunting yang keluarganya ada di daftar terbaru."),
        lambda place: place.reached_share,
        lambda said, value: said.percent(value, 0),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A place with its figure; `step` is 0, the palest, to 4, None without a figure; `outline` is None off the map."""

    place: Place
    said: str
    step: int | None
    outline: Outline | None
    labelled: bool
    named: bool


@dataclass(frozen=True)
class Key:
    """A step of the legend: from the lowest to the highest figure that has it."""

    step: int
    low: str
    high: str


@dataclass(frozen=True)
class Map:
    """`drawing` is None where no place has an outline; `off` are those without one."""

    tiles: tuple[Tile, ...]
    legend: tuple[Key, ...]
    drawing: Drawing | None
    off: int


def steps(values: Sequence[float | None]) -> list[int | None]:
    """A step for each figure, as many figures on each as can be; equal figures have one step.

    Examples
    --------
    >>> steps([0.1, 0.2, 0.3, 0.4, 0.5, None]), steps([7.0, 3.0]), steps([7.0])
    ([0, 1, 2, 3, 4, None], [4, 0], [2])
    """
    kinds = sorted({value for value in values if value is not None})
    last = len(kinds) - 1
    if last < 1:
        return [None if value is None else STEPS // 2 for value in values]
    if last < STEPS:
        of = {value: round(place * (STEPS - 1) / last) for place, value in enumerate(kinds)}
    else:
        of = {value: place * STEPS // len(kinds) for place, value in enumerate(kinds)}
    return [None if value is None else of[value] for value in values]


def mapped(places: Sequence[Place], shade: Shade, *, said: Language, boundaries: Boundaries | None) -> Map:
    """The places, shaded; those with the most of it first."""
    figures = [shade.figure(place) for place in places]
    stepped = steps(figures)
    drawing = _drawn(boundaries, tuple(place.id for place in places if place.id)) if boundaries else None
    outlines = drawing.outlines if drawing else {}
    tiles = [
        _tile(place, shade.said(said, figure), step=step, outline=outlines.get(place.id or ""))
        for place, figure, step in zip(places, figures, stepped, strict=True)
    ]
    told = [-1.0 if figure is None else figure for figure in figures]
    order = sorted(range(len(tiles)), key=lambda at: -told[at])
    off = sum(one.outline is None and one.place.id is not None for one in tiles)
    legend = [_key(step, figures, stepped, shade=shade, said=said) for step in range(STEPS) if step in stepped]
    return Map(tuple(tiles[at] for at in order), tuple(legend), drawing, off)


def _tile(place: Place, told: str, *, step: int | None, outline: Outline | None) -> Tile:
    room = outline.room if outline else 0
    named = place.name is not None and room >= LETTER * len(place.name)
    return Tile(place=place, said=told, step=step, outline=outline, labelled=room >= LETTER * len(told), named=named)


def _key(
    step: int, figures: Sequence[float | None], stepped: Sequence[int | None], *, shade: Shade, said: Language
) -> Key:
    of = [value for value, at in zip(figures, stepped, strict=True) if at == step and value is not None]
    return Key(step, shade.said(said, min(of)), shade.said(said, max(of)))


@lru_cache(maxsize=256)
def _drawn(boundaries: Boundaries, codes: tuple[str, ...]) -> Drawing | None:
    shapes = boundaries.of(codes)
    return drawn(shapes) if shapes else None
