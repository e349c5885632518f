"""The households that compete for a visit."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.errors import InputRefused
from targeting.lists import _band, _level, _urgency, chosen, scored_homes
from tests.drawn import drawn

SCORES = drawn("""
    unit_id       | unit_kind | child_id | mother_id | household_id | risk_now | risk_at_24m
    --------------+-----------+----------+-----------+--------------+----------+------------
    ana           | child     | ana      |           | h1           | 0.9      | 0.9
    budi          | child     | budi     |           | h1           | 0.2      | 0.3
    citra         | child     | citra    |           | h2           | 0.8      | 0.8
    dewi          | child     | dewi     | ina       | h3           | 0.7      | 0.7
    pregnancy-ina | pregnancy |          | ina       | h3           |          | 0.4
""")

INTERVALS = drawn("""
    household_id | objective | risk_low | risk_high | interval_level | risk_survey
    -------------+-----------+----------+-----------+----------------+------------
    h1           | find      | 0.1      | 0.99      | 0.9            | 0.99
    h2           | find      | 0.7      | 0.85      | 0.9            | 0.91
    h3           | find      | 0.6      | 0.75      | 0.9            | 0.82
    h1           | prevent   | 0.2      | 0.98      | 0.9            | 0.97
    h2           | prevent   | 0.71     | 0.86      | 0.9            | 0.92
    h3           | prevent   | 0.3      | 0.83      | 0.9            | 0.83
""")
LEVEL = drawn("""
    region_id   | children | share_register | share_survey | share_survey_low | share_survey_high | survey
    ------------+----------+----------------+--------------+------------------+-------------------+-----------
    r           | 4        | 0.65           | 0.7          | 0.6              | 0.8               | SSGI 2022
    semua / all | 4        | 0.65           | 0.7          | 0.6              | 0.8               | SSGI 2022
""")


@pytest.fixture
def homes(tmp_path):
    said = dict.fromkeys(["reasons_id", "reasons_en", "reasons_24m_id", "reasons_24m_en"], "x")
    scores = SCORES.assign(area_id="a", region_id="r", model_version="m", **said)
    scores.to_parquet(tmp_path / "units.parquet")
    scores[["household_id"]].drop_duplicates().to_parquet(tmp_path / "facts.parquet")
    pd.DataFrame({"area_id": ["a"], "area_name": ["Desa"]}).to_parquet(tmp_path / "area.parquet")
    INTERVALS.to_parquet(tmp_path / "households.parquet")

    def asked(urgent, *, objective="find", women=()):
        keys = {"child_id": [*urgent, *[None] * len(women)], "mother_id": [*[None] * len(urgent), *women]}
        pd.DataFrame(keys, dtype="string").to_parquet(tmp_path / "urgent.parquet")
        settings = SimpleNamespace(paths=SimpleNamespace(scores=tmp_path, interim=tmp_path))
        made = scored_homes(settings, objective=objective)
        print(*made.said, sep="\n", end="")
        return made.competing.set_index("household_id")

    return asked


def test_an_urgent_child_neither_ranks_its_household_nor_gives_it_reasons(homes, capsys):
    found = homes(["ana", "citra", "dewi"])

    assert {"h1": "budi"} == found.reasons_unit_id.to_dict()
    assert pytest.approx(0.2) == found.risk.item()
    assert "3 children on the urgent list are not ranked; 1 of their households compete" in capsys.readouterr().out


def test_a_pregnancy_beside_an_urgent_child_still_competes_to_be_prevented(homes, capsys):
    found = homes(["dewi"], objective="prevent")

    assert "pregnancy-ina" == found.reasons_unit_id["h3"]
    assert "1 children on the urgent list are not ranked; 1 of" in capsys.readouterr().out


def test_a_pregnancy_of_an_urgent_woman_is_not_ranked_and_her_child_is(homes, capsys):
    found = homes([], objective="prevent", women=["ina"])

    assert ("dewi", 0.7) == tuple(found.loc["h3", ["reasons_unit_id", "risk"]])
    assert "0 children and 1 pregnancies on the urgent list are not ranked; 1 of" in capsys.readouterr().out


def test_an_urgent_list_that_was_made_without_women_is_made_again(homes, tmp_path):
    homes([])
    pd.DataFrame({"child_id": ["ana"]}).to_parquet(tmp_path / "urgent.parquet")
    settings = SimpleNamespace(paths=SimpleNamespace(scores=tmp_path, interim=tmp_path))

    with pytest.raises(InputRefused, match=r"urgent list without women.*tepat score"):
        scored_homes(settings, objective="find")


def test_nothing_is_said_when_no_child_of_the_scores_is_urgent(homes, capsys):
    assert 3 == len(homes(["eka"]))
    assert "" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("whz", "muac", "oedema", "hb", "said"),
    [
        (9, 9, 9, 9, ("3 anak dan 2 perempuan", "3 children and 2 women on the urgent list")),
        (9, 9, 9, 0, ("3 anak; Hb tidak tersedia",
                      "3 children on the urgent list, which could not look at haemoglobin")),
        (9, 9, 9, None, ("3 anak", "3 children on the urgent list")),
        (9, 0, 0, 9, ("3 anak dan 2 perempuan; LiLA, edema tidak tersedia",
                      "3 children and 2 women on the urgent list, which could not look at arm circumference, oedema")),
        (0, 0, 0, 0, ("tidak dapat dibuat: tanpa data BB/TB, LiLA, edema, Hb",
                      "no urgent list: the registers lack weight-for-height, arm circumference, oedema, haemoglobin")),
    ],
)  # fmt: skip
def test_an_urgent_list_says_which_signs_nobody_could_look_at(whz, muac, oedema, hb, said):
    names = ["whz", "muac_cm", "oedema", "haemoglobin_g_dl"]
    signs = pd.DataFrame({"sign": names, "measurements": [whz, muac, oedema, hb]}).dropna()
    assert said == _urgency(3, 2, signs)


def test_each_household_has_the_interval_of_the_objective_that_is_asked_for(homes):
    now, then = homes([]), homes([], objective="prevent")

    assert {"h1": 0.1, "h2": 0.7, "h3": 0.6} == now.risk_low.to_dict()
    assert {"h1": 0.98, "h2": 0.86, "h3": 0.83} == then.risk_high.to_dict()
    assert {"h1": 0.99, "h2": 0.91, "h3": 0.82} == now.risk_survey.to_dict()


def test_scores_that_were_made_before_there_were_intervals_are_made_again(homes, tmp_path):
    (tmp_path / "households.parquet").unlink()

    with pytest.raises(InputRefused, match=r"no .*households\.parquet.*tepat score"):
        homes([])


def test_a_list_says_how_many_could_have_been_on_the_other_side(homes, tmp_path):
    settings = SimpleNamespace(paths=SimpleNamespace(scores=tmp_path), target=SimpleNamespace(round_name="r1"))
    dates = {"freshest_on": pd.Timestamp("2024-05-01"), "stalest_on": pd.Timestamp("2024-01-01")}
    asked = homes([]).reset_index().assign(**dates, missing_registers="")
    made = chosen(asked, settings, capacity=2, regions=None)
    unknown = chosen(asked.assign(risk_low=np.nan, risk_high=np.nan), settings, capacity=2, regions=None)

    assert ["h1", "h2"] == list(made.rows.household_id)
    said_id, said_en = _band(made, settings)
    assert "2 keluarga di daftar bisa juga di luar, 0 di luar bisa juga masuk (selang 90%)" == said_id
    assert said_en.startswith(
        "2 of the listed could as well have been left out, and 0 of the others been in (their 90%"
    )
    assert "the model has no refits" in _band(unknown, settings)[1]


def test_a_list_says_on_which_level_its_risks_are(tmp_path):
    settings = SimpleNamespace(paths=SimpleNamespace(scores=tmp_path))
    LEVEL.to_parquet(tmp_path / "level.parquet")
    surveyed = _level(settings)
    LEVEL.assign(survey=None).to_parquet(tmp_path / "level.parquet")

    assert (
        "ranked by risks on the register's level, a mean of 65.0% over children; beside them the same risks on the "
        "survey's level: 70.0% (60.0% - 80.0%), SSGI 2022"
    ) == surveyed[1]
    assert "tingkat survei: 70,0% (60,0% - 80,0%), SSGI 2022" in surveyed[0]
    assert "set `survey` in params.yaml before they are read as prevalence" in _level(settings)[1]
