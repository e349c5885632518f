"""A household as it was scored last, read from the files of the stage `score`."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pandas as pd
import pytest

import serving.published
from features.errors import InputRefused
from serving import previewing, warming
from serving.errors import Busy, NothingScored
from serving.masked_names import MaskedNames
from serving.published import PLANS, Published, Scores
from serving.schemas import PublishedHousehold
from serving.warming import warm
from targeting.manifest import whole, write_manifest
from tests.drawn import drawn

UNITS = drawn("""
    unit_id | unit_kind | household_id | region_id | area_id | age_months | risk_now | risk_at_24m | log_odds | as_of
    --------+-----------+--------------+-----------+---------+------------+----------+-------------+----------+---------
    ana     | child     | h1           | r1        | a1      | 30         | 0.5      |             | 0        | 2024-5-2
""").assign(
    **dict.fromkeys(["reasons_id", "reasons_en", "reasons_24m_id", "reasons_24m_en"], ""),
    model_version="m",
    simulated=True,
)
FACTS = drawn("""
    household_id | freshest_on | stalest_on | missing_registers
    -------------+-------------+------------+------------------
    h1           | 2024-05-02  | 2024-05-02 | sanitation
""")
URGENT = drawn("""
    household_id | child_id | mother_id | measured_on | recorded_on | why_id             | why_en
    -------------+----------+-----------+-------------+-------------+--------------------+--------------------------
    h1           | ana      |           | 2024-05-01  | 2024-05-02  | edema              | oedema
    h1           |          | ina       |             | 2024-05-03  | Hb di bawah 8 g/dL | haemoglobin below 8 g/dL
    h2           |          | sari      |             | 2024-05-03  | Hb di bawah 8 g/dL | haemoglobin below 8 g/dL
""")


@pytest.fixture
def published(tmp_path):
    def made(urgent):
        parts = pd.DataFrame({"unit_id": ["ana"], "as_of": ["2024-05-02"], "base": [0.0]})
        files = {"units": UNITS, "facts": FACTS, "contributions": parts, "urgent": urgent}
        for name, rows in files.items():
            rows.to_parquet(tmp_path / f"{name}.parquet")
        settings = SimpleNamespace(paths=SimpleNamespace(scores=tmp_path))
        write_manifest(tmp_path)
        return Scores(settings, whole(tmp_path))

    return made


def test_children_and_women_in_danger_are_told_with_their_household(published):
    found = published(URGENT).household("h1") | {"masked_name": None}
    told = PublishedHousehold.model_validate(found, strict=True).urgent

    assert [("ana", None), (None, "ina")] == [(one.child_id, one.mother_id) for one in told]
    assert [dt.date(2024, 5, 1), None] == [one.measured_on for one in told]
    assert [dt.date(2024, 5, 2), dt.date(2024, 5, 3)] == [one.recorded_on for one in told]


def test_an_urgent_list_of_before_women_stood_on_it_is_not_answered_from(published):
    with pytest.raises(InputRefused, match="an urgent list without women"):
        published(URGENT.drop(columns="mother_id")).household("h1")


def test_a_few_wait_for_a_plan_and_who_comes_then_is_told_at_once_when_to_come_again(monkeypatch):
    monkeypatch.setattr(Published, "scores", lambda _: None)
    plans, began, over = Published(), threading.Event(), threading.Event()

    def plan(_):
        with plans.planning():
            began.set()
            return over.wait(30)

    with ThreadPoolExecutor(PLANS) as threads:
        made = threads.map(plan, range(PLANS))
        began.wait(30)
        while plans._plans._value:
            threading.Event().wait(0.001)
        with pytest.raises(Busy) as refused, plans.planning():
            pass
        over.set()
        assert [True] * PLANS == list(made)
    assert 10 == refused.value.retry_after_s
    with plans.planning():
        assert plans._one_plan.locked()


def test_what_pages_need_is_made_once_of_the_same_scores_while_nobody_waits(kabupaten, monkeypatch):
    monkeypatch.chdir(kabupaten.folder)
    published = Published()
    warm(published, MaskedNames())
    scores = published.scores()
    begun = warming._BEGUN[scores]
    warm(published, MaskedNames())

    assert begun is warming._BEGUN[scores]
    begun.within(120)
    assert {"plan_inputs", "rows"} <= vars(scores).keys()
    assert "find" in previewing._HOMES[scores]


def test_pages_open_while_scores_are_replaced_and_what_failed_is_begun_again(kabupaten, monkeypatch):
    monkeypatch.chdir(kabupaten.folder)
    published = Published()
    scores = published.scores()
    with monkeypatch.context() as replaced:
        replaced.setattr(serving.published, "whole", lambda _: None)
        for _ in range(2):
            warm(published, MaskedNames())
        with pytest.raises(NothingScored):
            warming._BEGUN[scores].within(60)
    warm(published, MaskedNames())
    warming._BEGUN[scores].within(120)
    assert "rows" in vars(scores)
