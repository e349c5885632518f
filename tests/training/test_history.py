"""The model for children who were measured before: for whom it is, what it knows, and beside what it is judged."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from features.build import Built, build, read_registers
from features.catalog import CATALOG, EARLIER
from features.contracts import REGISTERS
from features.ingest import ingest
from features.simulation.run import simulate
from features.validation import empty
from tests.conftest import DUCKDB
from tests.drawn import drawn
from tests.project import Project
from tests.training.rows import rows, settings
from training import model as models
from training.baselines import earlier_haz
from training.earlier import LEAST, NAME, RIVALS, judge, measured_before, outcomes_of, why_none
from training.labels import labelled
from training.learn import learn
from training.metrics import measure
from training.models import DETERMINANTS, HISTORY, INPUTS
from training.splits import temporal

pytestmark = pytest.mark.xdist_group("history")

if TYPE_CHECKING:
    from pathlib import Path

    from features.settings import Settings
    from training.model import RiskModel

NAMES = [f.name for f in EARLIER]
HOUSEHOLDS = 4_000


def measured(count: int, *, seed: int, **more: int) -> pd.DataFrame:
    """Children whose height on the outcome's visit is near the one before."""
    made, chance = rows(count, seed=seed, **more), np.random.default_rng(seed)
    grown = {f.name: chance.uniform(*f.valid, count) for f in EARLIER}
    grown["haz_last"] = (made.haz + chance.normal(0, 0.5, count)).clip(-6, 6)
    grown["haz_lowest"] = grown["haz_last"] - chance.uniform(0, 0.5, count)
    return made.assign(**grown)


def of_both(stunted: int, others: int) -> pd.DataFrame:
    return pd.DataFrame({"stunted": [1] * stunted + [0] * others})


@pytest.fixture(scope="module")
def model() -> RiskModel:
    return learn(measured(2_000, seed=1), settings=settings(), seed=7, knows=HISTORY)


def test_only_a_row_that_was_measured_before_its_own_date_is_taken():
    asked = drawn("""
        unit_id | as_of      | stunted
        --------+------------+--------
        ana     | 2024-06-01 | 1
        ana     | 2023-06-01 | 0
        budi    | 2024-06-01 | 0
    """)
    grown = drawn("""
        unit_id | as_of      | haz_last
        --------+------------+---------
        ana     | 2024-06-01 | -1.9
    """)

    assert [("ana", 1, -1.9)] == list(
        measured_before(asked, grown)[["unit_id", "stunted", "haz_last"]].itertuples(index=False, name=None)
    )


def test_with_the_least_of_each_outcome_on_both_sides_there_is_a_model():
    assert "" == why_none(of_both(LEAST["training"], LEAST["training"]), of_both(LEAST["test"], LEAST["test"]))


@pytest.mark.parametrize(("side", "outcome"), [(s, o) for s in LEAST for o in ("stunted", "others")])
def test_one_child_less_of_any_outcome_on_any_side_and_there_is_none_and_it_says_so(side, outcome):
    counts = {each: {"stunted": least, "others": least} for each, least in LEAST.items()}
    counts[side][outcome] -= 1
    said = why_none(of_both(**counts["training"]), of_both(**counts["test"]))

    assert said.startswith("There is no history model: ")
    assert f"{LEAST[side] - 1}" in said
    assert 1 == said.count(". ") + said.endswith(".")


def test_where_nobody_was_measured_before_it_says_that_of_a_survey():
    said = why_none(of_both(0, 0), of_both(0, 0))

    assert said.endswith("as in a survey that visits once.")
    assert {"training": {"stunted": 0, "not stunted": 0}, "test": {"stunted": 0, "not stunted": 0}} == outcomes_of(
        of_both(0, 0), of_both(0, 0)
    )


def test_the_survey_visits_once_and_so_has_no_earlier_measurement(interim: Path):
    registers = {name: empty(register) for name, register in REGISTERS.items()}
    had = {name: pd.read_parquet(interim / f"{name}.parquet") for name in ("child", "measurement")}

    assert 0 == len(build({**registers, **had}, DUCKDB).earlier)


def test_it_knows_what_the_first_model_knows_and_earlier_measurements_beside():
    assert (*INPUTS, *NAMES) == HISTORY.inputs
    assert tuple(f.name for f in CATALOG if not f.protected) == DETERMINANTS.inputs
    assert DETERMINANTS.fingerprint != HISTORY.fingerprint


def test_the_first_model_is_blind_to_what_was_measured_before():
    train, small = measured(600, seed=2), settings()
    first, second = (learn(part, settings=small, seed=7) for part in (train, train.drop(columns=NAMES)))
    asked = measured(100, seed=3)

    assert (first.risk(first.prepared(asked)) == second.risk(second.prepared(asked))).all()


def test_no_child_of_this_model_is_unborn_so_hiding_child_facts_is_not_tried():
    train, own = measured(600, seed=2), settings()
    often = own.model_copy(update={"train": own.train.model_copy(update={"pregnancy_dropout": 0.5})})
    asked = measured(100, seed=3)
    first, second = (learn(train, settings=each, seed=7, knows=HISTORY) for each in (own, often))

    assert (first.risk(first.prepared(asked)) == second.risk(second.prepared(asked))).all()


def test_a_child_that_was_shorter_before_never_has_a_lower_risk(model: RiskModel):
    asked = model.prepared(measured(200, seed=4))
    risks = [model.risk(asked.assign(haz_last=haz, haz_lowest=haz)) for haz in (-4.0, -2.5, -1.0, 1.0)]

    assert (np.diff(risks, axis=0) <= 1e-7).all()
    assert (risks[0] > risks[-1]).any()


def test_a_model_read_back_gives_the_same_risks_to_the_last_bit(model: RiskModel, tmp_path: Path):
    models.write(model, tmp_path)
    back, asked = models.read(tmp_path), measured(200, seed=5)

    assert NAME == back.name
    assert (model.risk(model.prepared(asked)) == back.risk(back.prepared(asked))).all()


@pytest.mark.parametrize("name", ["determinants", "unheard of"])
def test_its_files_under_another_models_name_are_refused(model: RiskModel, tmp_path: Path, name: str):
    models.write(model, tmp_path)
    said = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**said, "name": name}))

    with pytest.raises(models.ModelRefused):
        models.read(tmp_path)


@pytest.mark.parametrize("count", [50, 5_000])
def test_its_contributions_add_up_by_itself_and_in_bulk(model: RiskModel, count: int):
    asked = model.prepared(measured(count, seed=6))
    explained = model.explained(asked)

    assert [*HISTORY.inputs, "base"] == list(explained)
    assert np.allclose(1 / (1 + np.exp(-explained.sum(axis=1))), model.risk(asked), atol=1e-4)


# A kabupaten that does not exist, in which children are measured again and again.


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kabupaten")
    simulate(folder / "made", households=HOUSEHOLDS, seed=3)
    ingest(folder / "made" / "registers", "canonical", folder / "interim", max_quarantine_share=0.05)
    return folder


@pytest.fixture(scope="module")
def registers(simulated: Path) -> dict[str, pd.DataFrame]:
    return read_registers(simulated / "interim")


@pytest.fixture(scope="module")
def built(registers: dict[str, pd.DataFrame]) -> Built:
    return build(registers, DUCKDB)


@pytest.fixture(scope="module")
def own() -> Settings:
    made = settings()
    source = made.source.model_copy(update={"simulated": True, "test_from": pd.Timestamp("2025-01-01").date()})
    return made.model_copy(update={"source": source})


@pytest.fixture(scope="module")
def sides(built: Built, registers: dict[str, pd.DataFrame], own: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    units = labelled(built.units, registers["measurement"], window=own.outcome)
    return temporal(units, test_from=own.test_from)


def test_no_measurement_from_a_day_on_reaches_what_was_known_by_that_day(
    built: Built, registers: dict[str, pd.DataFrame]
):
    day, seen = pd.Timestamp("2024-03-01"), registers["measurement"]
    later = (seen.measured_on >= day) | (seen.recorded_on > day)
    spoiled = seen.assign(haz=seen.haz.mask(later, 5.0), weight_kg=seen.weight_kg.mask(later, 40.0))
    turned = build({**registers, "measurement": spoiled}, DUCKDB).earlier
    known, then = (found[found.as_of <= day].reset_index(drop=True) for found in (built.earlier, turned))

    assert later.any()
    pd.testing.assert_frame_equal(known, then)
    assert not built.earlier.equals(turned)


def test_the_newest_height_is_the_one_that_the_rule_by_the_last_height_goes_by(
    built: Built, registers: dict[str, pd.DataFrame]
):
    rows_of = built.units.merge(built.earlier, on=["unit_id", "as_of"])
    by_rule = earlier_haz(rows_of, measured=registers["measurement"])

    assert len(rows_of) > 3_000
    pd.testing.assert_series_equal(by_rule, rows_of.haz_last, check_names=False)


def test_who_was_measured_before_is_judged_beside_the_first_model_and_the_rules_on_the_same_children(
    built: Built, registers: dict[str, pd.DataFrame], sides: tuple[pd.DataFrame, pd.DataFrame], own: Settings
):
    train, test = sides
    past, asked = (measured_before(side, built.earlier) for side in sides)
    history, determinants = learn(past, settings=own, seed=7, knows=HISTORY), learn(train, settings=own, seed=7)
    risks = {each.name: each.risk(each.prepared(asked)) for each in (history, determinants)}
    judged = judge(risks, train=train, test=asked, measured=registers["measurement"], settings=own)
    found = judged.metrics

    assert {"protocol", "n", "base_rate", "models", "baselines", "champion"} == set(found)
    assert len(test) > len(asked) == found["n"]
    assert {"history", "determinants"} == set(found["models"])
    assert {"last_haz", "krs_rank_count"} < set(found["baselines"])
    assert "only children with an earlier measurement" in found["protocol"]
    assert "prove the machine only" in found["protocol"]
    assert measure(asked.stunted, risks["determinants"])["auc"] == found["models"]["determinants"]["auc"]
    assert found["models"]["history"]["auc"] > found["models"]["determinants"]["auc"]
    assert history.simulated
    leads = judged.details["lead_over"]
    assert set(RIVALS) == set(leads)
    gap = found["models"]["history"]["auc"] - found["baselines"]["last_haz"]["auc"]
    assert gap == pytest.approx(leads["last_haz"]["auc"]["difference"])
    assert (asked.haz_last >= -2).sum() == judged.details["not_stunted_before"]["n"]


# The stage itself; the registry speaks to its own process only.


@pytest.fixture(scope="module")
def project(simulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Run as far as the first model."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.source(simulated / "made" / "registers")
    shutil.copytree(simulated / "interim", made.folder / "data" / "interim")  # as the first stage would have it
    for stage in ("features.build", "training.fit"):
        made.run(sys.executable, "-m", stage)
    return made


def files(project: Project) -> set[str]:
    return {path.name for path in (project.folder / "reports" / "history").iterdir()}


def test_the_stage_registers_a_model_says_what_it_is_for_and_makes_no_list(project: Project):
    said = project.run(sys.executable, "-m", "training.history")
    card = (project.folder / "reports/history/card.md").read_text()
    details = json.loads((project.folder / "reports/history/details.json").read_text())

    assert {"metrics.json", "details.json", "card.md", "card.html", "roc.png", "calibration.png"} == files(project)
    assert "registered history version 1; it makes no list" in said
    assert "Simulated: nobody in these registers exists" in said
    assert "only for children who were measured before" in card
    assert "prove the machine only" in card
    assert NAMES == details["tripwire"]["not_judged"]
    assert details["tripwire"]["auc_alone"]["haz_last"] > 0.80
    assert ["history"] == [path.name for path in (project.folder / "reports").iterdir()]
    assert not (project.folder / "data/scores").exists()


def test_without_enough_children_the_stage_says_why_and_leaves_no_figures_behind(project: Project):
    grown = project.folder / "data/features/earlier.parquet"
    whole = pd.read_parquet(grown)
    whole.head(0).to_parquet(grown)
    said = project.run(sys.executable, "-m", "training.history")
    whole.to_parquet(grown)

    assert said.startswith("There is no history model: no child with an outcome was measured before its `as_of`")
    assert {"why.json"} == files(project)
    assert json.loads((project.folder / "reports/history/why.json").read_text())["why"] == said.strip()
