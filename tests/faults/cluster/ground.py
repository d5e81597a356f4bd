"""What a campaign stands on: an object store that can be killed and comes back, and a Ray cluster
of two nodes of which one can."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ray.cluster_utils import Cluster

from tests.servers.ray_head import free_ports
from tests.servers.seaweedfs import MortalServer, mortal_seaweedfs

MEMORY = 80 << 20
"""Bytes of object store per node: messages are keys and counts."""
AGENTS = (
    *("dashboard_agent_listen_port", "metrics_agent_port"),
    *("metrics_export_port", "runtime_env_agent_port"),
)
"""Chosen, because a raylet that has to ask its agents gives up on a busy machine."""


NICENESS = {"RAY_worker_niceness": "0"}
"""Ray's default of 15 starves workers beside anything else on the machine."""
TRIES = 4
T = TypeVar("T")


class Machines:
    """A head and a second node, one engine each."""

    def __init__(self) -> None:
        head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": MEMORY}
        self._cluster = started(lambda: Cluster(True, head_node_args=head | _ports()))
        self.address: str = self._cluster.address
        self._second = self._join()

    def _join(self) -> object:
        size = {"num_cpus": 1, "object_store_memory": MEMORY}
        return started(lambda: self._cluster.add_node(**size, **_ports()))

    def kill_second(self) -> None:
        """SIGKILL of the raylet and all that lives on its node; another node joins after it."""
        self._cluster.remove_node(self._second, allow_graceful=False)
        self._second = self._join()

    def end(self) -> None:
        self._cluster.shutdown()


def started(start: Callable[[], T]) -> T:
    """A raylet waits half a minute for its agents and gives up: on a busy machine, try again."""
    for _ in range(TRIES - 1):
        try:
            return start()
        except Exception as error:  # Ray raises no narrower type for it.
            if "timed out during startup" not in str(error):
                raise
    return start()


def _ports() -> dict[str, int]:
    return dict(zip(AGENTS, free_ports(len(AGENTS)), strict=True))


@dataclass(frozen=True)
class Ground:
    """Both of them."""

    store: MortalServer
    machines: Machines

    def restart_store(self, down_s: float) -> None:
        """SIGKILL of the S3 server, and `down_s` seconds later the same one on the same data.

        Call it from the main thread: the server dies with the thread that started it.
        """
        self.store.kill()
        time.sleep(down_s)
        self.store.start()


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """The store first, so that Ray's processes inherit its credentials."""
    before = dict(os.environ)
    with mortal_seaweedfs(folder / "store") as store:
        os.environ.update(store.server.environment() | NICENESS)
        machines = Machines()
        try:
            yield Ground(store, machines)
        finally:
            machines.end()
            os.environ.clear()
            os.environ.update(before)
