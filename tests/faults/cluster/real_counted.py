"""What a kill of a real engine costs, by the worker's own counters at the moment of the kill.

The view is called right after a look at the workers, so their counters are exact. What the engine
began and what is durable once its death is dealt with leave what has to be generated again.
"""

import random
import time
from dataclasses import dataclass

import pyarrow.parquet as pq
import ray

from seedcorn.core.errors import ObjectMissing
from seedcorn.core.recipe import LoadedRecipe
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store
from tests.faults.cluster.again import FOLDERS
from tests.faults.cluster.gate import Kill
from tests.faults.table import Row
from tests.runtime.processes import kill, titled

AFTER = (3, 9)
"""Samples that an engine may finish before it is killed."""


@dataclass(frozen=True)
class Taken:
    """One kill: samples that were begun and are not durable, and which they were."""

    kill: Kill
    lost: int
    indices: tuple[int, ...]


def durable(store: Store) -> dict[int, int]:
    """Plan index → completion tokens of everything on the store, of one generation."""
    found: dict[int, int] = {}
    for folder in FOLDERS:
        for key in [item.key for item in store.list(folder)]:
            try:
                with store.open(key) as handle:
                    rows = pq.read_table(handle, columns=["index", "completion_tokens"])
            except ObjectMissing:
                continue  # Committed meanwhile: its rows are in the folders still to come.
            found |= dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    return found


class Watch:
    """A view that kills one engine process after the other."""

    def __init__(self, store: Store, victims: list[str], choose: random.Random) -> None:
        self.taken: list[Taken] = []
        self.recovery_s: list[float] = []
        self._store, self._victims, self._choose = store, victims, choose
        self._after = choose.randrange(*AFTER)
        self._before, self._restarts = 0, 0
        self._open: tuple[Kill, int] | None = None

    def __call__(self, look: Snapshot) -> None:
        if self._open is not None:
            self._settle(look, *self._open)
        told = next(iter(look.progress.values()), None)
        if told is None or self._open is not None or not self._victims:
            return
        finished = sum(told.outcomes.values())
        if len(self.recovery_s) < len(self.taken):
            self.recovery_s.append(time.time() - self.taken[-1].kill.at)
        if finished >= self._after and told.in_flight:
            role = self._victims.pop(0)
            for pid in titled({"engine": "ray::EngineActor"}.get(role, role))[:1]:
                kill(pid)
            self._open = Kill(role, time.time()), finished + told.in_flight
            self._restarts = look.restarts

    def _settle(self, look: Snapshot, killed: Kill, begun: int) -> None:
        """Once the death is known, the worker has staged what it could."""
        if look.restarts == self._restarts or look.workers:
            return
        held = durable(self._store)
        lost = begun - (len(held) - self._before)
        # Samples are begun in plan order: the lowest that are not durable are those in question.
        open_ = [index for index in range(look.planned) if index not in held][:lost]
        self.taken.append(Taken(killed, lost, tuple(open_)))
        self._before, self._open = len(held), None
        self._after = self._choose.randrange(*AFTER)


def counted(loaded: LoadedRecipe, victims: list[str], seed: int) -> tuple[Row, Store]:
    """Grow in this process under kills; the row has no word on equality yet."""
    row, store = (
        Row("vLLM on the CPU, counted"),
        open_store(loaded.recipe.corpus, loaded.recipe.store),
    )
    watch = Watch(store, victims, random.Random(f"counted {seed}"))
    ray.init(address=loaded.recipe.run.ray_address, log_to_driver=False, logging_level="ERROR")
    try:
        complete = grow(loaded, watch, open_cluster).complete
    finally:
        ray.shutdown()
    row.runs, row.kills, row.recovery_s = 1, len(watch.taken), watch.recovery_s
    if not complete:
        row.wrong.append("not complete")
    tokens, most = durable(store), loaded.recipe.engine.sampling.max_tokens
    for taken in watch.taken:
        row.again.append(sum(tokens[index] for index in taken.indices))
        row.bound.append(taken.lost * most)
    return row, store
