"""Dedup throughput in process: what one core decides per second, batch by batch.

`python -m tests.bench.index` fills an index to a million documents, then times lookup, resolve,
insert and the witnesses for further batches of 4096, one in ten documents a near copy.
CPU time of this process, median over batches.
"""

import itertools
import statistics
import sys
import time
from dataclasses import dataclass

import numpy as np

from seedcorn.core.dedup.dedup import insertions, resolve
from seedcorn.core.dedup.index import KEYS_PER_DOCUMENT, Index
from seedcorn.core.dedup.witnesses import Witnesses

BATCH = 4096
COPIES = 10
"""One document in so many repeats an earlier one."""
BANDS_SHARED = 9
STEPS = ("lookup", "witnesses", "resolve", "insert")


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over batches: documents per second of CPU, and microseconds per document by step."""

    documents: int
    per_second: float
    microseconds: dict[str, float]
    bytes_per_document: float


def run(documents: int = 1_000_000, batches: int = 30) -> Result:
    """Measure at an index of `documents`."""
    rng = np.random.default_rng(1)
    index, witnesses = Index(), Witnesses()
    index.reserve(documents + batches * BATCH)
    old, ordinal = _batch(rng), 0
    for batch in (old, *(_batch(rng) for _ in range(1, documents // BATCH))):
        ordinal += _seal(index, witnesses, batch, ordinal)[1]
    times = []
    for batch in (_batch(rng) for _ in range(batches)):
        _plant(rng, batch, old)
        spent, kept = _seal(index, witnesses, batch, ordinal)
        ordinal += kept
        times.append(spent)
    return _result(index, times)


def _batch(rng) -> tuple[np.ndarray, np.ndarray]:
    keys = rng.integers(0, 2**64, (BATCH, KEYS_PER_DOCUMENT), dtype=np.uint64)
    return keys, rng.integers(0, 256, (BATCH, 64), dtype=np.uint8)


def _plant(rng, batch, old) -> None:
    copies = np.arange(0, BATCH, COPIES)
    origin = rng.integers(0, BATCH, copies.size)
    batch[0][copies, :BANDS_SHARED] = old[0][origin, :BANDS_SHARED]
    batch[1][copies] = old[1][origin]


def _seal(index, witnesses, batch, ordinal) -> tuple[list[float], int]:
    keys, signatures = batch
    marks = [time.process_time()]
    answers = index.lookup(keys.ravel()).reshape(keys.shape)
    marks.append(time.process_time())
    known = np.unique(answers[(answers >= 0) & (answers < ordinal)])
    found = (known, witnesses.get(known)[0])
    marks.append(time.process_time())
    verdicts = resolve(keys, signatures, answers, found, ordinal, 0.7)
    marks.append(time.process_time())
    index.insert(*insertions(keys, verdicts, ordinal))
    kept = signatures[verdicts.kept]
    witnesses.put(ordinal, kept, np.zeros(len(kept), np.uint64))
    marks.append(time.process_time())
    return [after - before for before, after in itertools.pairwise(marks)], len(kept)


def _result(index: Index, times: list[list[float]]) -> Result:
    steps = {
        step: statistics.median(spent[at] for spent in times) / BATCH * 1e6
        for at, step in enumerate(STEPS)
    }
    whole = statistics.median(sum(spent) for spent in times)
    return Result(
        documents=index.documents,
        per_second=BATCH / whole,
        microseconds=steps,
        bytes_per_document=index.nbytes / index.documents,
    )


def main() -> int:
    """Print one line per figure."""
    result = run()
    steps = ", ".join(f"{step} {spent:.2f}" for step, spent in result.microseconds.items())
    sys.stdout.write(
        f"dedup index, {result.documents:,} documents, batches of {BATCH}, one core\n"
        f"  {result.per_second:,.0f} documents/s (target 100,000)\n"
        f"  microseconds per document: {steps}\n"
        f"  {result.bytes_per_document:.0f} bytes per document in the index\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
