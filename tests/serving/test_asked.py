"""Whose households somebody may send to be scored."""

from __future__ import annotations

import pandas as pd
import pytest

from features.request import Household
from serving.access.scope import EVERYWHERE, NOWHERE, Scope
from serving.asked import check_places
from serving.errors import Forbidden

PLACES = {"a.1": "a", "a.2": "a", "b.1": "b", "c.1": None}
OF_A = Scope(regions=frozenset({"a"}))


def home(*areas: str) -> Household:
    rows = [{"area_id": area, "recorded_on": pd.Timestamp(2025, 1, 1 + n)} for n, area in enumerate(areas)]
    return Household("h", {"household": rows})


def test_households_of_the_regions_and_areas_that_were_given_may_be_sent():
    check_places([home("a.1"), home("a.2", "a.1")], OF_A, PLACES)
    check_places([home("b.1")], Scope(areas=frozenset({"b.1"})), PLACES)
    check_places([home("b.1"), home("nowhere"), home()], EVERYWHERE, PLACES)


@pytest.mark.parametrize("where", [("b.1",), ("a.1", "b.1"), ("c.1",), ()])
def test_a_household_that_lived_elsewhere_or_nowhere_on_any_date_may_not(where):
    with pytest.raises(Forbidden, match=r"1 of 2 households .* the first is household 1\."):
        check_places([home("a.1"), home(*where)], OF_A, PLACES)


def test_an_area_that_there_is_and_one_that_there_is_not_are_refused_in_the_same_words():
    with pytest.raises(Forbidden) as there:
        check_places([home("b.1")], OF_A, PLACES)
    with pytest.raises(Forbidden) as not_there:
        check_places([home("b.9")], OF_A, PLACES)

    assert there.value.detail == not_there.value.detail


def test_who_was_given_nothing_may_send_nothing():
    with pytest.raises(Forbidden):
        check_places([home("a.1")], NOWHERE, PLACES)
