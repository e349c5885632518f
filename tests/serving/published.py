"""Lists to publish, and what another process does to their store."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from serving.score_store import ScoreStore
from serving.store import Heading, open_store
from targeting.worklist import Worklist, worklist

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from serving.score_store import ScoredRun

NOON = dt.datetime(2024, 5, 6, 12, tzinfo=dt.UTC)


def heading(name: str = "Triwulan 2", created_at: dt.datetime = NOON) -> Heading:
    return Heading(
        name=name, objective="find", model_stamp="determinants-3", catalogue="c0ffee", simulated=True,
        created_at=created_at,
    )  # fmt: skip


def made(count: int) -> Worklist:
    """A list of `count` households in three regions, the riskiest first."""
    rows = pd.DataFrame({"household_id": [f"house-{place:06d}" for place in range(count)]}).assign(
        region_id=[f"R{place % 3}" for place in range(count)], area_id="A1", area_name="Sukamaju", unit_count=2,
        expected_stunted=0.7, risk_find=0.5, risk_prevent=None, risk=[1 - place / count for place in range(count)],
        objective="find", freshest_on=pd.Timestamp("2024-05-01"), stalest_on=pd.Timestamp("2023-11-30"),
        reasons_id="Jamban tidak layak; " * 9, reasons_en="Unimproved toilet; " * 9, reasons_unit_id="unit-1",
        missing_registers="maternal", model_version="3",
    )  # fmt: skip
    return worklist(rows, capacity=count, salt="2024-2")


def open_each(urls: list[str], gate: Barrier) -> None:
    """Open databases, each at the moment the other process does."""
    for url in urls:
        gate.wait()
        open_store(url).close()


def publish_until(url: str, lines: int, stop_at: int | None, told: Connection) -> None:
    """Publish, and stand still before statement `stop_at` of the transaction, or before its commit when None."""
    store = open_store(url)
    big = made(lines)
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
    store.publish(big, heading("never confirmed"))


def keep_until(url: str, scored: ScoredRun, slices: int, told: Connection) -> None:
    """Keep so many slices of a run, and stand still before the commit of the next."""
    store = open_store(url)
    scores = ScoreStore(store.database)
    for _ in range(slices):
        scores.keep_next(scored)

    def stand_still(*_: object) -> None:
        told.send("here")
        time.sleep(3_600)

    sa.event.listen(store.database.engine, "commit", stand_still)
    scores.keep_next(scored)


def hold(path: str, statements: list[str], told: Connection) -> None:
    """Hold a lock until told to let go."""
    with sa.create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        told.send("held")
        told.recv()
    told.send("free")
