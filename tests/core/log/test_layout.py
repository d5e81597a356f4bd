"""Names: one spelling per object, and nothing else is taken for ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.layout import (
    SegmentName,
    ShardName,
    log_key,
    parse_segment,
    parse_shard,
    segment_prefix,
)

SHA16 = st.text("0123456789abcdef", min_size=16, max_size=16)
UNITS = st.integers(0, 10**10)


@given(
    role=st.sampled_from(["data", "dropped"]),
    generation=st.integers(1, 10**5),
    units=st.tuples(UNITS, UNITS).map(sorted),
    sha16=SHA16,
)
def test_shard_name_any_range_parses_back(role, generation, units, sha16):
    name = ShardName(role, generation, *units, sha16)

    assert parse_shard(name.key) == name


@given(generation=st.integers(1, 10**5), unit=UNITS, sha16=SHA16)
def test_segment_name_any_unit_parses_back_and_lies_under_its_generation(generation, unit, sha16):
    name = SegmentName(generation, unit, sha16)

    assert parse_segment(name.key) == name
    assert name.key.startswith(segment_prefix(generation))
    assert not name.key.startswith(segment_prefix(generation + 1))
    assert not name.key.startswith(segment_prefix(generation * 10))


def test_log_keys_sort_as_their_numbers():
    numbers = [0, 9, 10, 99, 10**6, 10**9]

    assert sorted(map(log_key, reversed(numbers))) == [log_key(n) for n in numbers]


GOOD = "data/gen-0001/part-00000000-00000001-0123456789abcdef.parquet"


@pytest.mark.parametrize(
    "key",
    [
        GOOD + "\n",
        GOOD + ".tmp",
        "old/" + GOOD,
        GOOD.replace("gen-0001", "gen-00001"),
        GOOD.replace("part-00000000", "part-000000000"),
        GOOD.replace("part-00000000", "part-00000002"),
        GOOD.replace("0001/", "\u0660\u0660\u0660\u0661/"),
        GOOD.replace("abcdef", "ABCDEF"),
        GOOD.replace("data/", "staging/"),
        "data/gen-0001/README.md",
    ],
)
def test_foreign_shard_name_is_refused_by_name(key):
    with pytest.raises(CorruptCorpus, match="is not a shard name"):
        parse_shard(key)


@pytest.mark.parametrize("tail", ["\n", ".tmp", "/x"])
def test_foreign_segment_name_is_refused_by_name(tail):
    with pytest.raises(CorruptCorpus, match="is not a segment name"):
        parse_segment(SegmentName(1, 2, "0" * 16).key + tail)
