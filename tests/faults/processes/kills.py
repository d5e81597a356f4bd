"""The kill matrix: a driver is killed before and after every step of the protocol, on both stores.

Several kills hit one corpus in a row, each driver going on where the last one died. On a local disk
the driver kills itself between two system calls; before an S3 server a proxy kills it when a
request arrives or when it was carried out and not yet answered.
"""

import random
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.faults.processes.moments import Moment
from tests.faults.processes.runs import STARTS, Driver, Judge, Site, together
from tests.faults.processes.steps import NAMES, SAVING, step_of
from tests.servers.faulty_proxy import Asked, FaultyProxy, faulty_proxy

CHAIN = 4
"""Kills that one corpus lives through, if it is not complete before."""
ORPHANS = (
    "data/gen-0001/part-00000000-00000002-00000000deadbeef.parquet",
    "dropped/gen-0001/part-00000000-00000002-00000000deadbeef.parquet",
)
"""What a driver leaves that wrote other texts for a batch and died before its entry."""


def matrix(steps: Counter[str], choose: random.Random, each: int) -> list[Moment]:
    """Up to `each` numbers per step (first, last, others between), before and after, shuffled."""
    found = []
    for step, times in sorted(steps.items()):
        numbers = {1, times} if each > 1 else {choose.randint(1, times)}
        while len(numbers) < min(each, times):
            numbers.add(choose.randint(1, times))
        found += [Moment(step, n, when) for n in sorted(numbers) for when in ("before", "after")]
    choose.shuffle(found)
    return found


class LocalKills:
    """Kills on a local disk."""

    name = "local disk"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def corpus(self, label: str) -> Iterator["Place"]:
        yield Place(Site(self._folder / label, str(self._folder / label / "corpus")))

    def steps(self) -> Counter[str]:
        """How often an undisturbed driver takes each step."""
        with self.corpus("traced") as place:
            _plant(place.site)
            one = place.site.start(traces=True)
            one.wait()
            return _countable(Counter(note[1:] and " ".join(note[1:]) for note in one.notes()))


class S3Kills:
    """Kills in front of an S3 server."""

    name = "S3"

    def __init__(self, folder: Path, server) -> None:
        self._folder, self._server = folder, server

    @contextmanager
    def corpus(self, label: str) -> Iterator["Place"]:
        server, prefix = self._server, f"{self._folder.name}-{label}"
        site = Site(
            self._folder / label,
            f"s3://{server.bucket}/{prefix}",
            server.endpoint,
            server.environment(),
            ("engine.workers=1",),  # Each one makes clients, which cost more than the work.
        )
        with faulty_proxy(server.endpoint) as proxy:
            yield ProxiedPlace(site, f"{server.bucket}/{prefix}/", proxy)

    def steps(self) -> Counter[str]:
        """How often an undisturbed driver takes each step."""
        seen = Counter[str]()
        with self.corpus("traced") as place:
            _plant(place.site)
            place.watch(lambda step: seen.update([step]))
            place.start(None).wait()
        return _countable(seen)


@dataclass
class Place:
    """One corpus on a disk."""

    site: Site

    def start(self, moment: Moment | None) -> Driver:
        return self.site.start(moment=moment)

    def start_sleeper(self, moment: Moment) -> Driver:
        """A driver that falls asleep at the moment."""
        return self.site.start(moment=moment, act="stop")

    def wake(self, sleeper: Driver) -> None:
        """Go on, wherever it was."""
        sleeper.send(signal.SIGCONT)

    def settle(self) -> None:
        """A disk has nothing on its way."""


@dataclass
class ProxiedPlace:
    """One corpus behind a proxy that kills."""

    site: Site
    root: str
    proxy: FaultyProxy
    _watch: Callable[[str], None] = lambda step: None
    _seen: Counter[str] = field(default_factory=Counter)

    def watch(self, told: Callable[[str], None]) -> None:
        """Be told of every step."""
        self._watch = told

    def start(self, moment: Moment | None) -> Driver:
        fault = f"kill_{moment.when}" if moment else ""
        return self._start(moment, fault, signal.SIGKILL)

    def start_sleeper(self, moment: Moment) -> Driver:
        """A driver that falls asleep at the moment, its request still on the way."""
        return self._start(moment, "hold", signal.SIGSTOP)

    def wake(self, sleeper: Driver) -> None:
        """Go on; what it had asked for arrives now."""
        self.proxy.released.set()
        sleeper.send(signal.SIGCONT)

    def _start(self, moment: Moment | None, fault: str, number: int) -> Driver:
        seen = Counter[str]()

        def choose(asked: Asked) -> str:
            step = self.step(asked)
            self._watch(step)
            seen[step] += 1
            hit = moment and (moment.step, moment.number) == (step, seen[step])
            return fault if hit else ""

        def answered(asked: Asked, status: int) -> None:
            if self.step(asked) in SAVING:
                one.durable_at.append(time.monotonic())

        self.proxy.choose = choose
        overrides = (f"store.endpoint={self.proxy.endpoint}",)
        one = self.site.start(overrides=overrides)
        self.proxy.answered = answered
        self.proxy.kill = lambda: one.send(number)
        return one

    def step(self, asked: Asked) -> str:
        """The step that a request is."""
        operation = "get" if asked.operation == "head" else asked.operation
        return step_of(operation, asked.key.removeprefix(self.root))

    def settle(self) -> None:
        """Wait for what is on its way to the server."""
        self.proxy.settle()


class Campaign:
    """All moments of one matrix, spread over as many corpora as they need."""

    def __init__(self, store, judge: Judge, seed: int) -> None:
        self._store, self._judge, self._seed = store, judge, seed
        self.missed: list[Moment] = []
        """Moments that not even a fresh corpus reached."""

    def run(self, moments: list[Moment], workers: int = 2) -> None:
        """Kill at every moment; two corpora at a time."""
        queues = [deque(moments[n::workers]) for n in range(workers)]
        together([partial(self._drain, n, queue) for n, queue in enumerate(queues)], workers)

    def _drain(self, lane: int, left: deque[Moment]) -> None:
        number = 0
        while left:
            number += 1
            label = f"seed-{self._seed}-lane-{lane}-corpus-{number}"
            with self._store.corpus(label) as place:
                self._corpus(place, left, label)
            kills, runs = self._judge.row.kills, self._judge.row.runs
            self._judge.told(f"{self._judge.row.campaign}: {kills} kills, {runs} corpora")

    def _corpus(self, place, left: deque[Moment], label: str) -> None:
        drivers: list[Driver] = []
        held, hit = {}, []
        _plant(place.site)
        while left and len(drivers) < CHAIN:
            one = place.start(left[0])
            drivers.append(one)
            code = one.wait()
            if code == 0 and not hit:
                self.missed.append(left.popleft())
            if code == 0:
                break
            hit.append(str(left.popleft()))
            self._ended(one, label, hit)
            place.settle()
            held[len(drivers) - 1] = place.site.durable()
        while drivers[-1].code != 0 and len(drivers) < STARTS:
            drivers.append(place.start(None))
            drivers[-1].wait()
            self._ended(drivers[-1], label, hit)
        label = f"{label}: {', '.join(hit)}"
        self._judge.judge(place.site, label)
        self._judge.again(drivers, held, label)
        recovered = [one.recovery_s() for one in drivers[1:]]
        self._judge.row.recovery_s += [seconds for seconds in recovered if seconds is not None]

    def _ended(self, one: Driver, label: str, hit: list[str]) -> None:
        self._judge.ended(one, f"{label}: {', '.join(hit)}")


def _plant(site: Site) -> None:
    store = site.store()
    for key in ORPHANS:
        store.put(key, b"another text")


def _countable(steps: Counter[str]) -> Counter[str]:
    """Steps of the protocol only; the heartbeat's count is a matter of time."""
    known = Counter({step: times for step, times in steps.items() if step in NAMES})
    for step in ("heartbeat PUT", "heartbeat GET"):
        known[step] = min(known[step], 2)
    return +known
