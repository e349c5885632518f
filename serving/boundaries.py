"""Outlines of regions and areas from GeoJSON, read once at start-up, and drawn as paths of an SVG."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from features.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

SEPARATOR: Final = "|"
MOST_MIB: Final = 64
WHAT = "GeoJSON of kecamatan or desa as polygons, in degrees of longitude and latitude (EPSG:4326)"
REMEDY = "Correct the file, or unset TEPAT_BOUNDARIES: a grid of tiles stands in for the map."
CLOSED: Final = 4
"""Points of the smallest ring: a triangle, its first point again at the end."""
AT_THE_EDGE: Final = (180.0, 90.0)
WIDTH: Final = 900
HEIGHT: Final = 760
MARGIN: Final = 4
MOST_TEXT: Final = 90_000
"""Characters of all paths of one map, beyond which its points are thinned further."""
COARSER: Final = 1.5


@dataclass(frozen=True, eq=False)
class Boundaries:
    """What was read: for each property of each file whose values tell its features apart, rings by that value.

    A ring is an array of longitude and latitude. [degrees] Shape (points, 2)
    """

    layers: tuple[Mapping[str, tuple[np.ndarray, ...]], ...]

    def of(self, codes: Collection[str]) -> dict[str, tuple[np.ndarray, ...]]:
        """The outlines of those of these codes that have one; the property that knows most of them comes first."""
        wanted = {key_of(code): code for code in codes}
        found: dict[str, tuple[np.ndarray, ...]] = {}
        for layer in sorted(self.layers, key=lambda one: -len(wanted.keys() & one.keys())):
            found = {wanted[key]: layer[key] for key in wanted.keys() & layer.keys()} | found
        return found


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A place on a map.

    Parameters
    ----------
    path
        Of an SVG, in whole units.
    x, y, room
        A point inside it, and how wide it is there.
    """

    path: str
    x: int
    y: int
    room: int


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A map of some places, by their codes; `width` and `height` are those of its view box."""

    width: int
    height: int
    outlines: Mapping[str, Outline]


def key_of(code: str) -> str:
    """By which codes are compared: with and without dots they are the same.

    Examples
    --------
    >>> key_of("32.15.01.1001") == key_of("3215011001")
    True
    """
    return code.replace(".", "").strip().casefold()


def read_boundaries(told: str | None) -> Boundaries | None:
    """The outlines that a setting names: a folder, or files joined by a vertical bar; None without one.

    Raises
    ------
    InputRefused
        One of them is no such file.
    """
    if told is None:
        return None
    paths = [path for name in told.split(SEPARATOR) if name.strip() for path in _files(Path(name.strip()))]
    return Boundaries(tuple(layer for path in paths for layer in _layers(path)))


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(one for one in path.iterdir() if one.suffix.lower() in {".geojson", ".json"})
    if not found:
        raise InputRefused(f"{path}, a folder without a .geojson file, in TEPAT_BOUNDARIES", WHAT, REMEDY)
    return found


def _layers(path: Path) -> Iterator[dict[str, tuple[np.ndarray, ...]]]:
    features = _features(path)
    rings = [_rings(feature, path, number) for number, feature in enumerate(features, start=1)]
    named = [{**(one.get("properties") or {}), "id": one.get("id")} for one in features]
    known = 0
    for name in {name for one in named for name in one}:
        keys = [key_of(str(one[name])) for one in named if isinstance(one.get(name), str | int)]
        if len(keys) == len(set(keys)) == len(named):
            known += 1
            yield dict(zip(keys, rings, strict=True))
    if not known:
        raise _refused(path, "no property tells its features apart, as a code of each would")


def _features(path: Path) -> list[dict[str, Any]]:
    try:
        if path.stat().st_size > MOST_MIB * 2**20:
            raise _refused(path, f"it is larger than {MOST_MIB} MiB")
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise _refused(path, f"it cannot be read as JSON ({type(fault).__name__})") from fault
    features = told.get("features") if isinstance(told, dict) else None
    if not isinstance(features, list) or not features or not all(isinstance(one, dict) for one in features):
        raise _refused(path, "it is no FeatureCollection with features")
    return features


def _rings(feature: dict[str, Any], path: Path, number: int) -> tuple[np.ndarray, ...]:
    geometry: dict[str, Any] = feature.get("geometry") or {}
    kind, told = geometry.get("type"), geometry.get("coordinates", [])
    if kind not in {"Polygon", "MultiPolygon"}:
        raise _refused(path, f"feature {number} is no polygon, but {kind!r}")
    try:
        parts = [told] if kind == "Polygon" else list(told)
        rings = tuple(np.array([point[:2] for point in ring], dtype=float) for part in parts for ring in part)
    except (TypeError, ValueError) as fault:
        raise _refused(path, f"the coordinates of feature {number} are no rings of points") from fault
    whole = all(len(ring) >= CLOSED and (np.abs(ring) <= AT_THE_EDGE).all() for ring in rings)
    if not rings or not whole:  # a null coordinate is NaN, and no NaN is within the edge
        raise _refused(path, f"feature {number} has a ring of fewer than 4 points, or of points that are no degrees")
    return rings


def _refused(path: Path, why: str) -> InputRefused:
    return InputRefused(f"{path} in TEPAT_BOUNDARIES: {why}", WHAT, REMEDY)


def drawn(shapes: Mapping[str, Sequence[np.ndarray]]) -> Drawing:
    """A map of the places, north above, as large as they are; `shapes` must hold one.

    Points fall on a grid, the same for neighbours, so that no gap opens between them; where there are too many, on a
    coarser one.
    """
    every = np.concatenate([ring for rings in shapes.values() for ring in rings])
    low, high = every.min(axis=0), every.max(axis=0)
    # A degree of longitude is shorter than one of latitude, by the cosine; across one district that is the whole tale.
    stretch = np.array([np.cos(np.radians((low[1] + high[1]) / 2)), -1.0])
    size = np.maximum((high - low) * np.abs(stretch), 1e-9)
    scale = min(WIDTH / size[0], HEIGHT / size[1])
    corner = np.array([low[0], high[1]])
    flat = {
        code: [(ring - corner) * stretch * scale + MARGIN for ring in rings] for code, rings in sorted(shapes.items())
    }
    width, height = (int(np.ceil(side * scale)) + 2 * MARGIN for side in size)
    return Drawing(width=width, height=height, outlines=_outlines(flat))


def _outlines(flat: Mapping[str, Sequence[np.ndarray]]) -> dict[str, Outline]:
    step = 1.0
    while True:
        paths = {code: "".join(_path(ring, step) for ring in rings) for code, rings in flat.items()}
        if sum(map(len, paths.values())) <= MOST_TEXT:
            break
        step *= COARSER
    return {code: _outline(path or _dot(flat[code]), flat[code]) for code, path in paths.items()}


def _path(ring: np.ndarray, step: float) -> str:
    points = np.rint(np.rint(ring / step) * step).astype(int)
    points = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    if len(points):
        before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
        points = points[before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]]
    if len(points) < CLOSED - 1:
        return ""
    moves = " ".join(f"{x} {y}" for x, y in np.diff(points, axis=0))
    return f"M{points[0][0]} {points[0][1]}l{moves}z".replace(" -", "-")


def _dot(rings: Sequence[np.ndarray]) -> str:
    """A place that is smaller than the grid is still to be seen."""
    x, y = np.rint(rings[0][0]).astype(int)
    return f"M{x - 2} {y - 2}h4v4h-4z"


def _outline(path: str, rings: Sequence[np.ndarray]) -> Outline:
    x, y, room = _inside(max(rings, key=_size_of))
    return Outline(path=path, x=round(x), y=round(y), room=int(room))


def _size_of(ring: np.ndarray) -> float:
    x, y = ring[:, 0], ring[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _inside(ring: np.ndarray) -> tuple[float, float, float]:
    """The middle of the widest stretch inside a ring, half way down, and how wide it is there."""
    y = (ring[:, 1].min() + ring[:, 1].max()) / 2
    here, after = ring, np.roll(ring, -1, axis=0)
    cut = (here[:, 1] <= y) != (after[:, 1] <= y)
    (x0, y0), (x1, y1) = here[cut].T, after[cut].T
    at = np.sort(x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    starts, ends = at[0::2], at[1::2]
    if not len(ends):
        return float(ring[0, 0]), float(y), 0.0
    widest = int(np.argmax(ends - starts))
    return float(starts[widest] + ends[widest]) / 2, float(y), float(ends[widest] - starts[widest])
