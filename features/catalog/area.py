"""Where the household lives, and what was known of stunting there before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ibis import _

from features.catalog.feature import Feature, Subject, View

if TYPE_CHECKING:
    import ibis

REGISTER = "register `area`"
PAST = "outcomes of earlier rounds, register `measurement`"


def _feature(name: str, words: tuple[str, str], value: ibis.Deferred, **more: object) -> Feature:
    given = {
        "unit": "-", "valid": (0, 1), "null_means": "area not known", "direction": 0, "actionable": False,
        "source": REGISTER, "view": View.AREA,
    }  # fmt: skip
    return Feature(
        name=name, subject=Subject.AREA, meaning_id=words[0], meaning_en=words[1], value=value,
        **(given | more),  # type: ignore[arg-type]  # the dataclass checks them
    )  # fmt: skip


FEATURES = (
    _feature("altitude_m", ("ketinggian tempat tinggal", "altitude"), _.altitude_m.cast("float64"), unit="m",
             valid=(-50, 6000), direction=1),
    _feature("urban", ("tinggal di perkotaan", "urban"), _.urban.cast("float64")),
    _feature("region_past_prevalence", ("prevalensi stunting wilayah pada putaran lalu", "past stunting in the region"),
             _.region_prevalence, unit="share", view=View.HISTORY, source=PAST, direction=1,
             null_means="no earlier round is known"),
    _feature("area_past_prevalence", ("prevalensi stunting desa pada putaran lalu", "past stunting in the area, shrunk"),
             _.area_prevalence, unit="share", view=View.HISTORY, source=PAST, direction=1,
             null_means="no earlier round is known"),
)  # fmt: skip
