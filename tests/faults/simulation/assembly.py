"""The pieces a schedule is put together from. The shipped ones, unless a mutant replaces one."""

from collections.abc import Callable
from dataclasses import dataclass

from seedcorn.core.log.state import CorpusState
from seedcorn.runtime.driver.coordinator import Coordinator
from seedcorn.storage.log.garbage import collect
from seedcorn.storage.log.log import LogReader
from seedcorn.storage.stores.store import Store
from tests.faults.simulation.disk import SimulatedStore
from tests.faults.simulation.processes.keeper import SimulatedKeeper
from tests.faults.simulation.processes.process import Process


def _discards(keeper: Process) -> bool:
    return True


@dataclass(frozen=True)
class Assembly:
    """One protocol."""

    store: type[SimulatedStore] = SimulatedStore
    reader: Callable[..., LogReader] = LogReader
    keeper: type[SimulatedKeeper] = SimulatedKeeper
    coordinator: type[Coordinator] = Coordinator
    collect: Callable[[Store, CorpusState], list[str]] = collect
    discards_keeper: Callable[[Process], bool] = _discards
    """Whether a keeper that was lost is replaced."""


SHIPPED = Assembly()
