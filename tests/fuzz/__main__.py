"""`python -m tests.fuzz --inputs 100000`: the long run, over all targets, in a few processes.

An input that raises something untyped, that takes longer than HANG_S of processor time or that ends
the process is printed with what repeats it, and the exit code is 1.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.running import Job, run_block
from tests.fuzz.targets import SLOW, TARGETS

BLOCK = 200


def jobs_of(asked: argparse.Namespace) -> list[Job]:
    """Every block; slow targets get their share, no more."""
    names = [asked.only] if asked.only else list(TARGETS)
    fast = [name for name in names if name not in SLOW or asked.only]
    slow = {name: int(asked.inputs * SLOW[name]) for name in names if name not in fast}
    each = -(-(asked.inputs - sum(slow.values())) // len(fast))
    found = []
    for name in names:
        end = asked.first + slow.get(name, each)
        starts = range(asked.first, end, BLOCK)
        found += [(name, asked.seed, start, min(end, start + BLOCK)) for start in starts]
    return found


def blocks(jobs: list[Job], processes: int) -> Iterator[tuple[Counter[str], list[str]]]:
    """What becomes of every block, in any order; after a death, what may have caused it."""
    left = dict.fromkeys(jobs)
    while left:
        with TemporaryDirectory() as notes:
            try:
                with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
                    running = {pool.submit(run_block, job, notes): job for job in left}
                    for done in as_completed(running):
                        yield done.result()
                        del left[running[done]]
            except BrokenProcessPool:
                # The pool kills the other processes, some while they write their note.
                suspects = [text for note in Path(notes).iterdir() if (text := note.read_text())]
                if not suspects:
                    raise
                yield Counter(), [f"one of these ends its process: {suspects}"]
                for job in list(left):
                    if any(_holds(job, suspect) for suspect in suspects):
                        del left[job]


def _holds(job: Job, suspect: str) -> bool:
    _, name, _, seed, _, first, *_ = suspect.split()
    return job[:2] == (name, seed) and job[2] <= int(first) < job[3]


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", choices=TARGETS)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    jobs = sorted(jobs_of(asked), key=lambda job: job[2])
    begun, outcomes, wrong = time.monotonic(), Counter[str](), list[str]()
    for told, failed in blocks(jobs, asked.processes):
        outcomes += told
        wrong += failed
        sys.stderr.write(f"{outcomes.total() + len(wrong)} {time.monotonic() - begun:.0f}s\n")
        for failure in failed:
            sys.stdout.write(f"UNTYPED {failure}\n")
    for outcome, count in sorted(outcomes.items()):
        sys.stdout.write(f"{count:>8} {outcome}\n")
    done, seconds = outcomes.total() + len(wrong), time.monotonic() - begun
    sys.stdout.write(f"{done} inputs, {len(wrong)} untyped or hanging, {seconds:.0f} s\n")
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
