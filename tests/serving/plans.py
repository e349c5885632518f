"""Plans to publish, and a process that stands still while it publishes one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from serving.plan_store import PlanStore
from serving.store import open_store
from targeting.plan import plan
from targeting.plan_inputs import PlanInputs
from targeting.plan_run import Planned
from targeting.policy import policy_of
from tests.drawn import drawn
from tests.serving.published import heading

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

ON = dt.date(2024, 5, 6)
HOMES = drawn("""
    household_id | region_id | area_id | posyandu_id | value | risk | stalest_on | freshest_on
    -------------+-----------+---------+-------------+-------+------+------------+------------
    h1           | R1        | A1      | melati      | 0.9   | 0.7  | 2023-11-30 | 2024-05-01
    h2           | R1        | A1      |             | 0.8   | 0.6  | 2024-01-01 | 2024-04-01
    h3           | R1        | A2      | mawar       | 0.7   | 0.5  | 2024-01-01 | 2024-04-01
    h4           | R2        | A3      |             | 0.2   | 0.2  | 2024-01-01 | 2024-04-01
    h5           | R2        | A3      |             | 0.1   | 0.1  | 2024-01-01 | 2024-04-01
""").assign(
    area_name="Sukamaju", unit_count=1, track="find", pregnant=False, under_24_months=False, never_measured=False,
    risk_find=0.5, risk_prevent=None, risk_low=0.1, risk_high=0.9, risk_survey=None, missing_registers="maternal",
    reasons_id="Jamban tidak layak", reasons_en="Unimproved toilet", reasons_unit_id="unit-1",
).assign(expected_stunted=lambda rows: rows.value)  # fmt: skip
APART = drawn("""
    household_id | region_id | area_id | why
    -------------+-----------+---------+------
    h6           | R2        | A4      | moved
""")
NEEDS = drawn("""
    household_id | service | status | persons | cost_idr
    -------------+---------+--------+---------+---------
    h1           | jamban  | unmet  | 1       | 2500000
    h1           | pkh     | unmet  | 1       | 1000000
    h4           | jamban  | unmet  | 1       | 2500000
""").assign(why_id=None, why_en=None)
MENU = (
    drawn("""
    service | owner  | reduction | name_id       | name_en
    --------+--------+-----------+---------------+----------
    jamban  | pupr   |           | Jamban sehat  | A latrine
    pkh     | dinsos |           | Bantuan tunai | A grant
""")
    .set_index("service")
    .astype({"reduction": "float64"})
)
URGENT = drawn("""
    household_id | child_id | mother_id | region_id | area_id | measured_on | recorded_on | why_id             | why_en
    -------------+----------+-----------+-----------+---------+-------------+-------------+--------------------+--------
    h1           | ana      |           | R1        | A1      | 2024-05-01  | 2024-05-02  | edema              | oedema
    h1           |          | ina       | R1        | A1      |             | 2024-05-03  | Hb di bawah 8 g/dL | anaemia
    h9           | budi     |           | R9        | A9      | 2024-05-01  | 2024-05-02  | edema              | oedema
""")
NOTHING = pd.DataFrame()


def policy(**rules):
    """Three visits, one of them at least in each region, and money for one latrine."""
    least = {"version": "7", "name": "Putaran", "round": "2024-2", "capacity": {"amount": 3}}
    floors = {"floors": {"region": {"visits": 1}}, "budgets_idr": {"pupr": 3_000_000}}
    return policy_of({**least, **floors, **rules}, of="the test")


def planned(*, homes: pd.DataFrame = HOMES, apart: pd.DataFrame = APART, **rules: object) -> Planned:
    """A plan of the drawn households."""
    of = PlanInputs(
        units=NOTHING, facts=NOTHING, intervals=NOTHING, in_danger=URGENT, orders=NOTHING, refits=NOTHING,
        registers={"service": NOTHING, "contact": NOTHING}, menu=(), on=ON, fingerprints={"units.parquet": "c0ffee"},
    )  # fmt: skip
    made = plan(policy(**rules), homes, apart=apart, needs=NEEDS, menu=MENU)
    return Planned(made, of, homes, 0.8)


def long(count: int) -> Planned:
    """A plan that leaves out `count` households."""
    some = planned()
    ids = [f"house-{place:06d}" for place in range(count)]
    many = pd.DataFrame({"household_id": ids, "region_id": [f"R{place % 3}" for place in range(count)]}).assign(
        area_id="A1", track="find", risk=0.1, value=0.1, kept_out_by="capacity", place="", short_by=0.05,
        why_id="kapasitas putaran; " * 5, why_en="the capacity of the round; " * 5,
    )  # fmt: skip
    return dataclasses.replace(some, plan=dataclasses.replace(some.plan, left_out=many))


def publish_until(url: str, left_out: int, stop_at: int | None, told: Connection) -> None:
    """Publish, and stand still before statement `stop_at` of the transaction, or before its commit when None."""
    store = open_store(url)
    big = long(left_out)
    seen = []

    def stand_still(*_: object) -> None:
        told.send("here")
        time.sleep(3_600)

    def count(*statement: object) -> None:
        seen.append(statement)
        if len(seen) == stop_at:
            stand_still()

    sa.event.listen(store.database.engine, "before_cursor_execute", count)
    sa.event.listen(store.database.engine, "commit", stand_still)
    PlanStore(store.database).publish_plan(big, heading("never confirmed"))
