"""What a request makes of a household's facts is what the batch makes of the registers, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.build import add_history, build, read_registers
from features.catalog import CATALOG, View
from features.fitted import area_history
from features.ingest import ingest
from features.known import History, newest
from features.machine import Machine
from features.neighbours import District
from features.request import HANDED_OVER, Household, RequestFeatures, units_of
from features.simulation.run import simulate
from tests.drawn import drawn

DUCKDB = Machine("duckdb", "local[*]")
NAMES = [f.name for f in CATALOG]
Rows = list[dict[str, object]]


def plain(table: pd.DataFrame) -> Rows:
    """Rows as a request's: dates as midnights, null as None."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{k: v.to_pydatetime() if isinstance(v, pd.Timestamp) else v for k, v in row.items()} for row in rows]


def handed_over(registers: Mapping[str, pd.DataFrame]) -> Callable[[pd.Series], Household]:
    """Looks up what a request about a unit of the batch would hand over, asked as of the unit's day."""
    keys = {"maternal": "mother_id", "pregnancy": "child_id"}
    by_key: dict[str, dict[object, Rows]] = {name: {} for name in HANDED_OVER}
    for name, rows_of in by_key.items():
        for row in plain(registers[name]):
            rows_of.setdefault(row[keys.get(name, "household_id")], []).append(row)

    def of(unit: pd.Series) -> Household:
        home, as_of = unit.household_id, unit.as_of.to_pydatetime()
        rows = {name: by_key[name].get(home, []) for name in ("household", "sanitation", "child")}
        rows["maternal"] = by_key["maternal"].get(unit.mother_id, []) if pd.notna(unit.mother_id) else []
        rows["pregnancy"] = by_key["pregnancy"].get(unit.child_id, []) if pd.notna(unit.child_id) else []
        return Household(home, rows, as_of)

    return of


def past(registers: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A history of stunting in the registers' areas, of outcomes that are made up."""
    area = registers["area"]
    years = [pd.Timestamp(year=year, month=6, day=1) for year in range(2011, 2027)]
    outcomes = area[["area_id", "region_id"]].merge(pd.DataFrame({"outcome_known_on": years}), how="cross")
    # Not of every place and year, so that some have no past.
    outcomes = outcomes.iloc[::3].assign(stunted=lambda rows: np.arange(len(rows)) % 2)
    return area_history(outcomes, prior_children=3.0)


def differing(registers: Mapping[str, pd.DataFrame], *, every: int) -> tuple[int, list[tuple[str, str, float, float]]]:
    """How many units were compared, and each cell in which request and batch differ."""
    built, history = build(registers, DUCKDB), past(registers)
    batch = add_history(built.units.iloc[::every].reset_index(drop=True), history, on=DUCKDB)
    asked_about = handed_over(registers)
    features = RequestFeatures(
        District(registers["area"], built.household_items), history, since=pd.Timestamp(1900, 1, 1)
    )
    found = np.full((len(batch), len(NAMES)), np.nan)
    for first in range(0, len(batch), 50):
        homes = [asked_about(unit) for _, unit in batch.iloc[first : first + 50].iterrows()]
        asked = features.of(homes)
        for n, unit in enumerate(asked.units):
            row = first + unit["asked"]
            if unit["unit_id"] == batch.unit_id[row]:
                found[row] = asked.features[n]
    features.close()
    known = batch[NAMES].to_numpy(float)
    at = np.argwhere(~((found == known) | (np.isnan(found) & np.isnan(known))))
    return len(batch), [(batch.unit_id[r], NAMES[c], found[r, c], known[r, c]) for r, c in at]


def test_every_feature_of_a_simulated_kabupaten_is_the_batchs_on_every_day_on_record(tmp_path: Path) -> None:
    simulate(tmp_path / "made", households=400, seed=7)
    ingest(tmp_path / "made" / "registers", "canonical", tmp_path / "interim", max_quarantine_share=0.2)

    compared, different = differing(read_registers(tmp_path / "interim"), every=1)

    assert compared > 500
    assert [] == different


def test_every_feature_of_the_survey_is_the_batchs(interim: Path) -> None:
    compared, different = differing(read_registers(interim), every=13)

    assert compared > 2_000
    assert [] == different


ANA = {
    "as_of": pd.Timestamp("2024-06-01"),
    "household_id": "h1",
    "child_id": "ana",
    "mother_id": "ina",
    "area_id": "desa",
    "region_id": "kecamatan",
}


def test_of_several_records_the_newest_of_the_day_counts_and_none_of_later() -> None:
    child = drawn("""
        child_id | recorded_on | birth_order
        ---------+-------------+------------
        ana      | 2024-03-11  | 1
        ana      | 2024-06-01  | 2
        ana      | 2024-06-02  | 3
        budi     | 2024-06-01  | 4
    """)

    found = newest(ANA, {"child": plain(child)})

    assert 2 == found[View.CHILD]["birth_order"]
    assert "ina" == found[View.CHILD]["mother_id"]


def test_of_pregnancies_recorded_on_one_day_the_first_by_identifier_counts() -> None:
    pregnancies = drawn("""
        pregnancy_id | child_id | recorded_on | anc_visits
        -------------+----------+-------------+-----------
        p2           | ana      | 2024-03-11  | 2
        p1           | ana      | 2024-03-11  | 1
    """)

    assert 1 == newest(ANA, {"pregnancy": plain(pregnancies)})[View.PREGNANCY]["anc_visits"]


@pytest.mark.parametrize(
    ("born_on", "mother_id", "names", "units"),
    [
        ("2024-05-10", "ina", None, ["ana"]),
        ("2024-05-10", None, "ana", ["ana"]),
        ("2024-05-10", None, None, ["ana", "pregnancy-ina"]),
        ("2024-05-10", None, "budi", ["ana", "pregnancy-ina"]),
        ("2024-02-10", None, "ana", ["ana", "pregnancy-ina"]),
    ],
)
def test_a_pregnancy_ends_with_a_birth_by_whichever_register_links_the_two(born_on, mother_id, names, units) -> None:
    day, later = pd.Timestamp("2024-03-01"), pd.Timestamp("2024-06-01")
    child = {"child_id": "ana", "recorded_on": later, "birth_date": pd.Timestamp(born_on), "mother_id": mother_id}
    pregnancy = {"pregnancy_id": "p", "mother_id": "ina", "recorded_on": later, "child_id": names}
    rows = {
        "child": [child], "pregnancy": [pregnancy],
        "maternal": [{"mother_id": "ina", "recorded_on": day, "pregnant": True}],
    }  # fmt: skip
    found, _ = units_of(Household("h1", rows), since=day)

    assert units == [one["unit_id"] for one in found]


def test_of_a_mother_who_is_not_known_nothing_is() -> None:
    mothers = [{"mother_id": None, "recorded_on": ANA["as_of"], "height_cm": 150.0}]

    assert newest(ANA | {"mother_id": None}, {"maternal": mothers})[View.MOTHER] is None


def test_an_area_without_a_past_has_that_of_its_region_and_a_round_counts_once_it_has_ended() -> None:
    history = drawn("""
        level  | place_id  | known_from | prevalence | children
        -------+-----------+------------+------------+---------
        region | kecamatan | 2023-01-01 | 0.3        | 10
        region | kecamatan | 2024-01-01 | 0.2        | 10
        region | kecamatan | 2025-01-01 | 0.1        | 10
        area   | kecamatan | 2024-01-01 | 0.9        | 10
    """)

    assert {"region_prevalence": 0.2, "area_prevalence": 0.2} == History(history).of(ANA)
