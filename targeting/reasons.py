"""Contributions to a risk, as reasons in plain words; pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from features.catalog import BY_NAME
from features.catalog.area import NEIGHBOURS
from features.catalog.poverty import AID, ASSETS
from features.catalog.wording import Words, reason

# features that say nearly the same thing give one reason
GROUPS: Mapping[str, tuple[str, ...]] = {
    "mother's height": ("mother_height_cm", "mother_short"),
    "mother's weight": ("mother_bmi", "mother_weight_kg", "mother_muac_cm"),
    "mother's age": ("mother_age", "mother_under20", "mother_over35"),
    "mother's schooling": ("mother_schooling", "mother_school_years", "mother_level", "mother_reads"),
    "mother's media": ("mother_news", "mother_tv"),
    "size at birth": ("birth_weight_g", "low_birth_weight", "birth_size"),
    "weighing at birth": ("not_weighed_at_birth", "weight_from_card"),
    "birth interval": ("birth_interval_months", "short_interval"),
    "birth order": ("birth_order", "first_born", "living_children"),
    "antenatal care": ("anc_visits", "anc_first_month", "anc_six"),
    "iron tablets": ("iron_given", "iron_days"),
    "place of birth": ("home_birth", "skilled_attendant"),
    "wealth": ("wealth_quintile", "desil", "asset_count", *(f"owns_{a}" for a in ASSETS)),
    "aid": tuple(f"gets_{a}" for a in AID),
    "house": ("floor_quality", "wall_quality", "roof_quality"),
    "cooking fuel": ("fuel_ladder", "solid_fuel"),
    "young children": ("under5_count", "under5_share"),
    "water": (
        "water_service",
        "water_improved",
        "water_krs_safe",
        "water_ladder",
        "water_piped",
        "water_minutes",
        "water_far",
        "water_treated",
    ),
    "toilet": (
        "toilet_service",
        "toilet_improved",
        "toilet_krs_safe",
        "toilet_ladder",
        "open_defecation",
        "toilet_shared",
    ),
    "neighbours": tuple(NEIGHBOURS),
    "past stunting": ("region_past_prevalence", "area_past_prevalence"),
}
GROUP_OF = {name: group for group, names in GROUPS.items() for name in names}
# past `at_least`, a reason must weigh this share of the row's first one to be worth reading
TELLING_SHARE = 0.1
# true of the model, of no use at the door
UNSAID = ("male", "urban")


@dataclass(frozen=True)
class Reason:
    """One fact that raises a risk, and by how much. [log-odds, over all features that say nearly the same]"""

    feature: str
    text_id: str
    text_en: str
    weight: float


@dataclass(frozen=True)
class _Layout:
    """Where the features of each group stand: `order` puts a group's side by side, `starts` is where each begins."""

    names: list[str]
    order: np.ndarray
    group: np.ndarray
    starts: np.ndarray


def explain(
    names: tuple[str, ...], values: np.ndarray, weights: np.ndarray, *, at_least: int = 3, at_most: int = 5
) -> list[tuple[Reason, ...]]:
    """The facts that raise each row's risk most, strongest first.

    A row with fewer than `at_least` groups that raise the risk gets those only. What is protected
    or `UNSAID` is never among them.

    Parameters
    ----------
    names
        Features, in the order of the columns of `values` and `weights`.
    values
        In the units of the catalogue; NaN is "not known".
    weights
        Contributions. [log-odds, positive raises the risk]
    at_least, at_most
        Groups shown per row; those past `at_least` weigh `TELLING_SHARE` of the first.

    Raises
    ------
    ValueError
        A feature is not in the catalogue, the shapes differ, or a weight is not a finite number.
    """
    _check(names, values, weights, at_least=at_least, at_most=at_most)
    layout = _layout(names)
    member, weight = _strongest(layout, np.isnan(values[:, layout.order]), weights[:, layout.order], at_most)
    amount = np.take_along_axis(values[:, layout.order], member, axis=1)
    count = _shown(weight, at_least).sum(axis=1)
    rows = zip(member.tolist(), amount.tolist(), weight.tolist(), count.tolist(), strict=True)
    return [
        tuple(_reason(layout.names[n], v, w) for n, v, w in zip(at[:some], known[:some], heavy[:some], strict=True))
        for at, known, heavy, some in rows
    ]


def _strongest(
    layout: _Layout, unknown: np.ndarray, weights: np.ndarray, at_most: int
) -> tuple[np.ndarray, np.ndarray]:
    """The groups that weigh most, strongest first: which feature speaks for each, and the weight of all of its own."""
    by_group = np.broadcast_to(layout.group, weights.shape)
    # A group's first by this order, known before unknown where they weigh the same, speaks for it.
    member = np.lexsort((unknown, -weights, by_group), axis=1)[:, layout.starts]
    weight = np.add.reduceat(weights, layout.starts, axis=1)
    order = np.lexsort((np.take_along_axis(unknown, member, axis=1), -weight), axis=1)[:, :at_most]
    return np.take_along_axis(member, order, axis=1), np.take_along_axis(weight, order, axis=1)


def _check(names: tuple[str, ...], values: np.ndarray, weights: np.ndarray, *, at_least: int, at_most: int) -> None:
    if not 0 <= at_least <= at_most:
        raise ValueError(f"at_least is {at_least}, at_most {at_most}; needed: 0 <= at_least <= at_most.")
    if not values.shape == weights.shape == (len(values), len(names)):
        raise ValueError(f"values {values.shape}, weights {weights.shape}: give both {len(names)} columns, equal rows.")
    bad = ~np.isfinite(weights).all(axis=1)
    if bad.any():
        raise ValueError(f"{bad.sum()} rows have a contribution that is not finite; re-run the contributions.")


@cache
def _layout(names: tuple[str, ...]) -> _Layout:
    foreign = [name for name in names if name not in BY_NAME]
    if foreign:
        raise ValueError(f"{len(foreign)} contributions are of no known feature; first: {foreign[0]!r}.")
    sayable = [n for n, name in enumerate(names) if not BY_NAME[name].protected and name not in UNSAID]
    place = {group: n for n, group in enumerate(dict.fromkeys(_group(names[n]) for n in sayable))}
    order = sorted(sayable, key=lambda n: place[_group(names[n])])
    group = np.array([place[_group(names[n])] for n in order], dtype=int)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return _Layout([names[n] for n in order], np.array(order, dtype=int), group, starts)


def _group(name: str) -> str:
    return GROUP_OF.get(name, name)


def _shown(weight: np.ndarray, at_least: int) -> np.ndarray:
    telling = weight >= TELLING_SHARE * weight[:, :1]
    telling[:, :at_least] = True
    return telling & (weight > 0)


def _reason(name: str, value: float, weight: float) -> Reason:
    # NaN never equals itself, so it would be worded anew each time.
    words = _words(name, None if math.isnan(value) else value)
    return Reason(name, words.id, words.en, weight)


@lru_cache(maxsize=50_000)
def _words(name: str, known: float | None) -> Words:
    return reason(BY_NAME[name], known)
