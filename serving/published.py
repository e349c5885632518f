"""What the pipeline published last: scored households, read once and again when they change."""

from __future__ import annotations

import threading
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputRefused, Refused
from features.settings import load
from serving.access.scope import EVERYWHERE
from serving.errors import Busy, NothingScored
from serving.landscape import Landscape
from serving.regions import by_area
from serving.register_rows import RegisterRows
from targeting.households import combined
from targeting.lists import in_danger, scored_homes
from targeting.manifest import NAME as MANIFEST
from targeting.manifest import whole
from targeting.plan_inputs import inputs
from targeting.plan_run import planned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from features.settings import Settings
    from serving.access.scope import Scope
    from targeting.plan_inputs import PlanInputs
    from targeting.plan_run import Planned
    from targeting.policy import Policy

PLAN_WAIT_S = 60
PLANS = 4
"""That is made, and those that wait for it: each holds one of the forty threads that answer everybody."""
PLAN_AGAIN_S = 10


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of one run of the pipeline; `stamp` as `targeting.manifest.whole`."""

    settings: Settings
    stamp: str

    @cached_property
    def units(self) -> pd.DataFrame:
        """One row a unit, by household."""
        return self._read("units").set_index("household_id").sort_index(kind="stable")

    @cached_property
    def _homes(self) -> pa.LargeStringArray:
        """The household of each unit: one is found in twenty steps, where pandas would copy all of them each time."""
        return pa.array(self.units.index, pa.large_string())

    def first_unit(self, household_id: str) -> int | None:
        """Place in `units` of the first of a household; None where it was not scored."""
        homes = self._homes
        at = bisect_left(range(len(homes)), household_id, key=lambda place: homes[place].as_py())
        return at if at < len(homes) and homes[at].as_py() == household_id else None

    @cached_property
    def facts(self) -> pd.DataFrame:
        """Dates and missing registers, by household."""
        return self._read("facts").set_index("household_id")

    @cached_property
    def urgent(self) -> pd.DataFrame:
        """The urgent list."""
        return in_danger(self.settings)

    @cached_property
    def homes(self) -> dict[str, pd.DataFrame]:
        """Households that compete, by objective; filled as they are asked for."""
        return {}

    def competing(self, objective: str) -> pd.DataFrame:
        """Households with a risk for the objective."""
        if objective not in self.homes:
            self.check()
            with _readable():
                self.homes[objective] = scored_homes(self.settings, objective=objective).competing
        return self.homes[objective]

    @cached_property
    def plan_inputs(self) -> PlanInputs:
        """What every plan of these scores is made of, what households lack among it; made once.

        Raises
        ------
        NothingScored
            The pipeline has just replaced them.
        """
        self.check()
        with _readable():
            found = inputs(self.settings)
            getattr(found, "needs")  # noqa: B009 (it is made now, and kept)
        self.check()
        return found

    @cached_property
    def rows(self) -> RegisterRows:
        """The accepted rows of every register by household, as those of the plans; raises as `plan_inputs`."""
        return RegisterRows.of(self.plan_inputs.registers)

    @cached_property
    def areas(self) -> pd.DataFrame:
        """What the scores come to in each area; see `serving.regions.by_area`.

        Raises
        ------
        NothingScored
            The pipeline has just replaced them.
        """
        self.check()
        with _readable():
            known = pd.read_parquet(self.settings.paths.interim / "area.parquet")
        return by_area(self.units.reset_index(), self.facts, urgent=self.urgent, known=known)

    @cached_property
    def landscape(self) -> Landscape:
        """What they come to by place, beside what the registers tell there; raises as `areas`."""
        self.check()
        with _readable():
            level = self._read("level").set_index("region_id")
        return Landscape(self.settings, self.areas, self.units, self.facts, level, self.check)

    def planned(self, policy: Policy, *, held: pd.DataFrame, scope: Scope = EVERYWHERE) -> Planned:
        """The plan of a policy in a scope, without the households that officers hold back.

        Raises
        ------
        InputRefused
            As `targeting.plan.plan`; or nobody was scored in the scope.
        """
        of = self.plan_inputs if scope.everywhere else self.plan_inputs.only(scope.mask)
        if of.units.empty:
            raise InputRefused("no scored household in your regions", "regions that have some", "Ask for a grant.")
        return planned(of, policy, low_below=self.settings.plan.coverage_low_below, held=held)

    def contributions(self, unit_ids: list[str]) -> dict[str, dict[str, float]]:
        """By unit; read from the file, for all of them would fill the memory.

        Raises
        ------
        NothingScored
            The pipeline has just replaced them.
        """
        self.check()
        path = self.settings.paths.scores / "contributions.parquet"
        with _readable():
            found = pq.read_table(path, filters=[("unit_id", "in", unit_ids)]).drop_columns(["as_of"])
        return {row.pop("unit_id"): row for row in found.to_pylist()}

    def household(self, household_id: str) -> dict[str, Any] | None:
        """All that was published of a household; None when it was not scored."""
        if household_id not in self.units.index:
            return None
        rows = self.units.loc[[household_id]].astype(object)
        rows = rows.where(rows.notna(), None)
        parts = self.contributions(rows.unit_id.tolist())
        units = [_unit(row, parts[row["unit_id"]]) for row in _records(rows)]
        fact = self.facts.loc[household_id]
        now, then = ([u[name] for u in units if u[name] is not None] for name in ("risk_now", "risk_at_24m"))
        first = rows.iloc[0]
        return {
            "household_id": household_id, "region_id": first.region_id, "area_id": first.area_id,
            "risk_find": combined(now), "risk_prevent": combined(then), "units": units,
            "urgent": self._in_danger(household_id), "freshest_on": _day(fact.freshest_on),
            "stalest_on": _day(fact.stalest_on), "missing_registers": fact.missing_registers,
            "model_stamp": first.model_version, "simulated": bool(first.simulated),
        }  # fmt: skip

    def _in_danger(self, household_id: str) -> list[dict[str, Any]]:
        rows = self.urgent[self.urgent.household_id == household_id]
        rows = rows[["child_id", "mother_id", "measured_on", "recorded_on", "why_id", "why_en"]].astype(object)
        days = ("measured_on", "recorded_on")
        found = _records(rows.where(rows.notna(), None))
        return [row | {day: _day(row[day]) for day in days} for row in found]

    def check(self) -> None:
        """Whether they are still those of the files.

        Raises
        ------
        NothingScored
            The pipeline has replaced them, or is about to.
        """
        with _readable():
            stamp = whole(self.settings.paths.scores)
        if stamp != self.stamp:
            raise NothingScored("The pipeline is writing new scores; ask again in a minute.")

    def _read(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.settings.paths.scores / f"{name}.parquet")


class Published:
    """The newest scores that are whole."""

    def __init__(self) -> None:
        self._last: Scores | None = None
        self._lock = threading.Lock()
        self._one_plan, self._plans = threading.Lock(), threading.BoundedSemaphore(PLANS)

    def scores(self) -> Scores:
        """The scores to answer from.

        Raises
        ------
        NothingScored
            The pipeline has made none.
        """
        with self._lock:
            try:
                self._last = self._newest()
            except (Refused, OSError, pa.ArrowInvalid) as fault:
                if self._last is None:
                    said = f"The scores cannot be read ({type(fault).__name__}); `dvc repro` makes them."
                    raise NothingScored(said) from fault
            return self._last

    @contextmanager
    def planning(self) -> Iterator[Scores]:
        """The scores to plan from, for one plan at a time: each takes the memory and the cores of several requests.

        Raises
        ------
        NothingScored
            The pipeline has made none.
        Busy
            `PLANS` are there already, or others were being made for `PLAN_WAIT_S`.
        """
        if not self._plans.acquire(blocking=False):
            raise _busy()
        try:
            if not self._one_plan.acquire(timeout=PLAN_WAIT_S):
                raise _busy()
            try:
                yield self.scores()
            finally:
                self._one_plan.release()
        finally:
            self._plans.release()

    def _newest(self) -> Scores:
        settings = load()
        stamp = whole(settings.paths.scores)
        if self._last is not None and stamp in (None, self._last.stamp):
            return self._last
        if stamp is None:
            raise FileNotFoundError(MANIFEST)
        scores = Scores(settings, stamp)
        for name in ("units", "facts", "urgent"):
            getattr(scores, name)  # read now: what was read stays whole while the pipeline writes the next
        if whole(settings.paths.scores) != stamp:
            raise FileNotFoundError(MANIFEST)  # they were replaced while they were read
        return scores


def _busy() -> Busy:
    problem = Busy("Other plans are being made.")
    problem.retry_after_s = PLAN_AGAIN_S
    return problem


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (Refused, OSError, pa.ArrowInvalid) as fault:
        raise NothingScored(f"The scores cannot be read ({type(fault).__name__}).") from fault


def _unit(row: Mapping[str, Any], contributions: dict[str, float]) -> dict[str, Any]:
    names = ("unit_id", "age_months", "risk_now", "risk_at_24m", "log_odds", "reasons_id", "reasons_en",
             "reasons_24m_id", "reasons_24m_en")  # fmt: skip
    said = {name: row[name] for name in names}
    return said | {"kind": row["unit_kind"], "as_of": _day(row["as_of"]), "contributions": contributions}


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _day(found: Any) -> Any:
    return None if pd.isna(found) else pd.Timestamp(found).date()
