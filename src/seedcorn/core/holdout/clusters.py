"""Clusters of seed documents: what is held back together, or is drawn together.

A document and its copies on both sides of a hold-out would make it a lesson that was known before.
So documents belong together by a column of the seed where one is named, and by likeness elsewhere.
Invariant: a cluster is a function of the set of documents, whatever their order and chunks. About
1 KB a document of 200 words at its peak; by column 60.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.dedup.containment import LENGTH, SAMPLE_BITS
from seedcorn.core.holdout.likeness import alike
from seedcorn.core.identity import uint64
from seedcorn.core.text.fingerprint import BANDS, SIGNATURE_BYTES, fingerprint_words
from seedcorn.core.text.shingles import Shingles, shingles_of
from seedcorn.core.text.words import Words


@dataclass(frozen=True, slots=True)
class Documents:
    """Usable rows of the seed, one place a document."""

    ordinals: NDArray[np.int64]
    words: NDArray[np.int32]
    text_hash: NDArray[np.uint64]
    group: NDArray[np.uint64]
    """Of the value by which they belong together; 0: a document has none."""
    keys: NDArray[np.uint64]
    """[n, 16]: band keys; [n, 0] where documents belong together by a column."""
    signature: NDArray[np.uint8]
    sampled: Shingles
    """One 8-word shingle in sixteen."""

    def __len__(self) -> int:
        return len(self.ordinals)


def read_documents(
    ordinals: NDArray[np.int64], words: Words, groups: Sequence[str] | None
) -> Documents:
    """Documents as they are read; `groups` are their values of the column, "" for none, or None
    where no column is named."""
    prints = fingerprint_words(words)
    named = np.zeros(len(ordinals), np.uint64)
    if groups is not None:
        named = np.array([uint64("group", g) if g else 0 for g in groups], np.uint64)
        keys, signature = np.zeros((len(named), 0), np.uint64), np.zeros((len(named), 0), np.uint8)
        nothing = Shingles(np.zeros(0, np.uint64), np.zeros(len(named) + 1, np.int64))
        return Documents(ordinals, prints.words, prints.text_hash, named, keys, signature, nothing)
    keys = prints.keys[:, :BANDS]
    sampled = _sampled(shingles_of(words, LENGTH))
    return Documents(
        ordinals, prints.words, prints.text_hash, named, keys, prints.signature, sampled
    )


def joined(parts: Sequence[Documents]) -> Documents:
    """Several chunks as one."""
    if not parts:
        return _NONE
    hashes = np.concatenate([part.sampled.hashes for part in parts])
    sizes = np.concatenate([np.diff(part.sampled.offsets) for part in parts])
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Documents(
        ordinals=np.concatenate([part.ordinals for part in parts]),
        words=np.concatenate([part.words for part in parts]),
        text_hash=np.concatenate([part.text_hash for part in parts]),
        group=np.concatenate([part.group for part in parts]),
        keys=np.concatenate([part.keys for part in parts]),
        signature=np.concatenate([part.signature for part in parts]),
        sampled=Shingles(hashes, offsets),
    )


def clusters(documents: Documents) -> NDArray[np.uint64]:
    """uint64[n]: the name of each document's cluster: the hash of its group, or else the least
    content hash of its members."""
    if documents.keys.shape[1] == 0:
        return np.where(documents.group == 0, documents.text_hash, documents.group)
    # One of each text, in the order of their hashes: from here on nothing else tells them apart.
    content, first, place = np.unique(documents.text_hash, return_index=True, return_inverse=True)
    roots = alike(first, documents.keys, documents.signature, _of(documents.sampled, first))
    return content[roots][place]


def _sampled(shingles: Shingles) -> Shingles:
    keep = (shingles.hashes & SAMPLE_BITS) == 0
    running = np.concatenate([[0], np.cumsum(keep)]).astype(np.int64)
    return Shingles(shingles.hashes[keep], running[shingles.offsets])


def _of(shingles: Shingles, rows: NDArray[np.intp]) -> Shingles:
    """Those of these rows, in their order."""
    sizes = np.diff(shingles.offsets)[rows]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    places = np.arange(offsets[-1]) + np.repeat(shingles.offsets[:-1][rows] - offsets[:-1], sizes)
    return Shingles(shingles.hashes[places], offsets)


_NONE = Documents(
    np.zeros(0, np.int64),
    np.zeros(0, np.int32),
    np.zeros(0, np.uint64),
    np.zeros(0, np.uint64),
    np.zeros((0, BANDS), np.uint64),
    np.zeros((0, SIGNATURE_BYTES), np.uint8),
    Shingles(np.zeros(0, np.uint64), np.zeros(1, np.int64)),
)
