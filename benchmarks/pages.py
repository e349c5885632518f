"""How long the server takes for each page, with 300,000 households beside the same with 3,000.

The households are those of a finished run, again and again under other names. Run from the project's root, on such a
run.
"""

from __future__ import annotations

import html
import json
import os
import re
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table
from under_load.clients import HOST
from under_load.enlarged import enlarge
from under_load.server import awake, free_port, memory, paused

from features.errors import InputRefused, Refused
from targeting.policy import DEFAULT, read

SIZES: Final = (3_000, 300_000)
TIMES: Final = 21
PATIENCE_S: Final = 900
PROMISED_MS: Final = {"search": 500.0}
OTHERWISE_MS: Final = 300.0
NEEDED: Final = ("data/scores/manifest.json", "data/interim/household.parquet", "data/champion")
SAID: Final = (
    f"Medians of {TIMES} requests, one after the other, of one reader, once what is made once for each publishing and "
    "each list had been made; `first ms` is the first of these requests. The "
    "overview was open before. The list has every scored household on it; the plan, by the default policy, a tenth."
)


@dataclass(frozen=True)
class Line:
    """One page at one size.

    `first_ms`: of the first request; what is made once for each publishing began before it. `kib`: of its HTML.
    """

    page: str
    households: int
    first_ms: float
    p50_ms: float
    worst_ms: float
    kib: float


def pages(line: httpx.Client) -> dict[str, str]:
    """The address of every page, with a list of all households to look at."""
    made = line.post("/v1/worklists", json={"name": "Semua", "capacity": 10_000_000, "objective": "find"})
    found = line.get(f"/v1/worklists/{made.raise_for_status().json()['id']}", params={"limit": 100})
    worklist, lines = found.json()["worklist"], found.json()["lines"]
    home, area, at = quote(lines[50]["household_id"], safe=""), lines[50]["area_id"], f"/lists/{worklist['id']}"
    plan = line.post("/v1/worklists", json={"name": "Rencana", "policy": read(DEFAULT).model_dump(mode="json")})
    plan_at = f"/lists/{plan.raise_for_status().json()['id']}"
    return {
        "overview": "/",
        "one kecamatan": f"/?region={lines[50]['region_id']}",
        "lists": "/lists",
        "making a list": "/lists/new",
        "its preview": "/lists/new/preview?visits=400",
        "the list": at,
        "by desa": f"{at}?area={area}",
        "sorted": f"{at}?sort=-freshest",
        "search": f"{at}?q={lines[50]['household_id'][2:8]}",
        "given to nobody": f"{at}?assigned=-",
        "a desa on paper": f"{at}/print?area={area}",
        "to refer": f"{at}/urgent",
        "a plan": plan_at,
        "its left out": f"{plan_at}/left-out",
        "household": f"/households/{home}?list={worklist['id']}",
        "a fact of it": _fact(line, home),
        "lists in the field": "/field",
        "field": f"/field/{worklist['id']}",
        "field, a desa": f"/field/{worklist['id']}?area={area}",
        "a visit": f"/field/{worklist['id']}/{home}",
        "data room": "/data",
        "jobs": "/data/jobs",
        "champion": "/data/promote",
    }


def _fact(line: httpx.Client, home: str) -> str:
    """The address of a fact of a household, as its page leads to it."""
    page = line.get(f"/households/{home}", headers={"Accept": "text/html"}).raise_for_status().text
    return html.unescape(re.findall(r'href="(/households/[^"]+/fact[^"]*)"', page)[0])


def measured(name: str, path: str, line: httpx.Client, *, households: int) -> Line:
    """One page, asked again and again."""
    took, size = [], 0
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        answer = line.get(path)
        took.append(1000 * (time.perf_counter() - began))
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.status_code} {answer.text[:500]}"
        size = len(answer.content)
    return Line(name, households, took[0], statistics.median(took[1:]), max(took[1:]), size / 1024)


def of_size(project: Path, folder: Path, households: int) -> tuple[list[Line], float]:
    """Every page at one size, and the most memory that the server's processes took together. [MiB]"""
    there = enlarge(project, folder, households=households)
    port = free_port()
    command = (f"{Path(sys.executable).parent}/tepat", "serve", "--host", HOST, "--port", f"{port}")
    told = os.environ | {"TEPAT_ACCESS": "open", "OMP_WAIT_POLICY": "PASSIVE", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with ExitStack() as open_now:
        process = open_now.enter_context(paused(command, folder=folder, environment=told, port=port, alive="/healthz"))
        open_now.enter_context(awake(process))
        headers = {"Accept": "text/html"}
        line = open_now.enter_context(
            httpx.Client(base_url=f"http://{HOST}:{port}", headers=headers, timeout=PATIENCE_S)
        )
        asked = pages(line)
        until_counted(line)
        made = [
            measured(name, path, line, households=there) for name, path in track(asked.items(), f"{there:,} households")
        ]
        return made, memory(process).all_mib


def until_counted(line: httpx.Client) -> None:
    """Wait for what the overview counts beside requests."""
    ends = time.monotonic() + PATIENCE_S
    while "Masih dihitung" in line.get("/").text and time.monotonic() < ends:
        time.sleep(1)


def kept(made: list[Line]) -> dict[str, bool]:
    """What is promised at the largest size, and whether it was so this time."""
    most = max(one.households for one in made)
    return {
        f"{one.page}: at most {PROMISED_MS.get(one.page, OTHERWISE_MS):g} ms at the median with {most:,} households":
            one.p50_ms <= PROMISED_MS.get(one.page, OTHERWISE_MS)
        for one in made if one.households == most
    }  # fmt: skip


def table(made: list[Line]) -> Table:
    """The sizes beside each other; `x` is how many times as long the larger takes."""
    few, many = ([one for one in made if one.households == size] for size in sorted({one.households for one in made}))
    drawn = Table("page", title="Server time of pages", caption=SAID, caption_justify="left")
    for heading in ("ms", "first ms", "many: ms", "first ms", "worst ms", "x", "KiB"):
        drawn.add_column(heading, justify="right")
    for small, large in zip(few, many, strict=True):
        drawn.add_row(
            small.page, f"{small.p50_ms:.0f}", f"{small.first_ms:.0f}", f"{large.p50_ms:.0f}", f"{large.first_ms:.0f}",
            f"{large.worst_ms:.0f}", f"{large.p50_ms / small.p50_ms:.1f}", f"{large.kib:.0f}",
        )  # fmt: skip
    return drawn


def main() -> int:
    """Print the table and write `reports/bench/pages.json`; 1 when a promise was not kept."""
    missing = [name for name in NEEDED if not Path(name).exists()]
    if missing:
        raise InputRefused(f"no {missing[0]}", "a finished run of the pipeline", "Run `make run SERVE=0` first.")
    made, memories = list[Line](), dict[str, float]()
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            lines, mib = of_size(Path.cwd(), Path(folder), size)
            made += lines
            memories[f"{lines[0].households:,} households"] = mib
    console = Console()
    console.print(table(made), f"tepat {version('tepat')}")
    for what, mib in memories.items():
        console.print(f"{what}: {mib:,.0f} MiB of all processes, what is shared counted once")
    for promise, so in kept(made).items():
        console.print(f"{'kept' if so else 'NOT KEPT'}: {promise}")
    report: dict[str, Any] = {"said": SAID, "promises": kept(made), "memory_mib": memories}
    Path("reports/bench").mkdir(parents=True, exist_ok=True)
    written = json.dumps(report | {"lines": [asdict(one) for one in made]}, indent=2)
    Path("reports/bench/pages.json").write_text(written + "\n", encoding="utf-8")
    return int(not all(kept(made).values()))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refusal:
        print(f"Refused. {refusal}", file=sys.stderr)
        sys.exit(2)
