"""How the child grew before `as_of`: earlier measurements of its own, for the model `history` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibis import _

from features.catalog.child import DAYS_PER_MONTH
from features.catalog.feature import Feature, Subject, View

if TYPE_CHECKING:
    import ibis

REGISTER = "register `measurement`, before `as_of`"
WHO = f"{REGISTER}; WHO 2006"
KMS = f"{REGISTER}; KMS of the Buku KIA 2023"


def _feature(name: str, words: tuple[str, str], value: ibis.Deferred, **more: object) -> Feature:
    given = {
        "unit": "SD", "valid": (-6, 6), "null_means": "not measured before, or not plausibly", "direction": 0,
        "actionable": False, "source": WHO, "view": View.EARLIER,
    }  # fmt: skip
    return Feature(
        name=name, subject=Subject.CHILD, meaning_id=words[0], meaning_en=words[1], value=value.cast("float64"),
        **(given | more),  # type: ignore[arg-type]  # the dataclass checks them
    )  # fmt: skip


def _per_month(measure: str) -> ibis.Deferred:
    months = _[f"{measure}_apart_days"].cast("float64") / DAYS_PER_MONTH
    return (_[f"{measure}_last"] - _[f"{measure}_before"]) / months.nullif(0.0)


ONCE = "measured fewer than twice before"
NOT_JUDGED = "not weighed in two months that follow each other (O), or weighed once (B)"

# A shorter child can only be nearer to the line. Of a change the sign is open: who fell to a height may return to the
# one before.
FEATURES = (
    _feature("haz_last", ("TB/U pengukuran terakhir", "height-for-age when last measured"), _.haz_last, direction=-1),
    _feature("waz_last", ("BB/U penimbangan terakhir", "weight-for-age when last weighed"), _.waz_last, valid=(-6, 5)),
    _feature("whz_last", ("BB/TB pengukuran terakhir", "weight-for-height when last measured"), _.whz_last, valid=(-5, 5)),
    _feature("haz_lowest", ("TB/U terendah sampai saat itu", "lowest height-for-age so far"), _.haz_lowest, direction=-1),
    _feature("haz_change", ("perubahan TB/U sebulan", "change of height-for-age a month"), _per_month("haz"), unit="SD a month",
             valid=(-3, 3), null_means=ONCE),
    _feature("waz_change", ("perubahan BB/U sebulan", "change of weight-for-age a month"), _per_month("waz"), unit="SD a month",
             valid=(-3, 3), null_means=ONCE),
    _feature("measured_months_ago", ("waktu sejak tinggi badan terakhir diukur", "time since height was last measured"),
             _.as_of.delta(_.haz_last_on, unit="day").cast("float64") / DAYS_PER_MONTH, unit="months", valid=(0, 60), decimals=3,
             source=REGISTER),
    _feature("measured_at_months", ("umur saat tinggi badan terakhir diukur", "age when height was last measured"),
             _.haz_last_age_days.cast("float64") / DAYS_PER_MONTH, unit="months", valid=(0, 60), decimals=3, source=REGISTER),
    _feature("times_measured", ("jumlah pengukuran sebelumnya", "earlier measurements"), _.times, unit="visits", valid=(1, 100),
             source=REGISTER, null_means="not measured before"),
    _feature("weight_faltered", ("berat badan tidak naik sesuai KBM (T)", "weight gained less than the minimum (T)"), _.faltered,
             unit="-", valid=(0, 1), null_means=NOT_JUDGED, source=KMS),
    _feature("falterings_in_row", ("berat badan tidak naik berturut-turut (2T dan seterusnya)", "weighings in a row without enough gain"),
             _.falterings, unit="visits", valid=(0, 60), null_means=NOT_JUDGED, source=KMS),
)  # fmt: skip
