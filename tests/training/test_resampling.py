"""What every resample of whole clusters must obey."""

import math

import numpy as np

from training.resampling import interval, resamples

CLUSTER = np.array(["a", "a", "b", "c", "c", "c"])


def test_the_rows_of_a_cluster_are_drawn_together():
    for count in resamples(CLUSTER, 20, seed=1):
        assert count[0] == count[1]
        assert 1 == len(set(count[3:]))


def test_as_many_clusters_are_drawn_as_there_are():
    for count in resamples(CLUSTER, 20, seed=1):
        assert 3 == count[0] + count[2] + count[3]


def test_the_same_seed_draws_the_same_clusters():
    once, again = (np.array(list(resamples(CLUSTER, 5, seed=3))) for _ in "ab")

    assert (once == again).all()


def test_an_interval_of_nothing_known_is_unknown():
    assert all(math.isnan(end) for end in interval([math.nan, math.nan]))
