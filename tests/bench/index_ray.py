"""Dedup throughput through Ray: batches of 4096 against index actors, as the sealer sends them.

The same work as `tests.bench.index` (lookup, witnesses, resolve, insert), by the production code
and the production actor, in wall time: what crosses process borders is part of the figure.
"""

import statistics
import time
from dataclasses import dataclass

import numpy as np
import ray

from seedcorn.core.dedup.batch import deduplicate
from seedcorn.core.dedup.sealing import SealRequest
from seedcorn.core.text.fingerprint import KEYS, SIGNATURE_BYTES, Fingerprints
from seedcorn.runtime.keeper.index_client import IndexPart, PartitionedIndex
from seedcorn.runtime.ray.actors import RayTransport

BATCH = 4096
COPIES = 10
"""One document in so many repeats one of the first batch."""
KEYS_SHARED = 9
TARGET = 40_000.0


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over batches: documents/s and milliseconds per batch, wall time."""

    documents: int
    per_second: float
    milliseconds: float


def run(documents: int = 200_000, batches: int = 30, actors: int = 1) -> Result:
    """Fill the index to `documents`, then time further batches. Needs a Ray that is initialised."""
    parts = [
        ray.remote(IndexPart).options(num_cpus=0).remote(part, actors) for part in range(actors)
    ]
    index, rng = PartitionedIndex(RayTransport(parts)), np.random.default_rng(1)
    first, ordinal, times = _batch(rng), 0, []
    for number in range(documents // BATCH + batches):
        batch = first if number == 0 else _batch(rng)
        if number:
            _plant(rng, batch, first)
        start = time.perf_counter()
        ordinal += _seal(index, batch, ordinal)
        times.append(time.perf_counter() - start)
    for part in parts:
        ray.kill(part)  # pyright: ignore[reportArgumentType] - an actor handle
    median = statistics.median(times[-batches:])
    return Result(ordinal, BATCH / median, median * 1e3)


def _batch(rng: np.random.Generator) -> Fingerprints:
    return Fingerprints(
        keys=rng.integers(0, 2**64, (BATCH, KEYS), dtype=np.uint64),
        signature=rng.integers(0, 256, (BATCH, SIGNATURE_BYTES), dtype=np.uint8),
        text_hash=rng.integers(0, 2**64, BATCH, dtype=np.uint64),
        words=np.full(BATCH, 80, np.int32),
    )


def _plant(rng: np.random.Generator, batch: Fingerprints, old: Fingerprints) -> None:
    copies = np.arange(0, BATCH, COPIES)
    origin = rng.integers(0, BATCH, copies.size)
    batch.keys[copies, :KEYS_SHARED] = old.keys[origin, :KEYS_SHARED]
    batch.signature[copies] = old.signature[origin]


def _seal(index: PartitionedIndex, batch: Fingerprints, ordinal: int) -> int:
    request = SealRequest(
        generation=1,
        batch=0,
        first_unit=0,
        last_unit=0,
        first_index=0,
        last_index=BATCH - 1,
        ordinal=ordinal,
        segments=(),
    )
    decided = deduplicate(index, batch, np.arange(BATCH, dtype=np.int64), request, 0.7)
    return int(decided.verdicts.kept.sum())
