"""Counts of an anchor's n-grams add, whatever the cut."""

import random
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.teaching.table import ORDER, AnchorTable, Counts
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import TextRule, read_words

WORDS = ["a", "b", "c", "d", "e", "f", "g"]
DOCUMENTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join), max_size=12)
ANCHOR = ("a b c a b d", "b c d", "e", "")
TABLE = AnchorTable.of(ANCHOR, TextRule.TWO)


def same(left: Counts, right: Counts) -> bool:
    return left.to_bytes() == right.to_bytes()


def by_hand(text: list[str], found: list[list[str]]) -> tuple[int, int]:
    """(occurrences of an n-gram, those that end a document)."""
    size = len(text)
    ends = sum(words[len(words) - size :] == text for words in found if len(words) >= size)
    runs = [words[i : i + size] for words in found for i in range(len(words) - size + 1)]
    return runs.count(text), ends


@given(DOCUMENTS)
def test_counts_are_those_of_a_count_by_hand(documents):
    counts = TABLE.count(documents)
    split = [document.split() for document in documents]

    for text in ANCHOR:
        words = text.split()
        places = TABLE.places(read_words(*pack([text.encode()]), TextRule.TWO))
        for at in range(len(words)):
            for order in range(ORDER):
                place = places[order, at]
                assert (place >= 0) == (order <= at)
                if order <= at:
                    expected = by_hand(words[at - order : at + 1], split)
                    assert (counts.grams[place], counts.ends[place]) == expected
    assert counts.words == sum(map(len, split))
    assert counts.documents == len(documents)


@given(DOCUMENTS, st.lists(st.integers(0, 12), max_size=4), st.randoms())
def test_any_cut_and_order_gives_the_same_sum_bit_for_bit(documents, cuts, shuffle):
    ends = [0, *sorted(min(cut, len(documents)) for cut in cuts), len(documents)]
    parts = [TABLE.count(documents[a:b]) for a, b in pairwise(ends)]
    shuffle.shuffle(parts)

    assert same(sum(parts, TABLE.none()), TABLE.count(documents))


@given(DOCUMENTS, DOCUMENTS)
def test_a_part_taken_away_leaves_what_was_there_without_it(kept, withdrawn):
    assert same(TABLE.count(kept + withdrawn) - TABLE.count(withdrawn), TABLE.count(kept))


@given(DOCUMENTS)
def test_counts_survive_storage(documents):
    counts = TABLE.count(documents)

    assert same(Counts.from_bytes(counts.to_bytes()), counts)


def test_groups_of_one_pass_are_counts_of_their_documents():
    draw = random.Random(3)
    documents = [" ".join(draw.choices(WORDS, k=8)) for _ in range(40)]
    groups = [[g for g in range(3) if draw.random() < 0.4] for _ in documents]
    words = read_words(*pack([text.encode() for text in documents]), TextRule.TWO)

    found = TABLE.count_groups(words, groups, 3)

    assert Counter(len(group) for group in groups).keys() >= {0, 1, 2}
    for number, counts in enumerate(found):
        mine = [text for text, group in zip(documents, groups, strict=True) if number in group]
        assert same(counts, TABLE.count(mine))


def test_a_table_does_not_depend_on_order_or_repeats_of_the_anchor():
    again = AnchorTable.of([*reversed(ANCHOR), ANCHOR[0]], TextRule.TWO)

    assert again.fingerprint == TABLE.fingerprint
    assert np.array_equal(again.keys, TABLE.keys)


@pytest.mark.parametrize(
    "other", [AnchorTable.of(["a b"], TextRule.TWO), AnchorTable.of(ANCHOR, TextRule.ONE)]
)
def test_counts_of_another_anchor_or_rule_do_not_add(other):
    with pytest.raises(ValueError, match="another anchor"):
        TABLE.none() + other.none()


def test_words_of_another_rule_are_refused():
    with pytest.raises(ValueError, match="text rule"):
        TABLE.count_words(read_words(*pack([b"a b"]), TextRule.ONE))
