import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
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

    assert {"id": ["0031", "0032"], "name": ["Desa Baru", ""]} == read.rows.to_dict("list")


def test_a_gzipped_file_reads_as_the_plain_one(tmp_path):
    plain = read_table(written(tmp_path, "area.csv", ROWS))

    packed = read_table(written(tmp_path, "area.csv.gz", gzip.compress(ROWS.encode())))

    pd.testing.assert_frame_equal(plain.rows, packed.rows)


def test_quoted_text_may_hold_the_separator_and_quotes(tmp_path):
    read = read_table(written(tmp_path, "a.csv", 'id,name\n1,"Baru, Lama"\n2,"Desa ""Baru"""\n3,4" pipe\n'))

    assert ["Baru, Lama", 'Desa "Baru"', '4" pipe'] == read.rows["name"].tolist()


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('1,"Baru\n Lama"\n', 2),
        ('1,Baru\n2,"Lama\n3,"Siti\n4,Desa\n', 3),
        ('1,Baru\n\n2,"La\r\nma"\r\n', 4),
        ('1,Baru\n2,"Lam', 3),
        ('1,Baru\n2,"Lama\n3,Siti\n', 3),
    ],
    ids=["line break", "two stray quotes", "after a blank line", "cut in the last cell", "one stray quote"],
)
def test_a_quoted_cell_that_runs_on_is_refused_with_its_line_and_swallows_no_row(tmp_path, rows, line):
    with pytest.raises(InputRefused, match=f"on line {line} a cell begins with a quote that is not closed") as refusal:
        read_table(written(tmp_path, "a.csv", "id,name\n" + rows))

    assert "Siti" not in str(refusal.value)


def test_a_header_that_runs_on_is_refused(tmp_path):
    with pytest.raises(InputRefused, match="on line 1 a cell begins with a quote"):
        read_table(written(tmp_path, "a.csv", 'id,"na\nme"\n1,a\n'))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old mac"])
def test_blank_lines_count_in_the_number_of_a_row_as_a_spreadsheet_shows_them(tmp_path, end):
    lines = ["id,name", "1,a", "", "", "2,b", "3,c", ""]

    read = read_table(written(tmp_path, "a.csv", end.join(lines)))

    assert {1: "1", 4: "2", 5: "3"} == read.rows["id"].to_dict()


def test_empty_columns_that_a_spreadsheet_adds_are_left_out_with_a_note(tmp_path):
    read = read_table(written(tmp_path, "a.csv", "id,name,,\n1,a,,\n2,b, ,\n"))

    assert ["id", "name"] == list(read.rows.columns)
    assert ("a.csv has 2 empty columns without a name, not read.",) == read.notes


def test_a_column_without_a_name_but_with_content_is_refused_by_position(tmp_path):
    with pytest.raises(InputRefused, match="no column name in position 3, but cells with content") as refusal:
        read_table(written(tmp_path, "a.csv", "id,name,,\n1,a,Siti,\n"))

    assert "Siti" not in str(refusal.value)


def test_a_file_without_its_header_line_is_refused_without_repeating_a_nik(tmp_path):
    nik = "3211012345678901"
    with pytest.raises(InputRefused, match=r"positions 2, 3 .*Is the header line missing\?") as refusal:
        read_table(written(tmp_path, "a.csv", f"m-1,{nik},{nik}\nm-2,{nik},{nik}\n"))

    assert nik not in str(refusal.value)


def test_a_truncated_gzip_is_refused(tmp_path):
    packed = gzip.compress(ROWS.encode() * 1000)

    with pytest.raises(InputRefused, match="cut short"):
        read_table(written(tmp_path, "area.csv.gz", packed[: len(packed) // 2]))


def test_a_file_cut_in_the_middle_of_a_row_is_refused_without_repeating_the_row(tmp_path):
    with pytest.raises(InputRefused, match="more or fewer cells than the header's 2, the first on line 4") as refusal:
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

    assert (0, ["id", "name"]) == (len(read.rows), list(read.rows.columns))


def test_parquet_keeps_whole_numbers_whole_beside_an_empty_cell(tmp_path):
    path = tmp_path / "area.parquet"
    pd.DataFrame({"id": pd.array([3211012345678901, None], dtype="Int64")}).to_parquet(path)

    assert read_table(path).rows["id"].astype("string").tolist() == ["3211012345678901", pd.NA]


def test_an_identifier_kept_as_the_index_of_pandas_is_a_column(tmp_path):
    path = tmp_path / "area.parquet"
    pd.DataFrame({"name": ["a", "b"]}, index=pd.Index(["0031", "0032"], name="id")).to_parquet(path)

    assert ["0031", "0032"] == read_table(path).rows["id"].tolist()


def test_row_labels_that_pandas_added_are_no_column(tmp_path):
    path = tmp_path / "area.parquet"
    pd.DataFrame({"id": ["0031", "0032"]}, index=[7, 3]).to_parquet(path)

    assert {"id": {1: "0031", 2: "0032"}} == read_table(path).rows.to_dict()


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(4)], ids=str)
def test_text_kept_as_bytes_in_parquet_is_text(tmp_path, kind):
    path = tmp_path / "area.parquet"
    pq.write_table(pa.table({"id": pa.array([b"0031", None], type=kind)}), path)

    assert ["0031", None] == [None if pd.isna(v) else v for v in read_table(path).rows["id"]]


def test_bytes_that_are_not_utf_8_are_refused_in_parquet(tmp_path):
    path = tmp_path / "area.parquet"
    pq.write_table(pa.table({"id": ["0031"], "name": [b"Caf\xe9"]}), path)

    with pytest.raises(InputRefused, match="the column name holds bytes that are not UTF-8"):
        read_table(path)


def test_a_truncated_parquet_is_refused(tmp_path):
    path = tmp_path / "area.parquet"
    pd.DataFrame({"id": range(1000)}).to_parquet(path)
    path.write_bytes(path.read_bytes()[:-50])

    with pytest.raises(InputRefused, match="cut short"):
        read_table(path)


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(InputRefused, match=r"\.csv, \.csv\.gz, \.parquet"):
        read_table(written(tmp_path, "area.xlsx", "x"))
