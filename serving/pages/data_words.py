"""Words that the pages of the data room share."""

from __future__ import annotations

from serving.pages.map import words

FIGURES = {
    "auc": words("AUC"),
    "average_precision": words("Presisi rata-rata"),
    "ece": words("Galat kalibrasi"),
    "calibration_slope": words("Kemiringan kalibrasi"),
    "recall_at_10": words("Tertemukan di 10% teratas"),
}
CHECKS = {
    "data checks": words("Pemeriksaan data"),
    "leak guard and tripwire": words("Penjaga kebocoran"),
    "children that it has not seen": words("Diuji pada anak yang belum dikenalnya"),
    "children that the champion has not seen": words("Anak yang belum dikenal juara"),
    "churn of the list": words("Perubahan daftar"),
    "calibration slope": words("Kemiringan kalibrasi"),
    "calibration error (ECE)": words("Galat kalibrasi"),
    "gaps between groups": words("Selisih antarkelompok"),
    "not set aside by a person": words("Tidak dikesampingkan oleh petugas"),
    "learned from real children": words("Belajar dari anak sungguhan"),
}
"""The conditions of `targeting.promotion.checks`, by name."""
AGAINST = {
    "better than": words("Lebih baik daripada aturan hari ini"),
    "against the champion": words("Dibandingkan dengan juara"),
}
"""Of those whose names go on with whom it is set against: how they begin."""


def check_name(name: str) -> str | None:
    """A condition in Indonesian; None where it is none of those that are known.

    Examples
    --------
    >>> check_name("against the champion determinants-0123"), check_name("churn of the list"), check_name("luck")
    ('Dibandingkan dengan juara', 'Perubahan daftar', None)
    """
    return CHECKS.get(name) or next((said for start, said in AGAINST.items() if name.startswith(f"{start} ")), None)
