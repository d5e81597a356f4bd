"""The goodput account: every second that a worker was alive stands in exactly one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.scheduling.goodput import (
    BUSY,
    IDLE,
    OF_BATCH,
    STARTING,
    USES,
    EngineTime,
    Goodput,
    goodput_line,
    split,
)

SECONDS = st.floats(0, 1e6)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_split_gives_every_sample_its_own_seconds_and_losers_to_regenerated():
    outcomes = ["accepted", "rejected", "accepted", "duplicate", "failed"]

    found = split(outcomes, [1.0, 2.0, 4.0, 8.0, 16.0], 32.0)

    assert found == {
        "useful": 5.0,
        "duplicate": 8.0,
        "rejected": 2.0,
        "failed": 16.0,
        "regenerated": 32.0,
    }


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["accepted", "duplicate", "rejected", "failed"]), SECONDS)
    ),
    lost=SECONDS,
)
def test_split_loses_no_second(rows, lost):
    seconds = [cost for _, cost in rows]

    found = split([outcome for outcome, _ in rows], seconds, lost)

    assert sum(found.values()) == pytest.approx(sum(seconds) + lost)
    assert set(found) == set(OF_BATCH)


def test_account_of_a_known_generation():
    account = Goodput()
    account.add(4, {"useful": 60.0, "rejected": 10.0, "starting": 12.0, "busy": 75.0, "idle": 3.0})
    account.add(9, {"useful": 5.0, "regenerated": 2.0, "busy": 8.0, "idle": 2.0})

    running, finished = account.account(False), account.account(True)

    assert (running["useful"], running["idle"], running["starting"]) == (65.0, 5.0, 12.0)
    assert (running["pending"], running["regenerated"]) == (6.0, 2.0)
    assert (finished["pending"], finished["regenerated"]) == (0.0, 8.0)
    assert sum(running.values()) == sum(finished.values()) == 12.0 + 75.0 + 8.0 + 5.0
    assert goodput_line(finished) == (
        "65 % useful, 10 % rejected, 8 % regenerated, 12 % starting, 5 % idle"
    )


def test_driver_that_died_takes_its_engines_time_with_it_but_no_committed_second():
    account = Goodput()
    account.add(4, {"useful": 60.0})  # Written by a driver that resumed after one that died.
    account.add(5, {"useful": 10.0, "busy": 12.0, "idle": 1.0})

    assert account.account(True) == dict.fromkeys(USES, 0.0) | {"useful": 70.0, "idle": 1.0}


def test_account_without_a_measured_second_is_empty_and_has_no_line():
    assert Goodput().account(True) == {}
    assert goodput_line({}) == ""


@pytest.mark.parametrize("seconds", [{"wasted": 1.0}, {"useful": -1.0}, {"idle": float("nan")}])
def test_seconds_that_cannot_be_are_refused_with_the_entry(seconds):
    with pytest.raises(CorruptCorpus, match="log entry 7"):
        Goodput().add(7, seconds)


class Crew:
    """Workers whose life and work a test decides, and what is right about them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.time = EngineTime(self.clock)
        self.since: dict[int, float] = {}
        self.busy: dict[int, float] = {}
        self.alive = 0.0
        self.taken = dict.fromkeys((STARTING, BUSY, IDLE), 0.0)

    def placed(self, slot: int, _: int) -> None:
        self.time.placed(slot)
        self.since.setdefault(slot, self.clock.now)

    def ready(self, slot: int, _: int) -> None:
        if slot in self.since:
            self.time.ready(slot)
            self.busy[slot] = 0.0

    def progress(self, slot: int, _: int) -> None:
        if slot in self.busy:
            self.time.progress(slot, self.busy[slot], 1)

    def gone(self, slot: int, _: int) -> None:
        self.time.gone(slot)
        if slot in self.since:
            self.alive += self.clock.now - self.since.pop(slot)
            self.busy.pop(slot, None)

    def work(self, _: int, seconds: int) -> None:
        self.clock.now += seconds
        self.busy = {slot: busy + seconds for slot, busy in self.busy.items()}

    def rest(self, _: int, seconds: int) -> None:
        self.clock.now += seconds

    def take(self, _: int, __: int) -> None:
        for name, value in self.time.take().items():
            assert value >= 0
            self.taken[name] += value


NAMES = ["placed", "ready", "progress", "gone", "work", "rest", "take"]
STEPS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(0, 2), st.integers(0, 9)), max_size=80
)


@given(steps=STEPS)
def test_engine_time_hands_out_every_second_of_every_worker_once(steps):
    crew = Crew()
    for name, slot, seconds in steps:
        getattr(crew, name)(slot, seconds)
    for slot in list(crew.since):
        crew.gone(slot, 0)
    crew.take(0, 0)

    assert sum(crew.taken.values()) == pytest.approx(crew.alive)


def test_worker_starts_when_it_has_a_place_and_works_once_its_engine_is_up():
    clock = Clock()
    time = EngineTime(clock)
    time.ready(0)  # Of nobody who has a place.
    clock.now += 600
    time.placed(0)
    clock.now += 30
    time.ready(0)
    clock.now += 10
    time.progress(0, 7.0, 3)

    assert time.take() == {STARTING: 30.0, BUSY: 7.0, IDLE: 3.0}
    assert sum(time.take().values()) == 0


def test_engine_that_dies_at_work_was_busy_to_the_end_and_a_replacement_starts_anew():
    clock = Clock()
    time = EngineTime(clock)
    time.placed(0)
    time.ready(0)
    clock.now += 5
    time.progress(0, 5.0, 12)
    clock.now += 2
    time.gone(0)
    time.placed(0)
    clock.now += 4
    time.gone(0)  # Its model does not load: no process ever said how long it took.

    assert time.take() == {STARTING: 4.0, BUSY: 7.0, IDLE: 0.0}


def test_next_generation_on_the_same_engine_counts_the_gap_as_idle_and_its_work_anew():
    clock = Clock()
    time = EngineTime(clock)
    time.placed(0)
    time.ready(0)
    clock.now += 10
    time.progress(0, 4.0, 0)
    clock.now += 100
    time.placed(0)
    time.ready(0)
    clock.now += 10
    time.progress(0, 9.0, 0)

    assert time.take() == {STARTING: 0.0, BUSY: 13.0, IDLE: 107.0}


def test_report_that_comes_late_is_counted_with_the_next_one():
    clock = Clock()
    time = EngineTime(clock)
    time.placed(0)
    time.ready(0)
    clock.now += 1
    time.progress(0, 1.5, 1)  # The worker's clock ran while the message of its start travelled.
    clock.now += 1
    time.progress(0, 1.5, 1)

    assert time.take() == {STARTING: 0.0, BUSY: 1.5, IDLE: 0.5}
