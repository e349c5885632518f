"""A file of measurements comes back whole, as it was, with its scores; or not at all."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from features import growth_file
from features.errors import InputRefused
from features.growth import growth
from features.growth_file import _lines, _texts, score_file

GIRL = "f,365,9,73.4"
HEADER = "sex,age,weight,lenhei"


def fails_from(call: int):
    calls = []

    def failing(rows):
        calls.append(rows)
        if len(calls) >= call:
            message = "disk full"
            raise OSError(message)
        return growth(rows)

    return failing


def scored(folder: Path, content: str | bytes, name: str = "in.csv") -> pd.DataFrame:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    score_file(folder / name, folder / "out.csv")
    return pd.read_csv(folder / "out.csv", dtype="str", keep_default_na=False)


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}\r\n{GIRL}\r\n",
        f"{HEADER}\n{GIRL}",
        'sex;age;weight;lenhei\r\n"f";365;"9,0";73,4\r\n',
        f'"sex","age","weight","lenhei"\n{GIRL}\n',
        " sex , age,weight,lenhei\nf, 365 ,9, 73.4\n",
        gzip.compress(f"{HEADER}\n{GIRL}\n".encode()),
    ],
    ids=["Windows with a byte-order mark", "no last line end", "Indonesian Excel", "quotes", "spaces", "gzip"],
)
def test_the_forms_of_a_file_give_the_same_scores(tmp_path, content) -> None:
    name = "in.csv.gz" if content[:2] == b"\x1f\x8b" else "in.csv"

    found = scored(tmp_path, content, name).iloc[0]

    assert ["-0.23", "0.05", "0.19"] == list(found[["zlen", "zwei", "zwfl"]])


def test_other_columns_stay_as_they_are_and_in_their_order(tmp_path) -> None:
    found = scored(
        tmp_path, 'nik,"age",note,sex,"a ""b"", c"\n0031,365,"Baru, ""Lama""",f,\n1e5,400,=1+1,m,TRUE\n\n7,,x,,1.50\n'
    )

    assert ["nik", "age", "note", "sex", 'a "b", c', "clenhei"] == list(found)[:6]
    assert ["0031", "1e5", "7"] == list(found.nik)
    assert ['Baru, "Lama"', "=1+1", "x"] == list(found.note)
    assert ["", "TRUE", "1.50"] == list(found['a "b", c'])


def test_a_cell_without_a_score_is_empty(tmp_path) -> None:
    found = scored(tmp_path, f"{HEADER},oedema\n{GIRL},y\n,,9,73.4,\n")

    assert ["", "", "-0.23", "0"] == list(found.loc[0, ["zwei", "fwei", "zlen", "flen"]])
    assert "73.4" == found.clenhei[1]
    assert {""} == set(found.loc[1, "zlen":"fac"])


def test_cells_that_hold_no_number_are_counted_and_empty_ones_are_not(tmp_path) -> None:
    (tmp_path / "in.csv").write_text(
        "sex,age,weight,lenhei,armc\nf,365,nine,1.073,4\nf,365, ,inf,\nf,365,NA,1.073.4,12\n"
    )

    assert (3, {"weight": 2, "lenhei": 2}) == score_file(tmp_path / "in.csv", tmp_path / "out.csv")


def test_a_header_alone_gives_a_header(tmp_path) -> None:
    assert [*HEADER.split(","), "clenhei", "cbmi"] == list(scored(tmp_path, HEADER))[:6]


def test_parquet_gives_the_scores_of_the_same_rows_in_csv(tmp_path) -> None:
    rows = pd.DataFrame({"sex": [2, 1], "age": [365, None], "lenhei": [73.4, None], "is_age_in_month": [False, True]})
    rows.to_parquet(tmp_path / "in.parquet")

    score_file(tmp_path / "in.parquet", tmp_path / "out.csv")

    assert pytest.approx([-0.23, float("nan")], nan_ok=True) == list(pd.read_csv(tmp_path / "out.csv").zlen)


def test_rows_that_were_read_in_several_pieces_are_written_as_one() -> None:
    pieces = pd.Series(pd.array(["f", "a,b", None], dtype="string[pyarrow]"))
    pieces = pd.concat([pieces, pieces], ignore_index=True)

    assert b'f,1\n"a,b",2\n,3\nf,4\n"a,b",5\n,6\n' == _lines([_texts(pieces), _texts(pd.Series(range(1, 7)))])


def test_a_long_file_is_scored_in_parts_as_if_it_were_one(tmp_path, monkeypatch) -> None:
    content = HEADER + "".join(f"\nf,{age},9,{50 + age / 40}" for age in range(1, 100))
    whole = scored(tmp_path, content)
    monkeypatch.setattr(growth_file, "ROWS_AT_ONCE", 7)

    pd.testing.assert_frame_equal(whole, scored(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "0 bytes"),
        ("age,weight\n1,2\n", "no column sex"),
        ("weight\n2\n", "no column sex, age"),
        ("sex,age,age\nf,1,2\n", "'age' more than once"),
        ("sex,age,zlen,fac\nf,1,2,3\n", "the column zlen, fac, which would be written"),
        ("sex,age\nf,1\nf\n", "more or fewer cells"),
    ],
)
def test_a_file_that_cannot_be_scored_is_refused_and_leaves_nothing(tmp_path, content, said) -> None:
    with pytest.raises(InputRefused, match=said):
        scored(tmp_path, content)

    assert ["in.csv"] == [left.name for left in tmp_path.iterdir()]


def test_a_file_or_folder_that_is_not_there_is_refused(tmp_path) -> None:
    with pytest.raises(InputRefused, match=r"no file .*in\.csv"):
        score_file(tmp_path / "in.csv", tmp_path / "out.csv")
    (tmp_path / "in.csv").write_text(HEADER)
    with pytest.raises(InputRefused, match=r"no folder .*away"):
        score_file(tmp_path / "in.csv", tmp_path / "away" / "out.csv")


def test_what_stood_there_stays_when_scoring_fails_midway(tmp_path, monkeypatch) -> None:
    (tmp_path / "in.csv").write_text(f"{HEADER}\n{GIRL}\n{GIRL}\n")
    (tmp_path / "out.csv").write_text("before")
    monkeypatch.setattr(growth_file, "ROWS_AT_ONCE", 1)
    monkeypatch.setattr(growth_file, "growth", fails_from(3))
    with pytest.raises(OSError, match="disk full"):
        score_file(tmp_path / "in.csv", tmp_path / "out.csv")

    assert "before" == (tmp_path / "out.csv").read_text()
    assert {"in.csv", "out.csv"} == {left.name for left in tmp_path.iterdir()}


def test_killed_midway_it_leaves_no_half_file_under_the_name_asked_for(tmp_path) -> None:
    (tmp_path / "in.csv").write_text(HEADER + f"\n{GIRL}" * 2000)
    code = """
import os, pathlib, signal, sys
from features import growth_file
growth_file.ROWS_AT_ONCE = 100
write, called = growth_file._lines, []
def killed_at_the_tenth(cells):
    called.append(cells)
    return write(cells) if len(called) < 10 else os.kill(os.getpid(), signal.SIGKILL)
growth_file._lines = killed_at_the_tenth
growth_file.score_file(*map(pathlib.Path, sys.argv[1:]))
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "in.csv", tmp_path / "out.csv"], check=False)  # noqa: S603 (our own code)

    assert -signal.SIGKILL == done.returncode
    assert not (tmp_path / "out.csv").exists()
