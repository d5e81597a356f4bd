"""The campaign: corpora grown under kills, each compared with one that nothing disturbed."""

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults.cluster.again import ENDPOINT, kill_engines
from tests.faults.cluster.endpoint import recording
from tests.faults.cluster.gate import Gate, Kill, Step, gate
from tests.faults.cluster.ground import Ground, ground
from tests.faults.cluster.growth import Growth, Outcome, outcome_of
from tests.faults.cluster.real_engines import campaign as real
from tests.faults.cluster.victims import Victims
from tests.faults.table import Progress, Row, paper, print_table, progress_on

SIMULATED = str(Path(__file__).parents[3] / "pipelines" / "simulated.yaml")
SAMPLES = 400
RECIPE = (
    *(f"samples={SAMPLES}", "units.unit=16", "units.batch=4"),
    *("dedup.checkpoint_every=2", "engine.workers=2", "engine.simulated.concurrency=16"),
    *("engine.simulated.latency_s=0.3", "engine.simulated.latency_jitter=0.5"),
    *("run.heartbeat_s=0.2", "run.lease_s=2", "run.stage_interval_s=1", "run.hedge_factor=8"),
)
RANDOM = ("engine", "engine", "driver", "keeper", "index", "engine", "measuring")
"""In these proportions."""
STEPS = tuple(
    Step(method, folder, moment)
    for method, folder in (
        *(("PUT", "staging"), ("PUT", "data"), ("PUT", "dropped"), ("PUT", "sketches")),
        *(("PUT", "checkpoints"), ("PUT", "log"), ("DELETE", "staging")),
    )
    for moment in ("before", "after", "late")
)


class Campaign:
    """Grows corpora on one ground and keeps count."""

    def __init__(self, address: str, folder: Path, choose: random.Random, tell: Progress) -> None:
        self._address, self._folder, self._choose, self._tell = address, folder, choose, tell
        self._runs = 0
        self._undisturbed: dict[str, Outcome] = {}

    def growth(self, *where: str) -> Growth:
        """A fresh corpus on the local disk, or beside the one that `where` names."""
        self._runs += 1
        named = [item for item in where if item.startswith("corpus=")]
        corpus = f"{named[-1] if named else f'corpus={self._folder}/corpus'}-{self._runs:03d}"
        address = f"run.ray_address={self._address}"
        return Growth(SIMULATED, [*RECIPE, address, *where, corpus])

    def undisturbed(self, *where: str) -> Outcome:
        """What every corpus grown with this kind of engine must equal."""
        growth = self.growth(*where)
        kind = growth.loaded.recipe.engine.kind
        if kind not in self._undisturbed:
            growth.run()
            found = outcome_of(growth.store(), growth.loaded.recipe)
            if growth.wrong or found.broken:
                raise RuntimeError(f"the undisturbed run: {growth.wrong}, {found.broken}")
            self._undisturbed[kind] = found
        return self._undisturbed[kind]

    def judge(self, growth: Growth, row: Row, about: str) -> None:
        """Count a finished corpus into its row."""
        row.runs += 1
        row.wrong += [f"{about}: {wrong}" for wrong in growth.wrong]
        if growth.wrong:
            return
        recipe = growth.loaded.recipe
        found, wanted = outcome_of(growth.store(), recipe), self._undisturbed[recipe.engine.kind]
        row.lost, row.doubled = row.lost + found.lost, row.doubled + found.doubled
        if found.broken:
            row.wrong.append(f"{about}: verify says {found.broken}")
        if found.digest != wanted.digest:
            row.wrong.append(f"{about}: another corpus, digest {found.digest[:16]}")
        if found.account != wanted.account:
            row.wrong.append(f"{about}: another ledger; {difference(found, wanted)}")
        row.equal += (found.digest, found.account) == (wanted.digest, wanted.account)

    def at_random(self, victims: Victims, name: str, *where: str) -> Row:
        """Kill the victims at random moments, over as many corpora as it takes."""
        row = Row(name)
        while victims.queue:
            before, growth = len(victims.kills), self.growth(*where)
            growth.start()
            victims.haunt(growth)
            growth.join()
            if not self._close(row, growth, victims.kills[before:]):
                break
        row.wrong += [f"never killed: {role}" for role in victims.queue]
        return row

    def at_steps(self, steps: Sequence[Step], before: Gate, where: list[str]) -> Row:
        """Kill whoever takes a step, one step after the other, over as many corpora as it takes."""
        row, left = Row("at every step of the protocol, S3"), list(steps)
        while left:
            growth, first = self.growth(*where), len(before.kills)
            growth.start()
            while left and not growth.over.is_set():
                before.arm(left[0])
                while before.armed and not growth.over.is_set():
                    growth.over.wait(0.05)
                if before.armed is None:
                    left.pop(0)
            before.arm(None)
            growth.join()
            if not self._close(row, growth, before.kills[first:]):
                break
        row.wrong += [f"never came: {step}" for step in left]
        return row

    def counted(self, kills: int) -> Row:
        """Kill engines whose requests are counted, a few in each run."""
        row = Row("engine, requests counted at its endpoint")
        with recording() as recorder:
            where = (*ENDPOINT, f"engine.openai.base_url={recorder.url}/v1")
            if kills:
                self.undisturbed(*where)
            while row.kills < kills:
                pauses = [self._choose.uniform(0.1, 2.5) for _ in range(min(3, kills - row.kills))]
                recorder.begun.clear()
                growth = self.growth(*where)
                growth.start()
                found = kill_engines(growth, recorder, pauses)
                growth.join()
                for one in found:
                    one.add(row, recorder.begun[one.asked :])
                if not self._close(row, growth, [one.kill for one in found]):
                    break
        return row

    def _close(self, row: Row, growth: Growth, kills: list[Kill]) -> bool:
        """Count a run; returns whether another one makes sense."""
        self.judge(growth, row, ", ".join(f"{kill.role} {kill.step}" for kill in kills))
        row.kills += len(kills)
        if not growth.wrong:
            row.recovery_s += growth.recoveries(kills)
        self._tell(f"{row.campaign}: {row.kills} kills in {row.runs} runs, wrong: {row.wrong}")
        return bool(kills) and not growth.wrong


def difference(found: Outcome, wanted: Outcome) -> str:
    """Where two ledgers differ first."""
    pairs = enumerate(zip(found.account, wanted.account, strict=False))
    at = next((n for n, (one, other) in pairs if one != other), 0)
    return f"{found.account[max(0, at - 80) : at + 60]!r}, undisturbed {wanted.account[at : at + 60]!r}"


def deal(kills: int, choose: random.Random) -> list[str]:
    """So many victims in the proportions of `RANDOM`, shuffled, the measuring tasks spread out."""
    roles = [RANDOM[number % len(RANDOM)] for number in range(kills)]
    choose.shuffle(roles)
    return roles


@dataclass(frozen=True)
class Share:
    """How many kills of each kind; what is left over of a small number is dealt at random."""

    servers: int
    raylets: int
    counted: int
    steps: int
    random: int

    @classmethod
    def of(cls, kills: int) -> "Share":
        servers, raylets, counted = kills // 15, kills // 20, kills // 8
        steps = min(len(STEPS), kills * 2 // 5)
        return cls(servers, raylets, counted, steps, kills - servers - raylets - counted - steps)


def simulated(on: Ground, kills: int, seed: int, folder: Path, tell: Progress) -> list[Row]:
    """All campaigns with the simulated engine, so many kills together."""
    choose, share = random.Random(f"cluster {seed}"), Share.of(kills)
    campaign = Campaign(on.machines.address, folder, choose, tell)
    campaign.undisturbed("engine.simulated.latency_s=0")
    actions = {
        "S3 server": lambda: on.restart_store(choose.uniform(0.1, 2.0)),
        "raylet": on.machines.kill_second,
    }
    steps = [replace(step, nth=choose.randrange(1, 4)) for step in STEPS]
    choose.shuffle(steps)
    server = on.store.server
    bucket, straight = f"corpus=s3://{server.bucket}", f"store.endpoint={server.endpoint}"
    rows = [campaign.at_random(Victims(deal(share.random, choose), choose), "at random moments")]
    rows.append(campaign.counted(share.counted))
    with gate(server.endpoint) as before:
        through = [f"store.endpoint={before.endpoint}", f"{bucket}/steps"]
        rows.append(campaign.at_steps(steps[: share.steps], before, through))
    downs = Victims(["S3 server"] * share.servers, choose, actions)
    rows.append(campaign.at_random(downs, "S3 server", straight, f"{bucket}/server"))
    nodes = Victims(["raylet"] * share.raylets, choose, actions)
    rows.append(campaign.at_random(nodes, "raylet of a node", straight, f"{bucket}/nodes"))
    return [row for row in rows if row.runs]


def main(arguments: list[str]) -> int:
    """Print the table; 0 if nothing was lost, doubled, unequal or without a name."""
    parser = argparse.ArgumentParser("python -m tests.faults.cluster")
    parser.add_argument("--kills", type=int, default=60, help="kills with the simulated engine")
    parser.add_argument("--vllm", type=int, default=10, help="kills with vLLM on the CPU")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    console = paper()
    tell = progress_on(console)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, ground(Path(folder)) as on:
        rows = simulated(on, chosen.kills, chosen.seed, Path(folder), tell) if chosen.kills else []
        if chosen.vllm:
            address = on.machines.address
            rows += real(address, Path(folder), chosen.vllm, chosen.seed, tell)
    title = f"kill -9 on a real Ray cluster, seed {chosen.seed}"
    return 0 if print_table(console, title, rows) else 1
