"""What the columns and notes of a list are called, in Indonesian and in English."""

# column: heading on the sheet, meaning in English, width [characters]
HEADINGS = {
    "rank": ("Urutan", "order of visit, 1 is first", 8),
    "household_id": ("ID keluarga", "household", 20),
    "child_id": ("ID anak", "child", 20),
    "mother_id": ("ID ibu", "mother, or another woman", 20),
    "region_id": ("Wilayah", "region", 14),
    "area_id": ("Kode desa", "area code", 14),
    "area_name": ("Desa/kelurahan", "area name", 20),
    "unit_count": ("Anak dan kehamilan dinilai", "children and pregnancies scored", 11),
    "expected_stunted": ("Perkiraan anak stunting", "expected number of stunted children", 12),
    "risk_find": ("Risiko stunting kini", "risk that a child is stunted now, 0-1", 10),
    "risk_prevent": ("Risiko stunting nanti", "risk that a child becomes stunted, 0-1", 10),
    "risk": ("Risiko dasar urutan", "the risk that is ranked on, on the register's level, 0-1", 10),
    "risk_low": ("Batas bawah risiko", "low end of the interval of the risk that is ranked on, 0-1", 10),
    "risk_high": ("Batas atas risiko", "high end of the interval of the risk that is ranked on, 0-1", 10),
    "boundary": (
        "Dekat batas daftar",
        "true: the interval contains the risk of the last one listed, so it could as well have been left out",
        10,
    ),
    "risk_survey": (
        "Risiko menurut survei",
        "the same risk on the level of the survey that is named above, 0-1; it does not change the order",
        10,
    ),
    "objective": ("Tujuan", "find: stunted now; prevent: stunted later", 10),
    "freshest_on": ("Tanggal data terbaru", "date of the newest fact used", 12),
    "stalest_on": ("Tanggal data terlama", "date of the oldest of the newest facts used", 12),
    "reasons_id": ("Alasan", "reasons, in Indonesian", 45),
    "reasons_en": ("Alasan (Inggris)", "reasons, in English", 45),
    "reasons_unit_id": ("Alasan untuk", "the child or pregnancy that the reasons are about", 20),
    "missing_registers": ("Data belum tersedia", "registers without a record of the home, a mother or a child", 20),
    "model_version": ("Versi model", "model version", 14),
    "measured_on": ("Tanggal ukur", "date of measurement of a child", 12),
    "recorded_on": ("Tanggal catat", "date of recording", 12),
    "whz": ("BB/TB (SD)", "weight-for-height, SD", 9),
    "muac_cm": ("LiLA (cm)", "mid-upper arm circumference, cm", 9),
    "oedema": ("Edema", "bilateral oedema", 8),
    "haemoglobin_g_dl": ("Hb (g/dL)", "haemoglobin of a woman, g/dL", 9),
    "age_months": ("Umur (bulan)", "age of a child in months", 9),
    "why_id": ("Alasan rujukan", "reasons for referral, in Indonesian", 45),
    "why_en": ("Alasan rujukan (Inggris)", "reasons for referral, in English", 45),
}
META = {
    "simulated": "Data simulasi / Simulated data",
    "model_version": "Versi model / Model version",
    "as_of": "Data per tanggal / As of",
    "objective": "Tujuan / Objective",
    "capacity": "Kapasitas kunjungan (keluarga) / Capacity (households)",
    "eligible": "Keluarga yang dipertimbangkan / Households considered",
    "salt": "Nama putaran (penentu urutan seri) / Round (breaks ties)",
    "regions": "Wilayah / Regions",
    "urgent": "Rujukan segera / Urgent list",
    "boundary": "Dekat batas daftar / Near the end of the list",
    "level": "Tingkat risiko / Level of risks",
}
NOTES = (
    (
        "Skor adalah saran; keputusan ada pada petugas.",
        "A score is advice; the decision is the officer's.",
    ),
    (
        "Anak dan perempuan di 'Rujukan segera' dirujuk sekarang juga; anak dan kehamilan itu tidak ikut diurutkan.",
        "Children and women in 'Rujukan segera' are referred at once; those children and pregnancies are not ranked.",
    ),
    (
        "Risiko keluarga menganggap anak-anak serumah saling bebas.",
        "A household's risk assumes that its children are independent of each other.",
    ),
    (
        "Keluarga yang tidak ada di daftar bukan berarti tanpa risiko.",
        "A household that is not on the list is not without risk.",
    ),
    (
        "Selang risiko hanya memuat ketidakpastian pembelajaran model, bukan kesalahan data keluarga.",
        "The interval of a risk holds the uncertainty of learning alone, not errors in the household's data.",
    ),
    (
        "Risiko yang sama diurutkan dengan undian dari nama putaran.",
        "Equal risks are ordered by a lot drawn from the name of the round.",
    ),
)
