"""What the ledger costs at scale: `python -m tests.bench.ledger_scale [samples] [generations]`.

Four tables, all in CPU time of one core: a corpus folded batch by batch, a batch against the size
of the history, the ledger's share of a sample's CPU time, and companions against all of a history. Texts are the simulated engine's,
see ledger_fold; `20000 2` is a quick look.
"""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

import numpy as np

from seedcorn.config import load_recipe
from seedcorn.core.companions.companions import Subset
from seedcorn.core.companions.neighbours import REAL, HistoryPass
from seedcorn.core.companions.novel_bits import shares as novel_shares
from seedcorn.core.forecast.prospects import Prospects
from seedcorn.core.log.entries import BatchCommitted, GenerationStarted
from seedcorn.core.recipe import Recipe, StoreSpec, resolved
from seedcorn.core.simulation.simulation import simulate
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.shingle_table import ROW
from seedcorn.core.sketch.sketch import COLUMNS, HEADLINE, LENGTHS, Delta
from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.taught import Material, taught
from seedcorn.core.text.words import NEWEST
from seedcorn.storage.stores.opening import open_store
from tests.bench.ledger_fold import (
    BATCH,
    DocumentSet,
    Fold,
    Grown,
    grow,
    resident,
    simulated,
    split,
    warm_up,
)
from tests.bench.line import REPOSITORY, SIMULATED
from tests.core.teaching import sources
from tests.corpora.histories import companions_of, packed

SAMPLES, GENERATIONS = 1_000_000, 10
HISTORIES = (10**5, 10**6, 10**7)
WORDS = (4_000_000, 40_000_000)
"""Of history."""
DRY_RUN = str(REPOSITORY / "pipelines" / "dry_run.yaml")
TARGET = 0.03
"""Share of CPU time at dry-run rates."""
TOKENS = 160
"""Of one sample; the dry run's limit."""
LINES = (
    ("dry run, 264 tokens/s on 2 cores", "dry", 2 * TOKENS / 264),
    ("dry run on faster cores, 700 tokens/s on 2", "dry", 2 * TOKENS / 700),
    ("GPU, 20,000 tokens/s, beside one core", "large", TOKENS / 20_000),
    ("simulated line, no model, .35 ms a sample", "large", 0.35e-3),
)
"""Name, cut of the batches, CPU seconds of one sample in the whole line."""


def growing(samples: int, generations: int) -> Iterator[str]:
    """Table 1: memory and time, generation by generation."""
    recipe = simulated(samples // generations)
    warm_up(recipe)
    fold, started = Fold(recipe), resident()
    yield (
        f"(1) {samples:,} samples in {generations} generations, batches of {BATCH}; "
        f"{started / 1e6:,.0f} MB resident before"
    )
    yield (
        "    gen   unique (est.)  hashes held   rate  ms a batch   worst  us a sample  MB resident"
        "   of which, us a sample"
    )
    with split(fold.watch):
        for one in grow(fold, generations, DocumentSet(recipe)):
            yield _grown(fold, one)
    yield (
        f"    history {fold.ledger.history.bytes / 1e6:,.0f} MB, most resident "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB, "
        f"{1e6 * fold.watch.total / samples:.1f} us a sample in all; the worst batches are those "
        "in which the history doubled or was thinned"
    )


def _grown(fold: Fold, one: Grown) -> str:
    history, samples = fold.ledger.history, fold.recipe.samples
    unique = history.novel(one.generation, HEADLINE).total / history.rate
    parts = ", ".join(f"{n} {1e6 * s / samples:.1f}" for n, s in sorted(one.parts.items()))
    return (
        f"    {one.generation:3d}{unique:16,.0f}{history.sizes[HEADLINE]:13,d}"
        f"{history.rate:7.3f}{1e3 * statistics.median(one.batches):12.1f}"
        f"{1e3 * max(one.batches):8.0f}{1e6 * sum(one.parts.values()) / samples:13.1f}"
        f"{one.memory / 1e6:13,.0f}   {parts}"
    )


def histories(rounds: int = 3, sizes: Sequence[int] = HISTORIES) -> Iterator[str]:
    """Table 2: an equal batch against histories that held ever more before."""
    recipe = simulated(5 * BATCH)
    fold, source = Fold(recipe), DocumentSet(recipe)
    fold.append(GenerationStarted(1, resolved(recipe), "bench", "bench", {}))
    batches = [fold.seal(1, n, source.batch(1, n * BATCH, BATCH)) for n in range(5)]
    yield f"(2) a batch of {BATCH} x 80 words against the history, CPU ms, median of {rounds}"
    yield "    hashes held   table in use   history.add  prospects.add     sum   x the smallest"
    found: dict[int, list[tuple[float, float, float]]] = {size: [] for size in sizes}
    for seed in range(-1, rounds):
        for size in sizes:
            taken = against(size, abs(seed), batches)
            found[size] += [taken] if seed >= 0 else []
    least = 0.0
    for size in sizes:
        used, history, prospects = (statistics.median(c) for c in zip(*found[size], strict=True))
        least = least or history + prospects
        yield (
            f"    {size:11,d}{used:15.2f}{1e3 * history:14.1f}{1e3 * prospects:15.1f}"
            f"{1e3 * (history + prospects):8.1f}{(history + prospects) / least:17.2f}"
        )


def against(
    size: int, seed: int, batches: Sequence[tuple[BatchCommitted, Delta]]
) -> tuple[float, float, float]:
    """(share of slots in use, seconds of history.add, of prospects.add) for the last batch.

    The history holds random hashes, and has room: it doubles outside of what is timed, for table 1
    shows what that costs. The prospects have folded the batches before.
    """
    history, warm, prospects = History(10**9), History(10**9), Prospects(2, ("retell", "invent"))
    room = max(int(delta.length.size) // len(LENGTHS) for _, delta in batches)
    filling = random_delta(size, seed)
    history.add(filling, 1)
    history.add(repeated(filling, room), 1)
    for body, delta in batches[:-1]:
        warm.add(delta, 2)
        prospects.add(body, delta, warm)
    start = time.process_time()
    history.add(batches[-1][1], 2)
    middle = time.process_time()
    prospects.add(*batches[-1], history)
    end = time.process_time()
    used = sum(history.sizes.values()) * ROW.itemsize / history.bytes
    return used, middle - start, end - middle


def random_delta(size: int, seed: int) -> Delta:
    """`size` hashes of each length that one accepted document each holds."""
    random = np.random.default_rng(seed)
    hashes = [np.sort(random.integers(0, 2**64, size, np.uint64)) for _ in LENGTHS]
    one, none = np.ones(3 * size, np.uint32), np.zeros(3 * size, np.uint32)
    lengths = np.repeat(np.array(LENGTHS, np.uint8), size)
    return Delta(none.astype(np.uint8), lengths, np.concatenate(hashes), one, one, none)


def repeated(delta: Delta, rows: int) -> Delta:
    """`rows` rows of each length, again and again the same ones where there are too few."""
    size = len(delta) // len(LENGTHS)
    once = np.sort(np.arange(rows) % size)
    picked = np.concatenate([number * size + once for number in range(len(LENGTHS))])
    return Delta(*(getattr(delta, name)[picked] for name in COLUMNS))


def shares() -> Iterator[str]:
    """Table 3: the ledger's CPU time per sample against that of the whole line."""
    small = load_recipe(DRY_RUN, ("samples=3072", "generations=1", "engine.simulated.words=110"))
    cuts = {"dry": small.recipe, "large": simulated(16 * BATCH)}
    costs: dict[str, float] = {}
    yield "(3) the ledger in the line, CPU us a sample: sketch files included, a local store"
    for name, recipe in cuts.items():
        parts = in_line(recipe)
        costs[name] = sum(parts.values())
        size = recipe.units.unit * recipe.units.batch
        text = ", ".join(f"{part} {1e6 * value:.1f}" for part, value in sorted(parts.items()))
        yield f"    batches of {size:4d}: {1e6 * costs[name]:6.1f}   {text}"
    for line, cut, cpu in LINES:
        share = costs[cut] / cpu
        verdict = f"   target < {TARGET:.0%}: {'met' if share < TARGET else 'MISSED'}"
        yield f"    {line:45s}{share:8.2%}{verdict if cut == 'dry' else ''}"
    seconds, documents = measuring()
    share = seconds / documents / LINES[0][2]
    yield (
        f"    beside the line, once a generation: companions of {documents} documents take "
        f"{seconds:.2f} s, {share:.2%} of a dry-run generation of as many samples"
    )


def in_line(recipe: Recipe) -> dict[str, float]:
    """CPU seconds per sample of every part of the ledger's work in the line."""
    warm_up(recipe)
    with tempfile.TemporaryDirectory(prefix="seedcorn-bench-") as folder:
        fold = Fold(recipe, open_store(folder, StoreSpec()))
        with split(fold.watch):
            (one,) = grow(fold, 1, DocumentSet(recipe))
    return {name: seconds / recipe.samples for name, seconds in one.parts.items()}


def measuring(documents: int = 96) -> tuple[float, int]:
    """(CPU seconds of the companions of a dry-run generation, its documents)."""
    spec = load_recipe(SIMULATED, ("engine.simulated.words=110",)).recipe.engine.simulated
    texts = [simulate("scale", 1, i, spec, "").text for i in range(2 * documents)]
    new, old = texts[:documents], texts[documents:]
    sample = Subset(new, range(documents), 0, documents, old[:64])
    companions_of(sample, old)
    start = time.process_time()
    companions_of(sample, old)
    return time.process_time() - start, documents


def against_history(words: Sequence[int] = WORDS) -> Iterator[str]:
    """Table 4: companions of 400 documents, and what each word of history adds to them."""
    texts = sources.documents(12_600, 1)
    seed, new, anchor = texts[:8000], texts[8000:8400], texts[8400:8700]
    index = Subset(new, range(400), 0, 400, seed[:64]).index()
    table, data = Anchor.of(anchor, NEWEST).table, packed(seed)
    yield "(4) companions of 400 documents against all of history, CPU s of one core"
    yield "      words of history  neighbours  counts of an anchor  zstd  MB resident"
    for most in words:
        past, spent, read = HistoryPass(index), [0.0, 0.0], 0
        while read < most:
            start = time.process_time()
            seen = past.look(*data, np.full(len(seed), -1), REAL)
            middle = time.process_time()
            table.count_words(seen)
            spent = [spent[0] + middle - start, spent[1] + time.process_time() - middle]
            read += int(seen.counts.sum())
        start = time.process_time()
        novel_shares(index, past.found())
        zstd = time.process_time() - start
        memory = resident() / 1e6
        yield f"    {read:18,d}{spent[0]:12.1f}{spent[1]:21.1f}{zstd:6.1f}{memory:13,.0f}"
    yield from lessons(texts, anchor)


def lessons(texts: Sequence[str], anchor: Sequence[str]) -> Iterator[str]:
    """What ΔA, its curve and W take once everything is counted."""
    learnt = Anchor.of(anchor, NEWEST)
    pools = [list(enumerate(texts[a : a + 1300])) for a in (8700, 10_000, 0)]
    seed, own = (learnt.table.count(part) for part in (texts[:8000], texts[8700:10_000]))
    start = time.process_time()
    taught(Material(learnt, [seed, own], own, pools[0], pools[2], pools[1]))
    yield (
        f"    worth, gain and curve on an anchor of {len(anchor)} documents, two sources of history: "
        f"{time.process_time() - start:.1f} s"
    )


def main() -> int:
    """Print the four tables; a figure that misses its target fails nothing."""
    samples, generations = [int(text) for text in sys.argv[1:3]] or (SAMPLES, GENERATIONS)
    for report in (growing(samples, generations), histories(), shares(), against_history()):
        for text in report:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
