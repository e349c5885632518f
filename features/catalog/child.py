"""The child: age, sex, place among siblings, and size at birth. Nothing measured after birth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibis import _

from features.catalog.feature import Feature, Subject, View
from features.catalog.poverty import ordered

if TYPE_CHECKING:
    import ibis

REGISTER = "register `child`"
BIRTH = "register `pregnancy` (KIA, e-Kohort)"
DAYS_PER_MONTH = 30.4375
AGE_DAYS = _.as_of.delta(_.birth_date, unit="day").cast("float64")
AGE = AGE_DAYS / DAYS_PER_MONTH


def _feature(name: str, words: tuple[str, str], value: ibis.Deferred, **more: object) -> Feature:
    given = {
        "unit": "-", "valid": (0, 1), "null_means": "not recorded, or not born yet", "direction": 0,
        "actionable": False, "source": REGISTER, "view": View.CHILD,
    }  # fmt: skip
    return Feature(
        name=name, subject=Subject.CHILD, meaning_id=words[0], meaning_en=words[1], value=value,
        **(given | more),  # type: ignore[arg-type]  # the dataclass checks them
    )  # fmt: skip


FEATURES = (
    _feature("age_months", ("umur anak", "child's age"), AGE, unit="months", valid=(0, 60), decimals=3),
    _feature("male", ("anak laki-laki", "boy"), (_.sex == "m").cast("float64")),
    _feature("birth_order", ("urutan kelahiran", "birth order"), _.birth_order.cast("float64"), valid=(1, 20), direction=1),
    _feature("first_born", ("anak pertama", "first-born"), (_.birth_order == 1).cast("float64")),
    _feature("birth_interval_months", ("jarak dari kelahiran sebelumnya", "months since the previous birth"),
             _.preceding_interval_months.cast("float64"), unit="months", valid=(7, 400)),
    _feature("short_interval", ("jarak kelahiran kurang dari 24 bulan", "birth interval under 24 months"),
             (_.preceding_interval_months < 24).cast("float64"), direction=1),  # noqa: PLR2004 (KRS)
    _feature("mother_listed", ("ibu tercatat di rumah tangga", "mother is listed"), _.mother_id.notnull().cast("float64")),
    _feature("mother_level", ("jenjang pendidikan ibu", "mother's school level"),
             ordered(_.mother_education, "none primary secondary higher"), unit="step", valid=(0, 3), direction=-1),
    _feature("birth_month_sin", ("musim lahir (sinus)", "season of birth (sine)"),
             ((_.birth_date.month().cast("float64") - 1.0) * 0.5235987756).sin(), valid=(-1, 1), decimals=6),
    _feature("birth_date_exact", ("tanggal lahir lengkap", "exact date of birth"),
             (_.birth_date_precision == "day").cast("float64")),
    _feature("birth_weight_g", ("berat lahir", "birth weight"), _.birth_weight_g.cast("float64"), unit="g",
             valid=(500, 6500), direction=-1, view=View.PREGNANCY, source=BIRTH),
    _feature("low_birth_weight", ("berat lahir rendah (BBLR)", "low birth weight"),
             (_.birth_weight_g < 2500).cast("float64"), direction=1, view=View.PREGNANCY, source=BIRTH),  # noqa: PLR2004 (WHO)
    _feature("not_weighed_at_birth", ("tidak ditimbang saat lahir", "not weighed at birth"),
             (_.birth_weight_source == "not_weighed").cast("float64"), direction=1, view=View.PREGNANCY, source=BIRTH,
             actionable=True),
    _feature("weight_from_card", ("berat lahir dari buku KIA", "birth weight from the card"),
             (_.birth_weight_source == "card").cast("float64"), view=View.PREGNANCY, source=BIRTH),
    _feature("birth_size", ("ukuran lahir lebih kecil", "smaller size at birth"),
             ordered(_.birth_size, "very_large large average small very_small"), unit="step", valid=(0, 4), direction=1,
             view=View.PREGNANCY, source=BIRTH),
    _feature("recent_birth_rank", ("urutan dari kelahiran terakhir", "rank from the mother's last birth"),
             _.birth_rank_recent.cast("float64"), valid=(1, 10), view=View.PREGNANCY, source=BIRTH),
)  # fmt: skip
