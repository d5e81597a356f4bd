"""The same with vLLM on the CPU: engine actor, EngineCore, vLLM's worker process and the driver."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

from seedcorn.core.recipe import Recipe
from seedcorn.storage.stores.store import Store
from tests.faults.cluster.gate import DRIVER, Kill
from tests.faults.cluster.growth import ENGINES, Growth, outcome_of
from tests.faults.cluster.real_counted import counted
from tests.faults.table import Progress, Row
from tests.runtime.processes import kill, objects_at_least, objects_in, titled

REPOSITORY = Path(__file__).parents[3]
DRY_RUN = str(REPOSITORY / "pipelines" / "dry_run.yaml")
MODEL = REPOSITORY / ".cache" / "models" / "SmolLM2-135M-Instruct"
RECIPE = (
    *("generations=1", "samples=40", f"engine.model={MODEL}", "engine.vllm.dtype=float32"),
    *("engine.threads=1", "engine.vllm.max_num_seqs=8", "engine.sampling.max_tokens=32"),
    *("units.unit=4", "units.batch=2", "units.ahead=3", "ledger.companions=0"),
    *("run.stage_interval_s=1", "run.heartbeat_s=0.2", "run.lease_s=2", "run.hedge_factor=1000"),
    "checks=[{finish_reason: {allow: [stop, length]}}, {length: {min_words: 3}}]",
)
TITLES = {"engine": "ray::EngineActor"}
WORKS_S = (0.2, 3.0)
"""How long an engine may work beyond its first segment before it is killed."""
START_S = 600.0


def roles(kills: int, choose: random.Random) -> list[str]:
    """Every kind in turn, shuffled."""
    kinds = [*ENGINES, DRIVER]
    dealt = [kinds[number % len(kinds)] for number in range(kills)]
    choose.shuffle(dealt)
    return dealt


def grow_under(growth: Growth, victims: list[str], choose: random.Random) -> list[Kill]:
    """Kill one victim after the other, each while its engine works; takes them off the list."""
    kills: list[Kill] = []
    folder = Path(growth.loaded.recipe.corpus)
    growth.start()
    while victims and not growth.over.is_set():
        since = kills[-1].at if kills else 0.0
        while not growth.ready_since(since) and not growth.over.wait(0.1):
            continue
        staged = objects_at_least(folder, objects_in(folder) + 1)
        while not staged() and not growth.over.wait(0.1):
            continue
        if growth.over.wait(choose.uniform(*WORKS_S)):
            break
        role = victims[0]
        found = [growth.pid] if role == DRIVER else titled(TITLES.get(role, role))
        for pid in found[:1]:
            kills.append(Kill(role, time.time(), f"random {role}"))
            kill(pid or 0)
            victims.pop(0)
    growth.join()
    return kills


class Real:
    """Both campaigns with real engines, on one cluster and beside one undisturbed corpus."""

    def __init__(self, address: str, folder: Path, seed: int, tell: Progress) -> None:
        self._address, self._folder, self._seed, self._tell = address, folder, seed, tell
        self._choose = random.Random(f"vllm {seed}")
        calm = self._growth("calm", 1)
        calm.run()
        if calm.wrong:
            raise RuntimeError(f"the undisturbed run with vLLM: {calm.wrong}")
        self._wanted = outcome_of(calm.store(), calm.loaded.recipe)

    def at_random(self, kills: int) -> Row:
        """Kill engine processes and drivers until so many were killed."""
        row, victims = Row("vLLM on the CPU, float32"), roles(kills, self._choose)
        while victims and not row.wrong:
            growth = self._growth(f"random-{row.runs}", len(victims) + 1)
            done = grow_under(growth, victims, self._choose)
            row.runs, row.kills = row.runs + 1, row.kills + len(done)
            row.wrong += growth.wrong
            if not growth.wrong:
                row.recovery_s += growth.recoveries(done)
                self._judge(row, growth.store(), growth.loaded.recipe)
        return row

    def counted(self, kills: int) -> Row:
        """Kill engine processes, one after the other, and count what each kill took."""
        victims = [ENGINES[number % len(ENGINES)] for number in range(kills)]
        loaded = self._growth("counted", 1).loaded
        row, store = counted(loaded, victims, self._seed)
        self._judge(row, store, loaded.recipe)
        return row

    def _growth(self, name: str, starts: int) -> Growth:
        where = (f"corpus={self._folder / f'vllm-{name}'}", f"run.ray_address={self._address}")
        return Growth(DRY_RUN, [*RECIPE, *where], limit_s=START_S * starts)

    def _judge(self, row: Row, store: Store, recipe: Recipe) -> None:
        found, wanted = outcome_of(store, recipe), self._wanted
        row.lost, row.doubled = row.lost + found.lost, row.doubled + found.doubled
        row.equal += (found.digest, found.account) == (wanted.digest, wanted.account)
        row.wrong += faults_of(found.broken, found.regenerated_s)
        self._tell(f"{row.campaign}: {row.kills} kills in {row.runs} runs, wrong: {row.wrong}")


def campaign(address: str, folder: Path, kills: int, seed: int, tell: Progress) -> list[Row]:
    """So many kills in all."""
    real, few = Real(address, folder, seed, tell), kills * 2 // 5
    rows = [real.at_random(kills - few)]
    return [*rows, real.counted(few)] if few else rows


def faults_of(broken: str, regenerated_s: float) -> Sequence[str]:
    """What `verify` says, and whether anything that was staged was generated again."""
    found = [f"verify says {broken}"] if broken else []
    if regenerated_s:
        found.append(f"{regenerated_s:.2f} engine seconds went into samples that were staged")
    return found
