"""How fast requests are answered: `tepat serve` beside `mlflow models serve`, with the same booster.

The second only predicts, from features that were made before the clock ran; ours makes them from the facts of the
registers, asks who is there, gives reasons, and answers once the trail's line of it is on the disk. Run from the
project's root, on a finished run of the pipeline.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cache, partial
from importlib.metadata import version
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
import pandas as pd
import xgboost as xgb
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.special import logit
from under_load.clients import HOST, Seen, ask, post
from under_load.server import Memory, awake, free_port, memory, paused, worked_ms

from features.build import read_units
from features.errors import InputRefused, Refused
from features.settings import load
from serving import once
from serving.settings import load as load_service
from training import registry
from training.calibration import Calibration
from training.model import RiskModel
from training.models import INPUTS

HOUSEHOLDS: Final = 300
REQUESTS: Final = {1: 300, 8: 1500, 64: 3000}
"""By number of clients."""
ROUNDS: Final = 3
PROMISED_P50_MS: Final = 20.0
"""Of one client."""
MEASURED: Final = ("p50_ms", "p95_ms", "p99_ms", "per_second", "cpu_ms", "clients_busy")
CLOSE: Final = 1e-5
"""MLflow answers in float32."""
OURS, NAMED, BARE = "tepat", "named", "bare"
ALTERNATIVES: Final = (NAMED, BARE)
NEEDED: Final = ("data/interim", "data/features/units.parquet", "data/scores/units.parquet", "mlruns/mlflow.db")
LINKED: Final = ("params.yaml", "run.yaml", "data/interim", "data/features", "data/scores", "mlruns")
CLOSED: Final = {
    "TEPAT_ACCESS": "closed", "TEPAT_DATABASE": "sqlite:///lists.db", "TEPAT_FOLDER": "kept",
    "TEPAT_PER_MINUTE_SYSTEM": "1000000",
}  # fmt: skip
SAID: Final = (
    f"One household a request, of {HOUSEHOLDS} that were scored. tepat: `tepat serve` checks register facts, makes "
    "features of them, and answers with the risk now and at 24 months and the reasons; TEPAT_ACCESS=closed, so every "
    "request shows a key, and a line of the trail is on the disk before each answer. named, bare: `mlflow models "
    "serve`, as it comes, answers with the risk now, from ready-made features; as `dataframe_split` or, the trees' own "
    "names taken off, as `inputs`, its fastest form, in which it cannot see that columns are out of order. Every "
    f"client asks again as soon as it is answered, from another process. Medians of {ROUNDS} rounds in which the "
    "servers take turns, those not asked being paused. Every answer was compared with the batch's risk. cpu ms: the "
    "server's processor time a request."
)
Told = dict[str, float]  # by unit, risk now [probability]


@dataclass(frozen=True)
class Case:
    """A household: what each server is asked about it, and the risks that the batch found."""

    body: dict[str, bytes]
    risk: Told


@dataclass(frozen=True)
class Way:
    """A server: how it is started, what its paths are, and which risks an answer about a case gives."""

    command: tuple[str, ...]
    port: int
    alive: str
    path: str
    told: Callable[[Case, Any], Told]
    key: str | None = None


@dataclass(frozen=True)
class Line:
    """One server under one load.

    `cpu_ms`: processor time a request. `clients_busy`: share of one core that the clients' own process took; far below
    1, it kept nobody waiting. `times_the_rate_of`: its requests per second, as a multiple of another's.
    """

    server: str
    clients: int
    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    per_second: float
    errors: int
    cpu_ms: float
    clients_busy: float
    times_the_rate_of: dict[str, float] = field(default_factory=dict)


def scored(model: RiskModel) -> pd.DataFrame:
    """The units of some scored households with a child: features as the batch made them, and risk."""
    paths = load().paths
    scores = pd.read_parquet(paths.scores / "units.parquet")
    homes = np.sort(scores.household_id[scores.risk_now.notna()].unique())
    chosen = homes[np.linspace(0, len(homes) - 1, min(HOUSEHOLDS, len(homes))).astype(int)]
    keys = scores.loc[scores.household_id.isin(chosen), ["unit_id", "as_of"]]
    rows = model.prepared(keys.merge(read_units(paths.features), on=["unit_id", "as_of"], validate="1:1"))
    return rows.assign(risk=model.risk(rows))


def cases(units: pd.DataFrame) -> list[Case]:
    """What is asked about each household."""
    made = []
    # The registers are read once, not once a household.
    with patch.object(once, "read_registers", cache(once.read_registers)):
        for home, rows in track(list(units.groupby("household_id")), "requests"):
            ready = rows[list(INPUTS)].to_numpy(float).tolist()
            # MLflow reads NaN, which is not JSON; a null only with a signature, which takes it twice as long.
            named, bare = {"dataframe_split": {"columns": list(INPUTS), "data": ready}}, {"inputs": ready}
            said = {OURS: json.loads(once.facts_of(str(home))), NAMED: named, BARE: bare}
            body = {name: json.dumps(one, separators=(",", ":")).encode() for name, one in said.items()}
            made.append(Case(body, dict(zip(rows.unit_id, rows.risk.tolist(), strict=True))))
    return made


def told_by_tepat(_: Case, answer: Any) -> Told:
    """Of every child."""
    return {u["unit_id"]: u["now"]["risk"] for u in answer["households"][0]["units"] if u["now"]}


def told_by_mlflow(case: Case, answer: Any, *, calibration: Calibration) -> Told:
    """Of every unit: what the booster predicts, calibrated here."""
    risks = calibration.risk(logit(np.array(answer["predictions"])))
    return dict(zip(case.risk, risks.tolist(), strict=True))


def ways(model: RiskModel, folder: Path) -> dict[str, Way]:
    """Every server; what MLflow serves is put into the folder."""
    from mlflow.xgboost import save_model  # noqa: PLC0415 (after the registry has told MLflow to keep quiet)

    tools, told, port = Path(sys.executable).parent, partial(told_by_mlflow, calibration=model.calibration), free_port()
    command: tuple[str, ...] = (f"{tools}/tepat", "serve", "--host", HOST, "--port", f"{port}")
    made = {OURS: Way(command, port, "/healthz", "/v1/score", told_by_tepat, allowed(folder / f"{port}"))}
    for name in ALTERNATIVES:
        same = xgb.Booster(model_file=model.booster.save_raw("ubj"))
        if name == BARE:
            same.feature_names = None
        port, saved = free_port(), folder / name.replace(" ", "-")
        save_model(same, saved, pip_requirements=["mlflow", "xgboost-cpu"])
        options = ("--env-manager", "local", "--host", HOST, "--port", f"{port}")
        command = (f"{tools}/mlflow", "models", "serve", "--model-uri", f"{saved}", *options)
        made[name] = Way(command, port, "/ping", "/invocations", told)
    return made


def linked(own: Path) -> Path:
    """A folder of its own that leads to this project."""
    for name in LINKED:
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        if not (own / name).exists():
            (own / name).symlink_to(Path(name).resolve())
    return own


def allowed(own: Path) -> str:
    """The key of a system that may ask about every region, in the store of the server of this folder."""
    tepat = Path(sys.executable).parent / "tepat"
    for said in (("add", "bench", "--system", "--role", "integrator", "--everywhere"), ("key", "bench")):
        told = subprocess.run(  # noqa: S603 (our own command)
            [tepat, "account", *said],
            cwd=linked(own),
            env=os.environ | CLOSED,
            check=True,
            capture_output=True,
            text=True,
        )
    return told.stdout.split()[0]


@contextmanager
def started(way: Way, folder: Path) -> Iterator[int]:
    """The server, paused, in a folder of its own that leads to this project: nothing is written into the project."""
    own = linked(folder / str(way.port))
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_WAIT_POLICY": "PASSIVE",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        **CLOSED,
    }
    with paused(way.command, folder=own, environment=environment, port=way.port, alive=way.alive) as process:
        yield process


def line(name: str, way: Way, known: list[Case], seen: Seen, *, clients: int, cpu_ms: float) -> Line:
    """One round of one server under one load, its answers compared with the batch's."""
    p50, p95, p99 = np.percentile([one.milliseconds for one in seen.answers], (50, 95, 99)).tolist()
    errors = sum(
        one.status != 200 or not right(known[one.request], way.told(known[one.request], json.loads(one.body)))  # noqa: PLR2004 (OK)
        for one in seen.answers
    )
    assert not errors, f"{errors} of {len(seen.answers)} answers of {name} are not the batch's risk."
    count = len(seen.answers)
    return Line(name, clients, count, p50, p95, p99, count / seen.seconds, errors, cpu_ms, seen.busy)


def right(case: Case, told: Told) -> bool:
    """Whether there is a risk, and each is the batch's."""
    return bool(told) and all(abs(case.risk[unit] - risk) <= CLOSE for unit, risk in told.items())


def round_of(made: dict[str, Way], processes: dict[str, int], known: list[Case], pool: Pool) -> list[Line]:
    """Every server under every load, one after the other."""
    found = []
    for clients, count in REQUESTS.items():
        for name, way in made.items():
            requests = [post(way.path, case.body[name], key=way.key) for case in known]
            before = worked_ms(processes[name])
            with awake(processes[name]):
                seen = pool.apply(ask, (way.port, requests), {"clients": clients, "count": count})
            cpu_ms = (worked_ms(processes[name]) - before) / seen.asked
            found.append(line(name, way, known, seen, clients=clients, cpu_ms=cpu_ms))
    return found


def medians(rounds: list[list[Line]]) -> list[Line]:
    """The lines of the rounds as one, with ratios."""
    made = []
    for same in zip(*rounds, strict=True):
        middle = {name: statistics.median(getattr(one, name) for one in same) for name in MEASURED}
        made.append(replace(same[0], **middle))
    rate = {(one.server, one.clients): one.per_second for one in made}
    return [replace(one, times_the_rate_of=ratios(one, rate)) for one in made]


def ratios(one: Line, rate: dict[tuple[str, int], float]) -> dict[str, float]:
    """Ours beside each alternative; of an alternative, nothing."""
    return {name: one.per_second / rate[name, one.clients] for name in ALTERNATIVES if one.server == OURS}


def kept(made: list[Line]) -> dict[str, bool]:
    """What is promised, and whether it was so this time."""
    ours = {one.clients: one for one in made if one.server == OURS}
    said = {f"p50 of one client at most {PROMISED_P50_MS:g} ms": ours[1].p50_ms <= PROMISED_P50_MS}
    for clients in (8, 64):
        # The model as it was trained knows its inputs by name, and mlflow refuses it bare numbers.
        ratio = ours[clients].times_the_rate_of[NAMED]
        said[f"at {clients} clients at least the requests per second of {NAMED}"] = ratio >= 1
        theirs = next(one for one in made if (one.server, one.clients) == (NAMED, clients))
        said[f"at {clients} clients a p99 no worse than that of {NAMED}"] = ours[clients].p99_ms <= theirs.p99_ms
    return said


def table(made: list[Line]) -> Table:
    """The same to read; a ratio above 1 is faster than the one it names."""
    drawn = Table("clients", "server", title="One-household requests", caption=SAID, caption_justify="left")
    for heading in ("p50 ms", "p95 ms", "p99 ms", "per s", "cpu ms", *(f"x {name}" for name in ALTERNATIVES)):
        drawn.add_column(heading, justify="right")
    for one in made:
        times = (one.times_the_rate_of.get(name) for name in ALTERNATIVES)
        drawn.add_row(
            *(f"{one.clients}", one.server, f"{one.p50_ms:.1f}", f"{one.p95_ms:.1f}", f"{one.p99_ms:.1f}"),
            *(f"{one.per_second:,.0f}", f"{one.cpu_ms:.1f}", *("-" if n is None else f"{n:.2f}" for n in times)),
        )
    return drawn


def measured(folder: Path) -> tuple[list[Line], dict[str, Memory], list[float]]:
    """Every line, the memory of every server, and how many processes wanted a core before each round began."""
    model, _ = registry.fetch(load_service(os.environ).model_name)
    known, made = cases(scored(model)), ways(model, folder)
    with ExitStack() as open_now:
        # The clients' process has none of this one's threads or memory.
        pool = open_now.enter_context(get_context("spawn").Pool(1))
        processes = {name: open_now.enter_context(started(way, folder)) for name, way in made.items()}
        rounds, loads = [], []
        for _ in track(range(ROUNDS), "rounds"):
            loads.append(os.getloadavg()[0])
            rounds.append(round_of(made, processes, known, pool))
        return medians(rounds), {name: memory(process) for name, process in processes.items()}, loads


def main() -> int:
    """Print the table and write `reports/bench/service.json`; 1 when a promise was not kept."""
    missing = [name for name in NEEDED if not Path(name).exists()]
    if missing:
        raise InputRefused(f"no {missing[0]}", "a finished run of the pipeline", "Run `make run SERVE=0` first.")
    with tempfile.TemporaryDirectory() as folder:
        made, memories, loads = measured(Path(folder))
    versions = {name: version(name) for name in ("tepat", "mlflow", "xgboost-cpu", "fastapi", "uvicorn", "duckdb")}
    console = Console()
    console.print(table(made), ", ".join(f"{name} {number}" for name, number in versions.items()))
    for name, one in memories.items():
        console.print(f"{name}: {one.all_mib:,.0f} MiB in all, what is shared counted once")
        for part in one.of:
            own = f"peak {part.peak_mib:,.0f} MiB, of which {part.private_mib:,.0f} MiB are shared with nobody"
            console.print(f"  {part.what}: {own}")
    for promise, so in kept(made).items():
        console.print(f"{'kept' if so else 'NOT KEPT'}: {promise}")
    console.print(f"{os.cpu_count()} cores; load average as each round began: {', '.join(f'{n:.1f}' for n in loads)}")
    report: dict[str, Any] = {"said": SAID, "versions": versions, "cores": os.cpu_count(), "load_before_rounds": loads}
    report |= {"promises": kept(made), "lines": [asdict(one) for one in made]}
    report |= {"memory": {name: asdict(one) for name, one in memories.items()}}
    Path("reports/bench").mkdir(parents=True, exist_ok=True)
    Path("reports/bench/service.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return int(not all(kept(made).values()))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refusal:
        print(f"Refused. {refusal}", file=sys.stderr)
        sys.exit(2)
