"""Blocks of whole clusters at one size."""

import numpy as np
import pytest

from seedcorn.core.teaching.blocks import BLOCKS, curve_sizes, draw, matched_size

WORDS = np.random.default_rng(1).integers(50, 150, 400)
CLUSTERS = [f"c{number // 4}" for number in range(400)]


def test_blocks_have_their_size_and_differ():
    size = matched_size(int(WORDS.sum()), 10**6)

    blocks = draw(WORDS, CLUSTERS, size)

    assert len(blocks.documents) == BLOCKS
    assert blocks.share == pytest.approx(0.5, abs=1e-4)
    for block in blocks.documents:
        assert len(set(block.tolist())) == len(block)
        assert abs(int(WORDS[block].sum()) - size) < 100
    common = len(set(blocks.documents[0]) & set(blocks.documents[1]))
    assert 0.3 < common / len(blocks.documents[0]) < 0.7


def test_only_the_last_cluster_of_a_block_is_cut():
    for block in draw(WORDS, CLUSTERS, 10_000).documents:
        held = [sum(CLUSTERS[i] == name for i in block) for name in dict.fromkeys(CLUSTERS)]
        assert sorted({one for one in held if one})[-1] == 4
        assert sum(one in (1, 2, 3) for one in held) <= 1


def test_groups_name_the_blocks_of_every_document():
    blocks = draw(WORDS, CLUSTERS, 5_000)

    groups = blocks.groups(first=3)

    for number, block in enumerate(blocks.documents, 3):
        assert {document for document, mine in groups.items() if number in mine} == set(block)


def test_blocks_larger_than_all_there_is_are_refused():
    with pytest.raises(ValueError, match="out of"):
        draw(WORDS, CLUSTERS, int(WORDS.sum()) + 1)


def test_curve_doubles_up_to_all_words():
    assert curve_sizes(1000) == [31, 62, 125, 250, 500, 1000]
    assert curve_sizes(2) == [1, 2]
