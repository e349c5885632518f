import json
from pathlib import Path

import pytest
import yaml

from features.errors import InputRefused
from features.schema import Kind
from targeting.persons import FACTS, Person, columns
from targeting.services import MENU, PLACEHOLDER, Evidence, Group, Service, menu
from targeting.services_page import page

COMMITTED = Path(__file__).parents[2] / "docs" / "services.md"
SERVICES = menu()
BY_CODE = {service.code: service for service in SERVICES}
PUBLISHED = {  # relative reduction of stunting, as the source named in the entry gives it
    "pmba_konseling": (0.29, 0.09, 0.44),
    "mpasi_hewani": (0.36, None, None),
    "sq_lns": (0.12, None, None),
    "pkh": (0.23, None, None),
}
ENTRY = yaml.safe_load("""
    code: kelas_balita
    name_id: Kelas ibu balita
    name_en: Classes for mothers
    type: spesifik
    perpres_indicator: null
    target_groups: [anak_6_23]
    of: child
    eligible: age_months >= 6 and age_months < 24
    received: receipt
    window_days: 92
    owner_opd: dinkes
    delivery: posyandu
    unit: ibu
    unit_cost_idr: {min: 10, default: 20, max: 30, source: district, year: 2024}
    duration_days: null
    effect: null
    evidence_grade: none
""")
EFFECT = {"measure": "stunting", "value": 0.8, "low": 0.7, "high": 0.9, "source": "a trial", "reduction": None}
COST = ENTRY["unit_cost_idr"]
TOO_MUCH = {"value": 1.2, "low": None, "high": None}


def written(folder, *entries):
    path = folder / "services.yaml"
    path.write_text(json.dumps(list(entries)), encoding="utf-8")
    return path


def refused(path):
    with pytest.raises(InputRefused) as refusal:
        menu(path)
    assert refusal.value.allowed
    assert refusal.value.remedy
    return refusal.value


def test_the_menu_has_services_of_every_group_and_both_types():
    assert len(SERVICES) >= 24
    assert set(Group) == {group for service in SERVICES for group in service.target_groups}
    assert {"spesifik", "sensitif"} == {service.type for service in SERVICES}
    assert set(Person) == {service.of for service in SERVICES}


def test_a_reduction_of_stunting_is_credited_only_where_a_source_gives_one():
    credited = {one.code: one.effect.reduction for one in SERVICES if one.effect and one.effect.reduction}

    assert PUBLISHED == {code: (one.value, one.low, one.high) for code, one in credited.items()}


def test_water_and_sanitation_are_rights_without_an_effect():
    assert {"jamban", "air_minum"} == {service.code for service in SERVICES if service.right}
    assert all(BY_CODE[code].effect is None for code in ("jamban", "air_minum"))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.code)
def test_a_cost_that_nobody_published_says_so(service):
    assert ("unit_cost_idr" in service.to_confirm) == (PLACEHOLDER in service.unit_cost_idr.source)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.code)
def test_no_effect_is_credited_without_evidence(service):
    credited = service.effect is not None and service.effect.reduction is not None

    assert not (credited and service.evidence_grade in {Evidence.LOW, Evidence.NONE})


def test_a_whole_entry_is_taken_in(tmp_path):
    assert ("kelas_balita",) == tuple(service.code for service in menu(written(tmp_path, ENTRY)))


@pytest.mark.parametrize(
    ("change", "named", "allowed"),
    [
        ({"eligible": "age_month >= 6"}, "field eligible: an unknown fact 'age_month'", "age_months"),
        ({"eligible": "receipt"}, "field eligible: an unknown fact 'receipt'", "age_months"),
        ({"eligible": "anc_visit > 1"}, "field eligible: an unknown fact 'anc_visit'", "anc_visits"),
        ({"eligible": "toilet = 'nome'"}, "field eligible: toilet compared with 'nome'", "none"),
        ({"received": "count(receipt)"}, "field received", "facts compared"),
        ({"owner_opd": "dinas"}, "field owner_opd: 'dinas'", "dinkes"),
        ({"type": "umum"}, "field type: 'umum'", "spesifik"),
        ({"of": "father"}, "field of: 'father'", "child"),
        ({"code": "Kelas Balita"}, "field code: 'Kelas Balita'", "pattern"),
        ({"colour": "red"}, "field colour: 'red'", "not permitted"),
        ({"window_days": 0}, "field window_days: 0", "greater than 0"),
        ({"received": "whz > 0"}, "field window_days: 92", "reads `receipt`"),
        ({"unit_cost_idr": COST | {"min": 40}}, "field unit_cost_idr", "min 40, default 20 and max 30"),
        ({"effect": EFFECT | {"low": 0.85}}, "field effect", "does not contain 0.8"),
        ({"effect": EFFECT | {"low": None}}, "field effect", "both ends"),
        ({"effect": EFFECT | {"reduction": TOO_MUCH}}, "field effect.reduction.value", "less than or equal to 1"),
        ({"effect": EFFECT, "right": True}, "as a whole", "no effect on growth is credited"),
        ({"to_confirm": ["cost"]}, "as a whole", "unit_cost_idr"),
        ({"name_id": ""}, "field name_id: ''", "at least 1"),
    ],
)  # fmt: skip
def test_an_entry_that_does_not_hold_is_refused_by_name_and_field(tmp_path, change, named, allowed):
    refusal = refused(written(tmp_path, ENTRY | {"code": "first"}, ENTRY | change))

    assert f"entry 2 ({change.get('code', 'kelas_balita')})" in refusal.found
    assert named in refusal.found
    assert allowed in refusal.allowed


@pytest.mark.parametrize("field", [name for name in ENTRY if Service.model_fields[name].is_required()])
def test_a_field_left_out_is_named(tmp_path, field):
    refusal = refused(written(tmp_path, {name: said for name, said in ENTRY.items() if name != field}))

    assert f"field {field}" in refusal.found
    assert "required" in refusal.allowed


def test_a_code_is_given_once(tmp_path):
    assert "kelas_balita given twice" in refused(written(tmp_path, ENTRY, ENTRY)).found


@pytest.mark.parametrize("text", ["", "[]", "a: 1", "- [", "- 3", "- {code: a, code: b}"])
def test_a_file_that_is_no_menu_is_refused(tmp_path, text):
    path = tmp_path / "services.yaml"
    path.write_text(text)

    assert "services.yaml" in refused(path).found


def test_a_menu_that_is_not_there_is_refused(tmp_path):
    assert "cannot be read" in refused(tmp_path / "none.yaml").found


def test_a_fact_of_one_name_means_one_thing_for_each_kind_of_person():
    for person in Person:
        assert all(name == fact.column.name for name, fact in FACTS[person].items())
        assert Kind.TEXT not in {column.kind for column in columns(person, receipt=True).values()}


def test_a_child_is_not_mistaken_for_its_mother():
    child = FACTS[Person.CHILD]

    assert ("measurement", "maternal") == (child["muac_cm"].register, child["mother_muac_cm"].register)
    assert "child" == child["mother_education"].register


def test_the_committed_page_is_the_generated_one():
    assert page() == COMMITTED.read_text(encoding="utf-8")


def test_every_service_stands_on_the_page_with_its_predicates():
    text = page()

    for service in SERVICES:
        assert f"### `{service.code}`" in text
        assert f"`{service.eligible}`" in text
        assert service.unit_cost_idr.source in text


def test_the_menu_of_the_project_is_the_one_beside_its_code():
    assert Path(__file__).parents[2] / "targeting" / "services.yaml" == MENU
