"""The rows to mend: counted, handed over without harm, and kept from who sees some regions only."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import pandas as pd
import pytest

from features.ingest import ingest
from serving.access.scope import Scope
from serving.access.who import ANYBODY
from serving.errors import Forbidden, NothingScored
from serving.quarantined import quarantines, shielded, to_mend
from serving.routes.quarantine import check_everywhere

HOSTILE = "=cmd|'/c calc'!A1"


@pytest.fixture(scope="module")
def interim(tmp_path_factory):
    """What the stage `ingest` makes of a register with hostile cells."""
    raw, out = tmp_path_factory.mktemp("raw"), tmp_path_factory.mktemp("made") / "interim"
    pd.DataFrame(
        {"area_id": ["99.01.01.1001", HOSTILE, "99.01.01.1003"], "region_id": "99.01.01",
         "area_name": ["@SUM(A1)", "Maju", "-1+1"], "altitude_m": [9_999_999.5, 10, -3.5]}
    ).to_csv(raw / "area.csv", index=False)  # fmt: skip
    pd.DataFrame({"household_id": ["h1"], "recorded_on": ["2024-01-01"], "area_id": ["99.01.01.1003"]}).to_csv(
        raw / "household.csv", index=False
    )
    pd.DataFrame(
        {"child_id": ["c1"], "household_id": ["h1"], "recorded_on": ["2024-01-01"], "birth_date": ["2023-01-01"],
         "sex": ["m"]}
    ).to_csv(raw / "child.csv", index=False)  # fmt: skip
    pd.DataFrame(
        {"child_id": ["c1"], "measured_on": ["2024-01-01"], "recorded_on": ["2024-01-01"], "height_cm": [70]}
    ).to_csv(raw / "measurement.csv", index=False)
    ingest(raw, "canonical", out, max_quarantine_share=1.0)
    return out


def cells_of(pieces):
    return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))


def test_every_row_read_is_accepted_or_in_quarantine_with_reasons_that_add_up(interim):
    found, _ = quarantines(interim)
    by_name = {one.name: one for one in found}

    assert all(one.read == one.accepted + one.quarantined for one in found)
    assert by_name["area"].quarantined == 2
    assert len(pd.read_csv(interim / "quarantine/area.csv")) == sum(r.faults for r in by_name["area"].reasons)
    assert HOSTILE not in repr(found)


def test_nothing_in_the_file_runs_and_numbers_stay_numbers(interim):
    rows = cells_of(shielded(to_mend(interim, "area")))

    assert "9999999.5" in {cell for row in rows for cell in row}
    assert f"'{HOSTILE}" in {cell for row in rows for cell in row}
    starts = [cell for row in rows for cell in row if cell[:1] in set("=+@\t\r")]
    assert [] == starts


def test_a_file_that_somebody_put_in_its_place_is_shielded_too(tmp_path):
    (tmp_path / "quarantine").mkdir()
    evil = ["=1+1", "+cmd", "-2+3", "@A1", " =A1", "\t=A1", "x;=A1", "\u202e=A1", "-3.5", "1e3", "'x"]
    with (tmp_path / "quarantine/child.csv").open("w", newline="") as file:
        csv.writer(file).writerow(evil)
    [row] = cells_of(shielded(to_mend(tmp_path, "child")))

    assert ["'=1+1", "'+cmd", "'-2+3", "'@A1", "' =A1", "' =A1", "x;'=A1", "'=A1", "-3.5", "1e3", "'x"] == row


@pytest.mark.parametrize("name", ["../../../etc/passwd", "nothing", "", "CHILD", "child\x00"])
def test_only_registers_have_a_file(interim, name):
    assert to_mend(interim, name) is None


def test_without_an_account_nothing_was_taken_in(tmp_path):
    (tmp_path / "ingest.json").write_text("{half")
    for where in (tmp_path, tmp_path / "none"):
        with pytest.raises(NothingScored, match="No register was taken in yet"):
            quarantines(where)


class Noting:
    """A request whose service keeps what it is told to note."""

    def __init__(self):
        self.noted = []
        self.app = self.state = self.trail = self
        self.parts = self
        self.request_id, self.headers = "r", {}

    def note(self, *entries):
        self.noted += entries


def test_who_sees_some_regions_only_is_told_why_not_and_it_is_noted():
    request = Noting()
    somebody = dataclasses.replace(ANYBODY, scope=Scope(regions=frozenset({"99.01.01"})))
    with pytest.raises(Forbidden, match="only who may look everywhere"):
        check_everywhere(request, somebody)
    assert [("quarantine.see", "forbidden")] == [(one.act, one.outcome) for one in request.noted]
    assert check_everywhere(request, ANYBODY) is None


class TestOverHttp:
    pytestmark = pytest.mark.xdist_group("serving-2")

    def test_counts_and_files_agree_with_what_ingest_wrote(self, server, kabupaten):
        folder = kabupaten.folder / "data/interim"
        account = json.loads((folder / "ingest.json").read_text())["registers"]
        told = {one["register"]: one for one in server.client.get("/v1/quarantine").json()["registers"]}
        answer = server.client.get("/v1/quarantine/measurement")
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))

        assert account == {
            name: {key: one[key] for key in ("read", "accepted", "quarantined", "absent")} for name, one in told.items()
        }
        assert pd.read_csv(folder / "quarantine/measurement.csv", dtype=str).row.tolist() == [r["row"] for r in rows]
        assert 'attachment; filename="quarantine-measurement.csv"' == answer.headers["content-disposition"]
        assert [404, 404] == [server.client.get(f"/v1/quarantine/{n}").status_code for n in ("none", "..%2Fingest")]
