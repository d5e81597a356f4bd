"""The plan of shards holds every row once; options, columns and size categories."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.export.exports import (
    Options,
    chosen_columns,
    differing,
    even,
    shard_plan,
    size_category,
    spread,
)
from seedcorn.core.export.mixture import Weights

sizes = st.floats(0.5, 1e5)


@given(st.integers(0, 20_000), sizes, sizes, st.integers(1, 10**7), st.integers(1, 10**7))
def test_plan_holds_every_row_in_exactly_one_group_of_one_shard(
    rows, encoded, decoded, target, group
):
    planned = shard_plan(rows, encoded, decoded, target, group)
    flat = [(start, stop) for shard in planned.shards for start, stop in shard.groups]
    assert flat == planned.groups
    assert all(start < stop for start, stop in flat)
    assert [start for start, _ in flat] == [0, *(stop for _, stop in flat[:-1])][: len(flat)]
    assert (flat[-1][1] if flat else 0) == rows
    for number, shard in enumerate(planned.shards):
        assert shard.number == number
        assert (shard.start, shard.stop) == (shard.groups[0][0], shard.groups[-1][1])
    lengths = {shard.stop - shard.start for shard in planned.shards}
    assert not lengths or max(lengths) - min(lengths) <= 1
    assert all(stop - start <= max(1, group / decoded) for start, stop in flat)


def test_shards_come_near_their_target():
    planned = shard_plan(1_000_000, 900.0, 2000.0, target=256 << 20)
    assert {shard.stop - shard.start for shard in planned.shards} == {250_000}
    assert all(15_600 < stop - start <= 16_777 for start, stop in planned.groups)


def test_plan_of_little_is_one_shard_and_of_nothing_none():
    assert [shard.stop for shard in shard_plan(5, 100.0, 100.0).shards] == [5]
    assert shard_plan(0, 0.0, 0.0).shards == ()


def test_even_ranges_and_spread_numbers():
    assert even(3, 10, 3) == [(3, 5), (5, 7), (7, 10)]
    assert even(3, 5, 9) == [(3, 4), (4, 5)]
    assert even(3, 3, 2) == []
    assert spread(20, 4) == [0, 5, 10, 15]
    assert spread(2, 8) == [0, 1]


@pytest.mark.parametrize(
    ("rows", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (300_000, "100K<n<1M"),
     (10**9, "1B<n<10B"), (10**12 - 1, "100B<n<1T"), (10**12, "n>1T"), (10**15, "n>1T")],
)  # fmt: skip
def test_size_category_is_the_hubs(rows, name):
    assert size_category(rows) == name


def test_columns_are_in_one_order_and_always_have_what_withdrawals_need():
    assert chosen_columns("model, text") == ("id", "text", "generation", "stratum", "model")
    with pytest.raises(ValueError, match="no column keys, words; there are id, text"):
        chosen_columns("keys,text,words")
    with pytest.raises(ValueError, match="none given"):
        chosen_columns(" , ")


def test_fingerprint_covers_every_option():
    default = Options()
    others = [
        Options(generations=(1,)),
        Options(strata=("tell",)),
        Options(columns=chosen_columns("text")),
        Options(weights=Weights({"tell": 2.0})),
        Options(shuffle=False),
        Options(seed=1),
    ]
    assert len({one.fingerprint for one in [default, *others]}) == 7
    for one in others:
        assert len(differing(default.described(), one.described())) == 1
    assert differing(default.described(), Options(seed=1).described()) == ["seed: there 0, here 1"]


def test_copy_column_is_there_where_something_repeats():
    assert Options(weights=Weights({"tell": 2.0})).names[-1] == "copy"
    assert "copy" not in Options(weights=Weights({"tell": 0.2})).names


def test_shuffle_key_depends_on_seed_and_place_in_the_log():
    keys = {Options(seed=s).shuffle_key(at) for s in (0, 1) for at in (0, 9)}
    assert len(keys) == 4
    assert Options(shuffle=False).shuffle_key(0) is None


def test_filters_take_what_both_name():
    options = Options(generations=(1, 2), strata=("tell",))
    assert options.takes(1, "tell")
    assert not options.takes(3, "tell")
    assert not options.takes(1, "ask")
