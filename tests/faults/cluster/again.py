"""How much is generated again per engine kill, counted request by request at the endpoint.

The promise: an engine that is killed costs what was in flight on it, or finished and not yet staged;
whatever is staged, by whomever, is never asked for again.
"""

import time
from collections.abc import Iterable

import pyarrow.parquet as pq

from seedcorn.core.errors import ObjectMissing
from seedcorn.storage.stores.store import Store
from tests.faults.cluster.endpoint import Recorder, words_of
from tests.faults.cluster.gate import Kill
from tests.faults.cluster.growth import Growth
from tests.faults.table import Row
from tests.runtime.processes import actors, kill, title_of

FOLDERS = ("staging/", "data/", "dropped/")
"""In the order in which a sample moves: none slips through while they are read."""
ENDPOINT = (
    *("engine.kind=openai", "engine.model=m", "engine.workers=1", "run.hedge_factor=1000"),
    *("engine.openai.max_concurrency=16", "run.stage_interval_s=0.5"),
)


class Counted:
    """What one kill took with it."""

    def __init__(self, kill: Kill, begun: set[int], durable: set[int], asked: int) -> None:
        """`asked`: requests that had been made when it died."""
        self.kill, self.begun, self.unstaged, self.asked = kill, begun, begun - durable, asked

    def add(self, row: Row, later: Iterable[int]) -> None:
        """`later` are the seeds that were asked for after the kill."""
        again = self.begun.intersection(later)
        row.again.append(tokens(again))
        row.bound.append(tokens(self.unstaged))
        if staged := again - self.unstaged:
            row.wrong.append(f"{len(staged)} staged samples were generated again")


def tokens(seeds: Iterable[int]) -> int:
    return sum(len(words_of(seed)) for seed in seeds)


def durable_seeds(store: Store) -> set[int]:
    """Seeds of all samples on the store, staged or in shards."""
    found: set[int] = set()
    for folder in FOLDERS:
        for key in [item.key for item in store.list(folder)]:
            try:
                with store.open(key) as handle:
                    found.update(pq.read_table(handle, columns=["seed"])["seed"].to_pylist())
            except ObjectMissing:
                continue  # Committed meanwhile: its rows are in the folders still to come.
    return found


def kill_engines(growth: Growth, recorder: Recorder, pauses: list[float]) -> list[Counted]:
    """Kill the only engine so many seconds after it began to ask; returns what each kill took."""
    counted: list[Counted] = []
    done = 0
    for pause in pauses:
        while len(recorder.begun) == done and not growth.over.wait(0.02):
            continue
        if growth.over.wait(pause):
            break
        for pid in actors("EngineActor"):
            kill(pid)
            killed = Kill("engine", time.time(), "random engine")
            while title_of(pid):
                time.sleep(0.01)
            asked = len(recorder.begun)
            begun = set(recorder.begun[done:asked])
            counted.append(Counted(killed, begun, durable_seeds(growth.store()), asked))
            done = asked
    return counted
