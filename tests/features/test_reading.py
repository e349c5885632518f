import gzip

import pandas as pd
import pytest

from features.errors import InputRefused
from features.reading import read_table

ROWS = "id,name\n0031,Desa Baru\n0032,\n"


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [ROWS, "\ufeff" + ROWS, ROWS.replace(",", ";"), ROWS.replace("\n", "\r\n"), ROWS.replace("id,", " id ,")],
    ids=["comma", "byte-order mark", "semicolon", "windows", "spaces in the header"],
)
def test_cells_come_back_as_the_text_they_are(tmp_path, content):
    read = read_table(written(tmp_path, "area.csv", content))

    assert {"id": ["0031", "0032"], "name": ["Desa Baru", ""]} == read.to_dict("list")


def test_a_gzipped_file_reads_as_the_plain_one(tmp_path):
    plain = read_table(written(tmp_path, "area.csv", ROWS))

    packed = read_table(written(tmp_path, "area.csv.gz", gzip.compress(ROWS.encode())))

    pd.testing.assert_frame_equal(plain, packed)


def test_quoted_text_may_hold_the_separator_and_a_line_break(tmp_path):
    read = read_table(written(tmp_path, "a.csv", 'id,name\n1,"Baru, \n Lama"\n'))

    assert read["name"].tolist() == ["Baru, \n Lama"]


def test_a_truncated_gzip_is_refused(tmp_path):
    packed = gzip.compress(ROWS.encode() * 1000)

    with pytest.raises(InputRefused, match="cut short"):
        read_table(written(tmp_path, "area.csv.gz", packed[: len(packed) // 2]))


def test_a_file_cut_in_the_middle_of_a_row_is_refused_without_repeating_the_row(tmp_path):
    with pytest.raises(InputRefused, match="more or fewer cells than the header's 2") as refusal:
        read_table(written(tmp_path, "area.csv", ROWS + "0099"))

    assert "0099" not in str(refusal.value)


def test_latin_1_is_refused_with_its_byte_and_line(tmp_path):
    with pytest.raises(InputRefused, match=r"byte 16 on line 2 is 0xe9.*CSV UTF-8"):
        read_table(written(tmp_path, "area.csv", "id,name\n0031,Caf\u00e9\n".encode("latin-1")))


def test_a_doubled_header_is_refused_and_not_renamed(tmp_path):
    with pytest.raises(InputRefused, match="'id' more than once"):
        read_table(written(tmp_path, "area.csv", "id,name,id\n1,a,2\n"))


@pytest.mark.parametrize("name", ["area.csv", "area.csv.gz", "area.parquet"])
def test_a_file_of_no_bytes_is_refused(tmp_path, name):
    with pytest.raises(InputRefused, match="0 bytes"):
        read_table(written(tmp_path, name, b""))


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    read = read_table(written(tmp_path, "area.csv", "id,name\n"))

    assert (0, ["id", "name"]) == (len(read), list(read.columns))


def test_parquet_keeps_whole_numbers_whole_beside_an_empty_cell(tmp_path):
    path = tmp_path / "area.parquet"
    pd.DataFrame({"id": pd.array([3211012345678901, None], dtype="Int64")}).to_parquet(path)

    assert read_table(path)["id"].astype("string").tolist() == ["3211012345678901", pd.NA]


def test_a_truncated_parquet_is_refused(tmp_path):
    path = tmp_path / "area.parquet"
    pd.DataFrame({"id": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-50])

    with pytest.raises(InputRefused, match="cut short"):
        read_table(path)


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(InputRefused, match=r"\.csv, \.csv\.gz, \.parquet"):
        read_table(written(tmp_path, "area.xlsx", "x"))
