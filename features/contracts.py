"""The registers Tepat accepts: tables, columns, kinds, units, codes, ranges and what null means.

Codes are Tepat's own words, never numbers: the same number means different water sources in SIGA,
Regsosek and Susenas, so an adapter translates each source's list into these.
"""

from __future__ import annotations

from features import codes
from features.columns import HOUSEHOLD_ID, RECORDED_ON, code, date, key, number, text, whole, yes_no
from features.schema import Column, Kind, Register

MOTHER_ID = text("mother_id", "Stable identifier of the mother.", "mother not known or not listed")

HOUSEHOLD = Register(
    "household",
    "Household and poverty (DTSEN-like)",
    "One row per household and date of knowledge: who lives there, what they own, which aid they receive.",
    ("household_id", "recorded_on"),
    (
        HOUSEHOLD_ID,
        RECORDED_ON,
        key("area_id", "Desa (or survey cluster) where the household lives; a row of `area`."),
        whole("member_count", "People who live in the household.", 1, 60, "people"),
        whole("under5_count", "Children under five in the household, listed in `child` or not.", 0, 15, "children"),
        whole("women_15_49_count", "Women of 15-49 years in the household.", 0, 15, "women"),
        code("head_sex", "Sex of the head.", {"m": "male", "f": "female"}),
        whole("head_age_years", "Age of the head.", 10, 110, "years"),
        whole("desil", "Welfare decile, 1 the poorest (DTSEN desil_nasional).", 1, 10),
        whole("wealth_quintile", "Wealth fifth from a survey, 1 the poorest.", 1, 5),
        code("floor", "Main material of the floor.", codes.FLOOR),
        code("wall", "Main material of the walls.", codes.WALL_OR_ROOF),
        code("roof", "Main material of the roof.", codes.WALL_OR_ROOF),
        code("cooking_fuel", "Main cooking fuel.", codes.FUEL),
        *(
            yes_no(f"has_{asset}", f"The household has {words}.")
            for asset, words in {
                "electricity": "electricity",
                "radio": "a radio",
                "tv": "a television",
                "fridge": "a refrigerator",
                "bicycle": "a bicycle",
                "motorcycle": "a motorcycle",
                "car": "a car or truck",
                "phone": "a fixed telephone",
            }.items()
        ),
        *(
            yes_no(f"aid_{aid}", f"Receives {words}.")
            for aid, words in {"pkh": "PKH", "bpnt": "BPNT/sembako", "pbi": "PBI-JK", "blt_dd": "BLT Dana Desa"}.items()
        ),
        number("sample_weight", "Survey weight.", 0, 1e6, "-", "not a sample, or not weighted"),
    ),
    needed=True,
)

SANITATION = Register(
    "sanitation",
    "Water and sanitation (STBM)",
    "One row per household and date of knowledge: drinking water, toilet, hygiene.",
    ("household_id", "recorded_on"),
    (
        HOUSEHOLD_ID,
        RECORDED_ON,
        code("water_source", "Main source of drinking water.", codes.WATER),
        number("water_minutes", "Round trip to fetch water, 0 when on the premises.", 0, 600, "minutes"),
        code("toilet", "Main toilet and where it drains.", codes.TOILET),
        yes_no("toilet_shared", "The toilet is shared with another household."),
        yes_no("handwashing_soap", "A place to wash hands with soap and water."),
        yes_no("water_treated", "Drinking water is boiled or otherwise treated."),
        yes_no("open_defecation_free", "The desa is declared stop-BABS (ODF)."),
    ),
)

MATERNAL = Register(
    "maternal",
    "Mother (KIA)",
    "One row per mother and date of knowledge: her body, schooling and births.",
    ("mother_id", "recorded_on"),
    (
        key("mother_id", "Stable identifier of the mother."),
        HOUSEHOLD_ID,
        RECORDED_ON,
        number("age_years", "Age on `recorded_on`.", 10, 65, "years"),
        number("height_cm", "Standing height.", 120, 200, "cm"),
        number("weight_kg", "Body weight.", 25, 180, "kg"),
        number("muac_cm", "Mid-upper arm circumference (LiLA).", 12, 55, "cm"),
        number("haemoglobin_g_dl", "Haemoglobin, adjusted for altitude where the source does so.", 2, 22, "g/dL"),
        yes_no("pregnant", "Pregnant on `recorded_on`: she is listed as a pregnancy."),
        yes_no("smokes", "Smokes."),
        code("education", "Highest schooling.", codes.EDUCATION),
        whole("education_years", "Completed years of schooling.", 0, 25, "years"),
        code("literacy", "Reads a sentence.", codes.LITERACY),
        code("relation_to_head", "Relation to the head.", codes.RELATION),
        code("reads_news", "How often she reads a newspaper.", codes.HOW_OFTEN),
        code("watches_tv", "How often she watches television.", codes.HOW_OFTEN),
        whole("living_children", "Living children.", 0, 20, "children"),
        code("contraception", "Method in use.", {"none": "none", "traditional": "traditional", "modern": "modern"}),
        text("language", "Mother tongue or language of the interview, as a word; audited, never an input."),
    ),
)

PREGNANCY = Register(
    "pregnancy",
    "Pregnancy, delivery and birth (KIA, e-Kohort)",
    "One row per pregnancy and date of knowledge: antenatal care, iron tablets, delivery, size at birth.",
    ("pregnancy_id", "recorded_on"),
    (
        key("pregnancy_id", "Stable identifier of the pregnancy."),
        key("mother_id", "The mother; a row of `maternal`."),
        RECORDED_ON,
        text(
            "child_id",
            "The child born of it; a row of `child`.",
            "not born yet, or not linked to a child: kept, and not used",
        ),
        whole("birth_rank_recent", "1 for the mother's last birth, 2 for the one before; blank while pregnant.", 1, 10),
        whole("anc_visits", "Antenatal visits.", 0, 40, "visits"),
        whole("anc_first_month", "Month of pregnancy of the first visit (K1).", 0, 10, "months"),
        yes_no("iron_given", "Iron tablets (TTD) given or bought."),
        whole("iron_days", "Days on which iron tablets were taken.", 0, 300, "days"),
        whole("tetanus_doses", "Tetanus injections in the pregnancy.", 0, 7, "doses"),
        code("delivery_place", "Place of delivery.", codes.DELIVERY_PLACE),
        yes_no("skilled_attendant", "A doctor, nurse or midwife attended."),
        yes_no("caesarean", "Born by caesarean section."),
        code("wanted", "Whether the pregnancy was wanted.", {"then": "then", "later": "later", "no": "no more"}),
        number("birth_weight_g", "Weight at birth.", 500, 6500, "g"),
        code("birth_weight_source", "Where the birth weight comes from.", codes.BIRTH_WEIGHT_SOURCE),
        code("birth_size", "The mother's judgement of size at birth.", codes.BIRTH_SIZE),
    ),
)

CHILD = Register(
    "child",
    "Child",
    "One row per child under five and date of knowledge.",
    ("child_id", "recorded_on"),
    (
        key("child_id", "Stable identifier of the child."),
        HOUSEHOLD_ID,
        RECORDED_ON,
        MOTHER_ID,
        date(
            "birth_date",
            "Date of birth. If only an age in months is known: `recorded_on` minus age x 30.4375 days.",
            "not allowed",
            required=True,
        ),
        code(
            "birth_date_precision", "How exact the date of birth is.", {"day": "day", "month": "month", "year": "year"}
        ),
        code("sex", "Sex.", {"m": "male", "f": "female"}),
        whole("birth_order", "Birth order among the mother's children.", 1, 20),
        number(
            "preceding_interval_months",
            "Months since the mother's previous birth.",
            7,
            400,
            "months",
            "first birth, or not known",
        ),
        code(
            "mother_education",
            "Mother's schooling as listed with the child; it is there for mothers without a row in `maternal`.",
            codes.SCHOOLING_IN_BRIEF,
        ),
    ),
    needed=True,
)

MEASUREMENT = Register(
    "measurement",
    "Measurement of a child (e-PPGBM-like)",
    "One row per child and visit. The outcome (`haz`) comes from here; it is never a feature of the same visit.",
    ("child_id", "measured_on"),
    (
        key("child_id", "The child; a row of `child`."),
        date("measured_on", "Date of measurement.", "not allowed", required=True),
        RECORDED_ON,
        text("posyandu_id", "Posyandu where the child was measured."),
        number("weight_kg", "Weight.", 0.9, 45, "kg", "not weighed"),
        number("height_cm", "Length or height.", 38, 140, "cm", "not measured"),
        code("position", "How it was measured.", {"l": "lying", "h": "standing"}),
        number("muac_cm", "Mid-upper arm circumference (LiLA).", 6, 30, "cm", "not measured"),
        yes_no("oedema", "Bilateral pitting oedema.", "not looked for"),
        number(
            "haz",
            "Height-for-age z-score (WHO 2006) as given by the source.",
            -20,
            20,
            "SD",
            "none, or marked by the source as implausible",
        ),
        number(
            "whz",
            "Weight-for-height z-score (WHO 2006) as given by the source.",
            -20,
            20,
            "SD",
            "none, or marked by the source as implausible",
        ),
    ),
)

AREA = Register(
    "area",
    "Area (desa or survey cluster)",
    "One row per area.",
    ("area_id",),
    (
        key("area_id", "Kemendagri code of the desa, or the survey's cluster."),
        key("region_id", "The kecamatan, or the survey's region, above it."),
        text("area_name", "Name of the area."),
        text("region_name", "Name of the region."),
        yes_no("urban", "Urban."),
        number("altitude_m", "Altitude.", -50, 6000, "m"),
        text("stratum", "Sampling stratum.", "not a sample"),
    ),
)

SERVICE = Register(
    "service",
    "Services received",
    "One row per receipt: what a person or a household was given, and when. A plan does not send it again.",
    ("receipt_id",),
    (
        key("receipt_id", "Stable identifier of the receipt."),
        HOUSEHOLD_ID,
        text(
            "person_id",
            "The child or the woman who received it: a child_id or a mother_id.",
            "given to the household as a whole",
        ),
        key("service", "Code of the service, spelled as in the menu `targeting/services.yaml`."),
        date("received_on", "Day on which it was given.", "not allowed", required=True),
        RECORDED_ON,
    ),
)

CONTACT = Register(
    "contact",
    "Visits, moves, deaths and objections",
    "One row per event between the programme and a household, or of the household itself.",
    ("contact_id",),
    (
        key("contact_id", "Stable identifier of the event."),
        HOUSEHOLD_ID,
        text(
            "person_id",
            "The child or the woman it is about: a child_id or a mother_id. A death names one.",
            "the household as a whole",
        ),
        date("happened_on", "Day on which it happened.", "not allowed", required=True),
        RECORDED_ON,
        Column("kind", Kind.CODE, "What happened.", "not allowed", codes=codes.CONTACT_KIND, required=True),
    ),
)

HOUSEHOLD_NAME = Register(
    "household_name",
    "Name of the head of a household, kept apart",
    "One row per household and date of knowledge: who heads it, so that a planner and a cadre know the household again.",
    ("household_id", "recorded_on"),
    (
        HOUSEHOLD_ID,
        RECORDED_ON,
        Column(
            "head_name",
            Kind.NAME,
            "Name of the head, in clear: it is kept here alone, and shown only as `S*** A***`.",
            "not allowed",
            required=True,
        ),
    ),
)

REGISTERS = {
    r.name: r
    for r in (
        AREA, HOUSEHOLD, SANITATION, MATERNAL, PREGNANCY, CHILD, MEASUREMENT, SERVICE, CONTACT, HOUSEHOLD_NAME,
    )
}  # fmt: skip
"""All that a district may hand over."""
APART = frozenset({HOUSEHOLD_NAME.name})
"""Only the stage `ingest` and the masks of the service read it, so that it can be withheld, guarded and deleted alone."""
TOGETHER = {name: register for name, register in REGISTERS.items() if name not in APART}
"""The registers that features, lists, plans and pages are made from."""
NEVER_FEATURES = frozenset({SERVICE.name, CONTACT.name}) | APART
"""What was given follows from who was found, and a name says nothing of a risk: no feature may read these."""
