"""Where somebody may look: the query, the frame and the single place agree."""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from serving.access.scope import EVERYWHERE, NOWHERE, Scope, scope_of

REGIONS, AREAS = ["99.01.01", "99.01.02", "o'x"], ["99.01.01.1001", "99.01.02.1001", "%"]
PLACES = sa.Table("place", sa.MetaData(), *(sa.Column(name, sa.Text) for name in ("region_id", "area_id")))
SCOPES = st.builds(
    Scope, everywhere=st.booleans(), regions=st.frozensets(st.sampled_from(REGIONS)),
    areas=st.frozensets(st.sampled_from(AREAS)),
)  # fmt: skip
ROWS = st.lists(
    st.tuples(st.none() | st.sampled_from(REGIONS), st.none() | st.sampled_from(AREAS)), min_size=1, max_size=6
)
ENGINE = sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
PLACES.create(ENGINE)


@given(scope=SCOPES, rows=ROWS)
def test_query_frame_and_place_agree_on_what_is_seen(scope, rows):
    held = [scope.holds(region_id=region, area_id=area) for region, area in rows]
    frame = pd.DataFrame(rows, columns=["region_id", "area_id"])
    with ENGINE.begin() as connection:
        connection.execute(sa.delete(PLACES))
        connection.execute(sa.insert(PLACES), frame.astype(object).where(frame.notna(), None).to_dict("records"))
        seen = connection.execute(sa.select(PLACES).where(scope.within(PLACES))).all()
        counted = connection.execute(sa.select(sa.func.count()).where(sa.not_(scope.within(PLACES)))).scalar()

    assert held == scope.mask(frame).tolist()
    assert sorted(map(str, (row for row, is_so in zip(rows, held, strict=True) if is_so))) == sorted(
        map(str, map(tuple, seen))
    )
    assert counted is not None


@given(one=SCOPES, other=SCOPES, rows=ROWS)
def test_whoever_has_no_more_sees_no_more(one, other, rows):
    if one.narrower_than(other):
        assert not [
            r for r in rows if one.holds(region_id=r[0], area_id=r[1]) and not other.holds(region_id=r[0], area_id=r[1])
        ]
        assert one.within_grant(other)
    assert one.narrower_than(EVERYWHERE)
    assert NOWHERE.narrower_than(one)
    assert one == scope_of(one.as_json()) or one.everywhere


def test_a_desa_is_within_the_grant_of_its_kecamatan_and_of_no_other():
    desa = Scope(areas=frozenset({"99.01.01.1001"}))

    assert desa.within_grant(Scope(regions=frozenset({"99.01.01"})))
    assert not desa.within_grant(Scope(regions=frozenset({"99.01.02"})))
    assert not desa.within_grant(Scope(regions=frozenset({"99.01.0"})))
    assert not EVERYWHERE.within_grant(Scope(regions=frozenset({"99.01.01"})))


def test_where_nothing_is_known_only_those_who_may_look_everywhere_see_it():
    unknown = {"region_id": None, "area_id": None}

    assert EVERYWHERE.holds(**unknown)
    assert not Scope(regions=frozenset(REGIONS), areas=frozenset(AREAS)).holds(**unknown)
