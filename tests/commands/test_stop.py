"""`seedcorn stop`: when it warns that a drain may be cut short."""

import pytest

from seedcorn.commands.stop import warnings
from seedcorn.core.ops.submitting import Job


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "unless the head node's Ray was started with it, Ray kills the driver after 3 s"),
        (10.0, "Ray kills the driver of j1 10 s after the signal"),
    ],
)
def test_stop_warns_of_a_time_that_is_too_short_to_drain(seconds, said):
    [warning] = warnings(Job("j1", "s3://b/x", 1, 1, "r", "RUNNING", stop_wait_s=seconds))
    assert said in warning
    assert "--drain-s" in warning


def test_stop_has_nothing_to_say_about_a_time_that_is_long_enough():
    assert warnings(Job("j1", "s3://b/x", 1, 1, "r", "RUNNING", stop_wait_s=600)) == []
