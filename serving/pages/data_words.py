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
