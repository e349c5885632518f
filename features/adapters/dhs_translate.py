"""Recode files -> rows in the contracts' words, with an account of what was lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.adapters.dhs_checks import refuse_undated, refuse_unusable
from features.adapters.dhs_codes import LABELS, SENTINELS, code_list, plain
from features.adapters.dhs_fields import ITEMS, NEEDED, WHOLE, Item
from features.adapters.dhs_rounds import marked
from features.validation import SOURCE

if TYPE_CHECKING:
    from features.adapters.dhs_account import Account
    from features.adapters.dhs_files import Recode

LARGEST = 1e15
"""Above it a number in a Stata file no longer tells one whole number from the next."""
OTHERS = {
    "woman_body": "not women listed for measuring",
    "child_body": "not children listed for measuring",
    "birth": "births outside the maternity section",
}
"""Who the rows are that a file of DHS's own layout holds beside the record type."""
NO_NUMBER = "not a number"
NOT_WHOLE = "not a whole number"


def stack(kind: str, files: list[Recode], account: Account) -> pd.DataFrame:
    """All rounds of a record type, in the contracts' words.

    Raises
    ------
    InputRefused
        A file lacks a variable without which its rows have no key or no date.
    """
    parts = [_translate(kind, file, account) for file in files]
    if parts:
        return pd.concat(parts, ignore_index=True)
    columns = ["home", "line", *(i.column for i in ITEMS[kind]), *SOURCE]
    return pd.DataFrame({c: pd.Series(dtype="object") for c in columns})


def _translate(kind: str, file: Recode, account: Account) -> pd.DataFrame:
    rows = _whole_numbers(kind, _own_rows(kind, file, account), account)
    refuse_unusable(kind, file, rows)
    made = {
        "_source_file": pd.Series(file.name, index=rows.index),
        "_source_row": pd.Series(rows.index + 1, index=rows.index),
        **_keys(kind, file, rows),
    }
    refuse_undated(kind, file, made)
    if kind == "child_body":
        _lose_mothers(file, rows, account)
    for item in ITEMS[kind]:
        made[item.column] = _value(item, kind, rows=rows, file=file, account=account)
    account.compare(kind, file, rows=rows, made=made)
    return _derived(kind, pd.DataFrame(made).reset_index(drop=True))


def _own_rows(kind: str, file: Recode, account: Account) -> pd.DataFrame:
    own, others = marked(file, kind), OTHERS.get(kind, "")
    if kind == "birth" and not file.endes and "midx" in file.rows:
        own = file.rows.midx.notna()
    left = int((~own).sum())
    if left:
        account.notes.append(f"{file.name}: {left} of {len(own)} rows are {others} and are left out of {kind}")
    return file.rows[own]


def _whole_numbers(kind: str, rows: pd.DataFrame, account: Account) -> pd.DataFrame:
    """The same rows with keys and parts of dates as whole numbers; what is none becomes null."""
    whole = {}
    for name in WHOLE[kind].split():
        if name in rows:
            seen = _numbers(rows[name], kind, column=name, account=account)
            fits = (seen % 1 == 0) & (seen.abs() < LARGEST)
            account.lose(kind, name, codes=seen[seen.notna() & ~fits], reason=NOT_WHOLE)
            whole[name] = seen.where(fits)
    return rows.assign(**whole)


def _numbers(values: pd.Series, kind: str, *, column: str, account: Account) -> pd.Series:
    seen = pd.to_numeric(values, errors="coerce").astype("float64").replace([np.inf, -np.inf], np.nan)
    text = values.notna() & seen.isna()
    if text.any():  # a blank is a missing value, not a text
        text &= values.astype("string").str.strip().fillna("") != ""
        account.lose(kind, column, codes=seen[text], reason=NO_NUMBER)
    return seen


def _keys(kind: str, file: Recode, rows: pd.DataFrame) -> dict[str, pd.Series]:
    home = rows.caseid.str[:-3] if "caseid" in NEEDED[kind] else rows.hhid
    home = home.astype("string").str.strip()
    keys = {"home": (file.round + "-" + home).where(home.notna() & (home != ""))}
    if kind == "household":
        return keys | _place(rows, file.country)
    keys["line"] = _text(_line(kind, rows))
    return keys | _child_keys(rows) if kind == "child_body" else keys


def _line(kind: str, rows: pd.DataFrame) -> pd.Series:
    """The member's line in the household: the end of caseid, and in PR for every member hvidx."""
    line = rows.get("hvidx", pd.Series(np.nan, index=rows.index))
    if "caseid" in NEEDED[kind]:
        line = pd.to_numeric(rows.caseid.astype("string").str[-3:], errors="coerce").astype("float64")
    own = {"woman": "v003", "woman_body": "ha0", "child_body": "hc0"}.get(kind, "")
    return rows[own].fillna(line) if own in rows else line


def _text(whole: pd.Series) -> pd.Series:
    return whole.where(whole % 1 == 0).astype("Int64").astype("string")


def _place(rows: pd.DataFrame, country: str) -> dict[str, pd.Series]:
    altitude = pd.Series("", index=rows.index)
    if "hv040" in rows:
        altitude = _text(pd.to_numeric(rows.hv040, errors="coerce").round()).fillna("x")
    region = country + "-" + _text(rows.hv024).str.zfill(2)
    null = pd.Series(pd.NA, index=rows.index, dtype="object")
    return {
        "interviewed_on": _date(rows, "hv007 hv006 hv016"),
        "region_id": region,
        "area_id": region + "-" + _text(rows.hv001).str.zfill(4) + "-" + altitude,
        "urban": (rows.hv025 == 1).where(rows.hv025.notna()) if "hv025" in rows else null,
        "stratum": _text(rows.hv022) if "hv022" in rows else null,
    }


def _child_keys(rows: pd.DataFrame) -> dict[str, pd.Series]:
    null = pd.Series(np.nan, index=rows.index)
    mother, day = rows.get("hc60", null), rows.get("hc16", null)
    born = _date(rows.assign(hc16=day.where(day.between(1, 31), 15)), "hc31 hc30 hc16")
    return {
        "mother_line": _text(mother.where(mother.between(1, 90))),
        "birth_date": born.where(born.notna(), _date(rows.assign(hc16=28), "hc31 hc30 hc16")),
        "day_known": day.between(1, 31),
        "measured_on": _date(rows, "hc19 hc18 hc17"),
    }


def _lose_mothers(file: Recode, rows: pd.DataFrame, account: Account) -> None:
    if "hc60" in rows:
        lost = rows.hc60[rows.hc60.notna() & ~rows.hc60.between(1, 90)]
        labels = file.labels.get("hc60", {})
        reasons = lost.map(lambda code: SENTINELS.get(plain(labels.get(code, "")), "the mother is not listed"))
        account.lose("child_body", "mother_id", codes=lost, reason=reasons)


def _date(rows: pd.DataFrame, names: str) -> pd.Series:
    """The day made of three variables, the year first; null where they make none."""
    parts = {part: rows.get(name) for part, name in zip(("year", "month", "day"), names.split(), strict=True)}
    return pd.to_datetime(pd.DataFrame(parts, index=rows.index).astype("float64"), errors="coerce")


def _value(item: Item, kind: str, *, rows: pd.DataFrame, file: Recode, account: Account) -> pd.Series:
    """The column; what of it became null goes into the account."""
    source = next((s for s in item.sources if s in rows), None)
    if source is None:
        return pd.Series(pd.NA, index=rows.index, dtype="object")
    seen = _numbers(rows[source], kind, column=item.column, account=account)
    meaning = _meanings(item, seen, labels=file.labels.get(source, {}), country=file.country)
    value = seen.map(lambda v: meaning.get(v, (None, ""))[0])
    reason = seen.map(lambda v: meaning.get(v, (None, ""))[1])
    lost = seen.notna() & value.isna()
    account.lose(kind, item.column, codes=seen[lost], reason=reason[lost])
    return value


def _meanings(
    item: Item, seen: pd.Series, *, labels: dict[float, str], country: str
) -> dict[float, tuple[object, str]]:
    """Each value seen -> (its meaning or None, why it is None)."""
    fallback = code_list(item.codes, country) if item.codes else {}
    known: dict[float, tuple[object, str]] = {}
    for code in seen.dropna().unique():
        label = plain(labels.get(code, ""))
        known[code] = _meaning(item, float(code), label=label, fallback=fallback)
    return known


def _meaning(item: Item, code: float, *, label: str, fallback: dict[int, str]) -> tuple[object, str]:
    if item.column == "water_minutes" and (label in {"on premises", "en el lugar"} or code == 996):  # noqa: PLR2004 (DHS code)
        return 0.0, ""
    if label in SENTINELS:
        return None, SENTINELS[label]
    if item.codes:
        word = LABELS.get(item.codes, {}).get(label) or (fallback.get(int(code)) if code % 1 == 0 else None)
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
