"""Draws of rows that stream past: fair, and the same whatever the chunks."""

from functools import reduce

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.companions.draws import CHARS, Draw


def drawn(draw, source, rows):
    return draw.with_rows(source, np.array(rows, np.int64), lambda i: f"{source} {rows[i]}")


@given(
    st.integers(1, 9), st.lists(st.integers(0, 60), unique=True), st.integers(1, 7), st.randoms()
)
def test_draw_of_parts_merges_into_the_draw_of_the_whole(most, rows, size, random):
    whole = drawn(drawn(Draw(most), "a", rows), "b", rows)
    parts = [
        drawn(Draw(most), source, rows[i : i + size])
        for source in "ab"
        for i in range(0, len(rows), size)
    ]
    random.shuffle(parts)

    assert reduce(Draw.merged, parts, Draw(most)) == whole
    assert len(whole.texts) == min(most, 2 * len(rows))


def test_draw_is_fair_and_its_limit_hides_nothing_that_would_stay():
    rows = list(range(40_000))
    limited, free = (drawn(one, "seed", rows) for one in (Draw.of(512, 40_000), Draw(512)))

    assert limited.texts == free.texts
    numbers = [int(text.split()[1]) for text in free.texts]
    assert abs(np.mean(numbers) - 20_000) < 4 * 11_547 / np.sqrt(512)
    assert len(limited.rows) == 512


def test_draw_keeps_the_beginning_of_a_long_text():
    found = Draw(1).with_rows("seed", np.array([3]), lambda i: "x" * (CHARS + 1))

    assert found.texts == ["x" * CHARS]
