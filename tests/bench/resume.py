"""What `grow` costs before its first lease on a long log: `python -m tests.bench.resume [units]`.

Makes a corpus of so many units of one sample (16 a batch, hence a batch and a forecast entry for
every 16), with an unbroken chain and a checkpoint, on the local disk. Two more batches are then
grown by the real line, so that the log goes on behind the checkpoint, and a fresh process measures
the start. Objects that the checkpoint covers are named but not there: a start must not read them.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from seedcorn.core.dedup.sealing import tags
from seedcorn.core.identity import digest
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.entries import BatchCommitted, Body, Entry, Measurement, chain_hash, encode
from seedcorn.core.log.layout import ShardName, log_key, segment_prefix
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import (
    EngineSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    StoreSpec,
    UnitsSpec,
)
from seedcorn.core.simulation.simulation import simulate
from seedcorn.core.sketch.sketch import LENGTHS, Delta
from seedcorn.core.text.fingerprint import KEYS, SIGNATURE_BYTES
from seedcorn.runtime.driver.grow import fold
from seedcorn.runtime.job import LoadReport
from seedcorn.runtime.keeper.index_client import LocalTransport, PartitionedIndex
from seedcorn.runtime.keeper.keeper import Keeper
from seedcorn.storage.log.log import LogReader
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store
from tests.corpora.growing import grow_in_process

UNITS, BATCH, AHEAD = 1_000_000, 16, 2
SECONDS, GB = 15.0, 3.0
"""Targets."""
HASHES = 2_000_000
"""Shingle hashes per length that the ledger's history holds."""
REAL = 2
"""Batches grown by the real line before and after the made ones."""


def recipe_of(units: int) -> Recipe:
    """The recipe of the corpus: its plan goes on for a while behind what is made."""
    return Recipe(
        name="resumed",
        generations=1,
        samples=units + 64 * BATCH,
        seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
        prompts=[
            PromptSpec(name="tell", template="{{ parent }}"),
            PromptSpec(name="ask", template="?"),
        ],
        engine=EngineSpec(
            kind="simulated",
            simulated=SimulatedSpec(
                words=60, duplicate_rate=0.1, rejection_rate=0.1, concurrency=14
            ),
        ),
        checks=[{"refusal": {}}],
        units=UnitsSpec(unit=1, batch=BATCH, ahead=AHEAD),
    )


def make(folder: Path, units: int) -> Recipe:
    """The corpus under `folder`/corpus, its seed beside it."""
    recipe = recipe_of(units)
    lines = [simulate("seed", 0, i, SimulatedSpec(words=50), "").text for i in range(64)]
    (folder / "seed.txt").write_text("\n".join(lines), encoding="utf-8")
    uri = str(folder / "corpus")
    grow_in_process(recipe, uri, str(folder), batches=REAL)
    store = open_store(uri, StoreSpec())
    _lengthen(store, folder / "corpus", units // BATCH)
    _checkpoint(store, recipe)
    grow_in_process(recipe, uri, str(folder), batches=REAL)
    return recipe


def _lengthen(store: Store, root: Path, batches: int) -> None:
    """Append made batches and forecasts, like the newest real ones, until so many batches exist."""
    reader = LogReader(store)
    entries = list(reader)
    head, writer = reader.head, entries[-1].writer
    batch = next(e.body for e in reversed(entries) if isinstance(e.body, BatchCommitted))
    said = next(e.body for e in reversed(entries) if _is_forecast(e.body))
    assert isinstance(said, Measurement)
    sequence, previous = head.sequence, head.previous
    while batch.batch + 1 < batches:
        batch, said = _next_batch(batch), _next_forecast(said)
        for body in (batch, said):
            data = encode(Entry(sequence, writer, previous, float(sequence), body))
            (root / log_key(sequence)).write_bytes(data)
            sequence, previous = sequence + 1, chain_hash(data)


def _is_forecast(body: Body) -> bool:
    return isinstance(body, Measurement) and body.name == "forecast"


def _next_batch(last: BatchCommitted) -> BatchCommitted:
    number = last.batch + 1
    name = digest("resume", number, size=32).hex()

    def renamed(refs: list, role: str) -> list:
        key = ShardName(role, 1, number * BATCH, number * BATCH + BATCH - 1, name[:16]).key
        return [replace(ref, key=key, sha256=name) for ref in refs]

    assert last.sketch is not None
    return replace(
        last,
        batch=number,
        first_unit=number * BATCH,
        last_unit=number * BATCH + BATCH - 1,
        first_index=number * BATCH,
        last_index=number * BATCH + BATCH - 1,
        ordinal=last.ordinal + last.counts["accepted"],
        data=renamed(last.data, "data"),
        dropped=renamed(last.dropped, "dropped"),
        sketch=replace(last.sketch, key=f"sketches/{name[:16]}.parquet", sha256=name),
    )


def _next_forecast(last: Measurement) -> Measurement:
    """One batch later, everything that sums up a batch's worth larger."""
    subject = last.subject | {n: last.subject[n] + 1 for n in ("batches", "batch")}
    grown = (BATCH * last.subject["batches"] + BATCH) / (BATCH * last.subject["batches"])
    strata = {
        name: values | {n: int(values[n] * grown) for n in ("samples", "tokens", "sampled")}
        for name, values in last.values["strata"].items()
    }
    return replace(last, subject=subject, values=last.values | {"strata": strata})


class _Made(Keeper):
    """A keeper filled with random documents as far as the log says there are any."""

    def fill(self, entries: list[Entry]) -> None:
        """Fold the log without reading what made entries name."""
        random, before = np.random.default_rng(5), self._state.next_ordinal
        prospects = self._ledger.prospects.snapshot()
        for entry in entries[self._state.sequence :]:
            self._state.apply(entry)
        batches = self._state.generations[1].batches
        for name in [name for name in prospects if name.endswith(".curve")]:
            # One point a batch: samples so far, and what they hold.
            points = np.arange(1, batches + 1, dtype=np.float64)
            prospects[name] = np.stack([points * BATCH, points * 400], axis=1).ravel()
        history = self._ledger.history
        self._ledger = Ledger(history=history, covered=len(entries), prospects=prospects)
        for entry in entries:
            self._ledger.apply(entry, None)
        self._index.reserve(self._state.next_ordinal)
        for first in range(before, self._state.next_ordinal, 100_000):
            count = min(100_000, self._state.next_ordinal - first)
            keys = random.integers(0, 2**64, count * KEYS, np.uint64)
            ordinals = np.arange(first, first + count)
            signatures = random.integers(0, 256, (count, SIGNATURE_BYTES), np.uint8)
            self._index.put_witnesses(first, signatures, tags(1, ordinals))
            self._index.insert(keys, np.repeat(ordinals, KEYS))
        self._ledger.history.add(_delta(random, HASHES), 1)
        self._containment.measure(random.integers(0, 2**64, HASHES * 4, np.uint64), _whole(HASHES))


def _whole(hashes: int) -> np.ndarray:
    return np.array([0, hashes * 4])


def _delta(random: np.random.Generator, hashes: int) -> Delta:
    lengths = np.repeat(np.array(LENGTHS, np.uint8), hashes)
    drawn = [np.unique(random.integers(1, 2**64, hashes, np.uint64)) for _ in LENGTHS]
    drawn = [np.resize(part, hashes) for part in drawn]
    ones = np.ones(len(lengths), np.uint32)
    zeros = np.zeros(len(lengths), np.uint8)
    return Delta(zeros, lengths, np.concatenate(drawn), ones, ones, zeros.astype(np.uint32))


def _checkpoint(store: Store, recipe: Recipe) -> None:
    """A checkpoint of the whole log, as a keeper that had lived through it would write."""
    reader = LogReader(store)
    entries = list(reader)
    made = next(
        e.sequence for e in entries if isinstance(e.body, BatchCommitted) and e.body.batch == REAL
    )
    keeper = _Made(store, PartitionedIndex(LocalTransport()), recipe, 1)
    keeper.load(made)
    keeper.fill(entries)
    keeper.checkpoint(reader.head.previous)


def start(folder: Path, units: int) -> None:
    """What a fresh `grow` does before the first lease; prints (what, seconds, CPU seconds, GB)."""
    recipe, store = recipe_of(units), open_store(str(folder / "corpus"), StoreSpec())
    begun = (time.perf_counter(), time.process_time())

    def step(what: str, do: Callable[[], object]) -> object:
        nonlocal begun
        done, now = do(), (time.perf_counter(), time.process_time())
        peak = _peak_gb()
        took = [end - start for start, end in zip(begun, now, strict=True)]
        sys.stdout.write(json.dumps([what, *took, peak]) + "\n")
        begun = now
        return done

    folded = step("driver: state and head from the log", lambda: fold(store))
    assert isinstance(folded, tuple)
    assert isinstance(folded[0], CorpusState)
    keeper = Keeper(store, PartitionedIndex(LocalTransport()), recipe, 1)
    report = step("keeper: index, ledger, history", lambda: keeper.load(folded[0].sequence))
    step("staged segments listed", lambda: [i.key for i in store.list(segment_prefix(1))])
    assert folded[0].generations[1].batches == units // BATCH + REAL
    assert isinstance(report, LoadReport)
    assert report.covered > units // BATCH, report


def _peak_gb() -> float:
    """Not `ru_maxrss`, which a child inherits from its parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e9


def report(units: int = UNITS) -> Iterator[str]:
    """The table."""
    with tempfile.TemporaryDirectory(prefix="resume-") as name:
        make(Path(name), units)
        yield from measured(Path(name), units)


def measured(folder: Path, units: int) -> Iterator[str]:
    """The start of a corpus that `make` made, in a fresh process; driver and keeper share it."""
    entries = len(list((folder / "corpus" / "log").iterdir()))
    yield f"resume: {units:,} units, {entries:,} log entries     seconds   of CPU   peak GB "
    command = [sys.executable, "-m", "tests.bench.resume", "--start", str(folder), str(units)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    total, busy, peak = 0.0, 0.0, 0.0
    for line in done.stdout.splitlines():
        what, seconds, cpu, peak = json.loads(line)
        total, busy = total + seconds, busy + cpu
        yield f"    {what:46s}{seconds:8.1f}{cpu:9.1f}{peak:11.2f}"
    verdict = "met" if total < SECONDS and peak < GB else "MISSED"
    targets = f"target {SECONDS:g} s and {GB:g} GB: {verdict}"
    yield f"    {'before the first lease':46s}{total:8.1f}{busy:9.1f}{peak:11.2f}   {targets}"


def main() -> int:
    """Print the table; `--make` and `--start FOLDER UNITS` are its parts."""
    if sys.argv[1:2] == ["--start"]:
        start(Path(sys.argv[2]), int(sys.argv[3]))
        return 0
    if sys.argv[1:2] == ["--make"]:
        make(Path(sys.argv[2]), int(sys.argv[3]))
        return 0
    for line in report(int(sys.argv[1]) if sys.argv[1:] else UNITS):
        sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
