"""The raylet of a node is killed under the keeper, and under an engine: the node goes without a word."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedcorn.core.recipe import Recipe
from tests.runtime.processes import descendants, kill, objects_at_least, title_of
from tests.runtime.ray.test_scaling import Machines, growing, same

pytestmark = [pytest.mark.ray, pytest.mark.long, pytest.mark.timeout(400)]
SLOW = ("engine.workers=2", "engine.simulated.latency_s=0.5", "dedup.checkpoint_every=1")


@pytest.fixture
def machines() -> Iterator[Machines]:
    """A cluster of its own: a head without room for engines, and two nodes."""
    made = Machines()
    try:
        made.join()
        made.join()
        yield made
    finally:
        made.cluster.shutdown()


def raylet(node: object) -> int:
    return node.all_processes["raylet"][0].process.pid


def hosts_of(title: str, machines: Machines) -> list[object]:
    """The nodes on which a process with this title lives."""
    return [
        node
        for node in machines.cluster.worker_nodes
        if any(title_of(pid).startswith(title) for pid in descendants(raylet(node)))
    ]


@pytest.mark.parametrize("title", ["ray::KeeperActor", "ray::EngineActor"])
def test_raylet_killed_under_keeper_or_engine_ends_as_if_undisturbed(
    title: str, machines: Machines, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    with growing(machines, corpus, *SLOW) as driver:
        driver.until(objects_at_least(corpus / "data", 1))
        victim = hosts_of(title, machines)[0]
        kill(raylet(victim))
        machines.die(victim)
        machines.join()
        driver.finish()
    assert driver.said("went with its node") or driver.said("rebuilding it"), driver.text()
    same(corpus, undisturbed)
