"""Which recode variable becomes which column, and how: DHS Recode Manual names, phases 6 and 7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from features.adapters.dhs_codes import LABELS, SENTINELS, STANDARD, code_list, plain
from features.contracts import REGISTERS

if TYPE_CHECKING:
    from features.adapters.dhs_files import Recode


@dataclass(frozen=True)
class Item:
    """One column to fill.

    Parameters
    ----------
    sources
        Variables in order of preference; the first that the file has is used.
    codes
        Name of a code list, for a coded item.
    scale
        What the number is divided by (DHS stores tenths and hundredths).
    above
        Values above this are sentinels of the recode, whether labelled or not.
    """

    column: str
    sources: tuple[str, ...]
    codes: str = ""
    scale: float = 1
    above: float = float("inf")
    yes: bool = False


def _item(column: str, sources: str, **how: object) -> Item:
    return Item(column, tuple(sources.split()), **how)  # type: ignore[arg-type]  # checked by the dataclass


# The variable that tells a file really holds this record type (PR holds both kinds of bodies).
MARK = {"household": "hv001", "woman": "v001", "woman_body": "ha1", "child_body": "hc1", "birth": "m14"}
ASSETS = {
    "electricity": "v119 hv206", "radio": "v120 hv207", "tv": "v121 hv208", "fridge": "v122 hv209",
    "bicycle": "v123 hv210", "motorcycle": "v124 hv211", "car": "v125 hv212", "phone": "v153 hv221",
}  # fmt: skip
DWELLING_ITEMS = (
    _item("water_source", "v113 hv201", codes="water"),
    _item("water_minutes", "v115 hv204", above=900),
    _item("toilet", "v116 hv205", codes="toilet"),
    _item("toilet_shared", "v160 hv225", yes=True),
    *(_item(f"has_{asset}", sources, yes=True) for asset, sources in ASSETS.items()),
    _item("floor", "v127 hv213", codes="floor"),
    _item("wall", "v128 hv214", codes="wall"),
    _item("roof", "v129 hv215", codes="roof"),
    _item("cooking_fuel", "v161 hv226", codes="fuel"),
    _item("wealth_quintile", "v190 hv270", above=5),
    _item("head_sex", "v151 hv219", codes="sex"),
    _item("head_age_years", "v152 hv220", above=97),
)
DWELLING = tuple(i.column for i in DWELLING_ITEMS)
ITEMS: dict[str, tuple[Item, ...]] = {
    "household": (
        _item("completed", "hv015"),
        _item("member_count", "hv009"),
        _item("under5_count", "hv014"),
        _item("women_15_49_count", "hv010"),
        _item("sample_weight", "hv005", scale=1e6),
        _item("altitude_m", "hv040", above=9000),
        *DWELLING_ITEMS,
    ),
    "woman": (
        _item("age_years", "v012"),
        _item("education", "v149", codes="education"),
        _item("education_years", "v133", above=90),
        _item("literacy", "v155", codes="literacy"),
        _item("relation_to_head", "v150", codes="relation"),
        _item("reads_news", "v157", codes="media"),
        _item("watches_tv", "v159", codes="media"),
        _item("living_children", "v218", above=90),
        _item("language", "v131", codes="language"),
        *DWELLING_ITEMS,
    ),
    "woman_body": (
        _item("age_years", "ha1"),
        _item("weight_kg", "ha2", scale=10, above=9990),
        _item("height_cm", "ha3", scale=10, above=9990),
        _item("haemoglobin_g_dl", "ha56 ha53", scale=10, above=990),
        _item("pregnant", "ha54", yes=True),
        _item("smokes", "ha35", above=90),
    ),
    "child_body": (
        _item("sex", "hc27", codes="sex"),
        _item("birth_order", "hc64", above=90),
        _item("preceding_interval_months", "hc63", above=900),
        _item("mother_education", "hc61", codes="level"),
        _item("birth_precision", "hc33"),
        _item("weight_kg", "hc2", scale=10, above=990),
        _item("height_cm", "hc3", scale=10, above=9990),
        _item("position", "hc15", codes="position"),
        _item("haz", "hc70", scale=100, above=600),
        _item("whz", "hc72", scale=100, above=500),
    ),
    "birth": (
        _item("birth_rank_recent", "midx bidx"),
        _item("anc_visits", "m14", above=90),
        _item("anc_first_month", "m13", above=90),
        _item("iron_given", "m45", yes=True),
        _item("iron_days", "m46", above=900),
        _item("tetanus_doses", "m1", above=7),
        _item("delivery_place", "m15", codes="place"),
        _item("doctor", "m3a", yes=True),
        _item("nurse", "m3b", yes=True),
        _item("midwife", "m3c", yes=True),
        _item("caesarean", "m17", yes=True),
        _item("wanted", "m10", codes="wanted"),
        _item("birth_weight_g", "m19", above=9000),
        _item("birth_weight_source", "m19a", codes="weight_source"),
        _item("birth_size", "m18", codes="birth_size"),
    ),
}


def stack(kind: str, files: list[Recode], nulled: list[pd.DataFrame]) -> pd.DataFrame:
    """All rounds of a record type, in the contracts' words; what became null is added to `nulled`."""
    parts = [_translate(kind, file, nulled) for file in files]
    if parts:
        return pd.concat(parts, ignore_index=True)
    columns = ["home", "line", *(i.column for i in ITEMS[kind])]
    return pd.DataFrame({c: pd.Series(dtype="object") for c in columns})


def _translate(kind: str, file: Recode, nulled: list[pd.DataFrame]) -> pd.DataFrame:
    rows = file.rows[file.rows[MARK[kind]].notna()] if kind.endswith("_body") else file.rows
    rows = rows.reset_index(drop=True)
    country = _country(rows)
    made = _keys(kind, file.round, rows, country)
    for item in ITEMS[kind]:
        made[item.column], lost = _value(item, rows, file, country)
        if len(lost):
            nulled.append(lost.assign(register=kind, column=item.column))
    return _derived(kind, pd.DataFrame(made))


def _country(rows: pd.DataFrame) -> str:
    for name in ("hv000", "v000"):
        if name in rows and rows[name].notna().any():
            return str(rows[name].dropna().iloc[0])[:2]
    return "PE" if "hc70" in rows or "m14" in rows else ""


def _keys(kind: str, round_: str, rows: pd.DataFrame, country: str) -> dict[str, pd.Series]:
    if "hhid" in rows and kind in {"household", "woman_body", "child_body"}:
        home = rows.hhid.astype("string").str.strip()
    else:
        home = rows.caseid.astype("string").str[:-3].str.strip()
    keys = {"home": (round_ + "-" + home).where(home.notna() & (home != ""))}
    lines = {"woman": "v003", "woman_body": "ha0", "child_body": "hc0"}
    if kind == "birth":
        keys["line"] = pd.to_numeric(rows.caseid.str[-3:], errors="coerce").astype("Int64").astype("string")
    elif kind != "household":
        source = lines[kind] if lines[kind] in rows else "hvidx"
        keys["line"] = rows[source].astype("Int64").astype("string")
    if kind == "household":
        keys |= _place(rows, country)
    if kind == "child_body":
        keys |= _child_keys(rows)
    return keys


def _place(rows: pd.DataFrame, country: str) -> dict[str, pd.Series]:
    def whole(name: str) -> pd.Series:
        return rows[name].astype("Int64").astype("string")

    altitude = whole("hv040") if "hv040" in rows else pd.Series("", index=rows.index)
    region = country + "-" + whole("hv024").str.zfill(2)
    return {
        "interviewed_on": _date(rows, "hv007", "hv006", "hv016"),
        "region_id": region,
        "area_id": region + "-" + whole("hv001").str.zfill(4) + "-" + altitude.fillna("x"),
        "urban": rows.hv025 == 1,
        "stratum": whole("hv022") if "hv022" in rows else pd.Series(pd.NA, index=rows.index),
    }


def _child_keys(rows: pd.DataFrame) -> dict[str, pd.Series]:
    mother = rows.hc60.where(rows.hc60.between(1, 90)).astype("Int64").astype("string")
    day = rows.hc16.where(rows.hc16.between(1, 31), 15) if "hc16" in rows else pd.Series(15, index=rows.index)
    born = _date(rows.assign(hc16=day), "hc31", "hc30", "hc16")
    return {
        "mother_line": mother,
        "birth_date": born.where(born.notna(), _date(rows.assign(hc16=28), "hc31", "hc30", "hc16")),
        "day_known": rows.hc16.between(1, 31) if "hc16" in rows else pd.Series(data=False, index=rows.index),
        "measured_on": _date(rows, "hc19", "hc18", "hc17"),
    }


def _date(rows: pd.DataFrame, year: str, month: str, day: str) -> pd.Series:
    parts = pd.DataFrame({"year": rows[year], "month": rows[month], "day": rows[day]})
    return pd.to_datetime(parts, errors="coerce")


def _value(item: Item, rows: pd.DataFrame, file: Recode, country: str) -> tuple[pd.Series, pd.DataFrame]:
    """The column, and what of it became null: code, reason, rows."""
    source = next((s for s in item.sources if s in rows), None)
    if source is None:
        return pd.Series(pd.NA, index=rows.index, dtype="object"), pd.DataFrame()
    seen = pd.to_numeric(rows[source], errors="coerce")
    meaning = _meanings(item, seen, file.labels.get(source, {}), country)
    value = seen.map(lambda v: meaning.get(v, (None, ""))[0])
    reason = seen.map(lambda v: meaning.get(v, (None, ""))[1])
    lost = seen.notna() & value.isna()
    counts = pd.DataFrame({"code": seen[lost], "reason": reason[lost]})
    return value, counts.groupby(["code", "reason"], as_index=False).size().rename(columns={"size": "rows"})


def _meanings(item: Item, seen: pd.Series, labels: dict[float, str], country: str) -> dict[float, tuple[object, str]]:
    """Each value seen -> (its meaning or None, why it is None)."""
    fallback = code_list(item.codes, country) if item.codes else {}
    known: dict[float, tuple[object, str]] = {}
    for code in seen.dropna().unique():
        label = plain(labels.get(code, ""))
        known[code] = _meaning(item, float(code), label, fallback)
    return known


def _meaning(item: Item, code: float, label: str, fallback: dict[int, str]) -> tuple[object, str]:
    if item.column == "water_minutes" and (label in {"on premises", "en el lugar"} or code == 996):  # noqa: PLR2004 (DHS code)
        return 0.0, ""
    if label in SENTINELS:
        return None, SENTINELS[label]
    if item.codes:
        word = LABELS.get(item.codes, {}).get(label) or fallback.get(int(code))
        return word, "" if word else f"no meaning for this code ({label or 'unlabelled'})"
    if item.yes:
        return (bool(code), "") if code in (0, 1) else (None, "neither yes nor no")
    if code > item.above:
        return None, label or "the recode's own sentinel"
    return code / item.scale, ""


def _derived(kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    if kind == "birth":
        attended = rows[["doctor", "nurse", "midwife"]]
        rows["skilled_attendant"] = attended.eq(other=True).any(axis=1).where(attended.notna().any(axis=1))
    if kind == "woman_body":
        rows["smokes"] = (rows.smokes > 0).where(rows.smokes.notna())
    if kind == "child_body":
        year_only = rows.birth_precision.isin([3, 5, 6])
        precision = rows.day_known.map({True: "day", False: "month"})
        rows["birth_date_precision"] = precision.mask(year_only, "year")
    return rows


def only_contract(register: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The register's own columns, those that the source has."""
    return rows[[c for c in REGISTERS[register].names if c in rows]].reset_index(drop=True)


assert all(i.codes in STANDARD for items in ITEMS.values() for i in items if i.codes)  # noqa: S101 (a typo here must not start)
