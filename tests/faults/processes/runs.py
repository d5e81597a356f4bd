"""Starting drivers, waiting for how they end, and judging the corpus they leave.

Drivers are forked from one process that has imported everything and run nothing, so that hundreds
of them cost minutes. What is judged is read in a process of its own as well.
"""

import json
import multiprocessing
import multiprocessing.connection
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path

from seedcorn.core import errors
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.driver.ports import Lost
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store
from tests.faults.processes import corpora, driver
from tests.faults.processes.corpora import Durable, Found, Sample
from tests.faults.processes.driver import Orders
from tests.faults.table import Row

LONGEST_S = 120.0
"""A driver that takes longer hangs."""
HUNG = -999
ONE_AT_A_TIME = threading.Lock()
"""Starting a process polls all others, and an exit code can be read only once."""
STARTS = 40
"""Drivers in a row that may fail before a corpus counts as stuck."""
NAMES = {
    name
    for name, value in [*vars(errors).items(), ("Lost", Lost)]
    if isinstance(value, type) and issubclass(value, errors.SeedcornError)
}
"""Of the errors that a person is told by name."""


@cache
def forking():
    """Where drivers are forked from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.processes.warmed"])
    return context


def together(calls: Iterable[Callable[[], None]], at_once: int) -> None:
    """Make all calls, so many at a time; Ctrl-C makes no further ones."""
    pool = ThreadPoolExecutor(at_once)
    try:
        for done in [pool.submit(call) for call in calls]:
            done.result()
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Site:
    """Where one corpus grows; `folder` keeps journals and logs of its drivers."""

    folder: Path
    uri: str
    endpoint: str = ""
    """Of the store itself, without a proxy."""
    environment: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    numbers: "count[int]" = field(default_factory=count)

    def start(self, **faults) -> "Driver":
        """A new driver process; `faults` are fields of `Orders`, overrides added to the site's."""
        number = next(self.numbers)
        self.folder.mkdir(parents=True, exist_ok=True)
        base = [f"store.endpoint={self.endpoint}"] if self.endpoint else []
        more = faults.pop("overrides", ())
        orders = Orders(
            self.uri,
            str(self.folder / f"journal-{number:03d}"),
            str(self.folder / f"log-{number:03d}"),
            (*base, *self.overrides, *more),
            {**self.environment, **faults.pop("environment", {})},
            **faults,
        )
        process = forking().Process(target=driver.run, args=(orders,), daemon=True)
        began = time.monotonic()
        with ONE_AT_A_TIME:
            process.start()
        return Driver(process, orders, began)

    def store(self) -> Store:
        """Without a proxy."""
        return open_store(self.uri, StoreSpec(endpoint=self.endpoint))

    def found(self) -> Found:
        """See `corpora.found`; read by a process of its own."""
        path = self.folder / f"found-{next(self.numbers):03d}"
        arguments = (self.uri, self.endpoint, dict(self.environment), str(path))
        process = forking().Process(target=_find, args=arguments, daemon=True)
        with ONE_AT_A_TIME:
            process.start()
        reader = Driver(process, Orders("", "", ""), 0.0)
        if reader.wait() != 0:
            raise RuntimeError(f"{self.uri} could not be read: exit code {reader.code}")
        return Found(**json.loads(path.read_text()))

    def durable(self) -> Durable:
        """See `corpora.durable`."""
        return corpora.durable(self.store())


def _find(uri: str, endpoint: str, environment: Mapping[str, str], path: str) -> None:
    os.environ.update(environment)
    held = corpora.found(open_store(uri, StoreSpec(endpoint=endpoint)))
    Path(path).write_text(json.dumps(asdict(held)))


@dataclass
class Driver:
    """A driver process, running or ended."""

    process: multiprocessing.Process
    orders: Orders
    began: float
    durable_at: list[float] = field(default_factory=list)
    """When (monotonic) a proxy saw it make a segment or shard durable."""
    _code: int | None = None

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        if self._code is None:
            with ONE_AT_A_TIME:
                self._code = self.process.exitcode
        return self._code

    def wait(self, seconds: float = LONGEST_S) -> int:
        """Its exit code; one that hangs is killed and has the code HUNG."""
        multiprocessing.connection.wait([self.process.sentinel], seconds)
        if self.code is None:
            self.process.kill()
            multiprocessing.connection.wait([self.process.sentinel])
            self._code = HUNG
        return self.code or 0

    def send(self, number: int) -> None:
        """A signal, if it still lives."""
        if self.process.pid is not None and self.code is None:
            os.kill(self.process.pid, number)

    def falls_asleep(self) -> bool:
        """Wait until it is stopped (True) or has ended."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        end = time.monotonic() + LONGEST_S
        while self.code is None and time.monotonic() < end:
            if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "T":
                return True
            multiprocessing.connection.wait([self.process.sentinel], 0.02)
        return False

    @property
    def last_words(self) -> str:
        """The last line that the command wrote, or whatever was written last."""
        path = Path(self.orders.log)
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        told = [line for line in lines if line.startswith("seedcorn: ")]
        return (told or lines or [""])[-1]

    @property
    def named(self) -> bool:
        """Whether it ended well, by a signal, or with an error that has a name."""
        if self.code is None or self.code <= 0:
            return self.code not in (None, HUNG)
        told = re.match(r"seedcorn: (\w+): ", self.last_words)
        return bool(told and told[1] in NAMES)

    def notes(self) -> list[list[str]]:
        """Its journal."""
        path = Path(self.orders.journal)
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []

    def asked(self) -> dict[Sample, int]:
        """Samples its engine was asked for, and the tokens it wrote; 0 for those in flight."""
        tokens: dict[Sample, int] = {}
        for note in self.notes():
            if note[0] in ("asked", "wrote"):
                key = (int(note[1]), int(note[2]))
                tokens[key] = max(tokens.get(key, 0), int(note[3]))
        return tokens

    def recovery_s(self) -> float | None:
        """Seconds from its start to the first segment, shard or batch that it made durable."""
        noted = [float(note[1]) for note in self.notes() if note[0] == "durable"]
        times = noted + self.durable_at
        return min(times) - self.began if times else None


@dataclass
class Judge:
    """Compares corpora with the undisturbed one and keeps the account of a campaign."""

    row: Row
    expected: Found
    told: Callable[[str], None] = lambda line: None

    def wrong(self, label: str, what: str) -> None:
        self.row.wrong.append(f"[{label}] {what}")
        self.told(f"WRONG: {self.row.campaign}: [{label}] {what}")

    def ended(self, ended: Driver, label: str) -> None:
        """Note a driver's end: a hang or an error without a name is wrong."""
        if (ended.code or 0) < 0 and ended.code != HUNG:
            self.row.kills += 1
        if not ended.named:
            self.wrong(label, f"driver ended with {ended.code}: {ended.last_words}")

    def finish(self, site: Site, label: str, **faults) -> list[Driver]:
        """Start drivers until one completes the corpus, then judge it; returns the drivers."""
        started: list[Driver] = []
        for _ in range(STARTS):
            one = site.start(**faults)
            started.append(one)
            code = one.wait()
            self.ended(one, label)
            if code == 0:
                self.judge(site, label)
                return started
        self.row.runs += 1
        self.wrong(label, f"not complete after {STARTS} starts: {started[-1].last_words}")
        return started

    def judge(self, site: Site, label: str) -> None:
        """Count and compare what stands now."""
        held = site.found()
        self.row.runs += 1
        self.row.lost += held.lost
        self.row.doubled += held.doubled
        differs = [
            name
            for name in ("digest", "account")
            if getattr(held, name) != getattr(self.expected, name)
        ]
        if held.broken:
            self.wrong(label, f"verify: {held.broken}")
        if differs:
            self.wrong(label, f"{' and '.join(differs)} differ from the undisturbed corpus")
        if not (held.broken or differs):
            self.row.equal += 1

    def again(self, drivers: Sequence[Driver], held: Mapping[int, Durable], label: str) -> None:
        """Compare what engines were asked twice with what was durable when each was killed.

        `held` maps positions in `drivers` of those that were killed to what stood right after.
        """
        asked = [one.asked() for one in drivers]
        tokens: dict[Sample, int] = {}
        for one in asked:
            for sample, count_ in one.items():
                tokens[sample] = max(tokens.get(sample, 0), count_)
        for position, stood in held.items():
            later = set().union(*(one.keys() for one in asked[position + 1 :]), set())
            repeated = asked[position].keys() & later
            open_ = asked[position].keys() - stood.staged - stood.committed
            self.row.again.append(sum(tokens[sample] for sample in repeated))
            self.row.bound.append(sum(tokens[sample] for sample in open_))
            if beyond := repeated - open_:
                self.wrong(label, f"generated again although durable: {sorted(beyond)[:5]}")


def undisturbed(site: Site, overrides: tuple[str, ...] = ()) -> Found:
    """The corpus that nothing disturbed; raises if even that fails."""
    one = site.start(overrides=overrides)
    if one.wait() != 0:
        raise RuntimeError(f"the undisturbed run failed: {one.last_words}")
    held = site.found()
    if held.broken or held.lost or held.doubled:
        raise RuntimeError(f"the undisturbed corpus is not sound: {asdict(held)}")
    return held


def with_overrides(site: Site, *overrides: str) -> Site:
    """The same place, told more."""
    return replace(site, overrides=(*site.overrides, *overrides))
