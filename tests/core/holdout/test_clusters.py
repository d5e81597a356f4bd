"""Documents that say the same belong together, whatever order and chunks they are read in."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.holdout.clusters import clusters, joined
from seedcorn.core.holdout.likeness import CROWD
from tests.core.holdout.made import documents, text


def edited(original, step):
    """The same with every `step`th word another."""
    words = original.split()
    words[::step] = [f"{word}x" for word in words[::step]]
    return " ".join(words)


def shifted(original, cut, more):
    """A copy with other cut points, inside text of its own."""
    return " ".join([text(more, 160), *original.split()[cut:], text(more + 1, 60)])


TEXTS = [text(n) for n in range(6)]
TEXTS += [TEXTS[0], edited(TEXTS[1], 60), shifted(TEXTS[2], 7, 100), text(2, 3), text(9, 1)]
TOGETHER = [{0, 6}, {1, 7}, {2, 8}, {3}, {4}, {5}, {9}, {10}]


def parts(names):
    """Which places have one name."""
    found = defaultdict(set)
    for place, name in enumerate(np.asarray(names).tolist()):
        found[name].add(place)
    return sorted(found.values(), key=min)


def test_copies_near_ones_and_shifted_ones_are_clusters():
    assert parts(clusters(documents(TEXTS))) == TOGETHER


def test_copy_with_other_cut_points_is_found_by_containment_alone():
    found = documents([TEXTS[2], TEXTS[8]])
    assert not np.isin(found.keys[0], found.keys[1]).any()
    assert len(set(clusters(found).tolist())) == 1


def test_cluster_is_named_by_the_least_content_hash_of_its_members():
    found = documents(TEXTS)
    names = clusters(found)
    for together in TOGETHER:
        of = sorted(together)
        assert set(names[of].tolist()) == {int(found.text_hash[of].min())}


@given(order=st.permutations(range(len(TEXTS))), cuts=st.sets(st.integers(1, len(TEXTS) - 1)))
@settings(max_examples=30, deadline=None)
def test_clusters_in_any_order_and_chunks_are_the_same(order, cuts):
    edges = [0, *sorted(cuts), len(order)]
    chunks = [order[a:b] for a, b in pairwise(edges)]
    read = joined([documents([TEXTS[n] for n in chunk], chunk) for chunk in chunks])

    named = dict(zip(read.ordinals.tolist(), clusters(read).tolist(), strict=True))

    whole = clusters(documents(TEXTS)).tolist()
    assert named == dict(enumerate(whole))


def test_more_shifted_copies_than_a_crowd_are_one_cluster():
    whole = text(7, 200).split()
    windows = [whole[n % 30 : n % 30 + 150] for n in range(CROWD + 60)]
    copies = [f"{text(n + 500, 50)} {' '.join(window)}" for n, window in enumerate(windows)]
    assert len(set(clusters(documents(copies)).tolist())) == 1


def sampled(one):
    return len(documents([one]).sampled.hashes)


def test_one_phrase_in_common_joins_nothing():
    phrase = next(one for n in range(1000) if sampled(one := text(n, 8)))
    sayings = [f"{phrase} {text(n, 8)}" for n in range(2000, 2100)]
    assert len(set(clusters(documents(sayings)).tolist())) == len(sayings)


def test_near_duplicates_too_short_for_sampled_shingles_belong_together():
    short = next(one for n in range(1000) if not sampled(one := text(n, 25)))
    other = " ".join([*short.split()[:-1], "other"])
    assert len(set(clusters(documents([short, other, text(2000)])).tolist())) == 2


def test_passage_that_is_less_than_half_of_both_documents_joins_nothing():
    passage = text(3, 120)
    quoting = [f"{text(n, 300)} {passage} {text(n + 500, 300)}" for n in range(20, 40)]
    assert len(set(clusters(documents(quoting)).tolist())) == len(quoting)
    assert len(set(clusters(documents([*quoting, passage])).tolist())) == 1


@pytest.mark.parametrize("reverse", [False, True])
def test_documents_of_one_group_belong_together_and_those_of_none_stand_alone(reverse):
    texts, groups = TEXTS[:6], ["Job", "", "Job", "Ruth", "", "Ruth"]
    if reverse:
        texts, groups = texts[::-1], groups[::-1]
    assert parts(clusters(documents(texts, groups=groups))) == [{0, 2}, {1}, {3, 5}, {4}]


def test_no_document_has_no_cluster():
    assert len(clusters(joined([]))) == 0
    assert len(clusters(documents([]))) == 0
