"""What an S3 server and the network before it may do, through a real proxy before a real server.

First every fault at every step of the protocol, a few in a row, so that the client's own repetition
does not hide them; then mixes at random. Last, the server itself is killed in the middle.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from operator import methodcaller
from pathlib import Path

from tests.faults.processes.kills import ProxiedPlace, S3Kills
from tests.faults.processes.runs import STARTS, Judge, Site, together
from tests.faults.processes.steps import NAMES
from tests.servers.faulty_proxy import Asked
from tests.servers.seaweedfs import MortalServer

WRITING, READING = ("put",), ("get", "head", "list")
EVERY = (*WRITING, *READING, "delete")
FAULTS = {
    "500 InternalError": EVERY,
    "503 SlowDown": EVERY,
    "409 ConditionalRequestConflict": WRITING,
    "412 PreconditionFailed": WRITING,
    "400 RequestTimeout": WRITING,
    "403 ExpiredToken": EVERY,
    "404 NoSuchKey": ("get", "head"),
    "stall": EVERY,
    "late": EVERY,
    "reset": EVERY,
    "reset_in_body": WRITING,
    "lose_request": EVERY,
    "lose_answer": EVERY,
    "cut_answer": ("get", "list"),
    "trickle": ("get", "list"),
}
"""Faults of the proxy, and the operations they make sense for."""
FRESH = "404 NoSuchKey"
"""Only for objects that were written and not read since: a store that is not consistent yet."""
PATIENCE = ("store.answer_s=1.5", "store.deadline_s=60")
STALL_S = 2.0
MOST = 40
"""Faults of one mix; without an end the run would have none."""


class Faults:
    """Decides on the fault of every request to one corpus, whichever driver sends it."""

    def __init__(self, place: ProxiedPlace, choose: random.Random) -> None:
        self._place, self._random = place, choose
        self._fresh: set[str] = set()
        place.proxy.stall_s = STALL_S
        place.proxy.answered = self._answered

    def everywhere(self, fault: str) -> Callable[[Asked], str]:
        """`fault` at each step once, up to three requests in a row, at a random occurrence."""
        seen, first = Counter[str](), {name: self._random.randint(1, 3) for name in sorted(NAMES)}
        burst = {name: self._random.randint(1, 3) for name in sorted(NAMES)}

        def choose(asked: Asked) -> str:
            step = self._place.step(asked)
            if step not in NAMES or not self._fits(fault, asked):
                return ""
            seen[step] += 1
            return fault if 0 <= seen[step] - first[step] < burst[step] else ""

        return choose

    def mixed(self, share: float) -> Callable[[Asked], str]:
        """Any fault, for this share of the requests, until there were enough."""
        given = [0]

        def choose(asked: Asked) -> str:
            if given[0] >= MOST or self._random.random() > share:
                return ""
            fitting = [fault for fault in FAULTS if self._fits(fault, asked)]
            given[0] += bool(fitting)
            return self._random.choice(fitting) if fitting else ""

        return choose

    def _fits(self, fault: str, asked: Asked) -> bool:
        if fault == FRESH and asked.key not in self._fresh:
            return False
        return asked.operation in FAULTS[fault]

    def _answered(self, asked: Asked, status: int) -> None:
        if asked.operation == "put" and status == 200:
            self._fresh.add(asked.key)
        elif asked.operation in ("get", "head"):
            self._fresh.discard(asked.key)


class Wire:
    """The campaign's corpora, each behind a proxy of its own."""

    def __init__(self, folder: Path, server, judge: Judge, seed: int) -> None:
        self._corpora, self._judge, self._seed = S3Kills(folder, server), judge, seed

    def each_fault(self, rounds: int, faults: Sequence[str] = tuple(FAULTS)) -> None:
        """Each of the faults at every step."""
        self._all(
            (f"{fault}, round {number}", methodcaller("everywhere", fault))
            for number in range(rounds)
            for fault in faults
        )

    def mixes(self, count: int) -> None:
        """So many corpora under any fault at any time."""
        self._all((f"mix {number}", methodcaller("mixed", 0.12)) for number in range(count))

    def _all(self, jobs) -> None:
        together([partial(self._one, label, make) for label, make in jobs], 2)

    def _one(self, label: str, make: Callable[[Faults], Callable[[Asked], str]]) -> None:
        label = f"seed {self._seed}: {label}"
        name = "".join(c if c.isalnum() else "-" for c in label)
        with self._corpora.corpus(name) as place:
            faults = Faults(place, random.Random(label))
            place.proxy.choose = make(faults)
            endpoint = f"store.endpoint={place.proxy.endpoint}"
            self._judge.finish(place.site, label, overrides=(endpoint, *PATIENCE))
            with place.proxy.lock:
                self._judge.row.s3_faults += place.proxy.injected.total()
        row = self._judge.row
        self._judge.told(f"{row.campaign}: {row.s3_faults} faults, {row.runs} corpora")


def server_kills(folder: Path, mortal: MortalServer, judge: Judge, seed: int, rounds: int) -> None:
    """Kill the server in the middle of a run and start it again, up to three times a corpus."""
    server = mortal.server
    for number in range(rounds):
        choose = random.Random(f"{seed}-{number}")
        label = f"seed {seed}: server killed, round {number}"
        site = Site(
            folder / f"mortal-{number}",
            f"s3://{server.bucket}/mortal-{seed}-{number}",
            server.endpoint,
            server.environment(),
            ("engine.simulated.latency_s=0.2", "store.deadline_s=60"),
        )
        over = threading.Event()
        growing = threading.Thread(target=_growing, args=(site, judge, label, over), daemon=True)
        growing.start()
        _kill_while(mortal, choose, over, judge, site.folder)
        growing.join()
        judge.judge(site, label)
        judge.told(f"{judge.row.campaign}: {judge.row.kills} kills, {judge.row.runs} corpora")


def _growing(site: Site, judge: Judge, label: str, over: threading.Event) -> None:
    for _ in range(STARTS):
        one = site.start()
        one.wait()
        judge.ended(one, label)
        if one.code == 0:
            break
    over.set()


def _kill_while(
    mortal: MortalServer, choose: random.Random, over: threading.Event, judge: Judge, folder: Path
) -> None:
    """Kill after so many more requests to the engine, up to three times.

    In the main thread: a server ends with the thread that started it.
    """
    wanted = 0
    for _ in range(3):
        wanted += choose.randint(4, 24)
        while not over.is_set() and _lines(folder) < 2 * wanted:
            over.wait(0.02)
        if over.is_set():
            return
        mortal.kill()
        judge.row.kills += 1
        over.wait(choose.uniform(0, 1))
        mortal.start()


def _lines(folder: Path) -> int:
    return sum(path.read_text().count("\n") for path in folder.glob("journal-*"))
