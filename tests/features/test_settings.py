"""Settings are checked before anything runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from features.errors import InputRefused
from features.settings import Settings, load
from tests.conftest import ROOT

PARAMS = ROOT / "params.yaml"


def written(folder: Path, **changes: object) -> Path:
    declared = yaml.safe_load(PARAMS.read_text()) | changes
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(declared))
    return path


def test_every_parameter_is_read_by_some_code():
    code = "".join(p.read_text() for room in ("features", "training", "targeting") for p in (ROOT / room).rglob("*.py"))
    read = {section: Settings.model_fields[section].annotation for section in yaml.safe_load(PARAMS.read_text())}
    names = {name for model in read.values() for name in model.model_fields}
    assert set() == {name for name in names if not re.search(rf"\.{name}\b", code)}


def test_an_unknown_key_is_named(tmp_path):
    with pytest.raises(InputRefused, match=r"history\.prior_chidren"):
        load(written(tmp_path, history={"prior_chidren": 30}), tmp_path / "none")


def test_a_value_out_of_range_is_named(tmp_path):
    with pytest.raises(InputRefused, match=r"ingest\.max_quarantine_share"):
        load(written(tmp_path, ingest={"max_quarantine_share": 5}), tmp_path / "none")


def test_a_missing_file_says_where_to_run(tmp_path):
    with pytest.raises(InputRefused, match="Run in the project's folder"):
        load(tmp_path / "params.yaml", tmp_path / "none")


@pytest.mark.parametrize("text", ["", "- a", "a: [", "\x00"])
def test_a_file_that_holds_no_settings_is_refused(tmp_path, text):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(InputRefused):
        load(tmp_path / "params.yaml", tmp_path / "none")


def test_the_run_moves_the_test_date(tmp_path):
    run = tmp_path / "run.yaml"
    run.write_text("test_from: 2013-07-01\n")
    assert "2014-01-01" == str(load(PARAMS, tmp_path / "none").test_from)
    assert "2013-07-01" == str(load(PARAMS, run).test_from)


def test_no_survey_is_said_with_nulls_or_with_nothing(tmp_path):
    known = load(PARAMS, tmp_path / "none").survey

    assert (None, None, None, None) == (known.share, known.low, known.high, known.of)
    assert known == load(written(tmp_path, survey=None), tmp_path / "none").survey


@pytest.mark.parametrize(
    ("survey", "said"),
    [
        ({"share": 0.276, "low": 0.23, "high": 0.32}, "give all four, or none"),
        ({"share": 0.276, "low": 0.3, "high": 0.32, "of": "SSGI"}, r"0\.3 to 0\.32 does not contain the share 0\.276"),
        ({"share": 27.6, "low": 0.23, "high": 0.32, "of": "SSGI"}, r"survey\.share: Input should be less than 1"),
    ],
)
def test_a_survey_that_is_not_whole_or_not_a_share_is_refused(tmp_path, survey, said):
    with pytest.raises(InputRefused, match=said):
        load(written(tmp_path, survey=survey), tmp_path / "none")
