"""DHS recode files become the contracts' registers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from features.adapters import dhs
from features.adapters.dhs_codes import code_list, plain
from features.errors import InputRefused

if TYPE_CHECKING:
    from pathlib import Path


def test_the_same_number_means_another_water_source_in_another_survey() -> None:
    assert "borehole" == code_list("water", "ID")[21]
    assert "well" == code_list("water", "PE")[21]


def test_a_label_read_in_a_wrong_encoding_is_mended() -> None:
    assert "sin educacion" == plain("Sin educaciÃ³n")
    assert "sin educacion" == plain("Sin educación")


def test_every_valid_height_for_age_of_the_survey_arrives(interim: Path) -> None:
    measured = pd.read_parquet(interim / "measurement.parquet")
    # 29,106 in the files; one row has no date of any kind and is in quarantine.
    assert 29_105 == measured.haz.notna().sum()


def test_sentinels_become_null_with_the_reason_kept(endes: Path) -> None:
    nulled = dhs.read(endes).nulled
    not_weighed = nulled[(nulled.column == "birth_weight_g") & (nulled.code == 9996)]
    assert {"not weighed at birth"} <= set(not_weighed.reason)
    assert (nulled["rows"] > 0).all()


def test_a_survey_without_household_records_is_refused(endes: Path, tmp_path: Path) -> None:
    shutil.copy(endes / "rech6_2012.dta.gz", tmp_path)
    with pytest.raises(InputRefused, match="rech0 or HR"):
        dhs.read(tmp_path)


def test_mothers_with_a_sentinel_for_haemoglobin_are_accepted(endes: Path, interim: Path) -> None:
    lost = dhs.read(endes).nulled
    # 204 sentinels as they are, and 95 that the correction for altitude had moved below 991.
    assert 299 == lost[lost.column == "haemoglobin_g_dl"]["rows"].sum()
    assert 77_267 == len(pd.read_parquet(interim / "maternal.parquet"))


def test_a_row_in_quarantine_can_be_found_in_the_survey(interim: Path) -> None:
    rows = pd.read_csv(interim / "quarantine" / "measurement.csv").drop_duplicates(["file", "row"])
    # rech6 of 2012 has 10,231 rows, which is where a count over all files would begin
    assert {"rech6_2013.dta.gz", "rech6_2014.dta.gz"} == set(rows.file)
    assert (rows.row <= 10_222).all()


def test_a_truncated_recode_file_is_refused_by_name(endes: Path, tmp_path: Path) -> None:
    whole = (endes / "rech0_2012.dta.gz").read_bytes()
    (tmp_path / "rech0_2012.dta.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputRefused, match=r"rech0_2012\.dta\.gz cannot be read"):
        dhs.read(tmp_path)


def test_standard_names_give_the_same_registers_and_absence_is_said(endes: Path, tmp_path: Path) -> None:
    for ours, theirs in {"rech0": "HR", "rech6": "PR"}.items():
        shutil.copy(endes / f"{ours}_2013.dta.gz", tmp_path / f"PE{theirs}_2013.dta.gz")
    found = dhs.read(tmp_path)

    assert {"area", "household", "child", "measurement"} == set(found.registers)
    assert 9_574 == len(found.registers["child"])
    assert any("rec41" in note and "absent altogether" in note for note in found.notes)
