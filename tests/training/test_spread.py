"""The refits of a model: learned once, kept whole, taken up again, and asked of units."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from features.settings import History, Intervals, Settings
from tests.training.rows import rows, settings
from training.model import ModelRefused, digest
from training.refits import log_odds_of, refit
from training.spread import TOLD, of_model, read, spread, why_none, write, write_none

pytestmark = pytest.mark.xdist_group("spread")  # one worker makes what is dear, once
TRAIN = rows(300, seed=1)
UNITS = rows(60, seed=2, year=2014).assign(
    unit_kind=["pregnancy" if n % 10 == 0 else "child" for n in range(60)],
    age_months=[np.nan if n % 10 == 0 else float(n) for n in range(60)],
)


def three(**booster: float) -> Settings:
    own = settings(**booster)
    return own.model_copy(update={"intervals": Intervals(refits=3)})


QUICK = three()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "refits"
    write(TRAIN, out, of="abc", settings=QUICK)
    return out


def test_a_folder_holds_each_refit_and_says_of_which_model_they_are(made):
    names = ["area_history.csv", "booster.ubj", "model.json"]

    assert {TOLD, *(f"{n:03}/{name}" for n in range(3) for name in names)} == set(files(made))
    assert "abc" == of_model(made)
    assert {f"{n:03}": digest(made / f"{n:03}") for n in range(3)} == json.loads((made / TOLD).read_text())["refits"]
    assert [made.name] == [path.name for path in made.parent.iterdir()]


def test_a_refit_that_is_read_answers_as_the_one_that_was_learned(made):
    learned = refit(TRAIN, settings=QUICK, seed=QUICK.train.seed, draw=2)

    assert (log_odds_of(learned, UNITS) == log_odds_of(read(made).models[2], UNITS)).all()


def test_rows_in_any_order_give_the_same_bytes(made, tmp_path):
    write(TRAIN.sample(frac=1, random_state=3), tmp_path / "refits", of="abc", settings=QUICK)

    assert files(made) == files(tmp_path / "refits")


def test_a_killed_run_goes_on_where_it_stopped_and_ends_with_the_same_bytes(made, tmp_path):
    def killed(draws):
        yield from draws[:2]
        raise KeyboardInterrupt

    out = tmp_path / "refits"
    with pytest.raises(KeyboardInterrupt):
        write(TRAIN, out, of="abc", settings=QUICK, steps=killed)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("booster.ubj")}
    untouched = []

    def watched(draws):
        for draw in draws:
            untouched.append({path: path.stat().st_mtime_ns for path in kept})
            yield draw

    write(TRAIN, out, of="abc", settings=QUICK, steps=watched)

    assert 2 == len(kept)
    assert [kept] * 3 == untouched
    assert files(made) == files(out)
    assert ["refits"] == [path.name for path in tmp_path.iterdir()]


def test_fewer_refits_leave_none_of_the_former_behind(made, tmp_path):
    out = tmp_path / "refits"
    shutil.copytree(made, out)
    write(TRAIN, out, of="another", settings=QUICK.model_copy(update={"intervals": Intervals(refits=2)}))

    assert "another" == of_model(out)
    assert {"000", "001", TOLD} == {path.name for path in out.iterdir()}
    assert files(made / "001") == files(out / "001")


SHRUNK = QUICK.model_copy(update={"history": History(prior_children=5)})
TALLER = TRAIN.assign(mother_height_cm=TRAIN.mother_height_cm + 1)


@pytest.mark.parametrize(("known", "asked"), [(TALLER, QUICK), (TRAIN, three(eta=0.1)), (TRAIN, SHRUNK)])
def test_what_was_kept_of_other_rows_or_settings_is_not_taken(tmp_path, known, asked):
    def killed(draws):
        yield draws[0]
        raise KeyboardInterrupt

    out = tmp_path / "refits"
    for rows_, how in ((known, asked), (TRAIN, QUICK)):
        with pytest.raises(KeyboardInterrupt):
            write(rows_, out, of="abc", settings=how, steps=killed)
    kept = [str(files(folder)) for folder in (tmp_path / "refits.kept").iterdir()]

    assert 2 == len(set(kept))


def test_a_damaged_or_missing_refit_is_named(made, tmp_path):
    shutil.copytree(made, tmp_path / "refits")
    (tmp_path / "refits" / "001" / "area_history.csv").write_text("level\n")

    with pytest.raises(ModelRefused, match=r"Refit 001 in .* is missing or damaged"):
        read(tmp_path / "refits")


@pytest.mark.parametrize("told", [None, "", "[]", "{}"])
def test_a_folder_without_refits_is_of_no_model(tmp_path, told):
    if told is not None:
        (tmp_path / TOLD).write_text(told)

    assert of_model(tmp_path) is None
    with pytest.raises(ModelRefused, match="holds no refits"):
        read(tmp_path)


def test_each_refit_is_asked_with_what_it_knew_of_the_area(made):
    refits = read(made)
    found = spread(refits, UNITS)
    child = (UNITS.unit_kind == "child").to_numpy()
    now = np.array([log_odds_of(one, UNITS) for one in refits.models])
    young = (UNITS.age_months.isna() | (UNITS.age_months < 24)).to_numpy()
    later = np.array([log_odds_of(one, UNITS.assign(age_months=24.0)) for one in refits.models])

    assert (now[:, child] == found.now[:, child]).all()
    assert (later[:, young] == found.at_24m[:, young]).all()
    assert len({one.history.to_csv() for one in refits.models}) == len(refits.models)


def test_a_pregnancy_is_not_asked_now_nor_a_child_past_24_months_later(made):
    found = spread(read(made), UNITS)
    unborn = (UNITS.unit_kind == "pregnancy").to_numpy()
    old = (UNITS.age_months >= 24).to_numpy()

    assert np.isnan(found.now[:, unborn]).all()
    assert not np.isnan(found.now[:, ~unborn]).any()
    assert np.isnan(found.at_24m[:, old]).all()
    assert not np.isnan(found.at_24m[:, ~old]).any()


def test_the_order_of_units_does_not_matter(made):
    refits = read(made)
    order = np.random.default_rng(4).permutation(len(UNITS))
    plain, shuffled = spread(refits, UNITS), spread(refits, UNITS.iloc[order].reset_index(drop=True))

    assert np.array_equal(plain.now[:, order], shuffled.now, equal_nan=True)
    assert np.array_equal(plain.at_24m[:, order], shuffled.at_24m, equal_nan=True)


def test_a_model_that_cannot_be_learned_again_says_why_in_place_of_its_refits(made, tmp_path):
    out = shutil.copytree(made, tmp_path / "refits")
    assert "" == why_none(out)

    write_none(out, of="abc", why="nothing separates")

    assert ("abc", "nothing separates") == (of_model(out), why_none(out))
    assert {TOLD} == set(files(out))
