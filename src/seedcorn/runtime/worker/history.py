"""All of history, read once: which documents are near to the drawn ones, and what it teaches.

Pieces are row groups of the sources in the log and shards of generations, some 50,000 rows together,
and each is read by whoever does it. Invariant: the answer about all pieces does not depend on how
history was cut into them, nor on the order in which they were done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.core.companions.draws import Draw
from seedcorn.core.companions.neighbours import GROWN, REAL, Found, HistoryPass
from seedcorn.core.companions.queries import QueryIndex
from seedcorn.core.identity import uint64
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.state import Source
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.teaching.table import AnchorTable, Counts
from seedcorn.core.text.words import Words, read_words
from seedcorn.runtime.job import GenerationJob
from seedcorn.storage.samples.batches import texts_view
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.seeds.seeds import Catalogue, SeedReader
from seedcorn.storage.stores.opening import open_store

ROWS = 50_000
"""Of a piece, about: a second's work."""
CHUNK = 4096
BEFORE = -1
"""Position of what was there before the generation; its own documents have their plan index."""
SEED, HISTORY, OWN = "seed", "history", "own"
"""Draws: of the seeds, of all that was there before, and of the generation by its parents. Those of
other generations go by their number."""
_SHARD = ["sample_id", "text", "index"]


@dataclass(frozen=True, slots=True)
class MeasuringJob:
    """What a measurement needs to know."""

    generation: GenerationJob
    shards: Sequence[ObjectRef]
    """Accepted shards of the generation, in commit order."""
    sources: Sequence[Source]
    """Seeds and references that the log held when the generation began."""
    anchor: Sequence[dict[str, Any]]
    """Catalogues of the anchor's sources."""
    yardstick: Sequence[dict[str, Any]]
    counts: Mapping[str, ObjectRef]
    """Counts that earlier measurements named, by source or generation."""
    sequence: int
    """Entries that the log holds."""


@dataclass(frozen=True, slots=True)
class GroupRange:
    """A row group of a source, counted over all its files."""

    source: Source
    group: int


@dataclass(frozen=True, slots=True)
class GrownShard:
    """Accepted samples of a generation."""

    generation: int
    shard: ObjectRef


Part = GroupRange | GrownShard
Piece = tuple[Part, ...]


def source_key(source: Source) -> str:
    """What the counts of a source's documents go by."""
    return f"entry {source.sequence}"


def grown_key(generation: int) -> str:
    """What the counts of a generation's accepted samples go by, withdrawn ones included."""
    return f"generation {generation}"


def withdrawn_key(generation: int) -> str:
    """What the counts of those that were withdrawn go by."""
    return f"withdrawn of {generation}"


def _nothing() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """What every piece is held against."""

    corpus: str
    store: StoreSpec
    index: QueryIndex
    generation: int
    """The one that is measured: its documents see those before them."""
    draws: Mapping[str, Draw] = field(default_factory=dict)
    """Empty ones."""
    withdrawn: frozenset[str] = frozenset()
    held: NDArray[np.int64] = field(default_factory=_nothing)
    """Ordinals of the seed's rows that are held back: nothing is learnt from them."""
    table: AnchorTable | None = None
    counted: frozenset[str] = frozenset()
    """Sources and generations whose counts are known."""


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """The answer about some of history."""

    found: Found
    draws: Mapping[str, Draw]
    counts: Mapping[str, Counts]
    """Of the anchor's n-grams, by key."""

    def merged(self, other: "Passed") -> "Passed":
        """Both answers as one."""
        draws = {key: draw.merged(other.draws[key]) for key, draw in self.draws.items()}
        counts = dict(self.counts)
        for key, more in other.counts.items():
            counts[key] = counts[key] + more if key in counts else more
        return Passed(self.found.merged(other.found), draws, counts)


def pieces(
    sources: Sequence[Source], shards: Mapping[int, Sequence[ObjectRef]], rows: int = ROWS
) -> list[Piece]:
    """All of history, in pieces of about so many rows; a single empty one where there is none."""
    found, held, size = list[Piece](), list[Part](), 0
    for part, count in _parts(sources, shards):
        held.append(part)
        size += count
        if size >= rows:
            found.append(tuple(held))
            held, size = [], 0
    return [*found, tuple(held)] if held or not found else found


def _parts(
    sources: Sequence[Source], shards: Mapping[int, Sequence[ObjectRef]]
) -> Iterator[tuple[Part, int]]:
    for source in sources:
        groups = [n for file in Catalogue.from_dict(source.catalogue).files for n in file.groups]
        for number, count in enumerate(groups):
            yield GroupRange(source, number), count
    for generation, refs in sorted(shards.items()):
        for ref in refs:
            yield GrownShard(generation, ref), ref.rows


def take(work: Pass, piece: Piece) -> Passed:
    """One piece. Memory: a chunk of rows or a shard, and what the answer holds."""
    reader = _PieceReader(work)
    for part in piece:
        if isinstance(part, GroupRange):
            reader.source(part)
        else:
            reader.shard(part)
    return reader.passed()


class _PieceReader:
    """Leads the documents of one piece past everything that looks at them."""

    def __init__(self, work: Pass) -> None:
        self._work, self._store = work, open_store(work.corpus, work.store)
        self._history = HistoryPass(work.index)
        self._draws = dict(work.draws)
        self._counts: dict[str, Counts] = {}
        self._readers: dict[str, SeedReader] = {}

    def passed(self) -> Passed:
        return Passed(self._history.found(), self._draws, self._counts)

    def source(self, part: GroupRange) -> None:
        source, key = part.source, source_key(part.source)
        if key not in self._readers:
            catalogue = Catalogue.from_dict(source.catalogue)
            self._readers[key] = SeedReader(catalogue, self._store, self._work.store)
        for batch in self._readers[key].scan(CHUNK, range(part.group, part.group + 1)):
            texts = batch.texts.filter(pa.array(batch.usable))
            rows = batch.first_ordinal + np.flatnonzero(batch.usable)
            free = self._free(rows + source.ordinal)
            words = self._look(texts, np.full(len(texts), BEFORE), REAL)
            self._count(words, [(key,) if learnt else () for learnt in free.tolist()])
            for draw in (SEED, HISTORY) if source.role == "seed" else (HISTORY,):
                self._draw(draw, key, rows[free], texts.filter(pa.array(free)))

    def _free(self, ordinals: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these rows, ascending, are not held back."""
        ends = (ordinals[0], ordinals[-1] + 1) if len(ordinals) else (0, 0)
        first, last = np.searchsorted(self._work.held, ends)
        return ~np.isin(ordinals, self._work.held[first:last])

    def shard(self, part: GrownShard) -> None:
        own = part.generation == self._work.generation
        table = read_shard(self._store, part.shard, [*_SHARD, "parents"] if own else _SHARD)
        ids = table["sample_id"].to_pylist()
        gone = np.array([one in self._work.withdrawn for one in ids], np.bool_)
        key = grown_key(part.generation)
        if gone.any():
            texts = table["text"].filter(pa.array(gone))
            words = read_words(*texts_view(texts), self._work.index.rule)
            self._count(words, [(key, withdrawn_key(part.generation))] * len(texts))
        standing = table.filter(pa.array(~gone))
        rows, texts = standing["index"].to_numpy(), standing["text"].combine_chunks()
        words = self._look(texts, rows if own else np.full(len(rows), BEFORE), GROWN)
        self._count(words, [(key,)] * len(rows))
        if own:
            self._draw_clusters(standing["parents"].to_pylist(), texts)
        for draw in () if own else (str(part.generation), HISTORY):
            self._draw(draw, key, rows, texts)

    def _look(self, texts: pa.Array, position: NDArray[np.int64], kind: int) -> Words:
        return self._history.look(*texts_view(texts), position, kind)

    def _draw(self, draw: str, source: str, rows: NDArray[np.int64], texts: pa.Array) -> None:
        if draw in self._draws:
            drawn = self._draws[draw].with_rows(source, rows, lambda row: texts[row].as_py())
            self._draws[draw] = drawn

    def _draw_clusters(self, parents: Sequence[Sequence[str]], texts: pa.Array) -> None:
        """Samples of the same parents stand or fall together."""
        if OWN in self._draws:
            ranks = [uint64("cluster", *sorted(names)) for names in parents]
            drawn = self._draws[OWN].with_ranks(
                np.array(ranks, np.uint64), lambda row: texts[row].as_py()
            )
            self._draws[OWN] = drawn

    def _count(self, words: Words, keys: Sequence[Sequence[str]]) -> None:
        """Add the documents to the counts of their keys, but for those that are known."""
        table, known = self._work.table, self._work.counted
        wanted = [[key for key in some if key not in known] for some in keys]
        numbers = {
            key: n for n, key in enumerate(dict.fromkeys(k for some in wanted for k in some))
        }
        if table is None or not numbers:
            return
        groups = [[numbers[key] for key in some] for some in wanted]
        for key, more in zip(numbers, table.count_groups(words, groups, len(numbers)), strict=True):
            self._counts[key] = self._counts[key] + more if key in self._counts else more
