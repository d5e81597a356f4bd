"""Rows of one catalogue: at random for parents, in order for the dedup index.

Memory is bounded whatever the file: small row groups are decoded once and kept in a cache that is
bounded in groups and bytes; others stream past in slices. Handles live for one row group only, so
nothing is shared between threads but the cache, and nothing stays open.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.row_names import identified, numbered
from seedcorn.core.sample import Parent
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.files import Filesystems, is_remote, seed_errors
from seedcorn.storage.seeds.footers import ReadMode, read_footer, read_mode
from seedcorn.storage.seeds.rows import check_dictionaries, examined, ids
from seedcorn.storage.stores.store import Store

CACHE_BYTES = 256 << 20
OPEN_FOOTERS = 64
REMOTE_THREADS = 4
"""Row groups of a remote seed that one `read` fetches at once."""
STREAM_BUFFER = 1 << 20
NO_RULES: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ScanBatch:
    """Consecutive rows of a seed: `texts` is empty where `usable` is False."""

    first_ordinal: int
    texts: pa.StringArray
    usable: np.ndarray
    problems: dict[str, int]
    """Unusable rows of this batch by problem."""


class SeedReader:
    """Reads documents by ordinal within one source. Thread-safe; raises SeedError."""

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        store_spec: StoreSpec,
        cached_groups: int = 8,
        cache_bytes: int = CACHE_BYTES,
        rules: Mapping[str, int] = NO_RULES,
    ) -> None:
        """`rules` are those of the corpus, by which rows are named; who reads no names needs none."""
        self.catalogue, self._rules = catalogue, rules
        self._store = store
        self._filesystems = Filesystems(store_spec)
        sizes = [rows for file in catalogue.files for rows in file.groups]
        self._starts = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
        counts = [len(file.groups) for file in catalogue.files]
        self._first_groups = np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))
        self._cache = _GroupCache(cached_groups, cache_bytes)
        self._footers: OrderedDict[int, pq.FileMetaData] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, ordinals: Sequence[int]) -> list[Parent]:
        """The documents in the order asked for; IndexError outside range(catalogue.rows)."""
        wanted = np.asarray(ordinals, dtype=np.int64)
        outside = (wanted < 0) | (wanted >= self.catalogue.rows)
        if outside.any():
            raise IndexError(f"seed row {wanted[outside][0]} of {self.catalogue.rows}")
        wanted = np.unique(wanted)
        owners = np.searchsorted(self._starts, wanted, side="right") - 1
        cuts = np.flatnonzero(np.diff(owners)) + 1
        groups = owners[np.concatenate(([0], cuts))] if len(wanted) else owners
        shares = list(zip(groups.tolist(), np.split(wanted, cuts), strict=False))
        parents: dict[int, Parent] = {}
        if len(shares) > 1 and self._remote:
            with ThreadPoolExecutor(REMOTE_THREADS) as threads:
                for part in threads.map(lambda share: self._read_group(*share), shares):
                    parents.update(part)
        else:
            for share in shares:
                parents.update(self._read_group(*share))
        return [parents[int(ordinal)] for ordinal in ordinals]

    def scan(self, batch_rows: int = 4096, groups: range | None = None) -> Iterator[ScanBatch]:
        """Every row in order, at most `batch_rows` and about 32 MiB of text at a time; or those of
        some row groups, counted over all files."""
        for ordinal, slab in self.slabs(groups):
            for start in range(0, slab.num_rows, batch_rows):
                yield from self._scanned(slab.slice(start, batch_rows), ordinal + start)

    def slabs(self, groups: range | None = None) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The needed columns of every row in order, with the ordinal of each slab's first row."""
        for group in range(len(self._starts) - 1) if groups is None else groups:
            ordinal = int(self._starts[group])
            for slab in self._slabs(group, *self._mode(group)):
                yield ordinal, slab
                ordinal += slab.num_rows

    @property
    def _remote(self) -> bool:
        if self.catalogue.converted:
            return is_remote(self._store.uri)
        return is_remote(self.catalogue.files[0].path)

    def _scanned(self, batch: pa.RecordBatch, ordinal: int) -> Iterator[ScanBatch]:
        for piece in examined(batch, self.catalogue.columns, self.catalogue.max_chars):
            problems = Counter(problem for problem in piece.problems if problem)
            usable = piece.problems == ""
            yield ScanBatch(ordinal + piece.first, piece.texts, usable, dict(problems))

    def _read_group(self, group: int, ordinals: np.ndarray) -> dict[int, Parent]:
        parents: dict[int, Parent] = {}
        start = int(self._starts[group])
        for slab in self._cached_slabs(group):
            stop = start + slab.num_rows
            low, high = np.searchsorted(ordinals, (start, stop))
            if low < high:
                here = ordinals[low:high]
                rows = slab.take(pa.array(here - start))
                parents.update(zip(here.tolist(), self._parents(rows, here), strict=True))
            start = stop
            if high == len(ordinals):
                break
        return parents

    def _parents(self, rows: pa.RecordBatch, ordinals: np.ndarray) -> Iterator[Parent]:
        columns = self.catalogue.columns
        names = ids(rows, columns)
        for piece in examined(rows, columns, self.catalogue.max_chars):
            for row, text in enumerate(piece.texts.to_pylist(), piece.first):
                name = self._name(names[row], int(ordinals[row]))
                problem = piece.problems[row - piece.first]
                yield Parent(name, None if problem else text, problem)

    def _name(self, own: str, ordinal: int) -> str:
        source = self.catalogue.source
        if own:
            return identified(source, own, self._rules)
        return numbered(source, ordinal, self._rules)

    def _cached_slabs(self, group: int) -> Iterator[pa.RecordBatch]:
        slabs = self._cache.get(group)
        if slabs is not None:
            yield from slabs
            return
        file, mode = self._mode(group)
        if mode.whole:
            slabs = list(self._slabs(group, file, mode))
            self._cache.put(group, slabs)
            yield from slabs
        else:
            yield from self._slabs(group, file, mode)

    def _slabs(self, group: int, file: int, mode: ReadMode) -> Iterator[pa.RecordBatch]:
        """The needed columns of a row group, in slices that fit into memory."""
        described = self.catalogue.files[file]
        local = self._local_group(file, group)
        where, missing = f"{described.path}, row group {local}", described.groups[local]
        with seed_errors(where), closing(self._open(file)) as handle:
            parquet = pq.ParquetFile(
                handle,
                metadata=self._footer(file),
                read_dictionary=list(mode.dictionaries),
                pre_buffer=mode.whole,
                buffer_size=0 if mode.whole else STREAM_BUFFER,
            )
            for slab in parquet.iter_batches(
                batch_size=mode.rows,
                row_groups=[local],
                columns=self.catalogue.columns.names,
                use_threads=False,
            ):
                check_dictionaries(slab)
                missing -= slab.num_rows
                if missing < 0:
                    break
                yield slab
        if missing:
            few = "fewer" if missing > 0 else "more"
            raise SeedError(f"seed {where}: holds {few} rows than its footer says; rewrite it")

    def _mode(self, group: int) -> tuple[int, ReadMode]:
        file = int(np.searchsorted(self._first_groups, group, side="right")) - 1
        local, footer = self._local_group(file, group), self._footer(file)
        with seed_errors(self.catalogue.files[file].path):
            return file, read_mode(footer, local, self.catalogue.columns)

    def _local_group(self, file: int, group: int) -> int:
        return group - int(self._first_groups[file])

    def _footer(self, file: int) -> pq.FileMetaData:
        with self._lock:
            if file in self._footers:
                self._footers.move_to_end(file)
                return self._footers[file]
        described = self.catalogue.files[file]
        with seed_errors(described.path), closing(self._open(file)) as handle:
            metadata, footer = read_footer(handle, described.path)
        if footer != described.footer:
            raise SeedError(
                f"seed {described.path}: changed since it was opened (another footer); "
                "restore it, or grow a new corpus from the changed seed"
            )
        with self._lock:
            self._footers[file] = metadata
            while len(self._footers) > OPEN_FOOTERS:
                self._footers.popitem(last=False)
        return metadata

    def _open(self, file: int) -> BinaryIO:
        path = self.catalogue.files[file].path
        return self._store.open(path) if self.catalogue.converted else self._filesystems.open(path)


class _GroupCache:
    """Decoded row groups, the least recently used one out first. Thread-safe."""

    def __init__(self, groups: int, size: int) -> None:
        self._limit, self._groups = size, groups
        self._groups_held: OrderedDict[int, tuple[list[pa.RecordBatch], int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, group: int) -> list[pa.RecordBatch] | None:
        with self._lock:
            if group not in self._groups_held:
                return None
            self._groups_held.move_to_end(group)
            return self._groups_held[group][0]

    def put(self, group: int, slabs: list[pa.RecordBatch]) -> None:
        size = sum(slab.get_total_buffer_size() for slab in slabs)
        with self._lock:
            if size > self._limit or group in self._groups_held:
                return
            self._groups_held[group] = (slabs, size)
            self._bytes += size
            while self._bytes > self._limit or len(self._groups_held) > self._groups:
                self._bytes -= self._groups_held.popitem(last=False)[1][1]
