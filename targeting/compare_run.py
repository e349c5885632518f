"""A policy's plan beside today's orders, and with more or less of its capacity and budgets, as files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.table import Table

from features.folders import write_whole
from targeting import plan_pictures
from targeting.export import write_csv
from targeting.frontier import Of, frontier
from targeting.plan_inputs import inputs
from targeting.rivals import compared

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from features.settings import Settings
    from targeting.policy import Policy
    from targeting.rivals import Comparison


def compare(
    settings: Settings, policy: Policy, folder: Path, *, on: dt.date | None = None, held: pd.DataFrame | None = None
) -> Comparison:
    """Write `plans.csv`, `coverage.csv`, `frontier.csv`, two pictures and `compare.json`, whole or not at all.

    Raises
    ------
    InputRefused
        As for `rivals.compared`.
    """
    of = inputs(settings, on=on)
    found = of.candidates(policy, held=held)
    asked: dict[str, Any] = {"orders": of.orders, "needs": of.needs, "menu": of.services}
    made = compared(
        policy, found.homes, **asked, apart=found.apart, draws=of.draws(found), level=settings.intervals.level
    )
    ways: tuple[Of, ...] = ("capacity", "budgets") if any(policy.budgets_idr.values()) else ("capacity",)
    tables = {way: frontier(policy, found.homes, **asked, of=way) for way in ways}
    said = {
        "policy_stamp": policy.stamp, "model_stamp": of.model_stamp, "simulated": of.simulated, "on": of.on.isoformat(),
        "level": made.level, "plans": json.loads(made.table.to_json(orient="records")), "notes": list(made.notes),
        "fingerprints": of.fingerprints,
    }  # fmt: skip
    write_whole(folder, lambda half: _write(half, made, tables, said))
    return made


def drawn(made: Comparison) -> Table:
    """The comparison as a table for the terminal."""
    table = Table("order", "visits", "expected stunted reached", "of all", "also in this plan", title="Same limits")
    for row in made.table.to_dict("records"):
        ends = "" if pd.isna(row["reached_low"]) else f" ({row['reached_low']:,.1f}-{row['reached_high']:,.1f})"
        reached = f"{row['reached']:,.1f}{ends}"
        table.add_row(row["name_en"], f"{row['visits']:,}", reached, f"{row['share']:.1%}", f"{row['in_both']:,}")
    return table


def _write(folder: Path, made: Comparison, tables: Mapping[Of, pd.DataFrame], said: dict[str, Any]) -> None:
    write_csv(made.table, folder / "plans.csv")
    write_csv(made.coverage, folder / "coverage.csv")
    plan_pictures.plans(made, folder / "plans.png")
    for way, table in tables.items():
        write_csv(table, folder / f"frontier_{way}.csv")
        plan_pictures.frontier(table, folder / f"frontier_{way}.png")
    (folder / "compare.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
