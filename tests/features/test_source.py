import sys

import pytest

from features import source
from features.errors import InputRefused
from features.source import bring_in, day


def folder(place, **files):
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / f"{name}.csv").write_text(content, encoding="utf-8")
    return place


def names(place):
    return sorted(p.name for p in place.iterdir())


def test_the_files_of_a_hand_over_replace_those_of_the_one_before(tmp_path):
    raw = folder(tmp_path / "raw", area="old", child="old")
    first = bring_in(folder(tmp_path / "given", area="new"), raw=raw)

    assert ["area.csv"] == names(raw)
    assert first == bring_in(tmp_path / "given", raw=raw)


def test_a_folder_beside_the_same_files_is_no_obstacle_and_is_kept(tmp_path):
    given, raw = folder(tmp_path / "given", area="x"), folder(tmp_path / "raw", area="x")
    folder(raw / "letters", letter="Dear")

    bring_in(given, raw=raw)

    assert ["area.csv", "letters"] == names(raw)


def test_a_folder_that_other_files_would_replace_is_kept_and_the_run_refused(tmp_path):
    given, raw = folder(tmp_path / "given", area="new"), folder(tmp_path / "raw", area="old")
    folder(raw / "letters", letter="Dear")

    with pytest.raises(InputRefused, match="holds the folder letters"):
        bring_in(given, raw=raw)

    assert ["letter.csv"] == names(raw / "letters")


@pytest.mark.parametrize("given", ["raw/new", "raw.part", "raw.part/new"])
def test_a_hand_over_that_lies_where_the_copies_go_is_refused_and_kept(tmp_path, given):
    folder(tmp_path / given, area="new")

    with pytest.raises(InputRefused, match="lies where the copies go"):
        bring_in(tmp_path / given, raw=tmp_path / "raw")

    assert ["area.csv"] == names(tmp_path / given)


def test_the_files_that_are_already_there_may_be_given_again(tmp_path):
    raw = folder(tmp_path / "raw", area="x")
    (raw / ".DS_Store").write_text("x", encoding="utf-8")

    bring_in(raw, raw=raw)

    assert [".DS_Store", "area.csv"] == names(raw)


@pytest.mark.parametrize("given", ["nowhere", "note.csv"])
def test_only_a_folder_is_brought_in(tmp_path, given):
    (tmp_path / "note.csv").write_text("x", encoding="utf-8")

    with pytest.raises(InputRefused, match=f"{given} is not a folder"):
        bring_in(tmp_path / given, raw=tmp_path / "raw")


@pytest.mark.parametrize("written", ["garbage", "2024-02-30", "20240101", "2024-1-1", "01/01/2024"])
def test_a_test_date_that_is_no_date_is_refused_with_its_form(written):
    with pytest.raises(InputRefused, match=f"TEST_FROM={written} is not a date.*YYYY-MM-DD"):
        day(written)


def test_a_test_date_is_refused_before_anything_is_copied(tmp_path, monkeypatch):
    given = folder(tmp_path / "given", area="x")
    words = ["source", "--format", "canonical", "--data", str(given), "--test-from", "garbage"]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputRefused, match="TEST_FROM=garbage"):
        source.main()

    assert ["given"] == names(tmp_path)
