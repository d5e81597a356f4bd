"""Workers that hang, that go with their nodes, that are told to leave: what they staged counts, what
they held is written by others, and nobody is blamed for a node."""

import asyncio

from seedcorn.core.scheduling.leasing import Lease
from seedcorn.runtime.driver.ports import NodeLost
from seedcorn.runtime.job import UnitReport
from tests.runtime.scripted import all_of, crew_of, done, sealed


def test_hung_engine_with_a_single_worker_is_replaced_and_its_units_written():
    hung = []

    async def write(slot: int, lease: Lease) -> UnitReport:
        if lease.unit == 2 and not hung:
            hung.append(lease.unit)
            await asyncio.sleep(3600)
        return done(lease)

    crew, leases, cluster = crew_of(write, workers=1, lease_deadline_s=0.3)
    asyncio.run(asyncio.wait_for(all_of(crew, leases, 1), timeout=10))
    assert leases.done
    assert crew.supervisor.restarts == 1
    assert 0 in cluster.discarded


def test_sample_that_hangs_the_engine_every_time_is_failed_alone():
    failed: dict[int, tuple[str, str]] = {}

    async def write(slot: int, lease: Lease) -> UnitReport:
        failed.update(lease.failed)
        if 5 in lease.indices:
            await asyncio.sleep(3600)
        return done(lease)

    crew, leases, _ = crew_of(write, workers=1, lease_deadline_s=0.2)
    asyncio.run(asyncio.wait_for(all_of(crew, leases, 1), timeout=20))
    assert leases.done
    assert list(failed) == [5]
    assert "hangs" in failed[5][1]


def test_slow_worker_that_still_finishes_samples_is_left_alone():
    async def write(slot: int, lease: Lease) -> UnitReport:
        for _ in range(20):
            await asyncio.sleep(0.05)
            crew.ready[slot].life += 1
        return done(lease)

    crew, leases, cluster = crew_of(write, workers=1, samples=8, lease_deadline_s=0.4)
    asyncio.run(asyncio.wait_for(all_of(crew, leases, 1), timeout=10))
    assert leases.done
    assert cluster.discarded == []


def test_workers_that_go_with_their_nodes_count_for_nothing_and_suspect_nobody():
    gone: list[int] = []

    async def write(slot: int, lease: Lease) -> UnitReport:
        await asyncio.sleep(0)
        if lease.unit == len(gone) < 5:
            gone.append(lease.unit)
            raise NodeLost("the engine worker went with its node")
        assert not crew.quarantine.pending
        return done(lease)

    crew, leases, cluster = crew_of(write, workers=1, max_restarts=1)
    asyncio.run(asyncio.wait_for(all_of(crew, leases, 1), timeout=10))
    assert leases.done
    assert crew.supervisor.restarts == 0
    assert len(gone) == 5
    assert set(cluster.discarded) == {0}


def test_unit_with_which_one_node_after_another_goes_is_suspect():
    async def write(slot: int, lease: Lease) -> UnitReport:
        if 6 in lease.indices and not crew.quarantine.pending:
            raise NodeLost("the engine worker went with its node")
        if crew.quarantine.pending:
            suspected.append(lease.unit)
        return done(lease)

    suspected: list[int] = []
    crew, leases, _ = crew_of(write, workers=1, samples=8)
    asyncio.run(asyncio.wait_for(all_of(crew, leases, 1), timeout=10))
    assert leases.done
    assert 1 in suspected


def test_worker_that_is_retired_finishes_stages_and_gets_nothing_more():
    told: list[int] = []
    release = asyncio.Event()

    async def write(slot: int, lease: Lease) -> UnitReport:
        told.append(lease.unit)
        if len(told) <= 3:
            await release.wait()
        return done(lease)

    async def one_round() -> None:
        tending = asyncio.create_task(crew.tend(0))
        committing = asyncio.create_task(sealed(leases))
        while len(told) < 3:
            await asyncio.sleep(0)
        await crew.retire(0, 60.0, "its node is draining")
        await asyncio.sleep(0.2)
        assert len(told) == 3
        assert cluster.discarded == []
        release.set()
        await asyncio.gather(tending, committing)

    crew, leases, cluster = crew_of(write, workers=1)
    asyncio.run(asyncio.wait_for(one_round(), timeout=10))
    assert sorted(told) == list(range(6))
    assert cluster.discarded == [0]
    assert crew.supervisor.restarts == 0


def test_worker_that_is_still_busy_at_its_deadline_is_staged_and_let_go():
    told: list[int] = []
    flushed: list[int] = []

    async def write(slot: int, lease: Lease) -> UnitReport:
        told.append(lease.unit)
        if len(told) <= 3:
            await asyncio.sleep(3600)
        return done(lease)

    async def one_round() -> None:
        tending = asyncio.create_task(crew.tend(0))
        committing = asyncio.create_task(sealed(leases))
        while len(told) < 3:
            await asyncio.sleep(0)

        async def flush() -> None:
            flushed.append(0)

        crew.ready[0].flush = flush
        await crew.retire(0, 0.0, "its node is draining")
        await asyncio.gather(tending, committing)

    crew, leases, _ = crew_of(write, workers=1)
    asyncio.run(asyncio.wait_for(one_round(), timeout=15))
    assert flushed == [0]
    assert leases.done
    assert crew.quarantine.pending is False
    assert crew.supervisor.restarts == 0
