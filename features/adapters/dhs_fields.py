"""Which recode variable becomes which column: DHS Recode Manual names, phases 6 and 7."""

from __future__ import annotations

from dataclasses import dataclass

from features.adapters.dhs_codes import STANDARD


@dataclass(frozen=True)
class Item:
    """One column to fill.

    Parameters
    ----------
    sources
        Variables in order of preference; the first that the file has is used.
    codes
        Name of a code list, for a coded item.
    scale
        What the number is divided by (DHS stores tenths and hundredths).
    above
        Values above this are sentinels of the recode, whether labelled or not.
    """

    column: str
    sources: tuple[str, ...]
    codes: str = ""
    scale: float = 1
    above: float = float("inf")
    yes: bool = False


def _item(column: str, sources: str, **how: object) -> Item:
    return Item(column, tuple(sources.split()), **how)  # type: ignore[arg-type]  # checked by the dataclass


ASSETS = {
    "electricity": "v119 hv206", "radio": "v120 hv207", "tv": "v121 hv208", "fridge": "v122 hv209",
    "bicycle": "v123 hv210", "motorcycle": "v124 hv211", "car": "v125 hv212", "phone": "v153 hv221",
}  # fmt: skip
DWELLING_ITEMS = (
    _item("water_source", "v113 hv201", codes="water"),
    _item("water_minutes", "v115 hv204", above=900),
    _item("toilet", "v116 hv205", codes="toilet"),
    _item("toilet_shared", "v160 hv225", yes=True),
    *(_item(f"has_{asset}", sources, yes=True) for asset, sources in ASSETS.items()),
    _item("floor", "v127 hv213", codes="floor"),
    _item("wall", "v128 hv214", codes="wall"),
    _item("roof", "v129 hv215", codes="roof"),
    _item("cooking_fuel", "v161 hv226", codes="fuel"),
    _item("wealth_quintile", "v190 hv270", above=5),
    _item("head_sex", "v151 hv219", codes="sex"),
    _item("head_age_years", "v152 hv220", above=97),
)
DWELLING = tuple(i.column for i in DWELLING_ITEMS)
ITEMS: dict[str, tuple[Item, ...]] = {
    "household": (
        _item("completed", "hv015"),
        _item("member_count", "hv009"),
        _item("under5_count", "hv014"),
        _item("women_15_49_count", "hv010"),
        _item("sample_weight", "hv005", scale=1e6),
        _item("altitude_m", "hv040", above=9000),
        *DWELLING_ITEMS,
    ),
    "woman": (
        _item("age_years", "v012"),
        _item("education", "v149", codes="education"),
        _item("education_years", "v133", above=90),
        _item("literacy", "v155", codes="literacy"),
        _item("relation_to_head", "v150", codes="relation"),
        _item("reads_news", "v157", codes="media"),
        _item("watches_tv", "v159", codes="media"),
        _item("living_children", "v218", above=90),
        _item("language", "v131", codes="language"),
        *DWELLING_ITEMS,
    ),
    "woman_body": (
        _item("age_years", "ha1"),
        _item("weight_kg", "ha2", scale=10, above=9990),
        _item("height_cm", "ha3", scale=10, above=9990),
        # 994-999 are sentinels; ha56 has them less the correction for altitude, of up to 6 g/dL
        _item("haemoglobin_g_dl", "ha56 ha53", scale=10, above=930),
        _item("pregnant", "ha54", yes=True),
        _item("smokes", "ha35", above=90),
    ),
    "child_body": (
        _item("sex", "hc27", codes="sex"),
        _item("birth_order", "hc64", above=90),
        _item("preceding_interval_months", "hc63", above=900),
        _item("mother_education", "hc61", codes="level"),
        _item("birth_precision", "hc33"),
        _item("weight_kg", "hc2", scale=10, above=990),
        _item("height_cm", "hc3", scale=10, above=9990),
        _item("position", "hc15", codes="position"),
        _item("haz", "hc70", scale=100, above=600),
        _item("whz", "hc72", scale=100, above=500),
    ),
    "birth": (
        _item("birth_rank_recent", "midx bidx"),
        _item("anc_visits", "m14", above=90),
        _item("anc_first_month", "m13", above=90),
        _item("iron_given", "m45", yes=True),
        _item("iron_days", "m46", above=900),
        _item("tetanus_doses", "m1", above=7),
        _item("delivery_place", "m15", codes="place"),
        _item("doctor", "m3a", yes=True),
        _item("nurse", "m3b", yes=True),
        _item("midwife", "m3c", yes=True),
        _item("caesarean", "m17", yes=True),
        _item("wanted", "m10", codes="wanted"),
        _item("birth_weight_g", "m19", above=9000),
        _item("birth_weight_source", "m19a", codes="weight_source"),
        _item("birth_size", "m18", codes="birth_size"),
    ),
}


NEEDED = {
    "household": "hhid hv001 hv006 hv007 hv016 hv024",
    "woman": "caseid",
    "woman_body": "hhid ha0|hvidx",
    "child_body": "hhid hc0|hvidx hc30 hc31",
    "birth": "caseid midx|bidx",
}
"""Without these no row has a key or a date; of two with a bar between them, one is enough."""
KEY_TEXTS = ("hhid", "caseid")
WHOLE = {
    "household": "hv001 hv006 hv007 hv016 hv022 hv024 hv025",
    "woman": "v003",
    "woman_body": "ha0 hvidx",
    "child_body": "hc0 hvidx hc16 hc17 hc18 hc19 hc30 hc31 hc60",
    "birth": "",
}
"""Variables that count or number something, read apart from the items."""
INSTEAD = {
    "household": {"hv022": "stratum is null there", "hv025": "urban is null there"},
    "woman": {"v003": "the line of the woman is taken from caseid there"},
    "woman_body": {},
    "child_body": {
        "hc16": "the 15th is taken as the day of birth there",
        "hc17": "the day of the visit is taken as measured_on there",
        "hc18": "the day of the visit is taken as measured_on there",
        "hc19": "the day of the visit is taken as measured_on there",
        "hc60": "mother_id is null there",
    },
    "birth": {},
}
"""What is done when a variable that is not an item's is absent or empty."""
INSTEAD_OF = {
    "haz": "haz is null there",  # the outcome: said by itself
    "completed": "households that were not interviewed cannot be told from the others there",
    "birth_precision": "the precision of a birth date rests on hc16 alone there",
    **dict.fromkeys(("doctor", "nurse", "midwife"), "skilled_attendant rests on the other attendants there"),
}
"""The same for items that are not columns of a register themselves, or must not be lost in a list."""


assert all(i.codes in STANDARD for items in ITEMS.values() for i in items if i.codes)  # noqa: S101 (a typo here must not start)
