"""Leasing under any interleaving: nothing is leased twice without need, and everything once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import EngineSpec, SimulatedSpec, UnitsSpec, in_flight
from seedcorn.core.scheduling.leasing import Cut, Lease, Leases, require_window

NEVER = 1e9
"""A hedge factor that no unit exceeds."""
WORKERS = 3


def drain(leases: Leases, worker: int = 0) -> list[Lease]:
    granted = []
    while (lease := leases.lease(worker, 0.0, NEVER)) is not None:
        granted.append(lease)
    return granted


@given(samples=st.integers(1, 200), unit=st.integers(1, 9), batch=st.integers(1, 5))
def test_cut_any_sizes_partitions_the_plan_in_order(samples, unit, batch):
    cut = Cut(samples, unit, batch)

    units = [u for number in range(cut.batches) for u in cut.units_of(number)]

    assert [i for u in units for i in cut.indices(u)] == list(range(samples))
    assert all(len(cut.indices(u)) > 0 for u in units)
    assert all(len(cut.units_of(number)) > 0 for number in range(cut.batches))


class Cluster:
    """Workers that hold leases, stage pieces of them, die and come back: driven by a test."""

    def __init__(self, leases: Leases) -> None:
        self.leases, self.now = leases, 0.0
        self.hands: dict[int, dict[int, set[int]]] = {w: {} for w in range(WORKERS)}
        self.durable: set[int] = set()
        self.sealed: list[int] = []

    def play(self, event: str, worker: int, number: int) -> None:
        hold = {self.cut.unit * self.committed + n * number for n in (1, 2)}
        {
            "lease": lambda: self.lease(worker),
            "hedge": lambda: self.lease(worker, 0.0),
            "stage": lambda: self.stage(worker, number),
            "finish": lambda: self.finish(worker),
            "die": lambda: self.die(worker),
            "seal": self.seal,
            "hold": lambda: setattr(self.leases, "held_back", hold),
        }[event]()

    def lease(self, worker: int, factor: float = NEVER) -> None:
        lease = self.leases.lease(worker, self.now, factor)
        if lease is None:
            return
        window = self.leases.ahead + 1
        batch = lease.unit // self.cut.batch
        holders = [w for w, hands in self.hands.items() if lease.unit in hands]
        assert self.leases.committed <= batch < self.leases.committed + window
        assert lease.indices
        assert not set(lease.indices) & (self.durable | self.leases.held_back)
        assert worker not in holders
        assert len(holders) <= (factor < NEVER)
        self.hands[worker][lease.unit] = set(lease.indices)

    def stage(self, worker: int, share: int) -> None:
        for unit, left in self.hands[worker].items():
            some = sorted(left)[:share]
            self._stage(unit, some)
            left.difference_update(some)

    def finish(self, worker: int) -> None:
        self.now += 1
        for unit, left in self.hands[worker].items():
            self._stage(unit, left)
            self.leases.returned(unit, worker, self.now)
        self.hands[worker] = {}

    def die(self, worker: int) -> None:
        lost = self.leases.lost(worker)
        open_units = {u for u in self.hands[worker] if u // self.cut.batch >= self.committed}
        assert set(lost) == open_units
        for unit, indices in lost.items():
            assert set(indices) == set(self.cut.indices(unit)) - self.durable
        self.hands[worker] = {}

    def seal(self) -> None:
        while (batch := self.leases.sealable()) is not None:
            for unit in self.cut.units_of(batch):
                assert set(self.cut.indices(unit)) <= self.durable
            self.sealed.append(batch)
            self.leases.commit(batch)
            self.leases.advance(self.cut.samples, {})

    @property
    def cut(self) -> Cut:
        return self.leases.cut

    @property
    def committed(self) -> int:
        return self.leases.committed

    def _stage(self, unit: int, indices) -> None:
        self.durable.update(indices)
        self.leases.staged(unit, indices, [f"{unit}-{sorted(indices)}"])


EVENTS = st.tuples(
    st.sampled_from(["lease", "lease", "hedge", "stage", "finish", "die", "seal", "hold"]),
    st.integers(0, WORKERS - 1),
    st.integers(1, 4),
)


@given(
    cut=st.builds(Cut, st.integers(1, 40), st.integers(1, 5), st.integers(1, 3)),
    ahead=st.integers(0, 2),
    committed=st.integers(0, 2),
    events=st.lists(EVENTS, max_size=60),
)
@settings(max_examples=80, deadline=None)
def test_leases_any_interleaving_then_progress_seals_every_batch_in_order(
    cut, ahead, committed, events
):
    committed = min(committed, cut.batches)
    first = cut.units_of(committed).start * cut.unit
    cluster = Cluster(Leases(1, cut, ahead, committed))
    cluster.leases.advance(cut.samples, {})
    for event, worker, number in events:
        cluster.now += number
        cluster.play(event, worker, number)

    cluster.leases.held_back = set()
    for _ in range(cut.units + 1):
        cluster.seal()
        for worker in range(WORKERS):
            cluster.lease(worker)
            cluster.finish(worker)
    cluster.seal()

    assert cluster.leases.done
    assert cluster.sealed == list(range(committed, cut.batches))
    assert cluster.durable >= set(range(first, cut.samples))
    assert drain(cluster.leases) == []


def test_staged_foreign_indices_do_not_complete_a_unit():
    leases = Leases(1, Cut(4, 2, 1), 0, 0)

    leases.staged(0, [0, 2, 3], ["a"])

    assert leases.sealable() is None
    assert leases.lease(0, 0.0, NEVER) == Lease(1, 0, (1,), ("a",))


def test_held_back_indices_wait_while_their_unit_goes_on():
    leases = Leases(1, Cut(6, 3, 2), 0, 0)
    leases.held_back = {1, 3, 4, 5}

    granted = drain(leases)
    leases.staged(0, [0, 2], ["a"])
    leases.returned(0, 0, 1.0)

    assert [(lease.unit, lease.indices) for lease in granted] == [(0, (0, 2))]
    assert leases.lease(1, 0.0, NEVER) is None
    leases.held_back = set()
    assert [lease.indices for lease in drain(leases, 1)] == [(1,), (3, 4, 5)]


def test_resume_with_a_smaller_window_uses_segments_of_later_batches():
    leases = Leases(1, Cut(8, 2, 1), 0, 1)
    leases.advance(8, {})
    leases.resume([(0, "committed"), (3, "late"), (1, "now"), (3, "late")])

    first = drain(leases)
    leases.staged(1, [2, 3], ["now"])
    leases.commit(1)
    leases.advance(8, {})
    leases.staged(2, [4, 5], [])
    leases.commit(2)
    leases.advance(8, {})

    assert [lease.segments for lease in first] == [("now",)]
    assert [lease.segments for lease in drain(leases)] == [("late",)]
    assert leases.segments_of(3) == ["late"]


def test_segments_named_again_count_once():
    leases = Leases(1, Cut(2, 2, 1), 0, 0)
    leases.resume([(0, "b"), (0, "b")])
    leases.staged(0, [0, 1], ["b", "a", "a"])

    assert leases.segments_of(0) == ["a", "b"]


def test_commit_of_another_batch_than_the_next_is_refused():
    leases = Leases(1, Cut(6, 1, 2), 2, 0)

    with pytest.raises(ValueError, match="batch 1 committed while 0"):
        leases.commit(1)


def test_straggler_is_hedged_once_to_another_worker_and_the_late_report_is_harmless():
    leases = Leases(1, Cut(5, 1, 5), 0, 0)
    for unit in range(4):
        leases.lease(0, 0.0, 3.0)
        if unit < 3:
            leases.staged(unit, [unit], [f"{unit}"])
            leases.returned(unit, 0, 10.0)
    leases.lease(0, 0.0, 3.0)

    assert leases.lease(1, 30.0, 3.0) is None
    assert leases.lease(0, 31.0, 3.0) is None
    hedge = leases.lease(1, 31.0, 3.0)
    assert hedge is not None
    assert hedge.unit == 3
    assert leases.lease(2, 99.0, 3.0).unit == 4
    assert leases.lease(3, 99.0, 3.0) is None
    leases.staged(3, [3], ["hedge"])
    leases.staged(4, [4], ["four"])
    leases.commit(leases.sealable())
    leases.staged(3, [3], ["original"])
    leases.returned(3, 0, 200.0)
    assert leases.done
    assert leases.finished_samples({}) == 0


def test_units_that_were_staged_before_do_not_make_everyone_a_straggler():
    leases = Leases(1, Cut(6, 1, 6), 0, 0)
    leases.resume([(unit, f"{unit}") for unit in range(4)])
    for unit in range(4):
        leases.lease(0, 0.0, 3.0)
        leases.staged(unit, [unit], [f"{unit}"])
        leases.returned(unit, 0, 0.01)
    leases.lease(0, 1.0, 3.0)
    leases.lease(0, 1.0, 3.0)

    assert leases.lease(1, 30.0, 3.0) is None


@pytest.mark.parametrize(("samples", "refused"), [(1_000, True), (64, False)])
def test_window_smaller_than_engines_need_is_refused_with_the_number(samples, refused):
    engine = EngineSpec(kind="simulated", workers=2, simulated=SimulatedSpec(concurrency=100))
    units = UnitsSpec(unit=8, batch=4, ahead=2)

    if not refused:
        require_window(engine, units, samples)
        return
    with pytest.raises(RecipeError, match=f"64 samples.*at least {4 * in_flight(100)}"):
        require_window(engine, units, samples)


def test_leases_batch_that_a_commit_decides_on_stays_closed_until_it_is_decided():
    leases = Leases(1, Cut(8, 1, 2), ahead=1, committed=0)
    first = [lease.unit for lease in drain(leases)]
    for unit in range(2):
        leases.staged(unit, [unit], [f"{unit}"])
    leases.commit(0)

    assert first == [0, 1, 2, 3]
    assert drain(leases) == []
    leases.advance(8, {2: {"b": 1.0}})
    granted = drain(leases)
    assert [lease.unit for lease in granted] == [4, 5]
    assert all(lease.mixes == {2: {"b": 1.0}} for lease in granted)


def test_leases_of_a_plan_cut_short_end_with_its_last_sample():
    leases = Leases(1, Cut(20, 2, 1), ahead=2, committed=0)
    leases.advance(5, {})

    assert [lease.indices for lease in drain(leases)] == [(0, 1), (2, 3), (4,)]
    for unit, indices in enumerate([[0, 1], [2, 3], [4]]):
        leases.staged(unit, indices, [f"{unit}"])
        leases.commit(unit)
    assert leases.done


def test_leases_resumed_keep_the_undecided_batch_closed():
    leases = Leases(1, Cut(6, 1, 1), ahead=1, committed=2)

    assert [lease.unit for lease in drain(leases)] == [2]
    leases.advance(6, {})
    assert [lease.unit for lease in drain(leases)] == [3]
