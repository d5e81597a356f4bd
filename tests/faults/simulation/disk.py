"""The simulated store: one set of objects, and handles whose requests take time and go astray.

What a handle makes of unknown outcomes is the shipped `Patience`; here are only the requests.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeVar

from seedcorn.core.errors import ObjectMissing, StoreError
from seedcorn.storage.stores.keys import check_key, check_prefix
from seedcorn.storage.stores.patience import Patience, Unanswered
from seedcorn.storage.stores.store import ObjectInfo
from tests.faults.simulation.processes.process import Killed, Process
from tests.faults.simulation.weather import Weather

T = TypeVar("T")
DEADLINE_S = 8.0
DEATHS = {"driver": "driver_dies", "worker": "worker_dies", "keeper": "keeper_dies"}


class Observer(Protocol):
    """Told of every change at the instant it happens."""

    def written(self, key: str, before: bytes | None, data: bytes) -> None: ...

    def deleted(self, key: str, data: bytes) -> None: ...


class Disk:
    """The objects that all handles share."""

    def __init__(self, observer: Observer) -> None:
        self.objects: dict[str, bytes] = {}
        self._observer = observer

    def write(self, key: str, data: bytes) -> None:
        before = self.objects.get(key)
        self.objects[key] = data
        self._observer.written(key, before, data)

    def create(self, key: str, data: bytes) -> None:
        """If-None-Match: 412 says nothing about who wrote what stands there."""
        if key in self.objects:
            raise Unanswered(f"412 {key}")
        self.write(key, data)

    def read(self, key: str) -> bytes:
        if key not in self.objects:
            raise ObjectMissing(f"no object {key}")
        return self.objects[key]

    def remove(self, key: str) -> None:
        data = self.objects.pop(key, None)
        if data is not None:
            self._observer.deleted(key, data)

    def listing(self, prefix: str) -> list[ObjectInfo]:
        return [ObjectInfo(k, len(v)) for k, v in self.objects.items() if k.startswith(prefix)]


class SimulatedStore:
    """A `Store` of one process."""

    uri = "simulated:corpus"

    def __init__(self, disk: Disk, process: Process, weather: Weather) -> None:
        self.disk, self.process, self.weather = disk, process, weather
        world = process.world
        self.patience = Patience(
            DEADLINE_S, world.now, self._sleep, lambda: world.random.uniform(0.5, 1.0)
        )
        self._out_until = 0.0

    def put(self, key: str, data: bytes | Path) -> None:
        check_key(key)
        content = data.read_bytes() if isinstance(data, Path) else bytes(data)
        self._try(lambda: self.request("put", key, lambda: self.disk.write(key, content)))

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        check_key(key)
        return self.told(
            lambda: self.patience.settle(
                lambda: self.create(key, data), lambda: self.read(key), data
            )
        )

    def get(self, key: str) -> bytes:
        check_key(key)
        return self._try(lambda: self.read(key))

    def open(self, key: str) -> BinaryIO:
        return io.BytesIO(self.get(key))

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        check_prefix(prefix)
        ask = lambda: self.disk.listing(prefix)  # noqa: E731
        return iter(self._try(lambda: self.request("list", prefix, ask)))

    def delete(self, key: str) -> None:
        check_key(key)
        self._try(lambda: self.request("delete", key, lambda: self.disk.remove(key)))

    def create(self, key: str, data: bytes) -> None:
        """One conditional request."""
        self.request("create", key, lambda: self.disk.create(key, data))

    def read(self, key: str) -> bytes:
        """One request."""
        return self.request("get", key, lambda: self.disk.read(key))

    def _try(self, attempt: Callable[[], T]) -> T:
        return self.told(lambda: self.patience.keep_trying(attempt))

    def told(self, attempt: Callable[[], T]) -> T:
        """Note where the deadline was over: it excuses an error of the driver."""
        try:
            return attempt()
        except StoreError as error:
            if "gave up after" in str(error):
                self.process.family.gave_up = True
                self.process.world.note(self.process.name, f"gives up: {error}")
            raise

    def _sleep(self, seconds: float) -> None:
        self.process.world.pause(self.process, seconds)

    def request(self, operation: str, key: str, effect: Callable[[], T]) -> T:
        """One request: it may be lost on the way there or back, land late, or meet a death."""
        process, world = self.process, self.process.world
        process.check()
        world.operations += 1
        if world.in_loop:
            return effect()
        writes = operation in ("put", "create", "delete")
        self._before(operation, key, effect if writes else None)
        world.note(process.name, f"{operation} {key}")
        answer = effect()
        self._death(f"after {operation} {key}")
        if world.chance(self.weather.answer_lost):
            world.note(process.name, "  its answer is lost")
            world.met["answers of the store lost"] += 1
            raise Unanswered(f"no answer to {operation} {key}")
        return answer

    def _before(self, operation: str, key: str, effect: Callable[[], Any] | None) -> None:
        process, world, weather = self.process, self.process.world, self.weather
        if world.chance(weather.outage):
            self._out_until = world.now() + world.random.uniform(1, 12)
        try:
            world.pause(process, self._latency())
            self._death(f"before {operation} {key}")
        except Killed:
            if effect is not None and world.random.random() < 0.5:
                self._late(operation, key, effect)
            raise
        if effect is not None and world.chance(weather.lands_late):
            self._late(operation, key, effect)
            raise Unanswered(f"time-out of {operation} {key}")
        lost = world.chance(weather.request_lost) or world.chance(weather.refused)
        if lost or (world.now() < self._out_until and not world.calm):
            world.note(process.name, f"{operation} {key} is lost")
            raise Unanswered(f"{operation} {key} was lost or refused")

    def _death(self, when: str) -> None:
        kind = DEATHS.get(self.process.kind)
        if kind is not None and self.process.world.chance(getattr(self.weather, kind)):
            self.process.kill(when)
            self.process.check()

    def _late(self, operation: str, key: str, effect: Callable[[], Any]) -> None:
        """The request is on its way, and nobody waits for it any more."""
        world, name = self.process.world, self.process.name

        def land() -> None:
            world.pending_effects -= 1
            world.note(name, f"{operation} {key} lands late")
            world.met["requests landed late"] += 1
            try:
                effect()
            except StoreError:
                return

        world.pending_effects += 1
        world.loop.call_later(world.random.uniform(0.01, 1) ** 2 * 15, land)

    def _latency(self) -> float:
        world = self.process.world
        if world.chance(self.weather.slow):
            return world.random.uniform(0.1, 3.0)
        return world.random.uniform(0.001, 0.03)
