"""Counts with their nouns."""

import pytest

from seedcorn.core.figures import counted


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
