"""Parents by address: seed rows and earlier generations' accepted samples, read at random.

An address is (generation, ordinal): generation 0 is the seed in catalogue order, generation g its
accepted samples in commit order. A row that cannot be used comes back with the reason, never as
another row.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import accumulate

from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.sample import Parent
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.seeds.seeds import SeedSet
from seedcorn.storage.stores.store import Store

CACHED_SHARDS = 16
"""Decoded shards kept per worker; a shard of 4096 short documents is a few megabytes."""


class ParentReader:
    """Reads parents for one worker; not thread-safe, one thread at a time."""

    def __init__(
        self,
        store: Store,
        seeds: SeedSet,
        ancestors: Mapping[int, Sequence[ObjectRef]],
        withdrawn: frozenset[str] = frozenset(),
    ) -> None:
        """`ancestors` are the data shards of each earlier generation in commit order."""
        self._store, self._seeds, self._withdrawn = store, seeds, withdrawn
        self._shards = {g: list(refs) for g, refs in ancestors.items()}
        self._starts = {
            g: [0, *accumulate(ref.rows for ref in refs)] for g, refs in ancestors.items()
        }
        self._cache: OrderedDict[str, tuple[list[str], list[str]]] = OrderedDict()

    def read(self, addresses: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Parent]:
        """Every distinct address, read once; seed rows are grouped by row group.

        Raises IndexError for a row that does not exist, CorruptCorpus for a damaged shard.
        """
        wanted = set(addresses)
        rows = sorted(ordinal for generation, ordinal in wanted if generation == 0)
        found = {(0, row): parent for row, parent in zip(rows, self._seeds.read(rows), strict=True)}
        for generation, ordinal in sorted(a for a in wanted if a[0] > 0):
            found[generation, ordinal] = self._sample(generation, ordinal)
        return found

    def _sample(self, generation: int, ordinal: int) -> Parent:
        starts = self._starts[generation]
        if not 0 <= ordinal < starts[-1]:
            raise IndexError(f"sample {ordinal} of generation {generation}, which has {starts[-1]}")
        shard = bisect_right(starts, ordinal) - 1
        ids, texts = self._load(self._shards[generation][shard])
        row = ordinal - starts[shard]
        if ids[row] in self._withdrawn:
            return Parent(ids[row], None, "withdrawn")
        return Parent(ids[row], texts[row])

    def _load(self, ref: ObjectRef) -> tuple[list[str], list[str]]:
        cached = self._cache.get(ref.key)
        if cached is None:
            table = read_shard(self._store, ref, ["sample_id", "text"])
            cached = (table["sample_id"].to_pylist(), table["text"].to_pylist())
            self._cache[ref.key] = cached
            if len(self._cache) > CACHED_SHARDS:
                self._cache.popitem(last=False)
        self._cache.move_to_end(ref.key)
        return cached
