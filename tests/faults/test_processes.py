"""A spread of the campaign of real processes; `python -m tests.faults --only processes` is all of it."""

from collections import Counter

import pytest

pytestmark = [pytest.mark.s3, pytest.mark.timeout(300)]


def sound(rows):
    """The row that was just made, if it is as it must be."""
    row = rows.rows[-1]
    assert row.wrong == []
    assert row.ok, row
    return row


def test_drivers_killed_at_steps_on_a_local_disk_lose_and_double_nothing(rows):
    rows.local_kills(each=1, most=8)
    row = sound(rows)
    assert row.kills >= 5
    assert len(row.again) == row.kills
    assert row.recovery_s


def test_drivers_killed_at_steps_before_s3_lose_and_double_nothing(rows):
    rows.s3_kills(each=1, most=4)
    assert sound(rows).kills >= 2


def test_acknowledgements_lost_at_every_step_before_s3_change_nothing(rows):
    rows.wire(rounds=1, mixes=0, only=("lose_answer",))
    assert sound(rows).s3_faults >= 15


def test_disk_that_is_full_again_and_again_stops_drivers_by_name_and_costs_nothing(rows):
    rows.full_disk(1)
    assert sound(rows).runs == 1


def test_driver_without_descriptors_ends_with_a_named_error(rows):
    rows.starved(1)
    assert sound(rows).runs == 1


def test_wall_clock_that_jumps_changes_nothing(rows):
    rows.clocks(1)
    assert sound(rows).runs == 1


def test_driver_that_sleeps_beyond_its_lease_is_fenced_when_it_wakes(rows):
    rows.sleepers(1, 0, steps=Counter({"data PUT": 2}))
    assert sound(rows).runs == 1
    assert "1 of 1 fenced by name" in rows.notes[-1]
