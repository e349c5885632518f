"""The households that compete for a visit."""

from types import SimpleNamespace

import pandas as pd
import pytest

from targeting.lists import _urgency, scored_homes
from tests.drawn import drawn

SCORES = drawn("""
    unit_id       | child_id | household_id | risk_now | risk_at_24m
    --------------+----------+--------------+----------+------------
    ana           | ana      | h1           | 0.9      | 0.9
    budi          | budi     | h1           | 0.2      | 0.3
    citra         | citra    | h2           | 0.8      | 0.8
    dewi          | dewi     | h3           | 0.7      | 0.7
    pregnancy-ina |          | h3           |          | 0.4
""")


@pytest.fixture
def homes(tmp_path):
    said = dict.fromkeys(["reasons_id", "reasons_en", "reasons_24m_id", "reasons_24m_en"], "x")
    scores = SCORES.assign(area_id="a", region_id="r", model_version="m", **said)
    scores.to_parquet(tmp_path / "units.parquet")
    scores[["household_id"]].drop_duplicates().to_parquet(tmp_path / "facts.parquet")
    pd.DataFrame({"area_id": ["a"], "area_name": ["Desa"]}).to_parquet(tmp_path / "area.parquet")

    def asked(urgent, *, objective="find"):
        pd.DataFrame({"child_id": pd.Series(urgent, dtype="string")}).to_parquet(tmp_path / "urgent.parquet")
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


def test_nothing_is_said_when_no_child_of_the_scores_is_urgent(homes, capsys):
    assert 3 == len(homes(["eka"]))
    assert "" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("whz", "muac", "oedema", "said"),
    [
        (9, 9, 9, ("3 anak", "3 children on the urgent list")),
        (9, 0, 0, ("3 anak; LiLA, edema tidak tersedia",
                   "3 children on the urgent list, which could not look at arm circumference, oedema")),
        (0, 0, 0, ("tidak dapat dibuat: tanpa data BB/TB, LiLA, edema",
                   "no urgent list: the measurements lack weight-for-height, arm circumference, oedema")),
    ],
)  # fmt: skip
def test_an_urgent_list_says_which_signs_nobody_could_look_at(whz, muac, oedema, said):
    signs = pd.DataFrame({"sign": ["whz", "muac_cm", "oedema"], "measurements": [whz, muac, oedema]})
    assert said == _urgency(3, signs)
