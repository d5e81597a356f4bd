"""Halves, clusters and spelling of an anchor."""

import numpy as np
import pytest

from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.text.words import TextRule
from tests.core.teaching import sources


def test_clusters_stay_whole_and_halves_are_alike_in_size():
    texts = sources.documents(100, 1)
    clusters = [number // 5 for number in range(100)]

    anchor = Anchor.of(texts, TextRule.TWO, clusters)

    halves = [set(anchor.half[5 * c : 5 * c + 5].tolist()) for c in range(20)]
    assert all(len(half) == 1 for half in halves)
    sizes = np.bincount(anchor.half, weights=anchor.sizes)
    assert 0.8 < sizes[0] / sizes[1] < 1.25


def test_halves_do_not_depend_on_order_or_on_names_of_clusters():
    texts = sources.documents(40, 1)
    there = Anchor.of(texts, TextRule.TWO, [number // 4 for number in range(40)])
    back = Anchor.of(texts[::-1], TextRule.TWO, [f"c{number // 4}" for number in range(40)][::-1])

    assert back.half.tolist() == there.half[::-1].tolist()


def test_sums_by_cluster_keep_their_clusters():
    anchor = Anchor.of(["a b", "c", "d e", "f"], TextRule.TWO, ["x", "y", "x", "y"])

    sums = anchor.cluster_sums(np.array([[1.0, 10.0, 2.0, 20.0], [0.0, 1.0, 0.0, 3.0]]))

    assert sums.tolist() == [[3.0, 30.0], [0.0, 4.0]]


def test_one_cluster_and_wrong_numbers_of_names_are_refused():
    with pytest.raises(ValueError, match="one cluster"):
        Anchor.of(["a", "b"], TextRule.TWO, ["x", "x"])
    with pytest.raises(ValueError, match="2 clusters for 3"):
        Anchor.of(["a", "b", "c"], TextRule.TWO, ["x", "y"])


@pytest.mark.parametrize("rule", TextRule)
def test_longer_and_stranger_words_cost_more_to_spell(rule):
    usual = "stone tone one none lone bone"
    anchor = Anchor.of([f"{usual} stones", f"{usual} XQZ_", "don't 3.5 日本語 Straße"], rule)

    cost = -np.log2(anchor.spelled)

    assert cost[0] > cost[2]
    assert cost[anchor.offsets[1] + 6] > cost[3]
    assert np.all(np.isfinite(cost) & (cost > 0))
