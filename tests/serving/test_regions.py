"""What the scores come to by region, and that nobody's totals hold what they may not see."""

from __future__ import annotations

import pandas as pd
import pytest

from serving.access.scope import EVERYWHERE, NOWHERE, Scope
from serving.regions import by_area, seen_by

UNITS = pd.DataFrame(
    [
        ("a", "R1", "R1.1", "child", 0.5, 0.6), ("a", "R1", "R1.1", "pregnancy", None, 0.2),
        ("b", "R1", "R1.2", "child", 0.1, None), ("c", "R2", "R2.1", "child", 0.3, None),
        ("d", None, None, "child", 0.25, None),
    ],
    columns=["household_id", "region_id", "area_id", "unit_kind", "risk_now", "risk_at_24m"],
)  # fmt: skip
FACTS = pd.DataFrame(
    {"freshest_on": pd.to_datetime(["2025-05-01", "2025-06-01", "2025-07-01", None]), "stalest_on": pd.NaT},
    index=pd.Index(["a", "b", "c", "d"], name="household_id"),
)
URGENT = pd.DataFrame({"region_id": ["R1", "R2", "R2"], "area_id": ["R1.2", "R2.1", "R2.1"]})
KNOWN = pd.DataFrame(
    [("R1.1", "Suka", "R1", "Satu"), ("R1.2", "Maju", "R1", "Satu"), ("R1.3", "Sepi", "R1", "Satu"),
     ("R2.1", "Jaya", "R2", "Dua")],
    columns=["area_id", "area_name", "region_id", "region_name"],
)  # fmt: skip
AREAS = by_area(UNITS, FACTS, urgent=URGENT, known=KNOWN)


def told(seen):
    return [(r.region_id, r.totals.households, r.totals.urgent, [a.area_id for a in r.areas]) for r in seen.regions]


@pytest.mark.parametrize(
    ("scope", "expected", "households"),
    [
        (EVERYWHERE, [("R1", 2, 1, ["R1.1", "R1.2", "R1.3"]), ("R2", 1, 2, ["R2.1"]), (None, 1, 0, [None])], 4),
        (Scope(regions=frozenset({"R1"})), [("R1", 2, 1, ["R1.1", "R1.2", "R1.3"])], 2),
        (Scope(areas=frozenset({"R1.2"})), [("R1", 1, 1, ["R1.2"])], 1),
        (
            Scope(regions=frozenset({"R2"}), areas=frozenset({"R1.1"})),
            [("R1", 1, 0, ["R1.1"]), ("R2", 1, 2, ["R2.1"])], 2,
        ),
        (NOWHERE, [], 0),
    ],
)  # fmt: skip
def test_totals_are_of_what_somebody_may_see_and_of_nothing_else(scope, expected, households):
    seen = seen_by(AREAS, scope)

    assert expected == told(seen)
    assert households == seen.totals.households
    assert households == sum(region.totals.households for region in seen.regions)


def test_what_is_expected_adds_up_and_an_area_without_scores_has_none():
    satu = seen_by(AREAS, Scope(regions=frozenset({"R1"}))).regions[0]
    suka, _, sepi = satu.areas

    assert ("Satu", 0.6, 0.8) == (satu.region_name, satu.totals.expected_stunted_now, satu.totals.expected_stunted_24m)
    assert (1, 1, 0.5) == (suka.totals.children, suka.totals.pregnancies, suka.totals.expected_stunted_now)
    assert ("Sepi", 0, 0.0, None) == (
        sepi.area_name, sepi.totals.households, sepi.totals.expected_stunted_now, sepi.totals.freshest_on,
    )  # fmt: skip
    assert "2025-06-01" == str(satu.totals.freshest_on)


class TestOverHttp:
    pytestmark = pytest.mark.xdist_group("serving-2")

    def test_totals_agree_with_the_scores(self, server, kabupaten, scores):
        told = server.client.get("/v1/regions").json()
        urgent = pd.read_parquet(kabupaten.folder / "data/scores/urgent.parquet")

        assert scores.household_id.nunique() == told["total"]["households"]
        assert pytest.approx(scores.risk_now.sum(), abs=1e-4) == told["total"]["expected_stunted_now"]
        assert len(urgent) == told["total"]["urgent"]
        assert scores.model_version.iloc[0] == told["model_stamp"]
        assert told["simulated"] is True
        by_region = scores.groupby(scores.region_id.fillna("")).risk_at_24m.sum()
        for one in told["regions"]:
            assert pytest.approx(by_region.get(one["region_id"] or "", 0), abs=1e-4) == one["expected_stunted_24m"]
            assert one["households"] == sum(area["households"] for area in one["areas"])

    def test_one_region_is_as_in_the_list_and_an_unknown_one_is_not_found(self, server):
        first = server.client.get("/v1/regions").json()["regions"][0]

        assert first == server.client.get(f"/v1/regions/{first['region_id']}").json()
        assert 404 == server.client.get("/v1/regions/99.99.99").status_code
