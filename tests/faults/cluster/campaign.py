"""The campaign: corpora grown under kills, each compared with one that nothing disturbed."""

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.faults.cluster.again import ENDPOINT, kill_engines
from tests.faults.cluster.endpoint import recording
from tests.faults.cluster.gate import Gate, Step, gate
from tests.faults.cluster.ground import Ground, ground
from tests.faults.cluster.growth import Growth, Outcome, outcome_of
from tests.faults.cluster.victims import Victims
from tests.faults.table import Progress, Row, print_table, progress_on

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
        """A fresh corpus on the local disk, or `where` overrides say."""
        self._runs += 1
        corpus = f"corpus={self._folder / f'corpus-{self._runs:03d}'}"
        return Growth(SIMULATED, [corpus, *RECIPE, f"run.ray_address={self._address}", *where])

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
            kills = victims.kills[before:]
            self.judge(growth, row, ", ".join(kill.step for kill in kills))
            row.kills += len(kills)
            if not growth.wrong:
                row.recovery_s += growth.recoveries(kills)
            self._tell(f"{name}: {row.kills} kills in {row.runs} runs, wrong: {len(row.wrong)}")
            if growth.wrong:
                break
        return row

    def at_steps(self, steps: Sequence[Step], before: Gate, where: list[str]) -> Row:
        """Kill whoever takes a step, one step after the other, over as many corpora as it takes."""
        row, left = Row("at every step of the protocol, S3"), list(steps)
        while left:
            growth, first = self.growth(*where, self._fresh(where)), len(before.kills)
            growth.start()
            while left and not growth.over.is_set():
                before.arm(left[0])
                while before.armed and not growth.over.is_set():
                    growth.over.wait(0.05)
                if before.armed is None:
                    left.pop(0)
            before.arm(None)
            growth.join()
            kills = before.kills[first:]
            self.judge(growth, row, ", ".join(f"{kill.role} {kill.step}" for kill in kills))
            row.kills += len(kills)
            if not growth.wrong:
                row.recovery_s += growth.recoveries(kills)
            self._tell(f"{row.campaign}: {row.kills} kills in {row.runs} runs, {len(left)} left")
            if growth.wrong or not kills:
                break
        row.wrong += [f"never came: {step}" for step in left]
        return row

    def counted(self, runs: int, kills: int) -> Row:
        """Kill engines whose requests are counted, so many in each run."""
        row = Row("engine, requests counted at its endpoint")
        with recording() as recorder:
            where = (*ENDPOINT, f"engine.openai.base_url={recorder.url}/v1")
            self.undisturbed(*where)
            for _ in range(runs):
                recorder.begun.clear()
                growth = self.growth(*where)
                growth.start()
                pauses = [self._choose.uniform(0.1, 2.5) for _ in range(kills)]
                found = kill_engines(growth, recorder, pauses)
                growth.join()
                for one in found:
                    one.add(row, recorder.begun[one.asked :])
                self.judge(growth, row, f"{len(found)} engine kills")
                row.kills += len(found)
                row.recovery_s += growth.recoveries([one.kill for one in found])
                self._tell(f"{row.campaign}: {row.kills} kills in {row.runs} runs")
        return row

    def _fresh(self, where: list[str]) -> str:
        bucket = next(w for w in where if w.startswith("corpus="))
        return f"{bucket}-{self._runs:03d}"


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


def simulated(on: Ground, kills: int, seed: int, folder: Path, tell: Progress) -> list[Row]:
    """All campaigns with the simulated engine: every step, the rest of `kills` at random moments."""
    choose = random.Random(f"cluster {seed}")
    campaign = Campaign(on.machines.address, folder, choose, tell)
    campaign.undisturbed("engine.simulated.latency_s=0")
    actions = {
        "S3 server": lambda: on.store.kill_and_revive(choose.uniform(0.1, 2.0)),
        "raylet": on.machines.kill_second,
    }
    steps = [Step(step.method, step.folder, step.moment, choose.randrange(1, 4)) for step in STEPS]
    choose.shuffle(steps)
    servers, raylets, counted = ["S3 server"] * 4, ["raylet"] * 3, (2, 4)
    rest = max(0, kills - len(steps) - len(servers) - len(raylets) - counted[0] * counted[1])
    server = on.store.server
    where = [f"store.endpoint={server.endpoint}"]
    bucket = f"corpus=s3://{server.bucket}"
    rows = [
        campaign.at_random(Victims(deal(rest, choose), choose), "at random moments, local disk")
    ]
    rows.append(campaign.counted(*counted))
    with gate(server.endpoint) as before:
        through = [f"store.endpoint={before.endpoint}", f"{bucket}/steps"]
        rows.append(campaign.at_steps(steps, before, through))
    downs = Victims(servers, choose, actions)
    rows.append(campaign.at_random(downs, "S3 server", *where, f"{bucket}/server"))
    nodes = Victims(raylets, choose, actions)
    rows.append(campaign.at_random(nodes, "raylet of a node", *where, f"{bucket}/nodes"))
    return rows


def main(arguments: list[str]) -> int:
    """Print the table; 0 if nothing was lost, doubled, unequal or without a name."""
    parser = argparse.ArgumentParser("python -m tests.faults.cluster")
    parser.add_argument("--kills", type=int, default=60, help="kills with the simulated engine")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    console = Console(width=160)
    tell = progress_on(console)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder, ground(Path(folder)) as on:
        rows = simulated(on, chosen.kills, chosen.seed, Path(folder), tell)
    title = f"kill -9 on a real Ray cluster, seed {chosen.seed}"
    return 0 if print_table(console, title, rows) else 1
