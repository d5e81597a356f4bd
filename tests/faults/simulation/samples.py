"""Small samples: what a text is, how it is fingerprinted, and how segments and shards hold it.

A text is a number. Numbers come in families of four whose neighbours are near duplicates and whose
others are not, so that a dropped text can be alike to one that its own witness is not alike to.
"""

import json
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.identity import canonical_json, sha256_hex, uint64
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.layout import SegmentName, ShardName
from seedcorn.core.scheduling.leasing import Lease
from seedcorn.core.text.fingerprint import KEYS, Fingerprints
from seedcorn.storage.stores.store import Store

MEMBERS = 4
"""Texts per family."""
CHANGED = 24
"""Of 128 minima, those in which neighbours differ: .80 similar; next but one: .60."""


@dataclass(frozen=True, slots=True)
class Row:
    """A finished sample as a segment or shard holds it; `text` is -1 where there is none."""

    index: int
    text: int
    outcome: str
    reason: str = ""
    witness: str = ""

    @property
    def content(self) -> int:
        """Content hash, by which the row that counts is chosen."""
        return uint64("content", self.text, self.outcome, self.reason)


def text_of(seed: int, generation: int, index: int, attempt: int, values: int) -> int:
    """What the engine writes the `attempt`-th time it is asked."""
    return uint64("text", seed, generation, index, attempt) % values


@cache
def keys_of(text: int) -> NDArray[np.uint64]:
    """uint64[17]: even bands shared by the first two members, odd ones by all others; then exact.

    So the second member, dropped for the first, must leave no key behind: the third and the fourth
    would not meet each other any more.
    """
    family, member = divmod(text, MEMBERS)
    groups = [max(1, member) if band % 2 == 0 else min(1, member) for band in range(KEYS - 1)]
    keys = [uint64("band", band, family, group) for band, group in enumerate(groups)]
    return np.array([*keys, uint64("exact", text)], np.uint64)


@cache
def signature_of(text: int) -> NDArray[np.uint8]:
    """uint8[64]: 128 minima of 4 bits."""
    family, member = divmod(text, MEMBERS)
    minima = np.array([uint64("minimum", family, n) % 16 for n in range(128)], np.uint8)
    for step in range(member):
        minima[step * CHANGED : (step + 1) * CHANGED] ^= 5
    return (minima[0::2] | minima[1::2] << 4).astype(np.uint8)


def fingerprints(texts: list[int]) -> Fingerprints:
    """Of texts, row by row."""
    n = len(texts)
    keys = np.stack([keys_of(text) for text in texts]) if n else np.empty((0, KEYS), np.uint64)
    signature = (
        np.stack([signature_of(text) for text in texts]) if n else np.empty((0, 64), np.uint8)
    )
    return Fingerprints(keys, signature, keys[:, -1].copy(), np.full(n, 9, np.int32))


def encode(rows: list[Row], salt: int = 0) -> bytes:
    """Stored bytes. `salt` stands for what is measured and differs each time."""
    named = [[r.index, r.text, r.outcome, r.reason, r.witness] for r in rows]
    return canonical_json({"rows": named, "salt": salt})


def decode(data: bytes) -> list[Row]:
    """The inverse of `encode`."""
    return [Row(*values) for values in json.loads(data)["rows"]]


def segment_name(generation: int, unit: int, data: bytes) -> str:
    """Key of a segment."""
    return SegmentName(generation, unit, sha256_hex(data)[:16]).key


def write_rows(
    store: Store, role: str, rows: list[Row], range_of: tuple[int, int, int]
) -> list[ObjectRef]:
    """A shard of (generation, first unit, last unit), or none where there is no row."""
    if not rows:
        return []
    data = encode(rows)
    sha256 = sha256_hex(data)
    key = ShardName(role, *range_of, sha256[:16]).key
    store.put(key, data)
    return [ObjectRef(key, len(data), sha256, len(rows))]


def shows(lease: Lease) -> str:
    """A lease in the trace."""
    return f"unit {lease.unit} {list(lease.indices)}"
