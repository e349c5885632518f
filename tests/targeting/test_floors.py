"""How floors become whole households."""

from fractions import Fraction
from math import floor

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targeting.floors import rounded, shares_rounded

counts = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), st.integers(0, 500), max_size=30)
shares = st.one_of(st.integers(0, 100).map(lambda percent: percent / 100), st.floats(0, 1))


def shared(share, found, *, salt="round-1"):
    return shares_rounded(share, pd.Series(found, dtype="int64"), salt=salt).to_dict()


def test_the_places_left_go_to_those_who_lost_most_by_rounding():
    # A tenth: 1.4, 1.7 and 0.9 households, four in all.
    assert {"hulu": 1, "kota": 2, "laut": 1} == shared(0.1, {"hulu": 14, "kota": 17, "laut": 9})


def test_the_total_is_rounded_half_up():
    assert {"hulu": 1} == shared(0.1, {"hulu": 5})
    assert {"hulu": 0} == shared(0.1, {"hulu": 4})


def test_a_share_is_taken_as_it_is_written():
    # In binary 0.07 x 50 is a little more than 3.5, and 0.29 x 50 a little less than 14.5.
    assert (4, 15) == (rounded(0.07, 50), rounded(0.29, 50))
    assert {"hulu": 29} == shared(0.29, {"hulu": 100})


def test_equal_losses_fall_by_the_name_of_the_round():
    # A tenth of 5 each: half a household, one of two. SHA-256 of round-1|... and round-3|... order them differently.
    homes = {"hulu": 5, "laut": 5}
    found = {salt: shared(0.1, homes, salt=salt) for salt in ("round-1", "round-2", "round-3", "round-4", "round-5")}

    assert all(1 == sum(one.values()) for one in found.values())
    assert {"hulu", "laut"} == {max(one, key=one.get) for one in found.values()}
    assert found["round-1"] == shared(0.1, dict(reversed(homes.items())), salt="round-1")


@given(shares, counts)
def test_the_floors_add_up_to_the_share_of_all(share, found):
    total = Fraction(str(share)) * sum(found.values())

    assert floor(total + Fraction(1, 2)) == sum(shared(share, found).values())


@given(shares, counts)
def test_no_floor_is_a_whole_household_off_its_share(share, found):
    for group, places in shared(share, found).items():
        assert abs(places - Fraction(str(share)) * found[group]) < 1


@given(shares, counts)
def test_no_group_gets_more_than_it_has(share, found):
    for group, places in shared(share, found).items():
        assert 0 <= places <= found[group]


@given(shares, counts, st.randoms(use_true_random=False))
def test_the_order_of_the_groups_does_not_matter(share, found, chance):
    turned = dict(chance.sample(list(found.items()), k=len(found)))

    assert shared(share, found) == shared(share, turned)


@given(counts)
def test_a_share_of_all_is_all_and_of_nothing_none(found):
    assert found == shared(1.0, found)
    assert dict.fromkeys(found, 0) == shared(0.0, found)


@pytest.mark.parametrize(
    ("share", "homes", "said"),
    [
        (4, {"hulu": 5}, "share is 4; allowed: 0 to 1. Give 0.04"),
        (-0.1, {"hulu": 5}, "share is -0.1"),
        (float("nan"), {"hulu": 5}, "share is nan"),
        (0.1, {"hulu": 5, "laut": 2.5}, "1 counts are not whole or below 0; first: 'laut' has 2.5"),
        (0.1, {"hulu": -1}, "first: 'hulu' has -1"),
        (0.1, {"hulu": float("nan")}, "first: 'hulu' has nan"),
        (0.1, {None: 5}, "1 groups are null or stand twice"),
    ],
)
def test_what_is_no_share_or_no_count_is_refused(share, homes, said):
    with pytest.raises(ValueError, match=said):
        shares_rounded(share, pd.Series(homes), salt="round-1")


def test_a_group_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="1 groups are null or stand twice; first: 'hulu'"):
        shares_rounded(0.1, pd.Series([3, 4], index=["hulu", "hulu"]), salt="round-1")
