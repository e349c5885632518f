"""What the simulation was set to show, and what the files that it wrote do show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.table import Table

from features.simulation.calendar import LATEST_WEIGHING, date
from features.simulation.faults import NIK_COLUMNS, NIK_REGISTERS
from features.simulation.files import REGISTERS_IN, TRUTH_IN
from features.simulation.growing import STUNTED_BELOW
from features.simulation.truth import SURVEY_CHILDREN

TENTHS, HALF = 10, 5
BATCH_ROWS = 200_000


@dataclass(frozen=True)
class Target:
    """One figure that the simulation reproduces.

    Parameters
    ----------
    tolerance
        How far a simulation of some thousand households may be off by chance.
    shown
        How to print it.
    """

    name: str
    meaning: str
    aim: float
    tolerance: float
    source: str
    shown: str = ".1%"


@dataclass(frozen=True)
class Figure:
    """A target, and what came out; NaN where the files cannot say."""

    target: Target
    found: float

    @property
    def within(self) -> bool:
        """Whether it came out as it was set."""
        return bool(abs(self.found - self.target.aim) <= self.target.tolerance)


SUMEDANG = "Kabupaten Sumedang 2022"
TARGETS = (
    Target("true_prevalence", "stunted in truth", 0.245, 0.03, f"{SUMEDANG}, between its survey and the province"),
    Target("haz_mean", "true HAZ, mean", -1.25, 0.08, "follows from the prevalence", ".2f"),
    Target("haz_sd", "true HAZ, standard deviation", 1.10, 0.06, "surveys of good quality: 0.8 to 1.2", ".2f"),
    Target("register_prevalence", "stunted in the register", 0.08, 0.02, f"{SUMEDANG}, e-PPGBM: 8.27%"),
    Target("height_heaping", "heights that end in .0 or .5", 0.628, 0.02, "Magelang, e-PPGBM"),
    Target("weight_heaping", "weights that end in .0 or .5", 0.242, 0.02, "Magelang, e-PPGBM"),
    Target("nik_faults", "rows with a faulty NIK", 0.03, 0.004, "assumption"),
    Target("coverage", "children measured in a mass weighing", 0.97, 0.015, f"{SUMEDANG}: about 97%"),
    Target("kecamatan_spread", "risk, highest kecamatan over lowest", 3.0, 1.0, "Kabupaten Sumedang 2024, 2025", ".2f"),
    Target("desa_icc", "correlation of HAZ within a desa", 0.05, 0.035, "assumption", ".3f"),
    Target("survey_children", "children in the survey", SURVEY_CHILDREN, 100, f"{SUMEDANG}, SSGI", ",.0f"),
)  # fmt: skip


def measured(folder: Path) -> tuple[Figure, ...]:
    """Every target, from the files in the folder of a simulation; a register is read in batches."""
    truth = pd.read_parquet(folder / TRUTH_IN / "prevalence.parquet")
    latest = truth[(pd.to_datetime(truth.on) == pd.Timestamp(date(LATEST_WEIGHING))) & (truth.children > 0)]
    children = int(latest.children.sum())
    found = {
        **_true(latest),
        **_written(folder / REGISTERS_IN / "measurement.parquet", children=children),
        "nik_faults": _nik_faults(folder),
        "survey_children": float(pq.read_metadata(folder / TRUTH_IN / "survey.parquet").num_rows),
    }
    return tuple(Figure(target, float(found[target.name])) for target in TARGETS)


def _true(desa: pd.DataFrame) -> dict[str, float]:
    weight = desa.children / desa.children.sum()
    mean = float((weight * desa.haz_mean).sum())
    variance = float((weight * (desa.haz_sd**2 + desa.haz_mean**2)).sum()) - mean**2
    by_kecamatan = desa.assign(risk=desa.risk_mean * desa.children).groupby("region_id")[["risk", "children"]].sum()
    risks = by_kecamatan.risk / by_kecamatan.children
    return {
        "true_prevalence": float((weight * desa.prevalence).sum()),
        "haz_mean": mean,
        "haz_sd": variance**0.5,
        "kecamatan_spread": float(risks.max() / risks.min()),
        "desa_icc": intra_class(desa.children.to_numpy(), mean=desa.haz_mean.to_numpy(), sd=desa.haz_sd.to_numpy()),
    }


def intra_class(size: np.ndarray, *, mean: np.ndarray, sd: np.ndarray) -> float:
    """Intra-cluster correlation from the size, mean and standard deviation (over n) of each cluster.

    By analysis of variance with clusters of unequal size; NaN for fewer than two clusters, or one child in each.

    References
    ----------
    Donner A, Koval JJ. The estimation of intraclass correlation in the analysis of family data. *Biometrics* 1980; 36:
    19-25.
    """
    total, clusters = size.sum(), len(size)
    if clusters < 2 or total <= clusters:  # noqa: PLR2004 (nothing to compare)
        return float("nan")
    between = float((size * (mean - (size * mean).sum() / total) ** 2).sum()) / (clusters - 1)
    within = float((size * sd**2).sum()) / (total - clusters)
    typical = (total - (size**2).sum() / total) / (clusters - 1)
    return float((between - within) / (between + (typical - 1) * within))


def _written(path: Path, *, children: int) -> dict[str, float]:
    """Heaping over all measurements; prevalence and coverage at the latest mass weighing, by month."""
    counts = {"rows": 0, "heights": 0, "weights": 0, "scored": 0, "stunted": 0}
    came: list[pa.ChunkedArray | pa.Array] = []
    wanted = ["child_id", "measured_on", "height_cm", "weight_kg", "haz"]
    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH_ROWS, columns=wanted):
        latest = batch.filter(_in_latest_month(batch["measured_on"]))
        counts["rows"] += len(batch)
        counts["heights"] += _halves(batch["height_cm"])
        counts["weights"] += _halves(batch["weight_kg"])
        counts["scored"] += len(latest) - latest["haz"].null_count
        counts["stunted"] += pc.sum(pc.less(latest["haz"], STUNTED_BELOW)).as_py() or 0
        came.append(latest["child_id"])
    return {
        "height_heaping": _share(counts["heights"], counts["rows"]),
        "weight_heaping": _share(counts["weights"], counts["rows"]),
        "register_prevalence": _share(counts["stunted"], counts["scored"]),
        "coverage": _share(pc.count_distinct(pa.chunked_array(came, type=pa.string())).as_py(), children),
    }


def _in_latest_month(on: pa.Array) -> pa.Array:
    first = date(LATEST_WEIGHING).replace(day=1)
    after = first.replace(month=first.month + 1)
    return pc.and_(pc.greater_equal(on, pa.scalar(first)), pc.less(on, pa.scalar(after)))


def _halves(values: pa.Array) -> int:
    tenths = np.round(values.to_numpy(zero_copy_only=False) * TENTHS)
    return int((tenths % HALF == 0).sum())


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _nik_faults(folder: Path) -> float:
    """Rows whose own or whose mother's NIK was spoiled, of all rows of registers that carry one."""
    faults = pd.read_parquet(folder / TRUTH_IN / "faults.parquet", columns=["register", "column"])
    faulty = (faults.register.isin(NIK_REGISTERS) & faults.column.isin(NIK_COLUMNS)).sum()
    rows = sum(pq.read_metadata(folder / REGISTERS_IN / f"{name}.parquet").num_rows for name in NIK_REGISTERS)
    return _share(float(faulty), rows)


def drawn(figures: tuple[Figure, ...]) -> Table:
    """Draw what was set beside what came out."""
    made = Table("figure", title="Simulated: nobody in these registers exists")
    for heading in ("set", "came out", ""):
        made.add_column(heading, justify="right")
    for figure in figures:
        target = figure.target
        words = (format(target.aim, target.shown), format(figure.found, target.shown))
        made.add_row(target.meaning, *words, "" if figure.within else "off by more than chance at some thousand")
    return made
