"""An export under crashes, races and damage: who follows the manifest sees whole shards only."""

import json
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import CorruptCorpus, StoreError
from seedcorn.core.export.exports import ExportError, Options
from seedcorn.core.export.manifest import KEY, decode
from seedcorn.core.export.mixture import Weights
from seedcorn.storage.export.exports import export, publish, read_target
from seedcorn.storage.export.source import read_corpus
from seedcorn.storage.stores.memory import MemoryStore
from tests.corpora.damaging import batches, copy_of, reforge, reshard
from tests.storage.sound_corpus import RECIPE, grown

NUMBERS = count()
TINY = 6000
"""Bytes of a shard, so that the small corpus fills several."""


class Died(Exception):
    """The process that exports is killed."""


@contextmanager
def silent(what, total):
    yield lambda more: None


def fresh(faults=None):
    return MemoryStore(f"export-{next(NUMBERS)}", faults)


def again(target, faults=None):
    """Another handle on the same objects."""
    return MemoryStore(target.uri.removeprefix("memory:"), faults)


def run(corpus, target, options=Options(), size=TINY):  # noqa: B008
    export_target = read_target(target, options)
    told = read_corpus(corpus, export_target.manifest, target.uri)
    written = export(told, export_target, options, silent, size)
    publish(export_target, written.manifest, {"README.md": b"card"})
    return written


def followed(target):
    """(ids, keys) that the manifest leads to; every shard must be there, whole."""
    manifest = decode(target.get(KEY), "target")
    ids = []
    for shard in manifest.shards:
        with target.open(shard.key) as file:
            table = pq.read_table(file)
        assert table.num_rows == shard.rows
        ids += table["id"].to_pylist()
    assert len(ids) == manifest.rows
    return ids, [shard.key for shard in manifest.shards]


def accepted(corpus):
    ids = []
    for _, body in batches(corpus):
        for ref in body.data:
            with corpus.open(ref.key) as file:
                ids += pq.read_table(file, columns=["sample_id"])["sample_id"].to_pylist()
    return ids


def dying(after, operation="put"):
    """A plan that dies before the request of one kind with this number."""
    calls = count()

    def shard_plan(when, asked, key):
        if when == "before" and asked == operation and next(calls) == after:
            raise Died(key)

    return shard_plan


@pytest.mark.parametrize("after", [0, 1, 3])
def test_run_that_died_between_shards_is_completed_by_the_next(sound, after):
    whole = fresh()
    run(sound, whole)
    target = fresh()
    with pytest.raises(Died):
        run(sound, again(target, dying(after)))
    assert not [item for item in target.list("") if item.key == KEY]
    assert len(list(target.list("data/"))) == after
    written = run(sound, target)
    assert (written.reused, written.uploaded + written.reused) == (
        after,
        len(written.manifest.shards),
    )
    assert target.get(KEY) == whole.get(KEY)
    assert sorted(followed(target)[0]) == sorted(accepted(sound))


def test_run_that_died_before_its_manifest_shows_nothing_and_is_completed(sound):
    target = fresh()
    with pytest.raises(Died):
        run(sound, again(target, dying(0, "create")))
    assert KEY not in [item.key for item in target.list("")]
    assert run(sound, target).uploaded == 0
    assert sorted(followed(target)[0]) == sorted(accepted(sound))


def test_reader_of_a_grown_export_never_sees_half_of_it(tmp_path):
    corpus = grown(tmp_path, RECIPE, batches=1)
    target = fresh()
    run(corpus, target)
    before = followed(target)
    for part in (2, 2, 9):
        grow_more(corpus, tmp_path, part)
        seen = watch(corpus, target)
        assert all(found == before for found in seen[:-1])
        after = followed(target)
        assert after[1][: len(before[1])] == before[1]
        before = after
    assert sorted(before[0]) == sorted(accepted(corpus))


def watch(corpus, target):
    """Export; returns what a reader found before and after every request."""
    seen = []
    run(corpus, again(target, lambda *_: seen.append(followed(target))))
    return seen


def grow_more(corpus, folder, parts):
    from tests.corpora.growing import grow_in_process

    grow_in_process(RECIPE, corpus.uri, str(folder), batches=parts)


def test_second_export_into_one_target_is_told_and_nothing_is_lost(sound):
    target, options = fresh(), Options()
    export_target = read_target(target, options)
    told = read_corpus(sound, None, target.uri)
    slow = export(told, export_target, options, silent, TINY)
    run(sound, target, size=9000)
    kept = target.get(KEY)
    with pytest.raises(ExportError, match=r"another export wrote its export\.json meanwhile"):
        publish(export_target, replace(slow.manifest, about={"name": "slow"}), {})
    assert target.get(KEY) == kept
    assert sorted(followed(target)[0]) == sorted(accepted(sound))


def test_write_that_fails_is_a_typed_error_and_leaves_no_manifest(sound):
    def full(when, operation, key):
        if operation == "put" and key.startswith("data/"):
            raise StoreError("no space")

    target = fresh(full)
    with pytest.raises(StoreError, match="no space"):
        run(sound, target)
    assert list(target.list("")) == []


def test_damaged_shard_of_the_corpus_stops_the_export(store):
    _, body = batches(store)[0]
    data = bytearray(store.get(body.data[0].key))
    data[len(data) // 2] ^= 1
    store.put(body.data[0].key, bytes(data))
    target = fresh()
    with pytest.raises(CorruptCorpus, match="does not have the sha256 the log committed"):
        run(store, target)
    assert KEY not in [item.key for item in target.list("")]


def test_strata_that_contradict_the_log_stop_the_export(store):
    sequence, _ = batches(store)[0]

    def change(rows):
        return [row | {"stratum": "ask"} for row in rows]

    reshard(store, sequence, "data", change)
    with pytest.raises(CorruptCorpus, match="stratum"):
        run(store, fresh(), Options(weights=Weights({"ask": 0.5})))


def test_log_that_lost_entries_since_is_refused(store):
    target = fresh()
    run(store, target)
    last = max(sequence for sequence, _ in batches(store))
    held = json.loads(target.get(KEY))["sequence"]
    reforge(store, {number: None for number in range(last, held)})
    with pytest.raises(ExportError, match=f"covers {held} log entries, .* has {last}"):
        run(store, target)


def test_shard_that_is_gone_from_the_target_is_named(sound):
    target = fresh()
    written = run(sound, target)
    target.delete(written.manifest.shards[0].key)
    with pytest.raises(
        ExportError, match=r"data/part-0000-00000-.* is named by export.json but missing"
    ):
        run(sound, target)


def test_unknown_file_system_is_a_typed_error(tmp_path):
    from seedcorn.core.recipe import StoreSpec
    from seedcorn.storage.stores.opening import open_store

    with pytest.raises(ExportError, match="no file system for this URL"):
        read_target(open_store("nosuch://a/b", StoreSpec()), Options())


def test_any_fsspec_file_system_is_a_target(sound, tmp_path):
    from seedcorn.core.recipe import StoreSpec
    from seedcorn.storage.stores.opening import open_store

    # fsspec's own local file system: no conditional writes, as on a hub.
    target = open_store(f"local://{tmp_path}/export", StoreSpec())
    run(sound, target)
    assert sorted(followed(target)[0]) == sorted(accepted(sound))
    assert run(sound, target).added is None


def test_hub_url_reaches_the_hubs_file_system_and_repository():
    from huggingface_hub import HfFileSystem

    from seedcorn.core.recipe import StoreSpec
    from seedcorn.storage.stores.remote import Remote

    remote = Remote("hf://datasets/somebody/lakes", StoreSpec())
    assert isinstance(remote._filesystem, HfFileSystem)
    assert remote._root == "datasets/somebody/lakes"
    assert not remote.creates


def test_copy_of_a_target_goes_on_where_it_was(tmp_path):
    corpus = grown(tmp_path, RECIPE, batches=2)
    target = fresh()
    run(corpus, target)
    moved = copy_of(target, f"export-{next(NUMBERS)}")
    grow_more(corpus, tmp_path, 3)
    run(corpus, moved)
    assert sorted(followed(moved)[0]) == sorted(accepted(corpus))
