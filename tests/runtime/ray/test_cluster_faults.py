"""Kills at chosen steps of the protocol, a measuring task that dies, engines that freeze and thaw.

Short forms of `python -m tests.faults.cluster`, on the session's cluster.
"""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedcorn.core.recipe import Recipe
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.store import Store
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.faults.cluster.gate import Step, gate
from tests.faults.cluster.growth import Growth
from tests.runtime.conftest import SIMULATED, Loader, account, ignore
from tests.runtime.processes import actors, ends, killing, stop
from tests.servers.seaweedfs import SeaweedServer

pytestmark = [pytest.mark.ray, pytest.mark.timeout(400)]
SLOW = ("engine.simulated.latency_s=0.2", "engine.simulated.concurrency=16", "engine.workers=2")
STEPS = (
    Step("PUT", "staging", "late"),
    Step("PUT", "data", "after"),
    Step("PUT", "log", "after", nth=3),
)


def same(store: Store, undisturbed: tuple[str, str, Recipe]) -> None:
    """The corpus is complete, verifies, and equals the undisturbed one."""
    report = verify(store, recipe_from_dict)
    assert report.ok, report.broken
    assert corpus_digest(store) == undisturbed[0]
    assert account(store) == undisturbed[1]


@pytest.mark.s3
def test_sender_killed_at_each_step_on_s3_ends_as_if_undisturbed(
    ray_cluster: str,
    undisturbed: tuple[str, str, Recipe],
    seaweedfs_server: SeaweedServer,
    s3_uri: Callable[[], str],
) -> None:
    with gate(seaweedfs_server.endpoint) as before:
        where = (f"corpus={s3_uri()}", f"store.endpoint={before.endpoint}")
        cut = ("samples=600", "units.unit=32", "units.batch=4", "run.lease_s=2")
        address = f"run.ray_address={ray_cluster}"
        growth = Growth(SIMULATED, [*where, *cut, *SLOW, address, "run.heartbeat_s=0.2"])
        growth.start()
        for step in STEPS:
            before.arm(step)
            while before.armed and not growth.over.wait(0.05):
                continue
        growth.join()
        assert growth.wrong == []
        roles = [kill.role for kill in before.kills]
        assert roles == ["engine", "keeper", "driver"]
        same(growth.store(), undisturbed)


def test_measuring_task_that_is_killed_runs_again_and_the_ledger_misses_nothing(
    simulated: Loader, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    with killing("measure", [lambda: True], random.Random("measure")) as killed:
        assert grow(simulated(), ignore, open_cluster).complete
    assert len(killed) == 1
    same(LocalStore(tmp_path / "corpus"), undisturbed)


def test_only_engine_that_freezes_is_replaced_after_its_deadline(
    simulated: Loader, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    frozen: list[int] = []
    restarts: list[int] = [0]

    def freeze(look: Snapshot) -> None:
        restarts.append(look.restarts)
        if look.generated and look.in_flight and not frozen:
            frozen.extend(actors("EngineActor"))
            for pid in frozen:
                stop(pid)

    one = ("engine.workers=1", "run.lease_deadline_s=5", "engine.simulated.latency_s=0.1")
    assert grow(simulated(*SLOW, *one), freeze, open_cluster).complete
    assert len(frozen) == 1
    assert max(restarts) >= 1
    assert ends(frozen[0])
    same(LocalStore(tmp_path / "corpus"), undisturbed)


def test_frozen_engine_is_hedged_and_what_it_reports_late_changes_nothing(
    simulated: Loader, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    frozen: list[int] = []
    thawed: list[int] = []

    def freeze(look: Snapshot) -> None:
        if look.workers == 2 and look.generated and look.in_flight and not frozen:
            frozen.append(actors("EngineActor")[0])
            stop(frozen[0])
        elif look.generation == 1 and look.generated == look.planned and not thawed:
            thawed.extend(frozen)
            for pid in thawed:
                stop(pid, going_on=True)

    try:
        assert grow(simulated(*SLOW, "run.lease_deadline_s=0"), freeze, open_cluster).complete
    finally:
        for pid in frozen:
            stop(pid, going_on=True)
    assert frozen
    assert thawed == frozen
    same(LocalStore(tmp_path / "corpus"), undisturbed)


def test_index_and_keeper_that_freeze_are_rebuilt_after_their_deadline(
    simulated: Loader, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    left = ["KeeperActor", "IndexPart"]
    frozen: list[int] = []
    sealed = [(0, 0)]
    """Generation and batches when one froze: the next freezes once more is sealed by new ones."""

    def freeze(look: Snapshot) -> None:
        stands = (look.generation, look.rows[-1].committed if look.rows else 0)
        if left and look.in_flight and stands[1] and stands > sealed[-1]:
            sealed.append(stands)
            frozen.append(actors(left.pop())[0])
            stop(frozen[-1])

    assert grow(simulated(*SLOW, "run.lease_deadline_s=8"), freeze, open_cluster).complete
    assert len(frozen) == 2
    assert all(ends(pid) for pid in frozen)
    same(LocalStore(tmp_path / "corpus"), undisturbed)


@contextmanager
def slowed(pids: list[int]) -> Iterator[None]:
    """The first of `pids`, once there is one, runs a tenth of the time."""
    over = threading.Event()

    def slow_down() -> None:
        while not over.wait(0.1):
            for pid in pids[:1]:
                stop(pid)
                over.wait(0.9)
                stop(pid, going_on=True)

    thread = threading.Thread(target=slow_down, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.long
def test_slow_engine_is_not_replaced_and_the_corpus_is_the_same(
    simulated: Loader, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    slow: list[int] = []
    restarts: list[int] = []

    def watch(look: Snapshot) -> None:
        restarts.append(look.restarts)
        if look.workers == 2 and not slow:
            slow.extend(actors("EngineActor"))

    settings = ("engine.workers=2", "engine.simulated.concurrency=16", "run.lease_deadline_s=30")
    latency = ("engine.simulated.latency_s=0.3", "run.hedge_factor=2")
    with slowed(slow):
        assert grow(simulated(*settings, *latency), watch, open_cluster).complete
    assert slow
    assert max(restarts) == 0
    same(LocalStore(tmp_path / "corpus"), undisturbed)
