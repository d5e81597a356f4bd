"""A real cluster of several nodes on this machine: they join, drain and die while a corpus grows.

The cluster is its own, beside the one of the session, and a driver in another process grows on it.
Nodes and GPUs are logical, so what is placed where is Ray's own decision; engines are simulated.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ray._raylet import GcsClient
from ray.cluster_utils import Cluster

from seedcorn.core.recipe import Recipe
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.runtime.conftest import SIMULATED, account
from tests.runtime.processes import objects_at_least

pytestmark = [pytest.mark.ray, pytest.mark.long, pytest.mark.timeout(400)]
PREEMPTED = 2
"""Ray's reason of a node that is drained because its machine is taken away."""
STORE = 80 << 20
PATIENCE_S = 120.0


class Machines:
    """A cluster whose head runs no engine; nodes come and go."""

    def __init__(self) -> None:
        head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": STORE}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address: str = self.cluster.address

    def join(self, cpus: int = 1, gpus: int = 0, **labels: str) -> object:
        return self.cluster.add_node(
            num_cpus=cpus, num_gpus=gpus, labels=labels, object_store_memory=STORE
        )

    def die(self, node: object) -> None:
        self.cluster.remove_node(node, allow_graceful=False)

    def leave(self, node: object) -> None:
        """Go in good order: the cluster knows at once."""
        self.cluster.remove_node(node, allow_graceful=True)

    def drain(self, node: object, seconds: float) -> None:
        deadline = int((time.time() + seconds) * 1000)
        asked = GcsClient(address=self.address)
        assert asked.drain_node(node.node_id, PREEMPTED, "spot machine is taken", deadline)[0]

    def used(self, node: object, name: str) -> float:
        """What of a resource somebody holds on a node."""
        state = self.cluster.global_state
        free = state.available_resources_per_node().get(node.node_id, {})
        return state.total_resources_per_node().get(node.node_id, {}).get(name, 0) - free.get(
            name, 0
        )

    def groups(self) -> list[dict]:
        return list((self.cluster.global_state.placement_group_table() or {}).values())

    def held(self) -> list[str]:
        """Everything that somebody still holds: resources, groups, actors."""
        state = self.cluster.global_state
        total = state.total_resources_per_node()
        lent = [
            f"{name} on {node[:6]}"
            for node, free in state.available_resources_per_node().items()
            for name in ("CPU", "GPU")
            if free.get(name, 0) != total.get(node, {}).get(name, 0)
        ]
        lent += [group["state"] for group in self.groups() if group["state"] != "REMOVED"]
        alive = (actor for actor in state.actor_table(None).values() if actor["State"] != "DEAD")
        return lent + [actor["ActorClassName"] for actor in alive]


@pytest.fixture(scope="module")
def head() -> Iterator[Machines]:
    made = Machines()
    yield made
    made.cluster.shutdown()


@pytest.fixture
def machines(head: Machines) -> Iterator[Machines]:
    """A head alone; what joins is gone after the test."""
    yield head
    for node in list(head.cluster.worker_nodes):
        head.leave(node)


class Driver:
    """`seedcorn grow` in another process, and what it says."""

    def __init__(self, machines: Machines, corpus: Path, *overrides: str) -> None:
        command = [
            *(sys.executable, "-m", "seedcorn.cli", "grow", SIMULATED, f"corpus={corpus}"),
            *("samples=600", "units.unit=32", "units.batch=4", "engine.simulated.concurrency=32"),
            *("run.heartbeat_s=0.2", "run.lease_s=2", f"run.ray_address={machines.address}"),
            *overrides,
        ]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        self.lines += [""]
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def said(self, *words: str) -> bool:
        return any(all(word in line for word in words) for line in list(self.lines))

    def until(self, happened: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not happened():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < end, self.text()
            time.sleep(0.1)

    def finish(self) -> None:
        assert self.process.wait(timeout=PATIENCE_S) == 0, self.text()

    def text(self) -> str:
        return "\n".join(self.lines)


@contextmanager
def growing(machines: Machines, corpus: Path, *overrides: str) -> Iterator[Driver]:
    """A driver that is ended with the body, and leaves nothing on the cluster."""
    driver = Driver(machines, corpus, *overrides)
    try:
        yield driver
    finally:
        if driver.process.poll() is None:
            driver.process.kill()
        driver.process.wait()
    end = time.monotonic() + 30
    while machines.held() and time.monotonic() < end:
        time.sleep(0.5)
    assert machines.held() == []


def same(corpus: Path, undisturbed: tuple[str, str, Recipe]) -> None:
    store = LocalStore(corpus)
    report = verify(store, recipe_from_dict)
    assert report.ok, report.broken
    assert corpus_digest(store) == undisturbed[0]
    assert account(store) == undisturbed[1]


def test_auto_follows_three_nodes_that_join_die_and_drain_to_the_same_corpus(
    machines: Machines, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    slow = ("engine.workers=auto", "engine.simulated.latency_s=4")
    first = machines.join()
    with growing(machines, corpus, *slow) as driver:
        driver.until(lambda: driver.said("auto is now 1"))
        driver.until(lambda: driver.said("worker 0 ready"))
        others = [machines.join(), machines.join()]
        driver.until(lambda: driver.said("auto is now 3"))
        driver.until(lambda: driver.said("worker 2 ready"))
        machines.die(first)
        driver.until(lambda: driver.said("worker 0", "went with its node"))
        machines.drain(others[0], seconds=30)
        driver.until(lambda: driver.said("is leaving in", "its node is draining"))
        last = machines.join()
        driver.until(lambda: machines.used(last, "CPU") == 1)
        driver.finish()
    assert not driver.said("next try in")
    same(corpus, undisturbed)


def test_driver_that_is_stopped_leaves_nothing_behind_and_another_goes_on_with_other_nodes(
    machines: Machines, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    slow = ("engine.workers=auto", "engine.simulated.latency_s=1")
    nodes = [machines.join(), machines.join()]
    with growing(machines, corpus, *slow) as driver:
        driver.until(objects_at_least(corpus, 8))
        os.kill(driver.process.pid, signal.SIGTERM)
        assert driver.process.wait(timeout=PATIENCE_S) == 130
    machines.die(nodes[0])
    nodes[0] = machines.join(cpus=2)
    with growing(machines, corpus, *slow) as driver:
        driver.finish()
    same(corpus, undisturbed)


def test_parallel_engines_get_groups_that_go_again_and_what_is_missing_is_said(
    machines: Machines, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    parallel = (
        *("engine.workers=auto", "engine.gpus_per_worker=1", "engine.simulated.latency_s=2"),
        *("engine.vllm.tensor_parallel=1", "engine.vllm.pipeline_parallel=2"),
    )
    small = machines.join(gpus=1)
    with growing(machines, corpus, *parallel) as driver:
        driver.until(lambda: driver.said("1 worker waits for 2 GPUs and 1 CPU", "1 of 1 GPU"))
        other = machines.join(cpus=0, gpus=1)
        driver.until(lambda: driver.said("worker 0 ready"))
        assert machines.used(small, "GPU") == machines.used(other, "GPU") == 1
        [group] = [group for group in machines.groups() if group["state"] == "CREATED"]
        assert group["strategy"] == "PACK"
        assert len(group["bundles"]) == 2
        driver.finish()
    same(corpus, undisturbed)


def test_tensor_parallel_engine_stays_on_one_node_and_small_ones_share_a_gpu(
    machines: Machines, tmp_path: Path
) -> None:
    quick = ("engine.simulated.latency_s=0.5", "engine.workers=auto", "generations=1")
    tensor = ("engine.gpus_per_worker=1", "engine.vllm.tensor_parallel=2")
    split, whole = machines.join(gpus=1), machines.join(gpus=2)
    with growing(machines, tmp_path / "tensor", *quick, *tensor) as driver:
        driver.until(lambda: driver.said("worker 0 ready"))
        assert (machines.used(split, "GPU"), machines.used(whole, "GPU")) == (0, 2)
        driver.finish()
    machines.leave(whole)
    share = ("engine.gpus_per_worker=0.25", "engine.cpus_per_worker=0.25")
    with growing(machines, tmp_path / "shared", *quick, *share) as driver:
        driver.until(lambda: driver.said("worker 2 ready"))
        assert machines.used(split, "GPU") == 0.75
        driver.finish()


@pytest.mark.parametrize("group", [False, True])
def test_spot_nodes_are_used_first_and_others_where_they_are_full(
    machines: Machines, tmp_path: Path, group: bool
) -> None:
    quick = ("engine.simulated.latency_s=0.5", "engine.prefer_labels.market=spot", "generations=1")
    parts = ("engine.gpus_per_worker=1", "engine.vllm.tensor_parallel=2") if group else ()
    plain = machines.join(gpus=2, market="regular")
    spot = machines.join(gpus=2, market="spot")
    with growing(machines, tmp_path / "one", *quick, *parts) as driver:
        driver.until(lambda: driver.said("worker 0 ready"))
        assert (machines.used(spot, "CPU"), machines.used(plain, "CPU")) == (1, 0)
        driver.finish()
    with growing(machines, tmp_path / "two", *quick, *parts, "engine.workers=2") as driver:
        driver.until(lambda: driver.said("worker 0 ready") and driver.said("worker 1 ready"))
        assert (machines.used(spot, "CPU"), machines.used(plain, "CPU")) == (1, 1)
        driver.finish()
