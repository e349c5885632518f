"""The mother: body, schooling, births; the pregnancy and delivery that this child came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibis import _

from features.catalog.feature import Feature, Subject, View
from features.catalog.poverty import ordered

if TYPE_CHECKING:
    import ibis

KIA = "register `maternal` (KIA)"
COHORT = "register `pregnancy` (KIA, e-Kohort)"
METRES = _.height_cm.cast("float64") / 100.0
"""Multiplied by itself where a square is meant: every engine multiplies alike, and has a power function of its own."""
SCHOOL = "none primary_incomplete primary secondary_incomplete secondary higher"


def _feature(name: str, words: tuple[str, str], value: ibis.Deferred, **more: object) -> Feature:
    given = {
        "unit": "-", "valid": (0, 1), "null_means": "mother not known, or not asked", "direction": 0,
        "actionable": False, "source": KIA, "view": View.MOTHER,
    }  # fmt: skip
    return Feature(
        name=name, subject=Subject.MATERNAL, meaning_id=words[0], meaning_en=words[1], value=value,
        **(given | more),  # type: ignore[arg-type]  # the dataclass checks them
    )  # fmt: skip


def _care(name: str, words: tuple[str, str], value: ibis.Deferred, **more: object) -> Feature:
    given = {
        "view": View.PREGNANCY,
        "source": COHORT,
        "null_means": "pregnancy not recorded, or not asked",
        "actionable": True,
    }
    return _feature(name, words, value, **(given | more))


FEATURES = (
    _feature("mother_height_cm", ("tinggi badan ibu", "mother's height"), _.height_cm.cast("float64"), unit="cm",
             valid=(120, 200), direction=-1),
    _feature("mother_short", ("ibu lebih pendek dari 150 cm", "mother shorter than 150 cm"),
             (_.height_cm < 150).cast("float64"), direction=1),  # noqa: PLR2004 (stunting literature)
    _feature("mother_bmi", ("indeks massa tubuh ibu", "mother's body mass index"),
             _.weight_kg.cast("float64") / (METRES * METRES).nullif(0.0), unit="kg/m2",
             valid=(8, 90), decimals=2),
    _feature("mother_weight_kg", ("berat badan ibu", "mother's weight"), _.weight_kg.cast("float64"), unit="kg",
             valid=(25, 180)),
    _feature("mother_muac_cm", ("LiLA ibu", "mother's arm circumference"), _.muac_cm.cast("float64"), unit="cm",
             valid=(12, 55), direction=-1, actionable=True),
    _feature("mother_hb", ("kadar Hb ibu", "mother's haemoglobin"), _.haemoglobin_g_dl.cast("float64"), unit="g/dL",
             valid=(2, 22), actionable=True),
    _feature("mother_age", ("umur ibu", "mother's age"), _.age_years.cast("float64"), unit="years", valid=(10, 65)),
    _feature("mother_under20", ("ibu berumur kurang dari 20 tahun", "mother younger than 20"),
             (_.age_years < 20).cast("float64"), source="BKKBN, Metadata Indikator KRS 2022"),  # noqa: PLR2004 (KRS)
    _feature("mother_over35", ("ibu berumur 35 tahun atau lebih", "mother 35 or older"),
             (_.age_years >= 35).cast("float64"), source="BKKBN, Metadata Indikator KRS 2022"),  # noqa: PLR2004 (KRS)
    _feature("mother_schooling", ("pendidikan ibu", "mother's schooling (step)"), ordered(_.education, SCHOOL),
             unit="step", valid=(0, 5), direction=-1),
    _feature("mother_school_years", ("lama sekolah ibu", "mother's years of schooling"), _.education_years.cast("float64"),
             unit="years", valid=(0, 25), direction=-1),
    _feature("mother_reads", ("kemampuan membaca ibu", "mother's literacy"), ordered(_.literacy, "none part whole"),
             unit="step", valid=(0, 2), direction=-1),
    _feature("mother_news", ("kebiasaan ibu membaca koran", "how often she reads news"),
             ordered(_.reads_news, "never rarely weekly daily"), unit="step", valid=(0, 3)),
    _feature("mother_tv", ("kebiasaan ibu menonton televisi", "how often she watches television"),
             ordered(_.watches_tv, "never rarely weekly daily"), unit="step", valid=(0, 3)),
    _feature("mother_smokes", ("ibu merokok", "mother smokes"), _.smokes.cast("float64"), actionable=True),
    _feature("mother_pregnant", ("ibu sedang hamil", "mother is pregnant"), _.pregnant.cast("float64")),
    _feature("mother_is_head_or_spouse", ("ibu adalah kepala keluarga atau istrinya", "mother is head or spouse"),
             _.relation_to_head.isin(["head", "spouse"]).cast("float64")),
    _feature("living_children", ("jumlah anak hidup", "living children"), _.living_children.cast("float64"),
             unit="children", valid=(0, 20)),
    _feature("modern_contraception", ("memakai KB modern", "uses modern contraception"),
             (_.contraception == "modern").cast("float64"), actionable=True),
    _care("anc_visits", ("jumlah kunjungan ANC", "antenatal visits"), _.anc_visits.cast("float64"), unit="visits",
          valid=(0, 40)),
    _care("anc_first_month", ("bulan kehamilan saat K1", "month of the first antenatal visit"),
          _.anc_first_month.cast("float64"), unit="months", valid=(0, 10)),
    _care("anc_six", ("ANC enam kali atau lebih", "six antenatal visits or more"), (_.anc_visits >= 6).cast("float64")),  # noqa: PLR2004 (K6)
    _care("iron_given", ("mendapat TTD", "iron tablets given"), _.iron_given.cast("float64")),
    _care("iron_days", ("lama minum TTD", "days of iron tablets"), _.iron_days.cast("float64"), unit="days", valid=(0, 300)),
    _care("tetanus_doses", ("suntikan tetanus", "tetanus injections"), _.tetanus_doses.cast("float64"), unit="doses",
          valid=(0, 7)),
    _care("home_birth", ("lahir di rumah", "born at home"), (_.delivery_place == "home").cast("float64"), direction=1),
    _care("skilled_attendant", ("persalinan ditolong tenaga kesehatan", "skilled birth attendant"),
          _.skilled_attendant.cast("float64")),
    _care("caesarean", ("lahir dengan operasi sesar", "caesarean birth"), _.caesarean.cast("float64"), actionable=False),
    _care("unwanted", ("kehamilan tidak direncanakan", "unplanned pregnancy"), ordered(_.wanted, "then later no"),
          unit="step", valid=(0, 2)),
)  # fmt: skip
