"""Water, toilet and hygiene: the JMP ladders, KRS's *layak*, STBM."""

from __future__ import annotations

import ibis
from ibis import _

from features.catalog.feature import Feature, Subject, View
from features.catalog.poverty import ordered

STBM = "register `sanitation` (STBM)"
JMP = "WHO/UNICEF JMP ladders, washdata.org"
KRS = "BKKBN, Metadata Indikator KRS 2022"
IMPROVED_WATER = [
    "piped", "piped_yard", "public_tap", "borehole", "protected_well", "protected_spring", "rain", "packaged", "tanker",
]  # fmt: skip
KRS_SAFE_WATER = [
    "packaged",
    "piped",
    "piped_yard",
    "public_tap",
    "borehole",
    "protected_well",
    "protected_spring",
    "well",
]
IMPROVED_TOILET = ["flush_sewer", "flush_septic", "flush_outside", "flush_pit", "pit_ventilated", "pit_slab"]
KRS_SAFE_TOILET = ["flush_sewer", "flush_septic", "flush_outside"]  # own, or communal (MCK komunal)
UNIMPROVED_WATER = ["unprotected_well", "unprotected_spring", "well", "spring", "other"]
UNIMPROVED_TOILET = ["flush_open", "pit_open", "hanging", "other"]
JMP_MINUTES = 30
WATER_LADDER = "piped packaged piped_yard borehole public_tap protected_well protected_spring well tanker rain spring unprotected_well unprotected_spring surface"
TOILET_LADDER = (
    "flush_sewer flush_septic flush_outside flush_pit pit_ventilated pit_slab flush_open pit_open hanging none"
)


def _feature(name: str, words: tuple[str, str], value: object, **more: object) -> Feature:
    given = {
        "unit": "-", "valid": (0, 1), "null_means": "not asked or not known", "direction": 0, "actionable": True,
        "source": STBM,
    }  # fmt: skip
    return Feature(
        name=name, subject=Subject.SANITATION, view=View.SANITATION, meaning_id=words[0], meaning_en=words[1],
        value=value, **(given | more),  # type: ignore[arg-type]  # the dataclass checks them
    )  # fmt: skip


# From the poorest service to the best; without the time or the sharing it cannot be told.
WATER_SERVICE = ibis.cases(
    (_.water_source == "surface", 0.0),
    (_.water_source.isin(UNIMPROVED_WATER), 1.0),
    (_.water_source.isin(IMPROVED_WATER) & (_.water_minutes > JMP_MINUTES), 2.0),
    (_.water_source.isin(IMPROVED_WATER) & (_.water_minutes <= JMP_MINUTES), 3.0),
)
TOILET_SERVICE = ibis.cases(
    (_.toilet == "none", 0.0),
    (_.toilet.isin(UNIMPROVED_TOILET), 1.0),
    (_.toilet.isin(IMPROVED_TOILET) & _.toilet_shared, 2.0),
    (_.toilet.isin(IMPROVED_TOILET) & ~_.toilet_shared, 3.0),
)

FEATURES = (
    _feature("water_service", ("layanan air minum", "drinking water service"), WATER_SERVICE, unit="step", valid=(0, 3),
             source=JMP),
    _feature("toilet_service", ("layanan sanitasi", "sanitation service"), TOILET_SERVICE, unit="step", valid=(0, 3),
             source=JMP),
    _feature("water_improved", ("sumber air terlindung", "improved water source"),
             _.water_source.isin(IMPROVED_WATER).cast("float64"), source=JMP),
    _feature("water_krs_safe", ("air minum layak menurut KRS", "drinking water proper by KRS"),
             _.water_source.isin(KRS_SAFE_WATER).cast("float64"), source=KRS),
    _feature("water_ladder", ("sumber air minum kurang terlindung", "less protected drinking water"),
             ordered(_.water_source, WATER_LADDER), valid=(0, 13)),
    _feature("water_piped", ("air ledeng di rumah", "piped water at home"),
             _.water_source.isin(["piped", "piped_yard"]).cast("float64")),
    _feature("water_minutes", ("waktu mengambil air (menit)", "time to fetch water"), _.water_minutes.cast("float64"),
             unit="minutes", valid=(0, 600)),
    _feature("water_far", ("mengambil air lebih dari 30 menit", "more than 30 minutes to fetch water"),
             (_.water_minutes > JMP_MINUTES).cast("float64"), source=JMP),
    _feature("toilet_improved", ("jamban terlindung", "improved toilet"),
             _.toilet.isin(IMPROVED_TOILET).cast("float64"), source=JMP),
    _feature("toilet_krs_safe", ("jamban layak menurut KRS", "toilet proper by KRS"),
             _.toilet.isin(KRS_SAFE_TOILET).cast("float64"), source=KRS),
    _feature("toilet_ladder", ("jamban kurang layak", "less proper toilet"), ordered(_.toilet, TOILET_LADDER),
             valid=(0, 9), direction=1),
    _feature("open_defecation", ("buang air besar sembarangan", "open defecation"),
             (_.toilet == "none").cast("float64"), source=JMP),
    _feature("toilet_shared", ("jamban dipakai bersama", "shared toilet"), _.toilet_shared.cast("float64")),
    _feature("handwashing_soap", ("ada tempat cuci tangan dengan sabun", "soap and water for handwashing"),
             _.handwashing_soap.cast("float64"), direction=-1),
    _feature("water_treated", ("air minum diolah", "drinking water is treated"), _.water_treated.cast("float64")),
    _feature("area_odf", ("desa stop BABS", "desa declared open-defecation free"), _.open_defecation_free.cast("float64")),
)  # fmt: skip
