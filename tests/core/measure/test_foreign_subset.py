"""Draws of documents that stream past."""

import numpy as np

from seedcorn.core.measure.foreign_subset import CHARS, DocumentDraw


def drawn(rows, most, cuts, unusable=(), number=1):
    found = DocumentDraw(number, "tool", rows, most)
    start = 0
    for cut in [*cuts, rows]:
        usable = np.array([row not in unusable for row in range(start, cut)], bool)
        found.look(usable, lambda row, start=start: f"text {start + row}")
        start = cut
    return found


def test_drawn_does_not_depend_on_pieces_and_skips_rows_without_a_document():
    whole = drawn(100, 30, [], unusable={3, 50})
    assert whole.texts == drawn(100, 30, [1, 7, 60], unusable={3, 50}).texts
    assert whole.population == 98
    assert 28 <= len(whole.texts) <= 30
    assert whole.texts == sorted(whole.texts, key=lambda text: int(text[5:]))


def test_drawn_more_than_there_is_takes_everything_in_order():
    assert drawn(5, 30, [2]).texts == [f"text {row}" for row in range(5)]
    assert drawn(0, 30, []).texts == []


def test_drawn_every_row_equally_often():
    counts = np.zeros(40, int)
    for number in range(400):
        for text in drawn(40, 10, [], number=number).texts:
            counts[int(text[5:])] += 1
    assert counts.sum() == 4000
    assert np.all(np.abs(counts - 100) < 4.5 * np.sqrt(100 * 0.75))


def test_first_is_a_part_of_the_draw_and_grows_with_the_count():
    whole = drawn(100, 30, [])
    sizes = [len(whole.first(count)) for count in (0, 5, 30, 99)]
    assert sizes == [0, 5, 30, 30]
    assert set(whole.first(5)) < set(whole.first(12)) < set(whole.texts)


def test_drawn_keeps_the_beginning_of_long_texts_only():
    found = DocumentDraw(1, "tool", 2, 2)
    found.look(np.ones(2, bool), lambda row: "x" * (CHARS + row))
    assert [len(text) for text in found.texts] == [CHARS, CHARS]
    assert found.cut == 1
