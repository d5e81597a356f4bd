"""Withdrawn samples: never exported, and taken out of what was exported before."""

import pyarrow.parquet as pq
import pytest

from seedcorn.commands.withdraw import FoldedCorpus
from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.export.exports import Options
from seedcorn.core.export.manifest import KEY, decode, version
from seedcorn.core.export.mixture import Weights
from seedcorn.core.ledger.withdrawal import parse_condition, select
from seedcorn.core.recipe import RunSpec
from seedcorn.storage.log.log import LogReader
from seedcorn.storage.log.writing import writing
from tests.storage.export.test_exports import accepted, followed, fresh, run


def withdraw(corpus, *conditions):
    """Withdraw as the command does; returns the ids."""
    selection = select(parse_condition(text) for text in conditions)
    books, reader = FoldedCorpus(corpus), LogReader(corpus)
    for entry in reader:
        books.fold(entry)
    choice = books.choose(selection)
    with writing(corpus, reader.head, books.fold, RunSpec(), False) as log:
        log.append(choice.body(corpus, selection, "licence"))
    return [name for name, _ in choice.ids]


def manifest(target):
    return decode(target.get(KEY), "target")


def test_withdrawn_samples_are_not_exported_and_counted(store):
    gone = withdraw(store, "stratum=ask", "generation=1")
    target = fresh()
    run(store, target)
    ids, _ = followed(target)
    assert gone
    assert sorted([*ids, *gone]) == sorted(accepted(store))
    assert manifest(target).left_out.withdrawn == len(gone)
    assert "ask" not in manifest(target).counts["1"]


def test_samples_withdrawn_since_leave_the_shards_and_only_those(store):
    target = fresh()
    run(store, target)
    before = followed(target)
    one = before[0][0]
    withdraw(store, f"id={one}")
    written = run(store, target)
    after = followed(target)
    assert after[0] == before[0][1:]
    assert after[1][1:] == before[1][1:]
    assert written.replaced == before[1][:1]
    told = manifest(target)
    assert (told.rewrites, version(told), told.left_out.withdrawn) == (1, "2.0.0", 1)
    assert sum(sum(strata.values()) for strata in told.counts.values()) == len(after[0])
    assert told.samples == len(set(after[0]))
    assert run(store, target).replaced == []


def test_all_copies_of_a_repeated_sample_leave(store):
    options, target = Options(weights=Weights({"tell": 3.0})), fresh()
    run(store, target, options)
    one = next(name for name in followed(target)[0] if followed(target)[0].count(name) == 3)
    withdraw(store, f"id={one}")
    run(store, target, options)
    assert one not in followed(target)[0]
    told = manifest(target)
    assert told.left_out.withdrawn == 1
    assert sum(sum(strata.values()) for strata in told.counts.values()) == told.rows


def test_shard_of_which_nothing_remains_is_gone(store):
    target = fresh()
    run(store, target)
    first = followed(target)[1][0]
    with target.open(first) as file:
        ids = pq.read_table(file, columns=["id"])["id"].to_pylist()
    withdraw(store, *(f"id={name}" for name in ids))
    written = run(store, target)
    assert first in written.replaced
    assert followed(target)[1] == [s.key for s in written.manifest.shards]
    assert not set(ids) & set(followed(target)[0])


def test_withdrawal_of_what_filters_left_out_changes_no_shard(store):
    options, target = Options(strata=("tell",)), fresh()
    run(store, target, options)
    before = followed(target)
    withdraw(store, "stratum=ask")
    assert run(store, target, options).replaced == []
    assert followed(target) == before


def test_damaged_shard_of_the_target_is_not_copied_on(store):
    target = fresh()
    run(store, target)
    ids, keys = followed(target)
    data = bytearray(target.get(keys[0]))
    # A byte of the metadata's writer name: still Parquet, other content.
    place = data.rindex(b"parquet-cpp")
    data[place] = ord("P")
    target.put(keys[0], bytes(data))
    withdraw(store, f"id={ids[0]}")
    with pytest.raises(CorruptCorpus, match=r"does not have the sha256 that export.json names"):
        run(store, target)
