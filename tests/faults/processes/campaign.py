"""All rows of the campaign of real processes, long or short."""

import argparse
import os
import random
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from math import ceil
from pathlib import Path

from tests.faults.processes import harsh
from tests.faults.processes.corpora import Found
from tests.faults.processes.kills import Campaign, LocalKills, S3Kills, matrix
from tests.faults.processes.races import races
from tests.faults.processes.runs import Judge, Site, undisturbed
from tests.faults.processes.wire import FAULTS, Wire, server_kills
from tests.faults.table import Row, paper, print_table, progress_on
from tests.servers.seaweedfs import SeaweedServer, mortal_seaweedfs, seaweedfs

TITLE = (
    "Real driver processes below Ray, simulated engine. Recovery is from the fork of a process that "
    "has imported everything; starting Python and importing come on top."
)


class Rows:
    """Runs every part and keeps its row."""

    def __init__(self, folder: Path, server: SeaweedServer, seed: int, told) -> None:
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self._folder, self._server, self._seed, self._told = folder, server, seed, told
        self._local = LocalKills(folder / "local")
        self._s3 = S3Kills(folder / f"s3-{seed}", server)

    @cached_property
    def _local_steps(self) -> Counter[str]:
        return self._local.steps()

    @cached_property
    def _s3_steps(self) -> Counter[str]:
        return self._s3.steps()

    @cached_property
    def _expected(self) -> Found:
        site = Site(self._folder / "undisturbed", str(self._folder / "undisturbed" / "corpus"))
        return undisturbed(site)

    def local_kills(self, each: int, most: int | None = None) -> None:
        """The kill matrix on a local disk, or only so many of its kills."""
        self._kills(self._local, self._local_steps, each, most)

    def s3_kills(self, each: int, most: int | None = None) -> None:
        """The kill matrix before an S3 server, or only so many of its kills."""
        self._kills(self._s3, self._s3_steps, each, most)

    def _kills(self, store, steps: Counter[str], each: int, most: int | None) -> None:
        judge = self._judge(f"kill -9 at every step, {store.name}")
        campaign = Campaign(store, judge, self._seed)
        campaign.run(matrix(steps, random.Random(self._seed), each)[:most])
        if campaign.missed:
            missed = ", ".join(map(str, campaign.missed))
            self.notes.append(f"{judge.row.campaign}: not reached: {missed}")

    def wire(self, rounds: int, mixes: int, only: Sequence[str] = tuple(FAULTS)) -> None:
        """S3 faults: each of them at every step, then mixes."""
        folder = self._folder / f"wire-{self._seed}"
        if rounds:
            judge = self._judge("S3 faults, each at every step")
            Wire(folder, self._server, judge, self._seed).each_fault(rounds, only)
        if mixes:
            judge = self._judge("S3 faults, mixed at random")
            Wire(folder, self._server, judge, self._seed).mixes(mixes)

    def server(self, rounds: int) -> None:
        """`kill -9` of the S3 server."""
        judge = self._judge("kill -9 of the S3 server")
        with mortal_seaweedfs(self._folder / "mortal") as mortal:
            server_kills(self._folder, mortal, judge, self._seed, rounds)

    def full_disk(self, rounds: int) -> None:
        """A disk that is full again and again."""
        judge = self._judge("disk full")
        judge.row.campaign += f" ({harsh.full_disk(self._folder, judge, self._seed, rounds)})"

    def starved(self, rounds: int) -> None:
        """No descriptors left."""
        judge = self._judge("no descriptors left")
        harsh.starved(self._folder, self._local_steps, judge, self._seed, rounds)

    def clocks(self, rounds: int) -> None:
        """Wall clocks that jump."""
        judge = self._judge("clock jumps by up to 1 h")
        harsh.clock_jumps(self._folder, self._local_steps, judge, self._seed, rounds)

    def sleepers(self, rounds: int, s3_rounds: int, steps: Counter[str] | None = None) -> None:
        """Drivers that sleep longer than their lease; at one of `steps`, or at any."""
        for store, times in ((self._local, rounds), (self._s3, s3_rounds)):
            if times:
                judge = self._judge(f"asleep beyond its lease, {store.name}")
                known = steps or (self._local_steps if store is self._local else self._s3_steps)
                fenced = harsh.zombies(store, known, judge, self._seed, times)
                self.notes.append(f"{judge.row.campaign}: {fenced} of {times} fenced by name")

    def races(self, local: int, s3: int) -> None:
        """Three drivers at once."""
        for store, rounds in ((self._local, local), (self._s3, s3)):
            if not rounds:
                continue
            judge = self._judge(f"three drivers at once, {store.name}")
            ends = races(store, self._local_steps, judge, self._seed, rounds)
            told = ", ".join(f"{count} {how}" for how, count in ends.most_common())
            self.notes.append(f"{judge.row.campaign}: drivers ended {told}")

    def _judge(self, campaign: str) -> Judge:
        row = Row(campaign)
        self.rows.append(row)
        return Judge(row, self._expected, self._told)


def kill_matrix(rows: Rows, scale: float) -> None:
    """Kills of drivers, on both stores."""
    rows.local_kills(3, None if scale >= 1 else round(140 * scale))
    rows.s3_kills(2, None if scale >= 1 else round(90 * scale))


def machine(rows: Rows, scale: float) -> None:
    """Whatever a machine may do to a driver."""
    rounds = ceil(8 * scale)
    rows.full_disk(rounds)
    rows.starved(2 * rounds)
    rows.clocks(rounds)
    rows.sleepers(rounds, rounds)


PARTS: dict[str, Callable[[Rows, float], None]] = {
    "kills": kill_matrix,
    "wire": lambda rows, scale: rows.wire(1, ceil(10 * scale)),
    "server": lambda rows, scale: rows.server(ceil(8 * scale)),
    "machine": machine,
    "races": lambda rows, scale: rows.races(ceil(80 * scale), ceil(20 * scale)),
}
"""What can be asked for by name; all of it is the campaign."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the campaign and print its table; 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser("tests.faults.processes", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the kills and rounds")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this; repeatable")
    parser.add_argument("--keep", type=Path, help="folder for corpora, journals and logs")
    arguments = parser.parse_args(argv)
    console = paper()
    with tempfile.TemporaryDirectory(prefix="seedcorn-faults-") as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with seaweedfs(folder / "weed") as server:
            os.environ.update(server.environment())
            rows = Rows(folder, server, arguments.seed, progress_on(console))
            whole = _run(rows, arguments.part or list(PARTS), arguments.scale)
    good = print_table(console, TITLE, rows.rows)
    for note in rows.notes:
        console.print(note, soft_wrap=True)
    if not whole:
        console.print("interrupted: the table holds what was done before")
    return 0 if good and whole else 1


def _run(rows: Rows, names: Sequence[str], scale: float) -> bool:
    """False if Ctrl-C or SIGTERM ended it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for name in names:
            PARTS[name](rows, scale)
    except KeyboardInterrupt:
        return False
    return True
