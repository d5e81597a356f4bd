"""Kept means unique: what the miss rate explains passes, what it cannot explain is named."""

import random

import pytest

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.text.words import NEWEST
from seedcorn.core.verify.uniqueness import DROPPED, KEPT, SOURCE, Documents, prove_unique


def text(number, edits=0):
    """60 words of its own; `edits` of them are other words."""
    words = [f"w{number}x{position}" for position in range(60)]
    for position in random.Random(number).sample(range(60), edits):
        words[position] = f"edit{number}x{position}"
    return " ".join(words)


def documents(*rows):
    found = Documents()
    for number, (kind, content) in enumerate(rows):
        found.add(content, kind, f"d{number}")
    return found


def test_unique_documents_pass_and_are_counted():
    judged = prove_unique(documents(*((KEPT, text(n)) for n in range(5))), 0.7, NEWEST)
    assert (judged.documents, judged.met.sum(), judged.missed.sum()) == (5, 0, 0)
    assert judged.buckets[0] == (0.7, 0.75)


@pytest.mark.parametrize("first", [KEPT, SOURCE])
def test_same_words_kept_twice_are_named(first):
    rows = [(first, text(1)), (KEPT, text(2)), (KEPT, " " + text(1).replace(" ", "\n"))]
    with pytest.raises(CorruptCorpus, match="d0 and d2 are exact duplicates"):
        prove_unique(documents(*rows), 0.7, NEWEST)


def test_same_words_twice_are_fine_where_only_one_of_them_was_kept():
    rows = [(SOURCE, text(1)), (SOURCE, text(1)), (DROPPED, text(2)), (KEPT, text(2))]
    assert prove_unique(documents(*rows), 0.7, NEWEST).missed.sum() == 0


def test_same_words_kept_twice_after_a_dropped_one_are_named():
    rows = [(DROPPED, text(1)), (KEPT, text(1)), (KEPT, text(1))]
    with pytest.raises(CorruptCorpus, match="d1 and d2"):
        prove_unique(documents(*rows), 0.7, NEWEST)


def test_near_pairs_that_were_dropped_are_met_and_not_missed():
    rows = [(KEPT, text(n)) for n in range(9)] + [(DROPPED, text(n, 1)) for n in range(9)]
    judged = prove_unique(documents(*rows), 0.7, NEWEST)
    assert (judged.met.sum(), judged.missed.sum()) == (9, 0)


def test_near_pairs_among_sources_and_among_dropped_ones_do_not_count():
    rows = [(SOURCE, text(n, e)) for n in range(6) for e in (0, 1)]
    rows += [(DROPPED, text(n, e)) for n in range(6, 12) for e in (0, 1)]
    assert prove_unique(documents(*rows), 0.7, NEWEST).met.sum() == 0


def test_near_pairs_beyond_the_miss_rate_are_named():
    rows = [(KEPT, text(n)) for n in range(6)] + [(KEPT, text(n, 1)) for n in range(6)]
    with pytest.raises(CorruptCorpus, match=r"6 pairs of Jaccard .* both kept, of 6 that met"):
        prove_unique(documents(*rows), 0.7, NEWEST)


def test_one_missed_pair_proves_nothing():
    rows = [(KEPT, text(1)), (KEPT, text(1, 1)), (KEPT, text(2))]
    assert prove_unique(documents(*rows), 0.7, NEWEST).missed.sum() == 1


def test_pairs_below_the_threshold_are_nobodys_business():
    rows = [(KEPT, text(n)) for n in range(8)] + [(KEPT, text(n, 1)) for n in range(8)]
    assert prove_unique(documents(*rows), 0.95, NEWEST).met.sum() == 0


def test_no_documents_pass():
    assert prove_unique(Documents(), 0.7, NEWEST).documents == 0
