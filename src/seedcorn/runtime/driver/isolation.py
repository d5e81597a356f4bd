"""Suspects on one worker: who may have killed an engine runs again, alone, until it is known.

Which groups run and who is blamed is decided by `Quarantine`; this carries its groups to the worker
that is in isolation. Suspects are held back from everybody else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from seedcorn.core.scheduling.leasing import Lease, Leases
from seedcorn.core.scheduling.quarantine import Quarantine
from seedcorn.runtime.driver.ports import Lost, NodeLost, WorkerHandle
from seedcorn.runtime.job import UnitReport

FAILED_BY_DEATH = "engine_death"
Hands = set[asyncio.Task[UnitReport]]


class SuspectsKilled(Lost):
    """The isolated worker died, as it is there to do: no sign that the engine is broken."""


class Isolation:
    """The suspects of one generation and the slot that runs them."""

    def __init__(
        self, leases: Leases, find_segments: Callable[[Iterable[int]], Awaitable[None]]
    ) -> None:
        """`find_segments` looks up what a worker staged without living to report it."""
        self._leases, self._find_segments = leases, find_segments
        self.quarantine = Quarantine()
        self._slot: int | None = None

    def hold(self, slot: int) -> None:
        """Suspects wait for one worker; the first slot that dies becomes it."""
        self._leases.held_back = self.quarantine.indices
        if self.quarantine.pending and self._slot is None:
            self._slot = slot
        if not self.quarantine.pending:
            self._slot = None

    def leave(self, slot: int) -> None:
        """The slot has no worker for the time being, or for ever: another may take the suspects."""
        if self._slot == slot:
            self._slot = None

    def takes(self, slot: int) -> bool:
        """Whether this slot is the one that runs the suspects; the first to ask where none is."""
        if not self.quarantine.pending:
            return False
        if self._slot is None:
            self._slot = slot
        return self._slot == slot

    async def run(
        self, slot: int, worker: WorkerHandle, wait: Callable[[Hands], Awaitable[Hands]]
    ) -> bool:
        """One group, alone on this worker; raises Lost if it kills again.

        `wait` returns the tasks that are done, or raises Lost where waiting is in vain. Returns
        whether an engine was asked, and lived.
        """
        poisonous = dict(self.quarantine.poisonous)
        group = () if poisonous else self.quarantine.next_group()
        leases = self._leases_for(tuple(poisonous) or group, poisonous)
        writing = {asyncio.create_task(worker.write(lease)) for lease in leases}
        reports, errors = await self._outcomes(writing, wait)
        staged = {index for report in reports for index in report.covered}
        for report in reports:
            self._leases.staged(report.unit, report.covered, report.segments)
        cause = next((r.cause for r in reports if r.died), "")
        if cause or errors:
            await self._find_segments(lease.unit for lease in leases)
            self._raise(slot, staged, reports, errors, cause)
        for index in poisonous:
            self.quarantine.failed(index)
        if group:
            self.quarantine.survived(staged)
        self.hold(slot)
        # Recording failed samples asks no engine: it must not hide one that kills them all.
        return bool(group)

    async def _outcomes(
        self, writing: Hands, wait: Callable[[Hands], Awaitable[Hands]]
    ) -> tuple[list[UnitReport], list[BaseException]]:
        reports: list[UnitReport] = []
        errors: list[BaseException] = []
        try:
            while writing:
                done = await wait(writing)
                writing -= done
                errors += [error for task in done if (error := task.exception()) is not None]
                reports += [task.result() for task in done if task.exception() is None]
        except Lost as error:
            errors.append(error)
        finally:
            for task in writing:
                task.cancel()
        return reports, errors

    def _raise(
        self,
        slot: int,
        staged: set[int],
        reports: list[UnitReport],
        errors: list[BaseException],
        cause: str,
    ) -> None:
        fatal = next((error for error in errors if not isinstance(error, Lost)), None)
        if fatal is not None:
            raise fatal
        gone = next((error for error in errors if isinstance(error, NodeLost)), None)
        if gone is not None:
            self.quarantine.survived(staged)
            self.hold(slot)
            raise gone
        # A unit that was lost without a report may have had anything in flight.
        known = [] if errors else [index for r in reports for index in r.in_flight]
        self.quarantine.died(staged, known, cause or str(errors[0]))
        self.hold(slot)
        raise SuspectsKilled(f"engine died on a suspect: {cause or errors[0]}")

    def _leases_for(self, indices: Iterable[int], failed: dict[int, str]) -> list[Lease]:
        by_unit: dict[int, list[int]] = {}
        for index in indices:
            by_unit.setdefault(index // self._leases.cut.unit, []).append(index)
        return [
            Lease(
                self._leases.generation,
                unit,
                tuple(index for index in members if index not in failed),
                self._leases.segments_of_unit(unit),
                {i: (FAILED_BY_DEATH, failed[i]) for i in members if i in failed},
            )
            for unit, members in sorted(by_unit.items())
        ]
