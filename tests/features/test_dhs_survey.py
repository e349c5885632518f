"""A survey folder is read whole or refused by name; what is missing is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyreadstat
import pytest

from features.adapters import dhs
from features.errors import InputRefused

if TYPE_CHECKING:
    from pathlib import Path

    from features.adapters.extract import Extract

HOMES = {
    "hhid": ["   0101", "   0102"], "hv000": ["PE6", "PE6"], "hv001": [1, 1], "hv006": [3, 3], "hv007": [2013, 2013],
    "hv009": [4, 5], "hv015": [1, 1], "hv016": [2, 9], "hv024": [15, 15], "hv025": [1, 2], "hv040": [200, 200],
}  # fmt: skip
WOMEN = {
    "caseid": ["   0101  2", "   0102  1"], "v000": ["PE6", "PE6"], "v003": [2, 1], "v007": [2013, 2013],
    "v012": [30, 22], "v113": [11, 21],
}  # fmt: skip
BODIES = {"hhid": ["   0101", "   0102"], "ha0": [2, 1], "ha1": [30, 22], "ha3": [1512, 1498], "ha56": [131, 947]}
CHILDREN = {
    "hhid": ["   0101", "   0101", "   0102"], "hc0": [3, 4, 2], "hc1": [31, 5, 12], "hc3": [875, 620, 731],
    "hc16": [1, 4, 7], "hc17": [2, 2, 9], "hc18": [3, 3, 3], "hc19": [2013, 2013, 2013], "hc27": [1, 2, 2],
    "hc30": [8, 10, 3], "hc31": [2010, 2012, 2012], "hc60": [2, 2, 1], "hc70": [-150, -231, 9998],
}  # fmt: skip
BIRTHS = {"caseid": ["   0101  2", "   0101  2", "   0102  1"], "midx": [1, 2, 1], "m14": [8, 6, 9]}
SURVEY = {"rech0": HOMES, "rec0111": WOMEN, "rech5": BODIES, "rech6": CHILDREN, "rec41": BIRTHS}


def put(folder: Path, **files: dict[str, list]) -> Path:
    """Write each drawn file under its name."""
    folder.mkdir(exist_ok=True)
    for name, columns in files.items():
        pyreadstat.write_dta(pd.DataFrame(columns), folder / f"{name}.dta")
    return folder


def year(of: int, **changed: dict[str, list] | None) -> dict[str, dict[str, list]]:
    """The drawn survey under ENDES's names of that year; a file changed to None is left out."""
    files = SURVEY | changed
    dated = {"rech0": HOMES | {"hv007": [of, of]}} | {k: v for k, v in changed.items() if v}
    return {f"{kind}_{of}": dated.get(kind, columns) for kind, columns in files.items() if columns}


def standard(country: str, phase: str, **changed: dict[str, list]) -> dict[str, dict[str, list]]:
    """The drawn survey under DHS's names: PR has a row for each member, here also a man."""
    children = pd.DataFrame(CHILDREN).assign(hvidx=CHILDREN["hc0"])
    women = pd.DataFrame(BODIES).assign(hvidx=BODIES["ha0"])
    man = pd.DataFrame({"hhid": ["   0102"], "hvidx": [5]})
    members = pd.concat([children, women, man], ignore_index=True).to_dict("list")
    files = {"HR": HOMES, "IR": WOMEN, "PR": members, "KR": BIRTHS} | changed
    return {f"{country}{kind}{phase}FL": columns for kind, columns in files.items()}


def without(columns: dict[str, list], *names: str) -> dict[str, list]:
    return {name: values for name, values in columns.items() if name not in names}


def notes(found: Extract, word: str) -> list[str]:
    return [note for note in found.notes if word in note]


def test_a_drawn_survey_gives_every_row_its_place_in_the_source(tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **year(2013))).registers

    assert ["2013-0101-3", "2013-0101-4", "2013-0102-2"] == list(found["child"].child_id)
    assert [-1.5, -2.31] == list(found["measurement"].haz.dropna())
    assert {"rech6_2013.dta"} == set(found["measurement"]._source_file)
    assert [1, 2, 3] == list(found["measurement"]._source_row)
    assert {"rec0111_2013.dta"} == set(found["maternal"]._source_file)
    assert {"rec41_2013.dta"} == set(found["pregnancy"]._source_file)
    assert {"rech0_2013.dta"} == set(found["household"]._source_file)


def test_a_woman_who_was_only_measured_is_found_in_the_file_of_bodies(tmp_path: Path) -> None:
    one = {name: values[:1] for name, values in WOMEN.items()}
    found = dhs.read(put(tmp_path, **year(2013, rec0111=one))).registers["maternal"].set_index("mother_id")

    assert "rec0111_2013.dta" == found._source_file["2013-0101-2"]
    assert ("rech5_2013.dta", 2) == tuple(found.loc["2013-0102-1", ["_source_file", "_source_row"]])


@pytest.mark.parametrize("names", [("rech6_2013a", "rech6_2013b"), ("rech6_2013", "rech6_2013 (1)")])
def test_two_files_of_one_record_type_and_round_are_refused_by_name(names: tuple[str, str], tmp_path: Path) -> None:
    put(tmp_path, **year(2013, rech6=None), **dict.fromkeys(names, CHILDREN))
    with pytest.raises(InputRefused) as refused:
        dhs.read(tmp_path)
    assert all(f"{name}.dta" in refused.value.found for name in names)


def test_two_countries_of_one_phase_are_both_read_and_share_no_identifier(tmp_path: Path) -> None:
    both = dhs.read(put(tmp_path, **standard("PE", "61"), **standard("ID", "61"))).registers

    assert 6 == both["child"].child_id.nunique()
    assert {"PE61-0101", "PE61-0102", "ID61-0101", "ID61-0102"} == set(both["household"].household_id)
    assert 2 == both["area"].area_id.nunique()


def test_two_countries_under_names_without_a_country_are_refused(tmp_path: Path) -> None:
    abroad = HOMES | {"hv000": ["ID6", "ID6"]}
    with pytest.raises(InputRefused, match=r"rec0111_2013\.dta is of PE"):
        dhs.read(put(tmp_path, **year(2013, rech0=abroad)))


@pytest.mark.parametrize("twice", [standard("PE", "6A"), year(2013)])
def test_a_survey_that_is_there_twice_under_other_names_is_refused(twice: dict, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="hold the same households"):
        dhs.read(put(tmp_path, **standard("PE", "61"), **twice))


def test_a_name_of_lower_priority_is_left_alone_and_said(tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **standard("PE", "61", BR=BIRTHS)))

    assert 3 == len(found.registers["pregnancy"])
    assert ["PEBR61FL.dta: left alone for birth, since PEKR61FL.dta has it for round PE61"] == notes(found, "PEBR")


def test_a_survey_of_two_years_is_one_round(tmp_path: Path) -> None:
    later = standard("PE", "61", HR=HOMES | {"hv007": [2013, 2014]}, IR=WOMEN | {"v007": [2014, 2014]})
    found = dhs.read(put(tmp_path, **later))

    assert [11, 21] == [{"piped": 11, "well": 21}[w] for w in found.registers["sanitation"].water_source]
    assert [] == notes(found, "absent")


def test_the_members_who_are_no_children_are_counted(tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **standard("PE", "61")))

    said = "PEPR61FL.dta: 3 of 6 rows are not children listed for measuring and are left out of child_body"
    assert [said] == notes(found, "child_body")
    assert [1, 2, 3] == list(found.registers["child"]._source_row)
    assert 2 == len(found.registers["maternal"])


def test_a_child_without_an_age_in_months_still_counts(tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **year(2013, rech6=CHILDREN | {"hc1": [None, None, None]})))
    assert 3 == len(found.registers["child"])


def test_births_outside_the_maternity_section_are_counted(tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **standard("PE", "61", KR=BIRTHS | {"midx": [1, None, 1]})))

    assert 2 == len(found.registers["pregnancy"])
    assert ["PEKR61FL.dta: 1 of 3 rows are births outside the maternity section and are left out of birth"] == notes(
        found, "maternity"
    )


def test_a_round_without_its_household_file_is_refused_by_round_and_file(tmp_path: Path) -> None:
    put(tmp_path, **year(2013), **year(2014, rech0=None))
    with pytest.raises(InputRefused, match=r"round 2014 has .*no household file.*Add rech0_2014\.dta"):
        dhs.read(tmp_path)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("rech0", "hhid"), ("rech0", "hv001"), ("rech0", "hv006"), ("rech0", "hv007"), ("rech0", "hv016"),
        ("rech0", "hv024"), ("rec0111", "caseid"), ("rech5", "hhid"), ("rech5", "ha0"), ("rech6", "hc0"),
        ("rech6", "hc30"), ("rech6", "hc31"), ("rec41", "caseid"), ("rec41", "midx"),
    ],
)  # fmt: skip
def test_a_variable_that_rows_are_known_by_is_needed(kind: str, name: str, tmp_path: Path) -> None:
    put(tmp_path, **year(2013, **{kind: without(SURVEY[kind], name)}))
    with pytest.raises(InputRefused, match=rf"{kind}_2013\.dta has no usable {name}"):
        dhs.read(tmp_path)


@pytest.mark.parametrize(
    ("kind", "name", "then"),
    [
        ("rech0", "hv025", "urban is null"), ("rech0", "hv040", "altitude_m"),
        ("rech0", "hv015", "households that were not interviewed cannot be told"),
        ("rec0111", "v003", "the line of the woman is taken from caseid"), ("rec0111", "v113", "water_source"),
        ("rech5", "ha3", "height_cm"), ("rech6", "hc19", "the day of the visit is taken as measured_on"),
        ("rech6", "hc60", "mother_id is null"), ("rech6", "hc16", "the 15th is taken"),
        ("rech6", "hc27", "sex"), ("rech6", "hc70", "haz is null"), ("rec41", "m14", "anc_visits"),
    ],
)  # fmt: skip
def test_a_variable_that_can_be_spared_is_null_and_said(kind: str, name: str, then: str, tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **year(2013, **{kind: without(SURVEY[kind], name)})))

    said = [note.partition(": ") for note in notes(found, f"{kind}_2013.dta has no ")]
    assert [True] == [then in what for which, _, what in said if name in which.replace(",", "").split()]
    assert 3 == len(found.registers["child"])


def test_the_dwelling_asked_of_the_household_is_not_missed_in_the_womans_file(tmp_path: Path) -> None:
    asked = standard("PE", "61", HR=HOMES | {"hv201": [11, 21]}, IR=without(WOMEN, "v113"))
    assert [] == notes(dhs.read(put(tmp_path, **asked)), "water_source")


def test_a_year_without_the_outcome_is_said(tmp_path: Path) -> None:
    none = CHILDREN | {"hc70": [None, None, 9998]}
    found = dhs.read(put(tmp_path, **year(2013), **year(2014, rech6=none)))

    assert ["rech6_2014.dta has no value of hc70: haz is null there"] == notes(found, "hc70")


def test_a_survey_without_the_outcome_is_said_plainly(tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **year(2013, rech6=without(CHILDREN, "hc70"))))
    assert [] != notes(found, "no file has a value of hc70")


@pytest.mark.parametrize(
    ("kind", "name", "values", "why"),
    [
        ("rech0", "hv024", ["Lima", "Lima"], "no usable hv024"),
        ("rech0", "hv024", [None, None], "no usable hv024"),
        ("rech0", "hhid", [101, 102], "hhid as a number"),
        ("rec41", "caseid", [1012, 1012, 1021], "caseid as a number"),
        ("rech6", "hc0", [3.5, 4.5, 2.5], "no usable hc0"),
        ("rech0", "hv007", [13, 13], "no row in which hv007, hv006 and hv016 make a date"),
    ],
)
def test_a_key_of_the_wrong_type_is_refused_by_name(kind, name, values, why, tmp_path: Path) -> None:
    put(tmp_path, **year(2013, **{kind: SURVEY[kind] | {name: values}}))
    with pytest.raises(InputRefused, match=rf"{kind}_2013\.dta has {why}"):
        dhs.read(tmp_path)


@pytest.mark.parametrize(
    ("kind", "name", "values", "null"),
    [
        ("rech0", "hv040", [200.4, 200.0], 0), ("rech6", "hc1", [31.5, 5.5, 12.0], 0),
        ("rech6", "hc60", [2.5, 2.0, 1.0], 1), ("rech5", "ha0", ["2", "1"], 0), ("rech6", "hc27", ["x", "1", "2"], 1),
    ],
)  # fmt: skip
def test_an_odd_number_is_read_or_counted_as_null(kind, name, values, null, tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **year(2013, **{kind: SURVEY[kind] | {name: values}})))

    lost = found.nulled[found.nulled.reason.isin(["not a number", "not a whole number"])]
    assert null == lost["rows"].sum()
    assert (2, 3, 1) == tuple(len(found.registers[r]) for r in ("household", "child", "area"))


def test_a_sentinel_corrected_for_altitude_is_null_with_a_reason(tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **year(2013)))

    assert [13.1] == list(found.registers["maternal"].haemoglobin_g_dl.dropna())
    lost = found.nulled[found.nulled.column == "haemoglobin_g_dl"]
    assert [(947, "the recode's own sentinel", 1)] == list(lost[["code", "reason", "rows"]].itertuples(index=False))


def test_files_without_a_year_in_their_names_take_it_from_the_household_file(tmp_path: Path) -> None:
    found = dhs.read(put(tmp_path, **{name.removesuffix("_2013"): of for name, of in year(2013).items()}))

    assert {"2013-0101", "2013-0102"} == set(found.registers["household"].household_id)
    assert [] == notes(found, "absent")
