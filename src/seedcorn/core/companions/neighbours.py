"""The nearest texts of all of history, for a few hundred query documents.

The queries' 3- and 8-word shingles are an inverted index; history streams past it once, in any
chunks and any order, and every query keeps the best it has met. Nearness is the weight of the
shingles in common (rare among the queries weighs more) over the root of a text's length.
Invariant: what is found is a function of the set of documents that passed: equal scores are won by
the lower content hash, and answers about parts of history merge into that about the whole.

Memory: about 40 bytes per shingle of the queries, and per query piece of at most 16 kB the texts of
20 others; never more, whatever history holds. It takes in about 50,000 documents of 1 kB per second
and core.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.companions.pieces import content_hashes, cut
from seedcorn.core.companions.queries import LONG, SHORT, QueryIndex, joined, number_of
from seedcorn.core.text.buffers import checked, pack, read_only
from seedcorn.core.text.hashing import mix64, most_shingles, shingle_hashes
from seedcorn.core.text.words import Words, read_words

WANTED = 4
"""Nearest texts that are kept."""
STRANGERS = 2 * WANTED
"""Random texts kept of each kind of history: the nearest ones may be among them."""
NEVER = 2**62
"""The position of a shingle that no document has."""
REAL, GROWN = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What one part of history has to say; merges with what others have, in any order."""

    distance: NDArray[np.float64]
    """[p, 4]: of the nearest, minus their nearness, 0 where there are fewer."""
    near: NDArray[np.uint64]
    """[p, 4]: their content hashes."""
    rank: NDArray[np.uint64]
    """[2, p, 8]: of the random ones among real and among grown texts."""
    far: NDArray[np.uint64]
    first: NDArray[np.int64]
    """[g]: position of the first document that has the shingle."""
    texts: dict[int, str]
    """By content hash."""
    documents: int = 0
    """From before the generation; its own are not counted."""
    words: int = 0

    def merged(self, other: "Found") -> "Found":
        """Both parts as one."""
        near = _best(self.distance, self.near, other.distance, other.near)
        far = _best(self.rank, self.far, other.rank, other.far)
        kept = set(near[1].ravel().tolist()) | set(far[1].ravel().tolist())
        texts = {key: t for part in (self, other) for key, t in part.texts.items() if key in kept}
        first = np.minimum(self.first, other.first)
        counts = self.documents + other.documents, self.words + other.words
        return Found(*near, *far, first, texts, *counts)


class HistoryPass:
    """Takes in documents of history; not thread-safe."""

    def __init__(self, index: QueryIndex) -> None:
        """Nothing yet."""
        self._index, self._texts = index, dict[int, str]()
        self._documents = self._words = 0
        self._since = int(index.since.max()) if len(index.since) else 0
        pieces, shingles = len(index.owner), index.shingles
        self._near = (
            np.zeros((pieces, WANTED)),
            np.zeros((pieces, WANTED), np.uint64),
            np.full((pieces, WANTED), -1, np.int64),
        )
        size = (2, pieces, STRANGERS)
        self._far = (
            np.full(size, 2**64 - 1, np.uint64),
            np.zeros(size, np.uint64),
            np.full(size, -1, np.int64),
        )
        self._first = np.full(shingles, NEVER, np.int64)
        self._scratch = (
            np.zeros(pieces, np.int64),
            np.zeros(shingles, np.int64),
            np.zeros(1, np.int64),
        )
        salt = content_hashes(*pack([text.encode("utf-8") for text in self._index.texts]))
        # Read-only, as what comes from another process is: one kind of array, one compiled kernel.
        self._shingles = tuple(map(read_only, (*index.table, *index.postings)))
        self._queries = tuple(map(read_only, (index.position, index.since, salt)))

    def look(
        self, data: NDArray[np.uint8], offsets: NDArray[Any], position: NDArray[np.int64], kind: int
    ) -> Words:
        """The next documents, as for `read_words`; `position` [n] in the log, `kind` REAL or
        GROWN. Documents without a byte are none. Returns their words, for who counts something
        else in the same pass."""
        data, offsets = checked(data, offsets)
        ends, owner = cut(data, offsets)
        words = read_words(data, ends, self._index.rule)
        hashes = content_hashes(data, ends)
        whole = joined(words.hashes, words.starts, words.counts, owner, len(position))
        index = self._index
        _take_in(
            (*whole, words.counts, owner, hashes, position.astype(np.int64), kind),
            self._shingles,
            self._queries,
            (self._near, self._far, self._first, *self._scratch),
        )
        counts = np.diff(whole[1])
        before = position < self._since
        self._documents += int(np.count_nonzero(np.diff(offsets)[before]))
        self._words += int(counts[before].sum())
        self._keep_texts(data, ends)
        alone = np.zeros(len(position), np.bool_), np.zeros(0, np.uint64)
        return Words(whole[0], whole[1][:-1], counts, *alone, index.rule)

    def found(self) -> Found:
        """Everything so far."""
        kept: list[NDArray[Any]] = [*self._near[:2], *self._far[:2], self._first]
        distance, near, rank, far, first = (part.copy() for part in kept)
        counts = self._documents, self._words
        return Found(distance, near, rank, far, first, dict(self._texts), *counts)

    def _keep_texts(self, data: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        kept: dict[int, str] = {}
        for _, hashes, rows in (self._near, self._far):
            for key, row in zip(hashes[rows >= 0].tolist(), rows[rows >= 0].tolist(), strict=True):
                kept[key] = bytes(data[ends[row] : ends[row + 1]]).decode("utf-8", "replace")
            held = hashes[(rows < 0) & (hashes > 0)].tolist()
            kept |= {key: self._texts[key] for key in held if key not in kept}
            rows[:] = -1
        self._texts = kept


class Outside(NamedTuple):
    """float64[d] per query document."""

    fresh: NDArray[np.float64]
    """u: its shingles that nothing before it has, over its places for one. Of a document of fewer
    than 8 words 1 if it has a 3-word shingle that is new, else 0."""
    apart: NDArray[np.float64]
    """v: share of its words inside no such known shingle."""
    apart_short: NDArray[np.float64]
    """Share of its words inside no known 3-word shingle: none of a text that a model of word pairs
    recombined, however new its longer sequences are."""


def outside(index: QueryIndex, found: Found) -> Outside:
    """What of each document no known word sequence holds."""
    position = np.zeros(len(index.words), np.int64)
    position[index.owner] = index.position
    fresh, apart, apart_short = np.zeros((3, len(index.words)))
    for number, count in enumerate(index.words.tolist()):
        length = LONG if count >= LONG else SHORT
        numbers, bounds = index.runs[length]
        here = numbers[bounds[number] : bounds[number + 1]]
        known = found.first[here] < position[number]
        new = len(np.unique(here[~known]))
        fresh[number] = new / len(here) if length == LONG else float(new > 0)
        apart[number] = 1 - _covered(known, length, count)
        numbers, bounds = index.runs[SHORT]
        known = found.first[numbers[bounds[number] : bounds[number + 1]]] < position[number]
        apart_short[number] = 1 - _covered(known, SHORT, count)
    return Outside(fresh, apart, apart_short)


def _covered(known: NDArray[np.bool_], length: int, words: int) -> float:
    """Share of the words inside a known shingle."""
    if words <= length:
        return float(known.all())
    steps = np.zeros(words + 1, np.int64)
    at = np.flatnonzero(known)
    np.add.at(steps, at, 1)
    np.add.at(steps, at + length, -1)
    return float((np.cumsum(steps)[:-1] > 0).mean())


def _best(
    first: NDArray[Any], first_key: NDArray[Any], second: NDArray[Any], second_key: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Per row the lowest of both parts' values, each key once; free places have key 0."""
    value = np.concatenate([first, second], axis=-1)
    key = np.concatenate([first_key, second_key], axis=-1)
    free = key == 0
    order = np.lexsort((key, value, free), axis=-1)
    value, key, free = (np.take_along_axis(part, order, -1) for part in (value, key, free))
    free[..., 1:] |= key[..., 1:] == key[..., :-1]
    order = np.argsort(free, axis=-1, kind="stable")[..., : first.shape[-1]]
    value, key, free = (np.take_along_axis(part, order, -1) for part in (value, key, free))
    value[free] = 0 if value.dtype == np.float64 else np.iinfo(np.uint64).max
    key[free] = 0
    return value, key


@njit(nogil=True, cache=True)
def _take_in(documents: Any, index: Any, queries: Any, state: Any) -> None:
    """Every document's pieces against every query."""
    words, offsets, counts, owner, hashes, position, kind = documents
    run = np.empty((2, most_shingles(np.diff(offsets))), np.uint64)
    document, start = -1, 0
    short = long = 0
    for piece in range(owner.size):
        if owner[piece] != document:
            document, start = owner[piece], 0
            here = words[offsets[document] : offsets[document + 1]]
            short = shingle_hashes(here, SHORT, run[0])
            long = shingle_hashes(here, LONG, run[1])
        if counts[piece]:
            end = start + counts[piece]
            state[-1][0] += 1
            at = position[document]
            _count(run[0][start : min(end, short)], at, index, queries, state)
            _count(run[1][start : min(end, long)], at, index, queries, state)
            _rank((hashes[piece], piece, at, kind, counts[piece]), queries, state)
            start = end


@njit(nogil=True, cache=True)
def _count(run: NDArray[Any], position: int, index: Any, queries: Any, state: Any) -> None:
    """Add the weight of every query shingle in the run, once, to the queries that have it."""
    bits, held, number, items, bounds, weight = index
    before = queries[0]
    _, _, first, score, stamp, mark = state
    for key in run:
        shingle = number_of(key, bits, held, number)
        if shingle < 0:
            continue
        first[shingle] = min(first[shingle], position)
        if stamp[shingle] == mark[0]:
            continue
        stamp[shingle] = mark[0]
        for at in range(bounds[shingle], bounds[shingle + 1]):
            if before[items[at]] > position:
                score[items[at]] += weight[shingle]


@njit(nogil=True, cache=True)
def _rank(text: Any, queries: Any, state: Any) -> None:
    """Keep the text where it is among the nearest, or among the random ones."""
    key, row, position, kind, words = text
    before, since, salt = queries
    near, far, _, score, _, _ = state
    root = np.sqrt(np.float64(words))
    for query in range(before.size):
        if score[query]:
            _keep(near[0][query], near[1][query], near[2][query], -score[query] / root, key, row)
            score[query] = 0
        if since[query] > position:
            order = mix64(key ^ salt[query])
            if order < far[0][kind, query, -1]:
                place = far[0][kind, query], far[1][kind, query], far[2][kind, query]
                _keep(place[0], place[1], place[2], order, key, row)


@njit(nogil=True, cache=True)
def _keep(
    values: NDArray[Any], keys: NDArray[Any], rows: NDArray[Any], value: Any, key: Any, row: int
) -> None:
    """Put a text at its place among the best so far: the lowest value, then the lowest key."""
    place = values.size
    while place > 0 and (
        value < values[place - 1] or (value == values[place - 1] and key < keys[place - 1])
    ):
        place -= 1
    if place == values.size or (place > 0 and keys[place - 1] == key):
        return
    for at in range(values.size - 1, place, -1):
        values[at], keys[at], rows[at] = values[at - 1], keys[at - 1], rows[at - 1]
    values[place], keys[place], rows[place] = value, key, row
