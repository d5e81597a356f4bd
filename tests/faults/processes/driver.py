"""One driver: the production `grow` in a process of its own, with the faults it was ordered to have.

By hand: `python -m tests.faults.processes.driver CORPUS JOURNAL [key=value …]`.
"""

import asyncio
import logging
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet
import s3fs

from seedcorn.cli import exhausted
from seedcorn.config import load_recipe
from seedcorn.core.errors import SeedcornError
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.worker import unit_writer
from seedcorn.storage.stores import object_store
from seedcorn.storage.verify import verification
from tests.faults.processes import moments
from tests.faults.processes.journal import Journal, hosting
from tests.faults.processes.moments import Moment

PRELOADED = (pyarrow.parquet, s3fs, unit_writer, object_store, verification)
"""Imported once, by the process that all drivers are forked from."""
RECIPE = str(Path(__file__).parents[3] / "pipelines" / "simulated.yaml")
SMALL = (
    *("samples=24", "units.unit=4", "units.batch=3", "units.ahead=4", "dedup.checkpoint_every=2"),
    *("engine.workers=2", "engine.simulated.concurrency=8", "engine.simulated.latency_s=0.02"),
    *("engine.simulated.words=30", "engine.simulated.rejection_rate=0.1"),
    *("ledger.companions=12", "run.stage_interval_s=0.05", "run.heartbeat_s=0.2"),
    *("run.lease_s=1", "run.hedge_factor=1000"),
)
UNNAMED = 70
"""Exit code for an exception that is no SeedcornError (EX_SOFTWARE)."""
HOUR_S = 3600.0


@dataclass(frozen=True)
class Orders:
    """What a driver is told."""

    corpus: str
    journal: str
    log: str
    overrides: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    moment: Moment | None = None
    act: str = "kill"
    """What it does to itself at the moment: kill, stop (until SIGCONT), or starve of descriptors."""
    clock_seed: int | None = None
    """Its wall clock jumps by up to an hour either way, now and then."""
    traces: bool = False
    """Notes every step on a local disk in its journal."""
    largest_file: int = 0
    """Bytes a file may have; 0: no limit. A full disk, where none can be mounted."""


def run(orders: Orders) -> None:
    """The life of the process; ends it with the exit code of the command line."""
    log = os.open(orders.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(orders.environment)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    if orders.clock_seed is not None:
        time.time = jumping(orders.clock_seed)
    note = Journal(Path(orders.journal)).note
    moments.trace(orders.corpus, note, orders.traces)
    if orders.moment is not None:
        moments.at(orders.corpus, orders.moment, ACTS[orders.act])
    if orders.largest_file:
        _limit(resource.RLIMIT_FSIZE, orders.largest_file)
    code = UNNAMED
    try:
        code = _grow(orders)
    finally:
        if code == UNNAMED:  # The traceback of what nobody named.
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


def _grow(orders: Orders) -> int:
    try:
        loaded = load_recipe(RECIPE, [*SMALL, f"corpus={orders.corpus}", *orders.overrides])
        grown = grow(loaded, lambda look: None, hosting(Path(orders.journal)))
    except SeedcornError as error:
        sys.stderr.write(f"seedcorn: {type(error).__name__}: {error}\n")
        return error.exit_code
    except OSError as error:
        if (named := exhausted(error)) is None:
            raise
        sys.stderr.write(f"seedcorn: {type(named).__name__}: {named}\n")
        return named.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.stderr.write("seedcorn: interrupted\n")
        return 130
    return 0 if grown.complete else 130


def _limit(name: int, soft: int) -> None:
    resource.setrlimit(name, (soft, resource.getrlimit(name)[1]))


ACTS = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "starve": lambda: _limit(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) - 1),
}


def jumping(seed: int):
    """A wall clock that is set forward or back by up to an hour at every fourth look or so."""
    choose, real, offset = random.Random(seed), time.time, [0.0]

    def now() -> float:
        if choose.random() < 0.25:
            offset[0] = choose.uniform(-HOUR_S, HOUR_S)
        return real() + offset[0]

    return now


def main(argv: list[str]) -> None:
    """From the shell."""
    run(Orders(argv[0], argv[1], "/dev/stderr", tuple(argv[2:])))


if __name__ == "__main__":
    main(sys.argv[1:])
