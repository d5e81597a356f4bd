"""When a dead worker is replaced, how long to wait, and when the run gives up.

One restart is normal life on a cluster. The same failure on every worker, again and again with no
work done in between, is a cause to show to a person, not to retry for ever. A node that goes is no
failure of the worker it took along.
"""

from dataclasses import dataclass, field

from seedcorn.core.errors import RunStopped

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 60.0
PATIENCE = 3
"""Failures in a row, on every slot, after which an identical cause stops the run."""
LONG_PATIENCE = 8
"""The same where nothing answered that may come back, such as an endpoint: about two minutes."""


@dataclass(slots=True)
class Slot:
    """One worker position: how often it failed since it last finished something, and why."""

    failures: int = 0
    unexplained: int = 0
    """Failures in a row with this very cause, quarantine aside: there, deaths are the expected way
    to find the culprit."""
    cause: str = ""
    final: bool = False
    """The failure cannot heal by itself, such as a missing model."""
    patience: int = PATIENCE
    """Failures in a row that this cause is allowed."""


@dataclass(slots=True)
class Supervisor:
    """All slots of a run; with `workers: auto` they come and go."""

    slots: dict[int, Slot] = field(default_factory=dict)
    max_restarts: int = 20
    restarts: int = 0

    def opened(self, slot: int) -> None:
        """A slot is to be tended, with a clean record unless it has one."""
        self.slots.setdefault(slot, Slot())

    def closed(self, slot: int) -> None:
        """The slot is no more; the others alone say whether the run has a chance."""
        self.slots.pop(slot, None)

    def worked(self, slot: int) -> None:
        """The slot finished a lease: its record is clean again."""
        self.slots[slot] = Slot()

    def failed(
        self,
        slot: int,
        cause: str,
        *,
        final: bool = False,
        quarantined: bool = False,
        patience: int = PATIENCE,
    ) -> float:
        """Record a death or a failed start; returns seconds to wait before replacing the worker.

        Raises RunStopped, with the cause, once no slot has a chance left.
        """
        state = self.slots[slot]
        repeated = state.unexplained if cause == state.cause else 0
        state.unexplained = repeated + (not quarantined)
        state.failures, state.cause, state.final = state.failures + 1, cause, final
        state.patience = patience
        self.restarts += 1
        if all(self._hopeless(other) for other in self.slots.values()):
            raise RunStopped(self._verdict())
        if quarantined:
            return FIRST_WAIT_S  # Deaths are expected there; waiting longer finds nobody sooner.
        doublings = min(state.failures - 1, 16)  # Past the longest wait, and never an overflow.
        return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**doublings)

    def given_up(self, slot: int) -> bool:
        """This slot is not worth another start; others go on."""
        state = self.slots.get(slot)
        return state is not None and (state.final or state.failures > self.max_restarts)

    def _hopeless(self, slot: Slot) -> bool:
        if slot.final or slot.failures > self.max_restarts:
            return True
        same = all(other.cause == slot.cause for other in self.slots.values())
        return slot.unexplained >= slot.patience and same

    def _verdict(self) -> str:
        causes = sorted({slot.cause for slot in self.slots.values()})
        shown = "; ".join(causes)
        every = "the worker fails" if len(self.slots) == 1 else "every worker fails"
        return (
            f"{every}, last with: {shown}. Nothing committed or staged is lost; fix the cause and "
            "run the same command again"
        )
