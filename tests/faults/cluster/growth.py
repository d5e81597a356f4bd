"""One corpus grown under kills: its driver, started again until the corpus is complete, and what
became of it in the end."""

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from seedcorn.config import load_recipe
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.log.entries import BatchCommitted, WriterOpened
from seedcorn.core.recipe import Recipe
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store
from seedcorn.storage.verify.rows import read_batch_table
from seedcorn.storage.verify.verification import verify
from tests.faults.cluster.gate import Kill

LIMIT_S = 900.0
"""A run that takes longer hangs; on a machine of its own it takes a minute or two."""
READY = re.compile(r"worker \d+ ready")


@dataclass(frozen=True)
class Outcome:
    """What a finished corpus holds, to be compared."""

    digest: str
    account: str
    """The ledger without measured times."""
    lost: int
    doubled: int
    regenerated_s: float
    """Engine seconds of samples that were staged more than once."""
    broken: str = ""


@dataclass
class Driver:
    """One `seedcorn grow` process and what it said, when."""

    command: list[str]
    lines: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append((time.time(), line.rstrip()))

    def end(self) -> None:
        """Kill it if it still lives."""
        self.process.kill()
        self.process.wait()
        self._listener.join(timeout=10)

    @property
    def text(self) -> str:
        """Everything it said."""
        return "\n".join(line for _, line in self.lines)


class Growth:
    """Grows one corpus to its end, whatever happens to it."""

    def __init__(self, recipe: str, overrides: list[str], limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self.loaded = load_recipe(recipe, overrides)
        self._command = [sys.executable, "-m", "seedcorn.cli", "grow", recipe, *overrides]
        self.drivers: list[Driver] = []
        self.wrong: list[str] = []
        self.over = threading.Event()

    def start(self) -> None:
        """Grow beside the caller; `join` waits for the end."""
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Until the corpus is complete, or cannot be completed."""
        self._thread.join()

    def run(self) -> None:
        """Start drivers until one says that the corpus is complete; every other end than a kill
        must be an error with a name."""
        end = time.monotonic() + self._limit_s
        try:
            while True:
                self.drivers.append(Driver(self._command))
                code = self.drivers[-1].process.wait(timeout=max(1.0, end - time.monotonic()))
                if code == 0:
                    return
                self._ended(code)
        except subprocess.TimeoutExpired:
            self.wrong.append(
                f"hangs: not complete after {self._limit_s:g} s; {self._last_words()}"
            )
        finally:
            self.over.set()
            for driver in self.drivers:
                driver.end()

    @property
    def pid(self) -> int | None:
        """The living driver's."""
        alive = self.drivers and self.drivers[-1].process.poll() is None
        return self.drivers[-1].process.pid if alive else None

    def ready_since(self, at: float) -> bool:
        """Whether a worker has said that it is ready since then (Unix seconds)."""
        return any(when > at for when in self._ready())

    def _ready(self) -> list[float]:
        return [at for d in self.drivers for at, line in list(d.lines) if READY.search(line)]

    def _ended(self, code: int) -> None:
        self.drivers[-1].end()
        text = self.drivers[-1].text
        if code != -signal.SIGKILL and ("Traceback" in text or "seedcorn: " not in text):
            self.wrong.append(f"exit code {code} without a named error; {self._last_words()}")

    def _last_words(self) -> str:
        return " | ".join(line for _, line in self.drivers[-1].lines[-12:])

    def store(self) -> Store:
        """The corpus' store, opened anew."""
        return open_store(self.loaded.recipe.corpus, self.loaded.recipe.store)

    def recoveries(self, kills: list[Kill]) -> list[float]:
        """Seconds from each kill until work went on: a worker is ready again for engines, else the
        log has an entry more. Kills with nothing left to do have none."""
        entries = [e.at for e in read_log(self.store()) if not isinstance(e.body, WriterOpened)]
        ready = self._ready()
        found = []
        for kill in kills:
            marks = ready if kill.role in ENGINES else entries
            found += [
                min(later) - kill.at for later in [[m for m in marks if m > kill.at]] if later
            ]
        return found


ENGINES = ("engine", "VLLM::EngineCore", "VLLM::Worker")


def outcome_of(store: Store, recipe: Recipe) -> Outcome:
    """Verify a finished corpus and count its rows, apart from `verify`'s own counting."""
    report = verify(store, recipe_from_dict)
    table = to_json(read_ledger(store))
    table.pop("measured")
    rows: Counter[tuple[int, int]] = Counter()
    again = 0.0
    for entry in read_log(store):
        if isinstance(entry.body, BatchCommitted):
            body = entry.body
            found = read_batch_table(store, body)["index"].to_pylist()
            rows.update((body.generation, index) for index in found)
            again += body.goodput.get("regenerated", 0.0)
    numbers = range(1, recipe.generations + 1)
    wanted = {(number, index) for number in numbers for index in range(recipe.samples)}
    return Outcome(
        digest=report.digest,
        account=json.dumps(table, sort_keys=True),
        lost=len(wanted - rows.keys()),
        doubled=sum(count - 1 for count in rows.values()),
        regenerated_s=again,
        broken="" if report.broken is None else str(report.broken),
    )
