"""The manifest: it reads back, adds up, and refuses what is not its own."""

import json
from dataclasses import replace

import pytest

from seedcorn.core.errors import CorruptCorpus, FormatError
from seedcorn.core.export.exports import ExportError, Options
from seedcorn.core.export.manifest import (
    Increment,
    LeftOut,
    Manifest,
    Shard,
    decode,
    empty,
    encode,
    require_same_options,
    shard_key,
    version,
    without,
)

SHARDS = (Shard(shard_key(0, 0, "ab" * 32), 3, 30, "ab" * 32), Shard("data/y", 4, 40, "cd" * 32))
FIRST = Increment(
    0, 9, 6, {"1": {"ask": 2, "tell": 5}}, LeftOut(2, 1, 4), ("m@1",), SHARDS
)  # fmt: skip
SECOND = Increment(9, 15, 1, {"1": {"tell": 1}, "10": {"ask": 1}, "2": {"tell": 1}},
                   LeftOut(1), ("m@1", "n"), (Shard("data/z", 3, 5, "ef" * 32),))  # fmt: skip
WHOLE = replace(empty(Options()), sequence=15, head="12" * 32, increments=(FIRST, SECOND))


def test_manifest_reads_back_as_it_was_written():
    assert decode(encode(WHOLE), "here") == WHOLE
    assert encode(decode(encode(WHOLE), "here")) == encode(WHOLE)


def test_totals_are_sums_over_increments():
    assert (WHOLE.rows, WHOLE.bytes, WHOLE.samples) == (10, 75, 7)
    assert [shard.key for shard in WHOLE.shards][-1] == "data/z"
    assert WHOLE.left_out == LeftOut(3, 1, 4)
    assert WHOLE.models == ["m@1", "n"]
    assert list(WHOLE.counts.items()) == [
        ("1", {"ask": 2, "tell": 6}),
        ("2", {"tell": 1}),
        ("10", {"ask": 1}),
    ]


def test_withdrawn_rows_leave_the_counts_and_are_counted_as_left_out():
    smaller = without(FIRST, SHARDS[1:], {"1": {"tell": 3}}, 2)
    assert smaller.counts == {"1": {"ask": 2, "tell": 2}}
    assert (smaller.rows, smaller.samples, smaller.left_out.withdrawn) == (4, 4, 3)


def test_version_grows_with_increments_and_more_with_rewrites():
    assert version(empty(Options())) == "1.0.0"
    assert version(WHOLE) == "1.1.0"
    assert version(replace(WHOLE, rewrites=2)) == "3.1.0"


def test_options_that_differ_are_named():
    require_same_options(WHOLE, Options(), "there")
    with pytest.raises(ExportError, match="there was exported with other options: seed: there 0"):
        require_same_options(WHOLE, Options(seed=4), "there")


def test_other_format_is_refused_by_name():
    raw = json.loads(encode(WHOLE)) | {"format": 2}
    with pytest.raises(FormatError, match=r"here: has format 2, this seedcorn writes 1"):
        decode(json.dumps(raw).encode(), "here")


@pytest.mark.parametrize("damage", ["rows", "increments", "options"])
def test_damaged_manifest_is_refused(damage):
    raw = json.loads(encode(WHOLE))
    raw[damage] = raw[damage] + 1 if damage == "rows" else None
    if damage == "options":
        del raw[damage]
    with pytest.raises(CorruptCorpus, match="here"):
        decode(json.dumps(raw).encode(), "here")
    with pytest.raises(CorruptCorpus, match="not an export's manifest"):
        decode(b"half a mani", "here")


def test_manifest_has_no_other_keys_than_its_fields():
    assert json.loads(encode(WHOLE)).keys() == {
        *Manifest.__dataclass_fields__,
        "format",
        "rows",
        "bytes",
    }
