"""Where the household lives, and what was known of stunting there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibis import _

from features.catalog.feature import Feature, Subject, View

if TYPE_CHECKING:
    import ibis

REGISTER = "register `area`"
PAST = "outcomes of earlier rounds, register `measurement`"
NEIGHBOURS = {
    "area_wealth": "wealth_quintile",
    "area_desil": "desil",
    "area_solid_fuel": "solid_fuel",
    "area_toilet_safe": "toilet_krs_safe",
    "area_mother_schooling": "mother_school_years",
    "area_mother_height": "mother_height_cm",
}
"""Mean over the area's other households, and the feature that it is the mean of."""


def _feature(name: str, words: tuple[str, str], value: ibis.Deferred, **more: object) -> Feature:
    given = {
        "unit": "-", "valid": (0, 1), "null_means": "area not known", "direction": 0, "actionable": False,
        "source": REGISTER, "view": View.AREA,
    }  # fmt: skip
    return Feature(
        name=name, subject=Subject.AREA, meaning_id=words[0], meaning_en=words[1], value=value,
        **(given | more),  # type: ignore[arg-type]  # the dataclass checks them
    )  # fmt: skip


def _neighbours(name: str, words: tuple[str, str], **more: object) -> Feature:
    item = NEIGHBOURS[name]
    total, households = getattr(_, f"{item}_total"), getattr(_, f"{item}_households")
    given = {"view": View.NEIGHBOURS, "null_means": "no other household of the area was known by then",
             "source": f"feature `{item}` of the area's other households"}  # fmt: skip
    return _feature(name, words, total / households.nullif(0.0), **(given | more))


FEATURES = (
    _feature("altitude_m", ("ketinggian tempat tinggal", "altitude"), _.altitude_m.cast("float64"), unit="m",
             valid=(-50, 6000), direction=1),
    _feature("urban", ("tinggal di perkotaan", "urban"), _.urban.cast("float64")),
    _feature("region_past_prevalence", ("prevalensi stunting wilayah pada putaran lalu", "past stunting in the region"),
             _.region_prevalence, unit="share", view=View.HISTORY, source=PAST, direction=1,
             null_means="no earlier round is known"),
    _feature("area_past_prevalence", ("prevalensi stunting desa pada putaran lalu", "past stunting in the area, shrunk"),
             _.area_prevalence, unit="share", view=View.HISTORY, source=PAST, direction=1,
             null_means="no earlier round is known"),
    _neighbours("area_wealth", ("rata-rata kuintil kesejahteraan tetangga sedesa", "neighbours' mean wealth quintile"),
                valid=(1, 5), direction=-1),
    _neighbours("area_desil", ("rata-rata desil tetangga sedesa", "neighbours' mean welfare decile"), valid=(1, 10),
                direction=-1),
    _neighbours("area_solid_fuel", ("tetangga sedesa yang memasak dengan bahan bakar padat", "neighbours cooking with solid fuel"),
                unit="share", direction=1),
    _neighbours("area_toilet_safe", ("tetangga sedesa dengan jamban layak menurut KRS", "neighbours with a toilet proper by KRS"),
                unit="share"),
    _neighbours("area_mother_schooling", ("rata-rata lama sekolah ibu-ibu sedesa", "neighbouring mothers' mean years of schooling"),
                unit="years", valid=(0, 25), direction=-1),
    _neighbours("area_mother_height", ("rata-rata tinggi badan ibu-ibu sedesa", "neighbouring mothers' mean height"), unit="cm",
                valid=(120, 200), direction=-1),
)  # fmt: skip
