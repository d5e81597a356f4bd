"""Runs a block of fuzz inputs in one process, and keeps what was not typed and what did not end."""

import os
import signal
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzz.targets import try_one

HANG_S = 20
Job = tuple[str, str, int, int]
"""Target, seed, first input, end."""


class Hang(Exception):
    """An input that does not end."""


def run_block(job: Job, notes: str) -> tuple[Counter[str], list[str]]:
    """Inputs [start, stop) of one target; returns outcomes and what went wrong.

    The folder `notes` holds, under this process' number, what it is about to try: a library that
    ends the process leaves nothing else behind.
    """
    name, seed, start, stop = job
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    signal.signal(signal.SIGVTALRM, _hang)
    with tempfile.TemporaryDirectory(prefix="seedcorn-fuzz-") as folder:
        for number in range(start, stop):
            again = f"--only {name} --seed {seed} --first {number} --inputs 1"
            (Path(notes) / str(os.getpid())).write_text(again)
            signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
            try:
                outcomes[f"{name}: {try_one(name, f'{seed}:{number}', Path(folder))}"] += 1
            except Exception:  # noqa: BLE001 - whatever is raised here is what is looked for
                trace = traceback.format_exc(limit=-3)
                wrong.append(f"{again}\n{trace}")
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return outcomes, wrong


def _hang(*_: object) -> None:
    raise Hang
