"""Evaluation items inside longer texts, against counting shared shingles with sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.decontamination import (
    LENGTHS,
    EvaluationSet,
    contamination,
    evaluation_set,
)
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import Shingles, shingles_many, shingles_of
from seedcorn.core.text.words import NEWEST, TextRule, Words, read_words

ENOUGH = {8: 3, 13: 1}
HASHES = st.sets(st.sampled_from([0, 1, 2, 3, 4, 5, 2**64 - 1]), max_size=5)


def column(documents) -> Shingles:
    flat = [value for document in documents for value in sorted(document)]
    offsets = np.cumsum([0, *map(len, documents)]).astype(np.int64)
    return Shingles(np.array(flat, np.uint64), offsets)


@given(
    documents=st.lists(st.tuples(HASHES, HASHES), max_size=6),
    known=st.lists(st.tuples(HASHES, HASHES), max_size=2),
)
@settings(max_examples=25, deadline=None)
def test_contamination_of_any_batch_equals_counting_with_sets(documents, known):
    sets = [
        EvaluationSet(
            f"set{n}",
            {k: np.array(sorted(h), np.uint64) for k, h in zip(LENGTHS, pair, strict=True)},
        )
        for n, pair in enumerate(known)
    ]
    parts = {
        length: column([pair[place] for pair in documents]) for place, length in enumerate(LENGTHS)
    }

    found = contamination(sets, parts, read(*([""] * len(documents)))[1])

    for position, document in enumerate(documents):
        hits = [
            [len(document[place] & pair[place]) for place in range(len(LENGTHS))] for pair in known
        ]
        guilty = [
            n
            for n, counts in enumerate(hits)
            if any(count >= ENOUGH[k] for k, count in zip(LENGTHS, counts, strict=True))
        ]
        assert (position in found) == bool(guilty)
        if guilty:
            assert found[position].startswith(f"set{guilty[0]}: ")


def read(*texts: str) -> tuple[dict[int, Shingles], Words]:
    words = read_words(*pack([text.encode() for text in texts]), NEWEST)
    return {length: shingles_of(words, length) for length in LENGTHS}, words


def quiz(*items: str) -> EvaluationSet:
    words = read(*items)[1]
    return evaluation_set("quiz", [(words, np.ones(len(items), bool))])


ITEM = "which of these four planets takes the longest time to travel once around our own sun"
NOISE = " ".join(f"filler{n}" for n in range(200))


def test_item_inside_a_long_text_is_found_and_its_set_is_named():
    eight_words = " ".join(ITEM.split()[:8])

    found = contamination(
        [quiz(ITEM)],
        *read(NOISE, f"{NOISE} {ITEM.upper()}! {NOISE}", f"{NOISE} {eight_words}", ITEM),
    )

    assert set(found) == {1, 3}
    assert found[1] == "quiz: 9 shared 8-word shingles"


def test_evaluation_set_holds_each_shingle_of_usable_documents_once():
    texts = [b"one two three four five six seven eight nine", b"not to be read", b"short item"]
    chunks = [
        (read_words(*pack(texts), TextRule.ONE), np.array([True, False, True])),
        (read_words(*pack(texts[:1]), TextRule.ONE), np.array([True])),
    ]

    found = evaluation_set("quiz", chunks)

    alone = [shingles_many(*pack([texts[n]]), TextRule.ONE, LENGTHS, 2**64) for n in (0, 2)]
    for length in LENGTHS:
        wanted = {int(value) for parts in alone for value in parts[length].hashes}
        assert found.hashes[length].tolist() == sorted(wanted)
    assert [len(evaluation_set("none", []).hashes[length]) for length in LENGTHS] == [0, 0]


RIVER = "Which river flows through the city of Vienna?"
PAINTER = "Who painted the Mona Lisa?"


@pytest.mark.parametrize("item", [RIVER, PAINTER, "How far, in kilometres, is it from A to B?"])
def test_short_item_inside_a_longer_text_is_found_whole(item):
    inside = f"{NOISE} and the host read: {item.lower()} {NOISE}"
    broken = f"{NOISE} {item.split()[0]} else {' '.join(item.split()[1:])} {NOISE}"

    found = contamination([quiz(RIVER, PAINTER, item)], *read(NOISE, inside, broken, item))

    assert set(found) == {1, 3}
    assert found[1].startswith("quiz: a whole item of ")


def test_items_with_the_same_first_words_are_told_apart():
    items = ["one two three four five six", "one two three four five seven eight"]
    texts = ["so one two three four five six", "so one two three four five seven", *items]

    assert set(contamination([quiz(*items)], *read(*texts))) == {0, 2, 3}


@pytest.mark.parametrize("item", ["Yes.", "in 1914", "x + 2", "東京はどこですか", "ใช่ไหม"])
def test_item_too_short_to_tell_is_found_as_a_whole_text_only(item):
    found = contamination([quiz(item)], *read(f"{NOISE} {item} {NOISE}", f" {item} ", NOISE))

    assert set(found) == {1}
    assert (quiz(item).short.too_short, quiz(item, RIVER).short.items) == (1, 2)


def test_item_in_a_script_without_spaces_is_found_from_12_characters_on():
    item = "長い川はどこへ流れますか"
    assert len(item) == 12

    found = contamination([quiz(item), quiz(item[:11])], *read(f"昔々{item}と聞いた", item[:11]))

    assert set(found) == {0, 1}


def test_item_without_a_word_is_counted_and_found_nowhere():
    assert contamination([quiz("?!")], *read("?!", "...", NOISE)) == {}
    assert quiz("?!").short.too_short == 1


def test_short_item_under_text_rule_1_is_found_as_a_whole_text_only():
    words = read_words(*pack([RIVER.encode()]), TextRule.ONE)
    old = evaluation_set("quiz", [(words, np.array([True]))])
    shingles = {length: shingles_of(words, length) for length in LENGTHS}

    longer = read_words(*pack([f"{NOISE} {RIVER}".encode()]), TextRule.ONE)
    shingles_of_longer = {length: shingles_of(longer, length) for length in LENGTHS}
    assert contamination([old], shingles_of_longer, longer) == {}
    assert set(contamination([old], shingles, words)) == {0}
