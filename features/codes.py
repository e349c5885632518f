"""The words for floors, fuels, water, toilets and schooling that the registers share, and what each means."""

from __future__ import annotations

EDUCATION = {
    "none": "no schooling",
    "primary_incomplete": "SD not finished",
    "primary": "SD finished",
    "secondary_incomplete": "SMP/SMA not finished",
    "secondary": "SMA finished",
    "higher": "beyond SMA",
}
WALL_OR_ROOF = {
    "natural": "leaves, mats, cardboard, none",
    "rough": "wood, bamboo, earth",
    "finished": "brick, cement, tile, metal sheet",
}
FLOOR = {
    "earth": "earth or sand",
    "rough": "planks, bamboo",
    "cement": "cement or brick",
    "finished": "tile, vinyl, polished wood",
}
FUEL = {
    "electricity": "electricity",
    "gas": "LPG or natural gas",
    "kerosene": "kerosene",
    "coal": "coal or charcoal",
    "wood": "firewood",
    "residue": "straw, crop residue, dung",
    "none": "no cooking at home",
}
WATER = {
    "piped": "piped into the dwelling",
    "piped_yard": "piped to the yard or building",
    "public_tap": "public tap",
    "borehole": "borehole or pump",
    "protected_well": "protected dug well",
    "unprotected_well": "unprotected dug well",
    "well": "dug well, protection not stated",
    "protected_spring": "protected spring",
    "unprotected_spring": "unprotected spring",
    "spring": "spring, protection not stated",
    "rain": "rainwater",
    "tanker": "tanker or cart",
    "packaged": "bottled or refill water",
    "surface": "river, dam, lake, canal",
    "other": "other",
}
TOILET = {
    "flush_sewer": "flush, to sewer or treatment, or inside the dwelling and not stated where to",
    "flush_septic": "swan neck, to a septic tank",
    "flush_outside": "flush, shared system outside the dwelling",
    "flush_pit": "flush, to a pit",
    "flush_open": "flush, to a drain, river or pond",
    "pit_ventilated": "ventilated improved pit",
    "pit_slab": "pit with slab",
    "pit_open": "pit without slab (cemplung), or slab not stated",
    "hanging": "over water, or a bucket",
    "none": "no facility (open defecation)",
    "other": "other",
}
