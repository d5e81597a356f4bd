"""Which clusters are held back: by the hash of their name alone, and nothing that could be drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.holdout.roles import FREE, OPEN, ROLES, assigned

NAMES = np.random.default_rng(1).integers(0, 2**64, 30_000, np.uint64)


def fresh(count):
    return np.full(count, OPEN, np.int8)


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_each_role_gets_a_third_of_the_share_within_chance(share):
    roles = assigned(NAMES, fresh(len(NAMES)), share)
    expected = share / 3 * len(NAMES)
    for role in range(len(ROLES)):
        assert abs((roles == role).sum() - expected) < 4 * np.sqrt(expected)
    assert (roles >= 0).sum() <= share * len(NAMES)


@given(order=st.permutations(range(300)), share=st.sampled_from([0.03, 0.1]))
@settings(max_examples=20, deadline=None)
def test_roles_in_any_order_are_the_same_and_clusters_stay_whole(order, share):
    names = np.repeat(NAMES[:100], 3)
    roles = assigned(names, fresh(300), share)
    assert (roles.reshape(100, 3) == roles.reshape(100, 3)[:, :1]).all()
    assert assigned(names[list(order)], fresh(300), share).tolist() == roles[list(order)].tolist()


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=80))
@settings(max_examples=50, deadline=None)
def test_no_more_than_the_share_is_held_and_no_cluster_larger_than_a_role(sizes):
    names = np.repeat(NAMES[: len(sizes)], sizes)
    roles = assigned(names, fresh(len(names)), 0.1)
    assert (roles >= 0).sum() <= 0.1 * len(names)
    assert all(roles[names == n][0] == FREE for n in names if (names == n).sum() > len(names) / 30)


def test_share_of_zero_holds_nothing():
    assert (assigned(NAMES, fresh(len(NAMES)), 0.0) == FREE).all()


def test_more_documents_change_no_role_but_where_the_limit_cuts():
    few = assigned(NAMES[:20_000], fresh(20_000), 0.1)
    many = assigned(NAMES, fresh(len(NAMES)), 0.1)[:20_000]
    assert set(ROLES.index("test") if a != b else -1 for a, b in zip(few, many, strict=True)) <= {
        -1,
        ROLES.index("test"),
    }


def test_cluster_is_held_by_its_own_hash_and_not_to_fill_the_share():
    free = NAMES[assigned(NAMES, fresh(len(NAMES)), 0.1) == FREE]
    assert (assigned(free, fresh(len(free)), 0.05) == FREE).all()


def test_what_joins_a_cluster_later_is_drawn_or_held_as_the_cluster_is():
    held = int(np.flatnonzero(assigned(NAMES, fresh(len(NAMES)), 0.1) == 1)[0])
    names = np.array([NAMES[held], NAMES[held], 7, 7, 8, 8, 8, 8], np.uint64)
    decided = np.array([FREE, OPEN, 2, OPEN, FREE, 0, OPEN, OPEN], np.int8)

    roles = assigned(names, decided, 0.1).tolist()

    assert roles == [FREE, FREE, 2, 2, FREE, 0, FREE, FREE]
