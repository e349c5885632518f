"""Files that belong together, and those that do not."""

from __future__ import annotations

import os

import pandas as pd
import pytest

from targeting.manifest import NAME, whole, write_manifest

ROWS = pd.DataFrame({"unit_id": ["a", "b"]})


@pytest.fixture
def folder(tmp_path):
    for name in ("units", "facts"):
        ROWS.to_parquet(tmp_path / f"{name}.parquet")
    write_manifest(tmp_path)
    return tmp_path


def test_files_of_one_run_are_whole_whenever_they_were_written(folder):
    first = whole(folder)
    for day, path in enumerate(sorted(folder.iterdir(), reverse=True), start=1):
        os.utime(path, (day * 86_400, day * 86_400))
    write_manifest(folder)

    assert first is not None
    assert first == whole(folder)


def test_a_file_of_another_run_or_one_that_is_gone_is_seen_and_its_return_too(folder):
    first, units = whole(folder), folder / "units.parquet"
    kept = units.read_bytes()
    ROWS.iloc[::-1].to_parquet(units)
    assert whole(folder) is None
    units.unlink()
    assert whole(folder) is None
    units.write_bytes(kept)
    assert first == whole(folder)


def test_another_run_has_another_digest(folder):
    first = whole(folder)
    ROWS.head(1).to_parquet(folder / "units.parquet")
    write_manifest(folder)

    assert whole(folder) not in (None, first)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sha256": 3}', "\xff"])
def test_a_manifest_that_was_cut_off_makes_nothing_whole(folder, text):
    (folder / NAME).write_bytes(text.encode("latin-1"))

    assert whole(folder) is None


def test_without_a_manifest_there_is_nothing_to_compare_with(tmp_path):
    with pytest.raises(FileNotFoundError):
        whole(tmp_path)
