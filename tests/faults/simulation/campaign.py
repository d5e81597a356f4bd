"""Many schedules and every mutant, over several processes, as tables."""

import argparse
import logging
import math
import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice, takewhile

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.faults.simulation.assembly import SHIPPED
from tests.faults.simulation.mutants import MUTANTS, Mutant
from tests.faults.simulation.schedule import Outcome, run_schedule
from tests.faults.table import Progress, paper, progress_on

CHUNK = 50
"""Schedules per task of a process."""
TOLD = 500
"""Schedules between two lines of progress."""
SHOWN = 5
"""Violations that are shown with their last operations."""


@dataclass
class Tally:
    """What a number of schedules came to."""

    schedules: int = 0
    operations: int = 0
    faults: int = 0
    again: int = 0
    samples: int = 0
    seconds: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    caught: int = 0
    first: int = -1
    wrong: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """One more schedule."""
        self.schedules += 1
        for name in ("operations", "faults", "again", "samples", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(outcome, name))
        self.ends += outcome.ends
        self.met += outcome.met
        if outcome.violations:
            self.caught += 1
            self.first = outcome.seed if self.first < 0 else min(self.first, outcome.seed)
            if len(self.wrong) < SHOWN:
                self.wrong.append(outcome)

    def join(self, other: "Tally") -> None:
        """Those of another process."""
        for name in ("schedules", "operations", "faults", "again", "samples", "seconds", "caught"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.ends += other.ends
        self.met += other.met
        self.wrong = sorted(self.wrong + other.wrong, key=lambda outcome: outcome.seed)[:SHOWN]
        firsts = [first for first in (self.first, other.first) if first >= 0]
        self.first = min(firsts, default=-1)


def run_many(seeds: Iterable[int], mutant: str = "") -> Tally:
    """The schedules of these seeds, one after the other."""
    logging.disable(logging.CRITICAL)
    tally = Tally()
    assembly = MUTANTS[mutant].assembly if mutant else SHIPPED
    try:
        for seed in seeds:
            tally.add(run_schedule(seed, assembly))
    finally:
        logging.disable(logging.NOTSET)
    return tally


def first_caught(mutant: Mutant, seeds: Iterable[int]) -> Outcome | None:
    """The first schedule in which a mutant breaks a promise."""
    outcomes = (run_schedule(seed, mutant.assembly) for seed in seeds)
    return next((outcome for outcome in outcomes if outcome.violations), None)


def spread(
    seeds: range, mutant: str, jobs: int, until: float = math.inf, tell: Progress | None = None
) -> Tally:
    """`run_many` over processes; nothing is begun after `until` (monotonic seconds)."""
    whole = Tally()
    chunks = (seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK))

    def join(part: Tally) -> None:
        whole.join(part)
        if tell and whole.schedules % TOLD == 0:
            what = f"{whole.schedules:,} of {len(seeds):,} schedules"
            tell(f"simulation {mutant or 'as shipped'}: {what}, {whole.caught:,} broken")

    if jobs == 1:
        for chunk in takewhile(lambda chunk: time.monotonic() < until, chunks):
            join(run_many(chunk, mutant))
        return whole
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(run_many, chunk, mutant) for chunk in islice(chunks, jobs + 1)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                join(future.result())
                if time.monotonic() < until:
                    more = islice(chunks, 1)
                    running |= {pool.submit(run_many, chunk, mutant) for chunk in more}
    return whole


def main(arguments: Sequence[str]) -> int:
    """Run the campaign and print it; 0 when no promise is broken and every mutant is noticed."""
    given = _parser().parse_args(arguments)
    console = paper()
    if given.trace:
        return _trace(console, given.seed)
    seeds = range(given.seed, given.seed + given.schedules)
    began = time.monotonic()
    tell = progress_on(console)
    tally = spread(seeds, "", given.jobs, began + 60 * given.minutes, tell)
    if tally.schedules:
        _show(console, tally, time.monotonic() - began)
    sound = not tally.caught
    if given.mutants:
        sound &= _mutants(console, range(given.mutants), given.jobs, tell)
    return 0 if sound else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulation", description=__doc__)
    parser.add_argument("--schedules", type=int, default=1000, help="how many seeds")
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--mutants", type=int, default=0, help="schedules per mutant; 0: none")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no more after them")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--trace", action="store_true", help="show every operation of one seed")
    return parser


def _trace(console: Console, seed: int) -> int:
    outcome = run_schedule(seed, keep=None)
    for line in outcome.trace:
        console.print(Text(line), soft_wrap=True)
    console.print(f"seed {seed}: {outcome.violations or 'no promise is broken'}")
    return 1 if outcome.violations else 0


def _show(console: Console, tally: Tally, wall_s: float) -> None:
    table = Table(title="Simulated schedules of the whole protocol", title_justify="left")
    for heading in ("schedules", "store operations", "faults", "violations of P1-P8", "wall s"):
        table.add_column(heading, justify="right")
    figures = (tally.schedules, tally.operations, tally.faults, tally.caught, round(wall_s))
    table.add_row(*(f"{figure:,}" for figure in figures))
    console.print(table)
    console.print(f"drivers ended: {_listed(tally.ends)}")
    console.print(f"met: {_listed(tally.met)}")
    console.print(
        f"samples {tally.samples:,}, generated again {tally.again:,} (in flight, or reported too "
        f"late to be known), virtual hours {tally.seconds / 3600:,.0f}"
    )
    for outcome in tally.wrong:
        console.print(Text(f"seed {outcome.seed}: {'; '.join(outcome.violations)}"))
        console.print(Text("\n".join(outcome.trace)))


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())


def _mutants(console: Console, seeds: range, jobs: int, tell: Progress) -> bool:
    """Whether every mutant that does harm is noticed, and no harmless one."""
    table = Table(title="The protocol broken on purpose", title_justify="left")
    for heading in ("mutant", "caught", "first seed", "what the first one broke"):
        table.add_column(heading, justify="left" if heading[0] in "mw" else "right")
    sound = True
    for name, mutant in MUTANTS.items():
        tally = spread(seeds, name, jobs, tell=tell)
        sound &= bool(tally.caught) != bool(mutant.harmless)
        firsts = [o.violations[0] for o in tally.wrong if o.seed == tally.first]
        what = mutant.harmless or "".join(firsts)[:70]
        seed = str(tally.first) if tally.caught else "-"
        table.add_row(name, f"{tally.caught} of {tally.schedules}", seed, Text(what))
    console.print(table)
    return sound
