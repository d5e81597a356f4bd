"""All rows of the campaign of real processes, long or short."""

import argparse
import os
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.faults.processes import harsh
from tests.faults.processes.corpora import Found
from tests.faults.processes.kills import Campaign, LocalKills, S3Kills, matrix
from tests.faults.processes.races import races
from tests.faults.processes.runs import Judge, Site, undisturbed
from tests.faults.processes.wire import Wire, server_kills
from tests.faults.table import Row, print_table, progress_on
from tests.servers.seaweedfs import SeaweedServer, mortal_seaweedfs, seaweedfs

TITLE = (
    "Real driver processes below Ray, simulated engine. Recovery is from the fork of a process that "
    "has imported everything; starting Python and importing come on top."
)


@dataclass(frozen=True)
class Size:
    """How much of everything."""

    each: int
    """Numbers per step in the kill matrix."""
    fault_rounds: int
    mixes: int
    harsh: int
    races: int
    s3_races: int


LONG = Size(each=3, fault_rounds=2, mixes=12, harsh=8, races=80, s3_races=20)
SHORT = Size(each=1, fault_rounds=1, mixes=1, harsh=1, races=3, s3_races=1)


class Rows:
    """Runs every part and keeps its row."""

    def __init__(self, folder: Path, server: SeaweedServer, seed: int, told) -> None:
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self._folder, self._server, self._seed, self._told = folder, server, seed, told
        self._local = LocalKills(folder / "local")
        self._s3 = S3Kills(folder / f"s3-{seed}", server)
        self._expected = self._undisturbed()
        self._local_steps, self._s3_steps = self._local.steps(), self._s3.steps()

    def _undisturbed(self) -> Found:
        site = Site(self._folder / "undisturbed", str(self._folder / "undisturbed" / "corpus"))
        return undisturbed(site)

    def kills(self, each: int) -> None:
        """The kill matrix, on both stores."""
        for store, steps in ((self._local, self._local_steps), (self._s3, self._s3_steps)):
            judge = self._judge(f"kill -9 at every step, {store.name}")
            campaign = Campaign(store, judge, self._seed)
            campaign.run(matrix(steps, random.Random(self._seed), each))
            if campaign.missed:
                missed = ", ".join(map(str, campaign.missed))
                self.notes.append(f"{judge.row.campaign}: not reached: {missed}")

    def wire(self, rounds: int, mixes: int) -> None:
        """S3 faults."""
        folder = self._folder / f"wire-{self._seed}"
        judge = self._judge("S3 faults, each at every step")
        Wire(folder, self._server, judge, self._seed).each_fault(rounds)
        judge = self._judge("S3 faults, mixed at random")
        Wire(folder, self._server, judge, self._seed).mixes(mixes)

    def server(self, rounds: int) -> None:
        """`kill -9` of the S3 server."""
        judge = self._judge("kill -9 of the S3 server")
        with mortal_seaweedfs(self._folder / "mortal") as mortal:
            server_kills(self._folder, mortal, judge, self._seed, rounds)

    def machine(self, rounds: int) -> None:
        """Disk, descriptors, clocks, sleep."""
        seed, steps = self._seed, self._local_steps
        judge = self._judge("disk full")
        judge.row.campaign += f" ({harsh.full_disk(self._folder, judge, seed, rounds)})"
        harsh.starved(self._folder, steps, self._judge("no descriptors left"), seed, rounds)
        harsh.clock_jumps(
            self._folder, steps, self._judge("clock jumps by up to 1 h"), seed, rounds
        )
        for store, counted in ((self._local, steps), (self._s3, self._s3_steps)):
            judge = self._judge(f"asleep beyond its lease, {store.name}")
            fenced = harsh.zombies(store, counted, judge, seed, rounds)
            self.notes.append(f"{judge.row.campaign}: {fenced} of {rounds} sleepers fenced by name")

    def races(self, local: int, s3: int) -> None:
        """Three drivers at once."""
        for store, rounds in ((self._local, local), (self._s3, s3)):
            judge = self._judge(f"three drivers at once, {store.name}")
            ends = races(store, self._local_steps, judge, self._seed, rounds)
            told = ", ".join(f"{count} {how}" for how, count in ends.most_common())
            self.notes.append(f"{judge.row.campaign}: drivers ended {told}")

    def _judge(self, campaign: str) -> Judge:
        row = Row(campaign)
        self.rows.append(row)
        return Judge(row, self._expected, self._told)


def parts(rows: Rows, size: Size) -> dict[str, Callable[[], None]]:
    """What can be asked for by name."""
    return {
        "kills": lambda: rows.kills(size.each),
        "wire": lambda: rows.wire(size.fault_rounds, size.mixes),
        "server": lambda: rows.server(size.harsh),
        "machine": lambda: rows.machine(size.harsh),
        "races": lambda: rows.races(size.races, size.s3_races),
    }


PARTS = ("kills", "wire", "server", "machine", "races")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and print its table; 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser("tests.faults.processes", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="a spread of everything, a minute")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this; repeatable")
    parser.add_argument("--keep", type=Path, help="folder for corpora, journals and logs")
    arguments = parser.parse_args(argv)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="seedcorn-faults-") as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with seaweedfs(folder / "weed") as server:
            os.environ.update(server.environment())
            rows = Rows(folder, server, arguments.seed, progress_on(console))
            chosen = parts(rows, SHORT if arguments.short else LONG)
            for name in arguments.part or PARTS:
                chosen[name]()
    good = print_table(console, TITLE, rows.rows)
    for note in rows.notes:
        console.print(note, soft_wrap=True)
    return 0 if good else 1
