import datetime as dt

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from features.contracts import REGISTERS
from features.schema import Kind
from targeting.needs import needs, unknown_codes
from targeting.persons import Person
from targeting.services import menu
from tests.conftest import DUCKDB
from tests.drawn import drawn

ON = dt.date(2024, 6, 1)
MENU = menu()
BY_CODE = {service.code: service for service in MENU}
NOT_ELIGIBLE = "not eligible"
KINDS = {Kind.WHOLE: "Int64", Kind.NUMBER: "float64", Kind.YES_NO: "boolean", Kind.DATE: "datetime64[us]"}
DAYS_PER_MONTH = 30.4375

# One household a row: facts of its one child or mother, and when it was given the service. A row may lack a register.
EXAMPLES = {
    "ttd_remaja": """
        status       | household.women_15_49_count | service.received_on |
        -------------+-----------------------------+---------------------+
        not eligible | 0                           |                     |
        received     | 1                           | 2024-05-20          |
        unknown      | 1                           |                     |
        unknown      |                             |                     |
    """,
    "skrining_hb_remaja": """
        status       | household.women_15_49_count | service.received_on |
        -------------+-----------------------------+---------------------+
        not eligible | 0                           |                     |
        received     | 2                           | 2024-01-20          |
        unknown      | 2                           |                     |
    """,
    "skrining_catin": """
        status       | household.women_15_49_count | maternal.age_years | service.received_on |
        -------------+-----------------------------+--------------------+---------------------+
        not eligible | 1                           | 24                 |                     |
        received     | 2                           | 24                 | 2024-01-20          |
        unknown      | 2                           | 24                 |                     |
    """,
    "anc": """
        status       | maternal.pregnant | pregnancy.anc_visits | service.received_on |
        -------------+-------------------+----------------------+---------------------+
        unmet        | 1                 | 5                    |                     |
        unmet        | 1                 | 1                    | 2024-01-10          |
        not eligible | 0                 | 1                    |                     |
        received     | 1                 | 6                    |                     |
        received     | 1                 |                      | 2024-05-10          |
        unknown      | 1                 |                      |                     |
    """,
    "usg_bumil": """
        status       | maternal.pregnant | service.received_on | missing |
        -------------+-------------------+---------------------+---------+
        unmet        | 1                 |                     |         |
        not eligible | 0                 |                     |         |
        received     | 1                 | 2024-03-10          |         |
        unknown      | 1                 |                     | service |
    """,
    "ttd_bumil": """
        status       | maternal.pregnant | pregnancy.iron_days | service.received_on |
        -------------+-------------------+---------------------+---------------------+
        unmet        | 1                 | 89                  |                     |
        not eligible | 0                 | 10                  |                     |
        received     | 1                 | 90                  |                     |
        received     | 1                 | 20                  | 2024-05-10          |
        unknown      | 1                 |                     |                     |
    """,
    "pmt_bumil_kek": """
        status       | maternal.pregnant | maternal.muac_cm | service.received_on |
        -------------+-------------------+------------------+---------------------+
        unmet        | 1                 | 23.4             |                     |
        not eligible | 1                 | 23.5             |                     |
        not eligible | 0                 | 21.0             |                     |
        received     | 1                 | 23.4             | 2024-05-10          |
        unknown      | 1                 |                  |                     |
    """,
    "kelas_bumil": """
        status       | maternal.pregnant | service.received_on | missing |
        -------------+-------------------+---------------------+---------+
        unmet        | 1                 |                     |         |
        not eligible | 0                 |                     |         |
        received     | 1                 | 2024-01-10          |         |
        unknown      | 1                 |                     | service |
    """,
    "kb_pascasalin": """
        status       | maternal.age_years | maternal.contraception | child.age_months | service.received_on |
        -------------+--------------------+------------------------+------------------+---------------------+
        unmet        | 30                 | traditional            | 5.9              |                     |
        not eligible | 30                 | none                   | 6.1              |                     |
        received     | 30                 | modern                 | 2                |                     |
        received     | 30                 | none                   | 2                | 2024-05-10          |
        unknown      | 30                 |                        | 2                |                     |
    """,
    "asi_konseling": """
        status       | child.age_months | service.received_on | missing |
        -------------+------------------+---------------------+---------+
        unmet        | 5.9              |                     |         |
        not eligible | 6.1              |                     |         |
        received     | 4                | 2024-05-10          |         |
        unknown      | 4                |                     | service |
    """,
    "imunisasi_dasar": """
        status       | child.age_months | service.received_on | missing |
        -------------+------------------+---------------------+---------+
        unmet        | 23.9             |                     |         |
        not eligible | 24.1             |                     |         |
        received     | 20               | 2022-11-10          |         |
        unknown      | 20               |                     | service |
    """,
    "bblr_kangguru": """
        status       | child.age_months | pregnancy.birth_weight_g | service.received_on |
        -------------+------------------+--------------------------+---------------------+
        unmet        | 2                | 2499                     |                     |
        not eligible | 2                | 2500                     |                     |
        not eligible | 8                | 2100                     |                     |
        received     | 2                | 2100                     | 2024-05-10          |
        unknown      | 2                |                          |                     |
    """,
    "pmba_konseling": """
        status       | child.age_months | service.received_on | missing |
        -------------+------------------+---------------------+---------+
        unmet        | 6.1              |                     |         |
        not eligible | 5.9              |                     |         |
        not eligible | 24.1             |                     |         |
        received     | 12               | 2024-05-10          |         |
        unknown      | 12               |                     | service |
    """,
    "mpasi_hewani": """
        status       | child.age_months | household.desil | service.received_on |
        -------------+------------------+-----------------+---------------------+
        unmet        | 12               | 4               |                     |
        not eligible | 12               | 5               |                     |
        not eligible | 30               | 1               |                     |
        received     | 12               | 1               | 2024-02-10          |
        unknown      | 12               |                 |                     |
    """,
    "sq_lns": """
        status       | child.age_months | household.wealth_quintile | service.received_on |
        -------------+------------------+---------------------------+---------------------+
        unmet        | 12               | 2                         |                     |
        not eligible | 12               | 3                         |                     |
        received     | 12               | 1                         | 2024-02-10          |
        unknown      | 12               |                           |                     |
    """,
    "pmt_balita": """
    status       | child.age_months | measurement.whz | measurement.muac_cm | measurement.oedema | service.received_on |
    -------------+------------------+-----------------+---------------------+--------------------+---------------------+
    unmet        | 30               | -2.1            |                     |                    |                     |
    unmet        | 30               |                 | 12.4                |                    |                     |
    unmet        | 30               | -3.0            | 11.5                | 0                  |                     |
    unmet        | 30               | -2.1            |                     |                    | 2024-04-05          |
    not eligible | 30               | -2.0            |                     |                    |                     |
    not eligible | 5                | -2.1            |                     |                    |                     |
    not eligible | 30               | -3.1            |                     |                    |                     |
    not eligible | 30               | -2.1            | 11.4                |                    |                     |
    not eligible | 30               | -2.1            |                     | 1                  |                     |
    received     | 30               | -2.1            |                     |                    | 2024-04-06          |
    unknown      | 30               |                 | 13.0                |                    |                     |
    unknown      | 30               | -5.5            |                     |                    |                     |
    """,
    "vitamin_a": """
        status       | child.age_months | service.received_on | missing |
        -------------+------------------+---------------------+---------+
        unmet        | 50               |                     |         |
        not eligible | 5                |                     |         |
        received     | 50               | 2024-02-10          |         |
        unknown      | 50               |                     | service |
    """,
    "pemantauan_tumbuh": """
        status       | child.age_months | measurement.measured_on | service.received_on | missing     |
        -------------+------------------+-------------------------+---------------------+-------------+
        unmet        | 50               | 2024-04-26              |                     |             |
        unmet        | 50               |                         |                     |             |
        not eligible | 60.1             |                         |                     |             |
        received     | 50               | 2024-04-27              |                     |             |
        received     | 50               | 2024-01-27              | 2024-05-10          |             |
        unknown      | 50               | 2024-04-27              |                     | measurement |
    """,
    "rujukan_stunting": """
        status       | child.age_months | measurement.haz | service.received_on |
        -------------+------------------+-----------------+---------------------+
        unmet        | 30               | -2.01           |                     |
        not eligible | 30               | -2              |                     |
        received     | 30               | -2.5            | 2024-02-10          |
        unknown      | 30               |                 |                     |
    """,
    "obat_cacing": """
        status       | child.age_months | service.received_on | missing |
        -------------+------------------+---------------------+---------+
        unmet        | 12.1             |                     |         |
        not eligible | 11.9             |                     |         |
        received     | 30               | 2024-02-10          |         |
        unknown      | 30               |                     | service |
    """,
    "paud": """
        status       | child.age_months | service.received_on | missing |
        -------------+------------------+---------------------+---------+
        unmet        | 36.1             |                     |         |
        not eligible | 35.9             |                     |         |
        received     | 40               | 2023-08-10          |         |
        unknown      | 40               |                     | service |
    """,
    "jamban": """
        status       | sanitation.toilet | service.received_on |
        -------------+-------------------+---------------------+
        unmet        | none              |                     |
        not eligible | flush_septic      |                     |
        received     | hanging           | 2021-02-10          |
        unknown      |                   |                     |
    """,
    "air_minum": """
        status       | sanitation.water_source | service.received_on |
        -------------+-------------------------+---------------------+
        unmet        | surface                 |                     |
        not eligible | piped                   |                     |
        received     | unprotected_well        | 2021-02-10          |
        unknown      |                         |                     |
    """,
    "rumah_layak": """
        status       | household.floor | household.wall | household.roof | household.desil | service.received_on |
        -------------+-----------------+----------------+----------------+-----------------+---------------------+
        unmet        | earth           |                |                | 2               |                     |
        not eligible | cement          | finished       | finished       | 2               |                     |
        not eligible | earth           | natural        | natural        | 6               |                     |
        received     | earth           | natural        | natural        | 2               | 2021-02-10          |
        unknown      | cement          | finished       |                | 2               |                     |
    """,
    "pkh": """
        status       | household.desil | household.aid_pkh | child.age_months | service.received_on |
        -------------+-----------------+-------------------+------------------+---------------------+
        unmet        | 4               | 0                 | 20               |                     |
        not eligible | 5               | 0                 | 20               |                     |
        not eligible | 4               | 0                 |                  |                     |
        received     | 4               | 1                 | 20               |                     |
        received     | 4               | 0                 | 20               | 2024-02-10          |
        unknown      | 4               |                   | 20               |                     |
    """,
    "bpnt": """
        status       | household.desil | household.aid_bpnt | service.received_on |
        -------------+-----------------+--------------------+---------------------+
        unmet        | 4               | 0                  |                     |
        not eligible | 5               | 0                  |                     |
        received     | 4               | 1                  |                     |
        received     | 4               | 0                  | 2024-05-10          |
        unknown      | 4               |                    |                     |
    """,
    "blt_dd": """
        status       | household.desil | household.aid_pkh | household.aid_blt_dd | service.received_on |
        -------------+-----------------+-------------------+----------------------+---------------------+
        unmet        | 2               | 0                 | 0                    |                     |
        not eligible | 2               | 1                 | 0                    |                     |
        not eligible | 3               | 0                 | 0                    |                     |
        received     | 2               | 0                 | 1                    |                     |
        received     | 2               | 0                 | 0                    | 2024-05-10          |
        unknown      | 2               |                   | 0                    |                     |
    """,
    "bpjs_pbi": """
        status       | household.desil | household.aid_pbi | service.received_on |
        -------------+-----------------+-------------------+---------------------+
        unmet        | 5               | 0                 |                     |
        not eligible | 6               | 0                 |                     |
        received     | 5               | 1                 |                     |
        received     | 5               | 0                 | 2024-02-10          |
        unknown      |                 | 0                 |                     |
    """,
    "baas": """
        status       | household.desil | child.age_months | service.received_on |
        -------------+-----------------+------------------+---------------------+
        unmet        | 4               | 23.9             |                     |
        not eligible | 5               | 20               |                     |
        not eligible | 4               | 24.1             |                     |
        received     | 4               | 20               | 2024-02-10          |
        unknown      |                 | 20               |                     |
    """,
    "kie_rokok": """
        status       | child.age_months | maternal.pregnant | service.received_on | missing |
        -------------+------------------+-------------------+---------------------+---------+
        unmet        | 20               |                   |                     |         |
        unmet        |                  | 1                 |                     |         |
        not eligible |                  | 0                 |                     |         |
        received     | 20               |                   | 2023-08-10          |         |
        unknown      | 20               |                   |                     | service |
    """,
}  # fmt: skip
ROWS = [(code, row) for code, text in EXAMPLES.items() for row in drawn(text).to_dict("records")]


def ids(number):
    return {key: f"{key[0]}-{number}" for key in ("household_id", "mother_id", "child_id", "pregnancy_id")}


def facts_of(row, register):
    said = {name.split(".")[1]: value for name, value in row.items() if name.startswith(register + ".")}
    return {name: value for name, value in said.items() if pd.notna(value)}


def rows_of(number, code, row):
    """What the registers hold of one drawn household; of a child or a mother only where a fact of them is drawn."""
    who, day = ids(number), {"recorded_on": pd.Timestamp("2024-05-01")}
    has_child = any(facts_of(row, register) for register in ("child", "measurement"))
    child, mother = facts_of(row, "child"), facts_of(row, "maternal")
    if has_child:
        child = {
            "birth_date": pd.Timestamp(ON) - pd.Timedelta(days=round(child.get("age_months", 30) * DAYS_PER_MONTH))
        }
        yield "child", who | day | child
    if mother:
        yield "maternal", who | day | mother
    if facts_of(row, "measurement"):
        seen = {"measured_on": pd.Timestamp("2024-05-01")} | facts_of(row, "measurement")
        yield "measurement", who | {"recorded_on": seen["measured_on"]} | seen
    if born := facts_of(row, "pregnancy"):
        yield "pregnancy", who | day | ({} if has_child else {"child_id": None}) | born
    yield "household", who | day | facts_of(row, "household")
    yield "sanitation", who | day | facts_of(row, "sanitation")
    if given := facts_of(row, "service"):
        yield "service", receipt(who, code, given["received_on"])


def receipt(who, code, received_on):
    person = {Person.CHILD: "child_id", Person.PREGNANCY: "mother_id", Person.MOTHER: "mother_id"}.get(BY_CODE[code].of)
    return {
        "receipt_id": f"{who['household_id']}-{code}-{received_on:%Y%m%d}", "household_id": who["household_id"],
        "person_id": who[person] if person else None, "service": code, "received_on": received_on,
        "recorded_on": received_on,
    }  # fmt: skip


def table(register, rows):
    columns = REGISTERS[register].columns
    found = pd.DataFrame(rows, columns=[c.name for c in columns])
    return found.astype({c.name: KINDS.get(c.kind, "string") for c in columns})


# A family elsewhere, so that no register is without a row.
ELSEWHERE = {"household.desil": 9, "child.age_months": 30, "measurement.whz": 0, "maternal.pregnant": 0,
             "pregnancy.anc_visits": 4, "service.received_on": pd.Timestamp("2010-01-01")}  # fmt: skip


def town(rows, *, lacking=()):
    """Registers of the drawn households `h-0`, `h-1`, ...; those that are lacking hold nothing."""
    held = [one for number, (code, row) in enumerate(rows) for one in rows_of(number, code, row)]
    held += list(rows_of("elsewhere", "paud", ELSEWHERE))
    names = ("household", "sanitation", "maternal", "pregnancy", "child", "measurement", "service", "contact")
    return {n: table(n, [] if n in lacking else [row for name, row in held if name == n]) for n in names}


def found(registers, *codes):
    """The needs for the services of these codes, by household and service."""
    made = needs(registers, [BY_CODE[code] for code in sorted(set(codes))], on=ON, machine=DUCKDB)
    return made.set_index(["household_id", made.service.astype(str)])


def statuses(registers, code):
    return found(registers, code).droplevel(1).status.astype(str).to_dict()


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_drawn_household_is_eligible_served_or_not_known_as_drawn(code):
    rows = drawn(EXAMPLES[code])
    rows["missing"] = rows.get("missing", pd.Series(index=rows.index, dtype="string")).fillna("")

    for missing, part in rows.groupby("missing"):
        drawn_rows = part.drop(columns="missing").to_dict("records")
        expected = {f"h-{n}": row["status"] for n, row in enumerate(drawn_rows) if row["status"] != NOT_ELIGIBLE}
        seen = statuses(town([(code, row) for row in drawn_rows], lacking=(missing,)), code)
        seen.pop("h-elsewhere", None)

        assert expected == seen


@pytest.mark.parametrize("service", MENU, ids=lambda service: service.code)
def test_every_service_has_a_drawn_household_of_each_kind(service):
    kinds = {"unmet", NOT_ELIGIBLE, "received", "unknown"}
    # Nobody can be sure that an adolescent lacks something: no register lists them.
    never = {"unmet"} if service.of is Person.ADOLESCENT else set()

    assert kinds - never == set(drawn(EXAMPLES[service.code]).status)


def test_no_example_is_of_a_service_that_left_the_menu():
    assert set(BY_CODE) == set(EXAMPLES)


def two_children(second_age_months):
    registers = town(
        [("asi_konseling", {"child.age_months": 3}), ("asi_konseling", {"child.age_months": second_age_months})]
    )
    registers["child"]["household_id"] = registers["child"].household_id.replace("h-1", "h-0")
    return registers


def test_each_child_who_lacks_a_service_is_counted_and_costs():
    row = found(two_children(4), "asi_konseling").loc[("h-0", "asi_konseling")]

    assert ("unmet", 2, 2 * BY_CODE["asi_konseling"].unit_cost_idr.default) == (row.status, row.persons, row.cost_idr)
    assert pd.isna(row.why_id)
    assert pd.isna(row.why_en)


def test_a_household_lacks_a_service_that_one_of_its_children_lacks():
    registers = two_children(4)
    registers["service"] = table("service", [receipt(ids(1), "asi_konseling", pd.Timestamp("2024-05-20"))])

    row = found(registers, "asi_konseling").loc[("h-0", "asi_konseling")]

    assert ("unmet", 1) == (row.status, row.persons)


def test_a_receipt_of_the_household_as_a_whole_is_of_all_its_children():
    registers = two_children(4)
    whole = receipt(ids(0), "asi_konseling", pd.Timestamp("2024-05-20")) | {"person_id": None}
    registers["service"] = table("service", [whole])

    row = found(registers, "asi_konseling").loc[("h-0", "asi_konseling")]

    assert ("received", 2, 0) == (row.status, row.persons, row.cost_idr)


@pytest.mark.parametrize(("received_on", "status"), [("2024-04-27", "received"), ("2024-04-26", "unmet")])
def test_a_receipt_counts_to_the_last_day_of_its_window(received_on, status):
    rows = [
        (
            "ttd_bumil",
            {"maternal.pregnant": 1, "pregnancy.iron_days": 0, "service.received_on": pd.Timestamp(received_on)},
        )
    ]

    assert 35 == BY_CODE["ttd_bumil"].window_days
    assert status == statuses(town(rows), "ttd_bumil")["h-0"]


def test_what_was_recorded_after_the_day_is_not_seen():
    registers = town([("jamban", {"sanitation.toilet": "none"})])
    late = receipt(ids(0), "jamban", pd.Timestamp("2024-05-20")) | {"recorded_on": pd.Timestamp("2024-06-02")}
    registers["service"] = pd.concat([registers["service"], table("service", [late])])

    assert "unmet" == statuses(registers, "jamban")["h-0"]


def test_the_newest_record_decides():
    registers = town([("jamban", {"sanitation.toilet": "none"})])
    newer = table("sanitation", [ids(0) | {"recorded_on": pd.Timestamp("2024-05-20"), "toilet": "flush_septic"}])
    registers["sanitation"] = pd.concat([newer, registers["sanitation"]])

    assert "h-0" not in statuses(registers, "jamban")


def test_a_child_who_died_needs_nothing():
    registers = town([("vitamin_a", {"child.age_months": 20})])
    death = {"contact_id": "c", "household_id": "h-0", "person_id": "c-0", "happened_on": pd.Timestamp("2024-05-20"),
             "recorded_on": pd.Timestamp("2024-05-20"), "kind": "deceased"}  # fmt: skip
    registers["contact"] = table("contact", [death])

    assert "h-0" not in statuses(registers, "vitamin_a")
    assert "h-0" not in statuses(registers, "kie_rokok")


@pytest.mark.parametrize(("recorded_on", "needy"), [("2024-05-01", True), ("2023-07-27", True), ("2023-07-26", False)])
def test_a_pregnancy_recorded_too_long_ago_has_ended(recorded_on, needy):
    registers = town([("usg_bumil", {"maternal.pregnant": 1})])
    registers["maternal"]["recorded_on"] = pd.Timestamp(recorded_on)

    assert needy == ("h-0" in statuses(registers, "usg_bumil"))


def test_a_birth_ends_the_pregnancy():
    registers = town([("usg_bumil", {"maternal.pregnant": 1})])
    born = ids(0) | {"birth_date": pd.Timestamp("2024-05-10"), "recorded_on": pd.Timestamp("2024-05-12")}
    registers["child"] = pd.concat([registers["child"], table("child", [born])])

    assert "h-0" not in statuses(registers, "usg_bumil")


def test_a_birth_ends_the_pregnancy_that_names_the_child_where_the_child_names_no_mother():
    registers = town([("usg_bumil", {"maternal.pregnant": 1})])
    born = ids(0) | {"birth_date": pd.Timestamp("2024-05-10"), "recorded_on": pd.Timestamp("2024-05-12")}
    registers["child"] = pd.concat([registers["child"], table("child", [born | {"mother_id": None}])])
    assert "h-0" in statuses(registers, "usg_bumil")

    linked = born | {"pregnancy_id": "p-0"}
    registers["pregnancy"] = pd.concat([registers["pregnancy"], table("pregnancy", [linked])])
    assert "h-0" not in statuses(registers, "usg_bumil")


def test_the_care_of_an_earlier_birth_is_no_care_of_this_pregnancy():
    registers = town([("anc", {"maternal.pregnant": 1, "pregnancy.anc_visits": 8, "pregnancy.birth_rank_recent": 1})])

    assert "unknown" == statuses(registers, "anc")["h-0"]


def test_two_weighings_in_a_row_without_enough_gain_ask_for_food():
    registers = town([("pmt_balita", {"child.age_months": 12, "measurement.whz": 0, "measurement.weight_kg": 8.0})])
    before = [
        ids(0) | {"measured_on": pd.Timestamp(day), "recorded_on": pd.Timestamp(day), "weight_kg": 8.0, "whz": 0}
        for day in ("2024-03-05", "2024-04-05")
    ]
    registers["measurement"] = pd.concat([registers["measurement"], table("measurement", before)])

    assert "unmet" == statuses(registers, "pmt_balita")["h-0"]


def test_a_null_that_decides_nothing_is_not_named():
    rows = [("pkh", {"household.desil": 4, "child.age_months": 20}), ("jamban", {})]
    whole, without = (found(town(rows, lacking=lacking), "pkh", "jamban") for lacking in ((), ("sanitation",)))

    assert "belum diketahui: tidak tercatat di register household" == whole.loc[("h-0", "pkh")].why_id
    assert "belum diketahui: tidak tercatat di register sanitation" == whole.loc[("h-1", "jamban")].why_id
    assert "belum diketahui: register sanitation tidak ada" == without.loc[("h-1", "jamban")].why_id
    assert "not known: register sanitation is missing" == without.loc[("h-1", "jamban")].why_en


def test_without_the_register_of_mothers_a_household_with_women_may_have_a_pregnancy():
    rows = [("anc", {"household.women_15_49_count": 1}), ("anc", {"household.women_15_49_count": 0})]

    assert {"h-0": "unknown", "h-elsewhere": "unknown"} == statuses(town(rows, lacking=("maternal",)), "anc")


def test_registers_without_any_row_need_nothing():
    registers = {name: table(name, []) for name in ("household", "child", "service")}

    assert needs(registers, MENU, on=ON, machine=DUCKDB).empty


def test_both_engines_find_the_same_needs(machine):
    registers = town(ROWS)

    pd.testing.assert_frame_equal(
        needs(registers, MENU, on=ON, machine=DUCKDB), needs(registers, MENU, on=ON, machine=machine)
    )


def test_receipts_of_services_that_the_menu_does_not_know_are_counted():
    registers = town([("paud", {"child.age_months": 40})])
    strange = [receipt(ids(n), "paud", pd.Timestamp("2024-05-20")) | {"service": "senam"} for n in (0, 1)]
    registers["service"] = pd.concat([registers["service"], table("service", strange)])

    assert {"senam": 2} == unknown_codes(registers, MENU)
    assert {} == unknown_codes({}, MENU)


TOLD_BY_ANOTHER = {service.code for service in MENU if "receipt is not null" in service.received}


def test_without_receipts_a_lack_is_told_only_of_what_another_register_records():
    lacking = {"pkh", "bpnt", "blt_dd", "bpjs_pbi", "jamban", "air_minum", "rumah_layak", "kb_pascasalin"}

    assert lacking | {"pemantauan_tumbuh"} == TOLD_BY_ANOTHER


some_rows = st.lists(st.sampled_from(ROWS), min_size=1, max_size=8)
few = effort(max_examples=12)


@few
@given(some_rows, st.randoms(use_true_random=False))
def test_needs_do_not_depend_on_the_order_of_rows(rows, lots):
    registers = town(rows)
    shuffled = {name: held.sample(frac=1, random_state=lots.randrange(2**31)) for name, held in registers.items()}

    codes = [code for code, _ in rows]
    pd.testing.assert_frame_equal(found(registers, *codes), found(shuffled, *codes))


@few
@given(some_rows, st.sampled_from(["household", "sanitation", "maternal", "pregnancy", "measurement", "service"]))
def test_a_missing_register_gives_unknown_and_never_unmet(rows, missing):
    # Where another register tells the lack itself, receipts can only end it.
    rows = [row for row in rows if missing != "service" or row[0] not in TOLD_BY_ANOTHER]
    assume(rows)
    codes = [code for code, _ in rows]
    whole, without = found(town(rows), *codes), found(town(rows, lacking=(missing,)), *codes)

    assert set(without.index[without.status == "unmet"]) <= set(whole.index[whole.status == "unmet"])
    lost = whole.index[whole.status == "unmet"].difference(without.index[without.status == "unmet"])
    assert {"unknown"} >= set(without.status.reindex(lost).astype(str))


@few
@given(some_rows, st.data())
def test_a_newer_receipt_never_makes_a_need(rows, data):
    registers = town(rows)
    number = data.draw(st.integers(0, len(rows) - 1))
    code = data.draw(st.sampled_from(sorted(BY_CODE)))
    day = data.draw(st.dates(dt.date(2022, 1, 1), ON))
    newer = table("service", [receipt(ids(number), code, pd.Timestamp(day)) | {"receipt_id": "newer"}])
    codes = [code, *(code for code, _ in rows)]
    before, after = (
        found(registers, *codes),
        found(registers | {"service": pd.concat([registers["service"], newer])}, *codes),
    )

    assert set(after.index[after.status == "unmet"]) <= set(before.index[before.status == "unmet"])
