"""The n-grams of an anchor, and how often each occurs in other text: all that ΔA needs of a history.

A history of any size is one vector of integers, one place per n-gram of the anchor. Vectors of parts
add to the vector of the whole, bit for bit and whatever the cut; a withdrawn part is subtracted.
Words are those of the text rule, so reading is one compiled pass over the bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import zstandard
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.identity import digest
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.hashing import mix64
from seedcorn.core.text.words import TextRule, Words, read_words

VERSION = 1
"""Of the statistics: their n-grams, keys and layout. Counts of different versions never add."""
ORDER = 4
"""Longest n-gram that is counted. Scores use three words by default; that one more is there lets
worth be told at orders 2 and 4 without a second pass over history."""
_STEP = np.uint64(0x9FB21C651E98DF25)
_NONE = np.int64(-1)


@dataclass(frozen=True, eq=False)
class Counts:
    """How often the anchor's n-grams occur in some text. A value: `+` and `-` make new ones.

    8 bytes per distinct n-gram of the anchor, twice: about 100 bytes per word of the anchor.
    """

    table: bytes
    """Fingerprint of the table that counted."""
    grams: NDArray[np.int64]
    """[n]: occurrences of every n-gram."""
    ends: NDArray[np.int64]
    """[n]: those with which a document ends, so that no word follows."""
    words: int
    """All words read, known to the anchor or not."""
    documents: int

    def __add__(self, other: "Counts") -> "Counts":
        """Counts of both texts; raises ValueError for counts of another anchor or version."""
        return self._with(other, 1)

    def __sub__(self, other: "Counts") -> "Counts":
        """Counts without a part that was in them."""
        return self._with(other, -1)

    def _with(self, other: "Counts", sign: int) -> "Counts":
        if self.table != other.table:
            raise ValueError(
                "these counts are of another anchor, text rule or version: count the text again"
            )
        return Counts(
            self.table,
            self.grams + sign * other.grams,
            self.ends + sign * other.ends,
            self.words + sign * other.words,
            self.documents + sign * other.documents,
        )

    def to_bytes(self) -> bytes:
        """For storage; mostly zeros, so a batch takes little."""
        head = np.array([self.words, self.documents], np.int64)
        body = np.concatenate([head, self.grams, self.ends]).astype("<i8").tobytes()
        return self.table + zstandard.ZstdCompressor(level=3).compress(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Counts":
        """The inverse of `to_bytes`."""
        size = len(digest())
        body = zstandard.ZstdDecompressor().decompress(data[size:])
        values = np.frombuffer(body, "<i8").astype(np.int64)
        grams, ends = np.split(values[2:], 2)
        return cls(data[:size], grams, ends, int(values[0]), int(values[1]))


@dataclass(frozen=True, eq=False)
class AnchorTable:
    """The distinct n-grams of an anchor, 1 to 4 words long, by ascending key.

    Order and repeats of the anchor's documents do not matter. Takes about 150 bytes per word of the
    anchor; counting takes .1 to .2 s of one core per million words and, beside the counts, the
    hashes of one call's texts.
    """

    rule: TextRule
    keys: NDArray[np.uint64]
    fingerprint: bytes
    """Of anchor, text rule and version: counts add only where it is equal."""
    _slots: tuple[NDArray[np.uint64], NDArray[np.int32]]

    @classmethod
    def of(cls, anchor: Sequence[str], rule: TextRule) -> "AnchorTable":
        """The table of these texts."""
        words = _read(anchor, rule)
        keys = np.unique(_keys(*_arrays(words)))
        mark = digest("anchor counts", VERSION, ORDER, int(rule), keys.astype("<u8").tobytes())
        return cls(rule, keys, mark, _slotted(keys))

    @property
    def bytes(self) -> int:
        """Memory of the table; that of one `Counts` is 16 bytes per key."""
        return self.keys.nbytes + sum(part.nbytes for part in self._slots)

    def none(self) -> Counts:
        """Counts of no text."""
        return self._counts(np.zeros((1, 2, len(self.keys)), np.int64), np.zeros((1, 2), int))[0]

    def count(self, texts: Sequence[str]) -> Counts:
        """How often the anchor's n-grams occur in the texts. No n-gram crosses two documents."""
        return self.count_words(_read(texts, self.rule))

    def count_words(self, words: Words) -> Counts:
        """`count` of texts that are read already, such as Arrow buffers through `read_words`."""
        return self.count_groups(words, [(0,)] * len(words.counts), 1)[0]

    def count_groups(
        self, words: Words, groups: Sequence[Sequence[int]], most: int
    ) -> list[Counts]:
        """Counts of `most` groups in one pass; document i belongs to `groups[i]`, perhaps to none.

        Raises ValueError for words of another rule.
        """
        if words.rule != self.rule:
            raise ValueError(f"words of text rule {words.rule}, an anchor of {self.rule}")
        offsets = np.zeros(len(groups) + 1, np.int64)
        np.cumsum([len(group) for group in groups], out=offsets[1:])
        members = np.array([one for group in groups for one in group], np.int64)
        found = np.zeros((most, 2, len(self.keys)), np.int64)
        sizes = np.zeros((most, 2), np.int64)
        _tally(_arrays(words), self._slots, (members, offsets), found, sizes)
        return self._counts(found, sizes)

    def places(self, words: Words) -> NDArray[np.int64]:
        """[ORDER, n]: place in `keys` of the n-gram that ends at each word of these documents, laid
        end to end; -1 where the document is too short or the n-gram is not the anchor's."""
        out = np.full((ORDER, int(words.counts.sum())), _NONE)
        _places(*_arrays(words), self._slots, out)
        return out

    def _counts(self, found: NDArray[np.int64], sizes: NDArray[Any]) -> list[Counts]:
        return [
            Counts(self.fingerprint, grams, ends, int(words), int(documents))
            for (grams, ends), (words, documents) in zip(found, sizes, strict=True)
        ]


def _read(texts: Sequence[str], rule: TextRule) -> Words:
    return read_words(*pack([text.encode("utf-8", "replace") for text in texts]), rule)


def _arrays(words: Words) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    return words.hashes, words.starts, words.counts


@njit(nogil=True, cache=True)
def _keys(hashes: NDArray[Any], starts: NDArray[Any], counts: NDArray[Any]) -> NDArray[Any]:
    """Keys of all n-grams, repeats included. 64 bits: two of 10^7 collide with probability 3e-6."""
    out = np.empty(ORDER * counts.sum(), np.uint64)
    used = 0
    for i in range(counts.size):
        for at in range(starts[i], starts[i] + counts[i]):
            key = np.uint64(0)
            for back in range(min(ORDER, at - starts[i] + 1)):
                key = mix64(key * _STEP + hashes[at - back])
                out[used] = key
                used += 1
    return out[:used]


@njit(nogil=True, cache=True)
def _slotted(keys: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Keys and their places in an open table at most half full; place -1 marks a free slot."""
    bits = 4
    while (1 << bits) < 2 * keys.size:
        bits += 1
    held, places = np.zeros(1 << bits, np.uint64), np.full(1 << bits, -1, np.int32)
    mask = np.uint64((1 << bits) - 1)
    for place in range(keys.size):
        slot = keys[place] & mask
        while places[slot] >= 0:
            slot = (slot + np.uint64(1)) & mask
        held[slot], places[slot] = keys[place], place
    return held, places


@njit(nogil=True, cache=True, inline="always")
def _find(key: Any, held: NDArray[Any], places: NDArray[Any]) -> Any:
    mask = np.uint64(held.size - 1)
    slot = key & mask
    while places[slot] >= 0 and held[slot] != key:
        slot = (slot + np.uint64(1)) & mask
    return np.int64(places[slot])


@njit(nogil=True, cache=True)
def _places(
    hashes: NDArray[Any], starts: NDArray[Any], counts: NDArray[Any], slots: Any, out: NDArray[Any]
) -> None:
    """Longer n-grams are looked up only where the shorter one, their suffix, is the anchor's too."""
    held, places = slots
    column = 0
    for i in range(counts.size):
        for at in range(starts[i], starts[i] + counts[i]):
            key = np.uint64(0)
            for back in range(min(ORDER, at - starts[i] + 1)):
                key = mix64(key * _STEP + hashes[at - back])
                place = _find(key, held, places)
                if place < 0:
                    break
                out[back, column] = place
            column += 1


@njit(nogil=True, cache=True)
def _tally(words: Any, slots: Any, groups: Any, found: NDArray[Any], sizes: NDArray[Any]) -> None:
    """Add every document to `found` [groups, 2, n], n-grams and ends, and to `sizes` [groups, 2]."""
    hashes, starts, counts = words
    members, offsets = groups
    held, places = slots
    for i in range(counts.size):
        mine = members[offsets[i] : offsets[i + 1]]
        for group in mine:
            sizes[group, 0] += counts[i]
            sizes[group, 1] += 1
        last = starts[i] + counts[i] - 1
        for at in range(starts[i], last + 1) if mine.size else range(0):
            key = np.uint64(0)
            for back in range(min(ORDER, at - starts[i] + 1)):
                key = mix64(key * _STEP + hashes[at - back])
                place = _find(key, held, places)
                if place < 0:
                    break
                for group in mine:
                    found[group, 0, place] += 1
                    if at == last:
                        found[group, 1, place] += 1
