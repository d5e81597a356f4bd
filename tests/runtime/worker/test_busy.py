"""Engine time: the union of all requests' intervals, shared out among them without a rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.runtime.worker.busy import BusyClock


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
