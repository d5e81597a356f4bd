"""Numbers as a person reads them."""

import pytest

from seedcorn.core.figures import counted, duration, margin, percent, scaled, size


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12_345, "12,345 rows")]
)
def test_counted_is_in_the_plural_unless_it_is_one(count: int, text: str) -> None:
    assert counted(count, "row") == text


def test_counted_noun_with_a_plural_of_its_own_takes_it():
    assert (counted(1, "batch", "batches"), counted(2, "batch", "batches")) == (
        "1 batch",
        "2 batches",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (2.5, "2.5"),
        (312, "312"),
        (999.7, "1.00 k"),
        (41_000, "41.0 k"),
        (999_600, "1.00 M"),
        (4_100_000, "4.10 M"),
    ],
)
def test_scaled_numbers_keep_three_digits(value, text):
    assert scaled(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (0.00123, "0.00123"),
        (7.38e-05, "0.000074"),
        (-7.38e-05, "-0.000074"),
        (2e-06, "0.000002"),
        (1e-09, "almost 0"),
        (-1e-09, "almost 0"),
    ],
)
def test_scaled_writes_small_numbers_without_exponent(value, text):
    assert scaled(value) == text


@pytest.mark.parametrize(
    ("half", "text"), [(1.2, "±1.2 %"), (0.04, "±0.04 %"), (140, "±140 %"), (0.00003, "±0.00003 %")]
)
def test_margin_is_a_percentage_without_exponent(half, text):
    assert margin(half, 100) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.2, "1 s"),
        (89, "89 s"),
        (91, "2 min"),
        (3600, "1 h"),
        (12_000, "3 h 20 min"),
        (47.9 * 3600, "47 h 54 min"),
        (50 * 3600, "2 d 2 h"),
    ],
)
def test_duration_has_two_units_at_most(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (312, "312 B"), (4_100_000, "4.10 MB"), (1.8e11, "180 GB")]
)
def test_size_is_decimal(count, text):
    assert size(count) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0004, "0.0 %"),
        (0.042, "4.2 %"),
        (0.614, "61 %"),
        (0.996, "99.6 %"),
        (1, "100 %"),
    ],
)
def test_percent_has_a_decimal_near_its_ends(share, text):
    assert percent(share) == text
