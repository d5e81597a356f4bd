"""The same with vLLM on the CPU: engine actor, EngineCore, vLLM's worker process and the driver."""

import random
import time
from collections.abc import Sequence
from pathlib import Path

from tests.faults.cluster.gate import DRIVER, Kill
from tests.faults.cluster.growth import ENGINES, Growth, outcome_of
from tests.faults.table import Progress, Row
from tests.runtime.processes import kill, titled

REPOSITORY = Path(__file__).parents[3]
DRY_RUN = str(REPOSITORY / "pipelines" / "dry_run.yaml")
MODEL = REPOSITORY / ".cache" / "models" / "SmolLM2-135M-Instruct"
RECIPE = (
    *("generations=1", "samples=96", f"engine.model={MODEL}", "engine.vllm.dtype=float32"),
    *("engine.threads=1", "engine.vllm.max_num_seqs=8", "engine.sampling.max_tokens=48"),
    *("units.unit=4", "units.batch=4", "units.ahead=3", "ledger.companions=0"),
    *("run.stage_interval_s=1", "run.heartbeat_s=0.2", "run.lease_s=2", "run.hedge_factor=1000"),
    "checks=[{finish_reason: {allow: [stop, length]}}, {length: {min_words: 3}}]",
)
TITLES = {"engine": "ray::EngineActor"}
WORKS_S = (1.5, 4.0)
"""How long an engine may work between two kills."""
START_S = 300.0


def roles(kills: int, choose: random.Random) -> list[str]:
    """Every kind in turn, shuffled."""
    kinds = [*ENGINES, DRIVER]
    dealt = [kinds[number % len(kinds)] for number in range(kills)]
    choose.shuffle(dealt)
    return dealt


def grow_under(growth: Growth, victims: list[str], choose: random.Random) -> list[Kill]:
    """Kill one victim after the other, each while its engine works; takes them off the list."""
    kills: list[Kill] = []
    growth.start()
    while victims and not growth.over.is_set():
        since = kills[-1].at if kills else 0.0
        while not growth.ready_since(since) and not growth.over.wait(0.1):
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


def campaign(address: str, folder: Path, kills: int, seed: int, tell: Progress) -> Row:
    """Grow corpora until so many processes were killed; each equals the undisturbed one."""
    row, choose = Row("vLLM on the CPU, float32"), random.Random(f"vllm {seed}")
    where = f"run.ray_address={address}"
    calm = Growth(DRY_RUN, [f"corpus={folder / 'vllm-calm'}", *RECIPE, where], limit_s=START_S)
    calm.run()
    wanted = outcome_of(calm.store(), calm.loaded.recipe)
    victims = roles(kills, choose)
    while victims and not row.wrong:
        corpus = f"corpus={folder / f'vllm-{row.runs}'}"
        growth = Growth(DRY_RUN, [corpus, *RECIPE, where], limit_s=START_S * (len(victims) + 1))
        done = grow_under(growth, victims, choose)
        row.runs, row.kills = row.runs + 1, row.kills + len(done)
        row.wrong += growth.wrong
        if growth.wrong:
            break
        found = outcome_of(growth.store(), growth.loaded.recipe)
        row.lost, row.doubled = row.lost + found.lost, row.doubled + found.doubled
        row.recovery_s += growth.recoveries(done)
        row.equal += (found.digest, found.account) == (wanted.digest, wanted.account)
        row.wrong += faults_of(found.broken, found.regenerated_s)
        tell(f"{row.campaign}: {row.kills} kills in {row.runs} runs, wrong: {row.wrong}")
    return row


def faults_of(broken: str, regenerated_s: float) -> Sequence[str]:
    """What `verify` says, and whether anything that was staged was generated again."""
    found = [f"verify says {broken}"] if broken else []
    if regenerated_s:
        found.append(f"{regenerated_s:.2f} engine seconds went into samples that were staged")
    return found
