"""Neighbours out of all of history: the right ones, whoever saw which part of it in which order."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.companions.neighbours import (
    GROWN,
    NEVER,
    REAL,
    STRANGERS,
    WANTED,
    Found,
    HistoryPass,
    outside,
)
from seedcorn.core.companions.pieces import PIECE, content_hashes
from seedcorn.core.companions.queries import Queries, query_index
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import NEWEST

FIELD = "corn grows in the field behind the old mill where the river bends"
SEA = "ships cross the cold sea under a pale moon while the harbour sleeps"
STAR = "a star collapses into itself until light can no longer leave it"


def index_of(texts, position=None, since=None):
    n = len(texts)
    return query_index(Queries(texts, position or [0] * n, since or [0] * n), NEWEST)


def passed(index, *chunks):
    """What a pass over (texts, positions, kind) found."""
    history = HistoryPass(index)
    for texts, position, kind in chunks:
        history.look(*pack([t.encode() for t in texts]), np.array(position, np.int64), kind)
    return history.found()


def before(texts):
    """A chunk of real history."""
    return texts, [-1] * len(texts), REAL


def names(found, query=0):
    """Texts of the nearest, nearest first."""
    return [found.texts[key] for key in found.near[query].tolist() if key]


def test_nearest_of_an_edited_copy_is_its_source_then_what_shares_less():
    edited = FIELD.replace("old mill", "new barn")

    found = passed(index_of([edited]), before([SEA, f"{STAR} where the river bends", FIELD]))

    assert names(found) == [FIELD, f"{STAR} where the river bends"]


def test_texts_that_share_no_three_words_in_a_row_are_not_near():
    assert names(passed(index_of(["the old sea of cold corn"]), before([FIELD, SEA]))) == []


def test_document_meets_those_before_it_and_never_those_after():
    index = index_of([FIELD, FIELD, SEA], [0, 1, 2])

    found = passed(index, ([FIELD, FIELD + " today", SEA], [0, 1, 2], GROWN))

    assert [names(found, query) for query in range(3)] == [[], [FIELD], []]


def test_random_texts_come_from_before_the_generation_alone():
    index = index_of([FIELD], [5], [3])

    found = passed(index, ([SEA], [2], REAL), ([STAR, FIELD], [3, 4], GROWN))

    assert [found.texts[key] for key in found.far[REAL, 0].tolist() if key] == [SEA]
    assert not found.far[GROWN].any()
    assert names(found) == [FIELD]


def test_equal_texts_take_one_place():
    found = passed(index_of([FIELD]), before([FIELD] * 9 + [FIELD + " again"]))

    assert sorted(names(found)) == [FIELD, FIELD + " again"]
    assert len({key for key in found.far[REAL, 0].tolist() if key}) == 2
    assert (found.documents, found.words) == (10, 10 * 13 + 1)


def test_copied_chapter_of_a_book_finds_its_place_in_it():
    chapters = [" ".join(f"{name}{i}" for i in range(4000)) for name in ("ab", "cd", "ef")]
    book = " ".join(chapters)

    found = passed(index_of([chapters[2]]), before([book, FIELD]))

    assert len(book) > 4 * PIECE
    assert all("ef" in text for text in names(found))
    assert max(len(text) for text in found.texts.values()) <= PIECE
    assert outside(index_of([chapters[2]]), found) == (pytest.approx(0),) * 3


words = st.lists(st.sampled_from("abcde"), min_size=0, max_size=30).map(" ".join)


@st.composite
def histories(draw):
    """Queries, and a history cut into chunks twice over."""
    queries = draw(st.lists(words, min_size=1, max_size=4))
    texts = draw(st.lists(st.tuples(words, st.integers(-1, 4), st.booleans()), max_size=12))
    order = draw(st.permutations(texts))
    return queries, texts, order, draw(st.integers(1, 5))


@given(histories())
@settings(max_examples=60, deadline=None)
def test_what_is_found_does_not_depend_on_chunks_order_or_who_did_which_part(case):
    queries, texts, order, size = case
    index = index_of(queries, list(range(1, len(queries) + 1)), [1] * len(queries))
    whole = passed(index, *(([t], [p], int(k)) for t, p, k in texts))

    parts = [order[i : i + size] for i in range(0, len(order), size)]
    answers = [passed(index, *(([t], [p], int(k)) for t, p, k in part)) for part in parts]
    merged = reduce(Found.merged, answers, passed(index))

    for name in ("distance", "near", "rank", "far", "first"):
        assert np.array_equal(getattr(merged, name), getattr(whole, name)), name
    assert merged.texts == whole.texts
    assert (merged.documents, merged.words) == (whole.documents, whole.words)


@given(histories())
@settings(max_examples=40, deadline=None)
def test_nearest_are_those_of_the_greatest_nearness_however_many_pass(case):
    queries, texts, _, _ = case
    index = index_of(queries, [9] * len(queries))
    found = passed(index, *(([t], [p], int(k)) for t, p, k in texts))

    single = [passed(index, ([t], [p], REAL)) for t, p, _ in texts]
    for query in range(len(queries)):
        distances = {int(one.near[query, 0]): float(one.distance[query, 0]) for one in single}
        best = sorted((d, key) for key, d in distances.items() if key)[:WANTED]
        assert [
            (d, k)
            for d, k in zip(*(a[query].tolist() for a in (found.distance, found.near)), strict=True)
            if k
        ] == best
        known = {int(content_hashes(*pack([t.encode()]))[0]) for t, p, _ in texts if t and p < 0}
        assert len([k for k in found.far[:, query].ravel().tolist() if k]) == sum(
            min(STRANGERS, len({t for t, p, k in texts if t and p < 0 and k == kind}))
            for kind in (False, True)
        )
        assert set(found.far[:, query].ravel().tolist()) - {0} <= known


def plain(texts, length):
    return [
        {tuple(w[i : i + length]) for i in range(max(1, len(w) - length + 1))}
        for w in (text.split() for text in texts)
    ]


@given(st.lists(words, min_size=1, max_size=5), st.lists(words, max_size=5))
@settings(max_examples=60, deadline=None)
def test_share_of_new_shingles_and_of_words_outside_known_ones_are_what_sets_say(grown, seed):
    n = len(grown)
    index = index_of(grown, list(range(n)))
    found = passed(index, before(seed), (grown, range(n), GROWN))

    fresh, apart, short = outside(index, found)

    for number, text in enumerate(grown):
        run = text.split()
        length = 8 if len(run) >= 8 else 3
        earlier = [t for t in [*seed, *grown[:number]] if t]
        known, places = known_of(earlier, length), places_of(run, length)
        new = set(places) - known
        assert fresh[number] == pytest.approx(
            len(new) / len(places) if length == 8 else float(bool(new))
        )
        if run:
            assert apart[number] == pytest.approx(apart_of(places, known, run))
            threes = places_of(run, 3), known_of(earlier, 3)
            assert short[number] == pytest.approx(apart_of(*threes, run))


def known_of(texts, length):
    return {gram for part in plain(texts, length) for gram in part}


def places_of(run, length):
    return [tuple(run[i : i + length]) for i in range(max(1, len(run) - length + 1))]


def apart_of(places, known, run):
    inside = {i + k for i, place in enumerate(places) if place in known for k in range(len(place))}
    return 1 - len(inside) / len(run)


def test_shingle_that_nothing_has_has_no_position():
    found = passed(index_of([FIELD]), before([SEA]))

    assert (found.first == NEVER).all()
    assert found.texts.keys() == {int(content_hashes(*pack([SEA.encode()]))[0])}
