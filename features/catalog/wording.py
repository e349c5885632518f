"""The plain words of a feature, in Indonesian and English, when it raises a risk."""

from __future__ import annotations

import math
from dataclasses import dataclass

from features.catalog.feature import Feature
from features.catalog.poverty import AID, ASSETS


@dataclass(frozen=True)
class Words:
    """One phrase, or one template in which `{n}` is the value, in both languages."""

    id: str
    en: str


# (when 0, when 1); said of the household, the care or the place, never as a reproach
BINARY = {
    **{f"owns_{a}": (Words(f"tidak memiliki {i}", f"does not have a {e}"), Words(f"memiliki {i}", f"has a {e}"))
       for a, (i, e) in ASSETS.items() if a != "electricity"},
    **{f"gets_{a}": (Words(f"belum menerima {n}", f"does not receive {n} yet"), Words(f"menerima {n}", f"receives {n}"))
       for a, n in AID.items()},
    "owns_electricity": (Words("rumah belum berlistrik", "home has no electricity yet"), Words("rumah berlistrik", "home has electricity")),
    "solid_fuel": (Words("tidak memasak dengan bahan bakar padat", "does not cook with solid fuel"), Words("memasak dengan bahan bakar padat", "cooks with solid fuel")),
    "head_female": (Words("kepala keluarga laki-laki", "male head of household"), Words("kepala keluarga perempuan", "female head of household")),
    "water_improved": (Words("sumber air belum terlindung", "water source not protected yet"), Words("sumber air terlindung", "improved water source")),
    "water_krs_safe": (Words("air minum belum layak menurut KRS", "drinking water not yet proper by KRS"), Words("air minum layak menurut KRS", "drinking water proper by KRS")),
    "water_piped": (Words("belum ada air ledeng di rumah", "no piped water at home yet"), Words("ada air ledeng di rumah", "piped water at home")),
    "water_far": (Words("mengambil air paling lama 30 menit", "30 minutes or less to fetch water"), Words("mengambil air lebih dari 30 menit", "more than 30 minutes to fetch water")),
    "toilet_improved": (Words("jamban belum terlindung", "toilet not improved yet"), Words("jamban terlindung", "improved toilet")),
    "toilet_krs_safe": (Words("jamban belum layak menurut KRS", "toilet not yet proper by KRS"), Words("jamban layak menurut KRS", "toilet proper by KRS")),
    "open_defecation": (Words("ada jamban yang dipakai", "uses a toilet"), Words("belum ada jamban", "no toilet yet")),
    "toilet_shared": (Words("jamban tidak dipakai bersama", "toilet not shared with other households"), Words("jamban dipakai bersama rumah tangga lain", "toilet shared with other households")),
    "handwashing_soap": (Words("belum ada tempat cuci tangan dengan sabun", "no soap and water for handwashing yet"), Words("ada tempat cuci tangan dengan sabun", "soap and water for handwashing")),
    "water_treated": (Words("air minum belum diolah", "drinking water not treated yet"), Words("air minum diolah", "drinking water is treated")),
    "area_odf": (Words("desa belum stop BABS", "desa not yet declared open-defecation free"), Words("desa stop BABS", "desa declared open-defecation free")),
    "mother_short": (Words("tinggi ibu 150 cm atau lebih", "mother 150 cm or taller"), Words("ibu lebih pendek dari 150 cm", "mother shorter than 150 cm")),
    "mother_under20": (Words("ibu berumur 20 tahun atau lebih", "mother aged 20 or older"), Words("ibu berumur di bawah 20 tahun", "mother aged under 20")),
    "mother_over35": (Words("ibu berumur di bawah 35 tahun", "mother aged under 35"), Words("ibu berumur 35 tahun atau lebih", "mother aged 35 or older")),
    "mother_smokes": (Words("ibu tidak merokok", "mother does not smoke"), Words("ibu merokok", "mother smokes")),
    "mother_pregnant": (Words("ibu tidak sedang hamil", "mother is not pregnant"), Words("ibu sedang hamil", "mother is pregnant")),
    "mother_is_head_or_spouse": (Words("ibu tinggal di rumah tangga yang dikepalai kerabat atau orang lain", "mother lives in a household headed by someone other than herself or her spouse"), Words("ibu adalah kepala keluarga atau istrinya", "mother is the head or the head's spouse")),
    "modern_contraception": (Words("tidak memakai KB modern", "does not use modern contraception"), Words("memakai KB modern", "uses modern contraception")),
    "anc_six": (Words("ANC belum mencapai enam kali", "fewer than six antenatal visits"), Words("ANC enam kali atau lebih", "six antenatal visits or more")),
    "iron_given": (Words("belum mendapat TTD saat hamil", "no iron tablets received in pregnancy"), Words("mendapat TTD saat hamil", "iron tablets received in pregnancy")),
    "home_birth": (Words("lahir di fasilitas kesehatan atau tempat lain", "born in a health facility or elsewhere"), Words("lahir di rumah", "born at home")),
    "skilled_attendant": (Words("persalinan tanpa tenaga kesehatan", "birth without a skilled attendant"), Words("persalinan ditolong tenaga kesehatan", "birth with a skilled attendant")),
    "caesarean": (Words("tidak lahir dengan operasi sesar", "not born by caesarean"), Words("lahir dengan operasi sesar", "born by caesarean")),
    "urban": (Words("tinggal di perdesaan", "lives in a rural area"), Words("tinggal di perkotaan", "lives in an urban area")),
    "male": (Words("anak perempuan", "girl"), Words("anak laki-laki", "boy")),
    "first_born": (Words("bukan anak pertama", "not the first-born"), Words("anak pertama", "first-born")),
    "short_interval": (Words("jarak kelahiran 24 bulan atau lebih", "birth interval of 24 months or more"), Words("jarak kelahiran kurang dari 24 bulan", "birth interval under 24 months")),
    "mother_listed": (Words("ibu tidak tercatat di rumah tangga", "mother is not listed in the household"), Words("ibu tercatat di rumah tangga", "mother is listed in the household")),
    "birth_date_exact": (Words("tanggal lahir belum tercatat lengkap", "exact date of birth not recorded yet"), Words("tanggal lahir tercatat lengkap", "exact date of birth recorded")),
    "low_birth_weight": (Words("berat lahir 2.500 g atau lebih", "birth weight of 2,500 g or more"), Words("berat lahir rendah (BBLR)", "low birth weight")),
    "not_weighed_at_birth": (Words("ditimbang saat lahir", "weighed at birth"), Words("belum ditimbang saat lahir", "not weighed at birth")),
    "weight_from_card": (Words("berat lahir bukan dari buku KIA", "birth weight not from the card"), Words("berat lahir dari buku KIA", "birth weight from the card")),
}  # fmt: skip


def _steps(stem_id: str, stem_en: str, steps_id: str, steps_en: str) -> tuple[Words, ...]:
    pairs = zip(steps_id.split(", "), steps_en.split(", "), strict=True)
    return tuple(Words(f"{stem_id}: {i}", f"{stem_en}: {e}") for i, e in pairs)


# in the order of the codes in the catalogue, from 0
FREQUENCY = ("tidak pernah, jarang, setiap minggu, hampir setiap hari", "never, rarely, weekly, almost daily")
MATERIAL = (
    "bahan jadi, bahan sederhana, bahan alami",
    "finished material, simple material, natural material",
)
STEPS = {
    "floor_quality": _steps("lantai rumah", "floor", "keramik atau bahan jadi, semen, bahan sederhana, tanah", "finished material, cement, simple material, earth"),
    "wall_quality": _steps("dinding rumah", "walls", *MATERIAL),
    "roof_quality": _steps("atap rumah", "roof", *MATERIAL),
    "fuel_ladder": _steps("bahan bakar memasak", "cooking fuel", "listrik, gas, minyak tanah, batu bara atau arang, kayu, sisa tanaman atau kotoran ternak", "electricity, gas, kerosene, coal or charcoal, wood, crop residue or dung"),
    "water_ladder": _steps("sumber air minum", "drinking water source", "ledeng di rumah, air kemasan, ledeng di halaman, sumur bor, keran umum, sumur terlindung, mata air terlindung, sumur, air tangki, air hujan, mata air, sumur tak terlindung, mata air tak terlindung, air permukaan", "piped into the home, packaged water, piped to the yard, borehole, public tap, protected well, protected spring, well, tanker, rain, spring, unprotected well, unprotected spring, surface water"),
    "toilet_ladder": _steps("jamban", "toilet", "leher angsa ke saluran limbah, leher angsa ke tangki septik, leher angsa di luar rumah, leher angsa ke lubang, cubluk berventilasi, cubluk berlantai, leher angsa ke tempat terbuka, cubluk terbuka, jamban gantung, belum ada", "flush to sewer, flush to septic tank, flush outside the home, flush to pit, ventilated pit, pit with slab, flush to the open, open pit, hanging toilet, none yet"),
    "water_service": _steps("layanan air minum (JMP)", "drinking water service (JMP)", "air permukaan, sumber tak terlindung, sumber terlindung lebih dari 30 menit, sumber terlindung", "surface water, unimproved source, improved source over 30 minutes away, improved source"),
    "toilet_service": _steps("layanan sanitasi (JMP)", "sanitation service (JMP)", "belum ada jamban, jamban belum terlindung, jamban terlindung dipakai bersama, jamban terlindung sendiri", "no toilet yet, unimproved toilet, improved toilet that is shared, improved toilet of its own"),
    "mother_schooling": _steps("pendidikan ibu", "mother's schooling", "tidak bersekolah, SD belum tamat, tamat SD, sekolah menengah belum tamat, tamat sekolah menengah, perguruan tinggi", "no formal schooling, some primary, completed primary, some secondary, completed secondary, higher"),
    "mother_level": _steps("jenjang pendidikan ibu", "mother's school level", "tidak bersekolah, SD, sekolah menengah, perguruan tinggi", "no formal schooling, primary, secondary, higher"),
    "mother_reads": _steps("kemampuan membaca ibu", "mother's literacy", "belum dapat membaca kalimat, dapat membaca sebagian kalimat, dapat membaca satu kalimat penuh", "not yet reading a sentence, reads part of a sentence, reads a whole sentence"),
    "mother_news": _steps("ibu membaca koran", "mother reads news", *FREQUENCY),
    "mother_tv": _steps("ibu menonton televisi", "mother watches television", *FREQUENCY),
    "birth_size": _steps("ukuran saat lahir menurut ibu", "size at birth as the mother saw it", "sangat besar, besar, rata-rata, kecil, sangat kecil", "very large, large, average, small, very small"),
    "unwanted": _steps("waktu kehamilan", "timing of the pregnancy", "sesuai rencana, lebih awal dari rencana, di luar rencana", "as planned, earlier than planned, not planned"),
}  # fmt: skip
NUMBERS = {
    "asset_count": Words("jumlah aset rumah tangga: {n}", "household assets counted: {n}"),
    "desil": Words("desil kesejahteraan: {n} dari 10", "welfare decile: {n} of 10"),
    "wealth_quintile": Words("kuintil kesejahteraan: {n} dari 5", "wealth quintile: {n} of 5"),
    "member_count": Words("jumlah anggota rumah tangga: {n} orang", "household members: {n}"),
    "under5_count": Words("jumlah balita: {n}", "children under five: {n}"),
    "women_count": Words("jumlah perempuan 15-49 tahun: {n}", "women of 15-49 years: {n}"),
    "living_children": Words("jumlah anak hidup: {n}", "living children: {n}"),
    "water_minutes": Words("waktu mengambil air: {n} menit", "time to fetch water: {n} min"),
    "mother_school_years": Words("lama sekolah ibu: {n} tahun", "mother's years of schooling: {n}"),
    "anc_visits": Words("jumlah kunjungan ANC: {n} kali", "antenatal visits: {n}"),
    "anc_first_month": Words("kunjungan ANC pertama: bulan ke-{n} kehamilan", "first antenatal visit: month {n}"),
    "iron_days": Words("lama minum TTD: {n} hari", "iron tablets, days taken: {n}"),
    "tetanus_doses": Words("suntikan tetanus: {n} kali", "tetanus injections: {n}"),
    "birth_order": Words("anak ke-{n}", "birth order: {n}"),
    "birth_interval_months": Words("jarak kelahiran: {n} bulan", "months since the previous birth: {n}"),
    "birth_month_sin": Words("musim lahir anak", "the child's season of birth"),
}
# (limit, words below it): KRS for birth interval, WHO for birth weight, Kemenkes (KEK) for LiLA
BELOW = {
    "mother_height_cm": (150, Words("ibu lebih pendek dari 150 cm ({n} cm)", "mother shorter than 150 cm ({n} cm)")),
    "mother_muac_cm": (23.5, Words("LiLA ibu kurang dari 23,5 cm ({n} cm)", "mother's arm circumference under 23.5 cm ({n} cm)")),
    "birth_weight_g": (2500, Words("berat lahir rendah: {n} g", "low birth weight: {n} g")),
    "birth_interval_months": (24, Words("jarak kelahiran kurang dari 24 bulan ({n} bulan)", "birth interval under 24 months ({n} months)")),
}  # fmt: skip
UNITS_ID = {
    "months": "bulan", "years": "tahun", "days": "hari", "minutes": "menit", "visits": "kali", "doses": "kali",
    "children": "anak", "people": "orang", "women": "perempuan", "assets": "aset", "kg/m2": "kg/m²",
}  # fmt: skip
UNITS_EN = {"kg/m2": "kg/m²"}
ONE_EN = {"children": "child", "people": "person", "women": "woman"}
TECHNICAL = (" (sinus)", " (sine)", " (step)", " (menit)", ", shrunk")


def reason(feature: Feature, value: float | None) -> Words:
    """Say in both languages what `value` of a feature is, as a reason for a higher risk.

    `value` is in the feature's own unit; None or NaN is "not known". Decimals are cut
    to one, so that a value under a limit never reads as the limit.

    Examples
    --------
    >>> from features.catalog import BY_NAME
    >>> reason(BY_NAME["birth_weight_g"], 3400.0).id
    'berat lahir: 3.400 g'
    >>> reason(BY_NAME["owns_fridge"], 0.0).id
    'tidak memiliki kulkas'
    """
    if value is None or math.isnan(value):
        meaning = _meaning(feature)
        return Words(f"tidak diketahui: {meaning.id}", f"not known: {meaning.en}")
    choices = BINARY.get(feature.name) or STEPS.get(feature.name)
    if choices:
        return choices[min(max(round(value), 0), len(choices) - 1)]
    if feature.unit == "-" and feature.valid == (0, 1):
        return _yes_or_no(feature, value)
    return _number(feature, value)


def _meaning(feature: Feature) -> Words:
    meaning_id, meaning_en = feature.meaning_id, feature.meaning_en
    for part in TECHNICAL:
        meaning_id, meaning_en = meaning_id.removesuffix(part), meaning_en.removesuffix(part)
    return Words(meaning_id, meaning_en)


def _yes_or_no(feature: Feature, value: float) -> Words:
    meaning, yes = _meaning(feature), round(value) >= 1
    return Words(f"{meaning.id}: {'ya' if yes else 'tidak'}", f"{meaning.en}: {'yes' if yes else 'no'}")


def _number(feature: Feature, value: float) -> Words:
    digits = _digits(100 * value if feature.unit == "share" else value)
    template = _template(feature, value, one=digits.en == "1")
    return Words(template.id.replace("{n}", digits.id), template.en.replace("{n}", digits.en))


def _template(feature: Feature, value: float, *, one: bool) -> Words:
    limit, below = BELOW.get(feature.name, (-math.inf, Words("", "")))
    if value < limit:
        return below
    if feature.name in NUMBERS:
        return NUMBERS[feature.name]
    meaning, units = _meaning(feature), _units(feature.unit, one=one)
    return Words(f"{meaning.id}: {{n}}{units.id}", f"{meaning.en}: {{n}}{units.en}")


def _units(unit: str, *, one: bool) -> Words:
    if unit in {"-", "step"}:
        return Words("", "")
    if unit == "share":
        return Words("%", "%")
    english = UNITS_EN.get(unit, unit)
    if one and unit in UNITS_ID:
        english = ONE_EN.get(unit, english.removesuffix("s"))
    return Words(f" {UNITS_ID.get(unit, unit)}", f" {english}")


def _digits(value: float) -> Words:
    # the small part undoes binary fractions such as 23.1 * 10 = 230.99999
    cut = math.floor(value * 10 + 1e-6) / 10
    english = f"{cut:,.1f}".removesuffix(".0")
    return Words(english.translate(str.maketrans(",.", ".,")), english)
