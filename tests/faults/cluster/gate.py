"""A proxy before the object store that kills whoever sends a chosen request, at a chosen moment.

Every step of the protocol is an object operation, so the requests are the steps: the PUT of a
segment is *stage*, of a shard *seal*, of a log entry *commit*; the DELETE of a segment ends them.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from tests.runtime.processes import kill, owner_of, title_of
from tests.servers.faulty_proxy import FaultyProxy, _Handler

LATE_S = 1.0
"""How long a request is held back whose sender is dead by the time it arrives."""
ROLES = {"ray::EngineActor": "engine", "ray::KeeperActor": "keeper", "ray::IndexPart": "index"}
DRIVER = "driver"


@dataclass(frozen=True)
class Step:
    """One request to kill at. `moment`: `before` it reaches the store, `after` it did and before
    the answer, or `late`: it reaches the store a while after its sender's death."""

    method: str
    folder: str
    moment: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.moment} {self.method} {self.folder}/ ({self.nth})"


@dataclass(frozen=True)
class Kill:
    """A process that was killed."""

    role: str
    at: float
    """Unix seconds."""
    step: str = ""


class Gate(FaultyProxy):
    """Arm it with one step after the other; `kills` says what happened."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.RequestHandlerClass = _GateHandler
        self.kills: list[Kill] = []
        self._armed: Step | None = None
        self._left = 0

    @property
    def armed(self) -> Step | None:
        """The step that has not come yet."""
        return self._armed

    def arm(self, step: Step | None) -> None:
        """Wait for the `nth` of these requests from now on."""
        with self.lock:
            self._armed, self._left = step, step.nth if step else 0

    def shot(self, method: str, path: str) -> Step | None:
        """The armed step, once, if this request is it."""
        folder = path.partition("?")[0].split("/")[3:4]  # After bucket and corpus.
        with self.lock:
            step = self._armed
            if step is None or step.method != method or folder != [step.folder]:
                return None
            self._left -= 1
            if self._left:
                return None
            self._armed = None
            return step

    def execute(self, port: int, step: Step) -> None:
        """Kill the process that holds the other end."""
        sender = owner_of(port)
        if sender is None:  # It died by itself meanwhile: the step is still to come.
            self.arm(step)
            return
        title = title_of(sender)
        role = next((role for start, role in ROLES.items() if title.startswith(start)), DRIVER)
        kill(sender)
        self.kills.append(Kill(role, time.time(), str(step)))


class _GateHandler(_Handler):
    def _relay(self, body: bytes, fault: str) -> None:
        gate = cast(Gate, self.server)
        step = gate.shot(self.command, self.path)
        if step is None:
            super()._relay(body, fault)
            return
        if step.moment == "after":
            super()._relay(body, "lose_answer")
        gate.execute(self.client_address[1], step)
        if step.moment == "late":
            time.sleep(LATE_S)
            super()._relay(body, "lose_answer")
        self.close_connection = True


@contextmanager
def gate(upstream: str) -> Iterator[Gate]:
    """Run a gate before the endpoint `upstream`."""
    with Gate(upstream) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()
