"""What DHS codes mean in the contracts' words.

A labelled value is read by its label, so that a survey with its own list is not misread: 21 is a
borehole in the standard recode and a dug well in ENDES. Without a label the list of the survey's
country is used, else the standard one. Sources: DHS Recode Manual (phases 6 and 7); the value
labels of INEI ENDES 2012-2014.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata

SENTINELS = {
    "no residente de jure": "not a usual resident",
    "not dejure resident": "not a usual resident",
    "not a dejure resident": "not a usual resident",
    "no sabe": "don't know",
    "ns": "don't know",
    "dk": "don't know",
    "don t know": "don't know",
    "missing": "missing",
    "inconsistente": "inconsistent",
    "inconsistent": "inconsistent",
    "no se peso al nacer": "not weighed at birth",
    "not weighed at birth": "not weighed at birth",
    "casos marcados": "flagged by the source",
    "flagged cases": "flagged by the source",
    "madre no de hecho": "mother slept elsewhere",
    "mother not de facto": "mother slept elsewhere",
    "entrevista de mujer incompleta": "mother's interview not completed",
    "incomplete woman s interview": "mother's interview not completed",
    "no en el hogar": "mother not listed",
    "not in household": "mother not listed",
    "not listed in household": "mother not listed",
}

LABELS: dict[str, dict[str, str]] = {
    "water": {
        "red dentro de vivienda": "piped", "piped into dwelling": "piped",
        "red fuera de la vivienda pero dentro de la edificacion": "piped_yard",
        "piped outside dwelling but within buikding": "piped_yard", "piped to yard plot": "piped_yard",
        "pilon o grifo publico": "public_tap", "public tap standpipe": "public_tap",
        "pozo dentro de vivienda": "well", "well inside dwelling": "well", "pozo publico": "well",
        "public well": "well", "tube well or borehole": "borehole", "protected well": "protected_well",
        "unprotected well": "unprotected_well", "manantial": "spring", "spring": "spring",
        "manantial desprotegido": "unprotected_spring", "protected spring": "protected_spring",
        "unprotected spring": "unprotected_spring", "agua de lluvia": "rain", "rainwater": "rain",
        "camion cisterna": "tanker", "tanker truck": "tanker", "cart with small tank": "tanker",
        "agua embotellada": "packaged", "bottled water": "packaged", "refill water": "packaged",
        "otro": "other", "other": "other",
    },
    "toilet": {
        "dentro de la vivienda": "flush_sewer", "inside dwelling": "flush_sewer",
        "fuera de la vivienda": "flush_outside", "outside dwelling": "flush_outside",
        "letrina ventilada": "pit_ventilated", "ventilated latrine": "pit_ventilated",
        "pozo septico": "flush_septic", "septic well": "flush_septic", "letrina ciego o negro": "pit_open",
        "latrine ciego o negro": "pit_open", "letrina sobre rio o lago": "hanging",
        "latrine over river lake": "hanging", "rio canal": "none", "river canal": "none",
        "no servicio": "none", "no service": "none", "otro": "other", "other": "other",
        "flush to piped sewer system": "flush_sewer", "flush to septic tank": "flush_septic",
        "flush to pit latrine": "flush_pit", "flush to somewhere else": "flush_open",
        "ventilated improved pit latrine vip": "pit_ventilated", "pit latrine with slab": "pit_slab",
        "pit latrine without slab open pit": "pit_open", "no facility bush field": "none",
        "hanging toilet latrine": "hanging", "bucket toilet": "hanging",
    },
}  # fmt: skip

STANDARD: dict[str, dict[int, str]] = {
    "water": {
        11: "piped", 12: "piped_yard", 13: "public_tap", 21: "borehole", 31: "protected_well",
        32: "unprotected_well", 41: "protected_spring", 42: "unprotected_spring", 43: "surface",
        51: "rain", 61: "tanker", 62: "tanker", 71: "packaged", 72: "packaged", 96: "other",
    },
    "toilet": {
        11: "flush_sewer", 12: "flush_septic", 13: "flush_pit", 14: "flush_open", 15: "flush_open",
        21: "pit_ventilated", 22: "pit_slab", 23: "pit_open", 31: "none", 41: "pit_slab", 42: "hanging",
        43: "hanging", 96: "other",
    },
    "floor": {11: "earth", 12: "earth", 21: "rough", 22: "rough", 31: "finished", 32: "finished",
              33: "finished", 34: "cement", 35: "finished"},
    "wall": {11: "natural", 12: "natural", 13: "natural", 21: "rough", 22: "rough", 23: "rough",
             24: "natural", 25: "rough", 26: "rough", 31: "finished", 32: "finished", 33: "finished",
             34: "finished", 35: "finished", 36: "finished", 41: "natural"},
    "roof": {11: "natural", 12: "natural", 13: "natural", 21: "rough", 22: "natural", 23: "rough",
             24: "natural", 31: "finished", 32: "rough", 33: "finished", 34: "finished", 35: "finished",
             36: "finished", 41: "natural"},
    "fuel": {1: "electricity", 2: "gas", 3: "gas", 4: "gas", 5: "kerosene", 6: "coal", 7: "coal", 8: "wood",
             9: "residue", 10: "residue", 11: "residue", 95: "none"},
    "education": {0: "none", 1: "primary_incomplete", 2: "primary", 3: "secondary_incomplete",
                  4: "secondary", 5: "higher"},
    "level": {0: "none", 1: "primary", 2: "secondary", 3: "higher"},
    "literacy": {0: "none", 1: "part", 2: "whole"},
    "media": {0: "never", 1: "rarely", 2: "weekly", 3: "daily"},
    "relation": {1: "head", 2: "spouse", 9: "spouse", 3: "child", 11: "child", 4: "other_kin", 5: "other_kin",
                 6: "other_kin", 7: "other_kin", 8: "other_kin", 10: "other_kin", 12: "not_kin", 15: "not_kin"},
    "place": {11: "home", 12: "home", 21: "public_hospital", 22: "public_hospital", 23: "public_hospital",
              24: "public_clinic", 25: "public_clinic", 26: "public_clinic", 27: "public_hospital",
              31: "private", 32: "private", 33: "private", 41: "private", 42: "private", 96: "other"},
    "wanted": {1: "then", 2: "later", 3: "no"},
    "weight_source": {0: "not_weighed", 1: "card", 2: "recall"},
    "birth_size": {1: "very_large", 2: "large", 3: "average", 4: "small", 5: "very_small"},
    "sex": {1: "m", 2: "f"},
    "position": {1: "l", 2: "h"},
    "language": {n: str(n) for n in range(1, 95)},
}  # fmt: skip

BY_COUNTRY: dict[str, dict[str, dict[int, str]]] = {
    "PE": {
        "water": STANDARD["water"] | {21: "well", 22: "well", 41: "spring"},
        "toilet": {
            11: "flush_sewer", 12: "flush_outside", 21: "pit_ventilated", 22: "flush_septic",
            23: "pit_open", 24: "hanging", 31: "none", 32: "none", 96: "other",
        },
    }
}  # fmt: skip


def plain(label: str) -> str:
    """A label in lower case, without accents or punctuation; text read in a wrong encoding is mended."""
    with contextlib.suppress(UnicodeError):  # It was read rightly the first time.
        label = label.encode("latin-1").decode("utf-8")
    bare = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", " ", bare).strip()


def code_list(field: str, country: str) -> dict[int, str]:
    """Code -> the contracts' word, for an unlabelled value of that country's survey."""
    return BY_COUNTRY.get(country, {}).get(field, STANDARD[field])
