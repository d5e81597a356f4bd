"""The shown rate: tokens over the last seconds, whatever workers come and go."""

import pytest

from seedcorn.runtime.driver.snapshot import Rate


def test_rate_of_steady_workers_is_their_sum():
    rate = Rate()
    for second in range(30):
        for worker in range(3):
            rate.update(worker, 100.0 * second)
        shown = rate.per_second(float(second))

    assert shown == pytest.approx(300)


def test_rate_forgets_what_lies_before_the_window():
    rate, shown = Rate(), []
    for second in range(60):
        rate.update(0, min(second, 20) * 50.0)
        shown.append(rate.per_second(float(second)))

    assert shown[20] == pytest.approx(50)
    assert 0 < shown[25] < 50
    assert shown[40:] == [0.0] * 20


def test_replaced_worker_starts_from_zero_and_takes_nothing_away():
    rate = Rate()
    rate.update(0, 0)
    rate.per_second(0.0)
    rate.update(0, 500)
    rate.update(0, 40)

    assert rate.per_second(10.0) == pytest.approx(54)


def test_first_look_and_two_looks_at_once_are_zero_not_an_error():
    rate = Rate()
    rate.update(0, 7)

    assert rate.per_second(5.0) == 0.0
    assert rate.per_second(5.0) == 0.0
