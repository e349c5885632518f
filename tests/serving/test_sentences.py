"""What the core says in English is said in Indonesian on the page, whole or not at all."""

import json
import re
from io import BytesIO

import numpy as np
import pytest
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputRefused
from features.folders import ACCOUNT
from features.ingest import LOST, ingest
from features.settings import load
from serving.pages.language import spoken
from serving.pages.sentences import CATALOGUE, in_indonesian, told
from targeting import feasibility
from targeting.limits import limits_of
from targeting.promotion import Against, Evidence, checks
from targeting.what_if import change_of
from tests.conftest import ROOT
from tests.targeting.planned import homes_with, policy_with
from training.fairness import REMEDY

INDONESIAN, ENGLISH = spoken("id", zone="Asia/Jakarta"), spoken("en", zone="Asia/Jakarta")
FIGURE = re.compile(r"\d[\d.,]*\d|\d")
SMALL = st.floats(-1, 1)
DAYS = st.sampled_from(["2014-01-01", "2014-06-01", ""])
GAP = st.builds(
    lambda measure, share: (
        f"Found: by wealth, {measure}{share} is 0.201 apart (95% interval from 0.103), 'poorest fifth' against "
        f"what was observed. Allowed: 0.1. What to do: {REMEDY[measure]}."
    ),
    st.sampled_from(sorted(REMEDY)), st.sampled_from(["", " in the first 10%"]),
)  # fmt: skip
EVIDENCE = st.builds(
    Evidence,
    stamp=st.just("determinants-new"), reports=st.just("reports/promotion"),
    quarantined=st.sampled_from([("child", 0.06), ("", 0.0)]), leak_guard=st.booleans(),
    rule=st.sampled_from(["KRS, then rank, then count", "the last height-for-age"]),
    lead=st.fixed_dictionaries({"difference": SMALL, "low": SMALL, "high": SMALL}),
    metrics=st.fixed_dictionaries(
        {f"{name}{end}": SMALL for name in ("calibration_slope", "ece") for end in ("", "_low", "_high")}
    ),
    chance_ece=st.floats(0, 0.1), outside=st.lists(GAP, max_size=2), judged_gaps=st.integers(0, 2_000),
    untold_gaps=st.integers(0, 2_000), set_aside=st.sampled_from([None, "siti: Jatigede; 2 rumah. Kosong"]),
    instead_of_real=st.booleans(), learned_until=DAYS, champion_learned_until=DAYS, test_from=st.just("2014-01-01"),
    by_name=st.booleans(),
)  # fmt: skip
AGAINST = st.builds(
    Against, stamp=st.just("determinants-old"), difference=SMALL, low=SMALL, high=SMALL, routine=st.booleans(),
    jaccard=st.floats(0, 1),
)  # fmt: skip


def figures(text):
    return sorted(re.sub(r"\D", "", figure) for figure in FIGURE.findall(text))


def said(text):
    """In Indonesian, with every figure of the English."""
    found = in_indonesian(text)
    assert found is not None, text
    assert figures(text) == figures(found)
    return found


@given(EVIDENCE, st.none() | AGAINST)
def test_every_condition_of_the_gate_is_said_whatever_it_found(found, against):
    gate = load(ROOT / "params.yaml", ROOT / "no-run.yaml").gate
    for check in checks(found, against, gate=gate, quarantine=0.05):
        for text in (check.name, check.found, check.allowed, check.to_do):
            said(text)


@pytest.mark.parametrize(
    "rules",
    [
        {"capacity": {"amount": 6}, "floors": {"region": {"visits": 3}}},
        {"capacity": {"share": 0.3}, "floors": {"area": {"visits": 1}}},
        {"capacity": {"unit": "cadre_hours", "amount": 6.5}, "visit": {"hours": 1.5},
         "floors": {"area": {"share": 0.9}}},
        {"capacity": {"unit": "rupiah", "amount": 1_000_000}, "visit": {"cost_idr": 200_000},
         "floors": {"area": {"visits": 1}}},
        {"capacity": {"amount": 9}, "floors": {"region": {"visits": 2}}, "quotas": {"region": {"share": 0.25}}},
        {"capacity": {"amount": 9}, "floors": {"area": {"visits": 1}}, "reserves": {"exploration": 0.5}},
        {"capacity": {"amount": 10}, "reserves": {"pregnant": 0.6, "under_24_months": 0.6}},
        {"capacity": {"amount": 9}, "named": {"d0": {"at_least": 2}, "r0": {"at_most": 1}, "r1": {"at_most": 3}}},
        {"capacity": {"amount": 10}, "objective": "by_age", "prevent_share": 0.9, "named": {"r2": {"at_least": 4}}},
        {"capacity": {"amount": 9}, "workload": {"by": "area", "most": 1}, "floors": {"region": {"visits": 3}}},
    ],
)  # fmt: skip
def test_rules_that_do_not_fit_together_are_named_with_the_change_that_is_enough(rules):
    homes = homes_with(
        np.full(12, 0.5), region_id=[f"r{n % 3}" for n in range(12)], area_id=[f"d{n % 6}" for n in range(12)],
        pregnant=[n < 6 for n in range(12)], under_24_months=[n >= 6 for n in range(12)],
        track=["find" if n % 3 == 2 else "prevent" for n in range(12)],
    )  # fmt: skip
    policy = policy_with(**rules)
    with pytest.raises(InputRefused) as refusal:
        feasibility.check(limits_of(policy, homes), policy=policy, homes=homes)

    assert said(str(refusal.value)).startswith("Ditemukan: ketentuan yang tidak dapat dipenuhi bersama: ")


def test_a_rule_of_many_places_is_told_with_how_many_and_the_first():
    assert "bagian paling sedikit tiap desa untuk 30 tempat, 99.01, 99.02, ... meminta paling sedikit 30 kunjungan" == (
        in_indonesian("floors.area of 30 places, 99.01, 99.02, ... asks for 30 visits at least")
    )
    assert "bagian paling sedikit tiap desa untuk 99.01 meminta paling sedikit 3 kunjungan" == (
        in_indonesian("floors.area of 99.01 asks for 3 visits at least")
    )


@pytest.mark.parametrize("change", ["household.desil=11", "household.floor=marble", "child.sex=x",
                                    "household.has_tv=perhaps", "maternal.height_cm=900"])  # fmt: skip
def test_a_value_that_cannot_be_tried_is_said(change):
    with pytest.raises(InputRefused) as refusal:
        change_of(change)

    said(str(refusal.value))


def test_what_was_noted_when_registers_were_taken_in_is_said(tmp_path):
    (tmp_path / "area.csv").write_text("area_id,region_id,area_name,color\nA1,R1,Sukamaju,blue\n")
    (tmp_path / "household.csv").write_text("household_id,recorded_on,area_id\nH1,2024-01-01,A9\n")
    (tmp_path / "child.csv").write_text(
        "child_id,recorded_on,household_id,sex,birth_date\nC1,2024-01-01,H9,f,2023-05-01\n"
    )
    (tmp_path / "cats.csv").write_text("cat\nTom\n")
    ingest(tmp_path, "canonical", out := tmp_path.with_name("accepted"), max_quarantine_share=0.5)
    notes = json.loads((out / ACCOUNT).read_text())["notes"]

    assert len(notes) > 8
    assert "Berkas cats.csv bukan register dan tidak dibaca." in [said(note) for note in notes]
    for follows in LOST.values():
        said(follows)


HOMES = "household_id,recorded_on,area_id\n"
KIN = "child_id,recorded_on,household_id,sex,birth_date\nC1,2024-01-01,H1,f,2023-05-01\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"household.csv": b""}, "household.csv kosong (0 bita)"),
        ({"household.csv": b"\n"}, "baris pertama household.csv kosong"),
        ({"household.csv": HOMES.encode() + b"H\x92,2024-01-01,A1\n"}, "household.csv bukan UTF-8"),
        ({"household.csv": HOMES + "H1,2024-01-01,A1,9\n"}, "memuat baris yang jumlah selnya bukan 3"),
        ({"household.csv": HOMES + '"H1,2024-01-01,A1\n'}, "dibuka dengan tanda petik yang tidak ditutup"),
        ({"household.csv": "household_id,household_id\nH1,H1\n"}, "memuat kolom 'household_id' lebih dari sekali"),
        ({"household.csv": HOMES.replace("area_id", "") + "H1,2024-01-01,A1\n"}, "tidak memuat nama kolom di urutan 3"),
        ({"household.csv": "household_id,area_id\nH1,A1\n"}, "tidak memuat kolom recorded_on, padahal wajib"),
        ({"household.csv": "rumah,desa\nH1,A1\n"}, "tidak memuat satu pun kolom register itu"),
        ({"household.csv": HOMES}, "household tidak memuat baris"),
        ({"household.csv": HOMES + "H1,kemarin,A1\n"}, "1 dari 1 baris bermasalah"),
        ({"household.xlsx": "no book"}, "bukan buku kerja Excel"),
        ({"household.parquet": "no table"}, "rusak atau terpotong"),
        ({}, "tidak ada berkas untuk household"),
    ],
)
def test_why_registers_cannot_be_taken_in_is_said(tmp_path, files, found):
    for name, content in ({"child.csv": KIN} | files).items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputRefused) as refusal:
        ingest(tmp_path, "canonical", tmp_path.with_name("taken"), max_quarantine_share=0.05)

    assert found in said(str(refusal.value))


def test_a_sentence_without_a_place_is_said_as_it_stands():
    read = [one for path in sorted(CATALOGUE.glob("*.po")) for one in read_po(BytesIO(path.read_bytes()), locale="id")]
    whole = {str(one.id): str(one.string) for one in reversed(read) if one.id and "%(" not in one.id}

    assert len(whole) > 50
    assert whole == {text: in_indonesian(text) for text in whole}


@pytest.mark.parametrize("depth", [1, 17, 150])
def test_what_somebody_wrote_is_carried_over_however_deep_it_looks(depth):
    wrote = "q p (1 to " * depth + "a b" + ")" * depth

    assert f"dikesampingkan: {wrote}" == in_indonesian(f"set aside: {wrote}")
    assert None is in_indonesian(wrote)


def test_what_is_not_known_stays_english_is_marked_so_and_runs_as_nothing():
    strange = "the moon is <b>low</b>"

    assert '<span lang="en">the moon is &lt;b&gt;low&lt;/b&gt;</span>' == told(strange, INDONESIAN)
    assert "the moon is &lt;b&gt;low&lt;/b&gt;" == told(strange, ENGLISH)
    assert None is in_indonesian("`child` lots and lots in quarantine")
    assert "dikesampingkan: &lt;b&gt;" == told("set aside: <b>", INDONESIAN)
