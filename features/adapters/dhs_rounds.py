"""Which file is read for which record type of which round; what cannot be told apart is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, groupby

import pandas as pd

from features.adapters.dhs_files import RECORD_TYPES, Recode
from features.errors import InputRefused

MARKS = {"woman_body": ["ha0", "ha1", "ha2", "ha3"], "child_body": ["hc0", "hc1", "hc2", "hc3", "hc31", "hc70"]}
"""Variables of which a member of the household has at least one when she, or the child, was listed for measuring."""
VISIT = ["hhid", "hv007", "hv006", "hv016"]


def choose(files: list[Recode]) -> tuple[dict[str, list[Recode]], list[str]]:
    """For each record type one file a round, in order of round; and notes on the files and rounds left out.

    Raises
    ------
    InputRefused
        Two files claim the same record type and round, a round has no household file, no file has children, or two
        rounds hold the same households.
    """
    settled = _settled(files)
    _refuse_doubles(settled)
    taken = {kind: _first_of(settled, kind) for kind in RECORD_TYPES}
    _refuse_absent("household", taken)
    _refuse_homeless(settled, taken["household"])
    _refuse_absent("child_body", taken)
    _refuse_same_homes(taken["household"])
    return taken, [*_passed_over(settled, taken), *_absences(taken)]


def marked(file: Recode, kind: str) -> pd.Series:
    """Whether each row is of the record type: only PR mixes them, one row for each member of the household."""
    if file.kind != "pr":
        return pd.Series(data=True, index=file.rows.index)
    marks = [m for m in MARKS[kind] if m in file.rows]
    return file.rows[marks].apply(pd.to_numeric, errors="coerce").notna().any(axis=1)


def _settled(files: list[Recode]) -> list[Recode]:
    """A round for the files whose names have none, and one country for all files of a round."""
    year = next((y for f in files if not f.round and f.kind in _names("household") and (y := _year(f))), "")
    dated = sorted((replace(f, round=f.round or year) for f in files), key=lambda f: (f.round, f.name))
    settled = []
    for round_, group in groupby(dated, key=lambda f: f.round):
        members = list(group)
        by_country = {f.country: f.name for f in members if f.country}
        if len(by_country) > 1:
            raise InputRefused(
                found="; ".join(f"{name} is of {country}" for country, name in by_country.items())
                + f", both of round {round_ or 'without a year'}",
                allowed="one country a round",
                remedy="Begin the names with the country, as in PEHR_2014.dta.",
            )
        # ENDES's bodies and births do not name the country; it is Peru's survey.
        country = next(iter(by_country), "PE" if any(f.endes for f in members) else "")
        settled += [replace(f, country=country) for f in members]
    return settled


def _names(kind: str) -> set[str]:
    return {name.lower() for name in RECORD_TYPES[kind]}


def _year(file: Recode) -> str:
    years = pd.to_numeric(file.rows.get("hv007", pd.Series(dtype="float")), errors="coerce").dropna()
    return str(int(years.mode().iloc[0])) if len(years) else ""


def _refuse_doubles(files: list[Recode]) -> None:
    seen: dict[tuple[str, str], Recode] = {}
    for file in files:
        first = seen.setdefault((file.kind, file.round), file)
        if first is not file:
            which = f"{file.kind.upper()} of round {file.round or 'without a year'}"
            raise InputRefused(
                found=f"{first.name} and {file.name}, both {which}",
                allowed="one file of each record type a round",
                remedy="Keep the one that is whole; if they are parts, put them together into one file.",
            )


def _first_of(files: list[Recode], kind: str) -> list[Recode]:
    """The files of a record type; of two names for one round, the first of `RECORD_TYPES` wins."""
    found: dict[str, Recode] = {}
    for name in RECORD_TYPES[kind]:
        for file in files:
            if file.kind == name.lower() and marked(file, kind).any():
                found.setdefault(file.round, file)
    return [found[r] for r in sorted(found)]


def _refuse_absent(kind: str, taken: dict[str, list[Recode]]) -> None:
    if not taken[kind]:
        raise InputRefused(
            found=f"no {' or '.join(RECORD_TYPES[kind])} file with {'child' if kind == 'child_body' else kind} records",
            allowed="household and child records, at least",
            remedy="Add the file; without it there is no one to list.",
        )


def _refuse_homeless(files: list[Recode], homes: list[Recode]) -> None:
    with_homes = {f.round for f in homes}
    lone = [f for f in files if f.round not in with_homes]
    if lone:
        round_ = lone[0].round
        others = ", ".join(f.name for f in lone if f.round == round_)
        raise InputRefused(
            found=f"round {round_ or 'without a year'} has {others}, but no household file",
            allowed="a household file for each round",
            remedy=f"Add {_home_name(lone[0])}, or take the round's other files out of the folder.",
        )


def _home_name(beside: Recode) -> str:
    if beside.endes:
        return f"rech0_{beside.round}.dta".replace("_.", ".")
    country, rest = re.fullmatch(r"([A-Z]{2})?(.*)", beside.round).groups(default="")  # type: ignore[union-attr]  # it matches anything
    return f"{country}HR{'_' if rest.isdigit() and len(rest) > len('61') else ''}{rest}.dta"


def _refuse_same_homes(homes: list[Recode]) -> None:
    """Two releases, or two layouts, of one survey would list every household twice under different names."""
    known = [(f, _visits(f)) for f in homes if set(VISIT) <= set(f.rows)]
    for (one, its), (other, theirs) in combinations(known, 2):
        if one.country == other.country and 2 * len(its & theirs) > min(len(its), len(theirs)):
            raise InputRefused(
                found=f"{one.name} and {other.name} hold the same households, visited on the same days",
                allowed="each round of a survey once",
                remedy="Keep one release of the round, with all its files, and take the other out of the folder.",
            )


def _visits(file: Recode) -> set[tuple]:
    rows = file.rows[VISIT].assign(hhid=file.rows.hhid.astype("string").str.strip())
    return set(rows.itertuples(index=False, name=None))


def _passed_over(files: list[Recode], taken: dict[str, list[Recode]]) -> list[str]:
    notes = []
    for file in files:
        kinds = [kind for kind in RECORD_TYPES if file.kind in _names(kind)]
        rivals = {kind: next((f for f in taken[kind] if f.round == file.round), None) for kind in kinds}
        notes += [
            f"{file.name}: left alone for {kind}, since {rival.name} has it for round {file.round}"
            for kind, rival in rivals.items()
            if rival not in {file, None}
        ]
        if not any(rivals.values()):
            notes.append(f"{file.name}: has no rows of {' or '.join(kinds)}, left alone")
    return notes


def _absences(taken: dict[str, list[Recode]]) -> list[str]:
    rounds = sorted({f.round for files in taken.values() for f in files})
    notes = []
    for kind, files in taken.items():
        missing = [r for r in rounds if r not in {f.round for f in files}]
        if missing:
            which = "altogether" if missing == rounds else "of " + ", ".join(missing)
            notes.append(f"{'/'.join(RECORD_TYPES[kind])} ({kind}) is absent {which}: its facts are null there")
    return notes
