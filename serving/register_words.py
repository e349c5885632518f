"""What registers, their columns and their codes are called on a page, in Indonesian and in English."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from features.contracts import REGISTERS
from features.schema import Kind

if TYPE_CHECKING:
    from features.schema import Column

Pair = tuple[str, str]
"""In Indonesian, in English."""

REGISTER_NAMES: Final[dict[str, str]] = {
    "household": "Rumah tangga dan kesejahteraan (DTSEN)",
    "sanitation": "Air dan sanitasi (STBM)",
    "maternal": "Ibu (KIA)",
    "pregnancy": "Kehamilan dan persalinan (e-Kohort)",
    "child": "Anak",
    "measurement": "Pengukuran anak (e-PPGBM)",
    "area": "Desa",
    "service": "Layanan yang diterima",
    "contact": "Kunjungan dan kejadian",
    "household_name": "Nama kepala keluarga (disimpan terpisah)",
}
COLUMN_NAMES: Final[dict[str, str]] = {
    "member_count": "Anggota rumah tangga", "under5_count": "Balita di rumah",
    "women_15_49_count": "Perempuan 15-49 tahun",
    "head_sex": "Jenis kelamin kepala keluarga", "head_age_years": "Umur kepala keluarga",
    "desil": "Desil kesejahteraan (1 paling miskin)", "wealth_quintile": "Kuintil kesejahteraan (1 paling miskin)",
    "floor": "Lantai", "wall": "Dinding", "roof": "Atap", "cooking_fuel": "Bahan bakar memasak",
    "has_electricity": "Listrik", "has_radio": "Radio", "has_tv": "Televisi", "has_fridge": "Kulkas",
    "has_bicycle": "Sepeda", "has_motorcycle": "Sepeda motor", "has_car": "Mobil atau truk",
    "has_phone": "Telepon tetap", "aid_pkh": "Menerima PKH", "aid_bpnt": "Menerima BPNT/sembako",
    "aid_pbi": "Menerima PBI-JK", "aid_blt_dd": "Menerima BLT Dana Desa", "sample_weight": "Bobot survei",
    "water_source": "Sumber air minum", "water_minutes": "Waktu mengambil air, pulang pergi", "toilet": "Jamban",
    "toilet_shared": "Jamban dipakai bersama", "handwashing_soap": "Cuci tangan dengan sabun",
    "water_treated": "Air minum diolah", "open_defecation_free": "Desa stop BABS",
    "age_years": "Umur ibu", "weight_kg": "Berat badan", "haemoglobin_g_dl": "Kadar Hb", "pregnant": "Sedang hamil",
    "smokes": "Merokok", "education": "Pendidikan", "education_years": "Lama sekolah", "literacy": "Membaca kalimat",
    "relation_to_head": "Hubungan dengan kepala keluarga", "reads_news": "Membaca koran",
    "watches_tv": "Menonton televisi",
    "living_children": "Anak hidup", "contraception": "KB yang dipakai",
    "birth_rank_recent": "Urutan dari kelahiran terakhir", "anc_visits": "Kunjungan ANC",
    "anc_first_month": "Bulan kehamilan saat K1", "iron_given": "Tablet tambah darah diberikan",
    "iron_days": "Hari minum tablet tambah darah", "tetanus_doses": "Suntikan tetanus",
    "delivery_place": "Tempat persalinan", "skilled_attendant": "Ditolong tenaga kesehatan",
    "caesarean": "Operasi sesar", "wanted": "Waktu kehamilan diinginkan", "birth_weight_g": "Berat lahir",
    "birth_weight_source": "Asal berat lahir", "birth_size": "Ukuran lahir menurut ibu",
    "sex": "Jenis kelamin", "birth_order": "Anak ke", "preceding_interval_months": "Jarak dari kelahiran sebelumnya",
    "mother_education": "Pendidikan ibu", "measured_on": "Tanggal ukur", "posyandu_id": "Posyandu",
    "height_cm": "Panjang atau tinggi badan", "position": "Cara ukur", "muac_cm": "LiLA", "oedema": "Edema kedua kaki",
    "haz": "TB/U atau PB/U", "whz": "BB/TB atau BB/PB", "area_name": "Nama desa", "region_name": "Nama kecamatan",
    "urban": "Perkotaan", "altitude_m": "Ketinggian", "stratum": "Strata sampel", "service": "Layanan",
    "received_on": "Tanggal diterima", "happened_on": "Tanggal kejadian", "kind": "Kejadian",
    "head_name": "Nama kepala keluarga",
}  # fmt: skip
CODE_NAMES: Final[dict[str, str]] = {
    "head_sex:m": "laki-laki", "head_sex:f": "perempuan", "sex:m": "laki-laki", "sex:f": "perempuan",
    "floor:earth": "tanah atau pasir", "floor:rough": "papan atau bambu", "floor:cement": "semen atau bata",
    "floor:finished": "keramik, vinil, kayu halus", "natural": "daun, tikar, kardus, atau belum ada",
    "rough": "kayu, bambu, tanah", "finished": "bata, semen, genteng, seng", "electricity": "listrik",
    "gas": "elpiji atau gas", "kerosene": "minyak tanah", "coal": "batu bara atau arang", "wood": "kayu bakar",
    "residue": "sisa tanaman atau kotoran ternak", "cooking_fuel:none": "tidak memasak di rumah",
    "piped": "ledeng di rumah", "piped_yard": "ledeng di halaman", "public_tap": "keran umum",
    "borehole": "sumur bor atau pompa", "protected_well": "sumur terlindung",
    "unprotected_well": "sumur tak terlindung",
    "well": "sumur, perlindungan tidak disebut", "protected_spring": "mata air terlindung",
    "unprotected_spring": "mata air tak terlindung", "spring": "mata air, perlindungan tidak disebut",
    "rain": "air hujan",
    "tanker": "tangki atau gerobak air", "packaged": "air kemasan atau isi ulang",
    "surface": "sungai, danau, atau waduk",
    "other": "lainnya", "flush_sewer": "leher angsa ke saluran limbah atau di dalam rumah",
    "flush_septic": "leher angsa ke tangki septik", "flush_outside": "leher angsa bersama di luar rumah",
    "flush_pit": "leher angsa ke lubang", "flush_open": "leher angsa ke selokan, sungai, atau kolam",
    "pit_ventilated": "cubluk berventilasi", "pit_slab": "cubluk berlantai",
    "pit_open": "cubluk tanpa lantai (cemplung)",
    "hanging": "jamban gantung", "toilet:none": "belum ada jamban", "education:none": "tidak bersekolah",
    "mother_education:none": "tidak bersekolah", "primary_incomplete": "SD belum tamat",
    "education:primary": "tamat SD",
    "mother_education:primary": "SD", "secondary_incomplete": "SMP/SMA belum tamat", "education:secondary": "tamat SMA",
    "mother_education:secondary": "SMP/SMA", "higher": "di atas SMA", "literacy:none": "belum", "part": "sebagian",
    "whole": "seluruhnya", "head": "kepala keluarga", "spouse": "istri atau suami", "relation_to_head:child": "anak",
    "other_kin": "kerabat lain", "not_kin": "bukan kerabat", "never": "tidak pernah",
    "rarely": "kurang dari seminggu sekali",
    "weekly": "setiap minggu", "daily": "hampir setiap hari", "contraception:none": "tidak memakai",
    "traditional": "cara tradisional", "modern": "cara modern", "home": "rumah",
    "public_hospital": "rumah sakit pemerintah",
    "public_clinic": "puskesmas, pustu, atau pos", "private": "swasta atau lembaga amal", "then": "sesuai waktunya",
    "later": "diinginkan kemudian", "no": "tidak direncanakan lagi", "card": "buku KIA", "recall": "ingatan ibu",
    "not_weighed": "tidak ditimbang", "very_large": "sangat besar", "large": "lebih besar dari rata-rata",
    "average": "rata-rata", "small": "lebih kecil dari rata-rata", "very_small": "sangat kecil", "l": "berbaring",
    "h": "berdiri", "visited": "dikunjungi dan bertemu", "not_found": "dikunjungi, tidak bertemu",
    "moved": "pindah dari wilayah", "deceased": "meninggal", "objection_opened": "keluarga berkeberatan",
    "objection_closed": "keberatan selesai",
}  # fmt: skip
"""By code, or by column and code where the same code means something else in another column."""
UNITS: Final = {
    "people": ("orang", "people"), "children": ("anak", "children"), "women": ("perempuan", "women"),
    "years": ("tahun", "years"), "months": ("bulan", "months"), "minutes": ("menit", "minutes"),
    "visits": ("kali", "visits"), "days": ("hari", "days"), "doses": ("kali", "doses"),
}  # fmt: skip
YES, NO = ("ya", "yes"), ("tidak", "no")


def register_name(name: str) -> Pair:
    """What a register is called."""
    return REGISTER_NAMES[name], REGISTERS[name].title


def column_name(register: str, name: str) -> Pair:
    """What a column is called; the English is that of docs/registers.md."""
    return COLUMN_NAMES[name], REGISTERS[register].column(name).meaning.rstrip(".")


def code_name(column: Column, code: str) -> Pair:
    """What a code of a column means."""
    return CODE_NAMES.get(f"{column.name}:{code}") or CODE_NAMES[code], column.codes[code]


def unit_name(column: Column) -> Pair:
    """The unit of a column; empty where it has none."""
    unit = "" if column.unit == "-" else column.unit
    return UNITS.get(unit, (unit, unit))


def is_named(column: Column) -> bool:
    """Whether it is a fact with a name: not who, and not when it became known."""
    return not column.name.endswith("_id") and column.name in COLUMN_NAMES


def value_of(column: Column, cell: Any) -> Pair | float | str | dt.date:
    """A cell as it is told: words in both languages, a number in the column's unit, a day, or text as it stands."""
    if column.kind is Kind.YES_NO:
        return YES if cell else NO
    if column.kind is Kind.CODE:
        return code_name(column, str(cell))
    if column.kind is Kind.DATE:
        return dt.date.fromisoformat(cell)
    return float(cell) if column.kind in (Kind.WHOLE, Kind.NUMBER) else str(cell)
