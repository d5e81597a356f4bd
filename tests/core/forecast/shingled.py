"""Small documents as sets of numbered shingles, for tests that compare sketches with plain sets."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from seedcorn.core.identity import uint64
from seedcorn.core.sketch.sketch import LENGTHS, Delta, batch_delta, limit
from seedcorn.core.text.fingerprint import Shingles


class Document(NamedTuple):
    words: frozenset[int]
    stratum: int = 0
    outcome: str = "accepted"


HASHES = [uint64("shingle", word) for word in range(100)]


def hashes_of(words) -> np.ndarray:
    return np.array(sorted(HASHES[word] for word in words), np.uint64)


def delta_of(
    documents: Sequence[Document], rate: float = 1.0, group: np.ndarray | None = None
) -> Delta:
    rows = [hashes_of(document.words) for document in documents]
    rows = [row[row <= np.uint64(limit(rate) - 1)] for row in rows]
    offsets = np.cumsum([0, *map(len, rows)])
    hashes = np.concatenate([np.empty(0, np.uint64), *rows])
    outcomes = [document.outcome for document in documents]
    return batch_delta(
        dict.fromkeys(LENGTHS, Shingles(hashes, offsets)),
        np.array([outcome == "accepted" for outcome in outcomes], bool),
        np.array([outcome in ("accepted", "duplicate") for outcome in outcomes], bool),
        np.array([document.stratum for document in documents], np.uint8),
        rate,
        group,
    )


documents = st.lists(
    st.builds(
        Document,
        st.frozensets(st.integers(0, 30), max_size=8),
        st.integers(0, 2),
        st.sampled_from(["accepted", "accepted", "duplicate", "rejected"]),
    ),
    max_size=12,
)
generations = st.lists(documents, min_size=1, max_size=4)


def plain_delta(values: np.ndarray, length: int, stratum: int = 0) -> Delta:
    """One accepted document per value; the value's hash is its only shingle."""
    # The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection with uniform output.
    x = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    every = np.ones(len(x), bool)
    shingles = {length: Shingles(x, np.arange(len(x) + 1))}
    return batch_delta(shingles, every, every, np.full(len(x), stratum, np.uint8))
