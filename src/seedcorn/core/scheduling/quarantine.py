"""Who killed the engine? Suspects run again, in halves, on one quarantined worker.

An engine death takes every request in flight with it, and one poison prompt must not blame its
neighbours. Groups that survive are cleared; groups that kill are halved; only a sample that kills
an engine twice while it runs alone is failed, with the cause.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

DEATHS_TO_FAIL = 2
"""Solo kills before a sample is failed: one may be bad luck on the host."""


@dataclass(slots=True)
class Quarantine:
    """Groups of suspect plan indices, tried one group at a time."""

    groups: deque[tuple[int, ...]] = field(default_factory=deque)
    solo_deaths: dict[int, int] = field(default_factory=dict)
    poisonous: dict[int, str] = field(default_factory=dict)
    """Indices to be failed, with the engine's last words."""
    running: tuple[int, ...] = ()

    @property
    def pending(self) -> bool:
        """Something waits for the quarantined worker."""
        return bool(self.groups or self.poisonous or self.running)

    @property
    def indices(self) -> set[int]:
        """Every index held back from normal leasing."""
        waiting = {i for group in self.groups for i in group}
        return waiting | set(self.running) | set(self.poisonous)

    def suspect(self, indices: Iterable[int]) -> None:
        """A worker died while these may have been in flight."""
        fresh = tuple(sorted(set(indices) - self.indices))
        if fresh:
            self.groups.append(fresh)

    def next_group(self) -> tuple[int, ...]:
        """The group to run now; empty when none waits."""
        if not self.running and self.groups:
            self.running = self.groups.popleft()
        return self.running

    def survived(self, staged: Iterable[int]) -> None:
        """The running group ended without a death; what is not staged runs again."""
        rest = tuple(sorted(set(self.running) - set(staged)))
        self.running = ()
        if rest:
            self.groups.append(rest)

    def died(self, staged: Iterable[int], in_flight: Iterable[int], cause: str) -> None:
        """The quarantined engine died. `in_flight` empty means it is not known what was running."""
        left = set(self.running) - set(staged)
        culprits = sorted(left & set(in_flight)) or sorted(left)
        bystanders = tuple(sorted(left - set(culprits)))
        self.running = ()
        if bystanders:
            self.groups.append(bystanders)
        if len(culprits) == 1:
            self._blame(culprits[0], cause)
        elif culprits:
            middle = len(culprits) // 2
            self.groups.appendleft(tuple(culprits[middle:]))
            self.groups.appendleft(tuple(culprits[:middle]))

    def failed(self, index: int) -> None:
        """The failed sample is staged; nothing more is to be done about it."""
        self.poisonous.pop(index, None)

    def _blame(self, index: int, cause: str) -> None:
        self.solo_deaths[index] = self.solo_deaths.get(index, 0) + 1
        if self.solo_deaths[index] >= DEATHS_TO_FAIL:
            self.poisonous[index] = cause
        else:
            self.groups.appendleft((index,))
