"""Engine time: the union of all requests' intervals, shared out among them without a rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.runtime.worker.busy import BusyClock, SlotClock


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


STEPS = st.lists(
    st.tuples(st.sampled_from(["enter", "leave", "wait"]), st.integers(0, 9)), max_size=60
)


@given(steps=STEPS)
def test_shares_of_all_requests_add_up_to_the_time_with_work_in_flight(steps):
    clock, busy, shared = Clock(), 0.0, 0.0
    meter, marks = BusyClock(clock), []
    for step, seconds in steps:
        if step == "enter":
            marks.append(meter.enter())
        elif step == "leave" and marks:
            shared += meter.leave(marks.pop(seconds % len(marks)))
        else:
            clock.now += seconds
            busy += seconds if marks else 0

        assert meter.active == len(marks)
        assert meter.total() == pytest.approx(busy)

    shared += sum(meter.leave(mark) for mark in marks)
    assert shared == pytest.approx(busy)
    assert meter.total() == pytest.approx(busy)


def test_request_that_stays_longer_pays_for_the_time_alone():
    clock = Clock()
    meter = BusyClock(clock)
    clock.now += 50  # Nothing in flight: nobody's time.
    long = meter.enter()
    clock.now += 6
    short = meter.enter()
    clock.now += 4

    assert meter.leave(short) == pytest.approx(2)
    clock.now += 10
    assert meter.leave(long) == pytest.approx(6 + 2 + 10)
    assert meter.total() == pytest.approx(20)


def test_request_holds_a_slot_from_when_one_is_free_and_waits_in_turn_before() -> None:
    clock = Clock()
    slots = SlotClock(clock, 2)
    first, second, third, fourth = (slots.enter() for _ in range(4))
    clock.now += 1
    assert slots.leave(first) == 1
    clock.now += 4
    assert slots.leave(third) == 4
    clock.now += 1
    assert slots.leave(second) == 6
    assert slots.leave(fourth) == 1


def test_request_that_left_before_it_had_a_slot_held_none() -> None:
    clock = Clock()
    slots = SlotClock(clock, 1)
    first, second, third = (slots.enter() for _ in range(3))
    clock.now += 3
    assert slots.leave(second) == 0
    assert slots.leave(first) == 3
    clock.now += 2
    assert slots.leave(third) == 2
