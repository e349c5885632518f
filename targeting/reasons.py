"""Contributions to a risk, as reasons in plain words; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from features.catalog import BY_NAME
from features.catalog.area import NEIGHBOURS
from features.catalog.feature import Feature
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
class _Grouped:
    """Summed weight, strongest member and whether it is not known: each rows by groups."""

    weight: np.ndarray
    member: np.ndarray
    unknown: np.ndarray


def explain(values: pd.DataFrame, contributions: pd.DataFrame, *, at_least: int = 3, at_most: int = 5) -> pd.DataFrame:
    """Give each row the facts that raise its risk most, strongest first, on the index of `values`.

    Columns `reasons_id`, `reasons_en`, `reason_features` (lists of str) and `reason_weights` (of
    float, log-odds, each the sum over the features that say nearly the same) are equally long.
    A row with fewer than `at_least` groups that raise the risk gets those only. What is protected
    or `UNSAID` is never among them.

    Parameters
    ----------
    values
        One column per feature, in the units of the catalogue; null is "not known".
    contributions
        Same index; one column per feature explained. [log-odds, positive raises the risk]
    at_least, at_most
        Groups shown per row; those past `at_least` weigh `TELLING_SHARE` of the first.

    Raises
    ------
    ValueError
        The tables do not belong together, a feature is not in the catalogue, or a
        contribution is not a finite number.
    """
    _check(values, contributions, at_least=at_least, at_most=at_most)
    columns = list(map(str, contributions))
    sayable = [n for n, name in enumerate(columns) if not BY_NAME[name].protected and name not in UNSAID]
    names = [columns[n] for n in sayable]
    same = values if list(values) == columns else values[columns]
    seen = same.to_numpy(dtype=float, na_value=np.nan)[:, sayable]
    grouped = _grouped(names, contributions.to_numpy(dtype=float)[:, sayable], np.isnan(seen))
    order = np.lexsort((grouped.unknown, -grouped.weight), axis=1)[:, :at_most]
    weight = np.take_along_axis(grouped.weight, order, axis=1)
    shown = _shown(weight, at_least)
    said = _worded(names, seen, np.take_along_axis(grouped.member, order, axis=1), shown)
    said["reason_weights"] = [row[:n] for row, n in zip(weight.tolist(), shown.sum(axis=1).tolist(), strict=True)]
    return pd.DataFrame(said, index=values.index, dtype=object)


def _check(values: pd.DataFrame, contributions: pd.DataFrame, *, at_least: int, at_most: int) -> None:
    if not 0 <= at_least <= at_most:
        raise ValueError(f"at_least is {at_least}, at_most {at_most}; needed: 0 <= at_least <= at_most.")
    if not values.index.equals(contributions.index):
        raise ValueError("values and contributions have different indexes; give both the same rows in order.")
    foreign = [c for c in contributions if c not in BY_NAME or c not in values]
    if foreign:
        raise ValueError(f"{len(foreign)} contributions are of no known feature; first: {foreign[0]!r}.")
    bad = ~np.isfinite(contributions.to_numpy(dtype=float)).all(axis=1)
    if bad.any():
        raise ValueError(f"{bad.sum()} rows have a contribution that is not finite; re-run the contributions.")


def _grouped(names: list[str], weights: np.ndarray, unknown: np.ndarray) -> _Grouped:
    columns: dict[str, list[int]] = {}
    for n, name in enumerate(names):
        columns.setdefault(GROUP_OF.get(name, name), []).append(n)
    shape = (len(weights), len(columns))
    weight, member = np.zeros(shape), np.zeros(shape, dtype=int)
    for g, at in enumerate(columns.values()):
        weight[:, g] = weights[:, at].sum(axis=1)
        strongest = np.lexsort((unknown[:, at], -weights[:, at]), axis=1)[:, 0]
        member[:, g] = np.array(at)[strongest]
    return _Grouped(weight, member, np.take_along_axis(unknown, member, axis=1))


def _shown(weight: np.ndarray, at_least: int) -> np.ndarray:
    telling = weight >= TELLING_SHARE * weight[:, :1]
    telling[:, :at_least] = True
    return telling & (weight > 0)


def _worded(names: list[str], seen: np.ndarray, chosen: np.ndarray, shown: np.ndarray) -> dict[str, list[Any]]:
    features, phrases = [BY_NAME[name] for name in names], _Phrases()
    amounts = np.take_along_axis(seen, chosen, axis=1).tolist()
    found: dict[str, list[Any]] = {"reasons_id": [], "reasons_en": [], "reason_features": []}
    for at, amount, some in zip(chosen.tolist(), amounts, shown.sum(axis=1).tolist(), strict=True):
        words = [phrases.of(features[n], v) for n, v in zip(at[:some], amount[:some], strict=True)]
        found["reasons_id"].append([w.id for w in words])
        found["reasons_en"].append([w.en for w in words])
        found["reason_features"].append([names[n] for n in at[:some]])
    return found


class _Phrases:
    """Each phrase, made once per feature and value."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, float | None], Words] = {}

    def of(self, feature: Feature, value: float) -> Words:
        # NaN never equals itself, so it would be made anew each time
        known = None if np.isnan(value) else value
        key = (feature.name, known)
        if key not in self._made:
            self._made[key] = reason(feature, known)
        return self._made[key]
