"""Whether a worker that holds work still finishes samples: slow is not stuck.

A unit may rightly take longer than any deadline; what tells a hung engine is that nothing at all
was finished for so long.
"""

import asyncio
from dataclasses import dataclass, field

from seedcorn.core.errors import SeedcornError
from seedcorn.core.figures import duration
from seedcorn.runtime.driver import clock
from seedcorn.runtime.driver.ports import Lost, WorkerHandle

LOOKS = 8
"""Times a worker is asked within its patience."""
ANSWER_S = 5.0
"""How long it may take to answer."""


class Hung(Lost):
    """The worker lives and finishes nothing; what it works on is suspect."""


@dataclass(slots=True)
class Pulse:
    """The last sign of life of one worker."""

    finished: int = -1
    since: float = field(default_factory=clock.now)
    asked: float = field(default_factory=clock.now)

    def begins(self) -> None:
        """The worker is given work after it had none."""
        self.since = self.asked = clock.now()

    async def check(self, worker: WorkerHandle, patience_s: float) -> None:
        """Raises Hung when nothing was finished for `patience_s` seconds; 0: never.

        Asks the worker only now and then, so it may be called as often as it is convenient.
        """
        now = clock.now()
        if not patience_s or now - self.asked < patience_s / LOOKS:
            return
        self.asked = now
        finished = await self._finished(worker, min(ANSWER_S, patience_s / LOOKS))
        if finished is not None and finished != self.finished:
            self.finished, self.since = finished, now
        elif now - self.since > patience_s:
            raise Hung(
                f"the engine worker hangs: it holds work and has finished no sample for "
                f"{duration(patience_s)} (run.lease_deadline_s)"
            )

    async def _finished(self, worker: WorkerHandle, timeout_s: float) -> int | None:
        try:
            async with asyncio.timeout(timeout_s):
                return await worker.finished()
        except (SeedcornError, TimeoutError):
            return None  # No answer is no sign of life; if it died, its leases say so.
