"""The words that registers may hold where they hold no numbers, and what each means."""

from __future__ import annotations

EDUCATION = {
    "none": "no schooling",
    "primary_incomplete": "SD not finished",
    "primary": "SD finished",
    "secondary_incomplete": "SMP/SMA not finished",
    "secondary": "SMA finished",
    "higher": "beyond SMA",
}
SCHOOLING_IN_BRIEF = {"none": "none", "primary": "SD", "secondary": "SMP/SMA", "higher": "beyond SMA"}
LITERACY = {"none": "not at all", "part": "parts of it", "whole": "the whole of it"}
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
RELATION = {
    "head": "head",
    "spouse": "spouse",
    "child": "daughter",
    "other_kin": "other relative",
    "not_kin": "not related",
}
HOW_OFTEN = {"never": "never", "rarely": "less than weekly", "weekly": "weekly", "daily": "almost daily"}
DELIVERY_PLACE = {
    "home": "home",
    "public_hospital": "public hospital",
    "public_clinic": "puskesmas, pustu, post",
    "private": "private or charity",
    "other": "other",
}
BIRTH_WEIGHT_SOURCE = {"card": "card", "recall": "recall", "not_weighed": "not weighed"}
BIRTH_SIZE = {
    "very_large": "very large",
    "large": "larger than average",
    "average": "average",
    "small": "smaller than average",
    "very_small": "very small",
}
CONTACT_KIND = {
    "visited": "the household was visited and met",
    "not_found": "visited, and nobody was met or the house was not found",
    "moved": "the household left the area",
    "deceased": "the person died",
    "objection_opened": "the family objects to being ranked",
    "objection_closed": "the objection is settled",
}
