"""Who is implied by one register and listed by none."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targeting.coverage_gap import by_area, notes, unregistered
from tests.drawn import drawn

ON = dt.date(2024, 12, 31)
AREAS = drawn("""
    area_id | region_id | area_name
    --------+-----------+----------
    a1      | r1        | Sukamaju
    a2      | r1        | Sukasari
    a3      | r2        | Cikadu
""")
# h1 is complete. Of h2 a child and a birth are not listed, of h3 a mother; h9 itself is in no row of households.
HOMES = drawn("""
    household_id | area_id | under5_count | women_15_49_count | recorded_on
    -------------+---------+--------------+-------------------+------------
    h1           | a1      | 1            | 1                 | 2024-03-01
    h2           | a1      | 2            | 1                 | 2024-03-01
    h3           | a2      | 1            | 1                 | 2024-03-01
""")
CHILDREN = drawn("""
    child_id | household_id | mother_id | birth_date | recorded_on
    ---------+--------------+-----------+------------+------------
    ana      | h1           | ida       | 2022-05-01 | 2024-03-01
    budi     | h2           | ina       | 2022-05-01 | 2024-03-01
    citra    | h3           |           | 2022-05-01 | 2024-03-02
    dewi     | h9           | tuti      | 2022-05-01 | 2024-03-03
""")
WOMEN = drawn("""
    mother_id | household_id | pregnant | recorded_on
    ----------+--------------+----------+------------
    ida       | h1           | 0        | 2024-03-01
    ina       | h2           | 1        | 2024-01-10
    tuti      | h9           | 0        | 2024-01-10
""")
SANITATION = drawn("""
    household_id | recorded_on
    -------------+------------
    h1           | 2024-03-01
    h9           | 2024-03-01
""")
BIRTHS = drawn("""
    mother_id | child_id | birth_rank_recent | recorded_on
    ----------+----------+-------------------+------------
    ida       | ana      | 1                 | 2022-06-01
""")
NOBODY = drawn("""
    household_id | person_id | kind    | happened_on | recorded_on
    -------------+-----------+---------+-------------+------------
    h1           |           | visited | 2024-04-01  | 2024-04-01
""")


def registers(**changed):
    all_of_them = {"area": AREAS, "household": HOMES, "child": CHILDREN, "maternal": WOMEN, "sanitation": SANITATION,
                   "pregnancy": BIRTHS, "contact": NOBODY}  # fmt: skip
    return all_of_them | changed


def more(rows, **cells):
    """The rows and one more, by default like the first."""
    new = {name: pd.Timestamp(v) if name.endswith(("_on", "_date")) else v for name, v in cells.items()}
    return pd.concat([rows, pd.DataFrame([rows.iloc[0].to_dict() | new])], ignore_index=True).convert_dtypes()


def found(on=ON, **changed):
    made = unregistered(registers(**changed), on=on)
    return dict(zip(made.household_id, made.why_codes, strict=True))


def test_each_case_is_named_with_its_household():
    expected = {"h2": "children_missing; birth_missing", "h3": "mother_missing", "h9": "household_missing"}
    assert expected == found()


def test_a_case_is_told_in_plain_words_with_what_was_counted_and_when():
    made = unregistered(registers(), on=ON).set_index("household_id")

    assert "1 balita di keluarga ini belum ada di register anak; " in made.why_id["h2"]
    assert made.why_id["h2"].endswith("1 kehamilan tercatat (terakhir 2024-01-10), kelanjutannya belum tercatat")
    assert "ibu dari 1 balita di keluarga ini belum ada di register ibu" == made.why_id["h3"]
    assert (
        "this household is in the register sanitation, mother, child, and not in that of households yet"
        == (made.why_en["h9"])
    )
    assert ("a1", "r1", "Sukamaju") == tuple(made.loc["h2", ["area_id", "region_id", "area_name"]])
    numbers = ["children_implied", "children_listed", "women_implied", "women_listed"]
    assert [2, 1, 1, 1] == list(made.loc["h2", numbers])
    assert [None, 1, None, 1] == [None if pd.isna(n) else n for n in made.loc["h9", numbers]]
    assert pd.isna(made.area_id["h9"])
    assert pd.Timestamp("2024-03-01") == made.recorded_on["h2"]


@pytest.mark.parametrize(
    ("born", "gap"),
    [
        ("2019-03-02", False),  # 1,826 days on the day of the count, and past five on the last day of the year
        ("2019-03-01", True),
        ("2024-03-01", False),
        ("2024-03-02", True),  # born after the count: it is not the child who was counted
    ],
)
def test_a_child_fills_the_count_of_the_day_on_which_it_was_under_five(born, gap):
    listed = more(
        CHILDREN, child_id="eka", household_id="h2", mother_id="ina", birth_date=born, recorded_on="2024-03-05"
    )
    assert gap == ("children_missing" in found(child=listed)["h2"] if "h2" in found(child=listed) else False)


def test_a_count_of_children_who_are_all_past_five_by_now_says_nothing():
    assert "children_missing" in found(on=dt.date(2029, 3, 1))["h2"]
    assert "children_missing" not in found(on=dt.date(2029, 3, 2))["h2"]


def test_the_newest_count_decides_and_a_blank_is_no_count():
    fewer = more(HOMES, household_id="h2", under5_count=1, recorded_on="2024-05-01")
    blank = more(HOMES, household_id="h2", under5_count=None, recorded_on="2024-05-01")

    assert "birth_missing" == found(household=fewer)["h2"]
    assert "children_missing; birth_missing" == found(household=blank)["h2"]


def died(person, on, home="h1"):
    return more(NOBODY, household_id=home, person_id=person, kind="deceased", happened_on=on, recorded_on="2024-07-01")


def test_a_child_who_died_before_the_count_is_not_one_of_the_counted_and_one_who_died_after_it_is():
    assert "children_missing" == found(contact=died("ana", "2024-02-01"))["h1"]
    assert "h1" not in found(contact=died("ana", "2024-06-01"))


def test_the_mother_of_children_who_died_is_not_asked_after():
    assert "h3" not in found(contact=died("citra", "2024-06-01", home="h3"))


@pytest.mark.parametrize(
    ("changed", "gap"),
    [
        ({"child": CHILDREN.fillna({"mother_id": "nobody"})}, True),
        ({"child": CHILDREN.fillna({"mother_id": "ida"})}, False),
        ({"child": CHILDREN.fillna({"mother_id": "wati"}), "contact": died("wati", "2023-01-01", home="h3")}, False),
        ({"maternal": more(WOMEN, mother_id="sari", household_id="h3")}, False),
        ({"household": HOMES.assign(women_15_49_count=[1, 1, 0])}, False),
        ({"household": HOMES.assign(women_15_49_count=[1, 1, None])}, False),
    ],
)  # fmt: skip
def test_a_mother_is_missing_where_a_woman_lives_none_is_listed_and_a_childs_mother_is_unknown(changed, gap):
    assert gap == ("h3" in found(**changed))


def child_of_h2(mother, born):
    return more(
        CHILDREN, child_id="eka", household_id="h2", mother_id=mother, birth_date=born, recorded_on="2024-11-20"
    )


@pytest.mark.parametrize(
    ("changed", "gap"),
    [
        ({"child": child_of_h2("ina", "2024-05-01")}, False),
        ({"child": child_of_h2("ina", "2024-01-10")}, True),
        ({"child": child_of_h2(None, "2024-05-01")}, False),
        ({"child": child_of_h2("sari", "2024-05-01")}, True),
        ({"maternal": more(WOMEN, mother_id="ina", household_id="h2", recorded_on="2024-10-01")}, False),
        ({"pregnancy": more(BIRTHS, mother_id="ina", child_id=None, recorded_on="2024-06-01")}, False),
        ({"pregnancy": more(BIRTHS, mother_id="ina", child_id=None, birth_rank_recent=None,
                            recorded_on="2024-06-01")}, True),
        ({"contact": died("ina", "2024-06-01", home="h2")}, False),
    ],
)  # fmt: skip
def test_a_birth_is_missing_where_nothing_is_recorded_after_a_pregnancy(changed, gap):
    assert gap == ("birth_missing" in found(**changed)["h2"])


def test_a_pregnancy_may_go_on_for_310_days():
    assert "birth_missing" not in found(on=dt.date(2024, 11, 15))["h2"]
    assert "birth_missing" in found(on=dt.date(2024, 11, 16))["h2"]


def test_a_household_that_moved_away_is_left_out_until_it_is_recorded_again():
    moved = more(NOBODY, household_id="h2", kind="moved", happened_on="2024-04-01", recorded_on="2024-04-02")
    back = more(HOMES, household_id="h2", under5_count=2, recorded_on="2024-09-01")
    homes = by_area(registers(contact=moved), on=ON, low_below=0.5).set_index("area_id").households

    assert "h2" not in found(contact=moved)
    assert "children_missing" == found(contact=moved, household=back)["h2"]
    assert 1 == homes["a1"]


def test_rows_recorded_later_are_not_seen():
    assert {} == found(on=dt.date(2023, 12, 31))
    assert {"h9": "household_missing"} == found(on=dt.date(2024, 1, 31), household=HOMES.assign(
        recorded_on=pd.Timestamp("2024-01-01"), under5_count=0), maternal=WOMEN.assign(pregnant=0))  # fmt: skip


@pytest.mark.parametrize(
    ("register", "left"),
    [
        ("household", {"h2": "birth_missing"}),
        ("child", {"h9": "household_missing"}),
        ("maternal", {"h2": "children_missing", "h9": "household_missing"}),
        ("sanitation", {"h2": "children_missing; birth_missing", "h3": "mother_missing", "h9": "household_missing"}),
        ("contact", {"h2": "children_missing; birth_missing", "h3": "mother_missing", "h9": "household_missing"}),
    ],
)
def test_a_register_that_is_missing_is_said_and_flags_nobody(register, left):
    empty = registers()[register].iloc[:0]
    absent = {name: rows for name, rows in registers().items() if name != register}

    assert left == found(**{register: empty})
    pd.testing.assert_frame_equal(unregistered(registers(**{register: empty}), on=ON), unregistered(absent, on=ON))
    ((said_id, said_en),) = notes(absent, on=ON)
    assert said_id.startswith("tanpa register ")
    assert said_en.startswith("no ")
    assert () == notes(registers(), on=ON)


def test_areas_are_listed_with_the_lowest_share_first_and_none_is_left_out():
    made = by_area(registers(), on=ON, low_below=0.8)

    rows = [tuple(None if pd.isna(cell) else cell for cell in row) for row in made.drop(columns="region_id").to_numpy()]
    assert [
        ("a1", "Sukamaju", 2, 3, 2, 2 / 3, 1, True),
        ("a2", "Sukasari", 1, 1, 1, 1.0, 1, False),
        (None, None, 0, 0, 0, None, 1, False),
        ("a3", "Cikadu", 0, 0, 0, None, 0, False),
    ] == rows


def test_a_share_at_the_limit_is_not_low_and_more_children_than_counted_do_not_fill_anothers_gap():
    guests = more(CHILDREN, child_id="eka", household_id="h1", mother_id="ida")
    share = by_area(registers(child=guests), on=ON, low_below=2 / 3).set_index("area_id")

    assert pytest.approx(2 / 3) == share.share_listed["a1"]
    assert not share.low["a1"]


def test_without_a_child_register_no_area_is_called_low():
    made = by_area(registers(child=CHILDREN.iloc[:0]), on=ON, low_below=1.0)

    assert made[["children_listed", "share_listed"]].isna().all(axis=None)
    assert not made.low.any()


@pytest.mark.parametrize("limit", [-0.1, 80, float("nan")])
def test_a_limit_that_is_no_share_is_refused(limit):
    with pytest.raises(ValueError, match=r"a share from 0 to 1"):
        by_area(registers(), on=ON, low_below=limit)


DAYS = st.integers(0, 2500).map(lambda n: pd.Timestamp("2018-06-01") + pd.Timedelta(days=n))
PLACES = st.sampled_from(["h1", "h2", "h3", "h9"])
NEW_CHILDREN = st.lists(st.tuples(PLACES, st.sampled_from(["ida", "ina", "tuti"]), DAYS), max_size=6)


def with_children(new, homes):
    rows = [{"child_id": f"new-{n}", "household_id": home, "mother_id": mother, "birth_date": day, "recorded_on": day}
            for n, (home, mother, day) in enumerate(new)]  # fmt: skip
    children = pd.concat([CHILDREN, pd.DataFrame(rows, columns=CHILDREN.columns)], ignore_index=True)
    return registers(child=children.astype(CHILDREN.dtypes), household=homes)


@settings(max_examples=30)
@given(new=NEW_CHILDREN, counts=st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_the_record_of_one_more_child_never_adds_a_gap_nor_lowers_a_share(new, counts):
    homes = HOMES.assign(under5_count=counts)
    before, after = (unregistered(with_children(rows, homes), on=ON) for rows in ([], new))
    was, now = (by_area(with_children(rows, homes), on=ON, low_below=0.5) for rows in ([], new))

    def cases(made):
        return {(row.household_id, code) for row in made.itertuples() for code in row.why_codes.split("; ")}

    assert cases(after) <= cases(before)
    share = now.set_index("area_id").share_listed - was.set_index("area_id").share_listed
    assert not (share < 0).any()
    assert now.share_listed.dropna().between(0, 1).all()


@settings(max_examples=30)
@given(new=NEW_CHILDREN, seed=st.integers(0, 1000))
def test_the_order_of_the_rows_does_not_matter(new, seed):
    ordered = with_children(new, HOMES)
    shuffled = {name: rows.sample(frac=1, random_state=seed) for name, rows in ordered.items()}

    pd.testing.assert_frame_equal(unregistered(ordered, on=ON), unregistered(shuffled, on=ON))
    pd.testing.assert_frame_equal(by_area(ordered, on=ON, low_below=0.8), by_area(shuffled, on=ON, low_below=0.8))
