"""Kills at random moments: a seeded list of victims, one after the other, while a corpus grows."""

import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from tests.faults.cluster.gate import DRIVER, Kill
from tests.faults.cluster.growth import Growth
from tests.runtime.processes import kill, titled

TITLES = {
    "engine": "ray::EngineActor",
    "keeper": "ray::KeeperActor",
    "index": "ray::IndexPart",
    "measuring": "ray::measure",
}
LONGEST_S = 2.0
"""Between two kills, beyond the time until the next victim lives."""
LOOK_S = 0.02
Actions = Mapping[str, Callable[[], None]]


class Victims:
    """Kills the queue's roles in order; what a run did not live to see is left to the next one."""

    def __init__(
        self, roles: Iterable[str], choose: random.Random, actions: Actions | None = None
    ) -> None:
        """`actions` end what is no descendant with a title: a node, the object store."""
        self.queue = deque(roles)
        self.kills: list[Kill] = []
        self._choose, self._actions = choose, actions or {}

    def haunt(self, growth: Growth) -> None:
        """Kill beside a growth until it is over or the queue is empty."""
        while self.queue and not growth.over.is_set():
            role = self.queue[0]
            hurried = role == "measuring"  # It lives for a second only.
            pause = 0.0 if hurried else self._choose.uniform(0, LONGEST_S)
            self._await(role, growth)
            if not growth.over.wait(pause) and self._strike(role, growth):
                self.queue.popleft()

    def _strike(self, role: str, growth: Growth) -> bool:
        pids = self._find(role, growth)
        if not pids:
            return False
        self.kills.append(Kill(role, time.time(), f"random {role}"))
        if role in self._actions:
            self._actions[role]()
        else:
            kill(self._choose.choice(pids))
        return True

    def _await(self, role: str, growth: Growth) -> None:
        while not growth.over.is_set() and not self._find(role, growth):
            growth.over.wait(LOOK_S)

    def _find(self, role: str, growth: Growth) -> list[int]:
        if role == DRIVER:
            return [growth.pid] if growth.pid is not None else []
        # What is no actor is killed while engines live.
        return titled(TITLES.get(role, TITLES["engine"]))
