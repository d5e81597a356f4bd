"""A plan's groups are the whole, its blocks and its curve, and parts of a reading add to them."""

import numpy as np
import pytest

from seedcorn.core.teaching.blocks import BLOCKS, curve_sizes, draw
from seedcorn.core.teaching.counted import Counted, Plan, count
from seedcorn.core.teaching.table import AnchorTable
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import TextRule, Words, read_words
from tests.core.teaching import sources

TEXTS = sources.documents(120, 6)
CLUSTERS = [number // 2 for number in range(120)]
TABLE = AnchorTable.of(sources.documents(30, 2), TextRule.TWO)


def read(texts: list[str]) -> Words:
    return read_words(*pack([text.encode() for text in texts]), TextRule.TWO)


def stored(counted: Counted) -> list[bytes]:
    parts = [counted.whole, *counted.blocks, *counted.quarters, *counted.curve]
    return [part.to_bytes() for part in parts]


def test_counts_of_a_plan_are_those_of_its_documents():
    words = read(TEXTS)
    size = int(words.counts.sum()) // 2

    counted = count(TABLE, words, Plan.of(words.counts, CLUSTERS, size))

    assert counted.whole.documents == len(TEXTS)
    blocks = draw(words.counts, CLUSTERS, size)
    assert len(counted.blocks) == BLOCKS
    for found, block in zip(counted.blocks, blocks.documents, strict=True):
        expected = TABLE.count([TEXTS[i] for i in block])
        assert found.to_bytes() == expected.to_bytes()
    assert [part.words for part in counted.quarters] == pytest.approx([size / 4] * 4, rel=0.1)
    assert counted.share == pytest.approx(0.5, rel=0.01)
    assert counted.quarter_share == pytest.approx(0.125, rel=0.01)


def test_a_reading_in_pieces_adds_to_the_same():
    words = read(TEXTS)
    plan = Plan.of(words.counts, CLUSTERS, 2000)
    sums = [TABLE.none()] * plan.most
    for start in range(0, 120, 50):
        piece = read(TEXTS[start : start + 50])
        found = TABLE.count_groups(piece, plan.groups[start : start + 50], plan.most)
        sums = [a + b for a, b in zip(sums, found, strict=True)]

    assert stored(plan.counted(sums)) == stored(count(TABLE, words, plan))


def test_points_of_the_other_side_are_told_as_far_as_there_is_text():
    words = read(TEXTS)
    total = int(words.counts.sum())

    counted = count(TABLE, words, Plan.of(words.counts, CLUSTERS, 0, curve_sizes(2 * total)))

    told = [part.words for part in counted.curve]
    assert told == pytest.approx(curve_sizes(2 * total)[:-2], rel=0.3)
    assert counted.blocks == counted.quarters == []


def test_a_text_without_words_has_only_its_whole():
    plan = Plan.of(np.zeros(2, np.int64), [0, 1], 0)

    counted = count(TABLE, read(["", "..."]), plan)

    assert counted.whole.documents == 2
    assert counted.curve == []
