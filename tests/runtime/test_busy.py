"""Engine time: the union of all requests' intervals, handed out once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.runtime.busy import BusyClock


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


STEPS = st.lists(
    st.tuples(st.sampled_from(["enter", "leave", "take", "wait"]), st.integers(0, 9)), max_size=60
)


@given(steps=STEPS)
def test_takes_add_up_to_the_time_with_work_in_flight_however_often_taken(steps):
    clock, active, busy, taken = Clock(), 0, 0.0, 0.0
    meter = BusyClock(clock)
    for step, seconds in steps:
        if step == "enter":
            meter.enter()
            active += 1
        elif step == "leave" and active:
            meter.leave()
            active -= 1
        elif step == "take":
            taken += meter.take()
            assert taken == pytest.approx(busy)
        else:
            clock.now += seconds
            busy += seconds if active else 0

        assert meter.active == active

    assert taken + meter.take() == pytest.approx(busy)
    assert meter.take() == 0.0
