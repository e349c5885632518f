"""Lists looked through: sorted, filtered, searched and paged, whole or in part, in both databases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from features.errors import InputRefused
from serving.access.scope import Scope
from serving.access.who import ANYBODY
from serving.assignments import NOBODY, Assignments, GivenMeanwhile
from serving.bands import band_of
from serving.browsing import ORDERS, Browsing, Wanted
from serving.decisions import NotOnTheList
from serving.list_totals import at_the_boundary, totals
from serving.plan_store import PlanStore
from serving.retention import PARTS
from serving.store import StoreRefused, open_store
from serving.tables import assignment
from targeting.worklist import Worklist
from tests.serving.plans import planned
from tests.serving.published import NOON, heading

pytestmark = pytest.mark.xdist_group("postgres")
COUNT = 137
WIDE = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
"""Digits in the full width form."""
PART = replace(ANYBODY, name="sebagian", scope=Scope(regions=frozenset({"R1"}), areas=frozenset({"A4"})))
BOTH = pytest.mark.parametrize("who", [ANYBODY, PART], ids=["whole", "a part"])
WANTED = [
    Wanted(), Wanted(region="R1"), Wanted(area="A4"), Wanted(band="high"), Wanted(service="air"), Wanted(search="7"),
    Wanted(search="RUMAH-01"), Wanted(search="%"), Wanted(band="low", service="jamban", region="R2"),
]  # fmt: skip


def lines() -> pd.DataFrame:
    """Households of three regions with equal risks, areas and dates, and some without."""
    drawn = np.random.default_rng(7)
    place = drawn.integers(0, 6, COUNT)
    unmet = [["", "air", "jamban", "air; jamban", "airbersih; jamban"][n] for n in drawn.integers(0, 5, COUNT)]
    days = pd.Timestamp("2024-05-01") - pd.to_timedelta(drawn.integers(0, 9, COUNT), "D")
    rows = pd.DataFrame({"rank": range(1, COUNT + 1), "household_id": [f"rumah-{n:03d}" for n in range(COUNT)]})
    rows["household_id"] = drawn.permutation(rows.household_id.to_numpy())
    rows = rows.assign(
        region_id=[None if n == 5 else f"R{n % 3}" for n in place],
        area_id=[None if n == 5 else f"A{n}" for n in place],
        area_name="Desa", unit_count=1, risk=drawn.integers(1, 40, COUNT) / 100, unmet=unmet,
        freshest_on=pd.Series(days).where(pd.Series(drawn.integers(0, 9, COUNT)) > 0), stalest_on=None,
        risk_low=None, risk_high=None,
    )  # fmt: skip
    return rows.assign(expected_stunted=rows.risk)


@pytest.fixture(scope="module")
def stored(dialect, address):
    store = open_store(address(dialect), wait_ms=60_000)
    rows = lines()
    listed = store.publish(Worklist(rows=rows, capacity=COUNT, eligible=COUNT, salt="s", regions=None), heading())
    yield store, listed, rows
    store.close()


def seen(rows, who):
    """The same rows as somebody sees them."""
    part = rows[who.scope.mask(rows)].sort_values("rank")
    return part.assign(rank=range(1, len(part) + 1)) if who is PART else part


def expected(rows, wanted):
    """By pandas, what is wanted, in its order."""
    kept = rows
    for name in ("region", "area"):
        if getattr(wanted, name) is not None:
            kept = kept[kept[f"{name}_id"] == getattr(wanted, name)]
    if wanted.band is not None:
        kept = kept[np.array([band_of(risk).name == wanted.band for risk in kept.risk], dtype=bool)]
    if wanted.service is not None:
        kept = kept[np.array([wanted.service in cell.split("; ") for cell in kept.unmet], dtype=bool)]
    if wanted.search is not None:
        kept = kept[kept.household_id.str.contains(wanted.search.lower(), regex=False)]
    name = wanted.order.removeprefix("-")
    column = {"rank": "rank", "risk": "risk", "area": "area_id", "freshest": "freshest_on"}[name]
    nothing = {"area": "", "freshest": pd.Timestamp("1900-01-01")}.get(name, 0)
    key = kept[column].astype(object).where(kept[column].notna(), nothing)
    kept = kept.assign(key=key).sort_values(["key", "rank"], ascending=[not wanted.order.startswith("-"), True])
    return list(zip(kept["rank"], kept.household_id, strict=True))


def walked(store, listed, wanted, *, who):
    """All pages there and back again, by what each says of the next."""
    browsing, found = Browsing(store.database), store.worklist(listed.id, who=who)
    page = browsing.page(found, wanted, limit=20, who=who)
    there = [page]
    while page.later:
        page = browsing.page(found, wanted, limit=20, who=who, after=page.lines[-1].household_id)
        there.append(page)
    back = [page]
    while page.earlier:
        page = browsing.page(found, wanted, limit=20, who=who, before=page.lines[0].household_id)
        back.append(page)
    return there, back


@BOTH
@pytest.mark.parametrize("order", [*ORDERS, *(f"-{name}" for name in ORDERS)])
def test_every_order_is_walked_there_and_back_with_each_line_once(stored, who, order):
    store, listed, rows = stored
    there, back = walked(store, listed, Wanted(order=order), who=who)

    found = [(line.rank, line.household_id) for page in there for line in page.lines]
    assert expected(seen(rows, who), Wanted(order=order)) == found
    assert found == [(line.rank, line.household_id) for page in back[::-1] for line in page.lines]
    assert {len(found)} == {page.total for page in (*there, *back)}
    assert (False, False) == (there[0].earlier, there[-1].later)


@BOTH
@pytest.mark.parametrize("wanted", WANTED, ids=str)
def test_what_is_wanted_is_found_and_counted(stored, who, wanted):
    store, listed, rows = stored
    for order in ("rank", "-risk"):
        there, _ = walked(store, listed, replace(wanted, order=order), who=who)
        found = [(line.rank, line.household_id) for page in there for line in page.lines]
        assert expected(seen(rows, who), replace(wanted, order=order)) == found
        assert len(found) == there[0].total


def test_no_page_begins_at_a_household_of_others(stored):
    store, listed, rows = stored
    far = rows[~PART.scope.mask(rows)].household_id.iloc[0]
    found = store.worklist(listed.id, who=PART)
    for household in (far, "rumah-999"):
        with pytest.raises(InputRefused, match="a household that is not on the list"):
            Browsing(store.database).page(found, Wanted(), limit=5, who=PART, after=household)


@pytest.mark.parametrize(("wanted", "why"), [({"band": "huge"}, "band"), ({"order": "household_id"}, "order")])
def test_a_band_or_an_order_that_there_is_not_is_refused(wanted, why):
    with pytest.raises(InputRefused, match=f"an unknown {why}"):
        Wanted(**wanted)


@BOTH
def test_totals_are_those_of_the_lines_that_somebody_sees(stored, who):
    store, listed, rows = stored
    made = totals(store.database, store.worklist(listed.id, who=who), who=who)
    ours = seen(rows, who)

    assert (len(ours), pytest.approx(ours.expected_stunted.sum())) == (made.lines, made.expected)
    assert ours.groupby("area_id").size().to_dict() == {p.area_id: p.lines for p in made.places if p.area_id}
    assert len(ours) == sum(made.bands.values()) == sum(place.lines for place in made.places)
    assert {"air": sum("air" in c.split("; ") for c in ours.unmet)}.items() <= made.unmet.items()
    assert sum("jamban" in c for c in ours.unmet) == made.unmet["jamban"]


def test_the_boundary_is_told_of_a_whole_list_alone(stored):
    store, _, rows = stored
    rows = rows.sort_values("risk", ascending=False).assign(
        rank=range(1, COUNT + 1), risk_low=lambda made: made.risk - 0.05, risk_high=lambda made: made.risk + 0.05
    )
    short = Worklist(rows=rows.head(50), capacity=50, eligible=COUNT, salt="s", regions=None)
    listed = store.publish(short, heading("pendek"))
    whole, part = (totals(store.database, store.worklist(listed.id, who=who), who=who) for who in (ANYBODY, PART))
    cut = rows.risk.iloc[49]

    assert ({None: cut}, None) == (whole.cuts, part.cuts)
    for line in store.page(listed.id, after_rank=0, limit=50, who=ANYBODY):
        assert (line.risk <= cut + 0.05 + 1e-9) == at_the_boundary(line, whole.cuts)
        assert at_the_boundary(line, part.cuts) is None


def test_of_a_plan_the_boundary_is_the_last_one_there_for_its_value(stored):
    store, *_ = stored
    listed = PlanStore(store.database).publish_plan(planned(), heading("rencana"))
    made = totals(store.database, store.worklist(listed.id, who=ANYBODY), who=ANYBODY)
    of_value = [
        one.risk for one in store.page(listed.id, after_rank=0, limit=9, who=ANYBODY) if one.chosen_for == "value"
    ]

    assert {"find": of_value[-1]} == made.cuts


def so_far(store, listed, who=ANYBODY):
    return Assignments(store.database).made(store.worklist(listed.id, who=who), who=who)


def given(store, listed, to, *households, who=ANYBODY, seen=None):
    noted, seen = [], so_far(store, listed, who) if seen is None else seen
    count = Assignments(store.database).assign(
        listed.id, households, to=to, seen=seen, at=NOON, who=who, note=lambda _, changed: noted.append(changed)
    )
    return count, noted


def test_the_newest_assignment_counts_and_the_same_again_is_none(stored):
    store, _, rows = stored
    listed = store.publish(Worklist(rows=rows, capacity=COUNT, eligible=COUNT, salt="s", regions=None), heading("tim"))
    one, two, three = rows.household_id.iloc[:3]

    assert (2, [tuple(sorted((one, two)))]) == given(store, listed, " Kader Melati ", one, two)
    assert (0, [()]) == given(store, listed, "Kader Melati", one, two)
    assert (1, [(one,)]) == given(store, listed, "siti.puskesmas", one)
    assert (1, [(two,)]) == given(store, listed, None, two)
    assert (0, [()]) == given(store, listed, None, three)

    found = store.worklist(listed.id, who=ANYBODY)
    assert {"siti.puskesmas": 1} == Assignments(store.database).teams(found, who=ANYBODY)
    theirs, nobodys = (
        Browsing(store.database).page(found, Wanted(assigned_to=name), limit=COUNT, who=ANYBODY)
        for name in ("siti.puskesmas", NOBODY)
    )
    assert [one] == [line.household_id for line in theirs.lines]
    assert (COUNT - 1, True) == (nobodys.total, one not in {line.household_id for line in nobodys.lines})


def test_what_was_given_to_others_after_it_was_seen_is_not_overruled(stored):
    store, _, rows = stored
    listed = store.publish(Worklist(rows=rows, capacity=COUNT, eligible=COUNT, salt="s", regions=None), heading("dulu"))
    one, two, three = sorted(rows.household_id.iloc[:3])
    before = so_far(store, listed)
    given(store, listed, "Kader Melati", one, seen=before)
    given(store, listed, "siti", one, two)
    given(store, listed, None, two)
    found = store.worklist(listed.id, who=ANYBODY)

    with pytest.raises(GivenMeanwhile, match="2 households") as refusal:
        given(store, listed, "Kader Melati", one, two, three, seen=before)
    assert {one: "siti", two: None} == refusal.value.now
    with pytest.raises(GivenMeanwhile):
        given(store, listed, None, one, three, seen=before)
    assert {"siti": 1} == Assignments(store.database).teams(found, who=ANYBODY)
    assert (1, [(three,)]) == given(store, listed, "siti", one, three, seen=before)
    assert (0, [()]) == given(store, listed, None, two, seen=before)
    assert (3, [(one, two, three)]) == given(store, listed, "Kader Melati", one, two, three)


def test_how_many_were_given_is_told_of_what_somebody_sees(stored):
    store, _, rows = stored
    listed = store.publish(Worklist(rows=rows, capacity=COUNT, eligible=COUNT, salt="s", regions=None), heading("baru"))
    inside = PART.scope.mask(rows)
    near, far = rows[inside].household_id.iloc[0], rows[~inside].household_id.iloc[0]

    assert 0 == so_far(store, listed)
    given(store, listed, "Kader Dekat", near)
    theirs = so_far(store, listed)
    given(store, listed, "Kader Jauh", far)
    assert (1, 1, 2) == (theirs, so_far(store, listed, who=PART), so_far(store, listed))
    given(store, listed, "Kader Baru", near, who=PART, seen=theirs)
    given(store, listed, "Kader Jauh Sekali", far)
    assert (2, 4) == (so_far(store, listed, who=PART), so_far(store, listed))
    with pytest.raises(GivenMeanwhile):
        given(store, listed, "Kader Dekat", near, who=PART, seen=theirs)
    assert 1 == given(store, listed, "Kader Dekat", near, who=PART, seen=2)[0]


def test_who_sees_a_part_gives_and_counts_that_part_alone(stored):
    store, _, rows = stored
    listed = store.publish(Worklist(rows=rows, capacity=COUNT, eligible=COUNT, salt="s", regions=None), heading("dua"))
    inside = PART.scope.mask(rows)
    near, far = rows[inside].household_id.iloc[0], rows[~inside].household_id.iloc[0]

    given(store, listed, "Kader Jauh", far)
    with pytest.raises(NotOnTheList, match="does not know all of these"):
        given(store, listed, "Kader", near, far, who=PART)
    assert 1 == given(store, listed, "Kader Dekat", near, who=PART)[0]
    found = store.worklist(listed.id, who=PART)
    assert {"Kader Dekat": 1} == Assignments(store.database).teams(found, who=PART)
    assert 0 == Browsing(store.database).page(found, Wanted(assigned_to="Kader Jauh"), limit=5, who=PART).total


@pytest.mark.parametrize(
    "to", ["", "  ", "-", "x" * 101, "kader 3201010101010001", "3201010101010001".translate(WIDE), "a\nb"],
    ids=["empty", "blank", "nobody", "long", "a NIK", "a NIK in wide digits", "two lines"],
)  # fmt: skip
def test_nobody_is_called_so(stored, to):
    store, listed, rows = stored
    with pytest.raises(InputRefused):
        given(store, listed, to, rows.household_id.iloc[0])


def test_the_database_refuses_to_change_an_assignment(stored):
    store, listed, rows = stored
    given(store, listed, "Kader", rows.household_id.iloc[5])
    before = Assignments(store.database).teams(found := store.worklist(listed.id, who=ANYBODY), who=ANYBODY)
    with pytest.raises(StoreRefused), store.database.writing() as connection:
        connection.execute(sa.update(assignment).values(assigned_to="orang lain"))
    assert before == Assignments(store.database).teams(found, who=ANYBODY)


def test_an_assignment_goes_with_its_list():
    assert assignment in PARTS
