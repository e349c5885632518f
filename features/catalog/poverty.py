"""What the household owns, how it lives and which aid it receives."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from ibis import _

from features.catalog.feature import Feature, Subject, View

if TYPE_CHECKING:
    import ibis

DTSEN = "register `household` (DTSEN-like)"
ASSETS = {
    "electricity": ("listrik", "electricity"),
    "radio": ("radio", "radio"),
    "tv": ("televisi", "television"),
    "fridge": ("kulkas", "refrigerator"),
    "bicycle": ("sepeda", "bicycle"),
    "motorcycle": ("sepeda motor", "motorcycle"),
    "car": ("mobil", "car"),
    "phone": ("telepon tetap", "fixed telephone"),
}
AID = {"pkh": "PKH", "bpnt": "BPNT", "pbi": "PBI-JK", "blt_dd": "BLT Dana Desa"}


def ordered(column: ibis.Deferred, order: str) -> ibis.Deferred:
    """A code as an ordered number, by its place (from 0) in `order`; null for a code not named."""
    return column.cases(*((word, float(n)) for n, word in enumerate(order.split())))


def _feature(name: str, words: tuple[str, str], value: object, **more: object) -> Feature:
    given = {"unit": "-", "valid": (0, 1), "null_means": "not asked or not known", "direction": 0, "actionable": False}
    return Feature(
        name=name, subject=Subject.POVERTY, view=View.HOUSEHOLD, meaning_id=words[0], meaning_en=words[1],
        value=value, source=DTSEN, **(given | more),  # type: ignore[arg-type]  # the dataclass checks them
    )  # fmt: skip


FLOOR = "finished cement rough earth"
MATERIAL = "finished rough natural"
FUELS = "electricity gas kerosene coal wood residue"

FEATURES = (
    *(
        _feature(f"owns_{asset}", (f"memiliki {i}", f"has {e}"), _[f"has_{asset}"].cast("float64"),
                 direction=0 if asset in {"radio", "bicycle"} else -1)
        for asset, (i, e) in ASSETS.items()
    ),
    _feature("asset_count", ("jumlah aset rumah tangga", "household assets counted"),
             reduce(add, (_[f"has_{a}"].cast("float64") for a in ASSETS if a != "bicycle")),
             unit="assets", valid=(0, 7), direction=-1),
    *(_feature(f"gets_{aid}", (f"menerima {n}", f"receives {n}"), _[f"aid_{aid}"].cast("float64")) for aid, n in AID.items()),
    _feature("desil", ("desil kesejahteraan", "welfare decile"), _.desil.cast("float64"), valid=(1, 10), direction=-1),
    _feature("wealth_quintile", ("kuintil kekayaan", "wealth quintile"), _.wealth_quintile.cast("float64"),
             valid=(1, 5), direction=-1),
    _feature("floor_quality", ("lantai kurang baik", "poorer floor material"), ordered(_.floor, FLOOR), valid=(0, 3), direction=1),
    _feature("wall_quality", ("dinding kurang baik", "poorer wall material"), ordered(_.wall, MATERIAL), valid=(0, 2)),
    _feature("roof_quality", ("atap kurang baik", "poorer roof material"), ordered(_.roof, MATERIAL), valid=(0, 2)),
    _feature("fuel_ladder", ("bahan bakar memasak lebih kotor", "dirtier cooking fuel"), ordered(_.cooking_fuel, FUELS),
             valid=(0, 5), direction=1),
    _feature("solid_fuel", ("memasak dengan bahan bakar padat", "cooks with solid fuel"),
             _.cooking_fuel.isin(["coal", "wood", "residue"]).cast("float64"), direction=1, actionable=True),
    _feature("member_count", ("jumlah anggota rumah tangga", "household members"), _.member_count.cast("float64"),
             unit="people", valid=(1, 60)),
    _feature("under5_count", ("jumlah balita", "children under five"), _.under5_count.cast("float64"), unit="children",
             valid=(0, 15), direction=1),
    _feature("women_count", ("jumlah perempuan 15-49 tahun", "women of 15-49 years"), _.women_15_49_count.cast("float64"),
             unit="women", valid=(0, 15)),
    _feature("under5_share", ("porsi balita dalam rumah tangga", "share of under-fives in the household"),
             _.under5_count.cast("float64") / _.member_count.cast("float64").nullif(0.0), unit="share"),
    _feature("head_female", ("kepala keluarga perempuan", "female head"), (_.head_sex == "f").cast("float64")),
    _feature("head_age", ("umur kepala keluarga", "age of the head"), _.head_age_years.cast("float64"), unit="years",
             valid=(10, 110)),
)  # fmt: skip
