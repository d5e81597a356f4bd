"""Samples per second of the whole line: `grow` with engines that take no time.

What is timed is everything but the model: plan, prompts, checks, fingerprints, staging, dedup,
shards and commits, with Ray between them, on a local disk. Steady state is read from the log's own
commit times: the first commit is left out with everything before it, and so are the last commits,
for which nothing is generated any more.
"""

import logging
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ray

from seedcorn.config import load_recipe
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.log.log import read_log
from seedcorn.storage.stores.opening import open_store

REPOSITORY = Path(__file__).parents[2]
SIMULATED = str(REPOSITORY / "pipelines" / "simulated.yaml")
WORKERS = (1, 4)
SAMPLES, UNIT, BATCH, AHEAD = 49_152, 256, 16, 2
TARGET, AIM = 2000.0, 4000.0


@dataclass(frozen=True, slots=True)
class Result:
    """Median samples/s in steady state, and every round's figure."""

    workers: int
    per_second: float
    rounds: list[float]


def run(rounds: int = 2, samples: int = SAMPLES) -> list[Result]:
    """One result per number of workers; rounds alternate between them."""
    found: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    with cluster():
        for _ in range(rounds):
            for workers in WORKERS:
                found[workers].append(once(workers, samples))
    return [Result(w, statistics.median(rates), rates) for w, rates in found.items()]


@contextmanager
def cluster() -> Iterator[None]:
    """A private Ray cluster, so that starting Ray is in no figure."""
    ray.init(
        address="local",
        num_cpus=8,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        object_store_memory=256 << 20,
    )
    try:
        yield
    finally:
        ray.shutdown()


def once(workers: int, samples: int = SAMPLES) -> float:
    """Grow one generation; samples/s between its first commit and the last ones."""
    with tempfile.TemporaryDirectory(prefix="seedcorn-bench-") as folder:
        overrides = (
            *(f"corpus={folder}/corpus", "generations=1", f"samples={samples}"),
            *(f"units.unit={UNIT}", f"units.batch={BATCH}", f"units.ahead={AHEAD}"),
            *(f"engine.workers={workers}", "engine.simulated.concurrency=256"),
        )
        grow(load_recipe(SIMULATED, overrides), lambda snapshot: None, open_cluster)
        return steady(f"{folder}/corpus")


def steady(corpus: str) -> float:
    """Samples/s between the commits of batch 0 and of the last batch while others were open."""
    commits = [
        (entry.at, sum(entry.body.counts.values()))
        for entry in read_log(open_store(corpus, StoreSpec()))
        if isinstance(entry.body, BatchCommitted)
    ]
    window = commits[: max(2, len(commits) - AHEAD)]
    return sum(count for _, count in window[1:]) / (window[-1][0] - window[0][0])


def report() -> Iterator[str]:
    """Lines of the benchmark's table."""
    yield f"(d) whole line, engines without latency, {SAMPLES:,} samples, batches of {UNIT * BATCH}"
    for result in run():
        rounds = ", ".join(f"{rate:,.0f}" for rate in result.rounds)
        verdict = "met" if result.per_second >= TARGET else "MISSED"
        yield (
            f"    {result.workers} worker{'s' if result.workers > 1 else ' '} "
            f"{result.per_second:9,.0f} samples/s   target {TARGET:,.0f} (aim {AIM:,.0f}): "
            f"{verdict}   rounds {rounds}"
        )
