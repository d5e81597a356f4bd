"""Which rows an export takes: two counts that agree, then the rows themselves in plan order.

First every group (generation and stratum) is counted, from the log where nothing was withdrawn and
from the shards where something was; then its share is drawn and the shards are read, whole and
checked, a few ahead. Invariant: rows that come out equal the counts, or it is an error.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.export.exports import COLUMNS, COPY, Options
from seedcorn.core.export.manifest import Counts, LeftOut, merged
from seedcorn.core.export.mixture import Quota, quota
from seedcorn.core.log.entries import ObjectRef
from seedcorn.storage.export.filling import Named
from seedcorn.storage.export.source import Batch, Corpus
from seedcorn.storage.samples.samples import read_shard

AHEAD = 4
"""Shards that are read ahead: one is a few megabytes, and a store answers slowly."""
Group = tuple[int, str]
Advance = Callable[[int], None]


class SelectedRows(NamedTuple):
    """Rows of one corpus shard that go out, and the models that wrote them."""

    table: pa.Table
    models: set[str]


class ExportRows:
    """The rows of some batches under some options."""

    def __init__(self, corpus: Corpus, options: Options, since: int) -> None:
        """Batches of log entries from number `since` on; reads ids where some were withdrawn."""
        self._corpus, self._options = corpus, options
        self._withdrawn = corpus.withdrawn() if corpus.withdrawals else frozenset()
        self._touched = corpus.touched()
        batches = [batch for batch in corpus.batches if batch.sequence >= since]
        self._batches = [batch for batch in batches if self._any(batch)]
        self.accepted = sum(batch.samples for batch in batches)
        self._kept: Counter[Group] = Counter()
        self._gone = 0
        for batch in self._batches:
            self._count(batch)
        self.quotas = {
            group: quota(kept, options.weights.of(*group), options.seed, *group)
            for group, kept in sorted(self._kept.items())
        }

    @property
    def shards(self) -> list[ObjectRef]:
        """Corpus shards that hold some of the rows."""
        return [ref for _, ref in self.named]

    @property
    def named(self) -> list[Named]:
        """The same, each with its generation."""
        return [(batch.generation, ref) for batch in self._batches for ref in batch.shards]

    @property
    def rows(self) -> int:
        """Rows that go out."""
        return sum(quota.rows for quota in self.quotas.values())

    @property
    def samples(self) -> int:
        """Distinct samples among them."""
        return sum(quota.distinct for quota in self.quotas.values())

    @property
    def counts(self) -> Counts:
        """Rows by generation and stratum."""
        return merged(*({str(g): {name: d.rows}} for (g, name), d in self.quotas.items()))

    @property
    def left_out(self) -> LeftOut:
        """Accepted samples that do not go out."""
        kept = sum(self._kept.values())
        filtered = self.accepted - kept - self._gone
        return LeftOut(filtered, self._gone, kept - self.samples)

    def sample(self, ref: ObjectRef) -> pa.Table:
        """A corpus shard in the columns of the export, all rows: what sizes are measured on."""
        table = self._renamed(self._read(ref))
        return self._numbered(table, np.zeros(table.num_rows, np.int64))

    def tables(self, advance: Advance) -> Iterator[SelectedRows]:
        """Shard by shard in plan order; `advance` is told how many samples were read.

        Raises CorruptCorpus where a shard and the log disagree.
        """
        seen: Counter[Group] = Counter()
        for (generation, ref), table in _ahead(self.named, self._read):
            copies = self._copies(generation, table, seen)
            rows = np.repeat(np.arange(table.num_rows), copies)
            taken = table.take(pa.array(rows))
            first = np.cumsum(copies) - copies
            numbers = np.arange(len(rows)) - np.repeat(first, copies)
            yield SelectedRows(self._numbered(self._renamed(taken), numbers), _models(taken))
            advance(ref.rows)
        if any(seen[group] != drawn.samples for group, drawn in self.quotas.items()):
            raise CorruptCorpus(
                f"{self._corpus.store.uri}: the strata in the shards are not those the log counts; "
                "run seedcorn verify"
            )

    def _any(self, batch: Batch) -> bool:
        return any(self._options.takes(batch.generation, name) for name in batch.strata)

    def _count(self, batch: Batch) -> None:
        """Add what a batch keeps to the groups."""
        if batch.generation not in self._touched:
            found = Counter(batch.strata)
        else:
            found = Counter[str]()
            for ref in batch.shards:
                table = read_shard(self._corpus.store, ref, ["sample_id", "stratum"])
                strata = table["stratum"].to_pylist()
                for name, gone in zip(strata, self._is_withdrawn(table), strict=True):
                    taken = self._options.takes(batch.generation, name)
                    self._gone += int(taken and gone)
                    found[name] += not gone
        for name, kept in found.items():
            if kept and self._options.takes(batch.generation, name):
                self._kept[batch.generation, name] += kept

    def _copies(
        self, generation: int, table: pa.Table, seen: "Counter[Group]"
    ) -> NDArray[np.int64]:
        """int64[rows]: how often each row goes out."""
        strata = np.array(table["stratum"].to_pylist(), dtype=object)
        kept = ~self._is_withdrawn(table)
        copies = np.zeros(table.num_rows, np.int64)
        for name in dict.fromkeys(strata):
            drawn = self.quotas.get((generation, name))
            rows = np.flatnonzero((strata == name) & kept)
            if drawn is None or not len(rows):
                continue
            copies[rows] = _share(drawn, seen[generation, name], len(rows))
            seen[generation, name] += len(rows)
        return copies

    def _is_withdrawn(self, table: pa.Table) -> NDArray[np.bool_]:
        if not self._withdrawn:
            return np.zeros(table.num_rows, bool)
        ids = table["sample_id"].to_pylist()
        return np.fromiter((name in self._withdrawn for name in ids), bool, len(ids))

    def _read(self, ref: ObjectRef) -> pa.Table:
        own = {COLUMNS[name] for name in self._options.columns}
        return read_shard(self._corpus.store, ref, sorted(own | {"model", "model_revision"}))

    def _renamed(self, table: pa.Table) -> pa.Table:
        names = self._options.columns
        return table.select([COLUMNS[name] for name in names]).rename_columns(list(names))

    def _numbered(self, table: pa.Table, numbers: NDArray[np.int64]) -> pa.Table:
        if not self._options.weights.repeat:
            return table
        return table.append_column(COPY, pa.array(numbers.astype(np.int32)))


def _share(drawn: Quota, first: int, count: int) -> NDArray[np.int64]:
    """The next `count` samples of a group; more than were counted is damage."""
    if first + count > drawn.samples:
        raise CorruptCorpus("a shard holds more samples of a stratum than the log counts")
    return drawn.copies(first, count)


def _models(table: pa.Table) -> set[str]:
    pairs = zip(*(table[name].to_pylist() for name in ("model", "model_revision")), strict=True)
    return {f"{model}@{revision}" if revision else model for model, revision in set(pairs)}


def _ahead(
    refs: Sequence[Named], read: Callable[[ObjectRef], pa.Table]
) -> Iterator[tuple[Named, pa.Table]]:
    """The shards in order, read a few ahead in threads."""
    waiting: deque[tuple[Named, Future[pa.Table]]] = deque()
    pool = ThreadPoolExecutor(AHEAD, "seedcorn-export")
    try:
        for one in refs:
            waiting.append((one, pool.submit(read, one[1])))
            if len(waiting) > AHEAD:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    finally:
        pool.shutdown(cancel_futures=True)


def _first(waiting: "deque[tuple[Named, Future[pa.Table]]]") -> tuple[Named, pa.Table]:
    one, future = waiting.popleft()
    return one, future.result()
