"""Parents by address: the right row of the right shard, the seed's rows, and the withdrawn."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.layout import ShardName
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.core.sample import Parent
from seedcorn.storage.samples import parents as module
from seedcorn.storage.samples.parents import ParentReader
from seedcorn.storage.samples.samples import write_shard
from seedcorn.storage.seeds.seeds import SeedSet, open_catalogue
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.memory import MemoryStore

NO_SEED = SeedSet([], MemoryStore("parents-no-seed"), StoreSpec(), {})


def shards(store, generation: int, sizes: list[int]):
    refs, row = [], 0
    for number, size in enumerate(sizes):
        ids = [f"{generation}.{n}" for n in range(row, row + size)]
        table = pa.table({"sample_id": ids, "text": [f"text {i}" for i in ids], "extra": ids})
        refs.append(write_shard(store, table, ShardName("data", generation, number, number, "")))
        row += size
    return refs


def parent(generation: int, ordinal: int) -> Parent:
    return Parent(f"{generation}.{ordinal}", f"text {generation}.{ordinal}")


SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=25)


@given(one=SIZES, two=SIZES, data=st.data())
@settings(max_examples=15, deadline=None)
def test_any_addresses_in_any_order_give_their_own_rows(one, two, data):
    store = MemoryStore("parents-any")
    reader = ParentReader(store, NO_SEED, {1: shards(store, 1, one), 2: shards(store, 2, two)})
    every = [(g, n) for g, sizes in ((1, one), (2, two)) for n in range(sum(sizes))]

    for _ in range(3):
        wanted = data.draw(st.lists(st.sampled_from(every), max_size=12))
        assert reader.read(wanted) == {address: parent(*address) for address in wanted}


def test_withdrawn_parent_comes_back_without_text_and_with_the_reason():
    store = MemoryStore("parents-withdrawn")
    refs = shards(store, 1, [2, 2])
    reader = ParentReader(store, NO_SEED, {1: refs}, frozenset({"1.2"}))

    found = reader.read([(1, 1), (1, 2), (1, 3)])

    assert found[1, 2] == Parent("1.2", None, "withdrawn")
    assert found[1, 1] == parent(1, 1)
    assert found[1, 3] == parent(1, 3)


@pytest.mark.parametrize("ordinal", [4, 99, -1])
def test_ordinal_outside_the_generation_is_an_error_never_another_row(ordinal):
    store = MemoryStore("parents-outside")
    reader = ParentReader(store, NO_SEED, {1: shards(store, 1, [2, 2])})

    with pytest.raises(IndexError, match=f"sample {ordinal} of generation 1"):
        reader.read([(1, ordinal)])


def test_damaged_shard_is_an_error_never_other_text():
    store = MemoryStore("parents-damaged")
    (ref,) = shards(store, 1, [2])
    store.put(ref.key, store.get(ref.key)[:-1])

    with pytest.raises(CorruptCorpus, match=ref.key):
        ParentReader(store, NO_SEED, {1: [ref]}).read([(1, 0)])


def test_a_unit_reads_each_shard_once_and_the_cache_is_bounded():
    gets: list[str] = []

    def watch(when: str, operation: str, key: str) -> None:
        if (when, operation) == ("before", "get"):
            gets.append(key)

    many = module.CACHED_SHARDS + 4
    store = MemoryStore("parents-cache", watch)
    reader = ParentReader(store, NO_SEED, {1: shards(store, 1, [2] * many)})

    reader.read([(1, n) for n in reversed(range(2 * many))])
    assert len(gets) == len(set(gets)) == many
    reader.read([(1, 2 * many - 1)])
    assert len(gets) == many
    reader.read([(1, 0)])
    assert len(gets) == many + 1


def test_seed_rows_and_samples_come_back_together(tmp_path):
    lines = [f'{{"text": "a seed document, number {n}"}}' for n in range(5)]
    (tmp_path / "seed.jsonl").write_text("\n".join(lines))
    store = LocalStore(tmp_path / "corpus")
    spec = SourceSpec("seed.jsonl", name="s")
    seeds = SeedSet(
        [open_catalogue(spec, str(tmp_path), store, StoreSpec())], store, StoreSpec(), {}
    )
    reader = ParentReader(store, seeds, {1: shards(store, 1, [3])})

    found = reader.read([(0, 4), (1, 2), (0, 1), (0, 4)])

    assert found.keys() == {(0, 4), (1, 2), (0, 1)}
    assert found[0, 4].text == "a seed document, number 4"
    assert found[0, 1].text == "a seed document, number 1"
    assert found[1, 2] == parent(1, 2)
