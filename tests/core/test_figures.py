"""Counts with their nouns."""

import pytest

from seedcorn.core.figures import counted


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (12_345, "12,345 rows")]
)
def test_counted_is_in_the_plural_unless_it_is_one(count: int, text: str) -> None:
    assert counted(count, "row") == text
