"""The files of a simulation: what they reproduce, what a validator keeps back of them, what they may not replace."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from features import source
from features.contracts import REGISTERS
from features.errors import InputRefused
from features.growth import growth
from features.ingest import ingest
from features.settings import load
from features.simulation.areas import KELURAHAN, made_up, read
from features.simulation.faults import FAULTS, NIK_COLUMNS, NIK_REGISTERS
from features.simulation.figures import intra_class
from features.simulation.files import GROUP_ROWS, Tables
from features.simulation.places import Desa
from features.simulation.run import is_there, simulate
from serving.cli import app
from targeting.lists import publish
from targeting.worklist import worklist
from tests.conftest import ROOT
from training.card import text

pytestmark = pytest.mark.xdist_group("simulation files")  # one worker makes what is dear, once
HOUSEHOLDS, SEED = 4_000, 20260101
HEADER = "kode,kode_tanpa_titik,nama,level,jenis,kode_kecamatan,nama_kecamatan,lat,lng\n"
DESA = "98.01.01.2001,9801012001,Mekar,desa_kelurahan,desa,98.01.01,Utara,,\n"
KELURAHAN_ROW = "98.01.02.1001,9801021001,Kota,desa_kelurahan,kelurahan,98.01.02,Selatan,,\n"
KECAMATAN = "98.01.01,980101,Utara,kecamatan,kecamatan,98.01.01,Utara,,\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("simulated") / "kabupaten"
    return SimpleNamespace(out=out, figures=simulate(out, households=HOUSEHOLDS, seed=SEED))


@pytest.fixture(scope="module")
def ingested(made, tmp_path_factory):
    out = tmp_path_factory.mktemp("ingested") / "interim"
    return SimpleNamespace(out=out, report=ingest(made.out / "registers", "canonical", out, max_quarantine_share=0.05))


def register(made, name):
    return pd.read_parquet(made.out / f"registers/{name}.parquet")


def truth(made, name):
    return pd.read_parquet(made.out / f"truth/{name}.parquet")


def clean(made, name):
    """The register without the rows in which a fault was planted."""
    faults = truth(made, "faults")
    return register(made, name).drop(index=faults.row[faults.register == name].unique() - 1)


def test_every_figure_comes_out_as_it_was_set(made):
    assert {} == {f.target.name: (f.target.aim, f.found) for f in made.figures if not f.within}


def test_the_account_tells_the_figures_that_were_printed(made):
    told = json.loads((made.out / "simulation.json").read_text())
    assert (True, HOUSEHOLDS, SEED) == (told["simulated"], told["households"], told["seed"])
    assert {f.target.name: f.found for f in made.figures} == {n: f["found"] for n, f in told["figures"].items()}
    assert len(register(made, "child")) == told["rows"]["registers/child"]


def test_the_children_of_the_figures_are_those_of_the_truth(made):
    told = truth(made, "children")
    seen = told[(told.kind == "measurement") & told.on.astype(str).str.startswith("2025-08")]
    found = {f.target.name: f.found for f in made.figures}
    # those who come are a little taller than all, for stunted children stay away
    assert found["true_prevalence"] - 0.05 < seen.stunted.mean() < found["true_prevalence"]
    assert pytest.approx(seen.stunted.mean(), abs=0.03) == seen.risk.mean()


def test_every_kind_of_fault_is_planted_at_its_rate(made):
    faults = truth(made, "faults").groupby(["register", "column", "kind"]).size()
    for fault in FAULTS:
        column = "+".join(REGISTERS[fault.register].key) if fault.kind == "copy" else fault.column
        rows = register(made, fault.register)
        able = rows[fault.column].notna().mean() if fault.kind != "blank" else 1.0
        expected = fault.share * able * len(rows) * (2 if fault.kind == "conflict" else 1)
        found = faults.get((fault.register, column, fault.kind), 0)
        assert 0 < found
        assert abs(found - expected) < 6 * expected**0.5 + 0.2 * expected


def test_the_quarantine_holds_exactly_the_rows_whose_fault_calls_for_it(made, ingested):
    planted = truth(made, "faults")
    kept = planted[planted.quarantined]
    for count in ingested.report.registers:
        sheet = pd.read_csv(ingested.out / f"quarantine/{count.name}.csv", dtype="string")
        assert set(kept[kept.register == count.name].row) == set(sheet.row.astype(int))
        assert len(set(sheet.row)) == count.quarantined


def test_of_every_register_of_people_some_rows_are_kept_back_but_few(ingested):
    shares = {r.name: r.quarantined / r.read for r in ingested.report.registers if r.name != "area"}
    assert all(0 < share < 0.03 for share in shares.values())


def test_faulty_identifiers_that_are_accepted_link_to_nobody(made, ingested):
    faults = truth(made, "faults")
    wrong = faults[~faults.quarantined & (faults.register == "child")]
    accepted = pd.read_parquet(ingested.out / "child.parquet").set_index(["child_id", "recorded_on"])
    mothers = set(pd.read_parquet(ingested.out / "maternal.parquet").mother_id)
    keys = [(child, pd.Timestamp(on)) for child, on in wrong.key.str.split(" + ", regex=False)]
    links = accepted.loc[keys].mother_id
    assert len(wrong) == len(links)
    assert not links.isin(mothers).any()


def test_identifiers_of_a_wrong_form_are_those_that_were_planted(made):
    for name in NIK_REGISTERS:
        rows = register(made, name)
        for column in sorted(set(NIK_COLUMNS) & set(rows)):
            odd = rows[column].notna() & ~rows[column].fillna("").str.fullmatch("99[0-3][0-9]{13}")
            faults = truth(made, "faults")
            planted = faults[(faults.register == name) & (faults.column == column) & (faults.kind != "blank")]
            assert set(planted.row) == set(rows.index[odd] + 1)


def test_the_score_of_every_row_is_that_of_its_own_height_however_the_height_came_about(made):
    child = clean(made, "child").drop_duplicates("child_id")[["child_id", "birth_date", "sex"]]
    rows = clean(made, "measurement").merge(child, on="child_id").dropna(subset=["haz"])
    days = (pd.to_datetime(rows.measured_on) - pd.to_datetime(rows.birth_date)).dt.days
    again = growth(pd.DataFrame({"sex": rows.sex, "age": days, "lenhei": rows.height_cm, "measure": rows.position}))
    assert 10_000 < len(rows)
    assert (again.zlen == rows.haz).all()


def test_heights_just_short_of_the_limit_are_rarer_than_just_above_it(made):
    haz = register(made, "measurement").haz
    assert haz.between(-2.3, -2.01).sum() * 3 < haz.between(-2.0, -1.71).sum()


def test_the_survey_measures_a_sample_of_clusters_as_it_should(made):
    survey = truth(made, "survey")
    told = truth(made, "children").groupby("child_id").haz.mean()
    both = survey.assign(true=survey.child_id.map(told)).dropna(subset=["true"])
    assert 40 <= survey.area_id.nunique()
    assert survey.child_id.is_unique
    assert 0.9 < np.corrcoef(both.haz, both.true)[0, 1]
    assert pytest.approx(0.245, abs=0.07) == survey.stunted.mean()


def test_mothers_of_poor_and_remote_homes_are_more_often_not_recorded(made):
    child = register(made, "child").drop_duplicates("child_id")
    home = register(made, "household").drop_duplicates("household_id")
    rows = child.merge(home[["household_id", "desil"]], on="household_id").dropna(subset=["desil"])
    lacking = rows.mother_id.isna().groupby(rows.desil <= 3).mean()
    assert lacking[False] < lacking[True]


def test_children_born_at_home_are_seldom_weighed_and_rich_homes_seldom_have_a_decile(made):
    births = register(made, "pregnancy").dropna(subset=["delivery_place"])
    weighed = births.birth_weight_g.notna().groupby(births.delivery_place == "home").mean()
    homes = register(made, "household").dropna(subset=["has_car", "desil"]).astype({"has_car": bool})
    left_out = register(made, "household").has_tv.isna().mean()
    assert 0.5 > weighed[True]
    assert 0.9 < weighed[False]
    assert 0 < left_out < 0.1
    assert homes[homes.has_car].desil.mean() > homes[~homes.has_car].desil.mean()


def test_the_correlation_within_clusters_is_one_when_each_is_of_one_height_and_none_when_all_are_alike():
    size = np.array([10, 20, 30])
    assert 1 == intra_class(size, mean=np.array([-2.0, -1.0, 0.0]), sd=np.zeros(3))
    assert 0 > intra_class(size, mean=np.zeros(3), sd=np.ones(3))
    assert np.isnan(intra_class(np.array([1]), mean=np.zeros(1), sd=np.ones(1)))


def test_the_made_up_kabupaten_has_26_kecamatan_and_277_desa_in_a_province_that_does_not_exist():
    areas = made_up()
    assert (277, 26) == (len(areas), len({a.kecamatan for a in areas}))
    assert KELURAHAN == sum(a.kelurahan for a in areas)
    assert all(a.code.startswith("99.01.") for a in areas)
    assert len(areas) == len({a.code for a in areas})


def test_a_code_list_gives_its_own_desa(tmp_path):
    (tmp_path / "list.csv").write_text(HEADER + KELURAHAN_ROW + KECAMATAN + DESA)
    north, south = read(tmp_path / "list.csv")
    assert ("98.01.01.2001", "Mekar", "98.01.01", "Utara", False) == tuple(vars(north).values())
    assert south.kelurahan


def test_a_simulation_of_a_code_list_has_its_areas_and_nobodys_identifiers(tmp_path):
    (tmp_path / "list.csv").write_text(HEADER + KECAMATAN + DESA + KELURAHAN_ROW)
    simulate(tmp_path / "out", households=100, seed=1, code_list=tmp_path / "list.csv")
    made = SimpleNamespace(out=tmp_path / "out")
    assert {"98.01.01.2001", "98.01.02.1001"} == set(register(made, "area").area_id)
    assert register(made, "household").household_id.str.lstrip("'").str.startswith(("99", "9.9")).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2\n", "no column kode"),
        (HEADER + KECAMATAN, "no row of level desa_kelurahan"),
        (HEADER + DESA.replace("98.01.01.2001", "9801012001"), "codes of another form"),
        (HEADER + DESA.replace("98.01.01,Utara", "98.01.09,Utara"), "of another kecamatan"),
        (HEADER + DESA + DESA, "more than once"),
        (HEADER + DESA.replace("Mekar", ""), "no name"),
    ],
)
def test_a_code_list_of_another_shape_is_refused_with_what_it_should_hold(tmp_path, content, said):
    (tmp_path / "list.csv").write_text(content)
    with pytest.raises(InputRefused, match=f"{said}.*coded PP.KK.CC.DDDD"):
        read(tmp_path / "list.csv")


@pytest.mark.parametrize("households", [0, 99, 2_000_001])
def test_a_number_of_households_that_is_no_kabupaten_is_refused(tmp_path, households):
    with pytest.raises(InputRefused, match="100 to 2,000,000"):
        simulate(tmp_path / "out", households=households, seed=1)
    assert [] == list(tmp_path.iterdir())


def test_what_no_simulation_made_is_never_replaced(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/letter.txt").write_text("Dear")
    with pytest.raises(InputRefused, match="no simulation made it"):
        simulate(tmp_path / "letters", households=100, seed=1)
    with pytest.raises(InputRefused, match="is a file"):
        simulate(tmp_path / "letters/letter.txt", households=100, seed=1)

    simulate(tmp_path / "made", households=100, seed=1)
    (tmp_path / "made/truth/note.txt").write_text("mine")
    with pytest.raises(InputRefused, match=r"holds truth/note\.txt"):
        simulate(tmp_path / "made", households=100, seed=2)

    assert "Dear" == (tmp_path / "letters/letter.txt").read_text()
    assert is_there(tmp_path / "made", households=100, seed=1)


def test_a_simulation_that_is_stopped_leaves_the_one_before(tmp_path):
    simulate(tmp_path / "made", households=100, seed=1)

    def stopped(places: tuple[Desa, ...]):
        yield places[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path / "made", households=100, seed=2, steps=stopped)

    assert ["made"] == [p.name for p in tmp_path.iterdir()]
    assert is_there(tmp_path / "made", households=100, seed=1)


@pytest.mark.parametrize("counts", [[GROUP_ROWS], [GROUP_ROWS - 1, 1], [GROUP_ROWS, 3], [0], [5, GROUP_ROWS + 1, 0]])
def test_no_row_is_lost_where_a_file_is_written_in_groups(tmp_path, counts):
    rows = pa.table({"n": np.arange(sum(counts))})
    starts = np.cumsum([0, *counts])
    with Tables(tmp_path) as tables:
        for start, count in zip(starts, counts, strict=False):
            tables.add("some/file", rows.slice(start, count))
    assert pd.read_parquet(tmp_path / "some/file.parquet").n.tolist() == list(range(sum(counts)))
    assert {"some/file": sum(counts)} == tables.rows


def test_only_the_very_same_simulation_is_kept(tmp_path):
    simulate(tmp_path / "made", households=100, seed=1)
    assert is_there(tmp_path / "made", households=100, seed=1)
    assert not is_there(tmp_path / "made", households=101, seed=1)
    assert not is_there(tmp_path / "made", households=100, seed=2)
    assert not is_there(tmp_path / "elsewhere", households=100, seed=1)
    with pytest.raises(InputRefused, match="is not a file"):
        is_there(tmp_path / "made", households=100, seed=1, code_list=tmp_path / "no.csv")


def test_the_command_prints_what_was_set_and_what_came_out_and_keeps_what_is_there(tmp_path):
    words = ["simulate", "--households", "100", "--seed", "5", "--out", str(tmp_path / "made"), "--keep"]
    first, second = (CliRunner().invoke(app, words, terminal_width=200) for _ in range(2))
    assert (0, 0) == (first.exit_code, second.exit_code)
    assert "stunted in truth" in first.output
    assert "holds this simulation already" in second.output


def brought(folder, given, monkeypatch, *more):
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["source", "--format", "canonical", "--data", str(given), *more])
    source.main()
    return load(ROOT / "params.yaml", folder / "run.yaml").source


def test_a_run_knows_that_its_registers_are_simulated_and_where_to_split_them(tmp_path, monkeypatch):
    simulate(tmp_path / "made", households=100, seed=1)
    registers = tmp_path / "made/registers"

    found = brought(tmp_path / "run", registers, monkeypatch)
    moved = brought(tmp_path / "again", registers, monkeypatch, "--test-from", "2024-07-01")
    (registers / "simulated.json").unlink()
    real = brought(tmp_path / "real", registers, monkeypatch)

    assert (True, "2025-01-01") == (found.simulated, str(found.test_from))
    assert (True, "2024-07-01") == (moved.simulated, str(moved.test_from))
    assert (False, None) == (real.simulated, real.test_from)


@pytest.mark.parametrize("simulated", [True, False])
def test_the_card_says_what_figures_of_simulated_data_are_worth(simulated):
    model = SimpleNamespace(data="x" * 64, seed=1, base_rate=0.1)
    where = SimpleNamespace(stamp="m", version=1)
    metrics = {"protocol": "temporal", "n": 1, "base_rate": 0.1, "models": {}, "baselines": {}}
    figures = dict.fromkeys(["n", "forecast", "observed", "auc", "precision_at_10", "recall_at_10", "ece"], 0.0)
    details = {
        "simulated": simulated, "lead_over_krs_rank_count": {}, "krs_reading": "x", "households": {**figures, "n": 1},
        "seeds": {}, "within_age_bands": {}, "without_register": {}, "cost_of_masking": figures,
        "absent": {name: {} for name in ("never_known", "not_in_training", "not_in_test")},
    }  # fmt: skip
    assert simulated == ("say nothing of how well the model would do" in text(model, where, metrics, details))


@pytest.mark.parametrize("simulated", [True, False])
def test_a_list_of_simulated_households_says_so_on_its_sheet(tmp_path, simulated):
    homes = pd.DataFrame(
        {
            "household_id": ["h1"], "region_id": ["north"], "area_id": ["a1"], "area_name": ["Contoh"],
            "unit_count": [1], "expected_stunted": [0.2], "risk_find": [0.2], "risk_prevent": [0.2], "risk": [0.2],
            "objective": ["find"], "freshest_on": pd.to_datetime(["2025-05-01"]),
            "stalest_on": pd.to_datetime(["2025-01-01"]), "reasons_id": ["x"], "reasons_en": ["x"],
            "reasons_unit_id": ["c1"], "missing_registers": [""], "model_version": ["m1"],
        }
    )  # fmt: skip
    pd.DataFrame({"child_id": [], "mother_id": []}, dtype="str").to_parquet(tmp_path / "urgent.parquet")
    signs = pd.DataFrame({"sign": ["whz", "muac_cm", "oedema"], "measurements": [1, 1, 1]})
    signs.to_parquet(tmp_path / "urgent_signs.parquet")
    pd.DataFrame({"region_id": ["all"], "survey": [None]}).to_parquet(tmp_path / "level.parquet")
    settings = SimpleNamespace(paths=SimpleNamespace(scores=tmp_path), source=SimpleNamespace(simulated=simulated))

    publish(settings, worklist(homes, capacity=1, salt="r"), homes, folder=tmp_path / "list")

    notes = pd.read_excel(tmp_path / "list/worklist.xlsx", sheet_name="Keterangan", header=None, engine="openpyxl")
    assert simulated == notes[0].str.contains("Simulated data").any()
