"""Whose a job is, who works on it, and what becomes of it when models change or scorers fail; on both databases."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from serving.access.scope import EVERYWHERE, Scope
from serving.access.who import ANYBODY, Who
from serving.errors import Busy, NotScored
from serving.jobs import assemble, kept, running
from serving.jobs.asking import Told
from serving.jobs.begun import begun
from serving.jobs.child import ChildRefused
from serving.jobs.claims import STALE, Claims, Lost
from serving.jobs.folder import JobFolder
from serving.jobs.keeping import FOLDER, drop_old
from serving.jobs.kept import Job, JobKeyTaken, Jobs, NoJob, WrongState, made_now
from serving.jobs.rows import FAILED
from serving.jobs.running import Run
from serving.store import open_store
from serving.trail.entry import Entry

NOW = dt.datetime(2025, 4, 1, tzinfo=dt.UTC)
NOTE = Entry(at=NOW, who="a", via="key:1", act="job", request_id="r")
SOUTH = Scope(regions=frozenset({"99.02"}))


@pytest.fixture
def jobs(url):
    store = open_store(url)
    yield Jobs(store.database)
    store.close()


def who(name: str, scope: Scope = EVERYWHERE) -> Who:
    return replace(ANYBODY, name=name, scope=scope)


def make(jobs: Jobs, maker: Who, *, key: str | None = None, digest: str = "d") -> Job:
    options = {"as_of": None, "contributions": False}
    return jobs.make(made_now("x", who=maker, at=NOW, options=options), key=key, digest=digest, note=NOTE)[0]


def waiting(jobs: Jobs, maker: Who) -> Job:
    return jobs.start(make(jobs, maker).id, who=maker, at=NOW, note=NOTE)


def test_a_job_is_seen_by_its_maker_alone_whoever_else_asks(jobs):
    made = make(jobs, who("simpati", SOUTH))

    assert made.id == jobs.seen(made.id, who("simpati", SOUTH)).id
    for other in (who("admin"), who("simpati-2", SOUTH), who("simpati")):
        seen = [job.id for job in jobs.page(other, limit=10)]
        assert (other.name == "simpati") == (made.id in seen)
    for act in (jobs.start, jobs.cancel):
        with pytest.raises(NoJob):
            act(made.id, who=who("admin"), at=NOW, note=NOTE)
    with pytest.raises(NoJob):
        jobs.delete(made.id, who=who("admin"), note=NOTE)


def test_a_maker_whose_regions_were_narrowed_sees_no_job_of_the_wider_ones(jobs):
    made = make(jobs, who("simpati"))

    with pytest.raises(NoJob):
        jobs.seen(made.id, who("simpati", SOUTH))
    assert [] == jobs.page(who("simpati", SOUTH), limit=10)


def test_the_same_key_gives_the_job_that_was_made_first_and_refuses_another_request(jobs):
    first = make(jobs, who("a"), key="k" * 64)

    assert first.id == make(jobs, who("a"), key="k" * 64).id
    with pytest.raises(JobKeyTaken):
        make(jobs, who("a"), key="k" * 64, digest="other")
    with pytest.raises(JobKeyTaken):
        make(jobs, who("a", SOUTH), key="k" * 64)


def test_an_account_has_no_more_unfinished_jobs_than_it_may_and_one_that_is_over_makes_room(jobs, monkeypatch):
    monkeypatch.setattr(kept, "MOST_UNFINISHED", 2)
    first, _ = make(jobs, who("a"), key="k" * 64), waiting(jobs, who("a"))

    with pytest.raises(WrongState, match="You have 2 jobs"):
        make(jobs, who("a"))
    assert first.id == make(jobs, who("a"), key="k" * 64).id
    assert make(jobs, who("b"))
    jobs.cancel(first.id, who=who("a"), at=NOW, note=NOTE)
    assert make(jobs, who("a"))


def test_a_job_on_which_the_service_ends_three_times_at_one_place_is_not_begun_again(jobs, tmp_path: Path):
    job, folder = waiting(jobs, who("a")), JobFolder(tmp_path / "job")
    folder.make()

    def killed(at: Job) -> None:
        """The whole service, in the midst of the job."""
        if (child := os.fork()) == 0:
            with begun(folder, at):
                os._exit(9)
        os.waitpid(child, 0)

    for at in (job, job, replace(job, households_done=500), replace(job, households_done=500)):
        killed(at)
    with begun(folder, replace(job, households_done=500)):  # the third time it comes to an end of its own
        pass
    for _ in range(3):
        killed(replace(job, households_done=500))
    with pytest.raises(ChildRefused, match="ended three times"), begun(folder, replace(job, households_done=500)):
        pytest.fail("It was begun.")


def test_a_job_is_taken_by_one_server_until_its_own_place_or_time_takes_it_back(jobs):
    job = waiting(jobs, who("a"))
    here, there, again = (Claims(jobs.database, p, f"{p}#{n}") for p, n in (("h:/a", 1), ("h:/ab", 2), ("h:/a", 3)))
    take = {"here": lambda _: True, "now": NOW}

    assert here.take(here=lambda _: False, now=NOW) is None
    assert job.id == here.take(**take).id
    assert there.take(**take) is None
    assert job.id == again.take(**take).id
    with pytest.raises(Lost):
        here.tell(job.id, now=NOW, households_done=1)
    assert job.id == there.take(here=lambda _: True, now=NOW + STALE * 2).id


def test_what_was_left_half_done_comes_before_what_waits_and_what_was_started_first_before_the_rest(jobs):
    first, second = waiting(jobs, who("a")), waiting(jobs, who("a"))
    claims = Claims(jobs.database, "h:/a", "h:/a#1")
    order = [min(first.id, second.id), min(first.id, second.id)]

    assert order == [claims.take(here=lambda _: True, now=NOW).id for _ in range(2)]
    claims.tell(order[0], now=NOW, state="done", finished_at=NOW)
    assert max(first.id, second.id) == claims.take(here=lambda _: True, now=NOW).id


def test_retention_drops_what_is_over_with_its_files_and_leaves_what_runs(jobs, tmp_path: Path):
    old, runs = make(jobs, who("a")), waiting(jobs, who("a"))
    for job in (old, runs):
        JobFolder(tmp_path / FOLDER / job.id).make()

    assert 0 == drop_old(jobs.database, tmp_path, before=NOW)
    assert 1 == drop_old(jobs.database, tmp_path, before=NOW + dt.timedelta(days=1))
    assert {runs.id} == {path.name for path in (tmp_path / FOLDER).iterdir()}
    assert [runs.id] == [job.id for job in jobs.page(who("a"), limit=10)]


class Scorers:
    """Answers about households without children; whom it dies of, when it is busy and by which model, is given."""

    def __init__(self, *, poison: str = "", stamps: tuple[str, ...] = ("m-1",), busy: int = 0) -> None:
        self._poison, self._stamps, self._busy, self.asked = poison, list(stamps), busy, 0

    def __call__(self, households, *, contributions) -> Told:
        assert contributions is False
        if self._busy:
            self._busy -= 1
            raise Busy("Many wait.")
        if self._poison in [home.household_id for home in households]:
            raise NotScored("Two processes ended.")
        self.asked += 1
        stamp = self._stamps.pop(0) if len(self._stamps) > 1 else self._stamps[0]
        nothing = dict.fromkeys(("risk_find", "risk_prevent", "expected_stunted", "freshest_on", "stalest_on"))
        some = {"units": [], "urgent": [], "unscored": {}, "missing_registers": [], "area_known": True}
        return Told(stamp, [{"household_id": home.household_id, **nothing, **some} for home in households])


@pytest.fixture
def run(jobs, tmp_path: Path, monkeypatch):
    """A job whose files are read: six households, two a part."""
    monkeypatch.setattr(running, "PART", 2)
    monkeypatch.setattr(running, "WAIT_S", 0.0)
    # In this process: a new one is what test_jobs.py has, and takes seconds to begin.
    monkeypatch.setattr(running.child, "run", lambda _, folder, look: assemble.work(folder))  # noqa: ARG005 (by name)
    job, folder = waiting(jobs, who("a")), JobFolder(tmp_path / "job")
    folder.make()
    (folder.prepared / "facts").mkdir(parents=True)
    homes = pd.DataFrame({"n": range(6), "home": [f"h{n}" for n in range(6)]})
    homes.to_parquet(folder.prepared / "facts" / "homes.parquet")
    for name in ("household", "sanitation", "maternal", "pregnancy", "child", "measurement"):
        none = pd.DataFrame({"n": pd.Series(dtype="int64"), "_at_home": pd.Series(dtype="bool")})
        none.to_parquet(folder.prepared / "facts" / f"{name}.parquet")
    (folder.prepared / "account.json").write_text(json.dumps({"households": 6, "registers": {}}))
    (folder.prepared / "refused.csv").write_text("register,row,column,allowed,reason\n")

    def begin(asks: Scorers) -> tuple[Job, pd.DataFrame]:
        claims = Claims(jobs.database, "h:/a", "h:/a#1")
        taken = claims.take(here=lambda _: True, now=NOW)
        Run(job=taken, folder=folder, claims=claims, asks=asks, ending=threading.Event(), pace={}).finish()
        return jobs.seen(job.id, who("a")), pd.read_parquet(folder.result / "result.parquet")

    return begin


def test_a_model_that_changes_in_the_midst_begins_the_job_again_and_makes_all_of_it(run):
    told, rows = run(Scorers(stamps=("m-1", "m-2", "m-2")))

    assert ("done", "m-2", 6) == (told.state, told.model_stamp, told.households_done)
    assert [("m-2", f"h{n}") for n in range(6)] == list(zip(rows.model_stamp, rows.household_id, strict=True))


def test_one_household_on_which_scorers_die_takes_no_other_with_it(run):
    told, rows = run(Scorers(poison="h3"))

    assert "done" == told.state
    assert {"h3": FAILED} == rows[rows.unscored == FAILED].set_index("household_id").unscored.to_dict()
    assert 6 == rows.household_id.nunique()


def test_a_job_waits_while_there_is_no_room(run):
    told, rows = run(Scorers(busy=3))

    assert ("done", 6) == (told.state, len(rows))
