"""What a campaign stands on: an object store that can be killed and comes back, and a Ray cluster
of two nodes of which one can."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ray.cluster_utils import Cluster

from tests.servers.ray_head import free_ports
from tests.servers.seaweedfs import SeaweedServer, _die_with_parent, seaweedfs

MEMORY = 80 << 20
"""Bytes of object store per node: messages are keys and counts."""
AGENTS = (
    *("dashboard_agent_listen_port", "metrics_agent_port"),
    *("metrics_export_port", "runtime_env_agent_port"),
)
"""Chosen, because a raylet that has to ask its agents gives up on a busy machine."""


BUSY = {"RAY_worker_niceness": "0", "RAY_raylet_start_wait_time_s": "150"}
"""Ray's own patience is made for machines with nothing else to do."""
TRIES = 4
T = TypeVar("T")


@dataclass
class StoreProcess:
    """A SeaweedFS server whose process is killed and started again on the same data and ports."""

    server: SeaweedServer
    _revived: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self._revived[-1].pid if self._revived else self.server.pid

    def kill_and_revive(self, down_s: float) -> None:
        """SIGKILL, and `down_s` seconds later the same command in the same place.

        Call it from the main thread: the server dies with the thread that started it.
        """
        told = Path(f"/proc/{self.pid}")
        command = (told / "cmdline").read_bytes().decode().rstrip("\0").split("\0")
        lines = (told / "environ").read_bytes().decode().rstrip("\0").split("\0")
        environment = dict(line.split("=", 1) for line in lines)
        folder = (told / "cwd").readlink()
        os.kill(self.pid, signal.SIGKILL)
        time.sleep(down_s)
        for left in (part.partition("=")[2] for part in command if "localSocket" in part):
            Path(left).unlink(missing_ok=True)
        with (folder / "server.log").open("ab") as log:
            started = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_die_with_parent,
            )
        self._revived.append(started)

    def end(self) -> None:
        for process in self._revived:
            process.kill()
            process.wait()


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

    store: StoreProcess
    machines: Machines


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """The store first, so that Ray's processes inherit its credentials."""
    before = dict(os.environ)
    with seaweedfs(folder) as server:
        store = StoreProcess(server)
        os.environ.update(server.environment() | BUSY)
        machines = Machines()
        try:
            yield Ground(store, machines)
        finally:
            machines.end()
            store.end()
            os.environ.clear()
            os.environ.update(before)
