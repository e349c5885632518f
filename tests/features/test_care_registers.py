"""Services received, and contacts with households: accepted as other registers are, and never seen by a feature."""

from __future__ import annotations

import datetime as dt

import ibis
import pandas as pd
import pytest
from ibis import _
from pydantic import ValidationError

from features.build import build, read_registers
from features.contracts import APART, NEVER_FEATURES, REGISTERS
from features.engines import Engine
from features.errors import InputRefused
from features.ingest import ingest
from features.leaks import LeakRefused, guard
from features.validation import COPY, EMPTY, UNTIMELY, UNTRUE, empty, validate
from serving.rows import Registers
from tests.conftest import DUCKDB
from tests.drawn import drawn

TODAY = dt.date(2024, 6, 1)
BOTH = NEVER_FEATURES - APART
AREA = "area_id,region_id\na-1,r-1\n"
HOUSEHOLD = "household_id,recorded_on,area_id\nh-1,2024-01-02,a-1\n"
CHILD = "child_id,household_id,recorded_on,birth_date\nc-1,h-1,2024-01-02,2023-05-01\n"
SERVICE = """\
receipt_id,household_id,person_id,service,received_on,recorded_on
r-1,h-1,c-1,vitamin_a,2024-02-10,2024-02-12
r-2,h-1,,jamban,10/03/2024,2024-03-10
r-3,h-9,c-9,anc,2024-02-10,2024-02-10
"""
CONTACT = """\
contact_id,household_id,person_id,happened_on,recorded_on,kind
k-1,h-1,,2024-02-10,2024-02-12,visited
k-2,h-9,c-9,2024-03-01,2024-03-02,DECEASED
"""


def folder(root, **files):
    root.mkdir()
    for name, content in files.items():
        (root / f"{name}.csv").write_text(content, encoding="utf-8")
    return root


def ingested(tmp_path, **files):
    raw = folder(tmp_path / "raw", area=AREA, household=HOUSEHOLD, child=CHILD, **files)
    report = ingest(raw, "canonical", tmp_path / "out", max_quarantine_share=0.5, today=TODAY)
    return report, read_registers(tmp_path / "out")


def faults(register, rows):
    """The fault of each row, by its key; of rows that are accepted none."""
    found = validate(rows, REGISTERS[register], max_quarantine_share=1, today=TODAY).quarantined
    key = rows[REGISTERS[register].key[0]].iloc[found.index]
    return {(k, line.column): line.reason for k, line in zip(key, found.itertuples(), strict=True)}


def test_receipts_and_contacts_are_accepted_and_typed(tmp_path):
    report, registers = ingested(tmp_path, service=SERVICE, contact=CONTACT)
    counts = {r.name: (r.accepted, r.quarantined) for r in report.registers}

    assert ((3, 0), (2, 0)) == (counts["service"], counts["contact"])
    assert ["vitamin_a", "jamban", "anc"] == registers["service"].service.tolist()
    assert [False, True, False] == registers["service"].person_id.isna().tolist()
    assert ["visited", "deceased"] == registers["contact"].kind.tolist()
    assert pd.Timestamp("2024-03-10") == registers["service"].received_on[1]


def test_a_household_that_no_register_lists_is_kept_and_counted(tmp_path):
    notes = " ".join(ingested(tmp_path, service=SERVICE, contact=CONTACT)[0].notes)

    assert "1 of 3 rows of `service` have a household_id that is not in `household`; they were kept." in notes
    assert "1 of 2 rows of `contact` have a household_id that is not in `household`; they were kept." in notes


def test_without_them_both_are_empty_and_typed_and_the_run_says_so(tmp_path):
    report, registers = ingested(tmp_path)

    assert {"service", "contact"} == {r.name for r in report.registers if r.absent} & BOTH
    assert {"Register `service` was not handed over.", "Register `contact` was not handed over."} < {*report.notes}
    for name in BOTH:
        pd.testing.assert_frame_equal(empty(REGISTERS[name]), registers[name])


def test_registers_accepted_before_there_were_these_two_are_read_without_them(tmp_path):
    ingested(tmp_path, service=SERVICE, contact=CONTACT)
    for name in BOTH:
        (tmp_path / "out" / f"{name}.parquet").unlink()

    registers = read_registers(tmp_path / "out")

    assert [0, 0] == [len(registers[name]) for name in sorted(BOTH)]
    (tmp_path / "out" / "child.parquet").unlink()
    with pytest.raises(FileNotFoundError):
        read_registers(tmp_path / "out")


def test_a_receipt_is_at_fault_that_came_after_its_record_or_is_still_to_come():
    rows = drawn("""
        receipt_id | household_id | person_id | service   | received_on | recorded_on
        -----------+--------------+-----------+-----------+-------------+------------
        same day   | h            | c         | vitamin_a | 2024-03-10  | 2024-03-10
        after      | h            | c         | vitamin_a | 2024-03-11  | 2024-03-10
        future     | h            | c         | vitamin_a | 2024-06-02  | 2024-06-01
        no code    | h            | c         |           | 2024-03-10  | 2024-03-10
        no house   |              | c         | anc       | 2024-03-10  | 2024-03-10
        no day     | h            | c         | anc       |             | 2024-03-10
    """)

    assert {
        ("after", "received_on"): UNTRUE,
        ("future", "received_on"): UNTIMELY,
        ("no code", "service"): EMPTY,
        ("no house", "household_id"): EMPTY,
        ("no day", "received_on"): EMPTY,
    } == faults("service", rows)


def test_an_event_is_at_fault_that_came_after_its_record_is_still_to_come_or_is_of_no_known_kind():
    rows = drawn("""
        contact_id | household_id | happened_on | recorded_on | kind             |
        -----------+--------------+-------------+-------------+------------------+
        visit      | h            | 2024-03-10  | 2024-03-12  | visited          |
        nobody     | h            | 2024-03-10  | 2024-03-12  | not_found        |
        left       | h            | 2024-03-10  | 2024-03-12  | moved            |
        objects    | h            | 2024-03-10  | 2024-03-12  | objection_opened |
        settled    | h            | 2024-03-10  | 2024-03-12  | objection_closed |
        after      | h            | 2024-03-13  | 2024-03-12  | visited          |
        future     | h            | 2024-06-02  | 2024-06-01  | visited          |
        odd        | h            | 2024-03-10  | 2024-03-12  | telephoned       |
        no kind    | h            | 2024-03-10  | 2024-03-12  |                  |
    """)

    assert {
        ("after", "happened_on"): UNTRUE,
        ("future", "happened_on"): UNTIMELY,
        ("odd", "kind"): "unknown code",
        ("no kind", "kind"): EMPTY,
    } == faults("contact", rows)


def test_a_receipt_handed_over_twice_is_kept_once():
    rows = drawn("""
        receipt_id | household_id | service | received_on | recorded_on
        -----------+--------------+---------+-------------+------------
        one        | h            | jamban  | 2024-03-10  | 2024-03-10
        one        | h            | jamban  | 2024-03-10  | 2024-03-10
    """)
    outcome = validate(rows, REGISTERS["service"], max_quarantine_share=1, today=TODAY)

    assert ([COPY], 1) == (outcome.quarantined.reason.tolist(), len(outcome.accepted))


def test_a_file_with_the_header_only_is_refused_as_of_any_register(tmp_path):
    with pytest.raises(InputRefused, match="`service` has no rows"):
        ingested(tmp_path, service=SERVICE.splitlines()[0] + "\n")


@pytest.mark.parametrize("register", sorted(NEVER_FEATURES))
@pytest.mark.parametrize(
    "reaching",
    [
        lambda child, given: child.left_join(given, child.child_id == given.person_id).happened.cast("float64"),
        lambda child, given: child.semi_join(given, child.child_id == given.person_id).birth_order,
        lambda child, given: child.anti_join(given, child.child_id == given.person_id).birth_order,
        lambda _child, given: given.group_by("household_id").agg(times=_.count()).times,
        lambda child, given: child.child_id.isin(given.person_id),
        lambda child, given: child.birth_order + given.count().as_scalar(),
        lambda child, given: ibis.ifelse(given.count().as_scalar() > 0, child.birth_order, None),
    ],
    ids=["a column", "who has a row", "who has none", "how often", "looked up", "how many", "whether any"],
)
def test_no_feature_reaches_them_in_any_way(embedded: Engine, register, reaching):
    child = embedded.hold("child", pd.DataFrame({"child_id": ["ana", "budi"], "birth_order": [1, 2]}))
    rows = pd.DataFrame({"household_id": ["h"], "person_id": ["ana"], "happened": [1]})
    with pytest.raises(LeakRefused, match=rf"'planted' reaches {register}\b"):
        guard("planted", reaching(child, embedded.hold(register, rows)))


def test_a_feature_of_the_child_alone_passes_the_guard(embedded: Engine):
    child = embedded.hold("child", pd.DataFrame({"child_id": ["ana", "budi"], "birth_order": [1, 2]}))

    guard("birth_order", child.birth_order.cast("float64"))


def test_features_are_the_same_with_and_without_them(tmp_path):
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    _, registers = ingested(tmp_path / "with", service=SERVICE, contact=CONTACT)
    _, others = ingested(tmp_path / "without")
    neither = {name: rows for name, rows in others.items() if name not in NEVER_FEATURES}
    made, alone = build(registers, DUCKDB), build(neither, DUCKDB)

    assert 1 == len(made.units)
    pd.testing.assert_frame_equal(alone.units, made.units)
    pd.testing.assert_frame_equal(alone.household_items, made.household_items)


@pytest.mark.parametrize("register", sorted(NEVER_FEATURES))
def test_a_request_for_a_score_may_not_carry_them(register):
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Registers.model_validate({register: []})
