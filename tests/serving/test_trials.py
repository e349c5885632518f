"""The soak and the chaos in short: `make soak` and `make chaos` run them long."""

from __future__ import annotations

import pytest

from tests.project import Project
from tests.serving.postgres import Postgres
from tests.trials import chaos, soak

pytestmark = pytest.mark.xdist_group("serving-2")


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_what_was_confirmed_before_the_service_is_killed_is_there_whole(kabupaten: Project, postgres, tmp_path, engine):
    url = f"sqlite:///{tmp_path}/chaos.db" if engine == "sqlite" else postgres.new()
    # Of six that are confirmed one is a decision, however slow the machine is.
    found = chaos.trial(kabupaten, url, kills=1, seed=7, first=6)
    print(found.told(engine))

    assert [] == found.faults
    assert found.kills == 1
    assert found.lists > 1
    assert found.decisions > 0


def test_no_answer_is_wrong_while_model_database_and_scorers_are_exchanged(kabupaten: Project, postgres: Postgres):
    found = soak.soak(kabupaten, postgres, minutes=0.4)
    found.say()

    assert [] == found.faults
    assert {status for status in (one.status for one in found.told) if status >= 300} <= {503}
    assert found.decided > 0
