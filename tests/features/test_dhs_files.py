"""Recode files are known by their names and read whole."""

from __future__ import annotations

import gzip
import sys
import tempfile
from typing import TYPE_CHECKING

import pandas as pd
import pyreadstat
import pytest

from features.adapters.dhs_files import Name, recodes
from features.errors import InputRefused

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "round_"),
    [
        ("rech0_2012.dta.gz", "2012"), ("rech6_2014a.dta", "2014"), ("RECH5.DTA", ""), ("HR_2012.dta", "2012"),
        ("HR.dta", ""), ("PEHR_2013.dta", "PE2013"), ("IDKR71FL.DTA", "ID71"), ("PEPR6IFL.dta.gz", "PE6I"),
    ],
)  # fmt: skip
def test_both_families_of_file_names_are_known(name: str, round_: str) -> None:
    named = Name.of(name)
    assert named is not None
    assert round_ == named.round


@pytest.mark.parametrize(
    "name",
    ["branch.dta", "abbrev.dta", "projectnotes.dta", "rech4_2014.dta", "rech60_2014.dta", "PEMR61FL.DTA", "hr.csv"],
)
def test_a_stranger_is_left_alone_and_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"not Stata's")
    assert ([], [name]) == recodes(tmp_path)


def test_a_folder_with_the_name_of_a_file_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "rech5_2014.dta").mkdir()
    assert ([], ["rech5_2014.dta"]) == recodes(tmp_path)


def _labelled(folder: Path) -> Path:
    whole = folder / "rech6_2014.dta"
    pyreadstat.write_dta(pd.DataFrame({"hc27": [1, 2]}), whole, variable_value_labels={"hc27": {1: "Hombre"}})
    return whole


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_cut_inside_its_value_labels_is_refused(packed: bool, tmp_path: Path) -> None:
    whole = _labelled(tmp_path)
    cut = whole.read_bytes()[:-30]
    whole.unlink()
    (tmp_path / ("rech6_2014.dta" + ".gz" * packed)).write_bytes(gzip.compress(cut) if packed else cut)
    with pytest.raises(InputRefused, match=r"rech6_2014\.dta(\.gz)? cannot be read \(its end is missing\)"):
        recodes(tmp_path)


@pytest.mark.parametrize("damage", [b"", b"x", b"\x1f\x8b" + b"\x00" * 40])
def test_a_file_that_is_not_statas_is_refused_by_name(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / "rech6_2014.dta.gz").write_bytes(damage)
    with pytest.raises(InputRefused, match=r"rech6_2014\.dta\.gz cannot be read"):
        recodes(tmp_path)


def test_a_file_without_rows_is_refused_by_name(tmp_path: Path) -> None:
    pyreadstat.write_dta(pd.DataFrame({"hhid": pd.Series(dtype="str")}), tmp_path / "rech6_2014.dta")
    with pytest.raises(InputRefused, match=r"rech6_2014\.dta has no rows"):
        recodes(tmp_path)


def test_a_variable_in_capitals_and_in_small_letters_is_refused(tmp_path: Path) -> None:
    pyreadstat.write_dta(pd.DataFrame({"hc27": [1], "HC27": [2]}), tmp_path / "rech6_2014.dta")
    with pytest.raises(InputRefused, match="hc27 more than once"):
        recodes(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a temporary folder is used")
def test_a_packed_file_is_never_unpacked_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _labelled(tmp_path)
    whole.with_suffix(".dta.gz").write_bytes(gzip.compress(whole.read_bytes()))
    whole.unlink()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    (found,), _ = recodes(tmp_path)

    assert {1: "Hombre"} == found.labels["hc27"]
    assert [1, 2] == list(found.rows.hc27)
